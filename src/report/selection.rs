//! Which mailboxes and which clients a report shows.

use super::{ClientRow, Numbers, ReportRow};
use crate::model::{ClientOutcome, Outcome, Verdict};

/// Which mailboxes and which clients a report shows. The default shows all.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only mailboxes that need manual configuration, and of them only the clients with a finding.
    pub needs_manual: bool,
    /// Only these verdicts; empty: all.
    pub verdicts: Vec<Verdict>,
    /// Only these clients; empty: all.
    pub clients: Vec<String>,
}

impl Selection {
    /// Whether it leaves clients or verdicts out, and mailboxes with them.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !self.verdicts.is_empty() || !self.clients.is_empty()
    }

    /// Counts a mailbox as far as the clients and verdicts go that are shown; without one it is not counted. Whether only mailboxes
    /// that need manual configuration are shown makes no difference.
    pub(super) fn count(&self, numbers: &mut Numbers, outcome: &Outcome) {
        let shown = || outcome.clients.iter().filter(|client| self.wants(client));
        let audited = |test: fn(Verdict) -> bool| shown().any(|client| client.audited && test(client.verdict));
        if shown().next().is_none() {
            return;
        }
        numbers.checked += 1;
        numbers.hosting_conflicts += u64::from(!outcome.hosting_conflict.is_empty());
        numbers.personal_accounts += u64::from(outcome.personal_account.is_some());
        if outcome.needs_manual_configuration && audited(Verdict::is_finding) {
            numbers.needs_manual_configuration += 1;
        } else if audited(|verdict| verdict == Verdict::Undetermined) {
            numbers.could_not_check += 1;
        } else {
            numbers.ok += 1;
        }
    }

    fn wants(&self, client: &ClientOutcome) -> bool {
        (self.verdicts.is_empty() || self.verdicts.contains(&client.verdict))
            && (self.clients.is_empty() || self.clients.contains(&client.client))
    }

    fn shows(&self, client: &ClientRow) -> bool {
        (!self.needs_manual || client.outcome.verdict.is_finding()) && self.wants(&client.outcome)
    }
}

impl ReportRow {
    /// Drops the clients that are not wanted; says whether anything is left to show.
    pub fn keep(&mut self, selection: &Selection) -> bool {
        if selection.needs_manual && !self.needs_manual_configuration {
            return false;
        }
        self.clients.retain(|client| selection.shows(client));
        !self.clients.is_empty()
    }
}

//! Which mailboxes and which clients a report shows.

use super::{ClientRow, ReportRow};
use crate::model::Verdict;

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
    fn shows(&self, client: &ClientRow) -> bool {
        (!self.needs_manual || client.outcome.verdict.is_finding())
            && (self.verdicts.is_empty() || self.verdicts.contains(&client.outcome.verdict))
            && (self.clients.is_empty() || self.clients.contains(&client.outcome.client))
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

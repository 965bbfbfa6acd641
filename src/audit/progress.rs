//! How far a run is, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Outcome, Verdict};

/// Counters of a run, read while it goes on.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    done: AtomicU64,
    ok: AtomicU64,
    needs_manual: AtomicU64,
    undetermined: AtomicU64,
    lost: AtomicU64,
    set_aside: AtomicU64,
}

/// A reading of the counters; mailboxes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// In the lists.
    pub total: u64,
    /// Recorded in this run, those of the interrupted run that it resumes included.
    pub done: u64,
    /// Neither of the following two.
    pub ok: u64,
    /// Someone must type settings.
    pub needs_manual: u64,
    /// Could not tell, and nothing to type as far as one can tell.
    pub undetermined: u64,
    /// Lookups failed for more than half of the clients, whatever the others say.
    pub lost: u64,
    /// Not done yet: lookups of theirs failed, and they are gone through once more at the end.
    pub set_aside: u64,
}

impl Progress {
    /// The counters now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            total: read(&self.total),
            done: read(&self.done),
            ok: read(&self.ok),
            needs_manual: read(&self.needs_manual),
            undetermined: read(&self.undetermined),
            lost: read(&self.lost),
            set_aside: read(&self.set_aside),
        }
    }

    pub(super) fn expect(&self, mailboxes: u64) {
        self.total.fetch_add(mailboxes, Ordering::Relaxed);
    }

    pub(super) fn skip(&self, mailboxes: u64) {
        self.done.fetch_add(mailboxes, Ordering::Relaxed);
    }

    pub(super) fn set_aside(&self, mailboxes: u64) {
        self.set_aside.fetch_add(mailboxes, Ordering::Relaxed);
    }

    pub(super) fn take_up(&self, mailboxes: u64) {
        self.set_aside.fetch_sub(mailboxes, Ordering::Relaxed);
    }

    pub(super) fn count(&self, outcome: &Outcome) {
        let counter = if outcome.needs_manual_configuration {
            &self.needs_manual
        } else if outcome.worst_audited() == Verdict::Undetermined || outcome.is_undetermined() {
            &self.undetermined
        } else {
            &self.ok
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.lost.fetch_add(u64::from(outcome.is_lost()), Ordering::Relaxed);
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::is_outage,
        model::{Cause, ClientOutcome},
    };

    #[test]
    fn one_source_that_is_down_is_no_outage() {
        let fine = (Verdict::Ok, None);
        let lost = (Verdict::Undetermined, Some(Cause::LookupFailed));
        let guarded = (Verdict::Undetermined, Some(Cause::Guarded));
        let nothing = (Verdict::NotFound, Some(Cause::NothingPublished));
        for (audited, at_risk, expected) in [
            (vec![lost], vec![], true),
            (vec![lost, fine, fine], vec![lost, lost, lost], false),
            (vec![lost, lost, nothing], vec![fine, fine], true),
            (vec![guarded, guarded, guarded], vec![], false),
        ] {
            let client = |(verdict, cause), audited| ClientOutcome { audited, cause, ..ClientOutcome::bare("x", verdict) };
            let of = |clients: &[_], audited| clients.iter().map(|one| client(*one, audited)).collect::<Vec<_>>();
            let clients = [of(&audited, true), of(&at_risk, false)].concat();
            let progress = Progress::default();
            progress.count(&Outcome { clients, ..Outcome::default() });
            assert_eq!(is_outage(&progress.tally()), expected, "{audited:?}");
        }
    }
}

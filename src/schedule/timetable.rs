//! A tenant's schedule with its jitter: the same tenants at the same times, and not all at once. Pure.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::Schedule;
use crate::model::TenantId;

/// When a tenant's runs are due.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its occurrences.
    pub schedule: Schedule,
    /// A run begins up to so much after its occurrence, and always before the next one.
    pub jitter: SignedDuration,
    /// How long a run may take.
    pub deadline: SignedDuration,
}

/// An occurrence and when its run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What the schedule says; what is remembered.
    pub occurrence: Timestamp,
    /// With its jitter.
    pub at: Timestamp,
}

impl Timetable {
    /// The newest occurrence whose run should have begun by an instant.
    #[must_use]
    pub fn latest(&self, by: Timestamp) -> Option<Due> {
        let newest = self.due(self.schedule.latest_at_or_before(by)?);
        if newest.at <= by {
            return Some(newest);
        }
        let before = newest.occurrence.checked_sub(SignedDuration::from_secs(1)).ok()?;
        self.schedule.latest_at_or_before(before).map(|occurrence| self.due(occurrence))
    }

    /// The first occurrence whose run begins after an instant.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Due> {
        // the run of an occurrence that has come may be still ahead
        let newest = self.schedule.latest_at_or_before(after).map(|occurrence| self.due(occurrence));
        newest.filter(|due| due.at > after).or_else(|| self.schedule.next_after(after).map(|occurrence| self.due(occurrence)))
    }

    /// The first occurrence after another one.
    #[must_use]
    pub fn following(&self, occurrence: Timestamp) -> Option<Due> {
        self.schedule.next_after(occurrence).map(|occurrence| self.due(occurrence))
    }

    /// The same for the same tenant and occurrence, on every machine.
    fn due(&self, occurrence: Timestamp) -> Due {
        let gap = self.schedule.next_after(occurrence).map_or(self.jitter, |next| next.duration_since(occurrence));
        let span = u64::try_from(self.jitter.min(gap).as_secs()).unwrap_or(0);
        let share = share_of(&[self.tenant.as_str().as_bytes(), &occurrence.as_second().to_be_bytes()], span);
        let share = SignedDuration::from_secs(i64::try_from(share).unwrap_or(0));
        Due { occurrence, at: occurrence.checked_add(share).unwrap_or(occurrence) }
    }
}

/// A number from 0 to less than `span`, evenly spread by what is hashed; 0 where there is no span.
pub(crate) fn share_of(parts: &[&[u8]], span: u64) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let number = hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    number.checked_rem(span).unwrap_or(0)
}

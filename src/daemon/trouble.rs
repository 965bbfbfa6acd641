//! Incidents about ourselves: runs that were not made, and a database that takes nothing.

use crate::{
    alert::{Seen, Sighting},
    model::{Account, Concern, Severity, TenantId},
};

/// A run of a tenant was not made, or not to its end.
pub(super) fn run_failed(tenant: &TenantId, reason: &str) -> (Concern, Seen) {
    let advice = "Correct what is named; the run is made again at the next time of its schedule, and when the list changes.";
    (Concern::Run { tenant: tenant.clone() }, present((Severity::Error, reason, advice)))
}

/// The database took nothing for a while.
pub(super) fn store_failed(reason: &str) -> (Concern, Seen) {
    let explanation = format!("Nothing is audited, as the database does not do its work: {reason}.");
    (Concern::Store, present((Severity::Critical, &explanation, "Make room on the disk of the database, or let this user write to it.")))
}

/// It takes what it is given again.
pub(super) fn store_works() -> (Concern, Seen) {
    (Concern::Store, Seen::Absent)
}

fn present((severity, explanation, advice): (Severity, &str, &str)) -> Seen {
    Seen::Present(Sighting {
        verdict: None,
        severity,
        affected: 0,
        is_complete: true,
        account: Account { explanation: explanation.to_owned(), advice: Some(advice.to_owned()), ..Account::default() },
    })
}

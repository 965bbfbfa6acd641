//! Incidents about ourselves: runs that were not made, and a database that takes nothing.

use crate::{
    alert::{Moment, Policy, Seen, Sighting, decide},
    model::{Account, Concern, Severity, TenantId},
    store::{Destination, IncidentChange, Store, StoreError},
};

/// A run of a tenant was not made, or not to its end.
pub(super) fn run_failed(tenant: &TenantId, reason: &str) -> (Concern, Seen) {
    let advice = "Correct what is named; the run is made again at the next time of its schedule, and when the list changes.";
    (Concern::Run { tenant: tenant.clone() }, present((Severity::Error, reason, advice)))
}

/// The database took nothing for a while.
pub(super) fn store_failed(reason: &str) -> (Concern, Seen) {
    (Concern::Store, present((Severity::Critical, reason, "Make room on the disk of the database, or let this user write to it.")))
}

/// It takes what it is given again.
pub(super) fn store_works() -> (Concern, Seen) {
    (Concern::Store, Seen::Absent)
}

/// Decides what these make of the incidents, and writes it with what is to be told.
pub(super) async fn conclude(store: &Store, seen: &[(Concern, Seen)], (destinations, at): (&[Destination], i64)) -> Result<(), StoreError> {
    let policy = Policy::default();
    let mut changes = Vec::new();
    for (concern, seen) in seen {
        let known = store.reader().incidents_of(concern.tenant()).await?;
        let standing = known.iter().find(|incident| incident.concern == *concern);
        let decision = decide(standing, concern, seen, Moment { at, policy: &policy, is_exempt: false });
        changes.extend(decision.map(|decision| IncidentChange {
            incident: decision.incident,
            change: decision.change,
            is_muted: decision.is_muted,
        }));
    }
    if !changes.is_empty() {
        store.conclude_ours(&changes, destinations, at).await?;
    }
    Ok(())
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

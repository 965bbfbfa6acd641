//! What a run means for the incidents: read what was found, decide, and write that with the end of the tenant's part in one
//! transaction. Killed before it, the run is resumed and concluded again; killed after it, all is there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
};

use super::{
    Tally, TenantJob,
    recheck::{Attention, pause, spread},
};
use crate::{
    alert::{Decision, Group, Moment, Policy, Seen, Sighting, decide, observe},
    model::{Account, Concern, Domain, Exemption, Incident, IncidentState, Severity, TenantId},
    remedy::advice,
    store::{Concluded, Conclusion, Destination, DomainGroup, IncidentChange, Recheck, RunId, Store, StoreError},
};

/// How a run ends for those who want to hear of it.
#[derive(Debug, Clone, Default)]
pub struct Alerting {
    /// When incidents open and resolve.
    pub policy: Policy,
    /// Who is told.
    pub destinations: Vec<Destination>,
}

/// A run at its end.
pub(super) struct Ending<'a> {
    pub(super) store: &'a Store,
    pub(super) run: RunId,
    pub(super) alerting: &'a Alerting,
    pub(super) at: i64,
    /// Most of it could not be told: nothing is concluded about the tenants.
    pub(super) is_outage: bool,
}

impl Ending<'_> {
    /// Ends a tenant's part.
    pub(super) async fn conclude(&self, job: &TenantJob) -> Result<Concluded, StoreError> {
        let domains: BTreeSet<&Domain> = job.domains().collect();
        let mut changes = Changes::new(self, self.store.reader().exemptions().await?);
        if !self.is_outage {
            self.find_changes(job, &domains, &mut changes).await?;
        }
        if job.is_whole() {
            let known = self.store.reader().incidents_of(Some(&job.tenant.id)).await?;
            let concern = Concern::Run { tenant: job.tenant.id.clone() };
            changes.decide(known.iter().find(|incident| incident.concern == concern), &concern, &Seen::Absent);
        }
        let domains: Vec<&Domain> = domains.into_iter().collect();
        let conclusion = Conclusion {
            run: self.run,
            tenant: &job.tenant.id,
            domains: &domains,
            is_whole: job.is_whole(),
            changes: &changes.list,
            rechecks: &changes.rechecks,
            destinations: &self.alerting.destinations,
            at: self.at,
        };
        self.store.conclude_tenant(conclusion).await
    }
}

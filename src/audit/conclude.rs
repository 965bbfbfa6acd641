//! What a run means for the incidents: read what was found, decide, and write that with the end of the tenant's part in one
//! transaction. Killed before it, the run is resumed and concluded again; killed after it, all is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use super::{
    Tally, TenantJob,
    recheck::{Attention, pause, spread},
};
use crate::{
    alert::{Decision, Group, Moment, Policy, Seen, Sighting, decide, observe},
    model::{Account, Concern, Domain, Exemption, Incident, IncidentState, Severity, TenantId},
    remedy::Advisor,
    store::{
        Concluded, Conclusion, Destination, DomainGroup, IncidentChange, IncidentFilter, Reader, Recheck, RunId, Scope, Store, StoreError,
    },
};

/// What becomes of what a run finds, for those who want to hear of it.
#[derive(Debug, Clone, Default)]
pub struct Alerting {
    /// When incidents open and resolve.
    pub policy: Policy,
    /// Who is told of what.
    pub destinations: Vec<Destination>,
}

/// A run at its end.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) store: &'a Store,
    pub(super) run: RunId,
    pub(super) alerting: &'a Alerting,
    pub(super) advisor: &'a Advisor,
    /// Seconds since 1970.
    pub(super) at: i64,
    /// Most of it could not be told: nothing is concluded about the tenants.
    pub(super) is_outage: bool,
}

impl Ending<'_> {
    /// Ends a tenant's part; with a whole run's counters, says also whether something is wrong with us.
    pub(super) async fn conclude(&self, job: &TenantJob, whole: Option<&Tally>) -> Result<Concluded, StoreError> {
        let reader = self.store.reader();
        let incidents = reader.incidents_of(Some(&job.tenant.id)).await?;
        let planned = reader.rechecks_of(&job.tenant.id).await?;
        let mut findings = Findings {
            ending: self,
            exemptions: reader.exemptions().await?,
            changes: Vec::new(),
            rechecks: Vec::new(),
            pauses: planned.iter().map(|recheck| (recheck.domain.clone(), recheck.pause)).collect(),
        };
        let domains: Vec<&Domain> = job.domains().collect();
        if self.is_outage {
            // the run will be repeated as a whole
            findings.rechecks = planned.clone();
        } else {
            findings.find((reader, &job.tenant.id), &domains, ByDomain::of(&incidents, job)).await?;
        }
        if job.is_whole() {
            let concern = Concern::Run { tenant: job.tenant.id.clone() };
            findings.decide(incidents.iter().find(|incident| incident.concern == concern), &concern, &Seen::Absent);
        }
        if let Some(tally) = whole {
            let ours = reader.incidents_of(None).await?;
            let standing = ours.iter().find(|incident| incident.concern == Concern::Outage);
            findings.decide(standing, &Concern::Outage, &self.outage(tally));
        }
        let vanished: Vec<&Domain> = job.only.iter().flatten().filter(|domain| !domains.contains(domain)).collect();
        let conclusion = Conclusion {
            run: self.run,
            tenant: &job.tenant.id,
            scope: match &job.only {
                None => Scope::Whole(&domains),
                Some(_) => Scope::Part(&domains),
            },
            vanished: &vanished,
            changes: &findings.changes,
            rechecks: &findings.rechecks,
            destinations: &self.alerting.destinations,
            at: self.at,
        };
        self.store.conclude_tenant(conclusion).await
    }

    /// Ends the incidents of all tenants but these: the run goes through a whole configuration, and it has these alone.
    pub(super) async fn close_others(&self, jobs: &[TenantJob]) -> Result<(), StoreError> {
        let filter = IncidentFilter { states: vec![IncidentState::Suspected, IncidentState::Open], ..IncidentFilter::default() };
        let mut standing = self.store.reader().incidents(&filter).await?;
        standing.retain(|incident| incident.concern.tenant().is_some_and(|tenant| jobs.iter().all(|job| job.tenant.id != *tenant)));
        let moment = Moment { at: self.at, policy: &self.alerting.policy, is_exempt: false };
        let gone = Seen::Gone("The tenant is no longer in the configuration.");
        let changes: Vec<IncidentChange> =
            standing.iter().filter_map(|incident| decide(Some(incident), &incident.concern, &gone, moment)).map(changed).collect();
        if !changes.is_empty() {
            self.store.conclude_ours(&changes, &self.alerting.destinations, self.at).await?;
        }
        Ok(())
    }

    fn outage(&self, tally: &Tally) -> Seen {
        if !self.is_outage {
            return Seen::Absent;
        }
        let account = Account {
            explanation: format!(
                "In run {} {} of {} mailboxes could not be told for most clients, as lookups failed. Nothing is concluded about any tenant \
                 from it. See whether this machine reaches the internet and its DNS servers answer; where all mailboxes are in one domain, \
                 its servers may be down.",
                self.run, tally.lost, tally.done
            ),
            ..Account::default()
        };
        Seen::Present(Sighting { verdict: None, severity: Severity::Critical, affected: tally.lost, is_complete: true, account })
    }
}

/// Notes what was seen of something that no run finds: what is about us, or a run that did not happen.
///
/// # Errors
/// [`StoreError`].
pub async fn conclude_ours(store: &Store, alerting: &Alerting, (concern, seen): (&Concern, &Seen), at: i64) -> Result<(), StoreError> {
    let known = store.reader().incidents_of(concern.tenant()).await?;
    let standing = known.iter().find(|incident| incident.concern == *concern);
    let moment = Moment { at, policy: &alerting.policy, is_exempt: false };
    if let Some(decision) = decide(standing, concern, seen, moment) {
        store.conclude_ours(&[changed(decision)], &alerting.destinations, at).await?;
    }
    Ok(())
}

/// Whether a run says more of us than of the tenants.
#[must_use]
pub fn is_outage(tally: &Tally) -> bool {
    tally.done > 0 && tally.lost * 2 > tally.done
}

/// The incidents of the domains that a run is about.
struct ByDomain<'a>(BTreeMap<Domain, Vec<&'a Incident>>);

impl<'a> ByDomain<'a> {
    fn of(incidents: &'a [Incident], job: &TenantJob) -> Self {
        let mut by_domain = BTreeMap::<Domain, Vec<&Incident>>::new();
        for incident in incidents {
            if let Concern::Finding { domain, .. } = &incident.concern
                && job.is_about(domain)
            {
                by_domain.entry(domain.clone()).or_default().push(incident);
            }
        }
        Self(by_domain)
    }
}

/// What changes with the end of a run.
struct Findings<'a> {
    ending: &'a Ending<'a>,
    exemptions: Vec<Exemption>,
    changes: Vec<IncidentChange>,
    rechecks: Vec<Recheck>,
    /// The pauses before the present checks.
    pauses: BTreeMap<Domain, i64>,
}

impl Findings<'_> {
    async fn find(
        &mut self,
        (reader, tenant): (&Reader, &TenantId),
        domains: &[&Domain],
        mut standing: ByDomain<'_>,
    ) -> Result<(), StoreError> {
        let scope: BTreeSet<Domain> = domains.iter().copied().cloned().collect();
        reader
            .read_groups(tenant, Some(&scope), |domain, groups| {
                let standing = standing.0.remove(domain).unwrap_or_default();
                self.check((tenant, domain), groups, &standing);
                ControlFlow::Continue(())
            })
            .await?;
        for (domain, standing) in standing.0 {
            self.check((tenant, &domain), &[], &standing);
        }
        Ok(())
    }

    fn check(&mut self, (tenant, domain): (&TenantId, &Domain), groups: &[DomainGroup], standing: &[&Incident]) {
        let parts: Vec<Group<'_>> = groups.iter().map(part).collect();
        let is_doubtful = groups.iter().any(|group| group.outcome.is_undetermined());
        let mut attention = is_doubtful.then_some(Attention::Standing);
        let advisor = self.ending.advisor;
        let advise = |client: &str, cause, domain: &Domain, hosting| advisor.advice(client, cause, domain, hosting);
        for (concern, seen) in observe((tenant, domain), &parts, standing, &advise) {
            let before = standing.iter().copied().find(|incident| incident.concern == concern);
            let after = self.decide(before, &concern, &seen).or_else(|| before.cloned());
            attention = attention.max(after.and_then(|after| self.attention(&after, before)));
        }
        if let Some(attention) = attention.filter(|_| !groups.is_empty()) {
            let mailboxes = groups.iter().map(|group| group.mailboxes).sum();
            let pause = pause(attention, mailboxes, self.pauses.get(domain).copied());
            self.rechecks.push(Recheck { domain: domain.clone(), due_at: self.ending.at + spread(domain, pause), pause });
        }
    }

    /// Notes what a sighting makes of an incident; returns it where it changed.
    fn decide(&mut self, before: Option<&Incident>, concern: &Concern, seen: &Seen) -> Option<Incident> {
        let at = self.ending.at;
        let is_exempt = self.exemptions.iter().any(|exemption| exemption.covers(concern, at));
        let moment = Moment { at, policy: &self.ending.alerting.policy, is_exempt };
        let change = changed(decide(before, concern, seen, moment)?);
        let after = change.incident.clone();
        self.changes.push(change);
        Some(after)
    }

    fn attention(&self, after: &Incident, before: Option<&Incident>) -> Option<Attention> {
        let is_moving = after.streak > 0 || before.map(|before| before.state) != Some(after.state);
        match after.state {
            IncidentState::Suspected => Some(Attention::Moving),
            IncidentState::Open if is_moving => Some(Attention::Moving),
            IncidentState::Open => {
                let is_exempt = self.exemptions.iter().any(|exemption| exemption.covers(&after.concern, self.ending.at));
                Some(if is_exempt || after.acknowledgement.is_some() { Attention::Known } else { Attention::Standing })
            }
            IncidentState::Resolved | IncidentState::Dismissed => None,
        }
    }
}

pub(super) fn changed(Decision { incident, change, is_muted }: Decision) -> IncidentChange {
    IncidentChange { incident, change, is_muted }
}

fn part(group: &DomainGroup) -> Group<'_> {
    Group { profile: group.profile, outcome: &group.outcome, mailboxes: group.mailboxes, example: &group.example }
}

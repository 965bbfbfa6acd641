//! What is done next. Pure: what the schedules, the lists and people ask for, what is remembered, an instant.
//!
//! One run at a time. First what was cut short, then what people ask for together with what is due, then single domains. What is
//! remembered of a schedule is the newest occurrence that was taken up, and never an older one: after a downtime there is one run
//! however many were missed, and a clock that is set back repeats none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    model::{Domain, TenantId},
    schedule::{Due, Timetable},
    store::RunId,
};

/// A run that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The run that it goes on with; `None`: a new one.
    pub resumes: Option<RunId>,
    /// Whose mailboxes, in the order of the configuration.
    pub tenants: Vec<TenantId>,
    /// Only these domains; `None`: all.
    pub domains: Option<BTreeMap<TenantId, BTreeSet<Domain>>>,
    /// The occurrences that it takes up.
    pub takes: Vec<(TenantId, Timestamp)>,
    /// The demands that it meets, by number.
    pub demands: Vec<i64>,
    /// How long it may take.
    pub deadline: SignedDuration,
}

/// What is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A run.
    Run(Box<Job>),
    /// Nothing before this instant, unless something else comes in.
    Wait(Option<Timestamp>),
}

/// Someone asks for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The demand's number.
    pub id: i64,
    /// Of these tenants; none named: of all.
    pub tenants: Vec<TenantId>,
}

/// A run over whole lists that was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its number.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// Its tenants.
    pub tenants: Vec<TenantId>,
    /// The demands that it was to meet.
    pub demands: Vec<i64>,
}

/// All that the decision is made of.
#[derive(Debug)]
pub struct View<'a> {
    /// The present instant.
    pub now: Timestamp,
    /// The tenants, in the order of the configuration.
    pub timetables: &'a [Timetable],
    /// The newest occurrence that was taken up; none for a tenant that has never had a run.
    pub taken: &'a BTreeMap<TenantId, Timestamp>,
    /// Whole runs that are wanted beside the schedule: from when.
    pub wanted: &'a BTreeMap<TenantId, Timestamp>,
    /// What people ask for.
    pub requests: &'a [Request],
    /// What was cut short.
    pub unfinished: Option<&'a Unfinished>,
    /// Domains that are to be checked again by now.
    pub rechecks: &'a [(TenantId, Domain)],
    /// When the next of them comes up.
    pub next_recheck: Option<Timestamp>,
    /// Domains that have changed in the lists.
    pub changed: &'a BTreeMap<TenantId, BTreeSet<Domain>>,
    /// Nothing but what people ask for is done before: we are cut off.
    pub held_until: Option<Timestamp>,
}

/// Says what is next.
#[must_use]
pub fn decide(view: &View<'_>) -> Next {
    if let Some(job) = view.resumption() {
        return Next::Run(Box::new(job));
    }
    let held = view.held_until.filter(|until| *until > view.now);
    if !view.requests.is_empty() || held.is_none() {
        let job = view.whole().or_else(|| if held.is_none() { view.part() } else { None });
        if let Some(job) = job {
            return Next::Run(Box::new(job));
        }
    }
    let next = view.timetables.iter().filter_map(|table| view.due(table)).map(|due| due.at);
    let next = next.chain(view.wanted.values().copied()).chain(view.next_recheck).min();
    Next::Wait(next.map(|next| held.map_or(next, |until| next.max(until))))
}

/// The next whole run by the schedules, and whose it is.
#[must_use]
pub fn next_due<'a>(view: &View<'a>) -> Option<(&'a Timetable, Timestamp)> {
    let dues = view.timetables.iter().filter_map(|table| Some((table, view.due(table)?.at)));
    dues.min_by_key(|(_, at)| *at)
}

/// Corrects what a clock that was wrong by far made us remember: it would keep us from ever running again.
pub fn disbelieve(taken: &mut BTreeMap<TenantId, Timestamp>, now: Timestamp) {
    for taken in taken.values_mut().filter(|taken| taken.duration_since(now) > BELIEVED_AHEAD) {
        *taken = now;
    }
}

impl View<'_> {
    /// The first occurrence that was not taken up; at once for a tenant that has never had a run.
    fn due(&self, table: &Timetable) -> Option<Due> {
        match self.taken.get(&table.tenant) {
            None => Some(Due { occurrence: self.now, at: self.now }),
            Some(taken) => table.following(*taken),
        }
    }

    /// What is taken up of a tenant by a run that begins now: the newest occurrence of those that are due.
    fn takes(&self, table: &Timetable) -> Option<Timestamp> {
        let due = self.due(table).filter(|due| due.at <= self.now)?;
        let newest = table.latest(self.now).map(|newest| newest.occurrence);
        Some(newest.map_or(due.occurrence, |newest| newest.max(due.occurrence)))
    }

    /// A run that was cut short is gone on with for as long as it might have taken.
    fn resumption(&self) -> Option<Job> {
        let unfinished = self.unfinished?;
        let job = self.job(|table| unfinished.tenants.contains(&table.tenant))?;
        let took = self.now.duration_since(unfinished.started_at).max(SignedDuration::ZERO);
        let has_all = job.tenants.len() == unfinished.tenants.len();
        (has_all && took < job.deadline).then(|| Job {
            resumes: Some(unfinished.run),
            demands: unfinished.demands.clone(),
            deadline: job.deadline - took,
            ..job
        })
    }

    /// What people ask for, what is due, and what else is wanted, in one run.
    fn whole(&self) -> Option<Job> {
        let asks =
            |table: &Timetable| self.requests.iter().any(|request| request.tenants.is_empty() || request.tenants.contains(&table.tenant));
        let wants = |table: &Timetable| self.wanted.get(&table.tenant).is_some_and(|from| *from <= self.now);
        let job = self.job(|table| asks(table) || wants(table) || self.takes(table).is_some())?;
        Some(Job { demands: self.requests.iter().map(|request| request.id).collect(), ..job })
    }

    /// Single domains: those that are to be checked again, and those that have changed.
    fn part(&self) -> Option<Job> {
        let mut domains: BTreeMap<TenantId, BTreeSet<Domain>> = BTreeMap::new();
        let changed = self.changed.iter().flat_map(|(tenant, domains)| domains.iter().map(move |domain| (tenant, domain)));
        let due = self.rechecks.iter().map(|(tenant, domain)| (tenant, domain));
        for (tenant, domain) in changed.chain(due).take(DOMAINS_AT_MOST) {
            domains.entry(tenant.clone()).or_default().insert(domain.clone());
        }
        domains.retain(|tenant, _| self.timetables.iter().any(|table| table.tenant == *tenant));
        let job = self.job(|table| domains.contains_key(&table.tenant))?;
        Some(Job { domains: Some(domains), takes: Vec::new(), ..job })
    }

    fn job(&self, is_in: impl Fn(&Timetable) -> bool) -> Option<Job> {
        let tables: Vec<&Timetable> = self.timetables.iter().filter(|table| is_in(table)).collect();
        let takes = tables.iter().filter_map(|table| Some((table.tenant.clone(), self.takes(table)?))).collect();
        Some(Job {
            resumes: None,
            tenants: tables.iter().map(|table| table.tenant.clone()).collect(),
            domains: None,
            takes,
            demands: Vec::new(),
            deadline: tables.iter().map(|table| table.deadline).max()?,
        })
    }
}

/// How long the run is put off after the n-th one in a row, from 1, that found us cut off.
#[must_use]
pub fn pause_after_outage(times: u32) -> SignedDuration {
    let doubled = FIRST_PAUSE.as_mins().saturating_mul(1_i64.checked_shl(times.saturating_sub(1)).unwrap_or(i64::MAX));
    SignedDuration::from_mins(doubled.clamp(FIRST_PAUSE.as_mins(), LAST_PAUSE.as_mins()))
}

const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(5);
const LAST_PAUSE: SignedDuration = SignedDuration::from_mins(60);
/// What was taken up this far ahead is believed: the clock was set back, by a person or across a zone.
const BELIEVED_AHEAD: SignedDuration = SignedDuration::from_hours(26);
/// Domains that are checked again in one run.
const DOMAINS_AT_MOST: usize = 500;

//! One run of the service: reads the lists of its tenants, leaves out those that cannot be used, makes the run, and keeps watch beside it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::{
    list::Content,
    plan::Job,
    plant::{Plant, Post},
    pulse::{RunKind, RunResult},
    service::{ListTrouble, Service},
    systemd,
};
use crate::{
    audit::{Progress, RunError, RunOptions, Summary, Tally, TenantJob, run},
    model::{TenantId, with_causes},
    store::{RunId, StoreError},
};

/// What a run came to.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its number, where it was begun.
    pub(super) run: Option<RunId>,
    /// How it ended.
    pub(super) end: End,
    /// Tenants that were left out, and why.
    pub(super) left_out: BTreeMap<TenantId, String>,
    /// What was in the lists, of those that were whole.
    pub(super) contents: BTreeMap<TenantId, Content>,
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum End {
    /// It came to its end.
    Finished(Tally),
    /// The service is to stop; it is gone on with at the next start.
    Stopped,
    /// It took longer than it may.
    Late(Tally),
    /// No list could be used.
    NoList,
    /// It could not be made or went wrong.
    Failed(String),
    /// The database takes nothing.
    NoStore(StoreError),
    /// The disk is full: what is recorded is safe, and nothing more is looked at.
    NoRoom,
}

/// The lists of a run.
#[derive(Debug, Default)]
struct Lists {
    jobs: Vec<TenantJob>,
    left_out: BTreeMap<TenantId, String>,
    contents: BTreeMap<TenantId, Content>,
}

impl Service {
    /// Makes a run. Whoever asks for the same while it goes on is served by it.
    pub(super) async fn make(&self, job: &Job) -> Ended {
        let plant = self.plant();
        let lists = match self.lists_of(&plant, job).await {
            Ok(lists) => lists,
            Err(error) => return Ended { run: None, end: End::NoStore(error), left_out: BTreeMap::new(), contents: BTreeMap::new() },
        };
        let Lists { jobs, left_out, contents } = lists;
        let is_whole_again = left_out.is_empty();
        let ended = |run, end| Ended { run, end, left_out, contents };
        if jobs.is_empty() {
            return ended(None, End::NoList);
        }
        let auditor = match plant.auditor(&self.clock) {
            Ok(auditor) => Arc::new(auditor),
            Err(problem) => return ended(None, End::Failed(problem)),
        };
        let (stop, is_late, progress) = (self.stop.child_token(), AtomicBool::new(false), Arc::new(Progress::default()));
        let options = RunOptions {
            domains_at_once: plant.domains_at_once,
            watched_entries: plant.watched_entries.clone(),
            // a run that has lost one of its lists is begun anew with the others
            resume: job.resumes.is_some() && is_whole_again,
            whole: is_whole_again && job.domains.is_none() && job.tenants.len() == plant.posts.len(),
            // every list has been looked at
            accept_shrunk_list: true,
            alerting: plant.alerting.clone(),
            stop: stop.clone(),
        };
        self.pulse.begin_run(kind_of(job), progress.clone(), auditor.network.clone());
        let jobs = Arc::new(jobs);
        let course = Course { service: self, job, progress: &progress, stop: &stop, run: OnceLock::new() };
        let result = tokio::select! {
            result = run(&auditor, &self.store, &jobs, (&options, &progress)) => Some(result),
            never = course.attend() => match never {},
            never = end_in_time(&stop, (job, &is_late)) => match never {},
            () = self.give_up() => None,
        };
        let begun = match &result {
            Some(Ok(summary)) => Some(summary.run),
            _ => course.run.get().copied(),
        };
        let end = match end_of(result, (self.stop.is_cancelled(), is_late.load(Ordering::Relaxed)), progress.tally()) {
            End::Failed(_) if self.store.is_short_of_space() => End::NoRoom,
            end => end,
        };
        self.pulse.end_run(match &end {
            End::Finished(_) => RunResult::Finished,
            End::Stopped | End::Late(_) => RunResult::Interrupted,
            End::NoList | End::Failed(_) | End::NoStore(_) | End::NoRoom => RunResult::Failed,
        });
        ended(begun, end)
    }

    /// Ends when the service has been stopping for so long that a run must be dropped; what it recorded stays.
    async fn give_up(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
        tracing::warn!("the run does not end in time, and is dropped; it is gone on with at the next start");
    }

    async fn lists_of(&self, plant: &Plant, job: &Job) -> Result<Lists, StoreError> {
        let mut lists = Lists::default();
        for post in job.tenants.iter().filter_map(|tenant| plant.post(tenant)) {
            match self.read(&post.list, plant.clients.names()).await {
                Err(trouble) => lists.leave_out(post, &trouble),
                Ok(list) => {
                    let before = self.store.reader().previous_count(&post.tenant.id).await?;
                    let now = list.mailboxes.len() as u64;
                    if let Some(before) = before.filter(|before| now * 2 < *before) {
                        lists.leave_out(post, &ListTrouble::Shrunk { before, now });
                        continue;
                    }
                    lists.contents.insert(post.tenant.id.clone(), Content::of(&list.mailboxes));
                    let only = job.domains.as_ref().map(|domains| domains.get(&post.tenant.id).cloned().unwrap_or_default());
                    lists.jobs.push(TenantJob { tenant: post.tenant.clone(), mailboxes: list.mailboxes, only });
                }
            }
        }
        Ok(lists)
    }
}

impl Lists {
    fn leave_out(&mut self, post: &Post, trouble: &ListTrouble) {
        let reason = with_causes(trouble);
        tracing::error!(tenant = %post.tenant.id, list = %post.list.display(), reason, "the tenant is left out of the run");
        self.left_out.insert(post.tenant.id.clone(), reason);
    }
}

/// A run from beside.
struct Course<'a> {
    service: &'a Service,
    job: &'a Job,
    progress: &'a Progress,
    stop: &'a CancellationToken,
    run: OnceLock<RunId>,
}

impl Course<'_> {
    /// Says that the service lives, and how far the run is; lets those in who ask for the same.
    async fn attend(&self) -> Infallible {
        let mut pace = tokio::time::interval(systemd::pace());
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            self.service.give_signs_of_life().await;
            if self.service.store.is_short_of_space() {
                self.stop.cancel();
            }
            if let Err(error) = self.look_after_demands().await {
                tracing::debug!(%error, "the demands cannot be looked after");
            }
            let tally = self.progress.tally();
            let number = self.run.get().map_or_else(|| "run".to_owned(), |run| format!("run {run}"));
            let words = format!("{number}: {} of {} mailboxes, {} need manual configuration", tally.done, tally.total, tally.needs_manual);
            self.service.say(&words);
        }
    }

    async fn look_after_demands(&self) -> Result<(), StoreError> {
        if self.progress.tally().total == 0 {
            return Ok(());
        }
        let reader = self.service.store.reader();
        let run = match self.run.get() {
            Some(run) => *run,
            None => match reader.runs(1).await?.first() {
                Some(newest) => *self.run.get_or_init(|| newest.id),
                None => return Ok(()),
            },
        };
        for demand in reader.demands().await?.into_iter().filter(|demand| demand.run != Some(run)) {
            let is_ours = self.job.demands.contains(&demand.id.0);
            if is_ours || (self.job.domains.is_none() && self.is_over(&demand.tenants)) {
                self.service.store.begin_demand(demand.id, run).await?;
            }
        }
        Ok(())
    }

    /// Whether the run is over all that is asked for; none named: over every tenant there is.
    fn is_over(&self, tenants: &[TenantId]) -> bool {
        let is_in = |tenant: &TenantId| self.job.tenants.contains(tenant);
        if tenants.is_empty() { self.service.plant().posts.iter().all(|post| is_in(&post.tenant.id)) } else { tenants.iter().all(is_in) }
    }
}

/// Stops the run at its deadline.
async fn end_in_time(stop: &CancellationToken, (job, is_late): (&Job, &AtomicBool)) -> Infallible {
    tokio::time::sleep(Duration::try_from(job.deadline).unwrap_or_default()).await;
    tracing::error!(minutes = job.deadline.as_mins(), "the run has reached its deadline");
    is_late.store(true, Ordering::Relaxed);
    stop.cancel();
    std::future::pending().await
}

fn end_of(result: Option<Result<Summary, RunError>>, (is_stopping, is_late): (bool, bool), tally: Tally) -> End {
    match result {
        None => End::Stopped,
        Some(Ok(summary)) if !summary.interrupted => End::Finished(summary.tally),
        Some(Ok(_)) if is_stopping => End::Stopped,
        Some(Ok(_)) if is_late => End::Late(tally),
        Some(Ok(_)) => End::Failed("some of its tenants could not be gone through".to_owned()),
        Some(Err(RunError::Store(error))) => End::NoStore(error),
        Some(Err(error)) => End::Failed(with_causes(&error)),
    }
}

fn kind_of(job: &Job) -> RunKind {
    match job {
        Job { domains: Some(_), .. } => RunKind::Recheck,
        Job { demands, .. } if !demands.is_empty() => RunKind::Demand,
        _ => RunKind::Scheduled,
    }
}

/// How long a run may go on after the service was asked to stop.
const DRAIN: Duration = Duration::from_secs(24);

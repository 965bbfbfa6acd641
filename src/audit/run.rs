//! The run: domains side by side, one writer beside them, nothing lost where it is cut.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use super::{
    Alerting, Auditor, Progress, Tally,
    again::{Doubt, ask_again},
    conclude::{Ending, is_outage},
    domain::Errand,
    drift::Watch,
    place::{Delivery, Keep, Outlet, Rules, places, same_domain},
};
use crate::{
    model::{Domain, Mailbox, Tenant, TenantId, counted},
    remedy::Advisor,
    store::{self, DomainBatch, Entry, Recorded, RunId, RunState, Store, StoreError},
};

/// A tenant with its mailboxes, in the order of [`crate::model::Address::cmp_key`].
#[derive(Debug)]
pub struct TenantJob {
    /// The tenant.
    pub tenant: Tenant,
    /// Its mailboxes: the whole list.
    pub mailboxes: Vec<Mailbox>,
    /// Only these domains of it are gone through; `None`: all.
    pub only: Option<BTreeSet<Domain>>,
}

impl TenantJob {
    /// Whether the whole list is gone through.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.only.is_none()
    }

    /// Whether a domain is to be gone through, be it on the list or not.
    pub(super) fn is_about(&self, domain: &Domain) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(domain))
    }

    /// The domains of the list that are gone through.
    pub(super) fn domains(&self) -> impl Iterator<Item = &Domain> {
        let domains = self.mailboxes.chunk_by(same_domain).filter_map(|chunk| Some(chunk.first()?.address.domain()));
        domains.filter(|domain| self.is_about(domain))
    }

    fn mailboxes_in_scope(&self) -> u64 {
        self.mailboxes.iter().filter(|mailbox| self.is_about(mailbox.address.domain())).count() as u64
    }
}

/// How a run is made.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Domains that are asked about at once; at least 1.
    pub domains_at_once: usize,
    /// Goes on with the newest run that was not finished.
    pub resume: bool,
    /// The jobs are all tenants that there are: the mailboxes of any other leave the list.
    pub whole: bool,
    /// Takes a list that has shrunk by more than half since the last run.
    pub accept_shrunk_list: bool,
    /// Names whose entries in the ISP databases are watched.
    pub watched_entries: Vec<Domain>,
    /// What becomes of the incidents.
    pub alerting: Alerting,
    /// Cancelled: no further domain is begun, and those under way are recorded.
    pub stop: CancellationToken,
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub struct Summary {
    /// Its number.
    pub run: RunId,
    /// Whether something of it is still to be done.
    pub interrupted: bool,
    /// Mailboxes by what was found in this attempt.
    pub tally: Tally,
    /// Mailboxes by what changed.
    pub recorded: Recorded,
    /// Time spent on verdicts.
    pub judging: Duration,
    /// Time spent on the database.
    pub storing: Duration,
}

/// Why a run could not be made or finished.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list has become much shorter.
    #[error(
        "the list of tenant `{tenant}` has {}, and had {before} in the last run: if that is right, say so with --accept-shrunk-list",
        counted(*.now, "mailbox", "mailboxes")
    )]
    ShrunkList {
        /// The tenant.
        tenant: TenantId,
        /// Mailboxes in the last run.
        before: u64,
        /// Mailboxes now.
        now: u64,
    },
    /// There is no run to resume.
    #[error("there is no interrupted run to resume: leave --resume out")]
    NothingToResume,
    /// A domain's task died.
    #[error("the audit of a domain broke off")]
    Broken(#[from] JoinError),
    /// Not every mailbox was recorded, though nothing stopped the run.
    #[error("only {done} of {} recorded: go on with --resume", counted(*.total, "mailbox was", "mailboxes were"))]
    Incomplete {
        /// Mailboxes that were.
        done: u64,
        /// Mailboxes of the lists.
        total: u64,
    },
}

/// Makes a run over these tenants. Where it is cut short, by the token or by a kill, what was recorded stays, and a later call with
/// `resume` goes on behind it.
///
/// # Errors
/// [`RunError`]; never for what a remote host does.
pub async fn run(
    auditor: &Arc<Auditor>,
    store: &Store,
    jobs: &Arc<Vec<TenantJob>>,
    (options, progress): (&RunOptions, &Progress),
) -> Result<Summary, RunError> {
    let run = begin(auditor, store, jobs, options).await?;
    for job in jobs.iter() {
        progress.expect(job.mailboxes_in_scope());
        for client in auditor.left_out(&job.tenant.clients) {
            tracing::warn!(tenant = %job.tenant.id, client, "the client is not looked at, as a kind of lookup that it needs is switched off");
        }
    }
    tracing::info!(run = run.0, mailboxes = progress.tally().total, "run begins");
    let (sender, receiver) = mpsc::channel(BLOCKS_WAITING);
    let writer = Writer { auditor, store, run, jobs, progress };
    let (asked, written) = tokio::join!(ask_all(auditor, (store, run, jobs), (options, progress), sender), writer.write_all(receiver));
    let written = written?;
    asked?;
    let (mut recorded, tally) = (written.recorded, progress.tally());
    let stopped = options.stop.is_cancelled() && tally.done < tally.total;
    if !stopped && tally.done != tally.total {
        return Err(RunError::Incomplete { done: tally.done, total: tally.total });
    }
    if !stopped {
        let is_whole = jobs.iter().all(TenantJob::is_whole);
        let is_outage = is_whole && is_outage(&tally);
        let advisor = Advisor::new(auditor.clients.intakes());
        let ending = Ending { store, run, alerting: &options.alerting, advisor: &advisor, at: auditor.clock.seconds(), is_outage };
        for (number, job) in jobs.iter().enumerate() {
            // once a run, and not again where it is resumed: in the transaction of its first tenant
            let whole = (is_whole && number == 0).then_some(&tally);
            recorded.gone += ending.conclude(job, whole).await?.gone;
        }
        if options.whole {
            let tenants: Vec<&TenantId> = jobs.iter().map(|job| &job.tenant.id).collect();
            let gone = store.unlist_other_tenants(run, &tenants, auditor.clock.seconds()).await?;
            if gone > 0 {
                tracing::info!(mailboxes = gone, "tenants that are not in the configuration any more have left the reports");
            }
            recorded.gone += gone;
            ending.close_others(jobs).await?;
        }
        if !is_outage {
            Watch { auditor, jobs, options, ending }.look().await?;
        }
    }
    let wanted = if stopped { RunState::Interrupted } else { RunState::Finished };
    let interrupted = store.finish_run(run, wanted, auditor.clock.seconds()).await? != RunState::Finished;
    let counters = auditor.network.counters();
    tracing::info!(
        run = run.0,
        interrupted,
        done = tally.done,
        needs_manual = tally.needs_manual,
        undetermined = tally.undetermined,
        http_requests = counters.http_requests,
        dns_queries = counters.dns_queries,
        judging_ms = written.judging.as_millis(),
        storing_ms = written.storing.as_millis(),
        "run ends"
    );
    Ok(Summary { run, interrupted, tally, recorded, judging: written.judging, storing: written.storing })
}

async fn begin(auditor: &Auditor, store: &Store, jobs: &[TenantJob], options: &RunOptions) -> Result<RunId, RunError> {
    let at = auditor.clock.seconds();
    for TenantJob { tenant, mailboxes, .. } in jobs {
        let now = mailboxes.len() as u64;
        if let Some(before) = store.reader().previous_count(&tenant.id).await?
            && now * 2 < before
            && !options.accept_shrunk_list
        {
            return Err(RunError::ShrunkList { tenant: tenant.id.clone(), before, now });
        }
    }
    let tenants: Vec<(TenantId, String, u64)> =
        jobs.iter().map(|job| (job.tenant.id.clone(), job.tenant.name.clone(), job.mailboxes.len() as u64)).collect();
    if options.resume {
        return store.resume_run(&tenants, at).await?.ok_or(RunError::NothingToResume);
    }
    let is_whole = jobs.iter().all(TenantJob::is_whole);
    Ok(if is_whole { store.begin_run(&tenants, at).await? } else { store.begin_part(&tenants, at).await? })
}

/// Asks about every domain, several at once, and hands the blocks on. Begins nothing new once it is stopped.
async fn ask_all(
    auditor: &Arc<Auditor>,
    (store, run, jobs): (&Store, RunId, &Arc<Vec<TenantJob>>),
    (options, progress): (&RunOptions, &Progress),
    sender: mpsc::Sender<Delivery>,
) -> Result<(), RunError> {
    let mut tasks: JoinSet<Option<Doubt>> = JoinSet::new();
    let (rules, mut doubts) = (Rules::of(auditor), Vec::new());
    let keep = |doubts: &mut Vec<Doubt>, doubt: Option<Doubt>| {
        progress.set_aside(doubt.as_ref().map_or(0, Doubt::mailboxes));
        doubts.extend(doubt);
    };
    for place in places(jobs) {
        while tasks.len() >= options.domains_at_once.max(1) {
            keep(&mut doubts, tasks.join_next().await.transpose()?.flatten());
        }
        if options.stop.is_cancelled() || sender.is_closed() {
            break;
        }
        let mailboxes = place.mailboxes(jobs);
        let (Some(tenant), Some(first)) = (place.tenant(jobs), mailboxes.first()) else { continue };
        let list = rules.digest_of(tenant, mailboxes);
        // a new run has recorded nothing
        let known = if options.resume {
            store.progress(run, (&tenant.id, first.address.domain()), &list).await?
        } else {
            store::Progress::default()
        };
        let recorded = match known {
            store::Progress::NotStarted => 0,
            store::Progress::Through(key) => mailboxes.partition_point(|mailbox| mailbox.address.key() <= key),
            store::Progress::Done => mailboxes.len(),
        };
        progress.skip(recorded as u64);
        if recorded < mailboxes.len() {
            // so many at once are no matter of single hosts, and memory is not for them
            let kind = if doubts.len() < DOUBTS_KEPT { Keep::InDoubt } else { Keep::Nothing };
            let (auditor, jobs, stop, sender) = (auditor.clone(), jobs.clone(), options.stop.clone(), sender.clone());
            tasks.spawn(async move {
                let mailboxes = place.mailboxes(&jobs);
                let (tenant, first) = (place.tenant(&jobs)?, mailboxes.first()?);
                let errand = Errand { tenant, domain: first.address.domain(), mailboxes, recorded };
                let mut outlet = Outlet { place: place.clone(), list, sender, keep: kind, kept: Vec::new() };
                auditor.find_out(&errand, &stop, &mut outlet).await;
                Doubt::of(outlet)
            });
        }
    }
    drop(sender);
    while let Some(ended) = tasks.join_next().await {
        keep(&mut doubts, ended?);
    }
    ask_again(auditor, jobs, (options, progress), (doubts, places(jobs).count())).await
}

/// What the writer did.
#[derive(Debug, Default)]
struct Written {
    recorded: Recorded,
    judging: Duration,
    storing: Duration,
}

/// The one writer.
struct Writer<'a> {
    auditor: &'a Auditor,
    store: &'a Store,
    run: RunId,
    jobs: &'a [TenantJob],
    progress: &'a Progress,
}

impl Writer<'_> {
    /// Writes what comes, as much as comes within a moment in one transaction: each one waits for the disk.
    async fn write_all(&self, mut receiver: mpsc::Receiver<Delivery>) -> Result<Written, RunError> {
        let mut written = Written::default();
        let mut deliveries = Vec::new();
        while receiver.recv_many(&mut deliveries, BLOCKS_WAITING).await > 0 {
            let moment = tokio::time::sleep(GATHER_FOR);
            tokio::pin!(moment);
            while deliveries.iter().map(|delivery| delivery.block.range.len()).sum::<usize>() < MAILBOXES_A_BATCH {
                tokio::select! {
                    delivery = receiver.recv() => match delivery {
                        Some(delivery) => deliveries.push(delivery),
                        None => break,
                    },
                    () = &mut moment => break,
                }
            }
            let began = Instant::now();
            for delivery in &deliveries {
                written.judging += delivery.block.judging;
            }
            written.recorded += self.write(&deliveries).await?;
            written.storing += began.elapsed();
            deliveries.clear();
        }
        Ok(written)
    }

    async fn write(&self, deliveries: &[Delivery]) -> Result<Recorded, RunError> {
        let chunks: Vec<(&Delivery, bool, Vec<Entry<'_>>)> = deliveries.iter().flat_map(|delivery| self.chunks(delivery)).collect();
        let batches: Vec<DomainBatch<'_>> =
            chunks.iter().filter_map(|(delivery, last, entries)| self.batch(delivery, *last, entries)).collect();
        let (mut recorded, mut waiting) = (Recorded::default(), batches.as_slice());
        while !waiting.is_empty() {
            let (now, later) = waiting.split_at(batches_that_fit(waiting));
            recorded += self.store.record_all(now).await?;
            for entry in now.iter().flat_map(|batch| batch.entries) {
                self.progress.count(entry.outcome);
            }
            waiting = later;
        }
        Ok(recorded)
    }

    /// A block in parts that are written together, with whether the domain ends there.
    fn chunks<'b>(&'b self, delivery: &'b Delivery) -> Vec<(&'b Delivery, bool, Vec<Entry<'b>>)> {
        let (mailboxes, block) = (delivery.place.mailboxes(self.jobs), &delivery.block);
        let these = mailboxes.get(block.range.clone()).unwrap_or_default();
        let entry = |(at, mailbox): (usize, &'b Mailbox)| Some(Entry { mailbox, outcome: block.outcomes.get(at, mailbox)? });
        let entries: Vec<Entry<'b>> = these.iter().enumerate().filter_map(entry).collect();
        let ends = block.range.end == mailboxes.len();
        let chunks = entries.chunks(MAILBOXES_A_BATCH);
        let last = chunks.len().saturating_sub(1);
        chunks.enumerate().map(|(at, chunk)| (delivery, ends && at == last, chunk.to_vec())).collect()
    }

    fn batch<'b>(&'b self, delivery: &'b Delivery, last: bool, entries: &'b [Entry<'b>]) -> Option<DomainBatch<'b>> {
        Some(DomainBatch {
            run: self.run,
            tenant: &delivery.place.tenant(self.jobs)?.id,
            domain: entries.first()?.mailbox.address.domain(),
            list: delivery.list,
            entries,
            dossier: delivery.block.dossier.as_ref().filter(|_| last),
            done: last,
            at: self.auditor.clock.seconds(),
        })
    }
}

/// How many batches go into one transaction: at least one, and no more once there are enough mailboxes.
fn batches_that_fit(batches: &[DomainBatch<'_>]) -> usize {
    let sums = batches.iter().scan(0, |sum, batch| {
        *sum += batch.entries.len();
        Some(*sum)
    });
    batches.len().min(1 + sums.take_while(|sum| *sum < MAILBOXES_A_BATCH).count())
}

/// Domains in doubt that are gone through once more at most.
const DOUBTS_KEPT: usize = 1_000;
/// Blocks that wait for the writer at most.
const BLOCKS_WAITING: usize = 64;
/// How long small results wait for company.
const GATHER_FOR: Duration = Duration::from_millis(100);
/// Mailboxes whose results are written together, about.
const MAILBOXES_A_BATCH: usize = 2_000;

//! The loop of the service: looks what is next, does it, and remembers what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::{
    errand::{End, Ended},
    heartbeat::Beat,
    list::Content,
    plan::{Job, Next, Request, Unfinished, View, decide, disbelieve, next_due, pause_after_outage},
    service::Service,
    systemd, trouble,
    watch::News,
};
use crate::{
    alert::Seen,
    audit::{Tally, conclude_ours, is_outage},
    model::{Concern, Domain, TenantId, with_causes},
    store::{DemandId, RunId, StoreError},
};

/// The loop, and what it remembers between two rounds.
pub(super) struct Scheduler {
    service: Arc<Service>,
    news: mpsc::Receiver<News>,
    /// What the lists held when they were last gone through, for the one who watches them.
    seen: mpsc::Sender<(TenantId, Option<Content>)>,
    taken: BTreeMap<TenantId, Timestamp>,
    wanted: BTreeMap<TenantId, Timestamp>,
    changed: BTreeMap<TenantId, BTreeSet<Domain>>,
    /// When single domains were last asked about.
    asked: BTreeMap<(TenantId, Domain), Timestamp>,
    /// When single domains were last gathered for a run.
    gathered_at: Option<Timestamp>,
    unfinished: Option<Unfinished>,
    held_until: Option<Timestamp>,
    outages: u32,
}

impl Scheduler {
    /// Reads what is remembered.
    pub(super) async fn new(
        service: Arc<Service>,
        news: mpsc::Receiver<News>,
        seen: mpsc::Sender<(TenantId, Option<Content>)>,
    ) -> Result<Self, StoreError> {
        let reader = service.store.reader();
        let remembered = reader.schedules().await?.into_iter();
        let taken = remembered.filter_map(|schedule| Some((schedule.tenant, Timestamp::from_second(schedule.due_at?).ok()?))).collect();
        let unfinished = reader.unfinished_run().await?;
        let mut demands = Vec::new();
        for demand in reader.demands().await?.into_iter().filter(|demand| demand.run.is_some()) {
            if unfinished.as_ref().is_some_and(|unfinished| demand.run == Some(unfinished.run)) {
                demands.push(demand.id.0);
            } else {
                // its run ended, and the service before it could say so
                service.store.end_demand(demand.id, service.clock.seconds(), None).await?;
            }
        }
        let unfinished = unfinished.and_then(|unfinished| {
            let started_at = Timestamp::from_second(unfinished.started_at).ok()?;
            Some(Unfinished { run: unfinished.run, started_at, tenants: unfinished.tenants, demands })
        });
        Ok(Self {
            service,
            news,
            seen,
            taken,
            wanted: BTreeMap::new(),
            changed: BTreeMap::new(),
            asked: BTreeMap::new(),
            gathered_at: None,
            unfinished,
            held_until: None,
            outages: 0,
        })
    }

    /// Goes round until the service is to stop.
    pub(super) async fn go_round(mut self) {
        while !self.service.stop.is_cancelled() {
            self.service.give_signs_of_life().await;
            if self.service.store.is_short_of_space() {
                self.suffer(NO_ROOM.to_owned()).await;
                continue;
            }
            match self.look().await {
                Ok(Next::Run(job)) => self.make(&job).await,
                Ok(Next::Wait(_)) => {
                    self.service.say("idle");
                    self.rest(systemd::pace()).await;
                }
                Err(error) => self.suffer(with_causes(&error)).await,
            }
        }
    }

    /// Says what is next.
    pub(super) async fn look(&mut self) -> Result<Next, StoreError> {
        let (service, now) = (self.service.clone(), self.service.clock.now());
        let (reader, timetables) = (service.store.reader(), service.plant().timetables());
        let rechecks = self.rechecks(now).await?;
        let requests = self.requests().await?;
        disbelieve(&mut self.taken, now);
        let view = View {
            now,
            timetables: &timetables,
            taken: &self.taken,
            wanted: &self.wanted,
            requests: &requests,
            unfinished: self.unfinished.as_ref(),
            rechecks: &rechecks,
            next_recheck: reader.next_recheck().await?.and_then(|at| Timestamp::from_second(at).ok()),
            changed: &self.changed,
            held_until: self.held_until,
        };
        let next = decide(&view);
        // while a run goes on, the one after it is told of
        let taken: BTreeMap<TenantId, Timestamp> = match &next {
            Next::Run(job) => self.taken.clone().into_iter().chain(job.takes.clone()).collect(),
            Next::Wait(_) => self.taken.clone(),
        };
        service.pulse.set_next_due(next_due(&View { taken: &taken, ..view }).map(|(_, at)| at.as_second()));
        Ok(next)
    }

    /// What people ask for; a demand that names a tenant that there is not is ended at once.
    async fn requests(&self) -> Result<Vec<Request>, StoreError> {
        let plant = self.service.plant();
        let mut requests = Vec::new();
        for demand in self.service.store.reader().demands().await?.into_iter().filter(|demand| demand.run.is_none()) {
            match demand.tenants.iter().find(|tenant| plant.post(tenant).is_none()) {
                None => requests.push(Request { id: demand.id.0, tenants: demand.tenants }),
                Some(unknown) => {
                    let problem = format!("`{unknown}` is no tenant of the service's configuration: reload the service if it is new");
                    self.service.store.end_demand(demand.id, self.service.clock.seconds(), Some(&problem)).await?;
                }
            }
        }
        Ok(requests)
    }

    /// Waits for a while, or for news.
    async fn rest(&mut self, at_most: Duration) {
        tokio::select! {
            () = tokio::time::sleep(at_most) => {}
            () = self.service.stop.cancelled() => {}
            Some(news) = self.news.recv() => self.hear(news),
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Changed(tenant, domains) => self.changed.entry(tenant).or_default().extend(domains),
            News::Mended(tenant) => {
                self.wanted.insert(tenant, self.service.clock.now());
            }
        }
    }

    async fn make(&mut self, job: &Job) {
        let is_whole = job.domains.is_none();
        tracing::debug!(?job, "a run is made");
        if is_whole {
            self.service.tell(Beat::Start);
        }
        self.unfinished = None;
        let ended = self.service.make(job).await;
        if is_whole {
            ended.contents.iter().for_each(|(tenant, content)| self.show(tenant, Some(content.clone())));
        }
        for tenant in ended.left_out.keys() {
            self.show(tenant, None);
        }
        let trouble = match &ended.end {
            End::NoStore(error) => Some(with_causes(error)),
            End::NoRoom => Some(NO_ROOM.to_owned()),
            _ => self.remember(job, &ended).await.err().map(|error| with_causes(&error)),
        };
        self.service.waker.wake();
        if let Some(reason) = trouble {
            self.want_again(job, SignedDuration::ZERO);
            if is_whole {
                self.service.tell(Beat::Failure);
            }
            self.suffer(reason).await;
        }
    }

    /// Tells the one who watches the lists; he may have gone, and looks again by himself.
    fn show(&self, tenant: &TenantId, content: Option<Content>) {
        drop(self.seen.try_send((tenant.clone(), content)));
    }

    async fn remember(&mut self, job: &Job, ended: &Ended) -> Result<(), StoreError> {
        let is_whole = job.domains.is_none();
        if matches!(ended.end, End::Stopped) {
            return Ok(());
        }
        self.forget_done(job, ended);
        let problem = match &ended.end {
            End::Finished(tally) if is_whole && is_outage(tally) => Some(self.hold_for_outage(job, tally)),
            End::Finished(_) | End::Stopped | End::NoStore(_) | End::NoRoom => None,
            End::Late(tally) => {
                let reached = format!("{} of {} mailboxes were done", tally.done, tally.total);
                Some(format!("the run reached its deadline of {} minutes: {reached}", job.deadline.as_mins()))
            }
            End::NoList => Some(ended.left_out.values().cloned().collect::<Vec<_>>().join("; ")),
            End::Failed(problem) => {
                self.hold(job);
                Some(problem.clone())
            }
        };
        if is_whole {
            self.service.tell(if problem.is_none() && ended.left_out.is_empty() { Beat::Success } else { Beat::Failure });
            if problem.is_none() {
                self.release();
            }
        }
        self.taken.extend(job.takes.iter().cloned());
        self.write_down((job, ended), problem.as_deref()).await
    }

    async fn write_down(&self, (job, ended): (&Job, &Ended), problem: Option<&str>) -> Result<(), StoreError> {
        let (store, at) = (&self.service.store, self.service.clock.seconds());
        // a run that is to be made again is due still, should the service be started anew before
        let is_put_off = self.held_until.is_some();
        for (tenant, occurrence) in job.takes.iter().filter(|_| !is_put_off) {
            store.remember_due(tenant, occurrence.as_second()).await?;
        }
        for tenant in job.tenants.iter().filter(|_| job.domains.is_none()) {
            match (ended.left_out.get(tenant), &ended.end) {
                (Some(reason), _) => self.conclude(trouble::run_failed(tenant, reason)).await?,
                (None, End::Finished(_)) if problem.is_none() => {
                    store.remember_success(tenant, at).await?;
                }
                // the outage is an incident of its own
                (None, End::Finished(_)) => {}
                (None, _) => self.conclude(trouble::run_failed(tenant, problem.unwrap_or_default())).await?,
            }
        }
        let run = ended.run;
        for demand in store.reader().demands().await? {
            if job.demands.contains(&demand.id.0) || (run.is_some() && demand.run == run) {
                let left_out = ended.left_out.values().next().map(String::as_str);
                self.end_demand(demand.id, run, problem.or(left_out)).await?;
            }
        }
        Ok(())
    }

    async fn end_demand(&self, id: DemandId, run: Option<RunId>, problem: Option<&str>) -> Result<(), StoreError> {
        let store = &self.service.store;
        if let Some(run) = run {
            store.begin_demand(id, run).await?;
        }
        store.end_demand(id, self.service.clock.seconds(), problem).await
    }

    /// We are cut off.
    fn hold_for_outage(&mut self, job: &Job, tally: &Tally) -> String {
        let minutes = self.hold(job).as_mins();
        let Tally { lost, done, .. } = *tally;
        tracing::error!(lost, done, minutes, "most lookups failed: the run is made again after a while");
        format!(
            "most lookups failed ({lost} of {done} mailboxes could not be told for most clients): the run is made again in {minutes} minutes"
        )
    }

    /// The run is made again after a while, and nothing else before.
    fn hold(&mut self, job: &Job) -> SignedDuration {
        self.outages += 1;
        let pause = pause_after_outage(self.outages);
        self.held_until = Some(self.service.clock.now() + pause);
        self.want_again(job, pause);
        pause
    }

    /// A run came to its end: what was put off can be made.
    fn release(&mut self) {
        let now = self.service.clock.now();
        (self.held_until, self.outages) = (None, 0);
        self.wanted.values_mut().for_each(|from| *from = now.min(*from));
    }

    fn want_again(&mut self, job: &Job, pause: SignedDuration) {
        let again = self.service.clock.now() + pause;
        match &job.domains {
            None => self.wanted.extend(job.tenants.iter().map(|tenant| (tenant.clone(), again))),
            Some(domains) => domains.iter().for_each(|(tenant, domains)| {
                self.changed.entry(tenant.clone()).or_default().extend(domains.iter().cloned());
            }),
        }
    }

    /// What a run was made for is wanted no more. A list that could not be used is gone through as a whole once it can be.
    fn forget_done(&mut self, job: &Job, ended: &Ended) {
        let now = self.service.clock.now();
        for tenant in &job.tenants {
            match job.domains.as_ref().and_then(|domains| domains.get(tenant)) {
                None => {
                    self.changed.remove(tenant);
                    self.wanted.remove(tenant);
                }
                Some(done) => {
                    self.asked.extend(done.iter().map(|domain| ((tenant.clone(), domain.clone()), now)));
                    if let Some(changed) = self.changed.get_mut(tenant) {
                        changed.retain(|domain| !done.contains(domain));
                    }
                }
            }
        }
        self.changed.retain(|tenant, domains| !domains.is_empty() && !ended.left_out.contains_key(tenant));
    }

    /// What is to be checked again: once a minute, then with what is due in a moment; but not what was just asked about in vain, of a
    /// list that cannot be used, or a domain that is gone.
    async fn rechecks(&mut self, now: Timestamp) -> Result<Vec<(TenantId, Domain)>, StoreError> {
        if self.gathered_at.is_some_and(|at| now.duration_since(at).abs() < GATHER) {
            return Ok(Vec::new());
        }
        self.asked.retain(|_, at| now.duration_since(*at).abs() < LEAST_PAUSE);
        let due = self.service.store.reader().rechecks_due((now + MOMENT).as_second(), RECHECKS).await?;
        let is_any_due = due.iter().any(|(_, recheck)| recheck.is_due(now.as_second()));
        let due = due.into_iter().map(|(tenant, recheck)| (tenant, recheck.domain));
        let due: Vec<(TenantId, Domain)> = due.filter(|due| is_any_due && !self.asked.contains_key(due)).collect();
        if !due.is_empty() {
            self.gathered_at = Some(now);
        }
        Ok(due)
    }

    /// The database does not do its work: nothing is looked at until it does again.
    async fn suffer(&mut self, reason: String) {
        tracing::error!(reason, "nothing is audited until the database does its work again");
        self.service.pulse.set_disk_low(true);
        // with the room that was kept for a bad day, this can be written even so
        let mut is_told = self.tell_of_store(&reason).await.is_ok();
        while !self.service.stop.is_cancelled() {
            self.wait_in_trouble().await;
            match self.recover(&mut is_told, &reason).await {
                Ok(true) => break,
                Ok(false) => tracing::error!("the disk of the database still has no room"),
                Err(error) => tracing::error!(error = with_causes(&error), "the database still does not do its work"),
            }
        }
        self.service.pulse.set_disk_low(false);
    }

    async fn wait_in_trouble(&mut self) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < until && !self.service.stop.is_cancelled() {
            self.service.say("the database does not do its work: see the log");
            self.service.give_signs_of_life().await;
            self.rest(systemd::pace()).await;
        }
    }

    /// Whether the database takes something again; then the incident about it is over.
    async fn recover(&self, is_told: &mut bool, reason: &str) -> Result<bool, StoreError> {
        self.service.keep_room().await;
        if self.service.store.is_short_of_space() {
            return Ok(false);
        }
        if !*is_told {
            self.tell_of_store(reason).await?;
            *is_told = true;
        }
        self.conclude(trouble::store_works()).await?;
        tracing::info!("the database does its work again");
        Ok(true)
    }

    async fn tell_of_store(&self, reason: &str) -> Result<(), StoreError> {
        self.conclude(trouble::store_failed(reason)).await
    }

    /// Notes something about ourselves, and has it told.
    async fn conclude(&self, (concern, seen): (Concern, Seen)) -> Result<(), StoreError> {
        let at = self.service.clock.seconds();
        conclude_ours(&self.service.store, &self.service.plant().alerting, (&concern, &seen), at).await?;
        self.service.waker.wake();
        Ok(())
    }
}

/// Domains that are looked at for one run.
const RECHECKS: u32 = 500;
/// Less than the shortest pause before a domain is checked again.
const LEAST_PAUSE: SignedDuration = SignedDuration::from_mins(3);
/// Between two runs over what is to be checked again.
const GATHER: SignedDuration = SignedDuration::from_mins(1);
/// So much earlier a domain may be checked where a run is made anyway.
const MOMENT: SignedDuration = SignedDuration::from_secs(20);
/// Between two attempts to write.
const PATIENCE: Duration = Duration::from_mins(1);
const NO_ROOM: &str = "the disk of the database is full";

//! One channel's way: take the next notice from the queue, send it, say what became of it. One at a time, not faster than the channel
//! bears, and in order.

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    AlertError, Attempt, Channel, back_off,
    channel::{Attachment, Terms},
    deliver::{DeliveryParts, Until},
    digest::Digest,
    pace::Pace,
    trouble::Trouble,
};
use crate::{
    model::{Notice, with_causes},
    store::{Fate, Settled},
};

/// A channel with a queue, and what is remembered of it between attempts.
pub(super) struct Lane<'a> {
    parts: &'a DeliveryParts,
    channel: &'a Channel,
    waking: &'a Notify,
    stop: &'a CancellationToken,
    pace: Pace,
    /// When something is due again, in seconds since 1970, as far as is known.
    due: BTreeSet<i64>,
    is_troubled: bool,
}

/// How a step ended.
enum Step {
    /// Another may follow at once.
    Again,
    /// Nothing is to be sent before this, in milliseconds since 1970.
    Idle(i64),
    /// The deadline of a stop came while a notice was under way: it stays leased, as its fate is not known.
    Left,
}

impl<'a> Lane<'a> {
    pub(super) fn new(parts: &'a DeliveryParts, channel: &'a Channel, (waking, stop): (&'a Notify, &'a CancellationToken)) -> Self {
        Self { parts, channel, waking, stop, pace: channel.pace(), due: BTreeSet::new(), is_troubled: false }
    }

    /// Sends what is due, in order, until it is stopped or done.
    pub(super) async fn run(mut self, until: Until) {
        let stop = self.stop;
        while !stop.is_cancelled() {
            match self.recall().await {
                Ok(()) => break,
                Err(error) => self.fail(&error).await,
            }
        }
        while !stop.is_cancelled() {
            let idle_until = match self.step().await {
                Ok(Step::Again) => continue,
                Ok(Step::Left) => return,
                Ok(Step::Idle(until)) => until,
                Err(error) => {
                    self.fail(&error).await;
                    continue;
                }
            };
            let is_done = match until {
                Until::Stopped => false,
                Until::Empty { before } => (before..i64::MAX).contains(&idle_until) || self.is_empty().await.unwrap_or(false),
                Until::NothingIsDue => true,
            };
            if is_done {
                return;
            }
            let pause = Duration::from_millis(u64::try_from(idle_until - self.millis()).unwrap_or(0));
            // what another process put off is looked for, and a clock that was set is noticed
            let pause = pause.min(if until == Until::Stopped { LONGEST_SLEEP } else { SHORT_SLEEP });
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.waking.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// What the database knows of the channel.
    async fn recall(&mut self) -> Result<(), AlertError> {
        self.is_troubled = self.parts.is_troubled(self.channel.name()).await?;
        let reader = self.parts.store.reader();
        self.due.extend(reader.put_off(self.channel.name()).await?);
        let queues = reader.outbox().await?;
        if let Some(queue) = queues.into_iter().find(|queue| queue.channel == self.channel.name()) {
            self.due.extend([queue.not_before].into_iter().chain(queue.retry_at));
            if let (Some(reason), false) = (queue.pause_reason, self.is_troubled) {
                // the process before this one died between the two
                self.report(&Trouble::Refuses(reason)).await?;
            }
        }
        Ok(())
    }

    async fn is_empty(&self) -> Result<bool, AlertError> {
        let queues = self.parts.store.reader().outbox().await?;
        Ok(queues.iter().all(|queue| queue.channel != self.channel.name() || queue.waiting == 0))
    }

    async fn fail(&self, error: &AlertError) {
        tracing::error!(channel = self.channel.name(), error = with_causes(error), "notices cannot be taken from the queue");
        self.rest().await;
    }

    /// A pause after an error of ours.
    async fn rest(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(AFTER_ERROR) => {}
        }
    }

    async fn step(&mut self) -> Result<Step, AlertError> {
        let free_at = self.pace.free_at(self.millis());
        if free_at > self.millis() {
            return Ok(Step::Idle(free_at));
        }
        let now = self.parts.clock.seconds();
        let lease = (now, now + LEASE);
        let Some(notice) = self.parts.store.lease(self.channel.name(), &self.parts.destinations, lease).await? else {
            self.due.retain(|due| *due > now);
            let next = self.due.first().map_or(i64::MAX, |due| due.saturating_mul(1_000));
            return Ok(Step::Idle(next));
        };
        let stop = self.stop;
        if stop.is_cancelled() {
            let error = "the service stopped before it was sent".to_owned();
            let fate = Fate::Retry { next_at: now, error, is_definite: true, give_up_before: i64::MIN };
            self.parts.store.settle(&notice.id, &fate, now).await?;
            return Ok(Step::Left);
        }
        let deadline = async {
            stop.cancelled().await;
            sleep(GRACE).await;
        };
        let attempt = tokio::select! {
            attempt = self.attempt(&notice) => attempt,
            () = deadline => return Ok(Step::Left),
        };
        self.conclude(&notice, attempt).await?;
        Ok(Step::Again)
    }

    /// Sends a notice; where the channel finds it too large, a second, shorter rendering.
    async fn attempt(&mut self, notice: &Notice) -> Attempt {
        let digest = Digest::new(notice, &self.parts.wording);
        let attachment = match (&self.parts.attach, &notice.tenant) {
            (Some(attach), Some(tenant)) if self.channel.takes_attachments() => attach(tenant.clone()).await,
            _ => None,
        };
        let attempt = self.send(&digest, (false, attachment.as_ref())).await;
        let Attempt::Unacceptable { reason } = &attempt else { return attempt };
        tracing::info!(channel = self.channel.name(), notice = notice.id, reason, "sends a shorter notice");
        let pause = self.pace.free_at(self.millis()) - self.millis();
        sleep(Duration::from_millis(u64::try_from(pause).unwrap_or(0))).await;
        self.send(&digest, (true, attachment.as_ref())).await
    }

    async fn send(&mut self, digest: &Digest<'_>, (is_small, attachment): (bool, Option<&Attachment>)) -> Attempt {
        self.pace.note(self.millis());
        let terms = Terms { now: self.parts.clock.seconds(), is_small, attachment };
        let sent = timeout(LONGEST_SEND, self.channel.send(digest, terms)).await;
        sent.unwrap_or_else(|_| Attempt::unknown("it was not sent in time"))
    }

    async fn conclude(&mut self, notice: &Notice, attempt: Attempt) -> Result<(), AlertError> {
        let (store, name, now) = (&self.parts.store, self.channel.name(), self.parts.clock.seconds());
        (self.parts.observe)(name, attempt.as_str());
        match attempt {
            Attempt::Delivered => {
                self.settle(notice, &Fate::Delivered).await;
                tracing::info!(channel = name, notice = notice.id, incidents = notice.events.len(), "a notice is delivered");
                if self.is_troubled {
                    self.parts.report(name, None).await?;
                    self.is_troubled = false;
                }
            }
            Attempt::Retry { reason, floor, is_definite } => {
                tracing::warn!(channel = name, notice = notice.id, reason, "a notice is not delivered, and tried again");
                let floor = floor.map_or(0, |floor| i64::try_from(floor.as_secs()).unwrap_or(i64::MAX));
                if floor > 0 {
                    store.hold_channel(name, now.saturating_add(floor)).await?;
                }
                let next_at = now.saturating_add(back_off::pause(&notice.id, notice.attempts).max(floor));
                self.due.insert(next_at);
                let give_up_before = now - PATIENCE;
                // told before it is done: a kill in between tells it twice at most, and never not at all
                if notice.events.iter().all(|event| event.at < give_up_before) {
                    self.report(&Trouble::GaveUp(reason.clone())).await?;
                }
                let fate = Fate::Retry { next_at, error: reason.clone(), is_definite, give_up_before };
                if self.settle(notice, &fate).await == Settled::Dead {
                    tracing::error!(channel = name, notice = notice.id, "what happened over 72 hours ago is given up");
                    self.report(&Trouble::GaveUp(reason)).await?;
                }
            }
            Attempt::Refused { reason } => {
                tracing::error!(channel = name, notice = notice.id, reason, "the channel takes nothing as it is set up; its queue is kept");
                store.pause_channel(name, &reason, (now, now + PROBE)).await?;
                self.due.insert(now + PROBE);
                let fate = Fate::Retry { next_at: now, error: reason.clone(), is_definite: true, give_up_before: i64::MIN };
                self.settle(notice, &fate).await;
                self.report(&Trouble::Refuses(reason)).await?;
            }
            Attempt::Unacceptable { reason } => {
                tracing::error!(channel = name, notice = notice.id, reason, "the channel does not take this notice; it is given up");
                self.report(&Trouble::Rejected(reason.clone())).await?;
                self.settle(notice, &Fate::Dead { error: reason }).await;
            }
        }
        Ok(())
    }

    /// Writes down what became of a notice, however often the database fails: nothing else may be sent before that stands. Where it is
    /// stopped in between, the notice stays leased, and is sent again after the next start.
    async fn settle(&self, notice: &Notice, fate: &Fate) -> Settled {
        loop {
            match self.parts.store.settle(&notice.id, fate, self.parts.clock.seconds()).await {
                Ok(settled) => return settled,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::error!(channel = self.channel.name(), notice = notice.id, error, "what became of a notice cannot be written");
                    if self.stop.is_cancelled() {
                        return Settled::Unknown;
                    }
                    self.rest().await;
                }
            }
        }
    }

    async fn report(&mut self, trouble: &Trouble) -> Result<(), AlertError> {
        self.parts.report(self.channel.name(), Some(trouble)).await?;
        self.is_troubled = true;
        Ok(())
    }

    fn millis(&self) -> i64 {
        self.parts.clock.now().as_millisecond()
    }
}

/// Seconds after which what happened is given up.
const PATIENCE: i64 = 72 * 3_600;
/// Seconds between two attempts at a channel that refuses everything.
const PROBE: i64 = 3_600;
/// Seconds of a lease: longer than any sending takes.
const LEASE: i64 = 600;
/// Of one rendering, all its requests together.
const LONGEST_SEND: Duration = Duration::from_mins(4);
/// What is under way gets this long once the service is to stop.
const GRACE: Duration = Duration::from_secs(10);
const AFTER_ERROR: Duration = Duration::from_secs(5);
const SHORT_SLEEP: Duration = Duration::from_secs(2);
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

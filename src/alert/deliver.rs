//! Delivery: every channel goes its own way, at least once for each notice, in order. A channel that fails holds up no other.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, join_all};
use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{AlertError, Attachment, Channel, Policy, Wording, beat::Beat, lane::Lane};
use crate::{
    clock::Clock,
    model::TenantId,
    store::{Destination, Queue, Store},
};

/// What delivery works with.
pub struct DeliveryParts {
    /// Where the queue is.
    pub store: Arc<Store>,
    /// The channels.
    pub channels: Vec<Channel>,
    /// Which of them is told of what, those without a queue included.
    pub destinations: Vec<Destination>,
    /// The words of notices.
    pub wording: Wording,
    /// How incidents about channels are decided.
    pub policy: Policy,
    /// The time.
    pub clock: Clock,
    /// Makes the report that goes with a tenant's notices where a channel takes one.
    pub attach: Option<Attach>,
    /// Is told of every attempt: the channel and [`super::Attempt::as_str`].
    pub observe: Observe,
    /// Wakes the channels; a new one will do.
    pub waker: Waker,
}

/// Makes the report of a tenant; `None` where there is none now.
pub type Attach = Arc<dyn Fn(TenantId) -> BoxFuture<'static, Option<Attachment>> + Send + Sync>;

/// Is told of an attempt.
pub type Observe = Arc<dyn Fn(&str, &'static str) + Send + Sync>;

impl fmt::Debug for DeliveryParts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DeliveryParts").field("channels", &self.channels).finish_non_exhaustive()
    }
}

/// Wakes all channels: whoever has concluded something calls it. What is woken while it is at work looks again afterwards.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<std::sync::Mutex<Vec<Arc<Notify>>>>);

impl Waker {
    /// Has every channel look whether something is due.
    pub fn wake(&self) {
        let sleepers = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sleepers.iter().for_each(|sleeper| sleeper.notify_one());
    }

    /// A sleeper for each of so many channels, in the place of those before.
    fn renew(&self, count: usize) -> Vec<Arc<Notify>> {
        let fresh: Vec<Arc<Notify>> = (0..count).map(|_| Arc::default()).collect();
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone_from(&fresh);
        fresh
    }
}

/// Those of the destinations whose channels have a queue: only for them is anything queued. The others are told what is open.
#[must_use]
pub fn queued(destinations: &[Destination], channels: &[Channel]) -> Vec<Destination> {
    let has_queue = |name: &str| channels.iter().any(|channel| channel.name() == name && channel.has_queue());
    destinations.iter().filter(|destination| has_queue(&destination.channel)).cloned().collect()
}

/// When delivery ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Not before it is stopped.
    Stopped,
    /// Once nothing waits, or nothing is due before this, in milliseconds since 1970.
    Empty {
        /// The end of the time that is left.
        before: i64,
    },
    /// Once nothing is due.
    NothingIsDue,
}

/// The delivery of notices.
#[derive(Debug)]
pub struct Delivery {
    parts: DeliveryParts,
}

impl Delivery {
    /// With these parts.
    #[must_use]
    pub fn new(parts: DeliveryParts) -> Self {
        Self { parts }
    }

    /// At start and after a reload: gives up what waits for channels that are configured no more, and has those tried again that refused
    /// everything. Returns how many notices were given up.
    ///
    /// # Errors
    /// [`AlertError::Store`].
    pub async fn prepare(&self) -> Result<u64, AlertError> {
        let DeliveryParts { store, channels, clock, .. } = &self.parts;
        let names: Vec<&str> = channels.iter().filter(|channel| channel.has_queue()).map(Channel::name).collect();
        let given_up = store.drop_channels_except(&names, clock.seconds()).await?;
        store.expire_leases(clock.seconds()).await?;
        store.retry_channel(None).await?;
        Ok(given_up)
    }

    /// Delivers until it is stopped. What is under way then gets 10 seconds; what has not been sent goes back into the queue, and what was
    /// sent without an answer is sent again, word for word, after the next start.
    pub async fn run(&self, stop: &CancellationToken) {
        self.go(stop, Until::Stopped).await;
    }

    /// Delivers what is due now, and waits for nothing.
    pub async fn deliver_due(&self) {
        self.go(&CancellationToken::new(), Until::NothingIsDue).await;
    }

    /// Delivers what waits and what is put off for less than the time that is left, at most for so long. Returns how the channels stand
    /// then, those that have or had something to tell.
    ///
    /// # Errors
    /// [`AlertError::Store`].
    pub async fn drain(&self, at_most: Duration) -> Result<Vec<Queue>, AlertError> {
        let stop = CancellationToken::new();
        let before = self.parts.clock.now().as_millisecond().saturating_add(i64::try_from(at_most.as_millis()).unwrap_or(i64::MAX));
        let deadline = async {
            sleep(at_most).await;
            stop.cancel();
            // the channels end by themselves
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = self.go(&stop, Until::Empty { before }) => {}
            () = deadline => {}
        }
        Ok(self.parts.store.reader().outbox().await?)
    }

    async fn go(&self, stop: &CancellationToken, until: Until) {
        let sleepers = self.parts.waker.renew(self.parts.channels.len());
        let ways = self.parts.channels.iter().zip(&sleepers).map(|(channel, sleeper)| async move {
            if channel.has_queue() {
                Lane::new(&self.parts, channel, (sleeper, stop)).run(until).await;
            } else {
                Beat::new(&self.parts, channel, (sleeper, stop)).run(until).await;
            }
        });
        join_all(ways).await;
    }
}

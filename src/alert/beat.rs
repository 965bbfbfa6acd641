//! Channels without a queue: they are told what is open, once a minute and when something happens, and what is over for five minutes.

use std::time::Duration;

use tokio::{sync::Notify, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{
    AlertError, Attempt, Channel,
    deliver::{DeliveryParts, Until},
    trouble::Trouble,
};
use crate::model::with_causes;
use crate::store::GroupState;

/// A channel that is told again and again.
pub(super) struct Beat<'a> {
    parts: &'a DeliveryParts,
    channel: &'a Channel,
    waking: &'a Notify,
    stop: &'a CancellationToken,
    is_troubled: bool,
    /// Since when it takes nothing.
    failing_since: Option<i64>,
    /// Nothing is told earlier.
    not_before: i64,
}

impl<'a> Beat<'a> {
    pub(super) fn new(parts: &'a DeliveryParts, channel: &'a Channel, (waking, stop): (&'a Notify, &'a CancellationToken)) -> Self {
        Self { parts, channel, waking, stop, is_troubled: false, failing_since: None, not_before: 0 }
    }

    /// Tells until it is stopped; for anything less, once.
    pub(super) async fn run(mut self, until: Until) {
        let stop = self.stop;
        let mut is_known = false;
        while !stop.is_cancelled() {
            let told = tokio::select! {
                told = self.tell(&mut is_known) => told,
                () = stop.cancelled() => return,
            };
            if let Err(error) = told {
                tracing::error!(channel = self.channel.name(), error = with_causes(&error), "what is open cannot be told");
            }
            if until != Until::Stopped {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.waking.notified() => {}
                () = sleep(PAUSE) => {}
            }
        }
    }

    async fn tell(&mut self, is_known: &mut bool) -> Result<(), AlertError> {
        if !*is_known {
            self.is_troubled = self.parts.is_troubled(self.channel.name()).await?;
            *is_known = true;
        }
        let now = self.parts.clock.seconds();
        if now < self.not_before {
            return Ok(());
        }
        let mut groups = self.parts.store.reader().open_groups(now - AFTERGLOW).await?;
        groups.retain(|group| self.is_for_it(group));
        if groups.is_empty() {
            return Ok(());
        }
        let Some(attempt) = self.channel.tell(&groups, &self.parts.wording, now).await else { return Ok(()) };
        (self.parts.observe)(self.channel.name(), attempt.as_str());
        self.judge(attempt, now).await
    }

    /// What is wrong with this channel is told on the others.
    fn is_for_it(&self, group: &GroupState) -> bool {
        let name = self.channel.name();
        let is_own = matches!(&group.concern, crate::model::Concern::Channel { channel } if channel == name);
        let theirs = self.parts.destinations.iter().filter(|destination| destination.channel == name);
        !is_own && theirs.into_iter().any(|destination| destination.takes(&group.concern, group.severity))
    }

    async fn judge(&mut self, attempt: Attempt, now: i64) -> Result<(), AlertError> {
        let trouble = match attempt {
            Attempt::Delivered => {
                self.failing_since = None;
                if std::mem::take(&mut self.is_troubled) {
                    self.parts.report(self.channel.name(), None).await?;
                }
                return Ok(());
            }
            Attempt::Retry { reason, floor, .. } => {
                let floor = floor.map_or(0, |floor| i64::try_from(floor.as_secs()).unwrap_or(i64::MAX));
                self.not_before = now.saturating_add(floor);
                let since = *self.failing_since.get_or_insert(now);
                tracing::warn!(channel = self.channel.name(), reason, "what is open is not told, and tried again");
                (now - since >= PATIENCE).then_some(Trouble::Refuses(reason))
            }
            Attempt::Refused { reason } | Attempt::Unacceptable { reason } => {
                tracing::error!(channel = self.channel.name(), reason, "the channel does not take what is open");
                Some(Trouble::Refuses(reason))
            }
        };
        if let (Some(trouble), false) = (trouble, self.is_troubled) {
            self.parts.report(self.channel.name(), Some(&trouble)).await?;
            self.is_troubled = true;
        }
        Ok(())
    }
}

/// Between two tellings.
const PAUSE: Duration = Duration::from_mins(1);
/// Seconds for which what is over is told.
const AFTERGLOW: i64 = 300;
/// Seconds of failures after which something is wrong with the channel.
const PATIENCE: i64 = 600;

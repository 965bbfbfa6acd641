//! What the service manager is told (`sd_notify(3)`). Where there is none, nothing is said.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sd_notify::NotifyState;

/// What is going on, in a line; said again only where it is another.
#[derive(Debug, Default)]
pub(super) struct Status(Mutex<String>);

impl Status {
    /// Says it.
    pub(super) fn say(&self, text: String) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            send(&[NotifyState::Status(&text)]);
            *last = text;
        }
    }
}

/// The service does its work.
pub(super) fn ready() {
    send(&[NotifyState::Ready]);
}

/// The configuration is read anew; [`ready`] follows.
pub(super) fn reloading() {
    // without the instant, systemd 253 and later take the reload for failed
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the clock of the service manager cannot be read"),
    }
}

/// A sign of life.
pub(super) fn alive() {
    send(&[NotifyState::Watchdog]);
}

/// Starting goes on for so much longer.
pub(super) fn extend(by: Duration) {
    send(&[NotifyState::ExtendTimeoutUsec(u32::try_from(by.as_micros()).unwrap_or(u32::MAX))]);
}

/// The service comes to its end.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// How often a sign of life is due: three times in the interval that the service manager waits.
pub(super) fn pace() -> Duration {
    sd_notify::watchdog_enabled().map_or(ROUND, |interval| (interval / 3).clamp(LEAST, ROUND))
}

/// How long the scheduler rests at most.
const ROUND: Duration = Duration::from_secs(2);
const LEAST: Duration = Duration::from_millis(100);

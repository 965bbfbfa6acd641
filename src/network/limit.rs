//! Politeness: how many requests are in flight, in all and to one host, and hosts that asked for a pause (`Retry-After`,
//! RFC 9110 section 10.2.3). Knows nothing of what is asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};

/// The limits of one run. A host has an entry only while somebody wants it or while it is on hold.
#[derive(Debug)]
pub(super) struct Limits {
    all: Semaphore,
    each: usize,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug)]
struct Host {
    permits: Arc<Semaphore>,
    granted: usize,
    present: usize,
    held_until: Option<Instant>,
}

/// How long one question may still wait for hosts on hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub(super) Duration);

/// The host is on hold for longer than the question may wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OnHold;

/// The right to send one request; ends with it.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _all: Option<SemaphorePermit<'a>>,
    _own: Option<OwnedSemaphorePermit>,
    _presence: Presence<'a>,
}

impl Patience {
    /// Takes a wait out of it, where that much is left.
    pub(super) fn spend(&mut self, wait: Duration) -> Result<(), OnHold> {
        self.0 = self.0.checked_sub(wait).ok_or(OnHold)?;
        Ok(())
    }
}

impl Limits {
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self { all: Semaphore::new(all), each, hosts: Mutex::default() }
    }

    /// Waits until a request may go to the host. A hold that begins while we queue is waited out, too.
    pub(super) async fn turn(&self, host: &str, patience: &mut Patience) -> Result<Turn<'_>, OnHold> {
        let (presence, permits) = self.arrive(host);
        loop {
            self.wait_out(host, patience).await?;
            // The semaphores are never closed, so both are always there.
            let own = Arc::clone(&permits).acquire_owned().await.ok();
            let all = self.all.acquire().await.ok();
            if self.held_until(host).is_none() {
                return Ok(Turn { _all: all, _own: own, _presence: presence });
            }
        }
    }

    /// Leaves the host alone for a time. A hold is never shortened.
    pub(super) fn hold(&self, host: &str, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_HOLD);
        let mut hosts = self.lock();
        let entry = hosts.entry(host.to_owned()).or_insert_with(Host::new);
        entry.held_until = entry.held_until.max(Some(until));
    }

    async fn wait_out(&self, host: &str, patience: &mut Patience) -> Result<(), OnHold> {
        while let Some(until) = self.held_until(host) {
            patience.spend(until.saturating_duration_since(Instant::now()))?;
            sleep_until(until).await;
        }
        Ok(())
    }

    fn held_until(&self, host: &str) -> Option<Instant> {
        self.lock().get(host).and_then(|entry| entry.held_until).filter(|until| *until > Instant::now())
    }

    fn arrive(&self, host: &str) -> (Presence<'_>, Arc<Semaphore>) {
        let mut hosts = self.lock();
        let entry = hosts.entry(host.to_owned()).or_insert_with(Host::new);
        entry.present += 1;
        (Presence { limits: self, host: host.to_owned() }, Arc::clone(&entry.permits))
    }

    fn leave(&self, host: &str) {
        let mut hosts = self.lock();
        if let Some(entry) = hosts.get_mut(host) {
            if entry.granted < self.each {
                entry.granted += 1;
                entry.permits.add_permits(1);
            }
            entry.present = entry.present.saturating_sub(1);
            if entry.present == 0 && entry.held_until.is_none_or(|until| until <= Instant::now()) {
                hosts.remove(host);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// A host begins with one request, and gets one more for each that has ended: the second one finds the first one's connection.
    fn new() -> Self {
        Self { permits: Arc::new(Semaphore::new(1)), granted: 1, present: 0, held_until: None }
    }
}

#[derive(Debug)]
struct Presence<'a> {
    limits: &'a Limits,
    host: String,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.limits.leave(&self.host);
    }
}

/// No clock arithmetic overflows, and no run is that long.
const LONGEST_HOLD: Duration = Duration::from_hours(7 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_host_has_no_entry_once_nobody_wants_it() {
        let limits = Limits::new(2, 1);
        for number in 0..1000 {
            drop(limits.turn(&format!("host{number}.example"), &mut Patience(LONG)).await.unwrap());
        }
        assert!(limits.lock().is_empty());
    }

    #[tokio::test]
    async fn one_host_does_not_get_more_than_its_share_and_does_not_block_others() {
        let limits = Limits::new(3, 1);
        let first = limits.turn("a.example", &mut Patience(LONG)).await.unwrap();
        let mut own = Patience(LONG);
        let mut queued = Box::pin(limits.turn("a.example", &mut own));
        assert!(tokio::time::timeout(SHORT, &mut queued).await.is_err());
        assert!(limits.turn("b.example", &mut Patience(LONG)).await.is_ok());
        drop(first);
        assert!(queued.await.is_ok());
    }

    #[tokio::test]
    async fn a_short_hold_is_waited_out_and_a_long_one_is_not() {
        let limits = Limits::new(2, 1);
        let start = Instant::now();
        limits.hold("a.example", SHORT);
        assert!(limits.turn("a.example", &mut Patience(LONG)).await.is_ok());
        assert!(start.elapsed() >= SHORT);
        limits.hold("a.example", LONG * 2);
        assert_eq!(limits.turn("a.example", &mut Patience(LONG)).await.err(), Some(OnHold));
        assert!(start.elapsed() < LONG, "answered at once");
    }

    #[tokio::test]
    async fn a_hold_is_never_shortened_and_reaches_those_who_queue_already() {
        let limits = Limits::new(2, 1);
        let start = Instant::now();
        let first = limits.turn("a.example", &mut Patience(LONG)).await.unwrap();
        let mut own = Patience(LONG);
        let (second, ()) = tokio::join!(limits.turn("a.example", &mut own), async {
            limits.hold("a.example", SHORT);
            limits.hold("a.example", Duration::ZERO);
            drop(first);
        });
        assert!(second.is_ok());
        assert!(start.elapsed() >= SHORT);
    }

    #[tokio::test]
    async fn one_question_waits_no_longer_than_its_patience_in_all() {
        let limits = Limits::new(2, 1);
        let mut own = Patience(SHORT);
        limits.hold("a.example", SHORT / 2);
        drop(limits.turn("a.example", &mut own).await.unwrap());
        limits.hold("a.example", SHORT);
        assert_eq!(limits.turn("a.example", &mut own).await.err(), Some(OnHold));
    }

    #[tokio::test]
    async fn a_host_on_hold_keeps_its_entry() {
        let limits = Limits::new(2, 1);
        drop(limits.turn("a.example", &mut Patience(LONG)).await.unwrap());
        limits.hold("a.example", LONG);
        assert!(limits.turn("a.example", &mut Patience(SHORT)).await.is_err());
        assert_eq!(limits.lock().len(), 1);
    }
}

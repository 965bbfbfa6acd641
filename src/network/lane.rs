//! Keeps each kind of lookup to its pace: how many requests are in flight, how many begin within a second, and when a service that
//! has had enough is left alone for the rest of the run. Knows nothing of hosts.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};
use tracing::warn;

use super::pace::{Pace, Paces};
use crate::model::LookupKind;

/// A lane for each kind that goes to the network.
#[derive(Debug)]
pub(super) struct Lanes(HashMap<LookupKind, Lane>);

#[derive(Debug)]
struct Lane {
    permits: Option<Semaphore>,
    meter: Option<Meter>,
    breaker: Breaker,
}

/// The right to send one request of a kind; ends with it.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

/// The service has had enough of this run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Lanes {
    pub(super) fn new(paces: &Paces) -> Self {
        let lane = |kind| {
            let pace = paces.of(kind);
            let permits = (pace.concurrency > 0).then(|| Semaphore::new(pace.concurrency));
            (kind, Lane { permits, meter: Meter::of(pace), breaker: Breaker::default() })
        };
        Self(Paces::kinds().map(lane).collect())
    }

    /// Waits until a request of this kind may go.
    pub(super) async fn enter(&self, kind: LookupKind) -> Result<Pass<'_>, Broken> {
        let Some(lane) = self.0.get(&kind) else { return Ok(Pass { _permit: None }) };
        let permit = match &lane.permits {
            // never closed, so it is always there
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        };
        lane.pass()?;
        if let Some(meter) = &lane.meter {
            meter.wait().await;
            lane.pass()?;
        }
        Ok(Pass { _permit: permit })
    }

    /// Notes what a service of this kind answered. Refusals count in a row; those of AutoDetect, which is asked little, all together.
    pub(super) fn note(&self, kind: LookupKind, status: u16) {
        let is_refusal = match kind {
            LookupKind::Autodetect | LookupKind::CredentialType | LookupKind::Realm => matches!(status, 429 | 503),
            LookupKind::AutodiscoverSoap => status == 401,
            _ => return,
        };
        let Some(Lane { breaker, .. }) = self.0.get(&kind) else { return };
        if is_refusal {
            if breaker.refusals.fetch_add(1, Ordering::Relaxed) + 1 >= MOST_REFUSALS {
                self.leave_alone(kind);
            }
        } else if kind != LookupKind::Autodetect {
            breaker.refusals.store(0, Ordering::Relaxed);
        }
    }

    /// Nothing of this kind is asked any more.
    pub(super) fn leave_alone(&self, kind: LookupKind) {
        if self.0.get(&kind).is_some_and(|lane| !lane.breaker.is_broken.swap(true, Ordering::Relaxed)) {
            warn!(
                lookup = kind.as_str(),
                "the service behind `{}` refuses or puts off too much: left alone for the rest of the run",
                kind.as_str()
            );
        }
    }
}

impl Lane {
    fn pass(&self) -> Result<(), Broken> {
        if self.breaker.is_broken.load(Ordering::Relaxed) { Err(Broken) } else { Ok(()) }
    }
}

/// Refusals of a service that publishes no limits, or takes our token for none (`microsoft.md` section 10.3).
#[derive(Debug, Default)]
struct Breaker {
    refusals: AtomicU32,
    is_broken: AtomicBool,
}

/// A token bucket, kept as the time at which it is full again (the virtual scheduling of ITU-T I.371).
#[derive(Debug)]
struct Meter {
    interval: Duration,
    slack: Duration,
    full_at: Mutex<Option<Instant>>,
}

impl Meter {
    fn of(pace: Pace) -> Option<Self> {
        if pace.requests_per_second <= 0.0 {
            return None;
        }
        let interval = Duration::try_from_secs_f64(1.0 / pace.requests_per_second).map_or(LONGEST, |interval| interval.min(LONGEST));
        let burst = (pace.requests_per_second / 2.0).clamp(1.0, LARGEST_BURST).floor();
        Some(Self { interval, slack: interval.mul_f64(burst - 1.0), full_at: Mutex::default() })
    }

    async fn wait(&self) {
        let now = Instant::now();
        let begins = {
            let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
            let from = full_at.map_or(now, |at| at.max(now));
            *full_at = Some(from + self.interval);
            from.checked_sub(self.slack).unwrap_or(now)
        };
        if begins > now {
            sleep_until(begins).await;
        }
    }
}

/// Refusals after which a service is left alone for the rest of the run.
const MOST_REFUSALS: u32 = 3;
/// No clock arithmetic overflows.
const LONGEST: Duration = Duration::from_hours(1);
/// Requests that may begin at once.
const LARGEST_BURST: f64 = 10.0;

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn lanes(kind: LookupKind, concurrency: usize, requests_per_second: f64) -> Lanes {
        let mut paces = Paces::default();
        paces.set(kind, Pace { enabled: true, concurrency, requests_per_second });
        Lanes::new(&paces)
    }

    /// When each of some requests could begin, in milliseconds; each takes a second.
    async fn begins(lanes: &Lanes, kind: LookupKind, count: usize) -> Vec<u128> {
        let start = Instant::now();
        let one = async || {
            let pass = lanes.enter(kind).await;
            let began = start.elapsed().as_millis();
            tokio::time::sleep(Duration::from_secs(1)).await;
            pass.map(|_| began).unwrap()
        };
        join_all((0..count).map(|_| one())).await
    }

    #[tokio::test(start_paused = true)]
    async fn requests_begin_as_the_pace_says() {
        let kind = LookupKind::AutodiscoverV2;
        for (concurrency, per_second, expected) in [
            (0, 0.0, [0, 0, 0, 0, 0, 0, 0, 0]),
            (3, 0.0, [0, 0, 0, 1000, 1000, 1000, 2000, 2000]),
            (0, 1.0, [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]),
            (0, 2.5, [0, 400, 800, 1200, 1600, 2000, 2400, 2800]),
            (0, 10.0, [0, 0, 0, 0, 0, 100, 200, 300]),
            (1, 2.0, [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000]),
            (0, 1000.0, [0, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let lanes = lanes(kind, concurrency, per_second);
            let found = begins(&lanes, kind, 8).await;
            // the timer counts whole milliseconds
            let near = found.iter().zip(expected).all(|(found, expected): (&u128, u128)| (expected..=expected + 2).contains(found));
            assert!(near, "{concurrency} {per_second}: {found:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_gives_no_more_than_the_burst_and_kinds_do_not_wait_for_each_other() {
        let lanes = lanes(LookupKind::Ispdb, 0, 4.0);
        begins(&lanes, LookupKind::Ispdb, 20).await;
        tokio::time::sleep(Duration::from_hours(1)).await;
        let found = begins(&lanes, LookupKind::Ispdb, 4).await;
        assert_eq!(found.iter().filter(|began| **began < 10).count(), 2, "{found:?}");
        assert_eq!(begins(&lanes, LookupKind::MxIspdb, 2).await, [0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_third_refusal_breaks_the_lane_of_autodetect_and_no_other() {
        let lanes = Lanes::new(&Paces::default());
        for (status, is_open) in [(503, true), (200, true), (500, true), (429, true), (204, true), (503, false), (200, false)] {
            lanes.note(LookupKind::Autodetect, status);
            assert_eq!(lanes.enter(LookupKind::Autodetect).await.is_ok(), is_open, "{status}");
        }
        for _ in 0..5 {
            lanes.note(LookupKind::AutodiscoverV2, 503);
        }
        assert!(lanes.enter(LookupKind::AutodiscoverV2).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_other_services_count_in_a_row() {
        use LookupKind::{AutodiscoverSoap, CredentialType, Realm};
        let lanes = Lanes::new(&Paces::default());
        for (kind, refusal, other) in [(CredentialType, 429, 200), (Realm, 503, 404), (AutodiscoverSoap, 401, 503)] {
            for (status, is_open) in [(refusal, true), (refusal, true), (other, true), (refusal, true), (refusal, true), (refusal, false)] {
                lanes.note(kind, status);
                assert_eq!(lanes.enter(kind).await.is_ok(), is_open, "{kind:?} {status}");
            }
            lanes.note(kind, other);
            assert_eq!(lanes.enter(kind).await.err(), Some(Broken), "{kind:?}: what is over is over");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_left_alone_is_left_alone_and_nobody_else() {
        let lanes = Lanes::new(&Paces::default());
        for kind in [LookupKind::AutodiscoverSoap, LookupKind::Mx] {
            assert!(lanes.enter(kind).await.is_ok());
            lanes.leave_alone(kind);
            assert_eq!(lanes.enter(kind).await.err(), Some(Broken), "{kind:?}");
        }
        assert!(lanes.enter(LookupKind::AutodiscoverV2).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_queues_when_the_lane_breaks_is_turned_away() {
        let lanes = Lanes::new(&Paces::default());
        let first = lanes.enter(LookupKind::Autodetect).await.unwrap();
        let (queued, ()) = tokio::join!(lanes.enter(LookupKind::Autodetect), async {
            (0..3).for_each(|_| lanes.note(LookupKind::Autodetect, 429));
            drop(first);
        });
        assert_eq!(queued.err(), Some(Broken));
    }
}

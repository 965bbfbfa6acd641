//! The pulse of the service: what its parts tell of themselves while they live, for readiness, the watchdog and `/metrics`. Written
//! from everywhere, read by the listener; nothing here outlives the process. Ages are told by the monotonic clock, so that a clock
//! that is set leaves them alone.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    audit::{Progress, Tally},
    clock::Clock,
    network::{Counters, Network},
};

/// What the parts of the service tell of themselves.
pub struct Pulse {
    clock: Clock,
    born: Instant,
    started_at: i64,
    scheduler: Beat,
    store: Beat,
    is_store_silent: AtomicBool,
    is_disk_low: AtomicBool,
    next_due_at: AtomicI64,
    told: Mutex<Told>,
}

/// What has more parts than an atomic.
#[derive(Default)]
struct Told {
    reload: Option<Reload>,
    run: Option<CurrentRun>,
    asked: Counters,
    runs: BTreeMap<(RunKind, RunResult), Durations>,
    deliveries: BTreeMap<(String, &'static str), u64>,
}

/// A run that goes on.
struct CurrentRun {
    kind: RunKind,
    began: Instant,
    progress: Arc<Progress>,
    network: Network,
}

/// How the newest attempt to read the configuration went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// Whether it was taken.
    pub is_successful: bool,
    /// When one was last taken, seconds since 1970.
    pub succeeded_at: i64,
}

/// Why a run was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunKind {
    /// It was due.
    Scheduled,
    /// Findings and doubts were checked again.
    Recheck,
    /// Someone asked for it.
    Demand,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunResult {
    /// It came to its end.
    Finished,
    /// It was stopped, and is to be resumed.
    Interrupted,
    /// It could not be made.
    Failed,
}

/// How long things took, in the buckets of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Durations {
    /// How many took at most as long as [`Durations::BOUNDS`] says.
    pub at_most: [u64; Durations::BOUNDS.len()],
    /// How many there were.
    pub count: u64,
    /// Seconds of all of them.
    pub sum: f64,
}

/// When something last gave a sign of life, in milliseconds since the pulse was born; 0: never.
#[derive(Default)]
struct Beat(AtomicU64);

impl Pulse {
    /// Of a service that starts now.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let started_at = clock.seconds();
        Self {
            clock,
            born: Instant::now(),
            started_at,
            scheduler: Beat::default(),
            store: Beat::default(),
            is_store_silent: AtomicBool::new(false),
            is_disk_low: AtomicBool::new(false),
            next_due_at: AtomicI64::new(0),
            told: Mutex::default(),
        }
    }

    /// The scheduler goes round: to be called every 30 s at least.
    pub fn beat(&self) {
        self.scheduler.strike(self.born);
    }

    /// The connection that writes has answered: to be called every 30 s at least.
    pub fn ping_store(&self) {
        self.store.strike(self.born);
        self.is_store_silent.store(false, Ordering::Relaxed);
    }

    /// The connection that writes has failed to answer. Returns whether it answered the last time.
    pub fn note_silent_store(&self) -> bool {
        !self.is_store_silent.swap(true, Ordering::Relaxed)
    }

    /// How long the scheduler has been silent, from the start where it never spoke.
    #[must_use]
    pub fn scheduler_silence(&self) -> Duration {
        self.scheduler.silence(self.born)
    }

    /// How long the connection that writes has been silent, from the start where it never spoke.
    #[must_use]
    pub fn store_silence(&self) -> Duration {
        self.store.silence(self.born)
    }

    /// Whether the disk is so full that nothing new is begun.
    pub fn set_disk_low(&self, is_low: bool) {
        self.is_disk_low.store(is_low, Ordering::Relaxed);
    }

    /// As [`Pulse::set_disk_low`] was told last.
    #[must_use]
    pub fn is_disk_low(&self) -> bool {
        self.is_disk_low.load(Ordering::Relaxed)
    }

    /// When the next run is due, seconds since 1970; `None`: nothing is.
    pub fn set_next_due(&self, at: Option<i64>) {
        self.next_due_at.store(at.unwrap_or(0), Ordering::Relaxed);
    }

    /// As [`Pulse::set_next_due`] was told last.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        Some(self.next_due_at.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }

    /// The configuration was read, at the start or later: taken or not.
    pub fn note_reload(&self, is_successful: bool) {
        let now = self.clock.seconds();
        let mut told = self.told();
        let succeeded_at = if is_successful { now } else { told.reload.map_or(0, |reload| reload.succeeded_at) };
        told.reload = Some(Reload { is_successful, succeeded_at });
    }

    /// How the configuration was last read.
    #[must_use]
    pub fn reload(&self) -> Option<Reload> {
        self.told().reload
    }

    /// A run begins; `network` is the one that it asks.
    pub fn begin_run(&self, kind: RunKind, progress: Arc<Progress>, network: Network) {
        self.told().run = Some(CurrentRun { kind, began: Instant::now(), progress, network });
    }

    /// The run that was begun ends.
    pub fn end_run(&self, result: RunResult) {
        let mut told = self.told();
        let Some(run) = told.run.take() else { return };
        told.asked = told.asked + run.network.counters();
        told.runs.entry((run.kind, result)).or_default().add(run.began.elapsed());
    }

    /// The run that goes on: why it was made, and how far it is.
    #[must_use]
    pub fn run(&self) -> Option<(RunKind, Tally)> {
        self.told().run.as_ref().map(|run| (run.kind, run.progress.tally()))
    }

    /// The runs that ended, by kind and result.
    #[must_use]
    pub fn runs(&self) -> Vec<(RunKind, RunResult, Durations)> {
        self.told().runs.iter().map(|((kind, result), durations)| (*kind, *result, *durations)).collect()
    }

    /// What was asked of the network by all runs, the one that goes on included.
    #[must_use]
    pub fn asked(&self) -> Counters {
        let told = self.told();
        told.run.as_ref().map_or(told.asked, |run| told.asked + run.network.counters())
    }

    /// An attempt to deliver to a channel of the configuration has ended.
    pub fn count_delivery(&self, channel: &str, result: &'static str) {
        *self.told().deliveries.entry((channel.to_owned(), result)).or_default() += 1;
    }

    /// The attempts to deliver, by channel and result.
    #[must_use]
    pub fn deliveries(&self) -> Vec<(String, &'static str, u64)> {
        self.told().deliveries.iter().map(|((channel, result), count)| (channel.clone(), *result, *count)).collect()
    }

    /// When the service started, seconds since 1970.
    #[must_use]
    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Pulse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Pulse")
    }
}

impl Beat {
    fn strike(&self, born: Instant) {
        let age = u64::try_from(born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.store(age, Ordering::Relaxed);
    }

    fn silence(&self, born: Instant) -> Duration {
        born.elapsed().saturating_sub(Duration::from_millis(self.0.load(Ordering::Relaxed)))
    }
}

impl Durations {
    /// The upper bounds of the buckets, in seconds.
    pub const BOUNDS: [u32; 9] = [1, 10, 60, 300, 900, 3_600, 7_200, 14_400, 43_200];

    fn add(&mut self, took: Duration) {
        let fits = |(bucket, bound): (&mut u64, u32)| *bucket += u64::from(took <= Duration::from_secs(bound.into()));
        self.at_most.iter_mut().zip(Self::BOUNDS).for_each(fits);
        self.count += 1;
        self.sum += took.as_secs_f64();
    }
}

impl RunKind {
    /// The name in `/metrics`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Recheck => "recheck",
            Self::Demand => "demand",
        }
    }
}

impl RunResult {
    /// The name in `/metrics`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_counted_from_the_last_beat() {
        let pulse = Pulse::new(Clock::system());
        tokio::time::advance(Duration::from_secs(40)).await;
        pulse.beat();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((pulse.scheduler_silence().as_secs(), pulse.store_silence().as_secs()), (5, 45));
    }

    #[test]
    fn a_store_that_falls_silent_is_news_once() {
        let pulse = Pulse::new(Clock::system());
        assert!(pulse.note_silent_store() && !pulse.note_silent_store());
        pulse.ping_store();
        assert!(pulse.note_silent_store());
    }

    #[test]
    fn a_failed_reload_keeps_the_time_of_the_last_good_one() {
        let now = Arc::new(AtomicI64::new(100));
        let shown = now.clone();
        let clock = Clock::from_fn(move || jiff::Timestamp::from_second(shown.load(Ordering::Relaxed)).unwrap());
        let pulse = Pulse::new(clock);
        pulse.note_reload(true);
        now.store(200, Ordering::Relaxed);
        pulse.note_reload(false);
        assert_eq!(pulse.reload(), Some(Reload { is_successful: false, succeeded_at: 100 }));
    }

    #[test]
    fn durations_fall_into_every_bucket_that_is_wide_enough() {
        let mut durations = Durations::default();
        for seconds in [1, 30, 50_000] {
            durations.add(Duration::from_secs(seconds));
        }
        assert_eq!((durations.at_most, durations.count), ([1, 1, 2, 2, 2, 2, 2, 2, 2], 3));
        assert!((durations.sum - 50_031.0).abs() < 1e-9);
    }
}

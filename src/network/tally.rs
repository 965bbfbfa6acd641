//! What one run asked of the network, in numbers.

use std::{
    ops::Add,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::model::AnswerOutcome;

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// HTTP requests sent, every hop and every attempt.
    pub http_requests: u64,
    /// DNS lookups handed to a server, A and AAAA counted apart; some are answered by the resolver's cache.
    pub dns_queries: u64,
    /// Bytes of bodies kept, after decompression.
    pub bytes: u64,
    /// Requests that were asked a second time.
    pub retries: u64,
    /// Times that a host on hold was left alone.
    pub held: u64,
    /// Lookups that were believed, by what they came to; in the order of [`AnswerOutcome::ALL`].
    pub lookups: [u64; AnswerOutcome::ALL.len()],
}

impl Add for Counters {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        let mut lookups = self.lookups;
        lookups.iter_mut().zip(more.lookups).for_each(|(sum, one)| *sum += one);
        Self {
            http_requests: self.http_requests + more.http_requests,
            dns_queries: self.dns_queries + more.dns_queries,
            bytes: self.bytes + more.bytes,
            retries: self.retries + more.retries,
            held: self.held + more.held,
            lookups,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    http_requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    held: AtomicU64,
    lookups: [AtomicU64; AnswerOutcome::ALL.len()],
}

impl Tally {
    pub(super) fn count_request(&self) {
        self.http_requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn count_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_held(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_lookup(&self, outcome: AnswerOutcome) {
        for (counter, _) in self.lookups.iter().zip(AnswerOutcome::ALL).filter(|(_, of)| *of == outcome) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self, dns_queries: u64) -> Counters {
        Counters {
            http_requests: self.http_requests.load(Ordering::Relaxed),
            dns_queries,
            bytes: self.bytes.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            held: self.held.load(Ordering::Relaxed),
            lookups: self.lookups.each_ref().map(|counter| counter.load(Ordering::Relaxed)),
        }
    }
}

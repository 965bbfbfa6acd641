//! What one run asked of the network, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

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
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    http_requests: AtomicU64,
    bytes: AtomicU64,
    retries: AtomicU64,
    held: AtomicU64,
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

    pub(super) fn read(&self, dns_queries: u64) -> Counters {
        Counters {
            http_requests: self.http_requests.load(Ordering::Relaxed),
            dns_queries,
            bytes: self.bytes.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            held: self.held.load(Ordering::Relaxed),
        }
    }
}

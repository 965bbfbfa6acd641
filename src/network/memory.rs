//! The answers of a run: what was told is kept as long as there is room, what failed only for a while, so that one bad minute
//! of a host that all domains share does not last for hours.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache, policy::EvictionPolicy};

use crate::model::{Answer, AnswerOutcome, Obstacle, Reply, Request};

/// Answers by request; equal requests at the same time share one flight.
pub(super) type Memory = Cache<Request, Arc<Answer>>;

/// Keeps failures for `failed_for`.
pub(super) fn memory(failed_for: Duration) -> Memory {
    Cache::builder()
        .max_capacity(CACHE_BYTES)
        .weigher(|_, answer: &Arc<Answer>| weight(answer))
        .eviction_policy(EvictionPolicy::lru())
        .expire_after(Forgetting { failed_for })
        .build()
}

struct Forgetting {
    failed_for: Duration,
}

impl Forgetting {
    fn lifetime(&self, answer: &Answer) -> Option<Duration> {
        let Reply::Obstacle(obstacle) = &answer.reply else { return None };
        (obstacle.outcome() == AnswerOutcome::Failed).then_some(self.failed_for)
    }
}

impl Expiry<Request, Arc<Answer>> for Forgetting {
    fn expire_after_create(&self, _: &Request, answer: &Arc<Answer>, _: Instant) -> Option<Duration> {
        self.lifetime(answer)
    }

    /// A new answer in the place of one that has expired, and is not swept out yet.
    fn expire_after_update(&self, _: &Request, answer: &Arc<Answer>, _: Instant, _: Option<Duration>) -> Option<Duration> {
        self.lifetime(answer)
    }
}

/// Bytes that an answer takes, about.
fn weight(answer: &Answer) -> u32 {
    let reply = match &answer.reply {
        Reply::Document(document) => document.body.len() + document.content_type.len() + length(&document.headers),
        Reply::Mx(records) => records.len() * RECORD_BYTES,
        Reply::Srv(records) => records.len() * RECORD_BYTES,
        Reply::Addresses(addresses) => addresses.len() * RECORD_BYTES,
        Reply::Redirect(url) | Reply::Greeting(url) => url.len(),
        Reply::Txt(texts) => texts.iter().map(String::len).sum(),
        Reply::Obstacle(Obstacle::CredentialsRequired { headers, .. }) => length(headers),
        Reply::Obstacle(_) => 0,
    };
    let hops: usize = answer.hops.iter().map(|hop| hop.url.len() + hop.location.as_ref().map_or(0, String::len)).sum();
    u32::try_from(ANSWER_BYTES + reply + hops).unwrap_or(u32::MAX)
}

fn length(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len()).sum()
}

/// How long a failure is believed.
pub(super) const FAILED_FOR: Duration = Duration::from_mins(1);
/// Answers that are kept, in bytes.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// What an answer takes beside its parts, the request and the cache's own entry included.
const ANSWER_BYTES: usize = 600;
const RECORD_BYTES: usize = 80;

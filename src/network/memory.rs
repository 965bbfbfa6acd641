//! The answers of a run: what was told is kept as long as there is room, what failed only for a while, so that one bad minute
//! of a host that all domains share does not last for hours.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use moka::{Expiry, future::Cache, policy::EvictionPolicy};

use crate::model::{Answer, AnswerOutcome, Obstacle, Reply, Request};

/// Answers by request; equal requests at the same time share one flight.
type Answers = Cache<Request, Arc<Answer>>;

/// The answers of a run. Those about single mailboxes have a room of their own: a million of them must not drive out what all
/// mailboxes of a domain share.
pub(super) struct Memory {
    shared: Answers,
    of_mailboxes: Answers,
}

impl Memory {
    /// Keeps failures for `failed_for`.
    pub(super) fn new(failed_for: Duration) -> Self {
        let room = |bytes| {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, answer: &Arc<Answer>| weight(answer))
                .eviction_policy(EvictionPolicy::lru())
                .expire_after(Forgetting { failed_for })
                .build()
        };
        Self { shared: room(SHARED_BYTES), of_mailboxes: room(MAILBOX_BYTES) }
    }

    /// Where the answer to a request is kept.
    pub(super) fn of(&self, request: &Request) -> &Answers {
        if request.is_about_mailbox() { &self.of_mailboxes } else { &self.shared }
    }

    pub(super) fn all(&self) -> [&Answers; 2] {
        [&self.shared, &self.of_mailboxes]
    }
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
const SHARED_BYTES: u64 = 12 * 1024 * 1024;
const MAILBOX_BYTES: u64 = 4 * 1024 * 1024;
/// What an answer takes beside its parts, the request and the cache's own entry included.
const ANSWER_BYTES: usize = 600;
const RECORD_BYTES: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Address, HttpDocument, Message};

    #[tokio::test]
    async fn many_answers_about_mailboxes_do_not_drive_out_what_they_share() {
        let memory = Memory::new(FAILED_FOR);
        let answer = || {
            let document = HttpDocument { body: vec![b' '; 4_096].into(), ..HttpDocument::default() };
            Arc::new(Answer { reply: Reply::Document(document), hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 })
        };
        let shared: Vec<Request> =
            (0..1_000).map(|number| Request::Get { url: format!("https://autoconfig.d{number}.example/"), address: None }).collect();
        for request in &shared {
            memory.of(request).insert(request.clone(), answer()).await;
        }
        for number in 0..10_000 {
            let address: Address = format!("user{number}@contoso.com").parse().unwrap();
            let request = Request::Http { url: "https://outlook.office365.com/".into(), message: Message::Get { address: Some(address) } };
            memory.of(&request).insert(request.clone(), answer()).await;
        }
        for room in memory.all() {
            room.run_pending_tasks().await;
        }
        assert!(memory.of_mailboxes.weighted_size() <= MAILBOX_BYTES);
        assert_eq!(shared.iter().filter(|request| memory.of(request).contains_key(*request)).count(), shared.len());
    }
}

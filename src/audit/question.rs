//! Asks everything that the clients want to know about one subject, round by round, until nothing is missing.

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};

use super::Auditor;
use crate::{
    clients::{Client, search},
    model::{AnswerOutcome, Assumption, Lookup, LookupKind, Readings, Reply, Request, Subject},
    wire,
};

/// The answers for one subject.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// What was read, by request.
    pub readings: Readings,
    /// Every lookup, in the order in which it was asked, once.
    pub lookups: Vec<Lookup>,
    /// A name that nobody would create resolves in the domain.
    pub wildcard: bool,
}

impl Auditor {
    /// Asks everything that these clients want to know about a subject. Ends after a bounded number of rounds, as every redirect
    /// inside a document costs one and clients follow few of them.
    pub async fn ask(&self, clients: &[&Client], subject: &Subject) -> Answers {
        let mut answers = Answers::default();
        for _ in 0..MAX_ROUNDS {
            let missing = missing(clients, subject, &answers.readings);
            if missing.is_empty() {
                break;
            }
            self.ask_round(missing, &mut answers).await;
        }
        let name = format!("{WILDCARD_LABEL}.{}", subject.address.domain());
        if has_own_document(&answers) {
            let request = Request::Addresses { name };
            let lookup = Lookup { kind: LookupKind::Wildcard, asked: request.asked(), request };
            self.ask_round(vec![lookup.clone()], &mut answers).await;
            answers.wildcard =
                answers.readings.get(&lookup.request).is_some_and(|reading| matches!(reading.answer.reply, Reply::Addresses(_)));
        }
        answers
    }

    async fn ask_round(&self, lookups: Vec<Lookup>, answers: &mut Answers) {
        let mut round: FuturesUnordered<_> = lookups
            .iter()
            .map(|lookup| async move { (lookup, wire::read(lookup.kind, self.network.ask(&lookup.request).await)) }.boxed())
            .collect();
        while let Some((lookup, reading)) = round.next().await {
            answers.readings.insert(lookup.request.clone(), reading);
        }
        drop(round);
        answers.lookups.extend(lookups);
    }
}

/// The lookups that some client wants and nobody has asked, under each assumption that the verdict will look at: each MX of the
/// best preference, and the winner lost.
fn missing(clients: &[&Client], subject: &Subject, readings: &Readings) -> Vec<Lookup> {
    let mut missing: Vec<Lookup> = Vec::new();
    let mut add = |lookups: Vec<Lookup>| {
        for lookup in lookups {
            if !missing.iter().any(|known| known.request == lookup.request) {
                missing.push(lookup);
            }
        }
    };
    for client in clients {
        let first = search(client, subject, readings, Assumption::default());
        let others = 1..first.discovery.equal_mx.clamp(1, MAX_EQUAL_MX);
        let others = others.map(|mx| (mx, search(client, subject, readings, Assumption { lost: &[], mx })));
        for (mx, found) in std::iter::once((0, first)).chain(others) {
            let is_whole = found.missing.is_empty();
            add(found.missing);
            if let Some(win) = found.discovery.win.filter(|_| is_whole) {
                add(search(client, subject, readings, Assumption { lost: &win.requests, mx }).missing);
            }
        }
    }
    missing
}

fn has_own_document(answers: &Answers) -> bool {
    let own = answers.lookups.iter().filter(|lookup| lookup.kind == LookupKind::OwnAutoconfig);
    own.filter_map(|lookup| answers.readings.get(&lookup.request))
        .any(|reading| matches!(reading.outcome, AnswerOutcome::Found | AnswerOutcome::Invalid))
}

/// MX of equal preference that are looked at; more are taken for the first ones.
pub(super) const MAX_EQUAL_MX: usize = 4;
const MAX_ROUNDS: usize = 16;
const WILDCARD_LABEL: &str = "autodiscover-audit-wildcard-test";

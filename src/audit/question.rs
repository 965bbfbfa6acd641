//! Asks everything that the clients want to know about one subject, round by round, until nothing is missing.

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};

use super::{
    Auditor,
    course::{Course, Quest},
};
use crate::{
    clients::Client,
    model::{AnswerOutcome, Lookup, LookupKind, Readings, Reply, Request, Subject},
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

/// The answers for one subject, with what each client makes of them, in the order of the clients.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) answers: Answers,
    pub(super) courses: Vec<Vec<Course>>,
}

impl Auditor {
    /// Asks everything that these clients want to know about a subject. Ends after a bounded number of rounds, as every redirect
    /// inside a document costs one and clients follow few of them.
    pub async fn ask(&self, clients: &[&Client], subject: &Subject) -> Answers {
        self.find(clients, subject, Answers::default()).await.answers
    }

    /// Asks what is not known yet; `known` may be of another subject of the same domain.
    pub(super) async fn find(&self, clients: &[&Client], subject: &Subject, known: Answers) -> Findings {
        let mut answers = known;
        let mut quests: Vec<Quest<'_>> = clients.iter().map(|client| Quest::new(client, subject)).collect();
        for _ in 0..MAX_ROUNDS {
            let missing = missing(&mut quests, &answers.readings);
            if missing.is_empty() {
                break;
            }
            self.ask_round(missing, &mut answers).await;
        }
        if has_own_document(&answers) {
            let request = Request::Addresses { name: format!("{WILDCARD_LABEL}.{}", subject.address.domain()) };
            let lookup = Lookup { kind: LookupKind::Wildcard, asked: request.asked(), request };
            if answers.readings.get(&lookup.request).is_none() {
                self.ask_round(vec![lookup.clone()], &mut answers).await;
            }
            answers.wildcard =
                answers.readings.get(&lookup.request).is_some_and(|reading| matches!(reading.answer.reply, Reply::Addresses(_)));
        }
        let courses = quests.into_iter().map(|quest| quest.into_courses(&answers.readings)).collect();
        Findings { answers, courses }
    }

    async fn ask_round(&self, lookups: Vec<Lookup>, answers: &mut Answers) {
        let mut round: FuturesUnordered<_> = lookups
            .iter()
            .map(|lookup| async move { (lookup, wire::read(lookup, self.network.ask(&lookup.request).await)) }.boxed())
            .collect();
        while let Some((lookup, reading)) = round.next().await {
            answers.readings.insert(lookup.request.clone(), reading);
        }
        drop(round);
        answers.lookups.extend(lookups);
    }
}

/// The lookups that some client wants and nobody has asked, each once, under each assumption that the verdict will look at.
fn missing(quests: &mut [Quest<'_>], readings: &Readings) -> Vec<Lookup> {
    let mut missing: Vec<Lookup> = Vec::new();
    for lookup in quests.iter_mut().flat_map(|quest| quest.advance(readings)) {
        if !missing.iter().any(|known| known.request == lookup.request) {
            missing.push(lookup);
        }
    }
    missing
}

fn has_own_document(answers: &Answers) -> bool {
    let own = answers.lookups.iter().filter(|lookup| lookup.kind == LookupKind::OwnAutoconfig);
    own.filter_map(|lookup| answers.readings.get(&lookup.request))
        .any(|reading| matches!(reading.outcome, AnswerOutcome::Found | AnswerOutcome::Invalid))
}

const MAX_ROUNDS: usize = 16;
const WILDCARD_LABEL: &str = "autodiscover-audit-wildcard-test";

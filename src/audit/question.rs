//! Asks everything that the clients want to know about one subject, round by round, until nothing is missing. What is assumed is
//! not asked, and stands in the place of what is so.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

use super::{
    Auditor,
    batch::{Queue, Share},
    course::{Course, Quest},
    facts::{Inquiry, credential_body, settings_url},
};
use crate::{
    clients::Client,
    model::{
        Address, Answer, AnswerOutcome, Cloud, Document, Domain, Existence, HttpDocument, Lookup, LookupKind, Obstacle, Reading, Readings,
        Reply, Request, Subject,
    },
    remedy::Overlay,
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
    /// What is assumed in the place of what is so.
    pub(super) premise: Option<Arc<Premise>>,
}

/// A world that differs from the one as it is by what is assumed.
#[derive(Debug, Clone, Default)]
pub struct Premise {
    /// What is assumed.
    pub overlay: Overlay,
    /// What was read in the world as it is.
    pub as_it_is: Readings,
}

impl Premise {
    /// What a lookup comes to without anybody being asked: by what is assumed, or as it is where the assumptions have nothing to do
    /// with it. `None`: only the network can tell.
    #[must_use]
    pub fn read(&self, lookup: &Lookup) -> Option<Reading> {
        if let Some(answer) = self.overlay.answer(&lookup.request) {
            return Some(wire::read(lookup, answer.into()));
        }
        let known = self.as_it_is.get(&lookup.request)?;
        if self.overlay.moves(&lookup.request, &known.answer) {
            return None;
        }
        let amended = self.overlay.amend(&lookup.request, &known.answer);
        Some(amended.map_or_else(|| known.clone(), |answer| wire::read(lookup, answer.into())))
    }
}

impl Answers {
    /// Adds a reading, in the place of the one that there was.
    pub(super) fn insert(&mut self, lookup: Lookup, reading: Reading) {
        self.readings.insert(lookup.request.clone(), reading);
        if self.lookups.iter().all(|known| known.request != lookup.request) {
            self.lookups.push(lookup);
        }
    }

    /// Lays others over these.
    pub(super) fn with(mut self, others: &Self) -> Self {
        for lookup in &others.lookups {
            if let Some(reading) = others.readings.get(&lookup.request) {
                self.insert(lookup.clone(), reading.clone());
            }
        }
        self.wildcard |= others.wildcard;
        self
    }
}

/// The answers for one subject, with what each client makes of them, in the order of the clients.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) answers: Answers,
    pub(super) courses: Vec<Vec<Course>>,
}

impl Auditor {
    /// Asks everything that these clients want to know about a subject, and where its mailbox lives, in the cloud of its tenant; whether
    /// a personal account has its address is asked of an operator's own lists alone. Ends after a bounded number of rounds, as every
    /// redirect inside a document costs one and clients follow few of them.
    pub async fn ask(&self, clients: &[&Client], (subject, cloud): (&Subject, Cloud)) -> Answers {
        self.ask_from(clients, (subject, cloud), Answers::default()).await
    }

    async fn ask_from(&self, clients: &[&Client], (subject, cloud): (&Subject, Cloud), known: Answers) -> Answers {
        let inquiry = self.inquiry(subject.address.domain()).without_accounts();
        let mut answers = self.find(clients, (subject, &inquiry), known).await.answers;
        if inquiry.reads_settings() {
            for share in self.ask_settings(vec![subject.address.clone()], cloud).await.into_iter().flatten() {
                answers.put(share.lookup, share.answer);
            }
        }
        answers
    }

    /// What is asked beside the clients, by the settings.
    pub(super) fn inquiry(&self, domain: &Domain) -> Inquiry {
        let is_asked = |kind| match kind {
            LookupKind::AutodiscoverSoap => self.network.reads_settings(),
            kind => self.network.is_enabled(kind),
        };
        Inquiry::new(is_asked, domain)
    }

    /// The same in a world that is assumed. The network must take for aliases what the premise does ([`Overlay::aliases`]).
    pub async fn ask_assuming(&self, clients: &[&Client], (subject, cloud): (&Subject, Cloud), premise: Premise) -> Answers {
        let known = Answers { premise: Some(Arc::new(premise)), ..Answers::default() };
        self.ask_from(clients, (subject, cloud), known).await
    }

    /// Asks what is not known yet; `known` may be of another subject of the same domain.
    pub(super) async fn find(&self, clients: &[&Client], (subject, inquiry): (&Subject, &Inquiry), known: Answers) -> Findings {
        let mut answers = known;
        let mut quests: Vec<Quest<'_>> = clients.iter().map(|client| Quest::new(client, subject)).collect();
        for round in 0..2 * MAX_ROUNDS {
            let mut missing = missing(&mut quests, &answers.readings);
            add_new(&mut missing, inquiry.missing(&subject.address, &answers.readings));
            if missing.is_empty() {
                break;
            }
            if round < MAX_ROUNDS {
                self.ask_round(missing, &mut answers).await;
            } else {
                give_up(missing, &mut answers);
            }
        }
        if has_own_document(&answers) {
            let lookup = wildcard_lookup(subject.address.domain());
            if answers.readings.get(&lookup.request).is_none() {
                self.ask_round(vec![lookup.clone()], &mut answers).await;
            }
            answers.wildcard =
                answers.readings.get(&lookup.request).is_some_and(|reading| matches!(reading.answer.reply, Reply::Addresses(_)));
        }
        let courses = quests.into_iter().map(|quest| quest.into_courses(&answers.readings)).collect();
        Findings { answers, courses }
    }

    /// Asks what is not known yet about a mailbox, beside the clients.
    pub(super) async fn ask_facts(&self, inquiry: &Inquiry, address: &Address, answers: &mut Answers) {
        for _ in 0..MAX_ROUNDS {
            let missing = inquiry.missing(address, &answers.readings);
            if missing.is_empty() {
                break;
            }
            self.ask_round(missing, answers).await;
        }
    }

    /// Asks Exchange Online for the settings of mailboxes, in batches, one after another; a service that has had enough is left alone
    /// for the rest of the run.
    pub(super) async fn ask_settings(&self, addresses: Vec<Address>, cloud: Cloud) -> Vec<Option<Share>> {
        let mut queue = Queue::new(addresses, &settings_url(cloud));
        while let Some(batch) = queue.next() {
            let reading = self.read(&batch.lookup, None).await;
            let lookup = batch.lookup.clone();
            let pause = queue.take(batch, &reading);
            if queue.repeats() {
                self.network.forget(&lookup).await;
            }
            if queue.is_spent() {
                self.network.leave_alone(LookupKind::AutodiscoverSoap);
                break;
            }
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
        queue.into_shares()
    }

    /// Asks these lookups, side by side.
    pub(super) async fn ask_round(&self, lookups: Vec<Lookup>, answers: &mut Answers) {
        let premise = answers.premise.clone();
        let premise = premise.as_deref();
        let mut round: FuturesUnordered<_> =
            lookups.iter().map(|lookup| async move { (lookup, self.read(lookup, premise).await) }.boxed()).collect();
        while let Some((lookup, reading)) = round.next().await {
            answers.readings.insert(lookup.request.clone(), reading);
        }
        drop(round);
        answers.lookups.extend(lookups);
    }

    async fn read(&self, lookup: &Lookup, premise: Option<&Premise>) -> Reading {
        if let Some(reading) = premise.and_then(|premise| premise.read(lookup)) {
            return reading;
        }
        let answer = self.network.ask(lookup).await;
        let amended = premise.and_then(|premise| premise.overlay.amend(&lookup.request, &answer));
        let reading = wire::read(lookup, amended.map_or(answer, Arc::new));
        if is_throttled(&reading) {
            self.network.leave_alone(lookup.kind);
        }
        keep(reading)
    }
}

/// Where a chain of redirects inside documents is too long for us, nobody can tell what stands at its end.
fn give_up(lookups: Vec<Lookup>, answers: &mut Answers) {
    for lookup in lookups {
        let reading = wire::read(&lookup, Answer::unasked(Reply::Obstacle(Obstacle::TooManyRedirects)).into());
        answers.insert(lookup, reading);
    }
}

/// The lookups that some client wants and nobody has asked, each once, under each assumption that the verdict will look at.
fn missing(quests: &mut [Quest<'_>], readings: &Readings) -> Vec<Lookup> {
    let mut missing: Vec<Lookup> = Vec::new();
    for quest in quests {
        add_new(&mut missing, quest.advance(readings));
    }
    missing
}

fn add_new(lookups: &mut Vec<Lookup>, more: Vec<Lookup>) {
    for lookup in more {
        if !lookups.iter().any(|known| known.request == lookup.request) {
            lookups.push(lookup);
        }
    }
}

/// Whether the account service asks for no more; its status says nothing of that (`microsoft.md` section 10.3).
fn is_throttled(reading: &Reading) -> bool {
    matches!(&reading.document, Document::CredentialType(account) if account.existence == Existence::Throttled)
}

/// An answer as it is kept: of an account, what counts.
fn keep(reading: Reading) -> Reading {
    let (Document::CredentialType(account), Reply::Document(document)) = (&reading.document, &reading.answer.reply) else { return reading };
    let Some(body) = credential_body(account) else { return reading };
    let document = HttpDocument { body: body.into_bytes().into(), headers: Vec::new(), ..document.clone() };
    Reading { answer: Arc::new(Answer { reply: Reply::Document(document), ..(*reading.answer).clone() }), ..reading }
}

/// The lookup that shows a wildcard, where it matters and was not asked.
pub(super) fn wildcard_missing(answers: &Answers, domain: &Domain) -> Option<Lookup> {
    let lookup = wildcard_lookup(domain);
    (has_own_document(answers) && answers.readings.get(&lookup.request).is_none()).then_some(lookup)
}

fn wildcard_lookup(domain: &Domain) -> Lookup {
    let request = Request::Addresses { name: format!("{WILDCARD_LABEL}.{domain}") };
    Lookup { kind: LookupKind::Wildcard, asked: request.asked(), request }
}

fn has_own_document(answers: &Answers) -> bool {
    let own = answers.lookups.iter().filter(|lookup| lookup.kind == LookupKind::OwnAutoconfig);
    own.filter_map(|lookup| answers.readings.get(&lookup.request))
        .any(|reading| matches!(reading.outcome, AnswerOutcome::Found | AnswerOutcome::Invalid))
}

const MAX_ROUNDS: usize = 16;
const WILDCARD_LABEL: &str = "autodiscover-audit-wildcard-test";

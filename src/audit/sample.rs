//! A few mailboxes of a domain that are looked at before the others: they show whether the answers depend on the address, and what
//! AutoDetect says, which is asked about them alone.

use std::sync::Arc;

use super::{
    Answers, Auditor, Case,
    course::Course,
    domain::Plan,
    facts::{self, Signature},
    outcome::neutralise,
    question::Findings,
};
use crate::{
    model::{
        Address, Answer, AnswerOutcome, AutoDetectAnswer, Document, Hosting, HttpDocument, Lookup, LookupKind, Mailbox, Message, Obstacle,
        Outcome, Reading, Reply, Request, Subject, Verdict, expand,
    },
    wire,
};

/// What the samples showed.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The answers depend on the address in more than what is asked about every mailbox.
    pub(super) is_each: bool,
    pub(super) detected: Detected,
}

impl Auditor {
    /// Looks at the samples, as far as there is something to be found out by them.
    pub(super) async fn survey(&self, plan: &Plan<'_>, first: (&Mailbox, &Findings)) -> Survey {
        let (mailbox, found) = first;
        let subject = Subject { address: mailbox.address.clone() };
        let by_document = names_address_to_a_document(&found.answers, &subject);
        let detects = found.answers.lookups.iter().any(|lookup| lookup.kind == LookupKind::Autodetect);
        let mut survey = Survey::default();
        if !by_document && !detects {
            return survey;
        }
        let told = self.see(plan, mailbox, found);
        survey.detected.add(&subject.address, told.v2, &found.answers);
        for other in samples(plan.errand.mailboxes) {
            let subject = Subject { address: other.address.clone() };
            if by_document && !survey.is_each {
                let others = self.find(&plan.clients, (&subject, &plan.inquiry), found.answers.clone()).await;
                let seen = self.see(plan, other, &others);
                survey.is_each = told.differs(&seen);
                survey.detected.add(&subject.address, seen.v2, &others.answers);
            } else if detects {
                let answers = self.detect(plan, &subject.address, found.answers.clone()).await;
                let case = Case { tenant: plan.errand.tenant, profile: &other.profile, subject: &subject };
                let v2 = facts::hosting_by_v2(&self.endpoints, &case, &answers.readings).map(|told| told.what);
                survey.detected.add(&subject.address, v2, &answers);
            }
        }
        survey
    }

    /// Asks AutoDetect about a mailbox, and Autodiscover v2, which AutoDetect follows first of all.
    async fn detect(&self, plan: &Plan<'_>, address: &Address, known: Answers) -> Answers {
        let mut answers = known;
        let inquiry = plan.inquiry.of_mailbox().without_accounts();
        self.ask_facts(&inquiry, address, &mut answers).await;
        let lookup = facts::detection(address);
        if answers.readings.get(&lookup.request).is_none() {
            self.ask_round(vec![lookup], &mut answers).await;
        }
        answers
    }

    fn see<'a>(&self, plan: &Plan<'_>, mailbox: &Mailbox, found: &'a Findings) -> Seen<'a> {
        let subject = Subject { address: mailbox.address.clone() };
        let case = Case { tenant: plan.errand.tenant, profile: &mailbox.profile, subject: &subject };
        Seen {
            outcome: self.judge_courses(&plan.clients, &case, (&found.answers, &found.courses)),
            courses: &found.courses,
            signature: facts::signature(&self.endpoints, &case, (&found.answers, "")),
            v2: facts::hosting_by_v2(&self.endpoints, &case, &found.answers.readings).map(|told| told.what),
        }
    }
}

/// What was found out about one mailbox.
struct Seen<'a> {
    outcome: Outcome,
    courses: &'a [Vec<Course>],
    signature: Signature,
    v2: Option<Hosting>,
}

impl Seen<'_> {
    /// Whether two mailboxes were told different things by what is asked about a domain. What could not be told proves no difference;
    /// neither does what is asked about each mailbox, or about samples.
    fn differs(&self, other: &Self) -> bool {
        let same_facts = self.signature.digest == other.signature.digest;
        let same_home = self.outcome.hosting == other.outcome.hosting;
        let clients = self.outcome.clients.iter().zip(&other.outcome.clients);
        clients.zip(self.courses.iter().zip(other.courses)).any(|((one, another), (of_one, of_other))| {
            let asks = |kind| asks(of_one, kind) || asks(of_other, kind);
            let depends = asks(LookupKind::Autodetect) || (!same_facts && asks(LookupKind::AutodiscoverV2));
            let told = one.verdict != Verdict::Undetermined && another.verdict != Verdict::Undetermined;
            let differ = (&one.settings, &one.source) != (&another.settings, &another.source);
            told && !depends && (differ || (same_home && one.verdict != another.verdict))
        })
    }
}

fn asks(courses: &[Course], kind: LookupKind) -> bool {
    courses.iter().any(|course| course.discovery.lookups.iter().any(|lookup| lookup.kind == kind))
}

/// Mailboxes besides the first that show whether answers depend on the address: one in the middle, and the last.
pub(super) fn samples(mailboxes: &[Mailbox]) -> impl Iterator<Item = &Mailbox> {
    let last = mailboxes.len().saturating_sub(1);
    let middle = Some(last / 2).filter(|middle| (1..last).contains(middle));
    middle.into_iter().chain(Some(last).filter(|last| *last > 0)).filter_map(|at| mailboxes.get(at))
}

/// Whether a document came in answer to a request that named the subject's address: only then can the answer depend on it.
fn names_address_to_a_document(answers: &Answers, subject: &Subject) -> bool {
    let written = subject.address.percent_encoded();
    let names = |request: &Request| match request {
        Request::Get { url, .. } => url.contains(&written),
        Request::Pox { address, .. } | Request::Http { message: Message::Mobilesync { address }, .. } => *address == subject.address,
        _ => false,
    };
    let of_document =
        |kind: LookupKind| matches!(kind, LookupKind::OwnAutoconfig | LookupKind::AutodiscoverPox | LookupKind::AutodiscoverMobilesync);
    answers.lookups.iter().filter(|lookup| of_document(lookup.kind) && names(&lookup.request)).any(|lookup| {
        let reading = answers.readings.get(&lookup.request);
        reading.is_some_and(|reading| !matches!(reading.document, Document::Nothing | Document::Other | Document::Capabilities(_)))
    })
}

/// What AutoDetect said about the mailboxes that it was asked about.
#[derive(Debug, Default)]
pub(super) struct Detected(Vec<Detection>);

#[derive(Debug)]
struct Detection {
    address: Address,
    /// What Autodiscover v2 says of the mailbox.
    v2: Option<Hosting>,
    reading: Reading,
    /// What it says, without the address; `None`: it could not tell.
    says: Option<String>,
    /// It lists a work account and a personal one.
    is_double: bool,
}

/// What stands for AutoDetect's answer about a mailbox.
#[derive(Debug)]
pub(super) struct Suggestion {
    pub(super) lookup: Lookup,
    pub(super) reading: Reading,
    /// What of it tells mailboxes apart.
    pub(super) word: String,
}

impl Detected {
    fn add(&mut self, address: &Address, v2: Option<Hosting>, answers: &Answers) {
        let Some(reading) = answers.readings.get(&facts::detection(address).request) else { return };
        let is_double = facts::found(reading).is_some_and(|found| {
            let lists = |name: &str| found.services.iter().any(|service| service.service.as_deref() == Some(name));
            lists("office365") && lists("outlook")
        });
        let says = (reading.outcome != AnswerOutcome::Failed).then(|| meaning(reading, address));
        self.0.push(Detection { address: address.clone(), v2, reading: reading.clone(), says, is_double });
    }

    /// Whether one answer stands for all mailboxes, wherever they live.
    pub(super) fn is_uniform(&self) -> bool {
        let told = self.0.iter().filter(|detection| detection.says.is_some()).count();
        let is_plain =
            |detection: &Detection| !detection.is_double && detection.says == self.0.first().and_then(|first| first.says.clone());
        told == 0 || (told == self.0.len() && self.0.iter().all(is_plain))
    }

    /// What stands for the answer about a mailbox of which Autodiscover v2 says this; `None` where nobody wants to know.
    ///
    /// The answers about mailboxes of which Autodiscover v2, which AutoDetect follows first, says the same stand for all such mailboxes
    /// where they agree.
    pub(super) fn suggest(&self, address: &Address, v2: Option<Hosting>) -> Option<Suggestion> {
        let (first, lookup) = (self.0.first()?, facts::detection(address));
        let own = self.0.iter().find(|detection| detection.address.key() == address.key());
        let agreed = self.agreed(v2);
        if let Some(own) = own.filter(|own| own.says.is_some()) {
            let is_alone = agreed.is_none() || own.is_double;
            let word = if is_alone { format!("{:?}", own.says) } else { AGREED.to_owned() };
            return Some(Suggestion { lookup, reading: own.reading.clone(), word });
        }
        if self.0.iter().all(|detection| detection.says.is_none()) {
            let reading = own.map_or_else(|| stand_in(first, (&lookup, address)), |own| own.reading.clone());
            return Some(Suggestion { lookup, reading, word: "failed".to_owned() });
        }
        Some(match agreed {
            Some(like) => Suggestion { reading: stand_in(like, (&lookup, address)), lookup, word: AGREED.to_owned() },
            None => Suggestion { lookup, reading: held_back(), word: "held back".to_owned() },
        })
    }

    /// One of the answers about mailboxes of which v2 says this, where all that tell something say the same. A personal account of some
    /// mailboxes says nothing about the others.
    fn agreed(&self, v2: Option<Hosting>) -> Option<&Detection> {
        let told = || self.0.iter().filter(|detection| detection.says.is_some() && detection.v2 == v2);
        let first = told().find(|detection| !detection.is_double).or_else(|| told().next())?;
        told().all(|other| other.says == first.says || (other.is_double && !first.is_double)).then_some(first)
    }
}

/// Whether AutoDetect was deliberately not asked about a mailbox.
pub(super) fn is_held_back(reading: &Reading) -> bool {
    reading.answer.attempts == 0 && reading.answer.reply == HELD
}

fn meaning(reading: &Reading, address: &Address) -> String {
    let said = match &reading.document {
        Document::AutoDetect(answer) => match &**answer {
            AutoDetectAnswer::Found(found) => format!("{:?}", (&found.services, &found.protocols)),
            _ => String::new(),
        },
        _ => String::new(),
    };
    format!("{} {}", reading.outcome, neutralise(&said, address))
}

/// The answer about one mailbox in the place of that about another, whose address then stands in it.
fn stand_in(detection: &Detection, (lookup, address): (&Lookup, &Address)) -> Reading {
    let reading = &detection.reading;
    let answer = Answer { attempts: 0, ..(*reading.answer).clone() };
    let Reply::Document(document) = &answer.reply else { return Reading { answer: answer.into(), ..reading.clone() } };
    let text = neutralise(&String::from_utf8_lossy(&document.body), &detection.address);
    let document = HttpDocument { body: expand(&text, address).into_bytes().into(), ..document.clone() };
    wire::read(lookup, Arc::new(Answer { reply: Reply::Document(document), ..answer }))
}

fn held_back() -> Reading {
    let detail =
        "it is asked about a few mailboxes of a domain alone, and what it says of them does not tell what it would say of this one";
    Reading { answer: Answer::unasked(HELD).into(), outcome: AnswerOutcome::Failed, detail: detail.to_owned(), document: Document::Nothing }
}

const AGREED: &str = "agreed";
const HELD: Reply = Reply::Obstacle(Obstacle::Held);

#[cfg(test)]
mod tests;

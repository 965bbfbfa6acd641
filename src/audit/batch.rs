//! `GetUserSettings` for many mailboxes (`microsoft.md` sections 2.5 and 2.6): batches that become smaller where the server asks for
//! less and larger while all goes well; answers belong to mailboxes by their place, and what was not answered is asked again, until
//! the service shows that it has had enough. Pure: what is to be sent comes out, what came back goes in.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    model::{
        Address, Answer, Document, HttpDocument, Lookup, LookupKind, Message, Reading, Reply, Request, SoapAnswer, SoapCode, UserAnswer,
        UserSettings, exchange_cloud,
    },
    wire,
};

/// How many mailboxes go into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    mailboxes: usize,
    /// Answers in a row that left nothing open.
    clean: usize,
}

/// A mailbox that is to be asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    /// Its place among all.
    at: usize,
    /// The address that is asked about: its own, or one that a redirect named.
    address: Address,
    url: String,
    attempts: usize,
    /// What was asked about before redirects.
    before: Vec<(String, Address)>,
}

/// A request, and whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) lookup: Lookup,
    questions: Vec<Question>,
}

/// Mailboxes on their way to an answer.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Question>,
    size: Size,
    /// Requests in a row without an answer for anybody.
    in_vain: usize,
    /// Answers in a row that told nobody anything, and asked to be patient.
    put_off: usize,
    /// Whether some of the last batch are asked about again.
    repeats: bool,
    /// Whether the service has put off everybody too often.
    is_spent: bool,
    addresses: Vec<Address>,
    shares: Vec<Option<Share>>,
}

/// What came back for one mailbox: a lookup of its own, and the answer as if it had been asked about alone.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub(super) lookup: Lookup,
    pub(super) answer: Arc<Answer>,
}

impl Queue {
    pub(super) fn new(addresses: Vec<Address>, url: &str) -> Self {
        let question = |(at, address): (usize, &Address)| Question {
            at,
            address: address.clone(),
            url: url.to_owned(),
            attempts: 0,
            before: Vec::new(),
        };
        Self {
            waiting: addresses.iter().enumerate().map(question).collect(),
            size: Size { mailboxes: FIRST_SIZE, clean: 0 },
            in_vain: 0,
            put_off: 0,
            repeats: false,
            is_spent: false,
            shares: addresses.iter().map(|_| None).collect(),
            addresses,
        }
    }

    /// The next request; `None`: nothing is left to ask.
    pub(super) fn next(&mut self) -> Option<Batch> {
        let url = self.waiting.front()?.url.clone();
        let (mut questions, mut others) = (Vec::new(), VecDeque::new());
        while let Some(question) = self.waiting.pop_front() {
            if question.url == url && questions.len() < self.size.mailboxes {
                questions.push(question);
            } else {
                others.push_back(question);
            }
        }
        self.waiting = others;
        let addresses = questions.iter().map(|question| question.address.clone()).collect();
        Some(Batch { lookup: lookup(url, addresses), questions })
    }

    /// Takes what came back, and says how long to wait before the next request.
    pub(super) fn take(&mut self, batch: Batch, reading: &Reading) -> Duration {
        self.repeats = false;
        let Document::UserSettings(answer) = &reading.document else {
            // the network has asked twice
            return self.give_up(batch, reading);
        };
        match &**answer {
            SoapAnswer::Fault(fault) => {
                let is_busy = fault.back_off_ms.is_some() || fault.response_code.as_deref() == Some("ErrorServerBusy");
                if !is_busy {
                    return self.give_up(batch, reading);
                }
                let pause = fault.back_off_ms.map(|pause| Duration::from_millis(u64::from(pause)).min(LONGEST_PAUSE));
                self.put_off(batch, reading).max(pause.unwrap_or_default())
            }
            SoapAnswer::Settings(UserSettings { code: SoapCode::InvalidRequest, .. }) if batch.questions.len() < 2 => {
                self.give_up(batch, reading)
            }
            SoapAnswer::Settings(settings) if settings.code.is_passing() => self.put_off(batch, reading),
            SoapAnswer::Settings(settings) if settings.code.asks_for_less() => {
                self.ask_for_less(batch, reading);
                Duration::ZERO
            }
            SoapAnswer::Settings(settings) if settings.code != SoapCode::NoError => self.give_up(batch, reading),
            SoapAnswer::Settings(settings) => self.take_users(batch, &settings.users, reading),
        }
    }

    /// Whether some of the last batch are asked about again.
    pub(super) fn repeats(&self) -> bool {
        self.repeats
    }

    /// Whether the service has had enough: it is to be left alone.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// What came back for each mailbox, in their order; `None`: nothing.
    pub(super) fn into_shares(self) -> Vec<Option<Share>> {
        self.shares
    }

    fn take_users(&mut self, batch: Batch, users: &[Option<UserAnswer>], reading: &Reading) -> Duration {
        let passes = |user: &Option<UserAnswer>| user.as_ref().is_none_or(|user| user.code.is_passing());
        self.in_vain = 0;
        self.put_off = if users.iter().all(passes) { self.put_off + 1 } else { 0 };
        if self.put_off >= MOST_PUT_OFF {
            // the errors of a few mailboxes may be theirs alone
            let says_busy = users.iter().flatten().any(|user| user.code == SoapCode::ServerBusy);
            return self.stop_asking(batch, reading, says_busy || users.len() >= SEVERAL);
        }
        let (mut is_clean, mut is_busy, mut longest) = (true, false, 0);
        for (question, user) in batch.questions.into_iter().zip(users) {
            if passes(user) {
                is_clean = false;
                is_busy |= user.is_some();
                longest = longest.max(question.attempts);
                self.ask_again(question, reading);
            } else if let Some(user) = user {
                match redirect(&question, user) {
                    Some(onward) => self.waiting.push_back(onward),
                    None => self.settle(&question, share_of(user, reading)),
                }
            }
        }
        if is_clean {
            self.size.grow();
        }
        if is_busy { pause(longest) } else { Duration::ZERO }
    }

    /// Nobody was told anything, and may be later.
    fn put_off(&mut self, batch: Batch, reading: &Reading) -> Duration {
        self.put_off += 1;
        if self.put_off >= MOST_PUT_OFF {
            return self.stop_asking(batch, reading, true);
        }
        pause(self.ask_for_less(batch, reading))
    }

    /// Leaves these without an answer; where it is the service that does not answer, all that wait.
    fn stop_asking(&mut self, batch: Batch, reading: &Reading, is_service: bool) -> Duration {
        self.put_off = 0;
        self.is_spent |= is_service;
        let others = if is_service { std::mem::take(&mut self.waiting) } else { VecDeque::new() };
        for question in batch.questions.into_iter().chain(others) {
            self.settle(&question, unanswered(reading));
        }
        Duration::ZERO
    }

    /// Asks the same in smaller parts; returns how often some of it were asked about before.
    fn ask_for_less(&mut self, batch: Batch, reading: &Reading) -> usize {
        self.size.halve();
        let attempts = batch.questions.iter().map(|question| question.attempts).max().unwrap_or_default();
        for question in batch.questions.into_iter().rev() {
            self.ask_again(question, reading);
        }
        attempts
    }

    fn ask_again(&mut self, question: Question, reading: &Reading) {
        let question = Question { attempts: question.attempts + 1, ..question };
        if question.attempts < MOST_ATTEMPTS {
            self.repeats = true;
            self.waiting.push_front(question);
        } else {
            self.settle(&question, unanswered(reading));
        }
    }

    /// Leaves it at that; after some requests in vain, for all that wait.
    fn give_up(&mut self, batch: Batch, reading: &Reading) -> Duration {
        for question in batch.questions {
            self.settle(&question, reading.answer.clone());
        }
        self.in_vain += 1;
        if self.in_vain >= MOST_IN_VAIN {
            for question in std::mem::take(&mut self.waiting) {
                self.settle(&question, reading.answer.clone());
            }
        }
        Duration::ZERO
    }

    fn settle(&mut self, question: &Question, answer: Arc<Answer>) {
        let Some(address) = self.addresses.get(question.at) else { return };
        if let Some(place) = self.shares.get_mut(question.at) {
            *place = Some(Share { lookup: lookup(question.url.clone(), vec![address.clone()]), answer });
        }
    }
}

impl Size {
    fn halve(&mut self) {
        *self = Self { mailboxes: (self.mailboxes / 2).max(1), clean: 0 };
    }

    fn grow(&mut self) {
        self.clean += 1;
        if self.clean == CLEAN_ANSWERS {
            *self = Self { mailboxes: (self.mailboxes + STEP).min(LARGEST_SIZE), clean: 0 };
        }
    }
}

fn lookup(url: String, addresses: Vec<Address>) -> Lookup {
    let request = Request::Http { url, message: Message::UserSettings { addresses } };
    Lookup { kind: LookupKind::AutodiscoverSoap, asked: request.asked(), request }
}

/// The question that a redirect leads to; `None` where it is none, or leads where nobody should go: in a circle, on and on, or, with
/// the token, away from Exchange Online.
fn redirect(question: &Question, user: &UserAnswer) -> Option<Question> {
    let target = user.redirect.as_deref()?;
    let (address, url) = match user.code {
        SoapCode::RedirectAddress => (Address::parse(target).ok()?, question.url.clone()),
        SoapCode::RedirectUrl => {
            let url = url::Url::parse(target).ok().filter(|url| url.scheme() == "https")?;
            exchange_cloud(url.host_str()?)?;
            (question.address.clone(), target.to_owned())
        }
        _ => return None,
    };
    let mut before = question.before.clone();
    before.push((question.url.clone(), question.address.clone()));
    let is_known = before.iter().any(|(known, asked)| *known == url && asked.key() == address.key());
    (!is_known && before.len() <= MOST_REDIRECTS).then(|| Question { address, url, before, ..question.clone() })
}

/// The answer as it would be for the one mailbox.
fn share_of(user: &UserAnswer, reading: &Reading) -> Arc<Answer> {
    document(reading, wire::user_settings_answer(user))
}

/// The server left it at "ask again".
fn unanswered(reading: &Reading) -> Arc<Answer> {
    let user =
        UserAnswer { code: SoapCode::ServerBusy, message: "not answered, however often it was asked".into(), ..UserAnswer::default() };
    document(reading, wire::user_settings_answer(&user))
}

fn document(reading: &Reading, body: String) -> Arc<Answer> {
    let document =
        HttpDocument { status: 200, content_type: "text/xml; charset=utf-8".into(), headers: Vec::new(), body: body.into_bytes().into() };
    Arc::new(Answer { reply: Reply::Document(document), ..(*reading.answer).clone() })
}

fn pause(attempts: usize) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.min(8)).min(LONGEST_PAUSE)
}

const FIRST_SIZE: usize = 50;
const LARGEST_SIZE: usize = 90;
const STEP: usize = 5;
/// Answers in a row after which a request takes more.
const CLEAN_ANSWERS: usize = 10;
/// Times that a mailbox is asked about before it is left.
const MOST_ATTEMPTS: usize = 8;
const MOST_REDIRECTS: usize = 5;
/// Requests in a row that came to nothing, after which the service is left alone.
const MOST_IN_VAIN: usize = 3;
/// Answers in a row that put everybody off, after which nobody waits any longer.
const MOST_PUT_OFF: usize = 6;
/// So many mailboxes have no errors of their own at once.
const SEVERAL: usize = 6;
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests;

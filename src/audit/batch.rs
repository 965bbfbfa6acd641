//! `GetUserSettings` for many mailboxes (`microsoft.md` sections 2.5 and 2.6): batches that become smaller where the server asks for
//! less and larger while all goes well; answers belong to mailboxes by their place, and what was not answered is asked again. Pure:
//! what is to be sent comes out, what came back goes in.

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
                self.ask_for_less(batch, reading).max(pause.unwrap_or_default())
            }
            SoapAnswer::Settings(UserSettings { code: SoapCode::InvalidRequest, .. }) if batch.questions.len() < 2 => {
                self.give_up(batch, reading)
            }
            SoapAnswer::Settings(settings) if settings.code.asks_for_less() || settings.code.is_passing() => {
                let pause = self.ask_for_less(batch, reading);
                if settings.code.is_passing() { pause } else { Duration::ZERO }
            }
            SoapAnswer::Settings(settings) if settings.code != SoapCode::NoError => self.give_up(batch, reading),
            SoapAnswer::Settings(settings) => self.take_users(batch, &settings.users, reading),
        }
    }

    /// What came back for each mailbox, in their order; `None`: nothing.
    pub(super) fn into_shares(self) -> Vec<Option<Share>> {
        self.shares
    }

    fn take_users(&mut self, batch: Batch, users: &[Option<UserAnswer>], reading: &Reading) -> Duration {
        let (mut is_clean, mut is_busy, mut longest) = (true, false, 0);
        self.in_vain = 0;
        for (question, user) in batch.questions.into_iter().zip(users) {
            let passes = user.as_ref().is_none_or(|user| user.code.is_passing());
            if passes {
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

    /// Asks the same in smaller parts.
    fn ask_for_less(&mut self, batch: Batch, reading: &Reading) -> Duration {
        self.size.halve();
        let attempts = batch.questions.iter().map(|question| question.attempts).max().unwrap_or_default();
        for question in batch.questions.into_iter().rev() {
            self.ask_again(question, reading);
        }
        pause(attempts)
    }

    fn ask_again(&mut self, question: Question, reading: &Reading) {
        let question = Question { attempts: question.attempts + 1, ..question };
        if question.attempts < MOST_ATTEMPTS {
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
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnswerOutcome, Obstacle, SoapFault};

    const URL: &str = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc";

    fn queue(mailboxes: usize) -> Queue {
        let address = |number| Address::parse(&format!("user{number}@contoso.com")).unwrap();
        Queue::new((0..mailboxes).map(address).collect(), URL)
    }

    fn reading(document: Document, reply: Reply) -> Reading {
        let answer = Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
        Reading { answer: answer.into(), outcome: AnswerOutcome::Found, detail: String::new(), document }
    }

    fn answered(code: SoapCode, users: Vec<Option<UserAnswer>>) -> Reading {
        let settings = UserSettings { server_version: None, code, message: String::new(), users };
        reading(Document::UserSettings(Box::new(SoapAnswer::Settings(settings))), Reply::Document(HttpDocument::default()))
    }

    /// Each answers with the address that it was asked about.
    fn all_well(batch: &Batch) -> Reading {
        let user = |question: &Question| Some(UserAnswer { message: question.address.to_string(), ..UserAnswer::default() });
        answered(SoapCode::NoError, batch.questions.iter().map(user).collect())
    }

    fn user(code: SoapCode, redirect: &str) -> UserAnswer {
        UserAnswer { code, redirect: Some(redirect.to_owned()), ..UserAnswer::default() }
    }

    /// What each share says: its message, or the error code.
    fn said(queue: Queue) -> Vec<String> {
        let each = queue.into_shares().into_iter().map(|share| {
            let share = share.unwrap();
            let Reply::Document(document) = &share.answer.reply else { return "obstacle".to_owned() };
            match wire::parse_user_settings(&document.body, "text/xml", 1) {
                Ok(SoapAnswer::Settings(settings)) => {
                    let user = settings.users[0].clone().unwrap();
                    if user.code == SoapCode::NoError { user.message } else { user.code.as_str().to_owned() }
                }
                other => format!("{other:?}"),
            }
        });
        each.collect()
    }

    #[test]
    fn a_batch_grows_while_all_goes_well_and_never_beyond_its_limit() {
        let mut queue = queue(10_000);
        let mut sizes = Vec::new();
        while let Some(batch) = queue.next() {
            sizes.push(batch.questions.len());
            let answer = all_well(&batch);
            assert_eq!(queue.take(batch, &answer), Duration::ZERO);
        }
        assert_eq!((sizes[0], sizes[9], sizes[10], sizes[20]), (50, 50, 55, 60));
        assert_eq!(sizes.iter().max(), Some(&90));
        let expected: Vec<String> = (0..10_000).map(|number| format!("user{number}@contoso.com")).collect();
        assert!(said(queue) == expected, "each has its own answer");
    }

    #[test]
    fn a_batch_is_halved_where_the_server_asks_for_less() {
        for (code, waits) in [(SoapCode::InvalidRequest, false), (SoapCode::ServerBusy, true)] {
            let mut queue = queue(60);
            let (mut sizes, mut waited) = (Vec::new(), Duration::ZERO);
            while let Some(batch) = queue.next() {
                sizes.push(batch.questions.len());
                let answer = if batch.questions.len() > 13 { answered(code.clone(), Vec::new()) } else { all_well(&batch) };
                waited += queue.take(batch, &answer);
            }
            assert_eq!(sizes[..4], [50, 25, 12, 12], "{code:?}");
            assert_eq!(waited, if waits { Duration::from_secs(2 + 4) } else { Duration::ZERO });
            assert_eq!(said(queue)[59], "user59@contoso.com");
        }
    }

    #[test]
    fn a_request_about_one_mailbox_that_is_refused_is_not_repeated() {
        let mut queue = queue(1);
        let batch = queue.next().unwrap();
        queue.take(batch, &answered(SoapCode::InvalidRequest, Vec::new()));
        assert!(queue.next().is_none());
    }

    #[test]
    fn a_short_list_is_asked_again_for_the_rest() {
        let mut queue = queue(5);
        let batch = queue.next().unwrap();
        let answer = all_well(&batch);
        let Document::UserSettings(mut document) = answer.document.clone() else { panic!() };
        let SoapAnswer::Settings(settings) = &mut *document else { panic!() };
        settings.users[3] = None;
        settings.users[4] = None;
        assert_eq!(queue.take(batch, &Reading { document: Document::UserSettings(document), ..answer }), Duration::ZERO);
        let batch = queue.next().unwrap();
        let mut asked: Vec<String> = batch.questions.iter().map(|question| question.address.to_string()).collect();
        asked.sort();
        assert_eq!(asked, ["user3@contoso.com", "user4@contoso.com"]);
        let answer = all_well(&batch);
        queue.take(batch, &answer);
        assert_eq!(said(queue), (0..5).map(|number| format!("user{number}@contoso.com")).collect::<Vec<_>>());
    }

    #[test]
    fn who_is_never_answered_is_left_after_a_while() {
        let mut queue = queue(3);
        let mut requests = 0;
        while let Some(batch) = queue.next() {
            requests += 1;
            let users = vec![None; batch.questions.len()];
            queue.take(batch, &answered(SoapCode::NoError, users));
        }
        assert_eq!((requests, said(queue)), (MOST_ATTEMPTS, vec!["ServerBusy".to_owned(); 3]));
    }

    #[test]
    fn redirects_are_followed_to_exchange_online_alone_and_not_in_circles() {
        let other = "https://outlook.office365.us/autodiscover/autodiscover.svc";
        for (code, target, onward) in [
            (SoapCode::RedirectAddress, "anna@contoso.mail.onmicrosoft.com", Some((URL, "anna@contoso.mail.onmicrosoft.com"))),
            (SoapCode::RedirectAddress, "USER0@contoso.com", None),
            (SoapCode::RedirectAddress, "nobody", None),
            (SoapCode::RedirectUrl, other, Some((other, "user0@contoso.com"))),
            (SoapCode::RedirectUrl, URL, None),
            (SoapCode::RedirectUrl, "http://outlook.office365.us/autodiscover/autodiscover.svc", None),
            (SoapCode::RedirectUrl, "https://autodiscover.contoso.com/autodiscover/autodiscover.svc", None),
        ] {
            let mut queue = queue(1);
            let batch = queue.next().unwrap();
            queue.take(batch, &answered(SoapCode::NoError, vec![Some(user(code.clone(), target))]));
            let next = queue.next().map(|batch| (batch.questions[0].url.clone(), batch.questions[0].address.to_string()));
            assert_eq!(next, onward.map(|(url, address)| (url.to_owned(), address.to_owned())), "{code:?} {target}");
            if onward.is_none() {
                assert_eq!(said(queue), [code.as_str()], "the redirect is what is known");
            }
        }
    }

    #[test]
    fn an_endless_chain_of_redirects_ends() {
        let mut queue = queue(1);
        let mut requests = 0;
        while let Some(batch) = queue.next() {
            requests += 1;
            let onward = user(SoapCode::RedirectAddress, &format!("a{requests}@contoso.com"));
            queue.take(batch, &answered(SoapCode::NoError, vec![Some(onward)]));
        }
        assert_eq!(requests, 1 + MOST_REDIRECTS);
        let share = queue.into_shares().remove(0).unwrap();
        let Request::Http { message: Message::UserSettings { addresses }, .. } = share.lookup.request else { panic!() };
        assert_eq!(addresses[0].to_string(), "user0@contoso.com", "a share is the mailbox's own");
    }

    #[test]
    fn a_service_that_fails_is_left_alone_soon() {
        let mut queue = queue(1_000);
        let mut requests = 0;
        while let Some(batch) = queue.next() {
            requests += 1;
            queue.take(batch, &reading(Document::Nothing, Reply::Obstacle(Obstacle::ServerError { status: 503 })));
        }
        assert_eq!(requests, MOST_IN_VAIN);
        assert!(said(queue).iter().all(|said| said == "obstacle"));
    }

    #[test]
    fn a_fault_names_the_pause() {
        let mut queue = queue(2);
        let batch = queue.next().unwrap();
        let fault = SoapFault { back_off_ms: Some(30_000), ..SoapFault::default() };
        let answer = reading(Document::UserSettings(Box::new(SoapAnswer::Fault(fault))), Reply::Document(HttpDocument::default()));
        assert_eq!(queue.take(batch, &answer), Duration::from_secs(30));
        assert_eq!(queue.next().unwrap().questions.len(), 2);
    }
}

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

/// Asks to the end; requests, the time between them, and what is left of the queue.
fn go_through(mut queue: Queue, answer: impl Fn(usize, &Batch) -> Reading) -> (usize, Duration, Queue) {
    let (mut requests, mut waited) = (0, Duration::ZERO);
    while let Some(batch) = queue.next() {
        requests += 1;
        let answer = answer(requests, &batch);
        waited += queue.take(batch, &answer);
    }
    (requests, waited, queue)
}

#[test]
fn a_service_that_puts_everybody_off_is_left_alone_soon() {
    let all = |code: SoapCode, batch: &Batch| {
        let each = UserAnswer { code, ..UserAnswer::default() };
        answered(SoapCode::NoError, vec![Some(each); batch.questions.len()])
    };
    let fault = || {
        let fault = SoapFault { response_code: Some("ErrorServerBusy".into()), ..SoapFault::default() };
        reading(Document::UserSettings(Box::new(SoapAnswer::Fault(fault))), Reply::Document(HttpDocument::default()))
    };
    let says: [&dyn Fn(&Batch) -> Reading; 5] = [
        &|_| answered(SoapCode::ServerBusy, Vec::new()),
        &|_| answered(SoapCode::InternalServerError, Vec::new()),
        &|_| fault(),
        &|batch| all(SoapCode::ServerBusy, batch),
        &|batch| all(SoapCode::InternalServerError, batch),
    ];
    for (at, says) in says.iter().enumerate() {
        for mailboxes in [1, 500] {
            let (requests, waited, queue) = go_through(queue(mailboxes), |_, batch| says(batch));
            assert_eq!(requests, MOST_PUT_OFF, "{at} {mailboxes}");
            assert!(waited <= Duration::from_secs(2 + 4 + 8 + 16 + 32), "{at} {mailboxes}: {waited:?}");
            // the last one may be an error of the one mailbox
            assert_eq!(queue.is_spent(), (at, mailboxes) != (4, 1), "{at} {mailboxes}");
            assert_eq!(said(queue), vec!["ServerBusy".to_owned(); mailboxes]);
        }
    }
}

#[test]
fn a_service_that_answers_somebody_now_and_then_is_asked_on() {
    let busy = || answered(SoapCode::ServerBusy, Vec::new());
    let (requests, _, queue) = go_through(queue(60), |request, batch| if request % 6 == 0 { all_well(batch) } else { busy() });
    assert!(requests > 3 * MOST_PUT_OFF && !queue.is_spent(), "{requests}");
    assert_eq!(said(queue)[59], "user59@contoso.com");
}

#[test]
fn the_errors_of_a_few_mailboxes_are_theirs_alone() {
    let (requests, _, queue) = go_through(queue(500), |_, batch| {
        let user = |question: &Question| {
            let number = question.at;
            let code = if [3, 480].contains(&number) { SoapCode::InternalServerError } else { SoapCode::NoError };
            Some(UserAnswer { code, message: question.address.to_string(), ..UserAnswer::default() })
        };
        answered(SoapCode::NoError, batch.questions.iter().map(user).collect())
    });
    assert!(requests <= 11 + MOST_PUT_OFF && !queue.is_spent(), "{requests}");
    let said = said(queue);
    for (number, said) in said.iter().enumerate() {
        let is_well = said.starts_with(&format!("user{number}@"));
        assert_eq!(is_well, ![3, 480].contains(&number), "{number}: {said}");
    }
}

#[test]
fn who_is_never_answered_is_left_after_a_while() {
    // the last ones get an answer now and then
    for (mailboxes, is_told, requests) in [(3, 0, MOST_PUT_OFF), (12, 1, MOST_ATTEMPTS)] {
        let (asked, _, queue) = go_through(queue(mailboxes), |request, batch| {
            let well = |question: &Question| UserAnswer { message: question.address.to_string(), ..UserAnswer::default() };
            let mut users = vec![None; batch.questions.len()];
            let told = batch.questions.iter().position(|question| question.at == request).filter(|_| is_told > 0);
            if let Some(place) = told {
                users[place] = batch.questions.get(place).map(well);
            }
            answered(SoapCode::NoError, users)
        });
        assert_eq!((asked, queue.is_spent()), (requests, false), "{mailboxes}");
        let told = said(queue).iter().filter(|said| *said != "ServerBusy").count();
        assert_eq!(told, is_told * MOST_ATTEMPTS, "{mailboxes}");
    }
}

#[test]
fn only_what_is_asked_again_repeats() {
    let mut queue = queue(1);
    for (code, repeats) in [(SoapCode::ServerBusy, true), (SoapCode::NoError, false)] {
        let batch = queue.next().unwrap();
        let answer = if code == SoapCode::NoError { all_well(&batch) } else { answered(code.clone(), Vec::new()) };
        queue.take(batch, &answer);
        assert_eq!(queue.repeats(), repeats, "{code:?}");
    }
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

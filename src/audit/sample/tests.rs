use super::*;
use crate::model::{AutoDetect, AutoDetectProtocol, AutoDetectService, Cloud};

const ONLINE: Option<Hosting> = Some(Hosting::ExchangeOnline(Cloud::Worldwide));
const OWN: Option<Hosting> = Some(Hosting::OnPremises);

fn address(local: &str) -> Address {
    Address::parse(&format!("{local}@contoso.com")).unwrap()
}

fn reading(outcome: AnswerOutcome, document: Document) -> Reading {
    let answer = Answer { reply: Reply::Redirect(String::new()), hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
    Reading { answer: answer.into(), outcome, detail: "as it was".into(), document }
}

fn services(names: &[&str], of: &Address) -> Reading {
    let service = |name: &&str| AutoDetectService { service: Some((*name).into()), ..AutoDetectService::default() };
    let imap = AutoDetectProtocol { username: Some(of.to_string()), ..AutoDetectProtocol::default() };
    let found = AutoDetect { services: names.iter().map(service).collect(), protocols: vec![imap], ..AutoDetect::default() };
    reading(AnswerOutcome::Found, Document::AutoDetect(Box::new(AutoDetectAnswer::Found(Box::new(found)))))
}

fn failed() -> Reading {
    reading(AnswerOutcome::Failed, Document::Nothing)
}

fn detected(asked: Vec<(&str, Option<Hosting>, Reading)>) -> Detected {
    let mut detected = Detected::default();
    for (local, v2, reading) in asked {
        let mut answers = Answers::default();
        answers.insert(facts::detection(&address(local)), reading);
        detected.add(&address(local), v2, &answers);
    }
    detected
}

fn says(local: &str) -> Reading {
    services(&["office365"], &address(local))
}

#[test]
fn answers_that_agree_stand_for_mailboxes_of_which_v2_says_the_same() {
    let detected = detected(vec![("anna", ONLINE, says("anna")), ("mia", ONLINE, says("mia")), ("zoe", ONLINE, failed())]);
    for (local, v2, held, attempts) in
        [("anna", ONLINE, false, 1), ("bob", ONLINE, false, 0), ("bob", OWN, true, 0), ("zoe", ONLINE, false, 0)]
    {
        let suggestion = detected.suggest(&address(local), v2).unwrap();
        assert_eq!(suggestion.lookup, facts::detection(&address(local)));
        assert_eq!((is_held_back(&suggestion.reading), suggestion.reading.answer.attempts), (held, attempts), "{local} {v2:?}");
        assert_eq!(suggestion.word == AGREED, !held, "{local} {v2:?}");
    }
}

#[test]
fn in_a_hybrid_each_side_has_answers_of_its_own() {
    let own = services(&["exchange"], &address("mia"));
    let detected = detected(vec![("anna", ONLINE, says("anna")), ("mia", OWN, own), ("zoe", ONLINE, says("zoe"))]);
    for (local, v2, service) in [("bob", ONLINE, Some("office365")), ("bob", OWN, Some("exchange")), ("bob", None, None)] {
        let suggestion = detected.suggest(&address(local), v2).unwrap();
        let found = facts::found(&suggestion.reading).and_then(|found| found.services[0].service.as_deref());
        assert_eq!((found, is_held_back(&suggestion.reading)), (service, service.is_none()), "{v2:?}");
    }
    assert_eq!(detected.suggest(&address("mia"), OWN).unwrap().word, AGREED);
}

#[test]
fn answers_that_differ_stand_for_nobody_else() {
    let own = services(&["office365"], &address("zoe"));
    let other = services(&["google"], &address("anna"));
    let detected = detected(vec![("anna", None, other), ("zoe", None, own)]);
    assert!(!detected.is_uniform());
    let word = |local: &str| detected.suggest(&address(local), None).unwrap().word;
    assert!(word("anna") != word("zoe") && word("anna") != word("bob"));
    let held = detected.suggest(&address("bob"), None).unwrap().reading;
    assert!(is_held_back(&held) && held.outcome == AnswerOutcome::Failed && held.detail.contains("a few mailboxes"));
}

#[test]
fn an_address_in_an_answer_is_no_difference_and_neither_is_a_failure() {
    let told = |zoe: Reading| detected(vec![("anna", None, says("anna")), ("zoe", None, zoe)]);
    assert!(told(says("zoe")).is_uniform());
    let in_doubt = told(failed());
    assert!(!in_doubt.is_uniform() && in_doubt.agreed(None).is_some(), "the other's answer stands for it");
    let down = detected(vec![("anna", None, failed()), ("zoe", None, failed())]);
    assert!(down.is_uniform());
    let of_bob = down.suggest(&address("bob"), None).unwrap();
    assert_eq!((of_bob.reading.detail.as_str(), is_held_back(&of_bob.reading)), ("as it was", false));
    assert!(Detected::default().is_uniform() && Detected::default().suggest(&address("bob"), None).is_none());
}

#[test]
fn two_accounts_are_nobody_else_s() {
    let both = |local: &str| services(&["office365", "outlook"], &address(local));
    let detected = detected(vec![("anna", None, both("anna")), ("zoe", None, both("zoe"))]);
    assert!(!detected.is_uniform());
    assert_ne!(detected.suggest(&address("anna"), None).unwrap().word, AGREED);
    let of_bob = detected.suggest(&address("bob"), None).unwrap();
    assert_eq!((of_bob.word.as_str(), of_bob.reading.answer.attempts), (AGREED, 0));
}

#[test]
fn two_accounts_of_one_mailbox_leave_the_answers_about_the_others_as_they_are() {
    let both = services(&["office365", "outlook"], &address("mia"));
    let detected = detected(vec![("anna", None, says("anna")), ("mia", None, both), ("zoe", None, says("zoe"))]);
    let told = |local: &str| {
        let suggestion = detected.suggest(&address(local), None).unwrap();
        (suggestion.word == AGREED, facts::found(&suggestion.reading).map(|found| found.services.len()))
    };
    assert_eq!([told("anna"), told("bob"), told("mia")], [(true, Some(1)), (true, Some(1)), (false, Some(2))]);
}

#[test]
fn the_middle_and_the_last_stand_beside_the_first() {
    let mailbox = |number: usize| Mailbox { address: address(&format!("u{number}")), profile: std::sync::Arc::default(), person: None };
    for (count, expected) in [(0, vec![]), (1, vec![]), (2, vec!["u1"]), (3, vec!["u1", "u2"]), (10, vec!["u4", "u9"])] {
        let mailboxes: Vec<Mailbox> = (0..count).map(mailbox).collect();
        let locals: Vec<&str> = samples(&mailboxes).map(|mailbox| mailbox.address.local()).collect();
        assert_eq!(locals, expected);
    }
}

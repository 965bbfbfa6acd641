//! Single flight, the one retry, and hosts that ask for a pause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use super::{
    super::memory::Memory,
    stage::{Stage, body, get, obstacle},
    web_server::{Act, Seen, answer, redirect, say, xml},
};
use crate::model::Obstacle;

#[tokio::test]
async fn a_hundred_who_ask_the_same_share_one_request() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let (network, mut askers) = (stage.network(), JoinSet::new());
    for _ in 0..100 {
        let network = network.clone();
        askers.spawn(async move { network.ask(&get("https://contoso.com/")).await });
    }
    let answers = askers.join_all().await;
    assert!(answers.iter().all(|answer| body(answer) == "<a/>"));
    assert_eq!(body(&network.ask(&get("https://contoso.com/")).await), "<a/>", "and who asks later shares it, too");
    assert_eq!((stage.secure.seen().len(), network.counters().http_requests), (1, 1));
}

#[tokio::test]
async fn one_who_gives_up_does_not_take_the_others_along() {
    let stage = Stage::new(|seen| if seen.number == 1 { Act::Stall(Vec::new()) } else { xml("<a/>") }).await;
    let network = stage.network();
    let request = get("https://contoso.com/");
    let impatient = tokio::time::timeout(Duration::from_millis(100), network.ask(&request));
    let (gone, answer) = tokio::join!(impatient, network.ask(&request));
    assert!(gone.is_err());
    assert_eq!(body(&answer), "<a/>");
}

#[tokio::test]
async fn what_fails_once_is_asked_again_and_then_believed() {
    let stage = Stage::new(|seen| match (seen.path(), seen.number % 2) {
        ("/flaky", 1) => say(500),
        ("/worse", 1) => Act::Cut(Vec::new()),
        ("/flaky", _) => xml("<a/>"),
        ("/worse", _) => say(503),
        _ => say(404),
    })
    .await;
    let network = stage.network();
    let answer = network.ask(&get("https://contoso.com/flaky")).await;
    assert_eq!((body(&answer), answer.attempts, answer.hops.len()), ("<a/>", 2, 1));
    let answer = network.ask(&get("https://contoso.com/worse")).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::ServerError { status: 503 }, 2));
    let answer = network.ask(&get("https://contoso.com/gone")).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::NotThere { status: 404 }, 1));
    let counters = network.counters();
    assert_eq!((counters.http_requests, counters.retries, counters.held), (5, 2, 0));
}

#[tokio::test]
async fn a_failure_is_believed_for_a_while_and_not_for_the_whole_run() {
    let failing = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&failing);
    let stage = Stage::new(move |seen| match seen.path() {
        "/gone" => say(404),
        _ if fails.load(Ordering::SeqCst) => say(503),
        _ => xml("<a/>"),
    })
    .await;
    let (shared, gone) = (get("https://contoso.com/shared"), get("https://contoso.com/gone"));
    let network = stage.network();
    let (first, second) = tokio::join!(network.ask(&shared), network.ask(&shared));
    for answer in [first, second, network.ask(&shared).await] {
        assert_eq!(obstacle(&answer), &Obstacle::ServerError { status: 503 });
    }
    assert_eq!(stage.secure.seen().len(), 2, "two attempts, shared by all who ask within the minute");
    let mut network = stage.network();
    Arc::get_mut(&mut network.core).unwrap().answers = Memory::new(Duration::ZERO);
    let (first, second) = tokio::join!(network.ask(&shared), network.ask(&shared));
    assert_eq!((obstacle(&first), obstacle(&second)), (&Obstacle::ServerError { status: 503 }, &Obstacle::ServerError { status: 503 }));
    assert_eq!(stage.secure.seen().len(), 4, "equal requests at the same time are one");
    failing.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(body(&network.ask(&shared).await), "<a/>");
        assert_eq!(obstacle(&network.ask(&gone).await), &Obstacle::NotThere { status: 404 });
    }
    assert_eq!(stage.secure.seen().len(), 6, "what was told is kept");
}

#[tokio::test]
async fn a_host_that_was_left_alone_is_asked_again_later() {
    let busy_once = AtomicBool::new(true);
    let stage = Stage::new(move |_| if busy_once.swap(false, Ordering::SeqCst) { busy(503, "1") } else { xml("<a/>") }).await;
    let mut network = stage.network();
    let core = Arc::get_mut(&mut network.core).unwrap();
    (core.answers, core.hold_limit) = (Memory::new(Duration::ZERO), Duration::ZERO);
    assert_eq!(obstacle(&network.ask(&get("https://contoso.com/first")).await), &Obstacle::ServerError { status: 503 });
    let second = get("https://contoso.com/second");
    assert_eq!(obstacle(&network.ask(&second).await), &Obstacle::Held);
    Arc::get_mut(&mut network.core).unwrap().hold_limit = Duration::from_secs(5);
    assert_eq!(body(&network.ask(&second).await), "<a/>");
}

#[tokio::test]
async fn the_second_attempt_waits_for_the_pause() {
    let mut stage = Stage::new(|seen| if seen.number == 1 { say(500) } else { xml("<a/>") }).await;
    stage.settings.retry_pause_milliseconds = 300;
    let start = Instant::now();
    assert_eq!(body(&stage.get("https://contoso.com/").await), "<a/>");
    assert!(start.elapsed() >= Duration::from_millis(300));
}

fn busy(status: u16, retry_after: &str) -> Act {
    Act::Say(answer(status, &[("Retry-After", retry_after)], b""))
}

fn date_after(seconds: i64) -> String {
    let date = crate::clock::Clock::system().now() + jiff::SignedDuration::from_secs(seconds);
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap()
}

#[tokio::test]
async fn a_host_that_asks_for_a_pause_gets_it_and_then_answers() {
    for form in ["1", "date"] {
        let stage = Stage::new(move |seen| match (seen.path(), form) {
            ("/first", "1") if seen.number == 1 => busy(429, "1"),
            // Dates have whole seconds: two from now is at least one.
            ("/first", _) if seen.number == 1 => busy(503, &date_after(2)),
            _ => xml("<a/>"),
        })
        .await;
        let (network, start) = (stage.network(), Instant::now());
        let answer = network.ask(&get("https://contoso.com/first")).await;
        assert_eq!((body(&answer), answer.attempts), ("<a/>", 2), "{form}");
        assert!(start.elapsed() >= Duration::from_millis(990), "{form}");
        assert_eq!(network.counters().held, 0);
    }
}

#[tokio::test]
async fn a_pause_is_for_the_whole_host_also_for_those_who_queue_and_for_no_other() {
    let busy_once = AtomicBool::new(true);
    let mut stage = Stage::new(move |seen| match seen.path() {
        "/other" => xml("<a/>"),
        _ if busy_once.swap(false, Ordering::SeqCst) => busy(503, "1"),
        _ => xml("<a/>"),
    })
    .await;
    stage.settings.host_concurrency = 1;
    let network = stage.network();
    let urls = ["https://contoso.com/first", "https://contoso.com/second", "http://contoso.com/third", "https://fabrikam.com/other"];
    let requests = urls.map(get);
    let [first, second, third, other] = requests.each_ref().map(|request| network.ask(request));
    let answers: [_; 4] = tokio::join!(first, second, third, other).into();
    assert!(answers.iter().all(|answer| body(answer) == "<a/>"));
    let (others, mut seen): (Vec<Seen>, Vec<Seen>) =
        [stage.secure.seen(), stage.plain.seen()].concat().into_iter().partition(|seen| seen.path() == "/other");
    seen.sort_by_key(|seen| seen.at);
    assert_eq!((seen.len(), network.counters().held), (4, 0));
    assert!(seen[1..].iter().all(|later| later.at - seen[0].at >= Duration::from_secs(1)), "nothing was sent while the pause lasted");
    assert!(others[0].at - seen[0].at < Duration::from_secs(1));
}

#[tokio::test]
async fn a_host_that_asks_for_more_than_we_wait_is_left_alone() {
    let stage = Stage::new(|seen| match seen.path() {
        "/elsewhere" => redirect(302, "https://contoso.com/second"),
        "/first" => busy(503, "3600"),
        _ => xml("<a/>"),
    })
    .await;
    let network = stage.network();
    let answer = network.ask(&get("https://contoso.com/first")).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::ServerError { status: 503 }, 1), "the second attempt was not sent");
    let answer = network.ask(&get("https://contoso.com/second")).await;
    assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&Obstacle::Held, 1, 0));
    let answer = network.ask(&get("https://fabrikam.com/elsewhere")).await;
    assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&Obstacle::Held, 1, 1), "by way of another host");
    assert_eq!(body(&network.ask(&get("https://fabrikam.com/")).await), "<a/>");
    let counters = network.counters();
    assert_eq!((counters.http_requests, counters.retries, counters.held), (3, 0, 3));
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_the_settings_allow() {
    // (in all, to one host, hosts, the most that may be seen)
    for (all, each, hosts, most) in [(3, 4, 8, 3), (64, 2, 1, 2), (64, 2, 2, 4)] {
        let mut stage = Stage::new(|_| Act::Late(Duration::from_millis(30), answer(200, &[], b"<a/>"))).await;
        (stage.settings.concurrency, stage.settings.host_concurrency) = (all, each);
        let (network, mut askers) = (stage.network(), JoinSet::new());
        for number in 0..24 {
            let network = network.clone();
            askers.spawn(async move { network.ask(&get(&format!("https://host{}.contoso.com/{number}", number % hosts))).await });
        }
        assert!(askers.join_all().await.iter().all(|answer| body(answer) == "<a/>"));
        assert_eq!(stage.secure.seen().iter().map(|seen| seen.in_flight).max(), Some(most), "{all} {each} {hosts}");
    }
}

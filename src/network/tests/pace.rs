//! The pace of each kind of lookup: what is switched off, what waits, and what is left alone.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{
    super::{Pace, Settings},
    dns_server::{DnsServer, Say, Zone, mx},
    stage::{Stage, address, body, get, network, obstacle, of_kind, settings_for},
    web_server::{Act, answer, say, xml},
};
use crate::model::{Domain, LookupKind, Message, Obstacle, Reply, Request};

fn with_pace(mut settings: Settings, kind: LookupKind, pace: Pace) -> Settings {
    settings.paces.set(kind, pace);
    settings
}

fn off() -> Pace {
    Pace { enabled: false, concurrency: 0, requests_per_second: 0.0 }
}

fn url(path: &str) -> Request {
    Request::Http { url: format!("https://contoso.com/{path}"), message: Message::Get { address: None } }
}

#[tokio::test]
async fn what_is_switched_off_is_never_sent_and_takes_nothing_from_others() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = network(&with_pace(stage.settings.clone(), LookupKind::Ispdb, off())).unwrap();
    assert!(!network.is_enabled(LookupKind::Ispdb) && network.is_enabled(LookupKind::MxIspdb));
    let lookup = of_kind(LookupKind::Ispdb, get("https://contoso.com/").request);
    for _ in 0..2 {
        let answer = network.ask(&lookup).await;
        assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&Obstacle::Withheld, 0, 0));
    }
    assert!(stage.secure.seen().is_empty());
    assert_eq!(network.counters().lookups, [0; 5]);
    assert_eq!(body(&network.ask(&of_kind(LookupKind::MxIspdb, lookup.request.clone())).await), "<a/>");
    assert_eq!(obstacle(&network.ask(&lookup).await), &Obstacle::Withheld, "known by another kind, and still off");
}

#[tokio::test]
async fn dns_can_be_switched_off_as_well() {
    let dns = DnsServer::start(Zone::default().anything(Say::Records(vec![mx(1, "mx.contoso.com")]))).await;
    let network = network(&with_pace(settings_for(&dns), LookupKind::Mx, off())).unwrap();
    let request = Request::Mx { domain: Domain::parse("contoso.com").unwrap() };
    assert_eq!(obstacle(&network.ask(&of_kind(LookupKind::Mx, request)).await), &Obstacle::Withheld);
    assert!(dns.asked().is_empty());
}

#[tokio::test]
async fn a_clients_own_table_is_never_asked() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let answer = stage.network().ask(&of_kind(LookupKind::BuiltIn, Request::BuiltIn { row: "MSN".into() })).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::Withheld, 1));
}

#[tokio::test]
async fn no_more_of_a_kind_are_in_flight_than_its_pace_says() {
    let stage = Stage::new(|_| Act::Late(Duration::from_millis(30), answer(200, &[], b"<a/>"))).await;
    let kind = LookupKind::Jmap;
    for (concurrency, most) in [(1, 1), (2, 2), (0, 4)] {
        let network =
            network(&with_pace(stage.settings.clone(), kind, Pace { enabled: true, concurrency, requests_per_second: 0.0 })).unwrap();
        let (before, mut askers) = (stage.secure.seen().len(), JoinSet::new());
        for number in 0..16 {
            let network = network.clone();
            askers.spawn(async move { network.ask(&of_kind(kind, url(&number.to_string()))).await });
        }
        assert!(askers.join_all().await.iter().all(|answer| matches!(answer.reply, Reply::Document(_))));
        let in_flight = stage.secure.seen()[before..].iter().map(|seen| seen.in_flight).max();
        assert_eq!(in_flight, Some(most), "{concurrency}");
    }
}

#[tokio::test]
async fn after_three_refusals_autodetect_is_left_alone_for_the_rest_of_the_run() {
    let stage = Stage::new(|seen| if seen.path().starts_with("/busy") { say(503) } else { xml("<a/>") }).await;
    // its own pace would make the test wait
    let pace = Pace { enabled: true, concurrency: 1, requests_per_second: 0.0 };
    let network = network(&with_pace(stage.settings.clone(), LookupKind::Autodetect, pace)).unwrap();
    let detect = |path: &str| {
        let message = Message::Detect { address: address() };
        of_kind(LookupKind::Autodetect, Request::Http { url: format!("https://contoso.com/{path}"), message })
    };
    let answer = network.ask(&detect("busy1")).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::ServerError { status: 503 }, 2));
    assert_eq!(body(&network.ask(&detect("fine1")).await), "<a/>");
    let answer = network.ask(&detect("busy2")).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::ServerError { status: 503 }, 1), "the third was the last");
    for path in ["fine2", "busy3"] {
        let answer = network.ask(&detect(path)).await;
        assert_eq!((obstacle(&answer), answer.hops.len()), (&Obstacle::Held, 0), "{path}");
    }
    assert_eq!(body(&network.ask(&detect("fine1")).await), "<a/>", "what is known is known");
    network.forget_failures().await;
    assert_eq!(obstacle(&network.ask(&detect("busy1")).await), &Obstacle::Held, "also for who asks again");
    assert_eq!(body(&network.ask(&of_kind(LookupKind::AutodiscoverV2, url("fine3"))).await), "<a/>", "others go on");
    assert_eq!(stage.secure.seen().len(), 5);
}

#[tokio::test]
async fn who_is_left_alone_is_not_asked_any_more() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = stage.network();
    let of = |kind, path: &str| of_kind(kind, url(path));
    assert_eq!(body(&network.ask(&of(LookupKind::Jmap, "known")).await), "<a/>");
    network.leave_alone(LookupKind::Jmap);
    let answer = network.ask(&of(LookupKind::Jmap, "new")).await;
    assert_eq!((obstacle(&answer), answer.hops.len()), (&Obstacle::Held, 0));
    assert_eq!(body(&network.ask(&of(LookupKind::Jmap, "known")).await), "<a/>", "what is known is known");
    assert_eq!(body(&network.ask(&of(LookupKind::Ispdb, "other")).await), "<a/>", "others go on");
    assert_eq!(stage.secure.seen().len(), 2);
    assert_eq!(body(&stage.network().ask(&of(LookupKind::Jmap, "new")).await), "<a/>", "the next run asks again");
}

#[tokio::test]
async fn an_answer_that_is_forgotten_is_asked_for_again_and_no_other() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = stage.network();
    let [first, second] = ["1", "2"].map(|path| of_kind(LookupKind::Jmap, url(path)));
    network.ask(&first).await;
    network.ask(&second).await;
    network.forget(&first).await;
    for lookup in [&first, &second] {
        network.ask(lookup).await;
    }
    let paths: Vec<String> = stage.secure.seen().iter().map(|seen| seen.path().to_owned()).collect();
    assert_eq!(paths, ["/1", "/2", "/1"]);
}

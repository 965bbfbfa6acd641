//! Delivery: every notice arrives, in order, under one id, and once it is acknowledged never again.

use std::time::Duration;

use autodiscover_audit::{
    alert::Channel,
    model::{Change, Concern},
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    super::fakenet::sink::{Post, Say, Sink},
    NOW, Site, finding, webhook,
};

/// Story and domain of each incident of a notice.
fn told(post: &Post) -> Vec<(String, String)> {
    let body: Value = serde_json::from_str(&post.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let incidents = body["data"]["incidents"].as_array().unwrap();
    incidents.iter().map(|incident| (text(&incident["story"]), text(&incident["domain"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(story, domain)| ((*story).to_owned(), (*domain).to_owned())).collect()
}

fn ids(sink: &Sink) -> Vec<String> {
    sink.posts().iter().map(|post| post.header("webhook-id").to_owned()).collect()
}

fn one(sink: &Sink) -> Vec<Channel> {
    vec![webhook("ops", &sink.url("/in"))]
}

#[tokio::test]
async fn what_is_acknowledged_is_never_sent_again() {
    for status in [200, 202, 204] {
        let (site, sink) = (Site::new().await, Sink::start().await);
        sink.script([Say::status(status)]);
        let delivery = site.delivery(one(&sink));
        site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
        for _ in 0..3 {
            delivery.deliver_due().await;
            site.hand.pass(100_000);
        }
        assert_eq!(told(&sink.posts()[0]), pairs(&[("opened", "contoso.com")]));
        assert_eq!(sink.posts().len(), 1, "{status}");
        assert_eq!(site.queue("ops").await.waiting, 0);
    }
}

#[tokio::test]
async fn a_failure_that_is_definite_is_tried_again_under_the_same_id() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    sink.script([Say::status(500), Say::status(503), Say::status(429)]);
    let delivery = site.delivery(one(&sink));
    site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    delivery.deliver_due().await;
    assert_eq!(sink.posts().len(), 1, "not before the pause is over");
    for _ in 0..5 {
        site.hand.pass(3_600);
        delivery.deliver_due().await;
    }
    assert_eq!(sink.posts().len(), 4);
    assert!(ids(&sink).iter().all(|id| *id == ids(&sink)[0]), "{:?}", ids(&sink));
    assert!(sink.posts().iter().all(|post| post.body == sink.posts()[0].body));
    assert!(sink.posts()[0].header("webhook-timestamp") < sink.posts()[3].header("webhook-timestamp"));
}

#[tokio::test]
async fn what_opened_and_resolved_while_the_channel_was_down_is_one_message() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    sink.script([Say::status(500)]);
    let delivery = site.delivery(one(&sink));
    site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    site.hand.pass(3_600);
    site.happen(&finding("contoso.com"), Change::Resolved, &["ops"]).await;
    site.happen(&finding("fabrikam.com"), Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    assert_eq!(told(&sink.posts()[1]), pairs(&[("opened", "fabrikam.com"), ("opened-and-resolved", "contoso.com")]));
    assert_eq!(sink.posts().len(), 2);
    assert_ne!(ids(&sink)[0], ids(&sink)[1], "it tells something else");
}

#[tokio::test]
async fn an_attempt_of_unknown_fate_is_repeated_word_for_word_and_what_came_later_follows() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    sink.script([Say::Reset]);
    let delivery = site.delivery(one(&sink));
    site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    site.hand.pass(3_600);
    site.happen(&finding("contoso.com"), Change::Resolved, &["ops"]).await;
    delivery.deliver_due().await;
    site.hand.pass(2);
    delivery.deliver_due().await;
    let posts = sink.posts();
    assert_eq!(posts.len(), 3);
    assert_eq!((&ids(&sink)[0], &posts[0].body), (&ids(&sink)[1], &posts[1].body));
    assert_eq!(told(&posts[2]), pairs(&[("resolved", "contoso.com")]));
}

#[tokio::test]
async fn silence_is_an_unknown_fate() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    sink.script([Say::Silence]);
    let delivery = site.delivery(one(&sink));
    site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
    let later = async {
        sink.wait_for(1).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        tokio::time::resume();
    };
    tokio::join!(delivery.deliver_due(), later);
    assert_eq!(site.queue("ops").await.last_error.as_deref(), Some("no answer in time, after the notice was sent"));
    site.hand.pass(3_600);
    delivery.deliver_due().await;
    assert_eq!(ids(&sink)[0], ids(&sink)[1]);
}

#[tokio::test]
async fn retry_after_is_a_floor_that_nothing_clears_early() {
    for (retry_after, floor) in [("7200", 7_200), ("Sun, 22 Nov 2026 12:00:00 GMT", 7_200), ("999999999", 86_400)] {
        let (site, sink) = (Site::new().await, Sink::start().await);
        sink.script([Say::later(429, retry_after)]);
        // the channel's clock stands at its beginning, as the hand of the site does here
        let delivery = site.delivery(one(&sink));
        site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
        delivery.deliver_due().await;
        site.hand.pass(floor - 1);
        site.happen(&Concern::Outage, Change::Opened, &["ops"]).await;
        delivery.prepare().await.unwrap();
        delivery.deliver_due().await;
        assert_eq!(sink.posts().len(), 1, "{retry_after}: another notice, and a restart, clear nothing");
        assert_eq!(site.queue("ops").await.not_before, NOW + floor);
        for _ in 0..2 {
            site.hand.pass(2);
            delivery.deliver_due().await;
        }
        assert_eq!(sink.posts().len(), 3, "{retry_after}");
    }
}

#[tokio::test]
async fn a_channel_that_refuses_us_is_paused_and_told_of_on_the_others() {
    for status in [401, 403, 404, 410, 307] {
        let (site, broken, fine) = (Site::new().await, Sink::start().await, Sink::start().await);
        let refusal = || if status == 307 { Say::redirect(&fine.url("/stolen")) } else { Say::status(status) };
        broken.script([refusal(), refusal()]);
        let delivery = site.delivery(vec![webhook("ops", &broken.url("/in")), webhook("team", &fine.url("/in"))]);
        site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
        delivery.deliver_due().await;
        site.hand.pass(60);
        delivery.deliver_due().await;
        assert_eq!((site.trouble("ops").await, site.trouble("team").await), (Some(true), None), "{status}");
        assert_eq!((broken.posts().len(), fine.posts().len()), (1, 1), "{status}: {:?}", fine.posts());
        assert!(fine.posts()[0].path == "/in" && fine.posts()[0].body.contains("The channel ops takes no notices"));
        // what happens meanwhile waits, for longer than anything else waits
        site.hand.pass(100 * 3_600);
        site.happen(&finding("contoso.com"), Change::Resolved, &["ops"]).await;
        delivery.deliver_due().await;
        assert_eq!(broken.posts().len(), 2, "tried again, and refused again");
        delivery.prepare().await.unwrap();
        delivery.deliver_due().await;
        assert_eq!(told(&broken.posts()[2]), pairs(&[("opened-and-resolved", "contoso.com")]), "a restart tries at once");
        assert_eq!(site.trouble("ops").await, Some(false));
        site.hand.pass(60);
        delivery.deliver_due().await;
        assert!(fine.posts()[1].body.contains("The channel ops takes notices again"));
        assert_eq!(site.queue("ops").await.paused_at, None);
    }
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_shortened_once_and_then_given_up_and_told_of() {
    for (answers, is_taken) in [(vec![413], true), (vec![413, 413], false), (vec![400, 422], false)] {
        let (site, strict, fine) = (Site::new().await, Sink::start().await, Sink::start().await);
        strict.script(answers.iter().copied().map(Say::status));
        let delivery = site.delivery(vec![webhook("ops", &strict.url("/in")), webhook("team", &fine.url("/in"))]);
        for number in 0..40 {
            site.happen(&finding(&format!("d{number}.contoso.com")), Change::Opened, &["ops"]).await;
        }
        delivery.deliver_due().await;
        site.hand.pass(60);
        delivery.deliver_due().await;
        let posts = strict.posts();
        assert_eq!(posts.len(), 2);
        assert!(posts[1].body.len() <= 10_000 && posts[0].body.len() > 10_000 && posts[0].body.len() <= 20_000);
        assert_eq!(posts[0].header("webhook-id"), posts[1].header("webhook-id"));
        let queue = site.queue("ops").await;
        assert_eq!((queue.waiting, queue.dead), (0, u64::from(!is_taken)));
        assert_eq!(site.trouble("ops").await, (!is_taken).then_some(true));
        assert_eq!(fine.posts().len(), usize::from(!is_taken));
    }
}

#[tokio::test]
async fn what_cannot_be_delivered_for_three_days_is_given_up_and_told_of() {
    let (site, fine) = (Site::new().await, Sink::start().await);
    // nobody listens there once the sink is gone
    let address = Sink::start().await.url("/in");
    let delivery = site.delivery(vec![webhook("ops", &address), webhook("team", &fine.url("/in"))]);
    site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    assert_eq!(site.queue("ops").await.last_error.as_deref(), Some("the connection was refused"));
    site.hand.pass(72 * 3_600 - 10);
    delivery.deliver_due().await;
    assert_eq!((site.queue("ops").await.dead, site.trouble("ops").await), (0, None));
    site.hand.pass(3_700);
    delivery.deliver_due().await;
    assert_eq!((site.queue("ops").await.waiting, site.queue("ops").await.dead), (0, 1));
    site.hand.pass(60);
    delivery.deliver_due().await;
    assert_eq!(site.trouble("ops").await, Some(true));
    assert!(fine.posts()[0].body.contains("was given up; last: the connection was refused"), "{:?}", fine.posts());
}

#[tokio::test]
async fn a_channel_that_is_silent_holds_up_no_other() {
    let (site, silent, fine) = (Site::new().await, Sink::start().await, Sink::start().await);
    silent.script([Say::Silence]);
    let delivery = site.delivery(vec![webhook("ops", &silent.url("/in")), webhook("team", &fine.url("/in"))]);
    site.happen(&finding("contoso.com"), Change::Opened, &["ops", "team"]).await;
    let stop = CancellationToken::new();
    let watch = async {
        tokio::join!(silent.wait_for(1), fine.wait_for(1));
        site.hand.pass(2);
        site.happen(&Concern::Outage, Change::Opened, &["team"]).await;
        site.waker.wake();
        fine.wait_for(2).await;
        // from here on time passes as soon as nobody has anything to do
        tokio::time::pause();
        stop.cancel();
    };
    tokio::join!(delivery.run(&stop), watch);
    tokio::time::resume();
    assert_eq!(site.queue("ops").await.waiting, 1, "it was under way at the stop, and its fate is not known");
    assert_eq!(silent.posts().len(), 1);
}

#[tokio::test]
async fn whoever_wakes_the_channels_has_it_delivered_at_once() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    let delivery = site.delivery(one(&sink));
    let stop = CancellationToken::new();
    let story = async {
        site.happen(&finding("contoso.com"), Change::Opened, &["ops"]).await;
        site.waker.wake();
        sink.wait_for(1).await;
        site.hand.pass(10);
        site.happen(&finding("contoso.com"), Change::Resolved, &["ops"]).await;
        site.waker.wake();
        sink.wait_for(2).await;
        stop.cancel();
    };
    tokio::join!(delivery.run(&stop), story);
    assert_eq!(site.queue("ops").await.waiting, 0);
    assert_ne!(ids(&sink)[0], ids(&sink)[1]);
}

#[tokio::test]
async fn what_waits_for_a_channel_that_is_gone_is_given_up_at_the_next_start() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    site.happen(&finding("contoso.com"), Change::Opened, &["former", "ops"]).await;
    let delivery = site.delivery(one(&sink));
    assert_eq!(delivery.prepare().await.unwrap(), 1);
    delivery.deliver_due().await;
    assert_eq!(sink.posts().len(), 1);
    assert_eq!(site.queue("former").await.dead, 1);
}

#[tokio::test]
async fn draining_waits_for_what_is_due_in_time_and_for_nothing_else() {
    let (site, broken, busy) = (Site::new().await, Sink::start().await, Sink::start().await);
    broken.script([Say::status(401)]);
    busy.script([Say::later(429, "7200")]);
    let delivery = site.delivery(vec![webhook("ops", &broken.url("/in")), webhook("team", &busy.url("/in"))]);
    site.happen(&finding("contoso.com"), Change::Opened, &["ops", "team"]).await;
    site.hand.hurry();
    let drained = tokio::time::timeout(Duration::from_mins(1), delivery.drain(Duration::from_secs(3_500))).await;
    let waiting: Vec<(String, u64)> = drained.unwrap().unwrap().into_iter().map(|queue| (queue.channel, queue.waiting)).collect();
    // the incident about `ops` waits for `team`, too
    assert_eq!(waiting, [("ops".to_owned(), 1), ("team".to_owned(), 2)]);
}

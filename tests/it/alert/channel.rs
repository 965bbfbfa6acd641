//! Each channel over a real socket: what it sends, and what it makes of the answers.

use autodiscover_audit::{
    alert::{Attempt, Channel, destinations, queued},
    model::{Change, Concern},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    super::fakenet::sink::{Say, Sink},
    SESAME, Site, finding, open, try_out, webhook,
};

fn teams(sink: &Sink, more: &str) -> Channel {
    open(&format!("kind = 'teams'\nurl = {{ credential = 'url' }}\n{more}"), &[("url", &sink.url("/workflows/1?sig=sesame"))]).unwrap()
}

#[tokio::test]
async fn teams_takes_202_unless_the_flow_has_to_answer_200() {
    let sink = Sink::start().await;
    let flow_failed = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
    let too_large = "Microsoft Teams endpoint returned HTTP error 413 with ContextId";
    for (say, more, expected) in [
        (Say::status(202), "", "delivered"),
        (Say::status(200), "require_ok = true", "delivered"),
        (Say::status(202), "require_ok = true", "refused: the channel answered 202, not 200"),
        (Say::body(200, flow_failed), "", "not delivered: the channel answered 200, and that delivery failed"),
        (Say::body(200, too_large), "", "not accepted: the channel answered 200, and that the card is too large"),
        (Say::later(429, "30"), "", "not delivered: the channel answered 429"),
    ] {
        sink.script([say.clone()]);
        let attempt = try_out(&teams(&sink, more)).await;
        assert!(attempt.to_string().starts_with(expected), "{say:?} {more}: {attempt}");
    }
    let card: Value = serde_json::from_str(&sink.posts()[0].body).unwrap();
    assert_eq!(card["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    assert!(card["summary"].as_str().unwrap().starts_with("Test: "));
}

#[tokio::test]
async fn the_retired_connectors_of_teams_are_warned_of() {
    for (url, is_retired) in [
        ("https://contoso.webhook.office.com/webhookb2/1", true),
        ("https://outlook.office.com/webhook/1", true),
        ("https://1.2.environment.api.powerplatform.com/powerautomate/automations/direct/workflows/1?sig=1", false),
        ("https://webhook.office.com.example/", false),
    ] {
        let channel = open("kind = 'teams'\nurl = { credential = 'url' }", &[("url", url)]).unwrap();
        assert_eq!(channel.warning().is_some(), is_retired, "{url}");
    }
}

#[tokio::test]
async fn slack_is_sent_blocks_over_tls_with_an_own_authority() {
    let sink = Sink::start_secure().await;
    let secrets = [("url", sink.url("/services/1"))];
    let secrets: Vec<(&str, &str)> = secrets.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let with = |http: &str| open(&format!("kind = 'slack'\nurl = {{ credential = 'url' }}\nhttp = {http}"), &secrets).unwrap();
    let attempt = try_out(&with(&format!("{{ ca_files = ['{}'], proxy = 'none' }}", sink.ca_file().display()))).await;
    assert_eq!(attempt, Attempt::Delivered);
    let message: Value = serde_json::from_str(&sink.posts()[0].body).unwrap();
    assert_eq!(message["blocks"][0]["type"], "header");
    let attempt = try_out(&with("{ proxy = 'none' }")).await;
    let Attempt::Retry { reason, is_definite: true, .. } = &attempt else { panic!("{attempt:?}") };
    assert_eq!(reason, "the certificate's issuer is not trusted");
}

#[tokio::test]
async fn the_webhook_is_signed_by_each_secret() {
    let sink = Sink::start().await;
    let keys = [[7_u8; 32], [8; 32]];
    let secrets = keys.map(|key| format!("whsec_{}", STANDARD.encode(key)));
    let toml = format!(
        "kind = 'webhook'\nurl = '{}'\nsecrets = [{{ credential = 'new' }}, {{ credential = 'old' }}]\nheaders = {{ Authorization = {{ credential = 'token' }} }}",
        sink.url("/in")
    );
    let channel = open(&toml, &[("new", &secrets[0]), ("old", &secrets[1]), ("token", "Bearer sesame")]).unwrap();
    assert_eq!(try_out(&channel).await, Attempt::Delivered);
    let post = &sink.posts()[0];
    let signed = |key: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(format!("{}.{}.{}", post.header("webhook-id"), post.header("webhook-timestamp"), post.body).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    };
    assert_eq!(post.header("webhook-signature"), format!("{} {}", signed(&keys[0]), signed(&keys[1])));
    assert_eq!((post.header("idempotency-key"), post.header("authorization")), (post.header("webhook-id"), "Bearer sesame"));
    assert_eq!(serde_json::from_str::<Value>(&post.body).unwrap()["type"], "notice.test");
}

#[tokio::test]
async fn pagerduty_is_reached_through_a_proxy_and_told_of_each_group_once() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    let toml = format!(
        "kind = 'pagerduty'\nrouting_key = {{ credential = 'key' }}\nregion = 'eu'\nhttp = {{ proxy = '{}', ca_files = ['{}'] }}",
        sink.url(""),
        sink.ca_file().display()
    );
    let delivery = site.delivery(vec![open(&toml, &[("key", SESAME)]).unwrap()]);
    sink.script([Say::status(202), Say::status(429)]);
    for domain in ["contoso.com", "fabrikam.com"] {
        site.happen(&finding(domain), Change::Opened, &["ops"]).await;
    }
    delivery.deliver_due().await;
    site.happen(&Concern::Outage, Change::Opened, &["ops"]).await;
    delivery.deliver_due().await;
    site.hand.pass(3_600);
    delivery.deliver_due().await;
    site.happen(&finding("contoso.com"), Change::Resolved, &["ops"]).await;
    site.hand.pass(3_600);
    delivery.deliver_due().await;
    site.happen(&finding("fabrikam.com"), Change::Resolved, &["ops"]).await;
    site.hand.pass(3_600);
    delivery.deliver_due().await;
    let sent: Vec<(String, String)> = sink
        .posts()
        .iter()
        .map(|post| {
            assert_eq!((post.header("host"), post.path.as_str()), ("events.eu.pagerduty.com", "/v2/enqueue"));
            let event: Value = serde_json::from_str(&post.body).unwrap();
            assert_eq!(event["routing_key"], SESAME);
            (event["event_action"].as_str().unwrap().to_owned(), event["dedup_key"].as_str().unwrap().to_owned())
        })
        .collect();
    let group = "autodiscover-audit/finding/contoso/thunderbird/mx-base-domain".to_owned();
    let expected = [
        ("trigger", &group),
        ("trigger", &"autodiscover-audit/outage".to_owned()),
        ("trigger", &"autodiscover-audit/outage".to_owned()),
        ("trigger", &group),
        ("resolve", &group),
    ];
    assert_eq!(sent, expected.map(|(action, key)| (action.to_owned(), key.clone())));
}

#[tokio::test]
async fn every_alertmanager_is_told_what_is_open_and_for_five_minutes_what_is_over() {
    let (site, first, second) = (Site::new().await, Sink::start().await, Sink::start().await);
    let toml = format!("kind = 'alertmanager'\nurls = ['{}', '{}/']", first.url("/prefix"), second.url(""));
    let delivery = site.delivery(vec![open(&toml, &[]).unwrap()]);
    site.happen(&finding("contoso.com"), Change::Opened, &[]).await;
    delivery.deliver_due().await;
    site.hand.pass(60);
    site.happen(&finding("contoso.com"), Change::Resolved, &[]).await;
    delivery.deliver_due().await;
    site.hand.pass(301);
    delivery.deliver_due().await;
    assert_eq!((first.posts().len(), second.posts().len()), (2, 2));
    assert_eq!((first.posts()[0].path.as_str(), second.posts()[0].path.as_str()), ("/prefix/api/v2/alerts", "/api/v2/alerts"));
    let ends = |post: usize| serde_json::from_str::<Value>(&first.posts()[post].body).unwrap()[0]["endsAt"].clone();
    assert_eq!((ends(0), ends(1)), (json!("2026-11-22T10:04:00Z"), json!("2026-11-22T10:01:00Z")));
}

#[tokio::test]
async fn an_alertmanager_that_refuses_is_told_of() {
    let (site, sink) = (Site::new().await, Sink::start().await);
    sink.script([Say::status(401)]);
    let delivery = site.delivery(vec![open(&format!("kind = 'alertmanager'\nurls = ['{}']", sink.url("")), &[]).unwrap()]);
    site.happen(&finding("contoso.com"), Change::Opened, &[]).await;
    delivery.deliver_due().await;
    assert_eq!(site.trouble("ops").await, Some(true));
    delivery.deliver_due().await;
    assert_eq!(site.trouble("ops").await, Some(false));
}

#[tokio::test]
async fn the_journal_gets_an_entry_an_incident() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let channel = open(&format!("kind = 'journald'\nsocket = '{}'", socket.display()), &[]).unwrap();
    let attempt = try_out(&channel).await;
    assert!(matches!(attempt, Attempt::Retry { is_definite: true, .. }), "{attempt:?}");
    let journal = tokio::net::UnixDatagram::bind(&socket).unwrap();
    assert_eq!(try_out(&channel).await, Attempt::Delivered);
    let mut entry = vec![0; 65_536];
    let length = journal.recv(&mut entry).await.unwrap();
    let entry = std::str::from_utf8(&entry[..length]).unwrap();
    assert!(entry.starts_with("MESSAGE=Test: Test: new: 3 mailboxes in example.com"), "{entry}");
    assert!(entry.contains("\nPRIORITY=6\n") && entry.contains("\nAUTODISCOVER_AUDIT_CAUSE=mx-base-domain\n"), "{entry}");
}

#[tokio::test]
async fn a_template_puts_its_headers_and_leaves_empty_ones_out() {
    let sink = Sink::start().await;
    let toml = format!(
        "kind = 'template'\nurl = '{}'\nmethod = 'PUT'\ncontent_type = 'text/plain'\nbody = '{{headline}}'\n\
         headers = {{ Title = '{{tenant:2}}', Tags = '', Priority = '{{priority}}' }}\npriority = {{ info = '2' }}",
        sink.url("/topic")
    );
    assert_eq!(try_out(&open(&toml, &[]).unwrap()).await, Attempt::Delivered);
    let post = &sink.posts()[0];
    assert_eq!((post.method.as_str(), post.header("title"), post.header("priority")), ("PUT", "T…", "2"));
    assert!(post.headers.iter().all(|(name, _)| name != "tags"));
    assert_eq!(post.body, "Test: this is how a notice looks here; nothing has happened");
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_its_end() {
    let sink = Sink::start().await;
    sink.script([Say::Huge]);
    assert_eq!(try_out(&teams(&sink, "")).await, Attempt::Delivered);
}

#[tokio::test]
async fn nothing_is_queued_for_an_alertmanager() {
    let (site, broken, sink) = (Site::new().await, Sink::start().await, Sink::start().await);
    broken.script([Say::status(401)]);
    let alertmanager = open(&format!("kind = 'alertmanager'\nurls = ['{}']", sink.url("")), &[]).unwrap();
    let channels = vec![alertmanager, webhook("team", &broken.url("/"))];
    let names = ["ops", "team"];
    assert_eq!(queued(&destinations(&[], &names), &channels), destinations(&[], &["team"]));
    // queued when the channel was of another kind
    site.happen(&finding("contoso.com"), Change::Opened, &names).await;
    let delivery = site.delivery(channels);
    assert_eq!(delivery.prepare().await.unwrap(), 1);
    delivery.deliver_due().await;
    assert_eq!((site.trouble("team").await, site.queue("ops").await.waiting), (Some(true), 0));
}

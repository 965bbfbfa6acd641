//! Single requests: what each message carries, which answers count, and where the token may go.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::{
    super::{BearerToken, Network, Settings},
    stage::{Stage, address, body, get, network, obstacle, of, of_kind, pox},
    web_server::{Act, Seen, answer, redirect, say, xml},
};
use crate::model::{Answer, HttpDocument, Lookup, LookupKind, Message, Obstacle, Reply, Request};

const DETECT: &str = "https://detect.contoso.com/autodetect/detect?services=office365";
const SOAP: &str = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc";
const TOKEN: &str = "sesame.open-8";

fn http(url: &str, message: Message) -> Lookup {
    of(Request::Http { url: url.to_owned(), message })
}

fn plain(url: &str) -> Lookup {
    http(url, Message::Get { address: None })
}

fn detect() -> Lookup {
    of_kind(LookupKind::OwnAutoconfig, Request::Http { url: DETECT.to_owned(), message: Message::Detect { address: address() } })
}

fn user_settings(url: &str) -> Lookup {
    http(url, Message::UserSettings { addresses: vec![address(), "bert@contoso.com".parse().unwrap()] })
}

fn document(answer: &Arc<Answer>) -> &HttpDocument {
    match &answer.reply {
        Reply::Document(document) => document,
        other => panic!("no document, but {other:?}"),
    }
}

fn with_token(stage: &Stage, token: &'static str) -> Settings {
    Settings { soap_token: Some(BearerToken::new(move || Ok(token.into()))), ..stage.settings.clone() }
}

#[tokio::test]
async fn whatever_the_status_the_answer_counts_and_no_redirect_is_followed() {
    let stage = Stage::new(|seen| match seen.path() {
        "/302" => Act::Say(answer(302, &[("Location", "https://user:x@www.fabrikam.com/a#b"), ("X-Other", "1")], b"moved")),
        "/relative" => redirect(307, "other?x"),
        "/451" => Act::Say(answer(451, &[("X-MS-Location", "https://outlook.office365.com/Microsoft-Server-ActiveSync")], b"")),
        "/400" => Act::Say(answer(400, &[("Content-Type", "application/json")], b"{\"ErrorCode\":\"InvalidProtocol\"}")),
        "/large" => Act::Say(answer(404, &[], &vec![b'x'; 256 * 1024 + 1])),
        path => say(path.trim_start_matches('/').parse().unwrap()),
    })
    .await;
    let network = stage.network();
    for (path, status, headers, text) in [
        ("302", 302, vec![("location", "https://www.fabrikam.com/a")], "moved"),
        ("relative", 307, vec![("location", "https://contoso.com/other?x")], ""),
        ("451", 451, vec![("x-ms-location", "https://outlook.office365.com/Microsoft-Server-ActiveSync")], ""),
        ("400", 400, vec![("content-type", "application/json")], "{\"ErrorCode\":\"InvalidProtocol\"}"),
        ("200", 200, vec![], ""),
        ("204", 204, vec![], ""),
        ("401", 401, vec![], ""),
        ("404", 404, vec![], ""),
    ] {
        let answer = network.ask(&plain(&format!("https://contoso.com/{path}"))).await;
        let found = document(&answer);
        let kept: Vec<(&str, &str)> = found.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((found.status, kept, body(&answer)), (status, headers, text), "{path}");
        assert_eq!((answer.attempts, answer.hops.len(), answer.hops[0].status), (1, 1, Some(status)), "{path}");
    }
    for (path, expected) in [
        ("429", Obstacle::TooManyRequests),
        ("500", Obstacle::ServerError { status: 500 }),
        ("503", Obstacle::ServerError { status: 503 }),
        ("large", Obstacle::TooLarge),
    ] {
        let answer = network.ask(&plain(&format!("https://contoso.com/{path}"))).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, 2), "{path}");
    }
    assert!(stage.secure.seen().iter().all(|seen| seen.host() == "contoso.com"));
}

#[tokio::test]
async fn equal_answers_are_equal_whatever_their_ids_and_dates_are() {
    let number = AtomicUsize::new(0);
    let stage = Stage::new(move |_| {
        let id = number.fetch_add(1, Ordering::SeqCst).to_string();
        let headers = [("Date", id.as_str()), ("X-Request-Id", &id), ("request-id", &id), ("X-Provider-Id", "seeatest")];
        Act::Say(answer(200, &headers, b"{}"))
    })
    .await;
    let (first, second) = (stage.network().ask(&plain(DETECT)).await, stage.network().ask(&plain(DETECT)).await);
    assert_eq!((stage.secure.seen().len(), &first.reply), (2, &second.reply));
}

#[tokio::test]
async fn who_asks_for_credentials_says_beside_that_what_it_can_do() {
    let stage = Stage::new(|_| {
        let headers = [
            ("WWW-Authenticate", "Bearer client_id=\"0\", realm=\"\""),
            ("WWW-Authenticate", "Basic realm=\"\""),
            ("X-SOAP-Enabled", "True"),
            ("X-OAuth-Enabled", "True"),
            ("X-FederationTrustTokenIssuerUri", "urn:federation:MicrosoftOnline"),
            ("X-Request-Id", "1"),
        ];
        Act::Say(answer(401, &headers, b""))
    })
    .await;
    let network = stage.network();
    let headers =
        [("x-soap-enabled", "True"), ("x-oauth-enabled", "True"), ("x-federationtrusttokenissueruri", "urn:federation:MicrosoftOnline")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let expected = Obstacle::CredentialsRequired { schemes: "bearer,basic".into(), headers };
    let url = "https://autodiscover.contoso.com/autodiscover/autodiscover.xml";
    for lookup in [get(url), pox(url), plain(url), http(url, Message::Mobilesync { address: address() })] {
        let answer = network.ask(&lookup).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, 1), "{lookup:?}");
    }
}

#[tokio::test]
async fn autodetect_is_told_the_mailbox_by_one_header_and_nothing_else() {
    let stage = Stage::new(|_| Act::Say(answer(200, &[("Content-Type", "application/json")], b"{}"))).await;
    assert_eq!(body(&stage.network().ask(&detect()).await), "{}");
    let seen = &stage.secure.seen()[0];
    assert!(seen.text.starts_with("GET /autodetect/detect?services=office365 HTTP/1.1\r\n"), "{}", seen.text);
    assert_eq!(seen.header("x-email"), Some("anna@contoso.com"));
    assert_eq!((seen.text.matches("anna").count(), seen.header("authorization")), (1, None));
    let (_, body) = seen.text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "");
}

#[tokio::test]
async fn a_search_is_asked_for_again_until_it_has_come_to_its_end() {
    for (searching, hold_limit, pause, status, requests) in [
        (2, 60, Some("0"), 200, 3),
        (5, 60, Some("0"), 200, 6),
        (9, 60, Some("0"), 202, 6),
        (9, 60, Some("61"), 202, 1),
        (1, 1, Some("1"), 200, 2),
        (9, 1, Some("1"), 202, 2),
        // without a word the pause is longer than a second
        (9, 1, None, 202, 1),
    ] {
        let mut stage = Stage::new(move |seen| {
            let status = if seen.number <= searching { 202 } else { 200 };
            let headers = pause.map(|pause| ("Retry-After", pause));
            Act::Say(answer(status, headers.as_slice(), b"{}"))
        })
        .await;
        stage.settings.hold_limit_seconds = hold_limit;
        let network = stage.network();
        let answer = network.ask(&detect()).await;
        assert_eq!((document(&answer).status, stage.secure.seen().len()), (status, requests), "{searching} {hold_limit} {pause:?}");
        assert_eq!((answer.attempts, answer.hops.len()), (1, 1), "a search is one hop, however often it was asked for");
        assert_eq!(network.counters().http_requests, requests as u64);
    }
}

#[tokio::test]
async fn only_autodetect_is_asked_again_after_a_202() {
    let stage = Stage::new(|_| Act::Say(answer(202, &[("Retry-After", "0")], b""))).await;
    assert_eq!(document(&stage.network().ask(&plain(DETECT)).await).status, 202);
    assert_eq!(stage.secure.seen().len(), 1);
}

#[tokio::test]
async fn a_search_that_ends_in_a_failure_is_begun_a_second_time() {
    let stage = Stage::new(|seen| match seen.number {
        1 | 3 => Act::Say(answer(202, &[("Retry-After", "0")], b"")),
        2 => say(500),
        _ => Act::Say(answer(204, &[], b"")),
    })
    .await;
    let answer = stage.network().ask(&detect()).await;
    assert_eq!((document(&answer).status, answer.attempts, stage.secure.seen().len()), (204, 2, 4));
}

#[tokio::test]
async fn questions_are_posted_in_their_own_form() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = stage.network();
    for (host, message, content_type, sent) in [
        (
            "autodiscover.contoso.com",
            Message::Mobilesync { address: address() },
            "text/xml; charset=utf-8",
            "<Mobilesync>anna@contoso.com</Mobilesync>",
        ),
        (
            "autodiscover.fabrikam.com",
            Message::Mobilesync { address: address() },
            "text/xml; charset=utf-8",
            "<Mobilesync>postmaster@contoso.com</Mobilesync>",
        ),
        (
            "autodiscover-s.outlook.com",
            Message::Mobilesync { address: address() },
            "text/xml; charset=utf-8",
            "<Mobilesync>anna@contoso.com</Mobilesync>",
        ),
        ("login.contoso.com", Message::CredentialType { address: address() }, "application/json", "{\"username\":\"anna@contoso.com\"}"),
    ] {
        assert_eq!(body(&network.ask(&http(&format!("https://{host}/x"), message)).await), "<a/>");
        let seen = stage.secure.seen().pop().unwrap();
        let (head, sent_body) = seen.text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /x HTTP/1.1\r\n"), "{head}");
        assert_eq!((seen.host(), seen.header("content-type"), sent_body), (host, Some(content_type), sent));
        assert_eq!((seen.header("authorization"), seen.header("cookie"), seen.header("x-email")), (None, None, None));
    }
}

#[tokio::test]
async fn questions_about_accounts_do_not_go_out_in_clear() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = network(&with_token(&stage, TOKEN)).unwrap();
    for message in [Message::Detect { address: address() }, Message::CredentialType { address: address() }] {
        let answer = network.ask(&http("http://contoso.com/x", message)).await;
        assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&Obstacle::Withheld, 1, 0));
    }
    assert!(stage.plain.seen().is_empty());
}

#[tokio::test]
async fn user_settings_are_asked_with_the_token() {
    let stage = Stage::new(|_| Act::Say(answer(500, &[("Content-Type", "text/xml")], b"<Fault/>"))).await;
    let network = network(&with_token(&stage, TOKEN)).unwrap();
    let answer = network.ask(&user_settings(SOAP)).await;
    assert_eq!((document(&answer).status, body(&answer), answer.attempts), (500, "<Fault/>", 1), "a fault is an answer");
    let seen = &stage.secure.seen()[0];
    let (head, sent) = seen.text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /autodiscover/autodiscover.svc HTTP/1.1\r\n"), "{head}");
    assert_eq!(sent, format!("<UserSettings to=\"{SOAP}\">anna@contoso.com bert@contoso.com</UserSettings>"));
    for (name, value) in [
        ("authorization", "Bearer sesame.open-8"),
        ("x-anchormailbox", "anna@contoso.com"),
        ("soapaction", "\"http://action.example\""),
        ("content-type", "text/xml; charset=utf-8"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn the_token_goes_to_exchange_online_by_https_and_nowhere_else() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let network = network(&with_token(&stage, TOKEN)).unwrap();
    let port = stage.secure.address.port();
    for url in [
        "https://contoso.com/autodiscover/autodiscover.svc".to_owned(),
        "https://outlook.office365.com.fabrikam.com/autodiscover/autodiscover.svc".to_owned(),
        "http://outlook.office365.com/autodiscover/autodiscover.svc".to_owned(),
        format!("https://outlook.office365.com:{port}/autodiscover/autodiscover.svc"),
        "https://outlook.office365.com@contoso.com/autodiscover/autodiscover.svc".to_owned(),
    ] {
        let answer = network.ask(&user_settings(&url)).await;
        assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&Obstacle::Withheld, 1, 0), "{url}");
    }
    assert!(stage.secure.seen().is_empty() && stage.plain.seen().is_empty());
    assert_eq!(body(&network.ask(&user_settings("https://outlook.office365.com/autodiscover/autodiscover.svc")).await), "<a/>");
    let seen = stage.secure.seen();
    assert_eq!((seen.len(), seen[0].host()), (1, "outlook.office365.com"));
}

#[tokio::test]
async fn no_other_request_and_no_redirect_carries_the_token() {
    let stage = Stage::new(|seen| match seen.host() {
        "outlook.office365.com" => redirect(307, "https://fabrikam.com/autodiscover/autodiscover.svc"),
        _ => xml("<a/>"),
    })
    .await;
    let network = network(&with_token(&stage, TOKEN)).unwrap();
    let url = "https://outlook.office365.com/autodiscover/autodiscover.svc";
    let answer = network.ask(&user_settings(url)).await;
    assert_eq!((document(&answer).status, stage.secure.seen().len()), (307, 1));
    for lookup in [get(url), pox(url), plain(url), http(url, Message::Mobilesync { address: address() })] {
        network.ask(&lookup).await;
    }
    let carries = |seen: &&Seen| seen.text.contains(TOKEN) || seen.header("authorization").is_some();
    let seen = stage.secure.seen();
    assert_eq!((seen.len(), seen.iter().filter(carries).count()), (7, 1), "once, to whom it was meant for");
    assert!(carries(&&seen[0]));
}

#[tokio::test]
async fn without_a_token_that_can_be_sent_nothing_is_asked() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let unreadable = BearerToken::new(|| Err("the file `token` does not exist".to_owned()));
    let broken = BearerToken::new(|| Ok("a\nb".into()));
    for soap_token in [None, Some(unreadable), Some(broken)] {
        let network: Network = network(&Settings { soap_token, ..stage.settings.clone() }).unwrap();
        let answer = network.ask(&user_settings(SOAP)).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::Withheld, 1));
    }
    assert!(stage.secure.seen().is_empty());
}

#[tokio::test]
async fn a_token_that_is_refused_three_times_in_a_row_is_not_sent_again() {
    let stage = Stage::new(|seen| {
        if seen.text.contains("well@contoso.com") {
            return xml("<a/>");
        }
        Act::Say(answer(401, &[("WWW-Authenticate", "Bearer")], b""))
    })
    .await;
    let network = network(&with_token(&stage, TOKEN)).unwrap();
    for (asked, sent) in [("a", true), ("b", true), ("well", true), ("c", true), ("d", true), ("e", true), ("f", false), ("g", false)] {
        let addresses = vec![format!("{asked}@contoso.com").parse().unwrap()];
        let request = Request::Http { url: SOAP.to_owned(), message: Message::UserSettings { addresses } };
        let answer = network.ask(&of_kind(LookupKind::AutodiscoverSoap, request)).await;
        let is_held = answer.reply == Reply::Obstacle(Obstacle::Held) && answer.hops.is_empty();
        assert_eq!(is_held, !sent, "{asked}: {answer:?}");
    }
    assert_eq!(stage.secure.seen().len(), 6);
}

#[tokio::test]
async fn the_token_is_read_anew_for_every_request_and_shown_to_nobody() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let token = BearerToken::new(move || Ok(format!("token-{}", counted.fetch_add(1, Ordering::SeqCst)).into()));
    let settings = Settings { soap_token: Some(token), ..stage.settings.clone() };
    let network = network(&settings).unwrap();
    for url in [SOAP, "https://outlook.office365.com/autodiscover/autodiscover.svc"] {
        network.ask(&user_settings(url)).await;
    }
    let sent: Vec<Option<String>> = stage.secure.seen().iter().map(|seen| seen.header("authorization").map(str::to_owned)).collect();
    assert_eq!(sent, [Some("Bearer token-0".to_owned()), Some("Bearer token-1".to_owned())]);
    let shown = format!("{settings:?} {network:?}");
    assert!(shown.contains("BearerToken") && !shown.contains("token-"), "{shown}");
}

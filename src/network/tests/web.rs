//! HTTP: what is sent, what is understood, and the obstacles one by one.

use std::sync::Arc;

use hickory_resolver::proto::op::ResponseCode;

use super::{
    dns_server::{Say, Zone, cname},
    stage::{Stage, body, get, nxdomain, obstacle, pox},
    web_server::{Act, answer, gzip, say, xml},
};
use crate::model::{HttpDocument, Obstacle, Reply};

const URL: &str = "https://autoconfig.contoso.com/mail/config-v1.1.xml";

#[tokio::test]
async fn a_document_comes_with_its_evidence() {
    let zone = Zone::default().records("autoconfig.contoso.com", vec![cname("web.fabrikam.com")]).address("web.fabrikam.com", "127.0.0.1");
    let stage = Stage::with_zone(zone, |_| Act::Say(answer(203, &[("Content-Type", "Text/XML; charset=x")], b"<a/>"))).await;
    let network = stage.network();
    let answer = network.ask(&get(&format!("{URL}?emailaddress=anna%40contoso.com"))).await;
    let document = HttpDocument { status: 203, content_type: "Text/XML; charset=x".into(), body: Arc::from(*b"<a/>"), headers: Vec::new() };
    assert_eq!(answer.reply, Reply::Document(document));
    assert_eq!((answer.attempts, answer.hops.len(), answer.hops[0].status), (1, 1, Some(203)));
    assert_eq!(answer.hops[0].url, format!("{URL}?emailaddress=anna%40contoso.com"));
    assert_eq!(answer.cnames, ["web.fabrikam.com"]);
    let counters = network.counters();
    assert_eq!((counters.http_requests, counters.bytes, counters.retries, counters.held), (1, 4, 0, 0));
    assert!(counters.dns_queries >= 2);
}

#[tokio::test]
async fn a_request_says_who_asks_and_nothing_else() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    stage.get(&format!("{URL}?emailaddress=anna%40contoso.com")).await;
    let seen = &stage.secure.seen()[0];
    assert_eq!(seen.path(), "/mail/config-v1.1.xml?emailaddress=anna%40contoso.com");
    assert_eq!(seen.host(), "autoconfig.contoso.com");
    let agent = format!("autodiscover-audit/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
    assert_eq!(seen.header("accept"), Some("application/xml, text/xml, */*"));
    assert_eq!((seen.header("cookie"), seen.header("referer"), seen.header("authorization")), (None, None, None));
}

#[tokio::test]
async fn userinfo_and_fragment_of_a_url_are_not_sent() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    stage.get("https://anna:secret@autoconfig.contoso.com/x#part").await;
    let seen = &stage.secure.seen()[0];
    assert_eq!((seen.path(), seen.header("authorization")), ("/x", None));
}

#[tokio::test]
async fn an_autodiscover_request_is_posted_as_xml() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let answer = stage.network().ask(&pox("https://autodiscover.contoso.com/autodiscover/autodiscover.xml")).await;
    assert_eq!(body(&answer), "<a/>");
    let seen = &stage.secure.seen()[0];
    assert!(seen.text.starts_with("POST /autodiscover/autodiscover.xml "));
    assert_eq!(seen.header("content-type"), Some("text/xml; charset=utf-8"));
    assert!(seen.text.ends_with("<Autodiscover>anna@contoso.com</Autodiscover>"));
}

#[tokio::test]
async fn what_a_server_says_has_its_obstacle() {
    // made once: it takes longer than a host is waited for
    let bomb = gzip(&vec![b'x'; 64 * 1024 * 1024]);
    let stage = Stage::new(move |seen| match seen.path() {
        "/401" => Act::Say(answer(401, &[("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "Basic realm=\"a, b\"")], b"no")),
        "/empty" => Act::Say(answer(200, &[("Content-Type", "text/xml")], b"")),
        "/reset" => Act::Cut(Vec::new()),
        "/closed" => Act::Say(Vec::new()),
        "/truncated" => Act::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a".to_vec()),
        "/chunked" => Act::Say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n".to_vec()),
        "/reset-body" => Act::Cut(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a".to_vec()),
        "/smtp" => Act::Say(b"220 mail.contoso.com ESMTP\r\n".to_vec()),
        "/large" => Act::Say(answer(200, &[], &vec![b'x'; 256 * 1024 + 1])),
        "/bomb" => Act::Say(answer(200, &[("Content-Encoding", "gzip")], &bomb)),
        "/no-gzip" => Act::Say(answer(200, &[("Content-Encoding", "gzip")], b"<clientConfig/>")),
        "/half-gzip" => Act::Say(answer(200, &[("Content-Encoding", "gzip")], &gzip(b"<clientConfig/>")[..20])),
        other => say(other.trim_start_matches('/').parse().unwrap()),
    })
    .await;
    let network = stage.network();
    for (path, expected, attempts) in [
        ("401", Obstacle::CredentialsRequired { schemes: "negotiate,basic".into(), headers: Vec::new() }, 1),
        ("403", Obstacle::Rejected { status: 403 }, 1),
        ("404", Obstacle::NotThere { status: 404 }, 1),
        ("410", Obstacle::NotThere { status: 410 }, 1),
        ("302", Obstacle::Rejected { status: 302 }, 1),
        ("204", Obstacle::Empty { status: 204, content_type: String::new() }, 1),
        ("empty", Obstacle::Empty { status: 200, content_type: "text/xml".into() }, 1),
        ("429", Obstacle::TooManyRequests, 2),
        ("503", Obstacle::ServerError { status: 503 }, 2),
        ("reset", Obstacle::ConnectionCut, 2),
        ("closed", Obstacle::ConnectionCut, 2),
        ("truncated", Obstacle::ConnectionCut, 2),
        ("chunked", Obstacle::ConnectionCut, 2),
        ("reset-body", Obstacle::ConnectionCut, 2),
        ("smtp", Obstacle::NotHttp, 1),
        ("large", Obstacle::TooLarge, 2),
        ("bomb", Obstacle::TooLarge, 2),
        ("no-gzip", Obstacle::Undecodable, 2),
        ("half-gzip", Obstacle::Undecodable, 2),
    ] {
        for scheme in ["http", "https"] {
            let answer = network.ask(&get(&format!("{scheme}://contoso.com/{path}"))).await;
            assert_eq!((obstacle(&answer), answer.attempts, answer.hops.len()), (&expected, attempts, 1), "{scheme} {path}");
        }
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_or_not_all_is_given_up_in_time() {
    let stage = Stage::new(|seen| match seen.path() {
        "/nothing" => Act::Stall(Vec::new()),
        _ => Act::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<a".to_vec()),
    })
    .await;
    let network = stage.network();
    let urls =
        ["http://contoso.com/nothing", "https://contoso.com/nothing", "http://contoso.com/half", "https://contoso.com/half"].map(get);
    let [first, second, third, fourth] = urls.each_ref().map(|request| network.ask(request));
    let answers: [_; 4] = tokio::join!(first, second, third, fourth).into();
    let statuses = answers.each_ref().map(|answer| {
        assert_eq!((obstacle(answer), answer.attempts), (&Obstacle::Timeout, 2));
        answer.hops[0].status
    });
    assert_eq!(statuses, [None, None, Some(200), Some(200)]);
}

#[tokio::test]
async fn compressed_bodies_are_unpacked_up_to_the_cap() {
    let stage = Stage::new(|_| Act::Say(answer(200, &[("Content-Encoding", "gzip")], &gzip(&vec![b'x'; 256 * 1024])))).await;
    assert_eq!(body(&stage.get(URL).await).len(), 256 * 1024);
    let accepted = stage.secure.seen()[0].header("accept-encoding").unwrap().to_owned();
    for encoding in ["gzip", "br", "deflate"] {
        assert!(accepted.contains(encoding), "{accepted}");
    }
}

#[tokio::test]
async fn what_dns_says_about_a_host_is_the_obstacle_of_its_pages() {
    let zone = Zone::default()
        .anything(nxdomain())
        .records("mail.contoso.com", vec![super::dns_server::mx(1, "x.contoso.com")])
        .say("broken.contoso.com", hickory_resolver::proto::rr::RecordType::A, Say::Code(ResponseCode::ServFail))
        .say("silent.contoso.com", hickory_resolver::proto::rr::RecordType::A, Say::Silence);
    let mut stage = Stage::with_zone(zone, |_| xml("<a/>")).await;
    stage.settings.connect_timeout_seconds = 1;
    let network = stage.network();
    for (host, expected) in [
        ("nobody.contoso.com", Obstacle::NxDomain),
        ("mail.contoso.com", Obstacle::NoData),
        ("broken.contoso.com", Obstacle::ServFail),
        ("silent.contoso.com", Obstacle::DnsTimeout),
    ] {
        let answer = network.ask(&get(&format!("https://{host}/"))).await;
        assert_eq!((obstacle(&answer), answer.hops.len()), (&expected, 0), "{host}");
    }
    assert_eq!(network.counters().http_requests, 0);
}

#[tokio::test]
async fn a_url_that_cannot_be_names_nothing_that_exists() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    for url in ["https://a b.contoso.com/", "https:///", "ftp://contoso.com/", "no url"] {
        assert_eq!(obstacle(&stage.get(url).await), &Obstacle::NxDomain, "{url}");
    }
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses_and_plain_http_on_the_tls_port_is_no_handshake() {
    let mut stage = Stage::new(|_| xml("<a/>")).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    stage.https_at(closed);
    let answer = stage.get(URL).await;
    assert_eq!((obstacle(&answer), answer.attempts, answer.hops[0].status), (&Obstacle::ConnectionRefused, 2, None));
    let eager = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    stage.https_at(eager.local_addr().unwrap().port());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = eager.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let answer = stage.get(URL).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::Handshake, 2));
}

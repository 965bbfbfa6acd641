//! The fake internet does what it is told, as its own clients see it.

use std::{io::Read, net::Ipv4Addr, sync::Arc};

use autodiscover_audit::{
    audit::BODIES,
    clock::Clock,
    model::{Lookup, LookupKind, Obstacle, Reply, Request, Security},
    network::{Network, Parts},
};
use hickory_resolver::proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
};
use tokio_rustls::TlsConnector;

use crate::fakenet::{
    Fakenet,
    mail::Mail,
    net::Net,
    site::{Act, Answer, Site, Tls},
    zone::{Data, Trouble},
};

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

pub(crate) async fn ask_udp(fakenet: &Fakenet, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query(name, kind), fakenet.dns_address()).await.unwrap();
    let mut buffer = [0; 2048];
    let length = socket.recv(&mut buffer).await.unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

async fn ask_tcp(fakenet: &Fakenet, name: &str, kind: RecordType) -> Message {
    let mut stream = TcpStream::connect(fakenet.dns_address()).await.unwrap();
    let bytes = query(name, kind);
    stream.write_u16(u16::try_from(bytes.len()).unwrap()).await.unwrap();
    stream.write_all(&bytes).await.unwrap();
    let length = stream.read_u16().await.unwrap();
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.unwrap();
    Message::from_vec(&buffer).unwrap()
}

async fn get_http(fakenet: &Fakenet, host: &str, path: &str) -> std::io::Result<Vec<u8>> {
    let stream = TcpStream::connect(fakenet.http_address()).await?;
    exchange(stream, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n")).await
}

async fn get_https(fakenet: &Fakenet, host: &str, path: &str) -> std::io::Result<Vec<u8>> {
    send_https(fakenet, host, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: test\r\n\r\n")).await
}

/// Sends a request as it is written, and gives what comes back.
pub(crate) async fn send_https(fakenet: &Fakenet, host: &str, request: &str) -> std::io::Result<Vec<u8>> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fakenet.ca_file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(fakenet.https_address()).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    exchange(stream, request).await
}

async fn exchange<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin>(mut stream: S, request: &str) -> std::io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).await?;
        bytes.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, _)| {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            bytes.len() >= head.len() + 4 + length.map_or(0, |length| length.parse().unwrap())
        });
        if length == 0 || whole {
            return Ok(bytes);
        }
    }
}

fn text(bytes: std::io::Result<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.unwrap()).into_owned()
}

#[tokio::test]
async fn names_are_answered_as_a_recursive_resolver_would() {
    let mut net = Net::default();
    net.host("www.a.example", Site::empty());
    net.zones.add("*.wild.example", Data::A(Ipv4Addr::LOCALHOST));
    net.alias("one.example", "two.example");
    net.alias("two.example", "www.a.example");
    net.alias("ring.example", "rang.example");
    net.alias("rang.example", "ring.example");
    net.zones.add("long.example", Data::Mx { preference: 5, exchange: "mx.long.example".into() });
    net.zones.trouble("long.example", Some(RecordType::MX), Trouble::Truncated);
    net.zones.trouble("sick.example", None, Trouble::ServFail);
    let fakenet = Fakenet::start_net(&Arc::new(net)).await;
    for (name, kind, code, answers) in [
        ("www.a.example.", RecordType::A, ResponseCode::NoError, 1),
        ("www.a.example.", RecordType::MX, ResponseCode::NoError, 0),
        ("a.example.", RecordType::A, ResponseCode::NoError, 0),
        ("b.example.", RecordType::A, ResponseCode::NXDomain, 0),
        ("any.thing.wild.example.", RecordType::A, ResponseCode::NoError, 1),
        ("one.example.", RecordType::A, ResponseCode::NoError, 3),
        ("ring.example.", RecordType::A, ResponseCode::NoError, 2),
        ("sick.example.", RecordType::A, ResponseCode::ServFail, 0),
    ] {
        let reply = ask_udp(&fakenet, name, kind).await;
        assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, answers), "{name} {kind}");
    }
    let short = ask_udp(&fakenet, "long.example.", RecordType::MX).await;
    assert!(short.metadata.truncation && short.answers.is_empty());
    let whole = ask_tcp(&fakenet, "long.example.", RecordType::MX).await;
    assert!(matches!(&whole.answers[0].data, RData::MX(mx) if mx.preference == 5));
    assert_eq!(fakenet.dns_requests(), 10);
}

#[tokio::test]
async fn hosts_are_told_apart_by_name_and_path_and_every_request_is_kept() {
    let mut net = Net::default();
    net.host("a.example", Site::empty().http("/x", Act::xml("<a/>")).https("/x", Act::xml("<b/>")));
    net.host("b.example", Site::always(Act::redirect(301, "https://a.example/x")));
    net.host("ask.example", Site::always(Act::by_address(&[("anna@ask.example", Act::xml("<anna/>"))], Act::status(404))));
    net.host("mood.example", Site::always(Act::flaky(1, Act::html())));
    net.host("far.example", Site::always(Act::Chain { hops: 2, then: Box::new(Act::xml("<far/>")) }));
    let fakenet = Fakenet::start_net(&Arc::new(net)).await;
    assert!(text(get_http(&fakenet, "a.example", "/x").await).ends_with("<a/>"));
    assert!(text(get_https(&fakenet, "a.example", "/x").await).ends_with("<b/>"));
    assert!(text(get_https(&fakenet, "a.example", "/y").await).starts_with("HTTP/1.1 404"));
    assert!(text(get_https(&fakenet, "b.example", "/").await).contains("Location: https://a.example/x\r\n"));
    assert!(text(get_http(&fakenet, "ask.example", "/?emailaddress=anna%40ask.example").await).ends_with("<anna/>"));
    assert!(text(get_http(&fakenet, "mood.example", "/").await).starts_with("HTTP/1.1 503"));
    assert!(text(get_http(&fakenet, "mood.example", "/").await).starts_with("HTTP/1.1 200"));
    assert!(text(get_http(&fakenet, "far.example", "/").await).contains("Location: /?hop=1\r\n"));
    assert!(text(get_http(&fakenet, "far.example", "/?hop=2").await).ends_with("<far/>"));
    assert!(text(get_http(&fakenet, "nobody.example", "/").await).starts_with("HTTP/1.1 404"));
    let seen = fakenet.seen();
    assert_eq!(seen.len(), 10);
    assert_eq!(seen[4].url(), "http://ask.example/?emailaddress=anna%40ask.example");
    assert_eq!((seen[4].user_agent.as_str(), seen[4].address().as_deref()), ("test", Some("anna@ask.example")));
}

#[tokio::test]
async fn certificates_are_bad_in_the_way_that_was_asked_for() {
    let mut net = Net::default();
    for (name, tls) in [
        ("good.example", Tls::Good),
        ("name.example", Tls::Names(vec!["other.example".into()])),
        ("self.example", Tls::SelfSigned),
        ("old.example", Tls::Expired),
        ("purpose.example", Tls::OtherPurpose),
        ("plain.example", Tls::PlainHttp),
        ("ancient.example", Tls::OldVersion),
        ("cut.example", Tls::Reset),
    ] {
        net.host(name, Site::always(Act::html()).tls(tls));
    }
    net.alias("alias.example", "good.example");
    let fakenet = Fakenet::start_net(&Arc::new(net)).await;
    assert!(get_https(&fakenet, "good.example", "/").await.is_ok());
    for (name, part) in [
        ("alias.example", "NotValidForName"),
        ("name.example", "NotValidForName"),
        ("self.example", "UnknownIssuer"),
        ("old.example", "Expired"),
        ("purpose.example", "Purpose"),
        ("plain.example", "InvalidMessage"),
        ("ancient.example", "ProtocolVersion"),
        ("cut.example", "ConnectionReset"),
    ] {
        let error = format!("{:?}", get_https(&fakenet, name, "/").await.unwrap_err());
        assert!(error.contains(part), "{name}: {error}");
    }
}

#[tokio::test]
async fn bodies_come_cut_compressed_or_broken() {
    let mut net = Net::default();
    for (name, act) in [
        ("gzip.example", Act::Gzip(Answer::xml("<whole/>"))),
        ("bomb.example", Act::GzipBomb(10 << 20)),
        ("large.example", Act::Large(1 << 20)),
        ("half.example", Act::Truncated(Answer::xml("<whole/>"))),
        ("smtp.example", Act::NotHttp),
        ("reset.example", Act::Reset),
        ("busy.example", Act::BusyUntil { status: 503, seconds: 60 }),
    ] {
        net.host(name, Site::always(act));
    }
    let fakenet = Fakenet::start_net(&Arc::new(net)).await;
    let body = |bytes: Vec<u8>| {
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        bytes[at + 4..].to_vec()
    };
    let unzip = |bytes: Vec<u8>| {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        plain
    };
    assert_eq!(unzip(body(get_http(&fakenet, "gzip.example", "/").await.unwrap())), b"<whole/>");
    let bomb = body(get_http(&fakenet, "bomb.example", "/").await.unwrap());
    assert!(bomb.len() < 100_000 && unzip(bomb).len() == 10 << 20);
    assert_eq!(body(get_http(&fakenet, "large.example", "/").await.unwrap()).len(), 1 << 20);
    assert_eq!(body(get_http(&fakenet, "half.example", "/").await.unwrap()), b"<who");
    assert!(text(get_http(&fakenet, "smtp.example", "/").await).starts_with("220 "));
    assert!(get_http(&fakenet, "reset.example", "/").await.is_err());
    assert!(text(get_http(&fakenet, "busy.example", "/").await).contains(" GMT\r\n"));
}

#[tokio::test]
async fn mail_servers_greet_as_they_are_told_and_nobody_else_listens() {
    let mut net = Net::default();
    for (port, security, greeting) in [
        (993, Security::Tls, "* OK imaps"),
        (143, Security::StartTls, "* OK imap"),
        (110, Security::StartTls, "+OK pop"),
        (587, Security::StartTls, "220 submission"),
        (25, Security::Plain, "220 smtp"),
    ] {
        net.mail("mail.a.example", port, Mail::new(security, greeting));
    }
    net.mail("old.a.example", 993, Mail::new(Security::Tls, "* OK"));
    net.host("old.a.example", Site::empty().tls(Tls::Expired));
    let fakenet = Fakenet::start_net(&Arc::new(net)).await;
    let settings = fakenet.network_settings();
    let network = Network::new(Parts { settings: &settings, clock: Clock::system(), bodies: BODIES }).unwrap();
    let refused = Reply::Obstacle(Obstacle::ConnectionRefused);
    for (host, port, security, expected) in [
        ("mail.a.example", 993, Security::Tls, Reply::Greeting("* OK imaps".into())),
        ("mail.a.example", 143, Security::StartTls, Reply::Greeting("* OK imap".into())),
        ("mail.a.example", 143, Security::Plain, Reply::Greeting("* OK imap".into())),
        ("mail.a.example", 110, Security::StartTls, Reply::Greeting("+OK pop".into())),
        ("mail.a.example", 587, Security::StartTls, Reply::Greeting("220 submission".into())),
        ("mail.a.example", 25, Security::Plain, Reply::Greeting("220 smtp".into())),
        ("mail.a.example", 25, Security::StartTls, Reply::Obstacle(Obstacle::NoStartTls)),
        ("mail.a.example", 465, Security::Tls, refused.clone()),
        ("old.a.example", 993, Security::Tls, Reply::Obstacle(Obstacle::CertificateExpired)),
        ("old.a.example", 143, Security::Plain, refused),
    ] {
        let request = Request::Greeting { host: host.to_owned(), port, security };
        let lookup = Lookup { kind: LookupKind::Guess, asked: request.asked(), request };
        assert_eq!(network.ask(&lookup).await.reply, expected, "{}", lookup.asked);
    }
}

#[test]
fn the_settings_of_the_configuration_are_those_of_the_library() {
    let mut net = Net::default();
    net.mail("mail.a.example", 993, Mail::new(Security::Tls, "* OK"));
    let fakenet = Fakenet::start_beside(&Arc::new(net)).unwrap();
    let path = fakenet.directory().join("site.toml");
    std::fs::write(fakenet.directory().join("list.csv"), "").unwrap();
    let tenant = "[[tenant]]\nid = \"a\"\nmailboxes = \"list.csv\"\n";
    std::fs::write(&path, fakenet.network_toml() + &Fakenet::lookups_toml() + tenant).unwrap();
    let read = autodiscover_audit::config::Config::load::<&str>(&path, &[]).unwrap();
    assert_eq!(format!("{:?}", read.network), format!("{:?}", fakenet.network_settings()));
}

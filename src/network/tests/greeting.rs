//! Greetings of mail servers: what is understood, what is said, and the obstacles one by one.

use std::sync::Arc;

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};
use rcgen::IsCa;

use super::{
    super::{ConnectTo, Settings, proxy::Proxies},
    dns_server::{DnsServer, Say, Zone, cname, ip},
    mail_server::{MailServer, Manners, Then},
    stage::{Authority, network, network_behind, obstacle, of_kind, self_signed, settings_for},
};
use crate::model::{Answer, Lookup, LookupKind, Obstacle, Reply, Request, Security};

const HOST: &str = "mail.contoso.com";
const IMAP: &str = "* OK ready";
const POP3: &str = "+OK ready";
const SMTP: &str = "220 mail.contoso.com ESMTP";

struct Scene {
    settings: Settings,
    authority: Authority,
    _dns: DnsServer,
    _files: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self::with_zone(Zone::default().anything(Say::Records(vec![ip("127.0.0.1")]))).await
    }

    async fn with_zone(zone: Zone) -> Self {
        let (authority, dns, files) = (Authority::new(), DnsServer::start(zone).await, tempfile::tempdir().unwrap());
        let ca_file = files.path().join("ca.pem");
        std::fs::write(&ca_file, &authority.pem).unwrap();
        let settings = Settings {
            ca_files: vec![ca_file],
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            connect_timeout_seconds: 1,
            timeout_seconds: 1,
            ..settings_for(&dns)
        };
        Self { settings, authority, _dns: dns, _files: files }
    }

    /// The settings with a port led to a server.
    fn led(&self, port: u16, server: &MailServer) -> Settings {
        let detour = ConnectTo { host: None, port, to_address: None, to_port: Some(server.address.port()) };
        Settings { connect_to: vec![detour], ..self.settings.clone() }
    }

    /// What a server of such manners comes to, and what it was told.
    async fn hear(&self, (port, security): (u16, Security), manners: Manners) -> (Arc<Answer>, Vec<String>) {
        let server = MailServer::start(manners).await;
        let answer = network(&self.led(port, &server)).unwrap().ask(&greeting(HOST, (port, security))).await;
        (answer, server.heard())
    }

    fn good(&self) -> Arc<rustls::ServerConfig> {
        self.authority.server(&[HOST])
    }
}

fn greeting(host: &str, (port, security): (u16, Security)) -> Lookup {
    of_kind(LookupKind::Guess, Request::Greeting { host: host.to_owned(), port, security })
}

fn turned_away(code: &str) -> Obstacle {
    Obstacle::TurnedAway { code: code.to_owned() }
}

#[tokio::test]
async fn every_protocol_is_heard_in_clear_and_by_tls_and_left_politely() {
    let scene = Scene::new().await;
    let (clear, secure) = (|line: &str| line.to_owned(), |line: &str| format!("tls: {line}"));
    for (port, security, line, upgrade, said) in [
        (993, Security::Tls, IMAP, "", vec![secure("a LOGOUT")]),
        (995, Security::Tls, POP3, "", vec![secure("QUIT")]),
        (465, Security::Tls, SMTP, "", vec![secure("QUIT")]),
        (143, Security::Plain, IMAP, "", vec![clear("a LOGOUT")]),
        (110, Security::Plain, POP3, "", vec![clear("QUIT")]),
        (25, Security::Plain, SMTP, "", vec![clear("QUIT")]),
        (143, Security::StartTls, IMAP, "* CAPABILITY IMAP4rev2\r\na OK", vec![clear("a STARTTLS"), secure("a LOGOUT")]),
        (110, Security::StartTls, POP3, "+OK", vec![clear("STLS"), secure("QUIT")]),
        (587, Security::StartTls, SMTP, "220 go on", vec![clear("EHLO [127.0.0.1]"), clear("STARTTLS"), secure("QUIT")]),
        (25, Security::StartTls, SMTP, "220-go\r\n220 on", vec![clear("EHLO [127.0.0.1]"), clear("STARTTLS"), secure("QUIT")]),
    ] {
        let tls = (security == Security::Tls).then(|| scene.good());
        let manners = Manners { tls, upgrade: (upgrade, Some(scene.good())), ..Manners::greets(line) };
        let (answer, heard) = scene.hear((port, security), manners).await;
        assert_eq!(answer.reply, Reply::Greeting(line.to_owned()), "{port} {security}");
        assert_eq!((answer.attempts, answer.hops.len(), heard), (1, 0, said), "{port} {security}");
    }
}

#[tokio::test]
async fn a_greeting_of_several_lines_is_told_by_its_first() {
    let scene = Scene::new().await;
    let (answer, _) = scene.hear((25, Security::Plain), Manners::greets("220-mail.contoso.com\r\n220-no spam\r\n220 ready")).await;
    assert_eq!(answer.reply, Reply::Greeting("220-mail.contoso.com".into()));
}

#[tokio::test]
async fn what_is_no_greeting_or_a_refusal_has_its_obstacle() {
    let scene = Scene::new().await;
    let (smtp, imap, pop3) = ((587, Security::StartTls), (143, Security::StartTls), (110, Security::StartTls));
    let with_upgrade = |line: &str, answer| Manners { upgrade: (answer, None), ..Manners::greets(line) };
    let endless = Manners { greeting: [b"* OK ".as_slice(), &[b'x'; 9000]].concat(), ..Manners::greets("") };
    for (service, manners, expected, attempts) in [
        ((143, Security::Plain), Manners::greets("HTTP/1.1 400 Bad Request"), Obstacle::NotMail, 1),
        ((143, Security::Plain), Manners::greets(""), Obstacle::NotMail, 1),
        ((143, Security::Plain), endless, Obstacle::NotMail, 1),
        ((143, Security::Plain), Manners::greets(SMTP), Obstacle::NotMail, 1),
        ((25, Security::Plain), Manners::greets(POP3), Obstacle::NotMail, 1),
        ((110, Security::Plain), Manners::greets(IMAP), Obstacle::NotMail, 1),
        ((25, Security::Plain), Manners::greets("220-a\r\nb"), Obstacle::NotMail, 1),
        ((25, Security::Plain), Manners::greets("421 full"), turned_away("421"), 2),
        ((25, Security::Plain), Manners::greets("554 you are listed"), turned_away("554"), 2),
        ((143, Security::Plain), Manners::greets("* BYE full"), turned_away("BYE"), 2),
        ((110, Security::Plain), Manners::greets("-ERR full"), turned_away("-ERR"), 2),
        (smtp, with_upgrade(SMTP, "502 no"), Obstacle::NoStartTls, 1),
        (smtp, with_upgrade(SMTP, "454 later"), turned_away("454"), 2),
        (smtp, with_upgrade(SMTP, "what"), Obstacle::NotMail, 1),
        (imap, with_upgrade(IMAP, "a BAD no"), Obstacle::NoStartTls, 1),
        (imap, with_upgrade(IMAP, "a NO no"), Obstacle::NoStartTls, 1),
        (imap, with_upgrade(IMAP, "* BYE"), turned_away("BYE"), 2),
        (imap, with_upgrade(IMAP, "b OK"), Obstacle::NotMail, 1),
        (pop3, with_upgrade(POP3, "-ERR no"), Obstacle::NoStartTls, 1),
        (pop3, with_upgrade(POP3, "?"), Obstacle::NotMail, 1),
        (smtp, with_upgrade(SMTP, "220 go, and nothing comes"), Obstacle::ConnectionCut, 2),
    ] {
        let label = String::from_utf8_lossy(&manners.greeting).chars().take(30).collect::<String>();
        let (answer, _) = scene.hear(service, manners.clone()).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, attempts), "{service:?} {label} {}", manners.upgrade.0);
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_or_says_nothing_has_its_obstacle() {
    let scene = Scene::new().await;
    let then = |greeting: &str, then| Manners { greeting: greeting.as_bytes().to_vec(), then, ..Manners::greets("") };
    let by_tls = |manners| Manners { tls: Some(scene.good()), ..manners };
    let cases = [
        ((143, Security::Plain), then("", Then::Closes), Obstacle::ConnectionCut),
        ((143, Security::Plain), then("* OK rea", Then::Closes), Obstacle::ConnectionCut),
        ((143, Security::Plain), then("", Then::Cuts), Obstacle::ConnectionCut),
        ((143, Security::Plain), then("* OK", Then::Waits), Obstacle::Timeout),
        ((143, Security::StartTls), then("* OK\r\n", Then::Waits), Obstacle::Timeout),
        ((993, Security::Tls), by_tls(then("", Then::Closes)), Obstacle::ConnectionCut),
        ((993, Security::Tls), by_tls(then("", Then::Waits)), Obstacle::Timeout),
        ((993, Security::Tls), then("", Then::Waits), Obstacle::Timeout),
        ((993, Security::Tls), then("", Then::Closes), Obstacle::ConnectionCut),
        ((993, Security::Tls), Manners::greets(IMAP), Obstacle::Handshake),
    ];
    let one = async |(service, manners, expected): ((u16, Security), Manners, Obstacle)| {
        let label = String::from_utf8_lossy(&manners.greeting).into_owned();
        let (answer, _) = scene.hear(service, manners).await;
        assert_eq!((obstacle(&answer), answer.attempts), (&expected, 2), "{service:?} `{label}`");
    };
    futures_util::future::join_all(cases.into_iter().map(one)).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let detour = ConnectTo { host: None, port: 143, to_address: None, to_port: Some(closed) };
    let settings = Settings { connect_to: vec![detour], ..scene.settings.clone() };
    let answer = network(&settings).unwrap().ask(&greeting(HOST, (143, Security::Plain))).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::ConnectionRefused, 2));
}

#[tokio::test]
async fn certificates_are_judged_as_those_of_the_web_are() {
    let scene = Scene::new().await;
    let own = &scene.authority;
    let for_clients = own.server_with(&[HOST], |params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]);
    for (config, expected) in [
        (own.server(&["mail.fabrikam.com"]), Obstacle::CertificateName),
        (own.expired(&[HOST]), Obstacle::CertificateExpired),
        (Authority::named("Another Authority").server(&[HOST]), Obstacle::CertificateUntrusted),
        (self_signed(&[HOST], IsCa::NoCa), Obstacle::CertificateUntrusted),
        (for_clients, Obstacle::CertificateOther),
    ] {
        let by_tls = Manners { tls: Some(Arc::clone(&config)), ..Manners::greets(IMAP) };
        let upgraded = |line, answer| Manners { upgrade: (answer, Some(Arc::clone(&config))), ..Manners::greets(line) };
        for (service, manners) in [
            ((993, Security::Tls), by_tls),
            ((143, Security::StartTls), upgraded(IMAP, "a OK")),
            ((587, Security::StartTls), upgraded(SMTP, "220 go")),
        ] {
            let (answer, _) = scene.hear(service, manners).await;
            assert_eq!((obstacle(&answer), answer.attempts), (&expected, 1), "{service:?}");
        }
    }
}

#[tokio::test]
async fn a_host_is_reached_through_dns_and_the_guard() {
    let zone = Zone::default()
        .address("inner.contoso.com", "10.0.0.1")
        .say("broken.contoso.com", RecordType::A, Say::Code(ResponseCode::ServFail))
        .records(HOST, vec![cname("host.fabrikam.com")])
        .records("host.fabrikam.com", vec![ip("127.0.0.9"), ip("10.255.255.1"), ip("127.0.0.1")]);
    let scene = Scene::with_zone(zone).await;
    let server = MailServer::start(Manners::greets(IMAP)).await;
    let network_of = |settings: &Settings| network(settings).unwrap();
    let service = (143, Security::Plain);
    let forbidden = |address: &str| Obstacle::ForbiddenAddress { address: address.to_owned() };
    let led = network_of(&scene.led(143, &server));
    for (host, expected) in [
        ("inner.contoso.com", forbidden("10.0.0.1")),
        ("10.0.0.1", forbidden("10.0.0.1")),
        ("::1", forbidden("::1")),
        ("broken.contoso.com", Obstacle::ServFail),
        ("nobody.contoso.com", Obstacle::NxDomain),
    ] {
        assert_eq!(obstacle(&led.ask(&greeting(host, service)).await), &expected, "{host}");
    }
    assert!(server.heard().is_empty());
    let answer = led.ask(&greeting("Mail.Contoso.COM.", service)).await;
    assert_eq!(answer.reply, Reply::Greeting(IMAP.into()), "the first address refuses, the second is forbidden");
    assert_eq!(answer.cnames, ["host.fabrikam.com"]);
    let detour = ConnectTo {
        host: Some("inner.contoso.com".into()),
        port: 143,
        to_address: "127.0.0.1".parse().ok(),
        to_port: Some(server.address.port()),
    };
    let settings = Settings { connect_to: vec![detour], allow_networks: Vec::new(), ..scene.settings.clone() };
    let answer = network_of(&settings).ask(&greeting("inner.contoso.com", service)).await;
    assert_eq!(answer.reply, Reply::Greeting(IMAP.into()), "what the settings lead elsewhere may be private");
}

#[tokio::test]
async fn behind_a_proxy_nobody_is_greeted() {
    let scene = Scene::new().await;
    let server = MailServer::start(Manners::greets(IMAP)).await;
    let proxies = Proxies::from_values(["http://proxy.contoso.com:3128".to_owned()].into_iter());
    let network = network_behind(&proxies, &scene.led(143, &server)).unwrap();
    let answer = network.ask(&greeting(HOST, (143, Security::Plain))).await;
    assert_eq!((obstacle(&answer), answer.attempts), (&Obstacle::Withheld, 1));
    assert!(server.heard().is_empty());
}

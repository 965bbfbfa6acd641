//! What clients guess.

use super::*;

const TLS: Security = Security::Tls;
const STARTTLS: Security = Security::StartTls;
const PLAIN: Security = Security::Plain;

fn greeting(line: &str) -> Reply {
    Reply::Greeting(line.to_owned())
}

fn heard(obstacle: Obstacle) -> Reply {
    Reply::Obstacle(obstacle)
}

/// A domain at which nothing is published; its hosts have addresses of their own.
fn bare() -> Stage {
    Stage::new("mail.example")
}

fn imap(stage: Stage, host: &str, at: (u16, Security)) -> Stage {
    stage.port(host, at, greeting("* OK ready"))
}

fn smtp(stage: Stage, host: &str, at: (u16, Security)) -> Stage {
    stage.port(host, at, greeting("220 ready"))
}

/// Servers with port and protection.
fn places(discovery: &Discovery) -> Vec<String> {
    let servers = discovery.win.iter().flat_map(|win| win.settings.servers());
    servers.map(|server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security)).collect()
}

fn guessed(discovery: &Discovery) -> Vec<&str> {
    discovery.lookups.iter().filter(|lookup| lookup.kind == LookupKind::Guess).map(|lookup| lookup.asked.as_str()).collect()
}

#[test]
fn thunderbird_takes_what_answers_in_its_order_of_preference() {
    let mail = || bare().host("mail.contoso.com", "192.0.2.5").host("contoso.com", "192.0.2.1");
    let at_mail = |stage: Stage, places: &[(u16, Security)]| {
        places.iter().fold(stage, |stage, at| match at.0 {
            143 | 993 => imap(stage, "mail.contoso.com", *at),
            110 | 995 => stage.port("mail.contoso.com", *at, greeting("+OK ready")),
            _ => smtp(stage, "mail.contoso.com", *at),
        })
    };
    for (stage, expected) in [
        (
            at_mail(mail(), &[(993, TLS), (143, STARTTLS), (587, STARTTLS)]),
            &["imap mail.contoso.com:993 tls", "smtp mail.contoso.com:587 starttls"][..],
        ),
        (
            at_mail(mail(), &[(995, TLS), (143, STARTTLS), (587, STARTTLS), (465, TLS)]),
            &["imap mail.contoso.com:143 starttls", "pop3 mail.contoso.com:995 tls", "smtp mail.contoso.com:465 tls"],
        ),
        (
            at_mail(mail().port("mail.contoso.com", (143, STARTTLS), heard(Obstacle::NoStartTls)), &[(143, PLAIN), (25, STARTTLS)]),
            &["imap mail.contoso.com:143 plain", "smtp mail.contoso.com:25 starttls"],
        ),
        (
            imap(smtp(mail(), "mail.contoso.com", (587, STARTTLS)), "contoso.com", (993, TLS)),
            &["imap contoso.com:993 tls", "smtp mail.contoso.com:587 starttls"],
        ),
        // no outgoing server, no account
        (at_mail(mail(), &[(993, TLS)]), &[]),
        (at_mail(mail(), &[(587, STARTTLS)]), &[]),
        // another service on the port
        (smtp(mail().port("mail.contoso.com", (993, TLS), greeting("220 ready")), "mail.contoso.com", (465, TLS)), &[]),
    ] {
        for client in ["thunderbird", "thunderbird-72"] {
            let discovery = stage.discover(client);
            assert_eq!(places(&discovery), expected, "{client}");
            assert!(discovery.doubts.is_empty() && discovery.win.is_none_or(|win| win.way == Way::Guess), "{client}");
        }
    }
}

#[test]
fn names_that_do_not_exist_cost_a_lookup_each_and_nothing_more() {
    let names = ["imap", "mail", "pop3", "pop", "smtp"].map(|label| format!("A {label}.contoso.com"));
    let discovery = bare().discover("thunderbird");
    let asked = guessed(&discovery);
    assert_eq!(asked.len(), names.len() + 1);
    assert!(names.iter().all(|name| asked.contains(&name.as_str())) && asked.contains(&"A contoso.com"), "{asked:?}");
    assert!(discovery.win.is_none() && discovery.doubts.is_empty());
}

#[test]
fn a_guess_is_made_only_where_everything_else_found_nothing() {
    let mail =
        || imap(smtp(bare().host("mail.contoso.com", "192.0.2.5"), "mail.contoso.com", (587, STARTTLS)), "mail.contoso.com", (993, TLS));
    assert!(mail().discover("thunderbird").win.is_some());
    let published = mail().config(OWN, "own.contoso.com");
    let discovery = published.discover("thunderbird");
    assert_eq!(guessed(&discovery), [""; 0]);
    let lost = discovery.win.unwrap().requests;
    assert!(guessed(&published.discover_assuming("thunderbird", Assumption { lost: &lost, mx: 0 })).is_empty());
    assert!(guessed(&mail().document(OWN, &config("nntp", "news.contoso.com")).discover("thunderbird")).is_empty());
}

/// `socketUtil` of `GuessConfig.sys.mjs` never begins TLS where STARTTLS is meant, so that its certificates go unseen.
#[test]
fn behind_starttls_thunderbird_looks_at_no_certificate() {
    let bad = [Obstacle::CertificateName, Obstacle::CertificateExpired, Obstacle::CertificateUntrusted, Obstacle::Handshake];
    for obstacle in bad {
        let ports = [(143, STARTTLS), (587, STARTTLS), (993, TLS), (465, TLS)];
        let stage = bare().host("mail.contoso.com", "192.0.2.5");
        let stage = ports.into_iter().fold(stage, |stage, at| stage.port("mail.contoso.com", at, heard(obstacle.clone())));
        let stage = smtp(imap(stage, "mail.contoso.com", (143, PLAIN)), "mail.contoso.com", (587, PLAIN));
        for client in ["thunderbird", "thunderbird-72"] {
            let expected = ["imap mail.contoso.com:143 starttls", "smtp mail.contoso.com:587 starttls"];
            assert_eq!(places(&stage.discover(client)), expected, "{client}: {obstacle:?}");
        }
        assert!(places(&stage.discover("delta-chat")).is_empty(), "others look: {obstacle:?}");
    }
}

/// A port that is silent while the host answers elsewhere is filtered; a host that is silent altogether may be down.
#[test]
fn what_could_not_be_tried_is_a_doubt_where_it_could_have_won() {
    let hosts = || bare().host("imap.contoso.com", "192.0.2.4").host("mail.contoso.com", "192.0.2.5");
    let sends = |stage: Stage| smtp(stage, "mail.contoso.com", (587, STARTTLS));
    let good = |stage: Stage| imap(sends(stage), "mail.contoso.com", (993, TLS));
    let silent = |stage: Stage, host: &str| {
        [(993, TLS), (143, STARTTLS)].into_iter().fold(stage, |stage, at| stage.port(host, at, heard(Obstacle::Timeout)))
    };
    for (what, stage, finds, doubts) in [
        ("refused", good(hosts()), true, 0),
        ("silent before it", good(silent(hosts(), "imap.contoso.com")), true, 1),
        ("silent after it", good(silent(hosts().host("contoso.com", "192.0.2.9"), "contoso.com")), true, 0),
        ("silent, and nothing else", sends(silent(hosts(), "imap.contoso.com")), false, 2),
        ("silent, and no outgoing server", silent(hosts(), "imap.contoso.com"), false, 0),
        ("filtered", sends(silent(hosts(), "mail.contoso.com")), false, 0),
        ("a bad certificate before it", good(hosts().port("imap.contoso.com", (993, TLS), heard(Obstacle::CertificateName))), true, 0),
        ("switched off", good(hosts().port("imap.contoso.com", (993, TLS), heard(Obstacle::Withheld))), true, 1),
        (
            "turned away before it",
            good(hosts().port("imap.contoso.com", (993, TLS), heard(Obstacle::TurnedAway { code: "BYE".to_owned() }))),
            true,
            1,
        ),
        ("no STARTTLS before it", good(hosts().port("imap.contoso.com", (143, STARTTLS), heard(Obstacle::NoStartTls))), true, 0),
        ("held before it", good(hosts().port("imap.contoso.com", (993, TLS), heard(Obstacle::Held))), true, 1),
    ] {
        let discovery = stage.discover("thunderbird");
        assert_eq!((discovery.win.is_some(), discovery.doubts.len()), (finds, doubts), "{what}: {:?}", discovery.doubts);
        assert!(discovery.faults.is_empty(), "{what}");
    }
    let mut unknown = good(hosts());
    unknown.0.push((Request::Addresses { name: "pop3.contoso.com".to_owned() }, heard(Obstacle::ServFail)));
    assert!(unknown.discover("thunderbird").doubts.is_empty(), "POP3 comes after IMAP");
    unknown.0.retain(|(request, _)| *request != Request::Addresses { name: "imap.contoso.com".to_owned() });
    unknown.0.push((Request::Addresses { name: "imap.contoso.com".to_owned() }, heard(Obstacle::ServFail)));
    assert_eq!(unknown.discover("thunderbird").doubts[0].lookup.asked, "A imap.contoso.com");
}

#[test]
fn a_web_server_that_answers_and_filters_mail_is_no_mail_server() {
    let mail = [(993, TLS), (143, STARTTLS), (143, PLAIN), (465, TLS), (587, STARTTLS), (25, STARTTLS), (995, TLS), (110, STARTTLS)];
    let silent = |stage: Stage| mail.into_iter().fold(stage, |stage, at| stage.port("contoso.com", at, heard(Obstacle::Timeout)));
    let stage = silent(bare().host("contoso.com", "192.0.2.1"));
    assert!(stage.discover("thunderbird").doubts.is_empty(), "404 at https://contoso.com/.well-known/ shows that it is up");
    let down = stage.obstacle(WELL_KNOWN, Obstacle::Timeout).obstacle(&WELL_KNOWN.replace("https", "http"), Obstacle::Timeout);
    let down = |host: &str| {
        let request = Request::Pox { url: format!("https://{host}/autodiscover/autodiscover.xml"), address: anna() };
        let mut stage = Stage(down.0.clone());
        stage.0.push((request, heard(Obstacle::Timeout)));
        stage.discover("thunderbird").doubts.into_iter().filter(|doubt| doubt.lookup.kind == LookupKind::Guess).count()
    };
    assert_eq!(down("contoso.com"), 4 + 3, "four protected ways to read mail, three to send it");
}

#[test]
fn delta_chat_guesses_beside_a_document_what_that_lacks() {
    let mail = || {
        let hosts = bare().host("smtp.contoso.com", "192.0.2.4").host("mail.contoso.com", "192.0.2.5");
        imap(smtp(hosts, "smtp.contoso.com", (587, STARTTLS)), "mail.contoso.com", (143, STARTTLS))
    };
    let guess = ["imap mail.contoso.com:143 starttls", "smtp smtp.contoso.com:587 starttls"];
    assert_eq!(places(&mail().discover("delta-chat")), guess);
    assert_eq!(places(&mail().document(OWN, &provider("")).discover("delta-chat")), guess, "after an answer without servers");
    let alone = mail().document(OWN, &provider(&server("incomingServer", "imap", "own.contoso.com"))).discover("delta-chat");
    assert_eq!(places(&alone), ["imap own.contoso.com:993 tls", "smtp smtp.contoso.com:587 starttls"]);
    assert!(matches!(alone.win.unwrap().way, Way::Own { .. }));
}

#[test]
fn clients_that_fill_a_name_in_guess_one_place_each_way() {
    let mail = |imap_at: &str, smtp_at: &str| {
        let hosts = bare().host(imap_at, "192.0.2.4").host(smtp_at, "192.0.2.5");
        imap(smtp(hosts, smtp_at, (465, TLS)), imap_at, (993, TLS))
    };
    for client in ["geary", "mailcore"] {
        let expected = ["imap imap.contoso.com:993 tls", "smtp smtp.contoso.com:465 tls"];
        assert_eq!(places(&mail("imap.contoso.com", "smtp.contoso.com").discover(client)), expected, "{client}");
        assert!(mail("mail.contoso.com", "mail.contoso.com").discover(client).win.is_none(), "{client}");
    }
}

#[test]
fn nextcloud_mail_takes_open_ports_of_the_mx() {
    let stage = |imap: Reply, smtp: Reply| {
        bare().host("mail.example", "192.0.2.7").port("mail.example", (993, TLS), imap).port("mail.example", (587, STARTTLS), smtp)
    };
    let expected = ["imap mail.example:993 tls", "smtp mail.example:587 starttls"];
    assert_eq!(places(&stage(heard(Obstacle::CertificateName), greeting("220 ready")).discover("nextcloud-mail")), expected);
    assert!(stage(greeting("* OK"), heard(Obstacle::ConnectionRefused)).discover("nextcloud-mail").win.is_none());
    assert!(guessed(&Stage(Vec::new()).discover("nextcloud-mail")).is_empty(), "without an MX there is nothing to try");
}

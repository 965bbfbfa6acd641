//! `FairEmail`: scores.

use super::*;

const NEUTRAL: &str = "mx.filter.example";
const OWN_HTTP: &str = "http://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=anna%40contoso.com";
const DATABASE: &str = "https://autoconfig.thunderbird.net/v1.1/contoso.com";

fn pox() -> String {
    let protocol =
        |kind: &str, port: u16| format!("<Protocol><Type>{kind}</Type><Server>pox.contoso.com</Server><Port>{port}</Port></Protocol>");
    format!("<AccountType>email</AccountType><Action>settings</Action>{}{}", protocol("IMAP", 993), protocol("SMTP", 587))
}

fn srv(stage: Stage) -> Stage {
    stage.srv("_imaps", "srv.contoso.com").srv("_submission", "srv.contoso.com")
}

fn named(host: &str) -> String {
    config("imap", host).replace("%EMAILADDRESS%", "anna.contoso")
}

#[test]
fn the_best_score_wins_and_of_equals_the_first() {
    for (what, stage, expected) in [
        ("the table by the MX before everything", srv(Stage::new(EXO)).document(OWN, &named("own.contoso.com")), "imap-mail.outlook.com"),
        ("a document with a user name of its own", srv(Stage::new(NEUTRAL)).document(OWN, &named("own.contoso.com")), "own.contoso.com"),
        ("SRV before a document", srv(Stage::new(NEUTRAL)).config(OWN, "own.contoso.com"), "srv.contoso.com"),
        (
            "the domain's before the database's",
            Stage::new(NEUTRAL).config(OWN_HTTP, "own.contoso.com").document(DATABASE, &named("db.example")),
            "own.contoso.com",
        ),
        ("a document before Autodiscover", Stage::new(NEUTRAL).pox("contoso.com", &pox()).config(DATABASE, "db.example"), "db.example"),
        ("Autodiscover alone", Stage::new(NEUTRAL).pox("autodiscover.contoso.com", &pox()), "pox.contoso.com"),
        ("SRV for both or none", Stage::new(NEUTRAL).srv("_imaps", "srv.contoso.com").config(DATABASE, "db.example"), "db.example"),
    ] {
        let win = stage.discover("fairemail").win.unwrap();
        assert_eq!(win.settings.incoming[0].host, expected, "{what}");
    }
}

#[test]
fn a_profile_takes_the_place_of_what_has_one_of_its_hosts() {
    let office = Stage::new(NEUTRAL).config(OWN, "outlook.office365.com");
    assert_eq!(office.servers("fairemail"), ["imap outlook.office365.com", "smtp smtp.office365.com"]);
    assert!(matches!(office.discover("fairemail").win.unwrap().way, Way::Own { .. }));
    let hotmail = provider(&(server("incomingServer", "imap", "a.example") + &server("outgoingServer", "smtp", "smtp-mail.outlook.com")));
    assert_eq!(
        Stage::new(NEUTRAL).document(OWN, &hotmail).servers("fairemail"),
        ["imap imap-mail.outlook.com", "smtp smtp-mail.outlook.com"]
    );
    // with the profile's servers goes the user name, and with that its points
    let both = srv(Stage::new(NEUTRAL)).document(OWN, &named("outlook.office365.com"));
    assert_eq!(both.servers("fairemail"), ["imap srv.contoso.com", "smtp srv.contoso.com"]);
    // and it comes after its equals, whatever their order was
    let other = office.pox("contoso.com", &pox());
    assert_eq!(other.servers("fairemail"), ["imap pox.contoso.com", "smtp pox.contoso.com"]);
}

#[test]
fn what_failed_is_a_doubt_only_where_its_score_could_have_been_better() {
    let mx_fails = |stage: Stage| {
        let mut stage = stage;
        stage.0.retain(|(request, _)| !matches!(request, Request::Mx { .. }));
        stage.0.push((Request::Mx { domain: "contoso.com".parse().unwrap() }, Reply::Obstacle(Obstacle::ServFail)));
        stage
    };
    let pox_fails = |mut stage: Stage, host: &str| {
        let request = Request::Pox { url: format!("https://{host}/autodiscover/autodiscover.xml"), address: anna() };
        stage.0.push((request, Reply::Obstacle(Obstacle::Timeout)));
        stage
    };
    for (what, stage, doubts) in [
        ("the database, after the table", Stage::new(EXO).obstacle(DATABASE, Obstacle::Timeout), 0),
        ("a document, beside SRV", srv(Stage::new(NEUTRAL)).obstacle(OWN, Obstacle::Timeout), 1),
        (
            "a document before the one that answers",
            Stage::new(NEUTRAL).obstacle(OWN, Obstacle::Timeout).config(OWN_HTTP, "own.contoso.com"),
            1,
        ),
        ("Autodiscover, beside a document", pox_fails(Stage::new(NEUTRAL).config(OWN, "own.contoso.com"), "contoso.com"), 0),
        (
            "Autodiscover, beside a document that a profile replaces",
            pox_fails(Stage::new(NEUTRAL).config(OWN, "outlook.office365.com"), "contoso.com"),
            1,
        ),
        (
            "Autodiscover before the one that answers",
            pox_fails(Stage::new(NEUTRAL).pox("autodiscover.contoso.com", &pox()), "contoso.com"),
            1,
        ),
        ("the MX", mx_fails(srv(Stage::new(NEUTRAL))), 1),
        ("everything", Stage::new(NEUTRAL).obstacle(OWN, Obstacle::Timeout).obstacle(DATABASE, Obstacle::Timeout), 2),
    ] {
        assert_eq!(stage.discover("fairemail").doubts.len(), doubts, "{what}: {:?}", stage.discover("fairemail").doubts);
    }
}

/// The names of the MX, and the MX itself, are gone to only where there is no candidate.
#[test]
fn the_mx_is_walked_down_in_the_end() {
    let of_mx = |discovery: &Discovery| discovery.lookups.iter().filter(|lookup| lookup.kind == LookupKind::MxIspdb).count();
    assert_eq!(of_mx(&Stage::new(NEUTRAL).discover("fairemail")), 2, "mx.filter.example and filter.example");
    assert_eq!(of_mx(&Stage::new(EXO).discover("fairemail")), 0);
    let stage = Stage::new(NEUTRAL).config("https://autoconfig.thunderbird.net/v1.1/filter.example", "db.example");
    assert_eq!(stage.servers("fairemail"), ["imap db.example", "smtp db.example"]);
    let itself = Stage::new(NEUTRAL)
        .host(NEUTRAL, "192.0.2.8")
        .port(NEUTRAL, (993, Security::Tls), Reply::Greeting("* OK".to_owned()))
        .port(NEUTRAL, (465, Security::Tls), Reply::Greeting("220".to_owned()));
    assert_eq!(itself.servers("fairemail"), ["imap mx.filter.example", "smtp mx.filter.example"]);
}

#[test]
fn documents_are_read_as_fairemail_reads_them() {
    let plain = |host: &str, port: u16| {
        let written = |element: &str, kind: &str, port: u16| {
            format!("<{element} type='{kind}'><hostname>{host}</hostname><port>{port}</port><socketType>plain</socketType></{element}>")
        };
        provider(&(written("incomingServer", "imap", port) + &written("outgoingServer", "smtp", 25)))
    };
    let pop_first = provider(
        &(server("incomingServer", "pop3", "p.example")
            + &server("incomingServer", "imap", "a.example")
            + &server("outgoingServer", "smtp", "a.example")),
    );
    for (body, expected) in [
        (plain("a.example", 143), &["imap a.example:143 starttls", "smtp a.example:25 tls"][..]),
        (plain("a.example", 993), &["imap a.example:993 tls", "smtp a.example:25 tls"]),
        (plain("imap.%EMAILDOMAIN%", 993), &[]),
        (plain("a.example", 0), &[]),
        (pop_first, &[]),
        ("<html/>".to_owned(), &[]),
    ] {
        let win = Stage::new(NEUTRAL).document(OWN, &body).discover("fairemail").win;
        let servers = win.iter().flat_map(|win| win.settings.servers());
        let lines: Vec<String> =
            servers.map(|server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security)).collect();
        assert_eq!(lines, expected, "{body}");
    }
}

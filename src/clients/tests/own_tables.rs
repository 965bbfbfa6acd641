//! The tables that clients carry with them, and clients that live from them.

use super::*;

fn at(domain: &str) -> Address {
    Address::parse(&format!("anna@{domain}")).unwrap()
}

/// The row that decides for a domain, and the MX that it was for.
fn row(client: &str, domain: &str, mx: &[(u16, &str)]) -> Option<(String, Option<String>)> {
    let discovery = Stage::of(domain, mx).discover_for(client, at(domain), Assumption::default());
    match discovery.win?.way {
        Way::BuiltIn { row, mx } => Some((row, mx)),
        _ => None,
    }
}

#[test]
fn a_company_whose_domain_looks_like_the_consumer_services_gets_its_servers() {
    for (client, domain, expected) in [
        ("aosp-email", "live.example", Some("live1")),
        ("aosp-email", "live.contoso.com", Some("live2")),
        ("aosp-email", "mail.live.example", Some("live3")),
        ("aosp-email", "outlook.example", Some("outlook")),
        ("aosp-email", "outlook.contoso.com", None),
        ("aosp-email", "msn.example", Some("msn")),
        ("aosp-email", "contoso.com", None),
        ("fairemail", "outlook.contoso.com", Some("Outlook")),
        ("fairemail", "live.eu.contoso.com", Some("Live")),
        ("fairemail", "alive.example", None),
        ("mailcore", "outlook.com", Some("outlook")),
        ("mailcore", "outlook.contoso.com", None),
        ("mailcore", "hotmail.ca", Some("hotmail.com")),
        ("mailcore", "ic.ac.uk", Some("office365.com")),
    ] {
        let found = row(client, domain, &[(0, "mx.example")]);
        assert_eq!(found, expected.map(|row| (row.to_owned(), None)), "{client} {domain}");
    }
}

#[test]
fn an_mx_decides_where_the_row_is_for_it() {
    let second = [(0, "mx.example"), (10, "contoso.mail.outlook.com")];
    for (client, mx, expected) in [
        ("fairemail", &[(0, EXO)][..], Some(("MSN", EXO))),
        ("fairemail", &[(0, "contoso-com.mail.eo.outlook.com")], Some(("MSN", "contoso-com.mail.eo.outlook.com"))),
        ("fairemail", &[(0, "contoso-com.o-v1.mx.microsoft")], None),
        ("fairemail", &[(0, "contoso-de.mail.protection.outlook.de")], None),
        ("fairemail", &second, None),
        ("fairemail", &[(0, "mx1.yourfilter.nl")], Some(("Yourhosting.nl", "mx1.yourfilter.nl"))),
        ("mailcore", &[(0, EXO)], None),
        ("mailcore", &second, Some(("outlook", "contoso.mail.outlook.com"))),
        ("mailcore", &[(10, "alt2.aspmx.l.google.com")], Some(("gmail", "alt2.aspmx.l.google.com"))),
        ("aosp-email", &[(0, EXO)], None),
    ] {
        let expected = expected.map(|(row, mx)| (row.to_owned(), Some(mx.to_owned())));
        assert_eq!(row(client, "contoso.com", mx), expected, "{client} {mx:?}");
    }
}

#[test]
fn a_row_names_its_lookup_and_rests_on_the_mx_where_that_decided() {
    let win = Stage::new(EXO).discover("fairemail").win.unwrap();
    assert_eq!((win.lookup.kind, win.lookup.asked.as_str()), (LookupKind::BuiltIn, "own table: MSN"));
    assert_eq!(win.requests, [Request::Mx { domain: "contoso.com".parse().unwrap() }]);
    assert!(Stage::new(EXO).discover_assuming("fairemail", Assumption { lost: &win.requests, mx: 0 }).win.is_none());
    let by_domain = Stage::of("live.example", &[]).discover_for("aosp-email", at("live.example"), Assumption::default()).win.unwrap();
    assert_eq!((by_domain.lookup.asked.as_str(), by_domain.requests.len()), ("own table: live1", 0));
    let servers: Vec<String> =
        by_domain.settings.servers().map(|server| format!("{} {}:{}", server.protocol, server.host, server.port)).collect();
    assert_eq!(servers, ["activesync m.hotmail.com:443", "imap imap-mail.outlook.com:993", "smtp smtp-mail.outlook.com:587"]);
    let ovh = Stage::new("mx3.ovh.net").servers("mailcore");
    assert_eq!(ovh, ["imap mail.contoso.com", "smtp mail.contoso.com"]);
}

#[test]
fn nothing_is_asked_for_a_table_by_domain() {
    let discovery = Stage::new(EXO).discover("aosp-email");
    assert!(discovery.lookups.is_empty() && discovery.win.is_none());
}

#[test]
fn an_mx_that_cannot_be_told_is_a_doubt_of_a_table_by_mx() {
    let request = Request::Mx { domain: "contoso.com".parse().unwrap() };
    let failing = Stage(vec![(request, Reply::Obstacle(Obstacle::ServFail))]);
    for client in ["fairemail", "mailcore"] {
        assert_eq!(failing.discover(client).doubts.len(), 1, "{client}");
    }
}

#[test]
fn mailspring_takes_its_tables_around_documents() {
    let (own, well_known) =
        ("https://autoconfig.contoso.com/mail/config-v1.1.xml", "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml");
    let empty = Obstacle::Empty { status: 200, content_type: String::new() };
    let stage = || Stage::new(EXO).config(well_known, "well-known.contoso.com");
    for (stage, expected) in [
        (stage(), Some("well-known.contoso.com")),
        (stage().config(own, "own.contoso.com"), Some("own.contoso.com")),
        (stage().document(own, "<html><meta></html>"), Some("well-known.contoso.com")),
        (stage().document(own, "<html/>"), None),
        (stage().obstacle(own, empty), None),
        (stage().document(own, &config("pop3", "own.contoso.com")), None),
    ] {
        let host = stage.discover("mailcore").win.map(|win| win.settings.incoming[0].host.clone());
        assert_eq!(host.as_deref(), expected);
    }
    assert_eq!(asked(&Stage::new(EXO).discover("mailcore")), [own, well_known]);
}

/// It would find mail servers by its guess, but for the host that the document names.
#[test]
fn a_placeholder_in_a_host_is_all_that_mailspring_configures() {
    let own = "https://autoconfig.contoso.com/mail/config-v1.1.xml";
    let listening = || {
        let hosts = Stage::new(EXO).host("imap.contoso.com", "192.0.2.8").host("smtp.contoso.com", "192.0.2.8");
        let imap = hosts.port("imap.contoso.com", (993, Security::Tls), Reply::Greeting("* OK".to_owned()));
        imap.port("smtp.contoso.com", (465, Security::Tls), Reply::Greeting("220".to_owned()))
    };
    let document = |imap: &str, smtp: &str| provider(&(server("incomingServer", "imap", imap) + &server("outgoingServer", "smtp", smtp)));
    for (imap, smtp, expected) in [
        ("mail.contoso.com", "mail.contoso.com", &["imap mail.contoso.com", "smtp mail.contoso.com"][..]),
        ("imap.%EMAILDOMAIN%", "mail.contoso.com", &[]),
        ("mail.contoso.com", "smtp.%EMAILDOMAIN%", &[]),
    ] {
        assert_eq!(listening().document(own, &document(imap, smtp)).servers("mailcore"), expected, "{imap} {smtp}");
    }
}

#[test]
fn snappymail_asks_in_its_order_and_takes_first_servers_alone() {
    let own = "https://autoconfig.contoso.com/.well-known/mail-v1.xml?emailaddress=anna%40contoso.com";
    let database = "https://autoconfig.thunderbird.net/v1.1/contoso.com";
    let discovery = Stage::new(EXO).discover("snappymail");
    let order: Vec<&str> = discovery.lookups.iter().map(|lookup| lookup.asked.as_str()).collect();
    let expected = [
        "https://autoconfig.contoso.com/.well-known/mail-v1.xml?emailaddress=%EMAILADDRESS:URL%",
        "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml",
        "http://autoconfig.contoso.com/mail/config-v1.1.xml",
        database,
        "SRV _autodiscover._tcp.contoso.com",
        "POST https://contoso.com/autodiscover/autodiscover.xml",
        "POST https://autodiscover.contoso.com/autodiscover/autodiscover.xml",
        "POST http://autodiscover.contoso.com/autodiscover/autodiscover.xml",
    ];
    assert_eq!(order, expected, "neither the MX nor SRV records of the mail services count");
    let pop_first = provider(
        &(server("incomingServer", "pop3", "own.contoso.com")
            + &server("incomingServer", "imap", "own.contoso.com")
            + &server("outgoingServer", "smtp", "own.contoso.com")),
    );
    let protocol =
        |kind: &str, port: u16| format!("<Protocol><Type>{kind}</Type><Server>pox.contoso.com</Server><Port>{port}</Port></Protocol>");
    let pox = protocol("IMAP", 993) + &protocol("SMTP", 587);
    let guarded = Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers: Vec::new() };
    let ask = |host: &str| Request::Pox { url: format!("https://{host}/autodiscover/autodiscover.xml"), address: anna() };
    let mut behind_credentials = Stage::new(EXO).pox("autodiscover.contoso.com", &pox);
    behind_credentials.0.push((ask("contoso.com"), Reply::Obstacle(guarded)));
    for (stage, expected) in [
        (Stage::new(EXO).config(database, "db.example"), &["imap db.example", "smtp db.example"][..]),
        (Stage::new(EXO).config(database, "db.example").document(own, &pop_first), &[]),
        (Stage::new(EXO).config(database, "db.example").config(own, "mail.%EMAILDOMAIN%"), &[]),
        (Stage::new(EXO).config(database, "db.example").document(own, "<html/>"), &["imap db.example", "smtp db.example"]),
        (behind_credentials, &["imap pox.contoso.com", "smtp pox.contoso.com"]),
        (Stage::new(EXO).srv("_imaps", "srv.contoso.com").srv("_submission", "srv.contoso.com"), &[]),
    ] {
        assert_eq!(stage.servers("snappymail"), expected);
    }
}

/// Unlike Thunderbird, the draft asks the base domain's own host before the database's entry for the parent.
#[test]
fn the_draft_goes_step_by_step_and_thunderbird_name_by_name() {
    let stage = Stage::new(EXO)
        .config("https://autoconfig.outlook.com/mail/config-v1.1.xml?emailaddress=postmaster%40contoso.com", "provider.example")
        .config("https://v1.ispdb.net/mail.protection.outlook.com", "exo.example")
        .config(&format!("{DATABASE}mail.protection.outlook.com"), "exo.example");
    assert_eq!(stage.servers("autoconfig-draft"), ["imap provider.example", "smtp provider.example"]);
    assert_eq!(stage.servers("thunderbird"), ["imap exo.example", "smtp exo.example"]);
    let discovery = stage.discover("autoconfig-draft");
    let expected = [
        "https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS:URL%",
        "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml",
        "http://autoconfig.contoso.com/mail/config-v1.1.xml",
        "https://v1.ispdb.net/contoso.com",
        "https://autoconfig.mail.protection.outlook.com/mail/config-v1.1.xml?emailaddress=postmaster%40contoso.com",
        "https://autoconfig.outlook.com/mail/config-v1.1.xml?emailaddress=postmaster%40contoso.com",
        "https://v1.ispdb.net/mail.protection.outlook.com",
        "https://v1.ispdb.net/outlook.com",
    ];
    assert_eq!(asked(&discovery), expected);
}

#[test]
fn an_id_that_geary_knows_is_a_way_of_its_own() {
    let (own, database) = ("https://autoconfig.contoso.com/mail/config-v1.1.xml", "https://autoconfig.thunderbird.net/v1.1/contoso.com");
    for (client, id, url, expected) in [
        ("geary", "hotmail.com", own, true),
        ("geary", "hotmail.com", database, true),
        ("geary", "googlemail.com", own, true),
        ("geary", "Hotmail.com", own, false),
        ("geary", "outlook.com", own, false),
        ("thunderbird-android", "hotmail.com", own, false),
    ] {
        let document = config("imap", "outlook.office365.com").replace("id='contoso.com'", &format!("id='{id}'"));
        let win = Stage::new(EXO).document(url, &document).discover(client).win.unwrap();
        assert_eq!(win.way == Way::ProviderId, expected, "{client} {id} {url}: {:?}", win.way);
    }
}

#[test]
fn mailsprings_tile_for_microsoft_365_ends_with_microsofts_hosts() {
    let own = "https://autoconfig.contoso.com/mail/config-v1.1.xml";
    let office = ["imap outlook.office365.com", "smtp smtp.office365.com"];
    let pop3 = config("pop3", "own.contoso.com");
    for (stage, expected) in [
        (Stage::new(EXO), &office[..]),
        (Stage::new(EXO).config(own, "own.contoso.com"), &["imap own.contoso.com", "smtp own.contoso.com"]),
        (Stage::new(EXO).document(own, "<html/>"), &office),
        (Stage::new(EXO).document(own, &provider(&server("incomingServer", "imap", "own.contoso.com"))), &office),
        (Stage::new(EXO).document(own, &pop3), &[]),
        (Stage::new(EXO).config(own, "own.%EMAILDOMAIN%"), &[]),
        (Stage::new("contoso.mail.outlook.com"), &["imap imap-mail.outlook.com", "smtp smtp-mail.outlook.com"]),
    ] {
        assert_eq!(stage.servers("mailspring-microsoft-365"), expected);
    }
}

/// A client that needs a kind of lookup that is switched off is not looked at; without guesses it is.
#[test]
fn a_table_by_mx_needs_the_mx_and_a_guess_needs_nothing() {
    let table = ClientTable::built_in().unwrap();
    for (client, mx) in [("mailcore", true), ("fairemail", true), ("aosp-email", false), ("geary", false)] {
        let kinds = table.iter().find(|known| known.name == client).unwrap().kinds();
        assert_eq!((kinds.contains(&LookupKind::Mx), kinds.contains(&LookupKind::Guess)), (mx, false), "{client}");
    }
}

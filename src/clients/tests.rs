//! Whole clients of the built-in table over synthetic answers.

mod fairemail;
mod guesses;
mod microsoft;
mod own_tables;
mod reduced;

use super::{ClientTable, search};
use crate::{
    model::{
        Address, Answer, Assumption, Discovery, Hop, HttpDocument, LookupKind, MxRecord, Obstacle, Readings, Reply, Request, Security,
        SrvRecord, Subject, Way,
    },
    wire,
};

/// The answers to `anna@contoso.com`, by URL, or `MX` and `SRV name`. Whatever is not there was not found (404, NODATA, refused).
struct Stage(Vec<(Request, Reply)>);

impl Stage {
    fn new(mx: &str) -> Self {
        Self::of("contoso.com", &[(0, mx)])
    }

    /// A domain with MX records.
    fn of(domain: &str, mx: &[(u16, &str)]) -> Self {
        let record = |(preference, exchange): &(u16, &str)| MxRecord { preference: *preference, exchange: (*exchange).to_owned() };
        let records = mx.iter().map(record).collect();
        Self(vec![(Request::Mx { domain: domain.parse().unwrap() }, Reply::Mx(records))])
    }

    /// A host with an address, where nobody listens to mail.
    fn host(mut self, name: &str, address: &str) -> Self {
        self.0.push((Request::Addresses { name: name.to_owned() }, Reply::Addresses(vec![address.parse().unwrap()])));
        self
    }

    /// What is heard at a port.
    fn port(mut self, host: &str, (port, security): (u16, Security), reply: Reply) -> Self {
        self.0.push((Request::Greeting { host: host.to_owned(), port, security }, reply));
        self
    }

    fn document(mut self, url: &str, body: &str) -> Self {
        let reply = Reply::Document(HttpDocument {
            status: 200,
            content_type: "text/xml".to_owned(),
            body: body.as_bytes().into(),
            headers: Vec::new(),
        });
        self.0.push((get(url), reply));
        self
    }

    /// A `config-v1.1.xml` with IMAP and SMTP at a host.
    fn config(self, url: &str, host: &str) -> Self {
        self.document(url, &config("imap", host))
    }

    fn obstacle(mut self, url: &str, obstacle: Obstacle) -> Self {
        self.0.push((get(url), Reply::Obstacle(obstacle)));
        self
    }

    fn srv(mut self, service: &str, host: &str) -> Self {
        let record = SrvRecord { priority: 0, weight: 0, port: 993, target: host.to_owned() };
        self.0.push((Request::Srv { name: format!("{service}._tcp.contoso.com") }, Reply::Srv(vec![record])));
        self
    }

    fn pox(mut self, host: &str, protocols: &str) -> Self {
        let body = format!("<Autodiscover><Response><Account>{protocols}</Account></Response></Autodiscover>");
        let url = format!("https://{host}/autodiscover/autodiscover.xml");
        let reply = Reply::Document(HttpDocument {
            status: 200,
            content_type: "text/xml".to_owned(),
            body: body.as_bytes().into(),
            headers: Vec::new(),
        });
        self.0.push((Request::Pox { url, address: anna() }, reply));
        self
    }

    /// What a client of the built-in table ends with.
    fn discover(&self, client: &str) -> Discovery {
        self.discover_assuming(client, Assumption::default())
    }

    fn discover_assuming(&self, client: &str, assumption: Assumption<'_>) -> Discovery {
        self.discover_for(client, anna(), assumption)
    }

    fn discover_for(&self, client: &str, address: Address, assumption: Assumption<'_>) -> Discovery {
        let subject = Subject { address };
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|known| known.name == client).unwrap();
        let mut readings = Readings::default();
        loop {
            let found = search(client, &subject, &readings, assumption);
            if found.missing.is_empty() {
                return found.discovery;
            }
            for lookup in found.missing {
                let known = self.0.iter().find(|(request, _)| *request == lookup.request);
                let reply = known.map_or_else(|| Reply::Obstacle(nothing(&lookup.request)), |(_, reply)| reply.clone());
                let answer = Answer { hops: hops(&lookup.request, &reply), reply, cnames: Vec::new(), attempts: 1, took_ms: 1 };
                let reading = wire::read(&lookup, answer.into());
                readings.insert(lookup.request, reading);
            }
        }
    }

    /// The servers that a client ends with.
    fn servers(&self, client: &str) -> Vec<String> {
        let win = self.discover(client).win;
        win.iter().flat_map(|win| win.settings.servers()).map(|server| format!("{} {}", server.protocol, server.host)).collect()
    }
}

/// The request for a URL, which names whoever is in it.
fn get(url: &str) -> Request {
    let address = ["anna", "postmaster"].into_iter().find(|local| url.contains(&format!("{local}%40contoso.com")));
    let address = address.map(|local| Address::parse(&format!("{local}@contoso.com")).unwrap());
    Request::Get { url: url.to_owned(), address }
}

fn anna() -> Address {
    Address::parse("anna@contoso.com").unwrap()
}

fn nothing(request: &Request) -> Obstacle {
    match request {
        Request::Mx { .. } | Request::Srv { .. } | Request::Txt { .. } | Request::Addresses { .. } | Request::BuiltIn { .. } => {
            Obstacle::NoData
        }
        Request::Greeting { .. } => Obstacle::ConnectionRefused,
        Request::Redirect { .. } => Obstacle::NoRedirect,
        Request::Get { .. } | Request::Pox { .. } | Request::Http { .. } => Obstacle::NotThere { status: 404 },
    }
}

/// The only hop of what a web server said.
fn hops(request: &Request, reply: &Reply) -> Vec<Hop> {
    let status = match reply {
        Reply::Document(document) => Some(document.status),
        Reply::Obstacle(Obstacle::NotThere { status }) => Some(*status),
        _ => None,
    };
    match request {
        Request::Get { url, .. } | Request::Pox { url, .. } => vec![Hop { url: url.clone(), status, location: None }],
        _ => Vec::new(),
    }
}

fn server(element: &str, kind: &str, host: &str) -> String {
    format!(
        "<{element} type='{kind}'><hostname>{host}</hostname><port>993</port><socketType>SSL</socketType>\
         <authentication>password-cleartext</authentication><username>%EMAILADDRESS%</username></{element}>"
    )
}

fn provider(servers: &str) -> String {
    format!("<clientConfig><emailProvider id='contoso.com'><domain>contoso.com</domain>{servers}</emailProvider></clientConfig>")
}

fn config(incoming: &str, host: &str) -> String {
    provider(&(server("incomingServer", incoming, host) + &server("outgoingServer", "smtp", host)))
}

/// The documents that a client asks for, in its order.
fn asked(discovery: &Discovery) -> Vec<&str> {
    let kinds = [LookupKind::OwnAutoconfig, LookupKind::Ispdb, LookupKind::MxAutoconfig, LookupKind::MxIspdb];
    discovery.lookups.iter().filter(|lookup| kinds.contains(&lookup.kind)).map(|lookup| lookup.asked.as_str()).collect()
}

const EXO: &str = "contoso-com.mail.protection.outlook.com";
const OWN: &str = "https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=anna%40contoso.com";
const WELL_KNOWN: &str = "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=anna%40contoso.com";
const DATABASE: &str = "https://live.thunderbird.net/autoconfig/v1.1/";

#[test]
fn a_document_that_is_taken_ends_the_search_for_documents() {
    let stage = |kind: &str| {
        Stage::new(EXO).document(OWN, &config(kind, "own.contoso.com")).config(&format!("{DATABASE}contoso.com"), "db.example")
    };
    let discovery = stage("nntp").discover("thunderbird");
    assert!(discovery.win.is_none());
    assert_eq!(discovery.faults.len(), 1, "{:?}", discovery.faults);
    assert_eq!(stage("jmap").servers("thunderbird"), ["imap db.example", "smtp db.example"]);
}

/// `InputSanitizer.enum` compares with letter case (comm 1c4543bcfe).
#[test]
fn the_type_of_a_server_in_other_letters_is_none_for_thunderbird() {
    let stage = Stage::new(EXO).document(OWN, &config("IMAP", "imap.contoso.com"));
    for (client, found) in [("thunderbird", false), ("mx-base-domain", true)] {
        assert_eq!(stage.discover(client).win.is_some(), found, "{client}");
    }
}

#[test]
fn thunderbird_72_goes_on_where_the_present_one_ends_a_step() {
    let stage = Stage::new(EXO).document(OWN, "<html/>").config(WELL_KNOWN, "well-known.contoso.com");
    assert_eq!(stage.servers("thunderbird-72"), ["imap well-known.contoso.com", "smtp well-known.contoso.com"]);
    assert!(stage.servers("thunderbird").is_empty());
}

#[test]
fn thunderbird_72_asks_the_database_alone_about_the_mx() {
    let stage = Stage::new(EXO)
        .config(&format!("{DATABASE}mail.protection.outlook.com"), "exo.example")
        .config(&format!("{DATABASE}outlook.com"), "hotmail.example");
    assert_eq!(stage.servers("thunderbird-72"), ["imap exo.example", "smtp exo.example"]);
    let discovery = stage.discover("thunderbird-72");
    let of_mx: Vec<&str> = asked(&discovery).into_iter().filter(|url| url.contains("outlook.com")).collect();
    assert_eq!(of_mx, [format!("{DATABASE}mail.protection.outlook.com"), format!("{DATABASE}outlook.com")]);
    assert!(discovery.lookups.iter().all(|lookup| lookup.kind != LookupKind::AutodiscoverSrv));
}

const EVOLUTION_DATABASE: &str = "https://autoconfig.thunderbird.net/v1.1/";

#[test]
fn evolution_walks_down_the_suffixes_of_the_mx() {
    let discovery = Stage::new(EXO).discover("evolution");
    let five = |name: &str, address: &str| {
        let documents =
            ["https://autoconfig.{}/", "http://autoconfig.{}/", "https://{}/.well-known/autoconfig/", "http://{}/.well-known/autoconfig/"];
        let mut urls: Vec<String> =
            documents.iter().map(|url| url.replace("{}", name) + "mail/config-v1.1.xml?emailaddress=" + address).collect();
        urls.push(format!("{EVOLUTION_DATABASE}{name}"));
        urls
    };
    let names = ["contoso-com.mail.protection.outlook.com", "mail.protection.outlook.com", "protection.outlook.com", "outlook.com"];
    let mut expected = five("contoso.com", "%EMAILADDRESS:URL%");
    expected.extend(names.iter().flat_map(|name| five(name, "postmaster%40contoso.com")));
    assert_eq!(asked(&discovery), expected);
    let stage = Stage::new(EXO).config(&format!("{EVOLUTION_DATABASE}outlook.com"), "hotmail.example");
    assert_eq!(stage.servers("evolution"), ["imap hotmail.example", "smtp hotmail.example"]);
    let stage = stage.config(&format!("{EVOLUTION_DATABASE}mail.protection.outlook.com"), "exo.example");
    assert_eq!(stage.servers("evolution"), ["imap exo.example", "smtp exo.example"]);
}

#[test]
fn evolution_looks_at_the_mx_only_where_the_database_says_404() {
    let (own, of_mx) = (format!("{EVOLUTION_DATABASE}contoso.com"), format!("{EVOLUTION_DATABASE}outlook.com"));
    let parent = format!("{EVOLUTION_DATABASE}protection.outlook.com");
    for (url, obstacle, finds, doubts) in [
        (&own, Obstacle::NotThere { status: 404 }, true, false),
        (&own, Obstacle::NotThere { status: 410 }, false, false),
        (&own, Obstacle::ServerError { status: 503 }, false, true),
        (&own, Obstacle::Rejected { status: 403 }, false, true),
        (&own, Obstacle::Timeout, false, true),
        (&parent, Obstacle::NotThere { status: 404 }, true, false),
        (&parent, Obstacle::Timeout, false, true),
    ] {
        let discovery = Stage::new(EXO).config(&of_mx, "hotmail.example").obstacle(url, obstacle.clone()).discover("evolution");
        assert_eq!((discovery.win.is_some(), !discovery.doubts.is_empty()), (finds, doubts), "{url} {obstacle}");
    }
}

#[test]
fn any_well_formed_xml_ends_evolutions_search_and_broken_markup_does_not() {
    for (body, finds) in [
        ("<!DOCTYPE html><html><head><meta charset=utf-8></head></html>", true),
        ("", true),
        ("<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>", false),
        ("<rss><channel/></rss>", false),
        ("<clientConfig/>", false),
        ("<clientConfig><emailProvider id='x'/></clientConfig>", false),
    ] {
        let stage = Stage::new(EXO).document(OWN, body).config(&format!("{EVOLUTION_DATABASE}mail.protection.outlook.com"), "exo.example");
        assert_eq!(stage.discover("evolution").win.is_some(), finds, "{body}");
    }
    let broken = Stage::new(EXO)
        .document(&format!("{EVOLUTION_DATABASE}contoso.com"), "<html>")
        .config(&format!("{EVOLUTION_DATABASE}outlook.com"), "x.example");
    assert!(broken.discover("evolution").win.is_none());
}

#[test]
fn evolution_has_srv_and_web_services_beside_documents() {
    let exchange = "<Protocol><Type>EXCH</Type><ASUrl>https://ews.contoso.com/EWS/Exchange.asmx</ASUrl></Protocol>";
    let imap_alone = provider(&server("incomingServer", "imap", "imap.contoso.com"));
    let srv = Stage::new(EXO).srv("_imaps", "srv.contoso.com").srv("_submission", "srv.contoso.com").pox("contoso.com", exchange);
    assert_eq!(srv.servers("evolution"), ["imap srv.contoso.com", "smtp srv.contoso.com"]);
    assert_eq!(srv.discover("evolution").win.unwrap().beside.unwrap().settings.incoming[0].host, "ews.contoso.com");
    let both = srv.document(OWN, &imap_alone);
    assert_eq!(both.servers("evolution"), ["imap imap.contoso.com", "smtp srv.contoso.com"]);
    let closed = Stage::new(EXO).document(OWN, "<rss/>").srv("_imaps", "srv.contoso.com");
    assert_eq!(closed.servers("evolution"), ["imap srv.contoso.com"]);
    let ews = Stage::new(EXO).pox("autodiscover.contoso.com", exchange);
    assert_eq!(ews.servers("evolution"), ["ews ews.contoso.com"]);
}

/// What Evolution would do had the winner failed in passing: the database must say 404.
#[test]
fn a_lost_answer_of_the_database_ends_evolutions_search() {
    let (winner, next) = (format!("{EVOLUTION_DATABASE}mail.protection.outlook.com"), format!("{EVOLUTION_DATABASE}outlook.com"));
    let stage = Stage::new(EXO).config(&winner, "exo.example").config(&next, "hotmail.example");
    let lost = [get(&winner)];
    assert!(stage.discover("evolution").win.is_some());
    assert!(stage.discover_assuming("evolution", Assumption { lost: &lost, mx: 0 }).win.is_none());
}

#[test]
fn kmail_asks_the_database_first_and_ends_at_whatever_answers_200() {
    let own = "https://autoconfig.contoso.com/mail/config-v1.1.xml";
    let well_known = "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml";
    let database = format!("{EVOLUTION_DATABASE}contoso.com");
    let discovery = Stage::new(EXO).discover("kmail");
    assert_eq!(asked(&discovery), [database.as_str(), own, "http://autoconfig.contoso.com/mail/config-v1.1.xml", well_known]);
    let stage = || Stage::new(EXO).config(well_known, "well-known.contoso.com");
    let empty = |status| Obstacle::Empty { status, content_type: String::new() };
    for (stage, expected) in [
        (stage().config(&database, "db.example").config(own, "own.contoso.com"), Some("db.example")),
        (stage().config(own, "own.contoso.com"), Some("own.contoso.com")),
        (stage().document(own, "<html>"), None),
        (stage().document(own, &config("ews", "ews.contoso.com")), None),
        (stage().obstacle(own, empty(200)), None),
        (stage().obstacle(own, empty(204)), Some("well-known.contoso.com")),
        (stage().obstacle(own, Obstacle::Timeout), Some("well-known.contoso.com")),
        (stage().obstacle(&database, Obstacle::ServerError { status: 503 }), Some("well-known.contoso.com")),
    ] {
        let host = stage.discover("kmail").win.map(|win| win.settings.incoming[0].host.clone());
        assert_eq!(host.as_deref(), expected);
    }
}

#[test]
fn gnome_online_accounts_asks_about_the_mx_host_itself_and_its_base() {
    let discovery = Stage::new(EXO).discover("gnome-online-accounts");
    let expected = [
        "https://autoconfig.contoso.com/.well-known/mail-v1.xml?emailaddress=%EMAILADDRESS:URL%",
        "https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS:URL%",
        "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml",
        "http://autoconfig.contoso.com/mail/config-v1.1.xml",
        "https://v1.ispdb.net/contoso.com",
        "https://autoconfig.contoso-com.mail.protection.outlook.com/.well-known/mail-v1.xml?emailaddress=postmaster%40contoso.com",
        "https://autoconfig.outlook.com/.well-known/mail-v1.xml?emailaddress=postmaster%40contoso.com",
        "https://v1.ispdb.net/contoso-com.mail.protection.outlook.com",
        "https://v1.ispdb.net/outlook.com",
    ];
    assert_eq!(asked(&discovery), expected);
    let well_known = "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml";
    let stage = || Stage::new(EXO).config(well_known, "well-known.contoso.com");
    for (stage, expected) in [
        (Stage::new(EXO).config("https://v1.ispdb.net/outlook.com", "hotmail.example"), Some("hotmail.example")),
        (stage().document(OWN, "<html/>"), Some("well-known.contoso.com")),
        (stage().document(OWN, &config("pop3", "pop.contoso.com")), None),
        (stage().document(OWN, &provider("")), None),
        (stage().obstacle(OWN, Obstacle::Timeout), Some("well-known.contoso.com")),
    ] {
        let host = stage.discover("gnome-online-accounts").win.map(|win| win.settings.incoming[0].host.clone());
        assert_eq!(host.as_deref(), expected);
    }
}

#[test]
fn thunderbird_for_android_asks_in_its_order_and_without_an_address() {
    let discovery = Stage::new(EXO).discover("thunderbird-android");
    let expected = [
        "https://autoconfig.contoso.com/mail/config-v1.1.xml",
        "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml",
        "http://autoconfig.contoso.com/mail/config-v1.1.xml",
        "http://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml",
        "https://autoconfig.thunderbird.net/v1.1/contoso.com",
        "https://autoconfig.mail.protection.outlook.com/mail/config-v1.1.xml",
        "https://autoconfig.thunderbird.net/v1.1/mail.protection.outlook.com",
        "https://autoconfig.outlook.com/mail/config-v1.1.xml",
        "https://autoconfig.thunderbird.net/v1.1/outlook.com",
    ];
    assert_eq!(asked(&discovery), expected);
    let oauth_alone = config("imap", "imap.contoso.com").replace("password-cleartext", "OAuth2");
    let database = || Stage::new(EXO).config(expected[4], "db.example");
    for (stage, found) in [
        (database().document(expected[0], "<html/>"), Some("db.example")),
        (database().document(expected[0], &config("pop3", "pop.contoso.com")), Some("db.example")),
        (database().document(expected[0], &oauth_alone), None),
        (Stage::new(EXO).config(expected[8], "hotmail.example").obstacle(expected[6], Obstacle::Timeout), Some("hotmail.example")),
    ] {
        let host = stage.discover("thunderbird-android").win.map(|win| win.settings.incoming[0].host.clone());
        assert_eq!(host.as_deref(), found);
    }
}

#[test]
fn geary_asks_the_domain_and_then_the_database() {
    let (own, database) = ("https://autoconfig.contoso.com/mail/config-v1.1.xml", "https://autoconfig.thunderbird.net/v1.1/contoso.com");
    let stage = Stage::new(EXO).config(database, "db.example");
    assert_eq!(asked(&stage.discover("geary")), [own, database]);
    assert_eq!(stage.servers("geary"), ["imap db.example", "smtp db.example"]);
    let pop_first = provider(&(server("incomingServer", "pop3", "own.contoso.com") + &server("incomingServer", "imap", "own.contoso.com")));
    assert_eq!(stage.document(own, &pop_first).servers("geary"), ["imap db.example", "smtp db.example"]);
    let hotmail = config("imap", "outlook.office365.com").replace("id='contoso.com'", "id='hotmail.com'");
    assert_eq!(Stage::new(EXO).document(own, &hotmail).servers("geary"), ["imap imap-mail.outlook.com", "smtp smtp-mail.outlook.com"]);
}

#[test]
fn nextcloud_mail_puts_the_database_between_https_and_http() {
    let five = |name: &str, address: &str| {
        let (own, well_known) = (format!("autoconfig.{name}/mail"), format!("{name}/.well-known/autoconfig/mail"));
        let document = |scheme: &str, place: &str| format!("{scheme}://{place}/config-v1.1.xml?emailaddress={address}");
        [
            document("https", &own),
            document("https", &well_known),
            format!("https://autoconfig.thunderbird.net/v1.1/{name}"),
            document("http", &own),
            document("http", &well_known),
        ]
    };
    let names = ["contoso-com.mail.protection.outlook.com", "mail.protection.outlook.com", "outlook.com"];
    let mut expected = five("contoso.com", "%EMAILADDRESS:URL%").to_vec();
    expected.extend(names.iter().flat_map(|name| five(name, "postmaster%40contoso.com")));
    assert_eq!(asked(&Stage::new(EXO).discover("nextcloud-mail")), expected);
    let of_mx = |name: &str| format!("https://autoconfig.thunderbird.net/v1.1/{name}");
    let stage = Stage::new(EXO).config(&of_mx("outlook.com"), "hotmail.example");
    assert_eq!(stage.servers("nextcloud-mail"), ["imap hotmail.example", "smtp hotmail.example"]);
    let stage = stage.config(&of_mx("mail.protection.outlook.com"), "exo.example");
    assert_eq!(stage.servers("nextcloud-mail"), ["imap exo.example", "smtp exo.example"]);
    let stage = stage.document(OWN, &provider(&server("outgoingServer", "smtp", "smtp.contoso.com")));
    assert!(stage.servers("nextcloud-mail").is_empty());
}

#[test]
fn delta_chat_gets_autodiscover_as_a_page_and_ends_at_whatever_it_can_read() {
    let exchange = |host: &str| format!("https://{host}/autodiscover/autodiscover.xml");
    let database = format!("{EVOLUTION_DATABASE}contoso.com");
    let discovery = Stage::new(EXO).discover("delta-chat");
    let published = discovery.lookups.iter().filter(|lookup| lookup.kind != LookupKind::Guess);
    let order: Vec<&str> = published.map(|lookup| lookup.asked.as_str()).collect();
    let own = "https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS:URL%";
    let well_known = "https://contoso.com/.well-known/autoconfig/mail/config-v1.1.xml";
    assert_eq!(order, [own, well_known, &exchange("contoso.com"), &exchange("autodiscover.contoso.com"), &database]);
    let pox = |inside: &str| format!("<Autodiscover><Response><Account>{inside}</Account></Response></Autodiscover>");
    let imap = "<Protocol><Type>IMAP</Type><Server>pox.contoso.com</Server><Port>993</Port></Protocol>";
    let stage = || Stage::new(EXO).config(&database, "db.example");
    let moved = stage().document(&exchange("contoso.com"), &pox(&format!("<RedirectUrl>{}</RedirectUrl>", exchange("x.contoso.com"))));
    let guarded = Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers: Vec::new() };
    for (stage, expected) in [
        (stage(), Some("db.example")),
        (stage().document(OWN, "<html><meta></html>"), Some("db.example")),
        (stage().document(OWN, "<html/>"), None),
        (stage().document(OWN, &provider("")), None),
        (stage().obstacle(OWN, Obstacle::Empty { status: 200, content_type: String::new() }), None),
        (stage().document(&exchange("autodiscover.contoso.com"), &pox(imap)), Some("pox.contoso.com")),
        (stage().document(&exchange("contoso.com"), "<html/>").document(&exchange("autodiscover.contoso.com"), &pox(imap)), None),
        (stage().document(&exchange("contoso.com"), &pox("<Protocol><Type>EXCH</Type><Server>e</Server></Protocol>")), None),
        (stage().obstacle(&exchange("contoso.com"), guarded), Some("db.example")),
        (moved.document(&exchange("x.contoso.com"), &pox(imap)), Some("pox.contoso.com")),
    ] {
        let host = stage.discover("delta-chat").win.map(|win| win.settings.incoming[0].host.clone());
        assert_eq!(host.as_deref(), expected);
    }
}

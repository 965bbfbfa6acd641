//! Whole clients of the built-in table over synthetic answers.

use super::{ClientTable, search};
use crate::{
    model::{Address, Answer, Assumption, Discovery, HttpDocument, LookupKind, MxRecord, Obstacle, Readings, Reply, Request, Subject},
    wire,
};

/// The answers to `anna@contoso.com`, by URL, or `MX` and `SRV name`. Whatever is not there was not found (404, NODATA).
struct Stage(Vec<(Request, Reply)>);

impl Stage {
    fn new(mx: &str) -> Self {
        let domain = "contoso.com".parse().unwrap();
        let mx = MxRecord { preference: 0, exchange: mx.to_owned() };
        Self(vec![(Request::Mx { domain }, Reply::Mx(vec![mx]))])
    }

    fn document(mut self, url: &str, body: &str) -> Self {
        let reply = Reply::Document(HttpDocument { status: 200, content_type: "text/xml".to_owned(), body: body.as_bytes().into() });
        self.0.push((Request::Get { url: url.to_owned() }, reply));
        self
    }

    /// A `config-v1.1.xml` with IMAP and SMTP at a host.
    fn config(self, url: &str, host: &str) -> Self {
        self.document(url, &config("imap", host))
    }

    /// What a client of the built-in table ends with.
    fn discover(&self, client: &str) -> Discovery {
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|known| known.name == client).unwrap();
        let mut readings = Readings::default();
        loop {
            let found = search(client, &Subject { address: anna() }, &readings, Assumption::default());
            if found.missing.is_empty() {
                return found.discovery;
            }
            for lookup in found.missing {
                let known = self.0.iter().find(|(request, _)| *request == lookup.request);
                let reply = known.map_or_else(|| Reply::Obstacle(nothing(&lookup.request)), |(_, reply)| reply.clone());
                let answer = Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
                readings.insert(lookup.request.clone(), wire::read(lookup.kind, answer.into()));
            }
        }
    }

    /// The servers that a client ends with.
    fn servers(&self, client: &str) -> Vec<String> {
        let win = self.discover(client).win;
        win.iter().flat_map(|win| win.settings.servers()).map(|server| format!("{} {}", server.protocol, server.host)).collect()
    }
}

fn anna() -> Address {
    Address::parse("anna@contoso.com").unwrap()
}

fn nothing(request: &Request) -> Obstacle {
    match request {
        Request::Mx { .. } | Request::Srv { .. } | Request::Addresses { .. } => Obstacle::NoData,
        Request::Redirect { .. } => Obstacle::NoRedirect,
        Request::Get { .. } | Request::Pox { .. } => Obstacle::NotThere { status: 404 },
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

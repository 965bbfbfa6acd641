use super::*;
use crate::{
    clients::{ClientTable, search},
    model::{Answer, AnswerOutcome, Assumption, Document, MxRecord, Obstacle, Protocol, Reading, Reply, Security, Subject, Verdict},
};

/// A scene in which nothing is there, but for these.
struct Scene {
    table: ClientTable,
    address: Address,
    readings: Readings,
}

impl Scene {
    fn new(address: &str, answers: Vec<(Request, Reply)>) -> Self {
        let mut readings = Readings::default();
        for (request, reply) in answers {
            readings.insert(request, reading(reply));
        }
        Self { table: ClientTable::built_in().unwrap(), address: Address::parse(address).unwrap(), readings }
    }

    fn client(&self, name: &str) -> &Client {
        self.table.iter().find(|client| client.name == name).unwrap()
    }

    /// The discovery of a client, where whatever is missing is not there.
    fn discover(&mut self, name: &str) -> Discovery {
        let subject = Subject { address: self.address.clone() };
        loop {
            let found =
                search(self.table.iter().find(|client| client.name == name).unwrap(), &subject, &self.readings, Assumption::default());
            if found.missing.is_empty() {
                return found.discovery;
            }
            for lookup in found.missing {
                self.readings.insert(lookup.request, reading(Reply::Obstacle(Obstacle::NotThere { status: 404 })));
            }
        }
    }

    fn tell(&self, client: &str, discovery: &Discovery, outcome: &ClientOutcome) -> String {
        let tale = Tale {
            client: self.client(client),
            address: &self.address,
            discovery,
            next: None,
            mx: 0,
            readings: &self.readings,
            lookups: &discovery.lookups,
            outcome,
            overlay: &Overlay::default(),
        };
        let mut text = Vec::new();
        Story::tell(&tale).write_text(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }
}

fn reading(reply: Reply) -> Reading {
    let (outcome, detail) = match &reply {
        Reply::Obstacle(obstacle) => (obstacle.outcome(), obstacle.to_string()),
        Reply::Mx(records) => (AnswerOutcome::Found, format!("{} {}", records[0].preference, records[0].exchange)),
        _ => (AnswerOutcome::Found, String::new()),
    };
    let answer = Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 1 };
    Reading { answer: answer.into(), outcome, detail, document: Document::Nothing }
}

fn outcome(verdict: Verdict, settings: Settings) -> ClientOutcome {
    ClientOutcome { settings, ..ClientOutcome::bare("x", verdict) }
}

fn mx_of(domain: &str, exchange: &str) -> (Request, Reply) {
    let record = MxRecord { preference: 0, exchange: exchange.to_owned() };
    (Request::Mx { domain: domain.parse().unwrap() }, Reply::Mx(vec![record]))
}

/// On one line, as what is wrapped where is another matter.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_kind_of_lookup_has_words_of_its_own() {
    let mut scene = Scene::new("anna@contoso.com", Vec::new());
    let discovery = scene.discover("thunderbird");
    let outcome = outcome(Verdict::NotFound, Settings::default());
    let tale = Tale {
        client: scene.client("thunderbird"),
        address: &scene.address,
        discovery: &discovery,
        next: None,
        mx: 0,
        readings: &scene.readings,
        lookups: &[],
        outcome: &outcome,
        overlay: &Overlay::default(),
    };
    let leads: std::collections::HashSet<String> =
        LookupKind::ALL.into_iter().map(|kind| step::lead(&tale, kind, Some("a.example"))).collect();
    assert_eq!(leads.len(), LookupKind::ALL.len(), "{leads:?}");
    assert!(leads.iter().all(|lead| lead.starts_with("It ")), "{leads:?}");
}

#[test]
fn what_decides_without_a_lookup_is_told_where_the_client_comes_to_it() {
    let mut scene = Scene::new("anna@contoso.com", vec![mx_of("contoso.com", "mx1.hotmail.com")]);
    let mut discovery = scene.discover("thunderbird");
    let request = Request::BuiltIn { row: "MSN".to_owned() };
    let server = Server {
        protocol: Protocol::Imap,
        host: "imap-mail.outlook.com".into(),
        port: 993,
        security: Security::Tls,
        auth: Vec::new(),
        username: String::new(),
        class: None,
    };
    let settings = Settings { incoming: vec![server], outgoing: Vec::new() };
    discovery.win = Some(Win {
        lookup: Lookup { kind: LookupKind::BuiltIn, asked: request.asked(), request: request.clone() },
        requests: vec![request],
        way: Way::BuiltIn { row: "MSN".into(), mx: Some("mx1.hotmail.com".into()) },
        settings: settings.clone(),
        provider_id: None,
        beside: None,
        guarded: None,
    });
    let text = flat(&scene.tell("thunderbird", &discovery, &outcome(Verdict::Consumer, settings)));
    let decides = "It looks into its own table of providers: the row `MSN` matches the MX mx1.hotmail.com. This decides.";
    assert!(text.contains(decides) && text.contains("So it configures IMAP imap-mail.outlook.com:993 (SSL/TLS)."), "{text}");
    assert!(text.contains("dig +short MX contoso.com"), "{text}");
}

#[test]
fn a_client_that_stops_tells_where_and_looks_at_nothing_behind() {
    let database = "https://autoconfig.thunderbird.net/v1.1/contoso.com".to_owned();
    let refused = (Request::Get { url: database.clone(), address: None }, Reply::Obstacle(Obstacle::Rejected { status: 403 }));
    let mut scene = Scene::new("anna@contoso.com", vec![mx_of("contoso.com", "mx.a.example"), refused]);
    let discovery = scene.discover("evolution");
    let text = flat(&scene.tell("evolution", &discovery, &outcome(Verdict::Undetermined, Settings::default())));
    assert!(text.contains(&format!("{database} -> could not be told: the server answered 403, and it could have decided. With that answer it looks for no more documents. 3. It looks for the SRV records")), "{text}");
    assert!(!text.contains("mx.a.example") && text.contains("as it stands, it has nothing to configure"), "{text}");
    assert!(text.contains(&format!("curl -i '{database}'")), "{text}");
}

#[test]
fn the_mx_is_told_with_what_it_is_reduced_to() {
    for (client, domain, host, expected) in [
        (
            "thunderbird",
            "contoso.com",
            "contoso-com.mail.protection.outlook.com",
            "Without its first label that is mail.protection.outlook.com; its base domain is outlook.com.",
        ),
        ("mx-base-domain", "contoso.com", "mx1.fabrikam.com", "Its base domain is fabrikam.com."),
        ("thunderbird", "contoso.com", "mail.contoso.com", "There is no name in it that this client would ask about."),
        ("gnome-online-accounts", "contoso.com", "a.b.fabrikam.com", "The host is asked about as it is; its base domain is fabrikam.com."),
        (
            "evolution",
            "contoso.com",
            "a.b.fabrikam.com",
            "The host is asked about as it is; without its first label that is b.fabrikam.com; its base domain is fabrikam.com.",
        ),
        ("himalaya", "contoso.com", "mx.fabrikam.co.uk", "Shortened further it is co.uk."),
    ] {
        let mut scene = Scene::new(&format!("anna@{domain}"), vec![mx_of(domain, host)]);
        let discovery = scene.discover(client);
        let text = flat(&scene.tell(client, &discovery, &outcome(Verdict::NotFound, Settings::default())));
        assert!(text.contains(&format!("It looks at the MX of {domain}: found `0 {host}`. {expected}")), "{client}: {text}");
    }
}

#[test]
fn a_story_cannot_steer_the_terminal() {
    let mut scene = Scene::new("\u{202e}anna@contoso.com", vec![mx_of("contoso.com", "a\u{9b}31m\u{7}.example")]);
    let discovery = scene.discover("evolution");
    let text = scene.tell("evolution", &discovery, &outcome(Verdict::NotFound, Settings::default()));
    assert!(!text.contains(|character| character != '\n' && crate::model::is_hidden(character)), "{text:?}");
    assert!(text.contains("a\\u{9b}31m\\u{7}.example"), "{text}");
}

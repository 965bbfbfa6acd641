//! What people and programs read of a database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ending;
mod incident;
mod remedy;

use std::sync::Arc;

use crate::store::finish_tenant;

use autodiscover_audit::{
    clients::ClientTable,
    model::{
        Address, Cause, Class, ClientOutcome, Domain, Hosting, LookupKind, Mailbox, Next, Outcome, Person, Profile, Protocol, Protocols,
        Security, Server, Settings, Source, TenantId, Verdict,
    },
    remedy::{Advisor, Remedies},
    report::{CheckView, CsvDialect, Format, Head, InForce, Report, ReportError, ReportRow, Request, Selection, write_report},
    store::{DomainBatch, Entry, MailboxRow, ReportFilter, RunId, RunState, Store},
};

fn server(protocol: Protocol, host: &str, port: u16, security: Security, class: Option<Class>) -> Server {
    let username = "%EMAILADDRESS%".into();
    Server { protocol, host: host.into(), port, security, auth: vec!["oauth2".into()], username, class }
}

fn exchange_online() -> Settings {
    Settings {
        incoming: vec![
            server(Protocol::Imap, "outlook.office365.com", 993, Security::Tls, Some(Class::Shared)),
            server(Protocol::Pop3, "outlook.office365.com", 995, Security::Tls, Some(Class::Shared)),
        ],
        outgoing: vec![server(Protocol::Smtp, "smtp.office365.com", 587, Security::StartTls, Some(Class::ExchangeOnline))],
    }
}

fn consumer() -> Settings {
    let class = Some(Class::Consumer);
    Settings {
        incoming: vec![server(Protocol::Imap, "imap-mail.outlook.com", 993, Security::Tls, class)],
        outgoing: vec![server(Protocol::Smtp, "smtp-mail.outlook.com", 587, Security::StartTls, class)],
    }
}

fn client(name: &str, verdict: Verdict, cause: Option<Cause>, settings: Settings) -> ClientOutcome {
    ClientOutcome {
        client: name.into(),
        audited: name == "thunderbird",
        verdict,
        fragile: false,
        inferred: false,
        cause,
        affected: if verdict.is_finding() { vec![Protocol::Imap, Protocol::Smtp] } else { Vec::new() },
        explanation: format!("The verdict for %EMAILADDRESS% is {verdict}, and here stand enough words to make the line wrap at the edge."),
        evidence: vec!["GET https://autoconfig.contoso.com/mail/config-v1.1.xml: 200, text/xml".into()],
        source: Some(Source {
            lookup: LookupKind::OwnAutoconfig,
            asked: "https://autoconfig.contoso.com/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS%".into(),
        }),
        settings,
        next: None,
    }
}

fn outcome(hosting: Hosting, clients: Vec<ClientOutcome>) -> Arc<Outcome> {
    let needs_manual_configuration = clients.iter().any(|client| client.audited && client.verdict.is_finding());
    Arc::new(Outcome { hosting, needs_manual_configuration, clients, ..Outcome::default() })
}

/// Needs manual configuration, and says why at length.
pub(crate) fn wordy(explanation: String) -> Outcome {
    let client = client("thunderbird", Verdict::Consumer, Some(Cause::OwnAutoconfigStale), consumer());
    Outcome { needs_manual_configuration: true, clients: vec![ClientOutcome { explanation, ..client }], ..Outcome::default() }
}

fn mailbox(address: &str) -> Mailbox {
    Mailbox { address: Address::parse(address).unwrap(), profile: Arc::new(Profile::default()), person: None }
}

fn anna() -> Mailbox {
    let person = Person {
        display_name: Some("Anna Example".into()),
        department: Some("Sales; \"North\"".into()),
        manager: Some("@boss".into()),
        sign_in_name: Some("a1@contoso.com".into()),
    };
    let profile = Profile { protocols: Protocols { pop3: false, ..Protocols::default() }, ..Profile::default() };
    Mailbox { person: Some(Box::new(person)), profile: Arc::new(profile), ..mailbox("=anna@contoso.com") }
}

/// Two tenants, three domains; every section of the report has something to say.
pub(crate) async fn world(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("audit.db")).await.unwrap();
    let [contoso, fabrikam] = ["contoso", "fabrikam"].map(|id| TenantId::try_from(id.to_owned()).unwrap());
    let tenants = [(contoso.clone(), "Contoso Ltd".to_owned(), 26), (fabrikam.clone(), "fabrikam".to_owned(), 1)];
    let run = store.begin_run(&tenants, 1_760_000_000).await.unwrap();

    let wrong = outcome(
        Hosting::default(),
        vec![
            client("thunderbird", Verdict::Consumer, Some(Cause::OwnAutoconfigStale), consumer()),
            client("mx-base-domain", Verdict::Consumer, Some(Cause::MxBaseDomain), consumer()),
        ],
    );
    let doubt = outcome(
        Hosting::default(),
        vec![ClientOutcome {
            source: None,
            ..client("thunderbird", Verdict::Undetermined, Some(Cause::LookupFailed), Settings::default())
        }],
    );
    let fine = client("thunderbird", Verdict::Ok, Some(Cause::MxBaseDomain), exchange_online());
    let next = Next {
        verdict: Verdict::Consumer,
        source: Source { lookup: LookupKind::MxIspdb, asked: "https://live.thunderbird.net/autoconfig/v1.1/outlook.com".into() },
        settings: consumer(),
    };
    let fragile = outcome(Hosting::default(), vec![ClientOutcome { fragile: true, next: Some(next), ..fine }]);
    let hostile = ClientOutcome {
        evidence: vec!["\u{1b}[2J\u{202e}<title>=cmd|' /C calc'!A0</title>".into()],
        inferred: true,
        source: None,
        ..client("thunderbird", Verdict::Foreign, Some(Cause::AutodiscoverForeign), Settings::default())
    };
    let on_premises = outcome(Hosting::OnPremises, vec![hostile]);

    let many: Vec<Mailbox> = std::iter::once(anna()).chain((1..=23).map(|n| mailbox(&format!("user{n:02}@contoso.com")))).collect();
    let northwind = [mailbox("bert@northwind.example"), mailbox("carla@northwind.example")];
    let entries: Vec<Entry<'_>> = many.iter().map(|mailbox| Entry { mailbox, outcome: &wrong }).collect();
    let mixed = [Entry { mailbox: &northwind[0], outcome: &doubt }, Entry { mailbox: &northwind[1], outcome: &fragile }];
    let zoe = mailbox("zoe@fabrikam.example");
    let alone = [Entry { mailbox: &zoe, outcome: &on_premises }];
    for (tenant, domain, entries) in
        [(&contoso, "contoso.com", entries.as_slice()), (&contoso, "northwind.example", &mixed), (&fabrikam, "fabrikam.example", &alone)]
    {
        let domain = &Domain::parse(domain).unwrap();
        store
            .record(DomainBatch { run, tenant, domain, list: [0; 32], entries, dossier: None, done: true, at: 1_760_000_060 })
            .await
            .unwrap();
    }
    let domain = |name| Domain::parse(name).unwrap();
    finish_tenant(&store, run, (&contoso, &[&domain("contoso.com"), &domain("northwind.example")]), 1_760_000_110).await.unwrap();
    finish_tenant(&store, run, (&fabrikam, &[&domain("fabrikam.example")]), 1_760_000_110).await.unwrap();
    store.finish_run(run, RunState::Finished, 1_760_000_120).await.unwrap();
    store
}

pub(crate) fn remedies() -> Remedies {
    Remedies::new(Advisor::new(ClientTable::built_in().unwrap().intakes()), Vec::new()).unwrap()
}

async fn report(store: &Store, format: Format, selection: Selection) -> String {
    let request = Request { filter: ReportFilter::default(), selection, format, generated_at: 1_760_000_200, remedies: &remedies() };
    let mut out = Vec::new();
    let head = Head::read(&mut store.reader().snapshot().await.unwrap(), &request).await.unwrap();
    write_report(&mut store.reader().snapshot().await.unwrap(), (&request, &head), &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

fn by_hand() -> Selection {
    Selection { needs_manual: true, ..Selection::default() }
}

#[tokio::test]
async fn the_text_names_who_why_and_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    insta::assert_snapshot!(report(&store, Format::Text { all: false }, Selection::default()).await);
}

#[tokio::test]
async fn all_names_every_mailbox() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    let text = report(&store, Format::Text { all: true }, by_hand()).await;
    assert!(text.contains("user23@contoso.com") && !text.contains("more (--all"), "{text}");
    assert!(!text.contains("COULD NOT CHECK"), "{text}");
}

#[tokio::test]
async fn the_table_has_a_row_for_each_mailbox_and_client() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    let selection = Selection { clients: vec!["thunderbird".into()], ..Selection::default() };
    let table = report(&store, Format::Csv(CsvDialect::Rfc4180), selection).await;
    assert_eq!(table.matches("\r\n").count(), 28);
    let few: Vec<&str> = table.split("\r\n").filter(|line| !line.contains("user")).collect();
    insta::assert_snapshot!(few.join("\r\n"));
}

#[tokio::test]
async fn both_dialects_guard_and_one_has_the_mark() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    let [plain, excel] = [
        report(&store, Format::Csv(CsvDialect::Rfc4180), by_hand()).await,
        report(&store, Format::Csv(CsvDialect::Excel), by_hand()).await,
    ];
    assert_eq!(excel.strip_prefix('\u{feff}'), Some(plain.as_str()));
    let mut reader = csv::Reader::from_reader(plain.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    // 24 mailboxes with two findings, and one with one
    assert_eq!(rows.len(), 49);
    let cell = |row: &csv::StringRecord, name: &str| row[columns.iter().position(|column| column == name).unwrap()].to_owned();
    for (name, expected) in [
        ("address", "'=anna@contoso.com"),
        ("department", "Sales; \"North\""),
        ("manager", "'@boss"),
        ("since", "2025-10-09T08:54:20Z"),
        ("found_outgoing", "smtp smtp-mail.outlook.com:587 starttls"),
        ("imap_port", "993"),
        ("pop3_port", ""),
        ("smtp_security", "starttls"),
        ("user_name", "a1@contoso.com"),
        ("sign_in", "OAuth2 (modern authentication)"),
    ] {
        assert_eq!(cell(&rows[0], name), expected, "{name}");
    }
}

#[tokio::test]
async fn the_object_and_the_lines_hold_the_same_mailboxes() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    let object: serde_json::Value = serde_json::from_str(&report(&store, Format::Json, Selection::default()).await).unwrap();
    let lines = report(&store, Format::Jsonl, Selection::default()).await;
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(object["mailboxes"].as_array(), Some(&lines));
    assert_eq!(object["schema"], "autodiscover-audit/report/1");
    let mut few = object;
    few["mailboxes"].as_array_mut().unwrap().retain(|mailbox| !mailbox["address"].as_str().unwrap().starts_with("user"));
    insta::assert_snapshot!(serde_json::to_string_pretty(&few).unwrap());
}

#[tokio::test]
async fn verdicts_and_clients_can_be_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    for (verdicts, clients, expected) in [
        (vec![Verdict::Foreign], vec![], 1),
        (vec![Verdict::Undetermined, Verdict::Ok], vec![], 2),
        (vec![Verdict::Consumer], vec!["mx-base-domain"], 24),
        (vec![Verdict::Ok], vec!["mx-base-domain"], 0),
    ] {
        let clients = clients.into_iter().map(str::to_owned).collect();
        let selection = Selection { needs_manual: false, verdicts: verdicts.clone(), clients };
        let lines = report(&store, Format::Jsonl, selection).await;
        assert_eq!(lines.lines().count(), expected, "{verdicts:?}");
    }
}

#[tokio::test]
async fn the_head_counts_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    let all = || Selection::default();
    for (selection, [checked, ok, by_hand, doubt], sentence) in [
        (all(), [27, 1, 25, 1], "25 of 27 mailboxes need manual configuration."),
        (by_hand(), [27, 1, 25, 1], "25 of 27 mailboxes need manual configuration."),
        (
            Selection { verdicts: vec![Verdict::Foreign], ..all() },
            [1, 0, 1, 0],
            "Of 27 mailboxes, 1 is in this selection. 1 of 1 mailboxes needs manual configuration.",
        ),
        (
            Selection { verdicts: vec![Verdict::Undetermined, Verdict::Ok], ..all() },
            [2, 1, 0, 1],
            "Of 27 mailboxes, 2 are in this selection. No mailbox is known to need manual configuration, but 1 of 2 could not be checked.",
        ),
        (
            Selection { clients: vec!["mx-base-domain".into()], ..all() },
            [24, 24, 0, 0],
            "Of 27 mailboxes, 24 are in this selection. None of the 24 mailboxes needs manual configuration.",
        ),
        (Selection { verdicts: vec![Verdict::Retired], ..all() }, [0, 0, 0, 0], "None of 27 mailboxes is in this selection."),
    ] {
        let told = report(&store, Format::Json, selection.clone()).await;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let numbers =
            ["checked", "ok", "needs_manual_configuration", "could_not_check"].map(|name| told["summary"][name].as_u64().unwrap());
        assert_eq!(numbers, [checked, ok, by_hand, doubt], "{selection:?}");
        let text = report(&store, Format::Text { all: false }, selection.clone()).await;
        assert_eq!(text.lines().next(), Some(sentence), "{selection:?}");
    }
}

#[tokio::test]
async fn an_empty_report_is_whole_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("audit.db")).await.unwrap();
    for (format, expected) in [
        (Format::Jsonl, None),
        (Format::Json, Some("\"mailboxes\":[\n]}\n")),
        (Format::Csv(CsvDialect::Rfc4180), Some("\"activesync_host\"\r\n")),
        (Format::Text { all: false }, Some("written 2025-10-09T08:56:40Z.\n")),
    ] {
        let (filter, selection) = (ReportFilter::default(), Selection::default());
        let request = Request { filter, selection, format, generated_at: 1_760_000_200, remedies: &remedies() };
        let mut out = Vec::new();
        let head = Head::read(&mut store.reader().snapshot().await.unwrap(), &request).await.unwrap();
        write_report(&mut store.reader().snapshot().await.unwrap(), (&request, &head), &mut out).await.unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with(expected.unwrap_or_default()), "{format:?}: {out}");
    }
}

/// What has been written so far.
#[derive(Clone, Default)]
struct Seen(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

impl std::io::Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_domain_is_written_as_soon_as_the_next_one_begins() {
    let row = |address: &str, verdict: Verdict| {
        let outcome = outcome(Hosting::default(), vec![client("thunderbird", verdict, Some(Cause::SrvStale), consumer())]);
        let tenant = TenantId::try_from("contoso".to_owned()).unwrap();
        let found = MailboxRow { tenant, mailbox: mailbox(address), outcome, since: vec![Some(0)], incidents: vec![None], checked_at: 0 };
        ReportRow::new(found, &remedies(), &InForce::default())
    };
    let seen = Seen::default();
    let told = |what: &str| String::from_utf8(seen.0.borrow().clone()).unwrap().contains(what);
    let mut report = Report::begin(Format::Text { all: false }, &Head::new(None, 0, Vec::new()), seen.clone()).unwrap();
    for pass in 0..2 {
        for (address, before) in [("a@a.example", ""), ("b@b.example", "a@a.example"), ("c@c.example", "b@b.example")] {
            report.add(&row(address, Verdict::Consumer)).unwrap();
            assert!(told(before), "{before} is written before {address} is");
            assert!(pass > 0 || !told(address));
            report.add(&row(&format!("doubt-{address}"), Verdict::Undetermined)).unwrap();
            assert!(pass == 0 || before.is_empty() || told(&format!("doubt-{before}")));
        }
        assert_eq!(report.wants_more().unwrap(), pass == 0, "the doubts come after all findings");
    }
    report.finish().unwrap();
    assert!(told("doubt-c@c.example"));
}

/// Findings of many clients, most of which come to the same.
fn many_clients(evolution: Verdict) -> Arc<Outcome> {
    let stale = Some(Cause::OwnAutoconfigStale);
    let whole = Settings {
        incoming: vec![
            server(Protocol::Imap, "imap-mail.outlook.com", 993, Security::Tls, Some(Class::Consumer)),
            server(Protocol::Pop3, "pop-mail.outlook.com", 995, Security::Tls, Some(Class::Consumer)),
        ],
        ..consumer()
    };
    let none = |name: &str| ClientOutcome {
        source: None,
        evidence: Vec::new(),
        explanation: "Nothing is published.".into(),
        ..client(name, Verdict::NotFound, Some(Cause::NothingPublished), Settings::default())
    };
    let fine = |name: &str| client(name, Verdict::Ok, None, exchange_online());
    let evolution = match evolution {
        Verdict::Ok => fine("evolution"),
        verdict => client("evolution", verdict, stale, whole.clone()),
    };
    let mut clients = vec![
        client("thunderbird", Verdict::Consumer, stale, whole.clone()),
        ClientOutcome { explanation: "Its document.".into(), ..client("thunderbird-android", Verdict::Consumer, stale, consumer()) },
        evolution,
        none("srv"),
        ClientOutcome { inferred: true, ..fine("outlook-new") },
    ];
    for client in &mut clients {
        client.audited = true;
    }
    clients.extend([
        client("mx-base-domain", Verdict::Consumer, stale, whole),
        client("kmail", Verdict::Consumer, stale, consumer()),
        none("aosp-email"),
        ClientOutcome { inferred: true, ..fine("geary") },
        fine("fairemail"),
        fine("himalaya"),
    ]);
    outcome(Hosting::default(), clients)
}

#[test]
fn an_account_tells_of_clients_that_come_to_the_same_together_and_of_those_at_risk_in_short() {
    let address = Address::parse("anna@contoso.com").unwrap();
    let view = CheckView::new((address, "2026-01-01T00:00:00Z".into()), &many_clients(Verdict::Consumer), Vec::new(), remedies().advisor());
    let mut out = Vec::new();
    view.write_text(&mut out, &[]).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
    let json = serde_json::to_value(&view).unwrap();
    assert_eq!(json["clients"].as_array().unwrap().len(), 11, "programs get an entry a client");
}

#[test]
fn an_action_list_has_clients_together_where_they_fail_the_same_mailboxes() {
    let row = |address: &str, evolution: Verdict| {
        let (tenant, outcome) = (TenantId::try_from("contoso".to_owned()).unwrap(), many_clients(evolution));
        let (since, incidents) = (vec![Some(0); outcome.clients.len()], vec![None; outcome.clients.len()]);
        let found = MailboxRow { tenant, mailbox: mailbox(address), outcome, since, incidents, checked_at: 0 };
        ReportRow::new(found, &remedies(), &InForce::default())
    };
    let seen = Seen::default();
    let mut report = Report::begin(Format::Text { all: false }, &Head::new(None, 0, Vec::new()), seen.clone()).unwrap();
    for (address, evolution) in [
        ("anna@contoso.com", Verdict::Consumer),
        ("bert@contoso.com", Verdict::Consumer),
        ("anna@fabrikam.com", Verdict::Consumer),
        ("bert@fabrikam.com", Verdict::Ok),
    ] {
        report.add(&row(address, evolution)).unwrap();
    }
    report.finish().unwrap();
    let text = String::from_utf8(seen.0.borrow().clone()).unwrap();
    let titles: Vec<&str> = text.lines().filter(|line| line.starts_with("contoso / ")).collect();
    assert_eq!(
        titles,
        [
            "contoso / contoso.com / thunderbird, thunderbird-android, evolution / own-autoconfig-stale: 2 mailboxes",
            "contoso / contoso.com / srv / nothing-published: 2 mailboxes",
            "contoso / fabrikam.com / thunderbird, thunderbird-android / own-autoconfig-stale: 2 mailboxes",
            "contoso / fabrikam.com / evolution / own-autoconfig-stale: 1 mailbox",
            "contoso / fabrikam.com / srv / nothing-published: 2 mailboxes",
        ]
    );
    let risk = "AT RISK (clients that are not audited; settings with a wrong fallback)\n\n  \
        mailboxes (domains)  not_found  consumer\n  \
        mx-base-domain                     4 (2)\n  \
        kmail                              4 (2)\n  \
        aosp-email               4 (2)\n";
    assert!(text.ends_with(risk), "{text}");
}

#[test]
fn a_name_in_unicode_stands_beside_its_own_once() {
    let outcome = outcome(Hosting::default(), vec![client("thunderbird", Verdict::Consumer, Some(Cause::SrvStale), consumer())]);
    let view = CheckView::new(
        (Address::parse("anna@münster.example").unwrap(), "2026-01-01T00:00:00Z".into()),
        &outcome,
        Vec::new(),
        remedies().advisor(),
    );
    let mut out = Vec::new();
    view.write_text(&mut out, &[]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("anna@münster.example [xn--mnster-3ya.example] (exchange-online): needs"), "{text}");
    assert_eq!(text.matches("münster").count(), 1, "{text}");

    let tenant = TenantId::try_from("contoso".to_owned()).unwrap();
    let mailbox = mailbox("anna@münster.example");
    let row = ReportRow::new(
        MailboxRow { tenant, mailbox, outcome, since: vec![Some(0)], incidents: vec![None], checked_at: 0 },
        &remedies(),
        &InForce::default(),
    );
    let seen = Seen::default();
    let mut report = Report::begin(Format::Text { all: false }, &Head::new(None, 0, Vec::new()), seen.clone()).unwrap();
    report.add(&row).unwrap();
    report.finish().unwrap();
    let text = String::from_utf8(seen.0.borrow().clone()).unwrap();
    assert!(text.contains("\ncontoso / münster.example [xn--mnster-3ya.example] / thunderbird / srv-stale: 1 mailbox\n"), "{text}");
}

#[test]
fn the_account_of_an_address_cannot_steer_the_terminal() {
    let address = Address::parse("\u{202e}anna\u{200b}@contoso.com").unwrap();
    let settings =
        Settings { incoming: vec![server(Protocol::Imap, "a\u{9b}31m\u{7}.example", 993, Security::Tls, None)], ..Settings::default() };
    let hostile = ClientOutcome { client: "\u{1b}c".into(), ..client("thunderbird", Verdict::Foreign, Some(Cause::SrvStale), settings) };
    let outcome = outcome(Hosting::default(), vec![hostile]);
    let view = CheckView::new((address, "2026-01-01T00:00:00Z".into()), &outcome, Vec::new(), remedies().advisor());
    let mut out = Vec::new();
    view.write_text(&mut out, &[server(Protocol::Imap, "\u{1b}[2J", 1, Security::Tls, None)]).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains(|character| character != '\n' && autodiscover_audit::model::is_hidden(character)), "{text:?}");
    assert!(text.starts_with("\\u{202e}anna\\u{200b}@contoso.com (exchange-online)"), "{text}");
    assert!(text.contains("a\\u{9b}31m\\u{7}.example:993") && text.contains("\\u{1b}c: foreign"), "{text}");
}

//! What people and programs read of a database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use autodiscover_audit::{
    model::{
        Address, Cause, Class, ClientOutcome, Domain, Hosting, LookupKind, Mailbox, Next, Outcome, Person, Profile, Protocol, Protocols,
        Security, Server, Settings, Source, TenantId, Verdict,
    },
    report::{CsvDialect, Format, Numbers, ReportError, ReportSubject, Request, Selection, write_report},
    store::{DomainBatch, Entry, ReportFilter, RunId, RunState, Store},
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
    Arc::new(Outcome { hosting, needs_manual_configuration, clients })
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
async fn world(folder: &tempfile::TempDir) -> Store {
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
    store.finish_tenant(run, (&contoso, &[&domain("contoso.com"), &domain("northwind.example")]), 1_760_000_110).await.unwrap();
    store.finish_tenant(run, (&fabrikam, &[&domain("fabrikam.example")]), 1_760_000_110).await.unwrap();
    store.finish_run(run, RunState::Finished, 1_760_000_120).await.unwrap();
    store
}

fn settings_for(subject: &ReportSubject<'_>) -> Vec<Server> {
    if subject.hosting == Hosting::default() { exchange_online().servers().cloned().collect() } else { Vec::new() }
}

async fn report(store: &Store, format: Format, selection: Selection) -> String {
    let request = Request { filter: ReportFilter::default(), selection, format, generated_at: 1_760_000_200, settings_for: &settings_for };
    let mut out = Vec::new();
    let numbers = write_report(store.reader(), &request, &mut out).await.unwrap();
    assert_eq!(numbers, Numbers { checked: 27, ok: 1, needs_manual_configuration: 25, could_not_check: 1 });
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
async fn an_empty_report_is_whole_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("audit.db")).await.unwrap();
    for (format, expected) in [
        (Format::Jsonl, None),
        (Format::Json, Some("\"mailboxes\":[\n]}\n")),
        (Format::Csv(CsvDialect::Rfc4180), Some("\"checked_at\"\r\n")),
        (Format::Text { all: false }, Some("written 2025-10-09T08:56:40Z.\n")),
    ] {
        let (filter, selection) = (ReportFilter::default(), Selection::default());
        let request = Request { filter, selection, format, generated_at: 1_760_000_200, settings_for: &settings_for };
        let mut out = Vec::new();
        write_report(store.reader(), &request, &mut out).await.unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with(expected.unwrap_or_default()), "{format:?}: {out}");
    }
}

#[tokio::test]
async fn a_pipe_that_closes_and_a_run_that_never_was_are_errors() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    for format in [Format::Text { all: false }, Format::Csv(CsvDialect::Excel), Format::Json, Format::Jsonl] {
        let (filter, selection) = (ReportFilter::default(), Selection::default());
        let request = Request { filter, selection, format, generated_at: 0, settings_for: &settings_for };
        let failed = write_report(store.reader(), &request, Closed).await;
        assert!(matches!(&failed, Err(ReportError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe), "{failed:?}");
    }
    let filter = ReportFilter { run: Some(RunId(99)), ..ReportFilter::default() };
    let request = Request { filter, selection: Selection::default(), format: Format::Jsonl, generated_at: 0, settings_for: &settings_for };
    assert!(matches!(write_report(store.reader(), &request, Vec::new()).await, Err(ReportError::Read(_))));
}

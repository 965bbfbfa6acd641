//! What helps is said for each client: by what it reads, and by what is typed into it.

use super::*;

const CLIENTS: [&str; 4] = ["thunderbird", "srv", "outlook-classic", "activesync"];

fn row() -> ReportRow {
    let nothing = |name: &&str| ClientOutcome {
        audited: true,
        ..client(name, Verdict::NotFound, Some(Cause::NothingPublished), Settings::default())
    };
    let outcome = outcome(Hosting::default(), CLIENTS.iter().map(nothing).collect());
    let tenant = TenantId::try_from("contoso".to_owned()).unwrap();
    let found = MailboxRow {
        tenant,
        mailbox: mailbox("anna@contoso.com"),
        outcome,
        since: vec![Some(0); CLIENTS.len()],
        incidents: vec![None; CLIENTS.len()],
        checked_at: 0,
    };
    ReportRow::new(found, &remedies(), &InForce::default())
}

fn written(format: Format) -> String {
    let seen = Seen::default();
    let mut report = Report::begin(format, &Head::new(None, 0, Vec::new()), seen.clone()).unwrap();
    report.add(&row()).unwrap();
    report.finish().unwrap();
    let bytes = seen.0.borrow().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn each_client_has_the_advice_and_the_settings_that_it_can_use() {
    let text = written(Format::Text { all: false });
    let entries: Vec<&str> = text.split("\ncontoso / contoso.com / ").skip(1).collect();
    assert_eq!(entries.len(), CLIENTS.len(), "{text}");
    for (entry, client, advice, typed) in [
        (entries[0], "thunderbird", "https://autoconfig.contoso.com/mail/config-v1.1.xml", "IMAP"),
        (entries[1], "srv", "Publish _imaps._tcp.contoso.com", "IMAP"),
        (entries[2], "outlook-classic", "Point autodiscover.contoso.com", "nothing: these clients have no place for servers"),
        (entries[3], "activesync", "Point autodiscover.contoso.com", "ActiveSync"),
    ] {
        assert!(entry.starts_with(client) && entry.contains(advice), "{entry}");
        let typing = entry.split_once("type this").unwrap().1;
        assert!(typing.contains(typed), "{entry}");
        assert_eq!(typing.contains("outlook.office365.com"), client != "outlook-classic", "{entry}");
        assert_eq!(typing.contains("smtp.office365.com"), typed == "IMAP", "{entry}");
    }
}

#[test]
fn the_table_has_for_each_client_what_is_typed_into_it() {
    let table = written(Format::Csv(CsvDialect::Rfc4180));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let told: Vec<String> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cell = |name: &str| record[columns.iter().position(|column| column == name).unwrap()].to_owned();
            ["client", "imap_host", "smtp_host", "activesync_host", "user_name"].map(cell).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "thunderbird outlook.office365.com smtp.office365.com  anna@contoso.com",
            "srv outlook.office365.com smtp.office365.com  anna@contoso.com",
            "outlook-classic    ",
            "activesync   outlook.office365.com anna@contoso.com",
        ]
    );
}

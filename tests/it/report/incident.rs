//! Incidents, acknowledgements and exemptions beside the findings that they are about.

use autodiscover_audit::{
    model::{Account, Acknowledgement, Change, Concern, Exemption, Incident, IncidentId, IncidentState, Severity},
    report::{OwnedRequest, ReportStream},
    store::{Desk, IncidentChange},
};
use serde_json::{Value, json};

use super::*;

const DAY: i64 = 86_400;
const NOW: i64 = 1_760_000_200;

fn incident(client: &str, cause: Cause, mailbox: Option<&str>) -> Incident {
    let concern = Concern::Finding {
        tenant: TenantId::try_from("contoso".to_owned()).unwrap(),
        domain: Domain::parse("contoso.com").unwrap(),
        client: client.into(),
        cause,
        mailbox: mailbox.map(str::to_owned),
    };
    Incident {
        id: None,
        concern,
        state: IncidentState::Open,
        severity: Severity::Error,
        verdict: Some(Verdict::Consumer),
        candidate: None,
        streak: 0,
        is_seen: true,
        affected: 1,
        first_seen_at: 1_760_000_000,
        opened_at: Some(1_760_000_000),
        resolved_at: None,
        episode: 1,
        is_announced: true,
        notified_at: None,
        notified_affected: 0,
        flips: Vec::new(),
        is_flapping: false,
        account: Account::default(),
        acknowledgement: None,
    }
}

fn exemption(cause: Cause, reason: &str, expires_at: i64) -> Exemption {
    Exemption {
        id: 0,
        tenant: None,
        domain: Some(Domain::parse("contoso.com").unwrap()),
        client: None,
        cause: Some(cause),
        owner: "mail team".into(),
        reason: reason.into(),
        created_at: 1_760_000_000,
        expires_at,
    }
}

/// The world, with an incident of the domain (acknowledged), one of a single mailbox, one that has resolved, and exemptions.
async fn eventful(folder: &tempfile::TempDir) -> Store {
    let store = world(folder).await;
    let over = Incident {
        state: IncidentState::Resolved,
        resolved_at: Some(1_760_000_150),
        ..incident("mx-base-domain", Cause::MxBaseDomain, None)
    };
    let all = [
        incident("thunderbird", Cause::OwnAutoconfigStale, None),
        incident("thunderbird", Cause::OwnAutoconfigStale, Some("user07@contoso.com")),
        over,
        incident("thunderbird", Cause::SrvStale, None),
    ];
    let changes = all.map(|incident| IncidentChange { incident, change: Some(Change::Opened), is_muted: false });
    store.conclude_ours(&changes, &[], 1_760_000_150).await.unwrap();
    let desk = Desk::open(&folder.path().join("audit.db")).await.unwrap();
    let ack = |by: &str, until| Acknowledgement { by: by.into(), reason: "known since May".into(), at: 1_760_000_160, until };
    desk.ack(IncidentId(1), &ack("@anna", Some(NOW + 30 * DAY))).await.unwrap();
    desk.ack(IncidentId(2), &ack("bert", Some(NOW))).await.unwrap();
    for (reason, expires_at) in [("it was so", NOW), ("moving soon", NOW + 5 * DAY), ("moving later", NOW + 20 * DAY)] {
        desk.exempt(&exemption(Cause::OwnAutoconfigStale, reason, expires_at)).await.unwrap();
    }
    desk.exempt(&Exemption { client: Some("srv".into()), ..exemption(Cause::SrvStale, "no client", NOW + DAY) }).await.unwrap();
    desk.close().await;
    store
}

#[tokio::test]
async fn every_finding_names_its_incident_and_what_was_said_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = eventful(&folder).await;
    let lines = report(&store, Format::Jsonl, Selection::default()).await;
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |address: &str, client: usize| {
        found.iter().find(|row| row["address"] == address).map(|row| row["clients"][client]["incident"].clone()).unwrap()
    };
    let exemption = json!({
        "id": 3, "tenant": null, "domain": "contoso.com", "client": null, "cause": "own-autoconfig-stale", "owner": "mail team",
        "reason": "moving later", "created_at": "2025-10-09T08:53:20Z", "expires_at": "2025-10-29T08:56:40Z",
    });
    let domain = json!({
        "id": 1, "state": "open", "since": "2025-10-09T08:53:20Z", "exemption": exemption,
        "acknowledgement":
            {"by": "@anna", "reason": "known since May", "at": "2025-10-09T08:56:00Z", "until": "2025-11-08T08:56:40Z"},
    });
    assert_eq!(of("user01@contoso.com", 0), domain);
    let own = of("user07@contoso.com", 0);
    assert_eq!((&own["id"], &own["acknowledgement"]), (&json!(2), &Value::Null), "its own, whose acknowledgement is over: {own}");
    for (address, client, why) in [
        ("user01@contoso.com", 1, "it has resolved"),
        ("bert@northwind.example", 0, "what is in doubt belongs to none"),
        ("carla@northwind.example", 0, "it is fine"),
        ("zoe@fabrikam.example", 0, "another tenant's"),
    ] {
        assert_eq!(of(address, client), Value::Null, "{address}: {why}");
    }
    let table = report(&store, Format::Csv(CsvDialect::Rfc4180), Selection::default()).await;
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let columns: Vec<String> = table.headers().unwrap().iter().skip(32).map(str::to_owned).collect();
    assert_eq!(columns[..3], ["incident", "acknowledged_by", "exempt_until"]);
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let cells = |address: &str| rows.iter().find(|row| &row[1] == address).map(|row| [32, 33, 34].map(|at| row[at].to_owned())).unwrap();
    assert_eq!(cells("user01@contoso.com"), ["1", "'@anna", "2025-10-29T08:56:40Z"]);
    assert_eq!(cells("user07@contoso.com"), ["2", "", "2025-10-29T08:56:40Z"]);
    assert_eq!(cells("zoe@fabrikam.example"), ["", "", ""]);
}

#[tokio::test]
async fn the_text_has_a_line_for_each_incident_and_a_list_of_what_is_exempt() {
    let folder = tempfile::tempdir().unwrap();
    let store = eventful(&folder).await;
    let text = report(&store, Format::Text { all: false }, by_hand()).await;
    let incident = "
  incident    1, open; acknowledged by @anna until 2025-11-08: known since May;
              exempt until 2025-10-29 (mail team: moving later)
              2 of user07@contoso.com, open; exempt until 2025-10-29 (mail team:
              moving later)
";
    assert!(text.contains(incident), "{text}");
    let exempt = "

EXEMPTIONS (found and shown all the same, and not announced)

  id  until                           what                                owner      reason
   4  2025-10-10 (expires in 1 day)   contoso.com / srv / srv-stale       mail team  no client
   2  2025-10-14 (expires in 5 days)  contoso.com / own-autoconfig-stale  mail team  moving soon
   3  2025-10-29                      contoso.com / own-autoconfig-stale  mail team  moving later
";
    assert!(text.ends_with(exempt), "{text}");
    let selection = Selection { clients: vec!["thunderbird".into()], ..Selection::default() };
    let object: Value = serde_json::from_str(&report(&store, Format::Json, selection).await).unwrap();
    let listed: Vec<i64> = object["exemptions"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert_eq!(listed, [2, 3], "those that cover a client that is shown");
}

#[tokio::test]
async fn a_stream_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = eventful(&folder).await;
    for format in [Format::Text { all: false }, Format::Csv(CsvDialect::Excel), Format::Json, Format::Jsonl] {
        let remedies = Arc::new(remedies());
        let request =
            OwnedRequest { filter: ReportFilter::default(), selection: Selection::default(), format, generated_at: NOW, remedies };
        let mut stream = ReportStream::begin(store.reader(), request).await.unwrap();
        let mut streamed = Vec::new();
        while let Some(piece) = stream.next().await.unwrap() {
            streamed.extend(piece);
        }
        assert_eq!(String::from_utf8(streamed).unwrap(), report(&store, format, Selection::default()).await);
    }
}

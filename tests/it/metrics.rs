//! What `/metrics` shows, and that rules and dashboard ask for nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use autodiscover_audit::{
    audit::{BODIES, Progress},
    clock::Clock,
    daemon::{
        RunKind, RunResult,
        listener::{Kind, METRICS},
    },
    network::{Network, Parts, Settings},
};

use crate::listener::Site;

/// A service to which everything has happened.
async fn eventful() -> Site {
    let site = Site::new().await;
    site.sql(
        "INSERT INTO schedule (tenant, due_at, succeeded_at) VALUES ('contoso', 1760000000, 1760000120);
         INSERT INTO channel (name, not_before, paused_at, pause_reason, retry_at) VALUES ('ops', 0, NULL, NULL, NULL), ('pager \"2\"', 0, 1, 'gone', 2);
         INSERT INTO notice (id, channel, stream, after, through, state, is_frozen, created_at, attempts, next_at, ended_at) VALUES
           ('a', 'ops', 's', 0, 1, 'queued', 0, 1760000100, 0, 1760000200, NULL), ('b', 'ops', 's', 1, 2, 'queued', 0, 1760000150, 0, 1, NULL),
           ('c', 'ops', 's', 0, 1, 'dead', 0, 1, 9, 1, 5), ('d', 'ops', 's', 0, 1, 'delivered', 0, 1, 9, 1, 5);
         INSERT INTO incident (key, concern, kind, tenant, domain, group_key, state, severity, streak, is_seen, affected, first_seen_at,
             opened_at, episode, is_announced, notified_affected, flips, is_flapping, account, written_at) VALUES
           ('1', '{}', 'finding', 'contoso', 'contoso.com', 'g', 'open', 'error', 2, 1, 24, 1, 2, 1, 1, 24, '[]', 0, '{}', 9),
           ('2', '{}', 'finding', 'contoso', 'northwind.example', 'g', 'open', 'error', 2, 1, 2, 1, 2, 1, 1, 2, '[]', 0, '{}', 9),
           ('3', '{}', 'outage', NULL, NULL, 'outage', 'suspected', 'critical', 1, 1, 0, 1, NULL, 0, 0, 0, '[]', 0, '{}', 9);
         INSERT INTO incident (key, concern, kind, tenant, domain, group_key, state, severity, streak, is_seen, affected, first_seen_at,
             opened_at, resolved_at, episode, is_announced, notified_affected, flips, is_flapping, account, written_at) VALUES
           ('4', '{}', 'store', NULL, NULL, 'store', 'resolved', 'critical', 1, 0, 0, 1, 2, 3, 1, 1, 0, '[]', 0, '{}', 9);",
    )
    .await;
    let pulse = &site.pulse;
    let network = || Network::new(Parts { settings: &Settings::default(), clock: Clock::system(), bodies: BODIES }).unwrap();
    pulse.set_next_due(Some(1_760_003_600));
    pulse.note_reload(true);
    pulse.begin_run(RunKind::Scheduled, Arc::new(Progress::default()), network());
    pulse.end_run(RunResult::Finished);
    pulse.begin_run(RunKind::Recheck, Arc::new(Progress::default()), network());
    pulse.count_delivery("ops", "delivered");
    pulse.count_delivery("ops", "delivered");
    pulse.count_delivery("ops", "retry");
    site
}

/// Samples by name with labels, after everything that the format asks for was looked at.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let known: BTreeMap<&str, _> = METRICS.iter().map(|family| (family.name, family)).collect();
    let (mut samples, mut begun, mut lines) = (BTreeMap::new(), BTreeSet::new(), text.lines().peekable());
    while let Some(line) = lines.next() {
        let (name, help) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')).unwrap_or_else(|| panic!("no help: {line}"));
        let family = known.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        assert!(begun.insert(name), "{name} stands there twice");
        assert_eq!(help, family.help);
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        assert_eq!(lines.next(), Some(format!("# TYPE {name} {kind}").as_str()));
        while let Some(sample) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = sample.rsplit_once(' ').unwrap();
            let (own, labels) = series.split_once('{').unwrap_or((series, ""));
            let suffixes: &[&str] = if family.kind == Kind::Histogram { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(own.strip_prefix(name).is_some_and(|suffix| suffixes.contains(&suffix)), "{sample} under {name}");
            let mut wanted: Vec<String> = family.labels.iter().map(|label| format!("{label}=\"")).collect();
            wanted.extend(own.ends_with("_bucket").then(|| "le=\"".to_owned()));
            assert_eq!(labels.matches("=\"").count(), wanted.len(), "{sample}");
            assert!(wanted.iter().all(|label| labels.contains(label)), "{sample}");
            let value = value.parse().unwrap_or_else(|_| panic!("no number: {sample}"));
            assert!(samples.insert(series.to_owned(), value).is_none(), "{sample} stands there twice");
        }
    }
    samples
}

#[tokio::test]
async fn every_metric_is_shown_with_help_and_type_and_right() {
    let site = eventful().await;
    let answer = site.read("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let samples = parse(answer.text());
    let never = METRICS.iter().find(|family| !samples.keys().any(|series| series.starts_with(family.name)));
    assert!(never.is_none(), "{never:?} is in the table, and on no page");
    for (series, value) in [
        ("ready{check=\"database\"}", 1.0),
        ("mailboxes{tenant=\"contoso\",verdict=\"consumer\"}", 24.0),
        ("mailboxes{tenant=\"contoso\",verdict=\"ok\"}", 1.0),
        ("mailboxes{tenant=\"contoso\",verdict=\"undetermined\"}", 1.0),
        ("mailboxes_needing_manual_configuration{tenant=\"contoso\"}", 24.0),
        ("mailboxes_needing_manual_configuration{tenant=\"fabrikam\"}", 1.0),
        ("run_last_success_timestamp_seconds{tenant=\"contoso\"}", 1_760_000_120.0),
        ("run_last_success_timestamp_seconds{tenant=\"fabrikam\"}", 0.0),
        ("run_last_due_timestamp_seconds{tenant=\"contoso\"}", 1_760_000_000.0),
        ("run_duration_seconds_bucket{kind=\"scheduled\",result=\"finished\",le=\"1\"}", 1.0),
        ("run_duration_seconds_bucket{kind=\"scheduled\",result=\"finished\",le=\"+Inf\"}", 1.0),
        ("run_duration_seconds_count{kind=\"scheduled\",result=\"finished\"}", 1.0),
        ("run_in_progress", 1.0),
        ("incidents{tenant=\"contoso\",kind=\"finding\",state=\"open\",severity=\"error\"}", 2.0),
        ("incidents{tenant=\"\",kind=\"outage\",state=\"suspected\",severity=\"critical\"}", 1.0),
        ("deliveries_total{channel=\"ops\",result=\"delivered\"}", 2.0),
        ("outbox_depth{channel=\"ops\"}", 2.0),
        ("outbox_oldest_seconds{channel=\"ops\"}", 100.0),
        ("outbox_oldest_seconds{channel=\"pager \\\"2\\\"\"}", 0.0),
        ("outbox_dead{channel=\"ops\"}", 1.0),
        ("channel_paused{channel=\"pager \\\"2\\\"\"}", 1.0),
        ("config_last_reload_successful", 1.0),
        ("config_last_reload_success_timestamp_seconds", 1_760_000_200.0),
    ] {
        assert_eq!(samples.get(&format!("autodiscover_audit_{series}")), Some(&value), "{series}: {}", answer.text());
    }
    assert!(samples["autodiscover_audit_store_bytes"] > 4096.0 && samples["process_resident_memory_bytes"] > 1e6);
    assert!(!answer.text().contains("resolved"), "what is over is no series");
    site.stop().await;
}

#[tokio::test]
async fn no_mailbox_and_no_domain_is_shown() {
    let site = eventful().await;
    let page = site.read("/metrics").await;
    for word in ["contoso.com", "northwind", "fabrikam.example", "@", "user01"] {
        assert!(!page.text().contains(word), "{word}");
    }
    let labels: BTreeSet<&str> = METRICS.iter().flat_map(|family| family.labels).copied().collect();
    let meant = ["channel", "check", "kind", "outcome", "result", "severity", "state", "tenant", "verdict", "version"];
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), meant);
    site.stop().await;
}

#[tokio::test]
async fn whoever_asks_often_reads_the_database_once() {
    let site = eventful().await;
    let first = parse(site.read("/metrics").await.text());
    site.sql("UPDATE schedule SET succeeded_at = 1760000190;").await;
    let second = parse(site.read("/metrics").await.text());
    let series = "autodiscover_audit_run_last_success_timestamp_seconds{tenant=\"contoso\"}";
    assert_eq!((first[series], second[series]), (1_760_000_120.0, 1_760_000_120.0));
    let took = "autodiscover_audit_store_read_seconds";
    assert!((first[took] - second[took]).abs() < f64::EPSILON);
    site.stop().await;
}

fn deployed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

/// The names of metrics that some text has, those of a histogram by its own.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words =
        text.split(|character| !is_part(character)).filter(|word| word.starts_with("autodiscover_audit_") || word.starts_with("process_"));
    let histograms: Vec<&str> = METRICS.iter().filter(|family| family.kind == Kind::Histogram).map(|family| family.name).collect();
    let bare = |word: &str| {
        let of = histograms.iter().find(|name| word.strip_prefix(**name).is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest)));
        of.map_or(word, |name| *name).to_owned()
    };
    words.map(bare).collect()
}

#[test]
fn rules_and_dashboard_ask_for_metrics_that_are_there() {
    let known: BTreeSet<String> = METRICS.iter().map(|family| family.name.to_owned()).collect();
    for file in ["prometheus/rules.yml", "prometheus/rules_test.yml", "grafana/dashboard.json"] {
        let asked = names_in(&fs::read_to_string(deployed(file)).unwrap());
        assert!(!asked.is_empty(), "{file} asks for nothing");
        let strange: Vec<&String> = asked.difference(&known).collect();
        assert!(strange.is_empty(), "{file} asks for what is not shown: {strange:?}");
    }
    assert_eq!(names_in("rate(autodiscover_audit_run_duration_seconds_sum[5m]) + autodiscover_audit_nothing").len(), 2);
}

#[test]
fn the_dashboard_has_panels_and_every_panel_a_query() {
    let text = fs::read_to_string(deployed("grafana/dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels: Vec<&serde_json::Value> = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect();
    assert!(panels.len() > 5);
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].as_str().is_some_and(|query| !query.is_empty())));
    }
}

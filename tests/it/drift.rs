//! Entries of ISP databases that change, in runs that follow each other.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use autodiscover_audit::{
    alert::Policy,
    audit::{Alerting, Auditor, Progress, RunOptions, TenantJob, run},
    clock::Clock,
    model::{Acknowledgement, Change, Concern, Domain, Incident, IncidentState, Severity},
    store::{Desk, Destination, EntryVersion, Retention, Store},
};

use crate::{
    audit::{auditor, jobs, options},
    cli::Site,
    fakenet::{
        Fakenet,
        office::Office,
        site::Act,
        world::{
            World, documents,
            drift::{by_mx, by_mx_with},
        },
    },
    serve,
};

const HOUR: i64 = 3_600;
const BUSINESS: &str = "mail.protection.outlook.com";
const DATABASE: &str = "live.thunderbird.net/autoconfig/v1.1";

/// Runs an hour apart, while the database changes.
struct Years {
    fakenet: Fakenet,
    office: Office,
    world: World,
    store: Store,
    now: Arc<AtomicI64>,
    watched: Vec<Domain>,
    _folder: tempfile::TempDir,
}

impl Years {
    async fn new() -> Self {
        let (folder, world) = (tempfile::tempdir().unwrap(), by_mx());
        let fakenet = Fakenet::start(&world).await;
        let office = Office::furnish(folder.path(), &fakenet, &world);
        let store = Store::open(&office.database()).await.unwrap();
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        Self { fakenet, office, world, store, now, watched: options().watched_entries, _folder: folder }
    }

    fn at(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// A whole run an hour later, while the database says this.
    async fn run(&self, entries: &[(&str, Act)]) {
        self.run_over(entries, None).await;
    }

    async fn run_over(&self, entries: &[(&str, Act)], only: Option<BTreeSet<Domain>>) {
        self.fakenet.become_net(&by_mx_with(entries).net);
        self.now.fetch_add(HOUR, Ordering::Relaxed);
        let jobs = jobs(&self.world, &self.office);
        let jobs = jobs.iter().map(|job| TenantJob { tenant: job.tenant.clone(), mailboxes: job.mailboxes.clone(), only: only.clone() });
        let hand = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || jiff::Timestamp::from_second(hand.load(Ordering::Relaxed)).unwrap());
        let few = ["srv", "mx-base-domain"].map(str::to_owned);
        let auditor = auditor(&self.fakenet);
        let auditor = Arc::new(Auditor { clock, clients: auditor.clients.clone().with_at_risk(&few), ..Auditor::clone(&auditor) });
        let alerting = Alerting { policy: Policy::default(), destinations: vec![everything()] };
        let options = RunOptions { whole: only.is_none(), alerting, watched_entries: self.watched.clone(), ..options() };
        run(&auditor, &self.store, &Arc::new(jobs.collect()), (&options, &Progress::default())).await.unwrap();
    }

    /// The incidents about entries, by entry.
    async fn drifts(&self) -> Vec<(String, Incident)> {
        let all = self.store.reader().incidents_of(None).await.unwrap().into_iter();
        let of = |incident: Incident| match &incident.concern {
            Concern::Drift { database, entry } => {
                assert_eq!(database, DATABASE);
                Some((entry.clone(), incident))
            }
            _ => None,
        };
        all.filter_map(of).collect()
    }

    async fn states(&self) -> Vec<(String, IncidentState)> {
        self.drifts().await.into_iter().map(|(entry, incident)| (entry, incident.state)).collect()
    }

    /// What a channel would be told now of entries, and takes.
    async fn told(&self) -> Vec<(Change, Severity, u64)> {
        let now = self.at();
        let mut told = Vec::new();
        while let Some(notice) = self.store.lease("ops", &[everything()], (now, now + 60)).await.unwrap() {
            let drifts = notice.events.iter().filter(|event| matches!(event.concern, Concern::Drift { .. }));
            told.extend(drifts.map(|event| (event.change, event.severity, event.affected)));
            self.store.settle(&notice.id, &autodiscover_audit::store::Fate::Delivered, now).await.unwrap();
        }
        told
    }
}

fn everything() -> Destination {
    Destination { channel: "ops".into(), kinds: None, least: Severity::Info, tenants: None }
}

/// What the database said of consumers, in the place of what it says of business.
fn consumers() -> Act {
    Act::xml(documents::consumer_entry())
}

#[tokio::test]
async fn an_entry_that_changes_is_told_of_with_those_whom_it_leads_elsewhere_and_with_its_return() {
    let years = Years::new().await;
    years.run(&[]).await;
    years.run(&[]).await;
    assert_eq!(years.drifts().await, []);
    let kept = years.store.reader().entry(DATABASE, "mx.microsoft").await.unwrap();
    assert_eq!(kept.iter().map(|entry| (&entry.version, entry.is_known)).collect::<Vec<_>>(), [(&EntryVersion::Absent, true)]);
    let changed = [(BUSINESS, consumers())];
    years.run(&changed).await;
    assert_eq!((years.states().await, years.told().await), (vec![(BUSINESS.into(), IncidentState::Suspected)], vec![]));
    years.run(&changed).await;
    assert_eq!(years.told().await, [(Change::Opened, Severity::Critical, 4)]);
    let incident = &years.drifts().await[0].1;
    let account = &incident.account;
    let before = "office365.com: IMAP outlook.office365.com:993, POP3 outlook.office365.com:995, EXCHANGE outlook.office365.com:443, SMTP \
                  smtp.office365.com:587 (sha256 ";
    let now = "hotmail.com: IMAP outlook.office365.com:993, POP3 outlook.office365.com:995, SMTP smtp-mail.outlook.com:587 (sha256 ";
    let opening = "If this lands, 4 mailboxes in 2 domains change from ok to consumer in thunderbird. From 2027-01-15T09:00:00Z to \
                   2027-01-15T10:00:00Z the entry was ";
    assert!(account.explanation.starts_with(&format!("{opening}{before}")), "{}", account.explanation);
    assert!(account.explanation.contains(&format!("Since 2027-01-15T11:00:00Z it is {now}")), "{}", account.explanation);
    assert_eq!(account.asked.as_deref(), Some("https://live.thunderbird.net/autoconfig/v1.1/mail.protection.outlook.com"));
    assert!(account.evidence.len() == 2 && account.evidence.iter().all(|line| line.len() > 160), "{:?}", account.evidence);
    assert!(account.advice.is_some());
    let figures = years.store.reader().figures().await.unwrap().incidents;
    let shown = figures.iter().find(|figure| figure.kind == "drift").unwrap();
    assert_eq!((shown.tenant.as_ref(), shown.state.as_str(), shown.severity.as_str(), shown.count), (None, "open", "critical", 1));
    years.run(&[]).await;
    assert_eq!(years.told().await, []);
    years.run(&[]).await;
    assert_eq!(years.told().await, [(Change::Resolved, Severity::Critical, 4)]);
    assert_eq!(years.states().await, [(BUSINESS.into(), IncidentState::Resolved)]);
}

#[tokio::test]
async fn one_answer_is_not_believed_and_a_failure_is_none() {
    let years = Years::new().await;
    years.run(&[]).await;
    let outage = [(BUSINESS, Act::status(503)), ("outlook.com", Act::html()), ("msn.com", Act::guarded(&["Basic"]))];
    for _ in 0..3 {
        years.run(&outage).await;
    }
    assert_eq!(years.drifts().await, []);
    years.run(&[(BUSINESS, consumers())]).await;
    years.run(&outage).await;
    assert_eq!(years.states().await, [(BUSINESS.into(), IncidentState::Suspected)]);
    years.run(&[]).await;
    assert_eq!(years.states().await, [(BUSINESS.into(), IncidentState::Dismissed)]);
    // two different answers do not confirm each other
    years.run(&[(BUSINESS, consumers())]).await;
    years.run(&[(BUSINESS, Act::status(404))]).await;
    assert_eq!((years.states().await, years.told().await), (vec![(BUSINESS.into(), IncidentState::Suspected)], vec![]));
    years.run(&[(BUSINESS, Act::status(404))]).await;
    assert_eq!(years.told().await, [(Change::Opened, Severity::Critical, 4)]);
    let explanation = &years.drifts().await[0].1.account.explanation;
    assert!(explanation.ends_with(" it is none."), "{explanation}");
}

#[tokio::test]
async fn what_was_told_becomes_known_when_it_is_acknowledged_and_after_a_week() {
    let years = Years::new().await;
    years.run(&[]).await;
    let first = [("msn.com", Act::xml(documents::stale("msn.com")))];
    years.run(&first).await;
    years.run(&first).await;
    assert_eq!(years.told().await, [(Change::Opened, Severity::Info, 0)]);
    let incident = years.drifts().await.remove(0).1;
    assert!(incident.account.explanation.starts_with("It changes the verdict of no client that is audited. "), "{incident:?}");
    years.run(&first).await;
    assert_eq!(years.states().await, [("msn.com".into(), IncidentState::Open)]);
    let desk = Desk::open(&years.office.database()).await.unwrap();
    let acknowledgement = Acknowledgement { by: "anna".into(), reason: "meant".into(), at: years.at(), until: None };
    desk.ack(incident.id.unwrap(), &acknowledgement).await.unwrap();
    desk.close().await;
    // any run will do
    let one = BTreeSet::from([Domain::parse("one.example").unwrap()]);
    years.run_over(&first, Some(one)).await;
    assert_eq!(years.told().await, [(Change::Resolved, Severity::Info, 0)]);
    for _ in 0..2 {
        years.run(&first).await;
    }
    assert_eq!((years.states().await, years.told().await), (vec![("msn.com".into(), IncidentState::Resolved)], vec![]));
    // the same without a word from anybody
    years.run(&[]).await;
    years.run(&[]).await;
    assert_eq!(years.told().await, [(Change::Opened, Severity::Info, 0)]);
    years.now.fetch_add(6 * 24 * HOUR, Ordering::Relaxed);
    years.run(&[]).await;
    assert_eq!(years.told().await, []);
    years.now.fetch_add(24 * HOUR, Ordering::Relaxed);
    years.run(&[]).await;
    assert_eq!(years.told().await, [(Change::Resolved, Severity::Info, 0)]);
    let known = years.drifts().await.remove(0).1.account.explanation;
    assert_eq!(known, "It has been told of for a week: the new version is known now.");
    years.run(&[]).await;
    assert_eq!(years.told().await, []);
}

#[tokio::test]
async fn a_domain_that_is_checked_again_confirms_the_entry_too_and_yet_another_version_is_told_of_by_itself() {
    let years = Years::new().await;
    years.run(&[]).await;
    years.run(&[(BUSINESS, consumers())]).await;
    let before = years.fakenet.http_requests();
    let one = BTreeSet::from([Domain::parse("one.example").unwrap()]);
    years.run_over(&[(BUSINESS, consumers())], Some(one.clone())).await;
    assert_eq!(years.told().await, [(Change::Opened, Severity::Critical, 4)]);
    assert!(years.fakenet.http_requests() - before < 40, "the others are not asked for");
    let other = [(BUSINESS, Act::xml(documents::stale("outlook.com")))];
    years.run(&other).await;
    assert_eq!(years.told().await, [(Change::Resolved, Severity::Critical, 4)]);
    years.run(&other).await;
    assert_eq!(years.states().await, [(BUSINESS.into(), IncidentState::Suspected)]);
    years.run(&other).await;
    let told = years.told().await;
    // from one consumer entry to the other: no verdict is another
    assert_eq!(told, [(Change::Opened, Severity::Info, 0)]);
}

#[tokio::test]
async fn an_entry_that_is_not_watched_any_more_keeps_nothing_open_and_its_past_is_dropped() {
    let mut years = Years::new().await;
    years.run(&[]).await;
    for _ in 0..2 {
        years.run(&[(BUSINESS, consumers())]).await;
    }
    assert_eq!(years.told().await.len(), 1);
    years.watched.clear();
    years.run(&[]).await;
    assert_eq!(years.told().await, [(Change::Resolved, Severity::Critical, 4)]);
    assert_eq!(years.store.reader().entry(DATABASE, BUSINESS).await.unwrap().len(), 2);
    years.now.fetch_add(500 * 24 * HOUR, Ordering::Relaxed);
    years.store.clear_old(&Retention::default(), years.at()).await.unwrap();
    assert_eq!(years.store.reader().entry(DATABASE, BUSINESS).await.unwrap(), []);
}

#[test]
fn the_service_looks_too() {
    let mut site = serve::Site::new(&by_mx());
    site.start();
    site.wait_until("the first run", |seen| seen.finished() == 1);
    site.fakenet.become_net(&by_mx_with(&[(BUSINESS, consumers())]).net);
    for state in ["suspected", "open"] {
        let (code, out, err) = site.run(&["audit"]);
        assert_eq!(code, 1, "{out}{err}");
        assert!(out.contains(&format!(", {state}): If this lands, 4 mailboxes in 2 domains change from ok to consumer")), "{out}{err}");
    }
    site.signal("TERM");
    assert_eq!(site.end(), Some(0));
}

#[test]
fn a_run_by_hand_prints_what_has_changed_and_the_incident_shows_both_versions() {
    let site = Site::new(&by_mx());
    let (code, out, _) = site.run(&["audit"]);
    assert_eq!((code, out.contains("is not what it was")), (0, false), "{out}");
    site.fakenet.become_net(&by_mx_with(&[(BUSINESS, consumers())]).net);
    let (code, out, _) = site.run(&["audit"]);
    assert_eq!(code, 1);
    let line = "the entry mail.protection.outlook.com of live.thunderbird.net/autoconfig/v1.1 is not what it was (incident ";
    assert!(out.contains(line) && out.contains(", suspected): If this lands, 4 mailboxes in 2 domains change"), "{out}");
    site.run(&["audit"]);
    let (_, list, _) = site.run(&["incidents", "list", "--state", "open"]);
    let row = list.lines().find(|row| row.contains("the entry mail.protection.outlook.com of live.thunderbird.net")).unwrap_or_default();
    let id = row.split_whitespace().next().unwrap_or_default();
    let (_, shown, _) = site.run(&["incidents", "show", id]);
    assert!(shown.contains("(open, critical)") && shown.matches("sha256").count() == 4, "{shown}");
    assert!(shown.contains("smtp.office365.com:587") && shown.contains("smtp-mail.outlook.com:587"), "{shown}");
    let (_, json, _) = site.run(&["incidents", "show", id, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["incident"]["kind"], &json["incident"]["entry"]), (&"drift".into(), &BUSINESS.into()));
}

//! What runs make of incidents, in a world that changes between them.

use std::collections::BTreeSet;

use autodiscover_audit::{
    alert::Policy,
    audit::{Alerting, Progress, RunOptions, TenantJob, run},
    clock::Clock,
    model::{Cause, Change, Concern, Domain, Incident, IncidentState, Severity, TenantId},
    store::{Destination, Store},
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::{Auditor, Scene, auditor, options};
use crate::fakenet::world::{World, drift};

/// Runs an hour apart over a net that can become another.
struct Years {
    scene: Scene,
    store: Store,
    clock: Clock,
    now: Arc<AtomicI64>,
}

impl Years {
    async fn new() -> Self {
        let scene = Scene::new(drift::autoconfig(&[])).await;
        let store = scene.open().await;
        let now = Arc::new(AtomicI64::new(1_800_000_000));
        let hand = Arc::clone(&now);
        let clock = Clock::from_fn(move || jiff::Timestamp::from_second(hand.load(Ordering::Relaxed)).unwrap());
        Self { scene, store, clock, now }
    }

    /// A run while these domains publish a document of long ago.
    async fn run(&self, stale: &[&str]) {
        self.run_in(&drift::autoconfig(stale), None).await;
    }

    async fn run_in(&self, world: &World, only: Option<BTreeSet<Domain>>) {
        self.scene.fakenet.become_net(&world.net);
        self.now.fetch_add(3_600, Ordering::Relaxed);
        let jobs = self
            .scene
            .jobs()
            .iter()
            .map(|job| TenantJob { tenant: job.tenant.clone(), mailboxes: job.mailboxes.clone(), only: only.clone() })
            .collect();
        // a network keeps its answers
        let auditor = Arc::new(Auditor { clock: self.clock.clone(), ..Auditor::clone(&auditor(&self.scene.fakenet)) });
        let options = RunOptions { alerting: Self::alerting(), ..options() };
        run(&auditor, &self.store, &Arc::new(jobs), (&options, &Progress::default())).await.unwrap();
    }

    fn alerting() -> Alerting {
        let everything = Destination { channel: "ops".into(), kinds: None, least: Severity::Info, tenants: None };
        Alerting { policy: Policy::default(), destinations: vec![everything] }
    }

    async fn incidents(&self) -> Vec<Incident> {
        self.store.reader().incidents_of(Some(&contoso())).await.unwrap()
    }

    /// Domain and state of what is not dismissed.
    async fn states(&self) -> Vec<(String, IncidentState)> {
        let all = self.incidents().await.into_iter();
        let of = |incident: Incident| match incident.concern {
            Concern::Finding { domain, client, cause: Cause::OwnAutoconfigStale, .. } if client == "thunderbird" => {
                Some((domain.to_string(), incident.state))
            }
            Concern::Finding { .. } => panic!("{incident:?}"),
            _ => None,
        };
        all.filter_map(of).collect()
    }

    /// What the channel would be told now, and takes.
    async fn told(&self) -> Vec<(String, Change)> {
        let now = self.now.load(Ordering::Relaxed);
        let everything = [Destination { channel: "ops".into(), kinds: None, least: Severity::Info, tenants: None }];
        let mut told = Vec::new();
        while let Some(notice) = self.store.lease("ops", &everything, (now, now + 60)).await.unwrap() {
            told.extend(notice.events.iter().map(|event| (event.concern.key(), event.change)));
            self.store.settle(&notice.id, &autodiscover_audit::store::Fate::Delivered, now).await.unwrap();
        }
        told
    }

    async fn rechecks(&self) -> Vec<(String, i64)> {
        let planned = self.store.reader().rechecks_of(&contoso()).await.unwrap();
        planned.into_iter().map(|recheck| (recheck.domain.to_string(), recheck.pause)).collect()
    }
}

fn contoso() -> TenantId {
    "contoso".to_owned().try_into().unwrap()
}

fn finding(domain: &str) -> String {
    format!("finding/contoso/{domain}/thunderbird/own-autoconfig-stale")
}

#[tokio::test]
async fn a_document_that_goes_stale_opens_one_incident_and_its_correction_resolves_it() {
    let years = Years::new().await;
    years.run(&[]).await;
    assert_eq!(years.states().await, []);
    years.run(&["one.example"]).await;
    assert_eq!(years.states().await, [("one.example".into(), IncidentState::Suspected)]);
    assert_eq!((years.told().await, years.rechecks().await), (vec![], vec![("one.example".into(), 300)]));
    years.run(&["one.example"]).await;
    assert_eq!(years.told().await, [(finding("one.example"), Change::Opened)]);
    let incident = &years.incidents().await[0];
    assert_eq!((incident.affected, incident.severity), (3, Severity::Error));
    assert!(incident.account.asked.as_ref().is_some_and(|asked| asked.starts_with("https://autoconfig.one.example/")), "{incident:?}");
    assert!(incident.account.advice.is_some());
    years.run(&[]).await;
    assert_eq!(years.told().await, []);
    years.run(&[]).await;
    assert_eq!(years.told().await, [(finding("one.example"), Change::Resolved)]);
    assert_eq!(years.rechecks().await, []);
}

#[tokio::test]
async fn one_domain_can_be_checked_alone_and_nothing_is_said_of_the_others() {
    let years = Years::new().await;
    years.run(&["one.example", "two.example"]).await;
    let one = BTreeSet::from([Domain::parse("one.example").unwrap()]);
    years.run_in(&drift::autoconfig(&["one.example"]), Some(one)).await;
    assert_eq!(years.states().await, [("one.example".into(), IncidentState::Open), ("two.example".into(), IncidentState::Suspected)]);
    assert_eq!(years.told().await, [(finding("one.example"), Change::Opened)]);
}

#[tokio::test]
async fn a_run_in_which_most_lookups_fail_is_an_incident_about_us_and_changes_no_other() {
    let years = Years::new().await;
    years.run(&["one.example"]).await;
    years.run(&["one.example"]).await;
    years.told().await;
    let before = years.incidents().await;
    for _ in 0..2 {
        years.run_in(&drift::without_dns(), None).await;
    }
    assert_eq!(years.told().await, [("outage".to_owned(), Change::Opened)]);
    assert_eq!(years.incidents().await, before);
    for _ in 0..2 {
        years.run(&["one.example"]).await;
    }
    assert_eq!(years.told().await, [("outage".to_owned(), Change::Resolved)]);
    assert_eq!(years.states().await, [("one.example".into(), IncidentState::Open)]);
}

#[tokio::test]
async fn a_domain_that_left_the_list_ends_its_incident_and_says_why() {
    let years = Years::new().await;
    years.run(&["one.example"]).await;
    years.run(&["one.example"]).await;
    years.told().await;
    let list = years.scene.office.list("contoso");
    let text = std::fs::read_to_string(&list).unwrap();
    let rest: Vec<&str> = text.lines().filter(|line| !line.contains("one.example")).collect();
    std::fs::write(&list, rest.join("\n")).unwrap();
    years.run(&["one.example"]).await;
    assert_eq!(years.told().await, [(finding("one.example"), Change::Resolved)]);
    assert_eq!(years.incidents().await[0].account.explanation, "The domain is no longer on the list.");
}

#[tokio::test]
async fn a_tenant_that_left_the_configuration_takes_its_incidents_with_it() {
    let years = Years::new().await;
    for _ in 0..2 {
        years.run(&["one.example"]).await;
    }
    years.told().await;
    let options = RunOptions { whole: true, alerting: Years::alerting(), ..options() };
    let auditor = Arc::new(Auditor { clock: years.clock.clone(), ..Auditor::clone(&auditor(&years.scene.fakenet)) });
    run(&auditor, &years.store, &Arc::new(Vec::new()), (&options, &Progress::default())).await.unwrap();
    assert_eq!(years.told().await, [(finding("one.example"), Change::Resolved)]);
    assert_eq!(years.incidents().await[0].account.explanation, "The tenant is no longer in the configuration.");
}

#[tokio::test]
async fn an_exempt_finding_is_followed_in_silence() {
    let years = Years::new().await;
    let desk = autodiscover_audit::store::Desk::open(&years.scene.office.database()).await.unwrap();
    let exemption = autodiscover_audit::model::Exemption {
        id: 0,
        tenant: None,
        domain: Some(Domain::parse("one.example").unwrap()),
        client: None,
        cause: None,
        owner: "mail team".into(),
        reason: "moves in May".into(),
        created_at: 1,
        expires_at: i64::MAX,
    };
    desk.exempt(&exemption).await.unwrap();
    for _ in 0..2 {
        years.run(&["one.example", "two.example"]).await;
    }
    assert_eq!(years.told().await, [(finding("two.example"), Change::Opened)]);
    assert_eq!(years.states().await.len(), 2);
}

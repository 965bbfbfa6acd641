//! Incidents: what a conclusion writes, what people write beside it, and what is read back.

use autodiscover_audit::{
    model::{Account, Acknowledgement, Cause, Change, Concern, Exemption, Incident, IncidentId, IncidentState, Severity, Verdict},
    store::{Concluded, Conclusion, Desk, Destination, IncidentChange, IncidentFilter, Recheck, Scope},
};

use super::*;

/// A finding of a domain that has just opened.
pub(super) fn opened(name: &str, at: i64) -> Incident {
    let concern = Concern::Finding {
        tenant: tenant("contoso"),
        domain: domain(name),
        client: "thunderbird".into(),
        cause: Cause::MxBaseDomain,
        mailbox: None,
    };
    Incident { verdict: Some(Verdict::Consumer), severity: Severity::Error, affected: 3, ..ours(concern, at) }
}

/// Something that has just opened.
pub(super) fn ours(concern: Concern, at: i64) -> Incident {
    Incident {
        id: None,
        concern,
        state: IncidentState::Open,
        severity: Severity::Critical,
        verdict: None,
        candidate: None,
        streak: 0,
        is_seen: true,
        affected: 0,
        first_seen_at: at,
        opened_at: Some(at),
        resolved_at: None,
        episode: 1,
        is_announced: true,
        notified_at: Some(at),
        notified_affected: 0,
        flips: vec![at],
        is_flapping: false,
        account: Account { explanation: "it is led to the consumer service".into(), ..Account::default() },
        acknowledgement: None,
    }
}

pub(super) fn resolved(incident: Incident, at: i64) -> Incident {
    Incident { state: IncidentState::Resolved, resolved_at: Some(at), is_seen: false, ..incident }
}

pub(super) fn told(incident: Incident, change: Change) -> IncidentChange {
    IncidentChange { incident, change: Some(change), is_muted: false }
}

pub(super) fn muted(incident: Incident, change: Change) -> IncidentChange {
    IncidentChange { is_muted: true, ..told(incident, change) }
}

/// A channel that is told of everything.
pub(super) fn all_to(channel: &str) -> Destination {
    Destination { channel: channel.into(), kinds: None, least: Severity::Info, tenants: None }
}

impl Site {
    /// A whole run over one domain that ends with these changes.
    pub(super) async fn conclude(&mut self, changes: &[IncidentChange], destinations: &[Destination]) -> Concluded {
        let list = mailboxes(&["anna@contoso.com", "bert@contoso.com"]);
        let run = self.begin(list.len() as u64).await;
        self.record(run, "contoso.com", &list, &outcome(Verdict::Consumer), true).await;
        let contoso = domain("contoso.com");
        let conclusion = Conclusion {
            run,
            tenant: &self.tenant,
            scope: Scope::Whole(&[&contoso]),
            vanished: &[],
            at: self.clock,
            changes,
            destinations,
            rechecks: &[],
        };
        let concluded = self.store.conclude_tenant(conclusion).await.unwrap();
        let repeated = self.store.conclude_tenant(conclusion).await.unwrap();
        assert_eq!(repeated, Concluded { is_repeated: true, ..Concluded::default() });
        self.store.finish_run(run, RunState::Finished, self.clock).await.unwrap();
        concluded
    }
}

/// The incident as the database has it.
async fn read_one(site: &Site, id: i64) -> Incident {
    site.store.reader().incident(IncidentId(id)).await.unwrap().unwrap()
}

#[tokio::test]
async fn what_a_conclusion_writes_is_read_back_as_it_was() {
    let mut site = Site::new().await;
    let finding = Incident { candidate: Some(Verdict::Foreign), ..opened("contoso.com", 1_100) };
    let quiet = IncidentChange { incident: opened("fabrikam.com", 1_200), change: None, is_muted: false };
    let concluded = site.conclude(&[told(finding.clone(), Change::Opened), quiet], &[]).await;
    assert_eq!(concluded, Concluded { is_repeated: false, gone: 0, events: 1 });
    let reader = site.store.reader();
    let incidents = reader.incidents_of(Some(&site.tenant)).await.unwrap();
    assert_eq!(incidents[0], Incident { id: Some(IncidentId(1)), ..finding.clone() });
    assert_eq!(reader.incident(IncidentId(1)).await.unwrap().as_ref(), Some(&incidents[0]));
    assert_eq!(reader.incident(IncidentId(9)).await.unwrap(), None);
    assert_eq!(reader.incidents_of(None).await.unwrap(), []);
    let events = reader.events_of(IncidentId(1), 10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].change, events[0].at, events[0].run, events[0].since), (Change::Opened, 1_100, Some(1), 1_100));
    assert_eq!((&events[0].concern, &events[0].account), (&finding.concern, &finding.account));
    assert_eq!(reader.events_of(IncidentId(2), 10).await.unwrap(), []);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_conclusion_that_is_dropped_midway_leaves_nothing() {
    let mut site = Site::new().await;
    let (list, contoso) = (mailboxes(&["anna@contoso.com"]), domain("contoso.com"));
    let run = site.begin(1).await;
    site.record(run, "contoso.com", &list, &outcome(Verdict::Consumer), true).await;
    let changes: Vec<_> = (0..20).map(|number| told(opened(&format!("d{number}.example"), 5), Change::Opened)).collect();
    let (destinations, rechecks) = ([all_to("ops")], [Recheck { domain: contoso.clone(), due_at: 7, pause: 5 }]);
    let (scope, at) = (Scope::Whole(&[&contoso]), site.clock);
    let conclusion = Conclusion {
        run,
        tenant: &site.tenant,
        scope,
        vanished: &[],
        at,
        changes: &changes,
        destinations: &destinations,
        rechecks: &rechecks,
    };
    let mut polls = 0;
    let concluded = loop {
        let mut attempt = Box::pin(site.store.conclude_tenant(conclusion));
        let mut left = polls;
        let ended = std::future::poll_fn(|context| match attempt.as_mut().poll(context) {
            std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
            std::task::Poll::Pending => {
                left -= 1;
                std::task::Poll::Pending
            }
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
        });
        if let Some(done) = ended.await {
            break done.unwrap();
        }
        drop(attempt);
        polls += 1;
        let all = "SELECT (SELECT count(*) FROM incident) * 10000 + (SELECT count(*) FROM event) * 100
          + (SELECT count(*) FROM notice) * 10 + (SELECT count(*) FROM recheck)";
        let seen = count(&site.path(), all).await;
        // where it was cut behind the commit, everything is there
        assert!(seen == 0 || seen == 20 * 10_000 + 20 * 100 + 11, "{seen} after {polls}");
    };
    // how often it waits is the scheduler's matter; that it was cut at all is ours
    assert!(polls > 0);
    assert!(concluded.is_repeated || concluded.events == 20);
    assert_eq!(count(&site.path(), "SELECT count(*) FROM event").await, 20);
    site.assert_sound().await;
}

#[tokio::test]
async fn an_incident_keeps_its_number_and_its_log() {
    let site = Site::new().await;
    for (incident, change, at) in [
        (opened("contoso.com", 10), Change::Opened, 10),
        (resolved(opened("contoso.com", 10), 20), Change::Resolved, 20),
        (Incident { episode: 2, ..opened("contoso.com", 30) }, Change::Opened, 30),
    ] {
        assert_eq!(site.store.conclude_ours(&[told(incident, change)], &[], at).await.unwrap(), 1);
    }
    assert_eq!((read_one(&site, 1).await.episode, read_one(&site, 1).await.resolved_at), (2, None));
    let events = site.store.reader().events_of(IncidentId(1), 2).await.unwrap();
    assert_eq!(
        events.iter().map(|event| (event.change, event.is_open)).collect::<Vec<_>>(),
        [(Change::Resolved, false), (Change::Opened, true)]
    );
}

#[tokio::test]
async fn incidents_are_found_by_state_tenant_and_domain() {
    let site = Site::new().await;
    let run = ours(Concern::Run { tenant: tenant("fabrikam") }, 40);
    for incident in [
        opened("contoso.com", 10),
        resolved(opened("fabrikam.com", 20), 25),
        Incident { state: IncidentState::Suspected, opened_at: None, ..opened("tailspin.com", 30) },
        run,
        ours(Concern::Outage, 50),
    ] {
        site.store.conclude_ours(&[IncidentChange { incident, change: None, is_muted: false }], &[], 60).await.unwrap();
    }
    let all = IncidentFilter::default;
    for (filter, expected) in [
        (all(), vec![5, 4, 3, 2, 1]),
        (IncidentFilter { at_most: Some(2), ..all() }, vec![5, 4]),
        (IncidentFilter { states: vec![IncidentState::Open], ..all() }, vec![5, 4, 1]),
        (IncidentFilter { states: vec![IncidentState::Suspected, IncidentState::Resolved], ..all() }, vec![3, 2]),
        (IncidentFilter { tenant: Some(tenant("contoso")), ..all() }, vec![3, 2, 1]),
        (IncidentFilter { domain: Some(domain("contoso.com")), ..all() }, vec![1]),
    ] {
        let found: Vec<i64> = site.store.reader().incidents(&filter).await.unwrap().iter().map(|incident| incident.id.unwrap().0).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let of = async |tenant: Option<&str>| {
        let tenant = tenant.map(super::tenant);
        let found = site.store.reader().incidents_of(tenant.as_ref()).await.unwrap();
        found.iter().map(|incident| incident.id.unwrap().0).collect::<Vec<_>>()
    };
    assert_eq!((of(Some("contoso")).await, of(Some("fabrikam")).await, of(None).await), (vec![1, 2, 3], vec![4], vec![5]));
}

#[tokio::test]
async fn people_acknowledge_beside_the_service_and_it_ends_with_the_incident() {
    let site = Site::new().await;
    let note = |incident| [IncidentChange { incident, change: None, is_muted: false }];
    site.store.conclude_ours(&note(opened("contoso.com", 10)), &[], 10).await.unwrap();
    let desk = Desk::open(&site.path()).await.unwrap();
    let anna = Acknowledgement { by: "anna".into(), reason: "moving in May".into(), at: 20, until: Some(99) };
    assert_eq!(desk.ack(IncidentId(1), &anna).await.unwrap(), Some(IncidentState::Open));
    assert_eq!(desk.ack(IncidentId(2), &anna).await.unwrap(), None);
    // the service writes what it read before that
    site.store.conclude_ours(&note(Incident { affected: 7, ..opened("contoso.com", 10) }), &[], 30).await.unwrap();
    assert_eq!((read_one(&site, 1).await.affected, read_one(&site, 1).await.acknowledgement), (7, Some(anna.clone())));
    assert!(desk.unack(IncidentId(1)).await.unwrap());
    assert!(!desk.unack(IncidentId(1)).await.unwrap());
    desk.ack(IncidentId(1), &anna).await.unwrap();
    let over = Incident { acknowledgement: Some(anna.clone()), ..resolved(opened("contoso.com", 10), 40) };
    site.store.conclude_ours(&note(over), &[], 40).await.unwrap();
    assert_eq!(read_one(&site, 1).await.acknowledgement, None);
    assert_eq!(desk.ack(IncidentId(1), &anna).await.unwrap(), Some(IncidentState::Resolved));
    assert_eq!(read_one(&site, 1).await.acknowledgement, None, "there is nothing to acknowledge");
    desk.close().await;
}

#[tokio::test]
async fn exemptions_are_kept_with_who_answers_for_them() {
    let site = Site::new().await;
    let desk = Desk::open(&site.path()).await.unwrap();
    let exemption = Exemption {
        id: 0,
        tenant: Some(tenant("contoso")),
        domain: Some(domain("contoso.com")),
        client: Some("thunderbird".into()),
        cause: Some(Cause::MxBaseDomain),
        owner: "mail team".into(),
        reason: "moving in May".into(),
        created_at: 10,
        expires_at: 100,
    };
    let wide = Exemption { tenant: None, domain: None, client: None, cause: None, ..exemption.clone() };
    assert_eq!((desk.exempt(&exemption).await.unwrap(), desk.exempt(&wide).await.unwrap()), (1, 2));
    assert!(desk.end_exemption(2, 50).await.unwrap());
    assert!(!desk.end_exemption(2, 60).await.unwrap(), "it is over");
    assert!(!desk.end_exemption(3, 60).await.unwrap(), "there is none");
    let expected = [Exemption { id: 1, ..exemption }, Exemption { id: 2, expires_at: 50, ..wide }];
    assert_eq!(site.store.reader().exemptions().await.unwrap(), expected);
}

#[tokio::test]
async fn a_group_is_as_grave_as_the_gravest_of_its_open_incidents() {
    let site = Site::new().await;
    let note = |incident| IncidentChange { incident, change: None, is_muted: false };
    let mild = Incident { severity: Severity::Warning, affected: 4, ..opened("contoso.com", 10) };
    let exempt = Incident { is_announced: false, affected: 100, ..opened("exempt.com", 5) };
    let worse_but_over = resolved(Incident { severity: Severity::Critical, ..opened("tailspin.com", 15) }, 30);
    let changes =
        [note(mild.clone()), note(opened("fabrikam.com", 20)), note(exempt), note(worse_but_over), note(ours(Concern::Outage, 7))];
    site.store.conclude_ours(&changes, &[], 30).await.unwrap();
    let groups = site.store.reader().open_groups(0).await.unwrap();
    let told: Vec<_> =
        groups.iter().map(|group| (group.group_key.as_str(), group.severity, group.open, group.affected, group.opened_at)).collect();
    let key = "finding/contoso/thunderbird/mx-base-domain";
    assert_eq!(told, [(key, Severity::Error, 2, 7, 10), ("outage", Severity::Critical, 1, 0, 7)]);
    assert_eq!((&groups[0].concern, groups[0].resolved_at), (&opened("fabrikam.com", 20).concern, None));

    let over = [note(resolved(mild, 40)), note(resolved(opened("fabrikam.com", 20), 50)), note(resolved(ours(Concern::Outage, 7), 45))];
    site.store.conclude_ours(&over, &[], 50).await.unwrap();
    let groups = site.store.reader().open_groups(46).await.unwrap();
    let told: Vec<_> = groups.iter().map(|group| (group.group_key.as_str(), group.open, group.opened_at, group.resolved_at)).collect();
    assert_eq!(told, [(key, 0, 20, Some(50))]);
    assert_eq!(site.store.reader().open_groups(51).await.unwrap(), []);
}

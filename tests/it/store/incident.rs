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
            asked: &[],
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

#[tokio::test]
async fn what_a_conclusion_writes_is_read_back_as_it_was() {
    let mut site = Site::new().await;
    let finding = Incident { candidate: Some(Verdict::Foreign), ..opened("contoso.com", 1_100) };
    let quiet = IncidentChange { incident: opened("fabrikam.com", 1_100), change: None, is_muted: false };
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

use std::sync::Arc;

use super::*;
use crate::model::{Account, Acknowledgement, IncidentId, LookupKind};

const AT: i64 = 1_800_000_000;

fn document(text: &str) -> EntryVersion {
    EntryVersion::document("text/xml", &Arc::from(text.as_bytes()))
}

fn kept(version: &EntryVersion, is_known: bool) -> KeptEntry {
    KeptEntry {
        database: "ispdb.example/v1.1".into(),
        name: "outlook.com".into(),
        url: "https://ispdb.example/v1.1/outlook.com".into(),
        version: version.clone(),
        is_known,
        first_seen_at: AT - 100,
        last_seen_at: AT - 10,
    }
}

fn place() -> Place {
    let request = crate::model::Request::Get { url: "https://ispdb.example/v1.1/outlook.com".into(), address: None };
    let lookup = Lookup { kind: LookupKind::Ispdb, asked: request.asked(), request };
    Place { database: "ispdb.example/v1.1".into(), entry: "outlook.com".into(), by_clients: vec![lookup.clone()], lookup }
}

fn incident(state: IncidentState, opened_at: i64) -> Incident {
    Incident {
        id: Some(IncidentId(1)),
        concern: place().concern(),
        state,
        severity: Severity::Critical,
        verdict: None,
        candidate: None,
        streak: 0,
        is_seen: true,
        affected: 4,
        first_seen_at: opened_at - 10,
        opened_at: (state == IncidentState::Open).then_some(opened_at),
        resolved_at: None,
        episode: 1,
        is_announced: true,
        notified_at: None,
        notified_affected: 4,
        flips: Vec::new(),
        is_flapping: false,
        account: Account { explanation: "as it was said".into(), ..Account::default() },
        acknowledgement: None,
    }
}

fn acknowledged(incident: Incident) -> Incident {
    let acknowledgement = Acknowledgement { by: "anna".into(), reason: "meant".into(), at: AT, until: None };
    Incident { acknowledgement: Some(acknowledgement), ..incident }
}

#[test]
fn what_a_look_comes_to_depends_on_what_is_known_and_on_what_was_told() {
    let (old, new, newer) = (document("old"), document("new"), EntryVersion::Absent);
    let [open, week_old] = [AT - 3_600, AT - WEEK].map(|opened_at| incident(IncidentState::Open, opened_at));
    let (suspected, resolved) = (incident(IncidentState::Suspected, AT), incident(IncidentState::Resolved, AT));
    let acknowledged = acknowledged(open.clone());
    let differs = |is_other, is_told| Step::Differs { is_other, is_told };
    let settles = |step: &Step, version: &EntryVersion| matches!(step, Step::Settle(known, _) if known == version);
    // what is kept: the known version, and the one that was seen last
    let step = |last: Option<&EntryVersion>, standing: Option<&Incident>, now: &EntryVersion| {
        let mut versions = vec![kept(&old, true)];
        versions.extend(last.map(|last| kept(last, false)));
        Sight { place: place(), now: now.clone(), kept: versions, standing }.step(AT)
    };
    assert_eq!(Sight { place: place(), now: new.clone(), kept: Vec::new(), standing: None }.step(AT), Step::Learn);
    for (last, standing, now, expected) in [
        (None, None, &old, Step::Same),
        (Some(&new), Some(&open), &old, Step::Same),
        (None, None, &new, differs(false, false)),
        (None, Some(&resolved), &new, differs(false, false)),
        (Some(&new), Some(&suspected), &new, differs(false, false)),
        (Some(&newer), Some(&suspected), &new, differs(true, false)),
        (Some(&new), Some(&open), &new, differs(false, true)),
        // it had been seen as it was, and is not after all
        (None, Some(&open), &new, differs(false, false)),
    ] {
        assert_eq!(step(last, standing, now), expected, "{last:?} {standing:?} {now:?}");
    }
    for (last, standing, now, known) in [
        (Some(&new), &acknowledged, &new, &new),
        (Some(&new), &week_old, &new, &new),
        (Some(&new), &open, &newer, &new),
        (Some(&new), &acknowledged, &newer, &new),
    ] {
        let step = step(last, Some(standing), now);
        assert!(settles(&step, known), "{step:?}");
    }
}

#[test]
fn only_what_an_entry_says_counts_and_not_how_the_way_to_it_failed() {
    use crate::model::{Answer, HttpDocument, Request};
    let request = Request::Get { url: "https://live.thunderbird.net/autoconfig/v1.1/a.example".to_owned(), address: None };
    let lookup = Lookup { kind: LookupKind::Ispdb, asked: request.asked(), request };
    let read = |reply| version(&wire::read(&lookup, Arc::new(Answer { reply, hops: vec![], cnames: vec![], attempts: 1, took_ms: 0 })));
    let page = |status, content_type: &str, body: &str| {
        Reply::Document(HttpDocument { status, content_type: content_type.into(), headers: vec![], body: body.as_bytes().into() })
    };
    let xml = "<clientConfig version='1.1'><emailProvider id='a.example'><incomingServer type='imap'><hostname>imap.a.example</hostname>\
               </incomingServer></emailProvider></clientConfig>";
    let found = read(page(200, "text/xml", xml)).unwrap();
    assert_eq!(found, EntryVersion::document("text/xml", &Arc::from(xml.as_bytes())));
    assert!(found.is_same(&EntryVersion::document("application/xml; charset=utf-8", &Arc::from(xml.as_bytes()))));
    assert!(!found.is_same(&EntryVersion::document("text/html", &Arc::from(xml.as_bytes()))), "Thunderbird reads no such page");
    for obstacle in [Obstacle::NotThere { status: 404 }, Obstacle::NotThere { status: 410 }] {
        assert_eq!(read(Reply::Obstacle(obstacle)), Some(EntryVersion::Absent));
    }
    for obstacle in [
        Obstacle::NxDomain,
        Obstacle::NoData,
        Obstacle::Timeout,
        Obstacle::Held,
        Obstacle::ServerError { status: 503 },
        Obstacle::Rejected { status: 403 },
        Obstacle::CertificateUntrusted,
        Obstacle::Empty { status: 200, content_type: "text/xml".into() },
    ] {
        assert_eq!(read(Reply::Obstacle(obstacle.clone())), None, "{obstacle:?}");
    }
    assert_eq!(read(page(200, "text/html", "<html><body>Sign in to this network</body></html>")), None);
}

#[test]
fn every_name_that_is_watched_is_a_name() {
    assert_eq!(watched_by_default().len(), WATCHED.len());
}

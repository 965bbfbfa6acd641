//! JMAP (RFC 8620 section 2.2): `_jmap._tcp`, or the domain itself, and the session there.

use super::{
    autodiscover::{final_host, guarded},
    mobilesync::web_server,
    search::Trail,
    v2::host_of,
};
use crate::model::{Document, Lookup, LookupKind, Obstacle, Protocol, Reading, Reply, Request, Settings, Subject, Way, Win, jmap_url};

/// A server that answers only with credentials offers it where a record names it; otherwise a whole site may be behind a password.
pub(super) fn search(trail: &mut Trail<'_>, subject: &Subject) {
    let domain = subject.address.domain();
    let lookup = |request: Request| Lookup { kind: LookupKind::Jmap, asked: request.asked(), request };
    let record = lookup(Request::Srv { name: format!("_jmap._tcp.{domain}") });
    let Some(of_record) = trail.ask(&record) else { return };
    let target = target(&of_record.answer.reply);
    if target.is_none() {
        trail.record(&record, of_record.outcome, &of_record.detail);
        if of_record.answer.reply == Reply::Obstacle(Obstacle::NotOffered) {
            return;
        }
    }
    let is_named = target.is_some();
    let (host, port) = target.unwrap_or_else(|| (domain.to_string(), 443));
    let url = jmap_url(&host, port);
    let session = lookup(Request::Get { url: url.clone(), address: None });
    let Some(reading) = trail.ask(&session) else { return };
    let server = |url: &str| Settings { incoming: web_server(Protocol::Jmap, url).into_iter().collect(), outgoing: Vec::new() };
    let (settings, guarded) = match &reading.document {
        Document::Jmap(found) => (server(&found.api_url), None),
        _ if is_guarded(reading) && is_named => (server(&url), None),
        _ if is_guarded(reading) => (Settings::default(), Some(guarded(reading, asked_host(reading, &url), Protocol::Jmap))),
        _ => return trail.record(&session, reading.outcome, &reading.detail),
    };
    let named = is_named.then_some(record.request);
    let requests = named.into_iter().chain([session.request.clone()]).collect();
    trail.win(Win { lookup: session, requests, way: Way::Jmap, settings, provider_id: None, beside: None, guarded });
}

/// The record of the best priority, the heaviest of equals (RFC 2782).
fn target(reply: &Reply) -> Option<(String, u16)> {
    let Reply::Srv(records) = reply else { return None };
    let usable = records.iter().filter(|record| !record.target.is_empty());
    let best = usable.min_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)))?;
    Some((best.target.clone(), best.port))
}

fn is_guarded(reading: &Reading) -> bool {
    matches!(reading.answer.reply, Reply::Obstacle(Obstacle::CredentialsRequired { .. }))
}

fn asked_host(reading: &Reading, url: &str) -> String {
    Some(final_host(reading)).filter(|host| !host.is_empty()).unwrap_or_else(|| host_of(url))
}

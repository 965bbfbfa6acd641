//! SRV records of the mail services (RFC 6186, RFC 8314 section 5.1, RFC 2782).

use super::{
    fairemail,
    row::{Client, Dialect, MailService, Step},
    search::Trail,
};
use crate::model::{EMAIL_ADDRESS, Lookup, LookupKind, Protocol, Reply, Request, Security, Server, Settings, SrvRecord, Subject, Way, Win};

/// A mail service that SRV records announce.
pub(super) struct Service {
    name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) security: Security,
}

impl From<MailService> for Service {
    fn from(service: MailService) -> Self {
        let (name, protocol, security) = match service {
            MailService::Imaps => ("_imaps", Protocol::Imap, Security::Tls),
            MailService::Imap => ("_imap", Protocol::Imap, Security::StartTls),
            MailService::Pop3s => ("_pop3s", Protocol::Pop3, Security::Tls),
            MailService::Pop3 => ("_pop3", Protocol::Pop3, Security::StartTls),
            MailService::Submissions => ("_submissions", Protocol::Smtp, Security::Tls),
            MailService::Submission => ("_submission", Protocol::Smtp, Security::StartTls),
        };
        Self { name, protocol, security }
    }
}

const SERVICES: [MailService; 6] =
    [MailService::Imaps, MailService::Imap, MailService::Pop3s, MailService::Pop3, MailService::Submissions, MailService::Submission];

/// What a service's records offer.
pub(super) struct Offered<'a> {
    pub(super) service: Service,
    pub(super) lookup: Lookup,
    /// Those that name a host.
    pub(super) records: Vec<&'a SrvRecord>,
}

/// Looks the records up as the client does. Beside what an earlier step found they stand in where that names no outgoing server.
pub(super) fn search(trail: &mut Trail<'_>, (client, step): (&Client, &Step), subject: &Subject) {
    let offered: Vec<Offered<'_>> = services(step).filter_map(|service| ask(trail, service, subject)).collect();
    let chosen = match client.dialect {
        Dialect::Fairemail => {
            [fairemail::choose(&offered, Protocol::Imap), fairemail::choose(&offered, Protocol::Smtp)].into_iter().collect()
        }
        _ => Some(best_of_all(&offered)),
    };
    let chosen: Vec<(&Lookup, Server)> = chosen.unwrap_or_default();
    let mut requests = Vec::new();
    let mut settings = Settings::default();
    for (lookup, server) in &chosen {
        if !requests.contains(&lookup.request) {
            requests.push(lookup.request.clone());
        }
        let list = if server.protocol == Protocol::Smtp { &mut settings.outgoing } else { &mut settings.incoming };
        list.push(server.clone());
    }
    if let Some(known) = &mut trail.discovery.win {
        if step.beside && known.settings.outgoing.is_empty() && !settings.outgoing.is_empty() {
            known.settings.outgoing = settings.outgoing;
            known.requests.extend(requests);
        }
        return;
    }
    let first = offered.iter().map(|offered| &offered.lookup).find(|lookup| requests.contains(&lookup.request)).cloned();
    if let (Some(lookup), false) = (first, settings.incoming.is_empty()) {
        trail.win(Win { lookup, requests, way: Way::Srv, settings, provider_id: None, beside: None, guarded: None });
    }
}

/// The services that a client looks up, as owner names below the domain.
pub(super) fn names(step: &Step) -> impl Iterator<Item = String> {
    services(step).map(|service| format!("{}._tcp", service.name))
}

fn services(step: &Step) -> impl Iterator<Item = Service> {
    let services = if step.services.is_empty() { SERVICES.as_slice() } else { &step.services };
    services.iter().copied().map(Service::from)
}

/// `None` where the service is not offered, or nobody could tell.
fn ask<'a>(trail: &mut Trail<'a>, service: Service, subject: &Subject) -> Option<Offered<'a>> {
    let request = Request::Srv { name: format!("{}._tcp.{}", service.name, subject.address.domain()) };
    let lookup = Lookup { kind: LookupKind::Srv, asked: request.asked(), request };
    let reading = trail.ask(&lookup)?;
    let Reply::Srv(records) = &reading.answer.reply else {
        trail.record(&lookup, reading.outcome, &reading.detail);
        return None;
    };
    let records: Vec<&SrvRecord> = records.iter().filter(|record| !record.target.is_empty()).collect();
    (!records.is_empty()).then_some(Offered { service, lookup, records })
}

/// All services' targets of the best priority, ordered by priority and then as listed above (RFC 6186 section 3.4).
fn best_of_all<'o>(offered: &'o [Offered<'_>]) -> Vec<(&'o Lookup, Server)> {
    let mut found: Vec<(u16, &Lookup, Server)> = Vec::new();
    for Offered { service, lookup, records } in offered {
        let best = records.iter().map(|record| record.priority).min();
        let targets = records.iter().filter(|record| Some(record.priority) == best);
        found.extend(targets.map(|record| (record.priority, lookup, server(service.protocol, record, service.security))));
    }
    found.sort_by_key(|(priority, ..)| *priority);
    found.into_iter().map(|(_, lookup, server)| (lookup, server)).collect()
}

/// The server that a record names.
pub(super) fn server(protocol: Protocol, record: &SrvRecord, security: Security) -> Server {
    let (host, username) = (record.target.clone(), EMAIL_ADDRESS.to_owned());
    Server { protocol, host, port: record.port, security, auth: Vec::new(), username, class: None }
}

//! SRV records of the mail services (RFC 6186, RFC 8314 section 5.1, RFC 2782).

use super::{row::Step, search::Trail};
use crate::model::{
    AnswerOutcome, EMAIL_ADDRESS, Lookup, LookupKind, Protocol, Reply, Request, Security, Server, Settings, Subject, Way, Win,
};

struct Service {
    name: &'static str,
    protocol: Protocol,
    security: Security,
}

const SERVICES: [Service; 6] = [
    Service { name: "_imaps", protocol: Protocol::Imap, security: Security::Tls },
    Service { name: "_imap", protocol: Protocol::Imap, security: Security::StartTls },
    Service { name: "_pop3s", protocol: Protocol::Pop3, security: Security::Tls },
    Service { name: "_pop3", protocol: Protocol::Pop3, security: Security::StartTls },
    Service { name: "_submissions", protocol: Protocol::Smtp, security: Security::Tls },
    Service { name: "_submission", protocol: Protocol::Smtp, security: Security::StartTls },
];

/// All services' targets of the best priority, ordered by priority and then as listed above (RFC 6186 section 3.4). Beside what an
/// earlier step found they stand in where that names no outgoing server.
pub(super) fn search(trail: &mut Trail<'_>, step: &Step, subject: &Subject) {
    let mut found: Vec<(u16, Server)> = Vec::new();
    let mut winner: Option<Lookup> = None;
    let mut requests = Vec::new();
    for service in SERVICES {
        let request = Request::Srv { name: format!("{}._tcp.{}", service.name, subject.address.domain()) };
        let lookup = Lookup { kind: LookupKind::Srv, asked: request.asked(), request };
        let Some(reading) = trail.ask(&lookup) else { continue };
        let Reply::Srv(records) = &reading.answer.reply else {
            trail.record(&lookup, reading.outcome, &reading.detail);
            continue;
        };
        let best = records.iter().filter(|record| !record.target.is_empty()).map(|record| record.priority).min();
        let targets = records.iter().filter(|record| Some(record.priority) == best && !record.target.is_empty());
        let before = found.len();
        found.extend(targets.map(|record| {
            let server = Server {
                protocol: service.protocol,
                host: record.target.clone(),
                port: record.port,
                security: service.security,
                auth: Vec::new(),
                username: EMAIL_ADDRESS.to_owned(),
                class: None,
            };
            (record.priority, server)
        }));
        if found.len() > before {
            requests.push(lookup.request.clone());
            winner.get_or_insert(lookup);
        } else {
            trail.record(&lookup, AnswerOutcome::Absent, "explicitly not offered");
        }
    }
    found.sort_by_key(|(priority, _)| *priority);
    let mut settings = Settings::default();
    for (_, server) in found {
        let list = if server.protocol == Protocol::Smtp { &mut settings.outgoing } else { &mut settings.incoming };
        list.push(server);
    }
    if let Some(known) = &mut trail.discovery.win {
        if step.beside && known.settings.outgoing.is_empty() && !settings.outgoing.is_empty() {
            known.settings.outgoing = settings.outgoing;
            known.requests.extend(requests);
        }
        return;
    }
    if let (Some(lookup), false) = (winner, settings.incoming.is_empty()) {
        trail.win(Win { lookup, requests, way: Way::Srv, settings, provider_id: None, beside: None, guarded: None });
    }
}

//! `FairEmail` (M66B/FairEmail e23dd9df80, 2026-08-22, 1.2331): `EmailProvider.java`. It asks all its sources and gives each candidate a
//! score; the best one wins, and of equals the first. A server of a built-in profile has 100, of an SRV record 50, of a document or an
//! Autodiscover answer 20, of a port scan 10, the MX itself 0; a document with a user name of its own has 100 more. Where a candidate
//! has a host of a profile, the profile's servers come instead, after all equals (`fromEmail` adds them at the end, and its sort is
//! stable).

use std::cmp::Reverse;

use super::{
    built_in::Provider,
    dialect::{Refusal, default_port, literal_host, port},
    row::{Client, Dialect, Step},
    search::Trail,
    srv::{self, Offered},
};
use crate::model::{
    Autoconfig, AutoconfigServer, Discovery, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Lookup, LookupKind, Pox, Protocol, Security, Server,
    Settings, Subject, Trouble, Way, Win,
};

/// The candidates of a client that scores them; does nothing for another one.
pub(super) struct Contest<'a> {
    /// `None`: the client does not score, or the contest is over.
    candidates: Option<Vec<Candidate>>,
    client: &'a Client,
    subject: &'a Subject,
}

struct Candidate {
    score: u16,
    /// A profile takes the place of what a source found.
    replaced: bool,
    win: Win,
}

impl<'a> Contest<'a> {
    pub(super) fn of(client: &'a Client, subject: &'a Subject) -> Self {
        let candidates = (client.dialect == Dialect::Fairemail).then(Vec::new);
        Self { candidates, client, subject }
    }

    /// Before a group of steps: what comes last comes after the contest.
    pub(super) fn begin(&mut self, trail: &mut Trail<'_>, group: &[Step]) {
        if group.iter().any(|step| step.lookup == LookupKind::Guess || step.last_resort) {
            self.end(trail);
        }
    }

    /// After a group of steps: what it found is a candidate. The domain's own document and the database's are one source.
    pub(super) fn note(&mut self, trail: &mut Trail<'_>, group: &[Step]) {
        let Some(candidates) = &mut self.candidates else { return };
        if group.iter().any(|step| step.lookup == LookupKind::OwnAutoconfig) {
            return;
        }
        if let Some(win) = trail.discovery.win.take() {
            let has_profile = profile(self.client, self.subject, &win.settings).is_some();
            let score = score(&win, has_profile, self.subject);
            let replaced = has_profile && !matches!(win.way, Way::BuiltIn { .. });
            candidates.push(Candidate { score, replaced, win });
        }
    }

    /// A built-in profile takes the place of what won, be it in the contest or after it. Whose document led there does not matter then.
    pub(super) fn settle(&self, trail: &mut Trail<'_>) {
        if self.client.dialect == Dialect::Fairemail
            && let Some(win) = &mut trail.discovery.win
            && let Some(profile) = profile(self.client, self.subject, &win.settings)
        {
            win.settings = profile;
            win.provider_id = None;
        }
    }

    /// The best candidate wins. What failed is a doubt only where it could have come before it.
    pub(super) fn end(&mut self, trail: &mut Trail<'_>) {
        let candidates = self.candidates.take().unwrap_or_default();
        let best = candidates.into_iter().min_by_key(|candidate| (Reverse(candidate.score), candidate.replaced));
        let Some(Candidate { score, replaced, win }) = best else { return };
        let Discovery { doubts, lookups, .. } = &mut trail.discovery;
        let place = |lookup: &Lookup| lookups.iter().position(|known| known == lookup);
        let could_win = |doubt: &Trouble| {
            let most = most(doubt.lookup.kind);
            most > score || (most == score && (replaced || place(&doubt.lookup) < place(&win.lookup)))
        };
        doubts.retain(could_win);
        trail.discovery.win = Some(win);
    }
}

/// The built-in profile that has a host of these settings.
fn profile(client: &Client, subject: &Subject, settings: &Settings) -> Option<Settings> {
    let host = |servers: &[Server]| servers.first().map(|server| server.host.clone());
    let (incoming, outgoing) = (host(&settings.incoming), host(&settings.outgoing));
    let rows = client.steps.iter().flat_map(|step| &step.rows);
    let profiles = rows.map(|row: &Provider| row.settings(subject.address.domain().as_str()));
    profiles.into_iter().find(|known| host(&known.incoming) == incoming || host(&known.outgoing) == outgoing)
}

/// `getScore`. A profile that took the place of a document's servers has no user name.
fn score(win: &Win, of_profile: bool, subject: &Subject) -> u16 {
    match &win.way {
        Way::BuiltIn { .. } => PROFILE,
        Way::Srv => SRV,
        Way::Autodiscover { .. } => DOCUMENT,
        _ => {
            let usual = [EMAIL_ADDRESS.to_owned(), EMAIL_LOCAL_PART.to_owned(), subject.address.to_string(), String::new()];
            let named = |server: &Server| usual.iter().all(|usual| !usual.eq_ignore_ascii_case(&server.username));
            if !of_profile && win.settings.servers().any(named) { DOCUMENT + USER_NAME } else { DOCUMENT }
        }
    }
}

/// The best score that a lookup could have had.
fn most(kind: LookupKind) -> u16 {
    match kind {
        LookupKind::Mx | LookupKind::BuiltIn => PROFILE,
        LookupKind::Srv => SRV,
        LookupKind::AutodiscoverPox => DOCUMENT,
        _ => DOCUMENT + USER_NAME,
    }
}

/// `getISPDB`: the first incoming server, where it is one for IMAP, and the first outgoing one. What is no STARTTLS is TLS. The last
/// user name of its own in the document counts for both.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and FairEmail's parser is strict");
    }
    let first = |servers: &[AutoconfigServer], kind: &str| servers.first().filter(|server| server.kind == kind).cloned();
    let (Some(imap), Some(smtp)) = (first(&document.incoming, "imap"), first(&document.outgoing, "smtp")) else {
        return Refusal::unusable("its first incoming server is not for IMAP, or its first outgoing one not for SMTP");
    };
    let names = document.incoming.iter().chain(&document.outgoing).filter_map(|server| server.username.as_deref());
    let usual = |name: &&str| [EMAIL_ADDRESS, EMAIL_LOCAL_PART, ""].contains(name);
    let own = names.clone().rfind(|name| !usual(name));
    let username = own.or_else(|| names.clone().next_back()).unwrap_or(EMAIL_ADDRESS).to_owned();
    let read = |written: &AutoconfigServer, protocol| {
        let (host, port) = (literal_host(written.hostname.as_deref()?)?, port(written.port.as_deref()?)?);
        let last = written.socket_types.iter().rev().find_map(|written| match written.as_str() {
            "SSL" => Some(Security::Tls),
            "STARTTLS" => Some(Security::StartTls),
            _ => None,
        });
        Some(server((protocol, host, port), last.unwrap_or_else(|| by_port(protocol, port)), &username))
    };
    let (Some(imap), Some(smtp)) = (read(&imap, Protocol::Imap), read(&smtp, Protocol::Smtp)) else {
        return Refusal::unusable("it lacks a host or a port, and FairEmail takes no document without them");
    };
    Ok(Settings { incoming: vec![imap], outgoing: vec![smtp] })
}

/// `getMSAutodiscovery`: the last servers for IMAP and for SMTP that have a port; both or nothing.
pub(super) fn accept_pox(document: &Pox) -> Result<Settings, Refusal> {
    if !document.strict || document.action.as_deref() != Some("settings") {
        return Refusal::unusable("it is not well-formed XML with settings, and FairEmail takes nothing else");
    }
    let last = |kind: &str, protocol| {
        let mut of_kind = document.protocols.iter().rev().filter(|written| written.strict_kind && written.kind == kind);
        let (host, port) =
            of_kind.find_map(|written| Some((literal_host(written.server.as_deref()?)?, port(written.port.as_deref()?)?)))?;
        Some(server((protocol, host, port), by_port(protocol, port), EMAIL_ADDRESS))
    };
    match (last("IMAP", Protocol::Imap), last("SMTP", Protocol::Smtp)) {
        (Some(imap), Some(smtp)) => Ok(Settings { incoming: vec![imap], outgoing: vec![smtp] }),
        _ => Refusal::unusable("it does not name both a server for IMAP and one for SMTP"),
    }
}

/// `fromDNS`: of a protocol's records with and without TLS together the one of the lowest priority and then of the highest weight; of
/// equals `_imaps` and `_submission`. STARTTLS is what a standard port without TLS means.
pub(super) fn choose<'o>(offered: &'o [Offered<'_>], protocol: Protocol) -> Option<(&'o Lookup, Server)> {
    let of_protocol = offered.iter().filter(|offered| offered.service.protocol == protocol);
    let preferred = if protocol == Protocol::Smtp { Security::StartTls } else { Security::Tls };
    let records = of_protocol.flat_map(|offered| offered.records.iter().map(move |record| (offered, record)));
    let (offered, record) =
        records.min_by_key(|(offered, record)| (record.priority, Reverse(record.weight), offered.service.security != preferred))?;
    let security = if offered.service.security == Security::Tls { Security::Tls } else { by_port(protocol, record.port) };
    Some((&offered.lookup, srv::server(protocol, record, security)))
}

/// What a port means where nothing else is said.
fn by_port(protocol: Protocol, port: u16) -> Security {
    if port == default_port(protocol, Security::StartTls) { Security::StartTls } else { Security::Tls }
}

fn server((protocol, host, port): (Protocol, String, u16), security: Security, username: &str) -> Server {
    let (auth, username) = (vec!["password-cleartext".to_owned()], username.to_owned());
    Server { protocol, host, port, security, auth, username, class: None }
}

const PROFILE: u16 = 200;
const SRV: u16 = 100;
const DOCUMENT: u16 = 40;
const USER_NAME: u16 = 100;

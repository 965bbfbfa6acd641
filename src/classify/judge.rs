//! The verdict on a discovery, by where the mailbox lives.

use super::{
    cause,
    endpoint::{EndpointTable, Use},
    explain, hosting,
};
use crate::model::{
    Address, Cause, Class, Cloud, Discovery, Guarded, Hosting, Protocol, Protocols, Readings, Security, Server, Settings, Source, Verdict,
    Way, Win, exchange_host, expand,
};

/// Where a mailbox lives, and what is right for it.
#[derive(Debug, Clone, Copy)]
pub struct Residence<'a> {
    /// The mailbox, or the one that stands for its domain.
    pub address: &'a Address,
    /// Where it lives.
    pub hosting: Hosting,
    /// Further hosts, or `*.suffixes`, that the tenant allows; `%EMAILDOMAIN%` stands for the mailbox's domain.
    pub allowed_hosts: &'a [String],
    /// A name that nobody would create resolves in the domain.
    pub wildcard: bool,
    /// What is switched on for it.
    pub protocols: Protocols,
    /// What was read of its domain.
    pub readings: &'a Readings,
}

/// What a discovery is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Is it right?
    pub verdict: Verdict,
    /// The mechanism, where it is not.
    pub cause: Option<Cause>,
    /// The protocols that the verdict is about.
    pub affected: Vec<Protocol>,
    /// What a client that signs in would be told was inferred.
    pub inferred: bool,
    /// The servers, with their classes.
    pub settings: Settings,
    /// Where they come from.
    pub source: Option<Source>,
    /// One sentence for a person.
    pub explanation: String,
}

/// Judges what a client ends with.
#[must_use]
pub fn judge(endpoints: &EndpointTable, residence: &Residence<'_>, discovery: &Discovery) -> Judgement {
    let mut judgement = match &discovery.win {
        None => not_found(residence, discovery),
        Some(win) => judge_win(endpoints, residence, win),
    };
    if let Some(doubt) = discovery.doubts.first() {
        judgement.explanation = explain::doubtful(doubt, discovery, &judgement);
        judgement.verdict = Verdict::Undetermined;
        judgement.cause = Some(Cause::LookupFailed);
        judgement.affected.clear();
    }
    judgement
}

fn not_found(residence: &Residence<'_>, discovery: &Discovery) -> Judgement {
    let cause = cause::of_nothing(residence, discovery);
    let affected = discovery.seeks.clone();
    Judgement {
        verdict: Verdict::NotFound,
        cause: Some(cause),
        affected,
        inferred: false,
        settings: Settings::default(),
        source: None,
        explanation: explain::nothing(cause, residence, discovery),
    }
}

/// What won, and what another lookup adds to it: where that is worse, the verdict is about the addition.
fn judge_win(endpoints: &EndpointTable, residence: &Residence<'_>, win: &Win) -> Judgement {
    let judgement = judge_alone(endpoints, residence, win);
    let Some(beside) = &win.beside else { return judgement };
    let added = judge_alone(endpoints, residence, beside);
    let mut settings = judgement.settings.clone();
    settings.incoming.extend(added.settings.incoming.iter().cloned());
    let source = judgement.source.clone();
    let graver = if added.verdict > judgement.verdict { added } else { judgement };
    Judgement { settings, source, ..graver }
}

fn judge_alone(endpoints: &EndpointTable, residence: &Residence<'_>, win: &Win) -> Judgement {
    let inferred = win.guarded.as_ref().map(|guarded| infer(endpoints, residence, guarded));
    if let Some(None) = inferred {
        return guarded(win);
    }
    let settings = inferred.clone().flatten().unwrap_or_else(|| classify(endpoints, residence, &win.settings));
    let of_consumer_entry = residence.hosting != Hosting::Consumer && is_consumer_entry(win);
    let of = |server: &Server| if of_consumer_entry { Verdict::Consumer } else { judge_server(residence.hosting, server) };
    let mut verdict = settings.servers().map(of).max().unwrap_or(Verdict::NotFound);
    let mut affected: Vec<Protocol> = settings.servers().filter(|server| of(server).is_finding()).map(|server| server.protocol).collect();
    affected.sort_unstable();
    affected.dedup();
    let servers = settings.servers().filter(|server| of(server) == verdict).collect();
    if verdict == Verdict::Ok && lacks_submission(&settings) {
        verdict = Verdict::NotFound;
        affected = vec![Protocol::Smtp];
    }
    let cause = verdict.is_finding().then(|| cause::of_win(endpoints, residence, win, verdict));
    let explanation = explain::win(&explain::Story { residence, win, verdict, servers });
    Judgement { verdict, cause, affected, inferred: inferred.is_some(), settings, source: Some(Source::from(&win.lookup)), explanation }
}

/// An endpoint of the organisation's own that answers only with credentials, and does not say that it is joined to Microsoft's cloud:
/// a hybrid sends the client on to Exchange Online, a forgotten server does not, and nobody can tell from outside.
fn guarded(win: &Win) -> Judgement {
    Judgement {
        verdict: Verdict::Undetermined,
        cause: Some(Cause::Guarded),
        affected: Vec::new(),
        inferred: true,
        settings: Settings::default(),
        source: Some(Source::from(&win.lookup)),
        explanation: explain::guarded(win),
    }
}

/// The settings that an endpoint would give to a client that signs in; `None` where that cannot be inferred.
fn infer(endpoints: &EndpointTable, residence: &Residence<'_>, guarded: &Guarded) -> Option<Settings> {
    let known = endpoints.find(&guarded.host, Use::Autodiscover);
    let own = known.is_none() && is_own(&guarded.host, residence) && !is_allowed(&guarded.host, residence);
    let host = match residence.hosting {
        Hosting::ExchangeOnline(cloud) if own && guarded.joined => exchange_host(cloud),
        Hosting::ExchangeOnline(_) if own => return None,
        _ => known.and_then(|endpoint| endpoint.implies.as_deref()).unwrap_or(&guarded.host),
    };
    let server = Server {
        protocol: guarded.protocol,
        host: host.to_owned(),
        port: 443,
        security: Security::Tls,
        auth: Vec::new(),
        username: crate::model::EMAIL_ADDRESS.to_owned(),
        class: None,
    };
    Some(classify(endpoints, residence, &Settings { incoming: vec![server], outgoing: Vec::new() }))
}

fn classify(endpoints: &EndpointTable, residence: &Residence<'_>, settings: &Settings) -> Settings {
    let judged = |servers: &[Server]| {
        let class = |server: &Server| Some(class_of(endpoints, residence, server));
        servers.iter().map(|server| Server { class: class(server), ..server.clone() }).collect()
    };
    Settings { incoming: judged(&settings.incoming), outgoing: judged(&settings.outgoing) }
}

fn class_of(endpoints: &EndpointTable, residence: &Residence<'_>, server: &Server) -> Class {
    let host = expand(&server.host, residence.address).to_lowercase();
    if is_allowed(&host, residence) {
        return Class::Allowed;
    }
    match endpoints.find(&host, Use::Protocol(server.protocol)) {
        Some(endpoint) => endpoint.class,
        None if is_own(&host, residence) => Class::OwnDomain,
        None => Class::Foreign,
    }
}

fn is_allowed(host: &str, residence: &Residence<'_>) -> bool {
    hosting::is_allowed(host, (residence.address, residence.allowed_hosts))
}

fn is_own(host: &str, residence: &Residence<'_>) -> bool {
    hosting::is_own(host, residence.address)
}

/// The ISP database's entry of the consumer service: its document belongs to that service, whatever its hosts are at the time.
fn is_consumer_entry(win: &Win) -> bool {
    let of_database = matches!(&win.way, Way::Database | Way::Mx { database: true, .. });
    of_database && win.provider_id.as_deref().is_some_and(|id| CONSUMER_ENTRIES.contains(&id))
}

fn judge_server(hosting: Hosting, server: &Server) -> Verdict {
    let class = server.class.unwrap_or(Class::Foreign);
    let belongs = match hosting {
        Hosting::ExchangeOnline(cloud) => belongs_in_exchange_online(class, cloud),
        Hosting::OnPremises | Hosting::Other => belongs_if(class, &[Class::Allowed, Class::OwnDomain]),
        Hosting::Consumer => belongs_if(class, &[Class::Allowed, Class::Consumer, Class::Shared]),
    };
    if belongs == Verdict::Ok && server.security == Security::Plain { Verdict::Insecure } else { belongs }
}

fn belongs_in_exchange_online(class: Class, home: Cloud) -> Verdict {
    let cloud = if class == Class::Shared { Some(Cloud::Worldwide) } else { class.cloud() };
    match cloud {
        Some(cloud) if cloud == home => Verdict::Ok,
        Some(_) => Verdict::WrongCloud,
        None => belongs_if(class, &[Class::Allowed]),
    }
}

fn belongs_if(class: Class, right: &[Class]) -> Verdict {
    match class {
        class if right.contains(&class) => Verdict::Ok,
        Class::Consumer => Verdict::Consumer,
        Class::Retired => Verdict::Retired,
        _ => Verdict::Foreign,
    }
}

/// Mail can be read and not sent: the user has to type the outgoing server. All but IMAP and POP send by themselves.
fn lacks_submission(settings: &Settings) -> bool {
    let only_reads = |server: &Server| matches!(server.protocol, Protocol::Imap | Protocol::Pop3);
    settings.outgoing.is_empty() && !settings.incoming.is_empty() && settings.incoming.iter().all(only_reads)
}

/// `emailProvider@id` of the consumer service's entry (thunderbird/autoconfig ispdb/hotmail.com.xml, since 2014-01-23).
const CONSUMER_ENTRIES: [&str; 1] = ["hotmail.com"];

//! The cause of a verdict: the mechanism by which a client came to wrong settings, or to none.

use super::{
    endpoint::{EndpointTable, Use},
    judge::Residence,
};
use crate::model::{Cause, Class, Discovery, Domain, Obstacle, Readings, Reply, Request, Verdict, Way, Win, is_within};

/// Why a client finds nothing.
pub(super) fn of_nothing(residence: &Residence<'_>, discovery: &Discovery) -> Cause {
    let domain = residence.address.domain();
    if is_unknown(domain, residence.readings) {
        Cause::NoSuchDomain
    } else if is_within(domain.as_str(), ON_MICROSOFT) {
        Cause::OnMicrosoftDomain
    } else if discovery.faults.is_empty() {
        Cause::NothingPublished
    } else {
        Cause::UnusableDocument
    }
}

/// Where DNS does not know the domain, there is nothing below it either (RFC 8020).
fn is_unknown(domain: &Domain, readings: &Readings) -> bool {
    let mx = readings.get(&Request::Mx { domain: domain.clone() });
    mx.is_some_and(|mx| mx.answer.reply == Reply::Obstacle(Obstacle::NxDomain))
}

/// Why a client ends with these settings.
pub(super) fn of_win(endpoints: &EndpointTable, residence: &Residence<'_>, win: &Win, verdict: Verdict) -> Cause {
    match verdict {
        Verdict::Insecure => return Cause::NoEncryption,
        Verdict::NotFound => return Cause::NothingPublished,
        _ => {}
    }
    match &win.way {
        Way::Own { .. } if residence.wildcard => Cause::WildcardHost,
        Way::Own { well_known: true } => Cause::OwnWellKnownStale,
        Way::Own { well_known: false } => Cause::OwnAutoconfigStale,
        Way::Database => Cause::IspdbEntry,
        Way::Mx { database: false, .. } => Cause::MxProvider,
        Way::Mx { host, after_parent, .. } => match endpoints.find(host, Use::Mx).map(|endpoint| endpoint.class) {
            Some(Class::Consumer) => Cause::MxConsumer,
            Some(_) if *after_parent => Cause::MxLegacy,
            Some(_) => Cause::MxBaseDomain,
            None if is_microsoft(host) => {
                if *after_parent {
                    Cause::MxLegacy
                } else {
                    Cause::MxBaseDomain
                }
            }
            None => Cause::MxProvider,
        },
        Way::Srv => Cause::SrvStale,
        Way::Autodiscover { redirected: true, .. } => Cause::AutodiscoverRedirect,
        Way::Autodiscover { by_srv: true, .. } => Cause::AutodiscoverSrv,
        Way::Autodiscover { .. } => Cause::AutodiscoverForeign,
        Way::BuiltIn { .. } => Cause::BuiltInTable,
        Way::ProviderId => Cause::ProviderId,
        Way::Guess => Cause::GuessedHost,
        Way::AutoDetect { .. } => Cause::AutodetectRow,
        Way::Pacc => Cause::PaccStale,
        Way::Jmap => Cause::JmapForeign,
    }
}

/// Names under Microsoft's mail domains that no row of the table knows, such as an MX of `outlook.com` itself.
fn is_microsoft(host: &str) -> bool {
    ["outlook.com", "outlook.de", "office365.com", "microsoft.com", "mx.microsoft"].iter().any(|domain| is_within(host, domain))
}

const ON_MICROSOFT: &str = "onmicrosoft.com";

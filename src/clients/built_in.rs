//! Built-in tables: the rows of providers that a client carries with it, by the mail domain or by the MX.

use serde::Deserialize;

use super::{
    offer::Offer,
    pattern::Pattern,
    row::Step,
    search::{MxState, Trail},
};
use crate::model::{AnswerOutcome, Domain, Lookup, LookupKind, Protocol, Request, Server, Settings, Way, Win, registrable};

/// A row of a client's own table of providers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name in the client.
    pub name: String,
    /// Mail domains that it is for.
    #[serde(default)]
    pub domains: Vec<Pattern>,
    /// MX hosts that it is for.
    #[serde(default)]
    pub mx: Vec<Pattern>,
    /// It is for every MX that shares the registrable domain of its first incoming server.
    #[serde(default)]
    pub mx_base_of_incoming: bool,
    /// Its servers, in the client's order of preference.
    pub servers: Vec<Offer>,
}

impl Provider {
    /// Whether it can be chosen by the MX.
    pub(super) fn is_by_mx(&self) -> bool {
        self.mx_base_of_incoming || !self.mx.is_empty()
    }

    fn fits_mx(&self, host: &str) -> bool {
        let root = || {
            let offer = self.servers.iter().find(|offer| offer.protocol != Protocol::Smtp);
            offer.and_then(|offer| offer.hosts.first()).and_then(|host| registrable(host))
        };
        self.mx.iter().any(|pattern| pattern.fits(host))
            || (self.mx_base_of_incoming && registrable(host).is_some_and(|base| root() == Some(base)))
    }

    /// What the client would configure for a mail domain.
    pub(super) fn settings(&self, domain: &str) -> Settings {
        let servers = self.servers.iter().flat_map(|offer| offer.places(domain, None).into_iter().map(|place| offer.server(place)));
        let (outgoing, incoming): (Vec<Server>, Vec<Server>) = servers.partition(|server| server.protocol == Protocol::Smtp);
        Settings { incoming, outgoing }
    }
}

/// The first row for the domain; else the first one for an MX.
pub(super) fn search(trail: &mut Trail<'_>, step: &Step, (domain, mx): (&Domain, &MxState)) {
    if let Some(row) = step.rows.iter().find(|row| row.domains.iter().any(|pattern| pattern.fits(domain.as_str()))) {
        return win(trail, domain, (row, None));
    }
    if step.rows.iter().any(Provider::is_by_mx) {
        let hosts = match mx {
            MxState::Known { all, .. } if step.any_mx => all.as_slice(),
            MxState::Known { host, .. } => std::slice::from_ref(host),
            MxState::Trouble(lookup, why) => return trail.record_once(lookup, AnswerOutcome::Failed, why),
            MxState::Nothing => &[],
        };
        let found = hosts.iter().find_map(|host| Some((step.rows.iter().find(|row| row.fits_mx(host))?, host)));
        if let Some((row, host)) = found {
            win(trail, domain, (row, Some(host)));
        }
    }
}

/// Nothing is asked for a row; where the MX decided, the winner rests on what was asked about that.
fn win(trail: &mut Trail<'_>, domain: &Domain, (row, mx): (&Provider, Option<&String>)) {
    let request = Request::BuiltIn { row: row.name.clone() };
    let lookup = Lookup { kind: LookupKind::BuiltIn, asked: request.asked(), request };
    trail.note(&lookup);
    let requests = mx.map(|_| Request::Mx { domain: domain.clone() }).into_iter().collect();
    let way = Way::BuiltIn { row: row.name.clone(), mx: mx.cloned() };
    trail.win(Win { lookup, requests, way, settings: row.settings(domain.as_str()), provider_id: None, beside: None, guarded: None });
}

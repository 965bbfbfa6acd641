//! The lookups of a story in the order in which the client comes to them, neighbours of one kind together.

use super::Tale;
use crate::model::{Lookup, LookupKind, Reply, Request, Way, Win};

/// The way that a client goes, as far as what decides.
pub(super) struct Route<'a> {
    pub(super) steps: Vec<Step<'a>>,
    pub(super) mx: Option<Mx>,
}

/// Lookups that are told together.
pub(super) struct Step<'a> {
    pub(super) kind: LookupKind,
    /// The name that the MX was reduced to.
    pub(super) key: Option<String>,
    pub(super) lookups: Vec<&'a Lookup>,
}

/// The MX that the client takes.
pub(super) struct Mx {
    pub(super) host: String,
    /// Of how many it is one that the client can take.
    pub(super) equal: usize,
    /// The client takes whichever is listed first.
    pub(super) any: bool,
    /// How many there are.
    pub(super) all: usize,
    /// What it is reduced to.
    pub(super) names: Vec<String>,
}

impl<'a> Route<'a> {
    pub(super) fn of(tale: &Tale<'a>) -> Self {
        let mx = find_mx(tale);
        let mut steps: Vec<Step<'a>> = Vec::new();
        for lookup in told(tale) {
            let key = mx.as_ref().filter(|_| is_of_mx(lookup.kind)).and_then(|mx| mx.key(&lookup.asked));
            match steps.last_mut().filter(|step| step.kind == lookup.kind && step.key == key) {
                Some(step) => step.lookups.push(lookup),
                None => steps.push(Step { kind: lookup.kind, key, lookups: vec![lookup] }),
            }
        }
        Self { steps, mx }
    }

    /// All lookups.
    pub(super) fn lookups(&self) -> impl Iterator<Item = &'a Lookup> {
        self.steps.iter().flat_map(|step| step.lookups.iter().copied())
    }

    pub(super) fn has(&self, request: &Request) -> bool {
        self.lookups().any(|lookup| lookup.request == *request)
    }

    /// Whether nothing follows the lookup after which the client looks for no more documents.
    pub(super) fn ends_where_it_stops(&self, tale: &Tale<'_>) -> bool {
        let last = self.steps.last().and_then(|step| step.lookups.last());
        last.is_some_and(|last| tale.discovery.stopped_at.as_ref() == Some(&last.request))
    }

    /// What gave a part of the settings, and comes behind what decided.
    pub(super) fn rest_of(&self, tale: &Tale<'a>, win: &Win) -> Vec<&'a Lookup> {
        let is_rest = |lookup: &&Lookup| win.requests.contains(&lookup.request) && !self.has(&lookup.request);
        tale.discovery.lookups.iter().filter(is_rest).collect()
    }
}

impl Mx {
    /// The name that a lookup is about: the longest that it holds.
    fn key(&self, asked: &str) -> Option<String> {
        self.names.iter().filter(|name| asked.contains(name.as_str())).max_by_key(|name| name.len()).cloned()
    }
}

/// The lookups that count, as far as the one that decides; the MX where the client comes to need it.
fn told<'a>(tale: &Tale<'a>) -> Vec<&'a Lookup> {
    let discovery = tale.discovery;
    let (mx, mut told): (Vec<&Lookup>, Vec<&Lookup>) = discovery
        .lookups
        .iter()
        .filter(|lookup| !discovery.idle.contains(&lookup.request))
        .partition(|lookup| lookup.kind == LookupKind::Mx);
    let decided = discovery.win.as_ref();
    if let Some(win) = decided {
        cut(tale, &mut told, win);
    }
    let by_mx = decided.is_some_and(|win| matches!(win.way, Way::BuiltIn { mx: Some(_), .. }));
    let first_of_mx = told.iter().position(|lookup| is_of_mx(lookup.kind)).or_else(|| by_mx.then_some(told.len()));
    let behind = told.iter().rposition(|lookup| is_of_domain(lookup.kind)).map_or(0, |at| at + 1);
    let before_mx = decided.is_some_and(|win| is_of_domain(win.lookup.kind)) || discovery.stopped_at.is_some();
    let place = first_of_mx.or_else(|| (!before_mx).then_some(behind));
    if let Some(place) = place {
        told.splice(place..place, mx);
    }
    told
}

/// Ends the lookups with the one that decides.
fn cut(tale: &Tale<'_>, told: &mut Vec<&Lookup>, win: &Win) {
    let decides = told.iter().position(|lookup| lookup.request == win.lookup.request);
    let last = match decides {
        Some(_) if win.way == Way::Srv => told.iter().rposition(|lookup| lookup.kind == LookupKind::Srv),
        decides => decides,
    };
    if let Some(last) = last {
        told.truncate(last + 1);
        return;
    }
    // decided without a lookup: what comes before it in the client's row
    let before: Vec<LookupKind> = tale.client.steps.iter().map(|step| step.lookup).take_while(|kind| *kind != win.lookup.kind).collect();
    told.retain(|lookup| before.contains(&lookup.kind));
}

/// The MX host that the course takes.
fn find_mx(tale: &Tale<'_>) -> Option<Mx> {
    let reading = tale.readings.get(&Request::Mx { domain: tale.address.domain().clone() })?;
    let Reply::Mx(records) = &reading.answer.reply else { return None };
    let equal = tale.client.eligible_mx(records);
    let host = (*equal.get(tale.mx).or_else(|| equal.first())?).to_owned();
    let names = tale.client.mx.map(|reduction| reduction.names(&host, tale.address.domain().as_str())).unwrap_or_default();
    Some(Mx { host, equal: equal.len(), any: tale.client.mx_any_preference, all: records.len(), names })
}

fn is_of_mx(kind: LookupKind) -> bool {
    matches!(kind, LookupKind::MxAutoconfig | LookupKind::MxIspdb)
}

fn is_of_domain(kind: LookupKind) -> bool {
    matches!(kind, LookupKind::OwnAutoconfig | LookupKind::Ispdb)
}

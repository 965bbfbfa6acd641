//! Entries of ISP databases that are watched: what they say decides for every mailbox behind an MX, and nobody here is asked before
//! they change. A whole run looks at all of them, any other at those about which something is on its way to being confirmed.
//!
//! One version of an entry is known. Another one is an incident once `confirm` looks in a row have seen the same; it says whom it would
//! lead elsewhere. It resolves when the entry is as it was for as many looks, or when the new version becomes the known one: when
//! somebody has acknowledged it, when yet another version comes, and otherwise a week after it opened. What could not be told changes
//! nothing, and a database that DNS does not know has lost no entry.

mod account;
mod effect;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};

use self::{
    account::Comparison,
    effect::{Effect, Overlay},
};
use super::{
    Auditor, Replay, RunOptions, TenantJob,
    conclude::{Ending, changed},
};
use crate::{
    alert::{Moment, Seen, Sighting, decide},
    clients::{Client, IspDatabase},
    model::{AnswerOutcome, Concern, Domain, Incident, IncidentState, Lookup, Obstacle, Reading, Reply, Severity, Tenant},
    store::{EntryLook, EntryVersion, IncidentChange, KeptEntry, StoreError},
    wire,
};

/// The names whose entries are watched unless a site says otherwise: what the MX of Exchange Online and its like are reduced to, and the
/// names that an entry for it might get.
#[must_use]
pub fn watched_by_default() -> Vec<Domain> {
    WATCHED.iter().filter_map(|name| Domain::parse(name).ok()).collect()
}

/// A look at the watched entries at the end of a run.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    pub(super) auditor: &'a Auditor,
    pub(super) jobs: &'a [TenantJob],
    pub(super) options: &'a RunOptions,
    pub(super) ending: Ending<'a>,
}

/// An entry that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    database: String,
    entry: String,
    /// Asked under the database's first name.
    lookup: Lookup,
    /// As the clients ask, under all of its names.
    by_clients: Vec<Lookup>,
}

/// An entry with all that is known of it.
struct Sight<'a> {
    place: Place,
    now: EntryVersion,
    kept: Vec<KeptEntry>,
    standing: Option<&'a Incident>,
}

/// What a look comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// It was never looked at before: it is known from now on.
    Learn,
    /// It is what is known.
    Same,
    /// It is not.
    Differs {
        /// Nor what it was at the look before: the looks in a row are counted anew.
        is_other: bool,
        /// All that is to be said of it was said.
        is_told: bool,
    },
    /// This version becomes the known one.
    Settle(EntryVersion, &'static str),
}

impl Watch<'_> {
    /// Looks, and writes what that makes of the incidents.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let Ending { store, run, alerting, at, .. } = self.ending;
        let mut standing = store.reader().incidents_of(None).await?;
        standing.retain(|incident| matches!(incident.concern, Concern::Drift { .. }));
        let watched = self.places();
        let sights = self.see(&watched, &standing).await?;
        let (mut looks, mut changes) = (Vec::new(), Vec::new());
        let steps: Vec<Step> = sights.iter().map(|sight| sight.step(at)).collect();
        let mut effects = self.effects(&sights, &steps).await?.into_iter();
        for (sight, step) in sights.iter().zip(steps) {
            let effect = if step.asks_for_effect() { effects.next() } else { None };
            if let Some(seen) = sight.seen(&step, effect, at) {
                changes.extend(self.change(sight.standing_for(&step).as_deref(), &sight.place.concern(), &seen));
            }
            looks.push(sight.look(step));
        }
        for (incident, seen) in self.left(&watched, &standing) {
            changes.extend(self.change(Some(incident), &incident.concern, &seen));
        }
        if !looks.is_empty() || !changes.is_empty() {
            store.conclude_entries(run, (&looks, &changes), &alerting.destinations, at).await?;
        }
        Ok(())
    }

    /// All entries that are watched, in each database that a client asks.
    fn places(&self) -> Vec<Place> {
        let profiles =
            self.jobs.iter().flat_map(|job| job.mailboxes.chunk_by(|one, next| std::sync::Arc::ptr_eq(&one.profile, &next.profile)));
        let by_mailboxes = profiles.filter_map(|part| part.first()?.profile.clients.as_ref()).flatten();
        let by_tenants = self.jobs.iter().flat_map(|job| &job.tenant.clients);
        let named: HashSet<&str> = by_tenants.chain(by_mailboxes).map(String::as_str).collect();
        let clients = self.auditor.watched(&named);
        let databases: BTreeSet<IspDatabase> = clients.into_iter().flat_map(Client::databases).collect();
        // one database by two ways, or under two names, is one
        let mut by_name: BTreeMap<String, (IspDatabase, Vec<IspDatabase>)> = BTreeMap::new();
        for database in databases {
            let canonical = database.canonical();
            by_name.entry(canonical.name()).or_insert_with(|| (canonical, Vec::new())).1.push(database);
        }
        let place = |(name, (canonical, all)): (&String, &(IspDatabase, Vec<IspDatabase>)), entry: &Domain| Place {
            database: name.clone(),
            entry: entry.to_string(),
            lookup: canonical.lookup(entry.as_str()),
            by_clients: all.iter().map(|database| database.lookup(entry.as_str())).collect(),
        };
        by_name.iter().flat_map(|database| self.options.watched_entries.iter().map(move |entry| place(database, entry))).collect()
    }

    /// Asks, and reads what is kept. What could not be told is left out.
    async fn see<'i>(&self, places: &[Place], standing: &'i [Incident]) -> Result<Vec<Sight<'i>>, StoreError> {
        let is_whole = self.jobs.iter().all(TenantJob::is_whole);
        let of = |place: &Place| standing.iter().find(|incident| incident.concern == place.concern());
        let wanted = places.iter().filter(|place| is_whole || of(place).is_some_and(is_moving));
        let asked: Vec<BoxFuture<'_, _>> = wanted.map(|place| async move { (place, self.ask(&place.lookup).await) }.boxed()).collect();
        let asked: Vec<(&Place, Reading)> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        let mut sights = Vec::new();
        for (place, reading) in asked {
            let Some(now) = version(&reading) else {
                tracing::debug!(database = place.database, entry = place.entry, outcome = %reading.outcome, "an entry could not be looked at");
                continue;
            };
            let kept = self.ending.store.reader().entry(&place.database, &place.entry).await?;
            sights.push(Sight { place: place.clone(), now, kept, standing: of(place) });
        }
        Ok(sights)
    }

    async fn ask(&self, lookup: &Lookup) -> Reading {
        wire::read(lookup, self.auditor.network.ask(lookup).await)
    }

    /// What the entries that differ would change, in their order.
    async fn effects(&self, sights: &[Sight<'_>], steps: &[Step]) -> Result<Vec<Effect>, StoreError> {
        let overlay = |(sight, step): (&Sight<'_>, &Step)| {
            let known = sight.known().filter(|_| step.asks_for_effect())?;
            Some(Overlay::new(sight.place.by_clients.clone(), (&known.version, &sight.now)))
        };
        let overlays: Vec<Overlay> = sights.iter().zip(steps).filter_map(overlay).collect();
        let tenants: Vec<Tenant> = self.jobs.iter().map(|job| job.tenant.clone()).collect();
        let replay = Replay { clients: &self.auditor.clients, endpoints: &self.auditor.endpoints, tenants: &tenants };
        effect::effects(replay, self.ending.store.reader(), &overlays).await
    }

    /// Incidents about entries that are not watched any more. Whoever goes through some tenants only does not know what the others watch.
    fn left<'i>(&self, watched: &[Place], standing: &'i [Incident]) -> Vec<(&'i Incident, Seen)> {
        let is_over = |incident: &Incident| self.options.whole || is_old(incident, self.ending.at);
        let left = standing.iter().filter(|incident| incident.state.is_standing() && is_over(incident));
        let left = left.filter(|incident| watched.iter().all(|place| place.concern() != incident.concern));
        left.map(|incident| (incident, Seen::Gone("The entry is not watched any more."))).collect()
    }

    /// What a sighting makes of an incident.
    fn change(&self, standing: Option<&Incident>, concern: &Concern, seen: &Seen) -> Option<IncidentChange> {
        let moment = Moment { at: self.ending.at, policy: &self.ending.alerting.policy, is_exempt: false };
        let decision = decide(standing, concern, seen, moment)?;
        if let Some(change) = decision.change {
            tracing::info!(incident = concern.key(), change = change.as_str(), "an entry of an ISP database");
        }
        Some(changed(decision))
    }
}

impl Place {
    fn concern(&self) -> Concern {
        Concern::Drift { database: self.database.clone(), entry: self.entry.clone() }
    }
}

impl Step {
    fn asks_for_effect(&self) -> bool {
        matches!(self, Self::Differs { is_told: false, .. })
    }
}

impl Sight<'_> {
    fn known(&self) -> Option<&KeptEntry> {
        self.kept.iter().find(|entry| entry.is_known)
    }

    /// Pure.
    fn step(&self, at: i64) -> Step {
        let Some(known) = self.known() else { return Step::Learn };
        if self.now.is_same(&known.version) {
            return Step::Same;
        }
        let before = self.kept.last().map(|last| &last.version).filter(|last| !last.is_same(&known.version));
        let is_as_before = before.is_some_and(|before| before.is_same(&self.now));
        match self.standing {
            Some(incident) if incident.state == IncidentState::Open => {
                let is_acknowledged = incident.acknowledgement.as_ref().is_some_and(|acknowledgement| acknowledgement.holds(at));
                match before {
                    Some(before) if !is_as_before => {
                        Step::Settle(before.clone(), "Yet another version has come: that one is told of by itself.")
                    }
                    _ if is_acknowledged => Step::Settle(self.now.clone(), "It was acknowledged: the new version is known now."),
                    _ if is_old(incident, at) => {
                        Step::Settle(self.now.clone(), "It has been told of for a week: the new version is known now.")
                    }
                    _ => Step::Differs { is_other: false, is_told: is_as_before },
                }
            }
            Some(incident) if incident.state == IncidentState::Suspected => Step::Differs { is_other: !is_as_before, is_told: false },
            _ => Step::Differs { is_other: false, is_told: false },
        }
    }

    /// The incident about it; what was seen so far speaks for another version where this is another one.
    fn standing_for(&self, step: &Step) -> Option<Cow<'_, Incident>> {
        let standing = self.standing?;
        let begins_anew = matches!(step, Step::Differs { is_other: true, .. });
        Some(if begins_anew { Cow::Owned(Incident { streak: 0, ..standing.clone() }) } else { Cow::Borrowed(standing) })
    }

    fn seen(&self, step: &Step, effect: Option<Effect>, at: i64) -> Option<Seen> {
        match step {
            Step::Learn => Some(Seen::Gone("What the entry was is not kept any more.")),
            Step::Same => Some(Seen::Absent),
            Step::Settle(_, reason) => Some(Seen::Gone(reason)),
            Step::Differs { .. } => self.sighting(effect, at).map(Seen::Present),
        }
    }

    /// What differs and whom it would lead elsewhere; as it was said before, where nothing was looked at anew.
    fn sighting(&self, effect: Option<Effect>, at: i64) -> Option<Sighting> {
        let standing = self.standing.filter(|incident| incident.state.is_standing());
        let Some(effect) = effect else {
            let Incident { severity, affected, account, .. } = standing?;
            let (severity, affected, account) = (*severity, *affected, account.clone());
            return Some(Sighting { verdict: None, severity, affected, is_complete: true, account });
        };
        let known = self.known()?;
        let since = standing.map_or(at, |incident| incident.first_seen_at);
        Some(Sighting {
            verdict: None,
            severity: if effect.is_grave() { Severity::Critical } else { Severity::Info },
            affected: effect.affected(),
            is_complete: effect.is_complete(),
            account: Comparison { known, now: &self.now, since }.account(&self.place.lookup, &effect),
        })
    }

    fn look(&self, step: Step) -> EntryLook {
        let Place { database, entry, lookup, .. } = &self.place;
        let known = match step {
            Step::Learn => Some(self.now.clone()),
            Step::Settle(version, _) => Some(version),
            Step::Same | Step::Differs { .. } => None,
        };
        EntryLook { database: database.clone(), name: entry.clone(), url: lookup.asked.clone(), seen: self.now.clone(), known }
    }
}

/// Whether something about it is on its way: it is not confirmed yet, may be over, or was acknowledged.
fn is_moving(incident: &Incident) -> bool {
    match incident.state {
        IncidentState::Suspected => true,
        IncidentState::Open => incident.streak > 0 || incident.acknowledgement.is_some(),
        IncidentState::Resolved | IncidentState::Dismissed => false,
    }
}

/// Whether everybody concerned has had the time to hear of it.
fn is_old(incident: &Incident, at: i64) -> bool {
    incident.opened_at.is_some_and(|opened_at| at - opened_at >= WEEK)
}

/// What a reading says of an entry; `None`: nothing. A database that DNS does not know is out of reach, and says nothing of any entry.
fn version(reading: &Reading) -> Option<EntryVersion> {
    match (&reading.answer.reply, reading.outcome) {
        (Reply::Document(document), AnswerOutcome::Found) => Some(EntryVersion::document(&document.content_type, &document.body)),
        (Reply::Obstacle(Obstacle::NotThere { .. } | Obstacle::Empty { status: 204, .. }), _) => Some(EntryVersion::Absent),
        _ => None,
    }
}

/// Seconds.
const WEEK: i64 = 7 * 86_400;
/// Entries that are asked for at one time.
const AT_ONCE: usize = 4;
/// `clients-and-standards.md` section 6.3, M22, with the names of other clouds and those that Microsoft's MX had or have.
const WATCHED: [&str; 13] = [
    "outlook.com",
    "mail.protection.outlook.com",
    "office365.com",
    "hotmail.com",
    "olc.protection.outlook.com",
    "onmicrosoft.com",
    "mx.microsoft",
    "outlook.de",
    "office365.us",
    "partner.outlook.cn",
    "messaging.microsoft.com",
    "live.com",
    "msn.com",
];

#[cfg(test)]
mod tests;

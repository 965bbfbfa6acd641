//! Counts what is not as it was, domain by domain.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Bundle, Part, Replay,
    difference::{Difference, differences},
};
use crate::{
    audit::dossier,
    model::{Address, Domain, Outcome, Profile, TenantId},
    store::{Dossier, MailboxRow},
};

/// What is not as it was, and what could not be told.
#[derive(Debug, Default)]
pub struct Changes {
    /// All mailboxes that were gone through, by tenant.
    pub mailboxes: BTreeMap<TenantId, u64>,
    /// Those that were judged again.
    pub judged: Count,
    /// Those of which something is not as it was.
    pub changed: Count,
    /// By what is not as it was.
    pub differences: BTreeMap<Difference, Count>,
    /// By client: mailboxes for which it asks now what was not asked then.
    pub unasked: BTreeMap<String, Unasked>,
    /// Mailboxes of domains whose answers are not kept.
    pub without_answers: Count,
    /// Mailboxes of domains whose answers cannot be read.
    pub unreadable: Count,
    /// Mailboxes that were told something of their own, which is not kept.
    pub own_answers: Count,
}

/// Mailboxes that have something in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub mailboxes: u64,
    /// In how many domains.
    pub domains: u64,
    /// The first of the domains.
    pub first_domains: Vec<InDomain>,
    /// The first of the mailboxes.
    pub first_mailboxes: Vec<Address>,
}

/// Those of one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDomain {
    /// Whose domain it is.
    pub tenant: TenantId,
    /// The domain.
    pub domain: Domain,
    /// How many mailboxes of it.
    pub mailboxes: u64,
}

/// What a client asks now.
#[derive(Debug, Clone, Default)]
pub struct Unasked {
    /// The mailboxes.
    pub count: Count,
    /// The first that was not asked.
    pub example: String,
}

/// The counts so far.
pub(super) struct Recount<'a> {
    replay: Replay<'a>,
    only: &'a [String],
    changes: Changes,
    place: Option<Place<'a>>,
}

/// The domain at hand.
struct Place<'a> {
    tenant: TenantId,
    domain: Domain,
    evidence: Evidence<'a>,
    /// By profile and outcome: what is not as it was.
    known: HashMap<(usize, usize), Known>,
    /// The outcome of the first mailbox of a profile.
    outcomes: HashMap<Arc<Profile>, Arc<Outcome>>,
    /// Two mailboxes of one profile have two outcomes.
    is_mixed: bool,
    all: Few,
    judged: Few,
    changed: Few,
    differences: BTreeMap<Difference, Few>,
    unasked: BTreeMap<String, (Few, String)>,
    own_answers: Few,
}

enum Evidence<'a> {
    Kept(Box<Bundle<'a>>),
    Gone,
    Unreadable,
}

/// Profile and outcome, which are held so that they keep their places in memory.
type Known = (Arc<Profile>, Arc<Outcome>, Found);

/// What is found of mailboxes that share everything.
#[derive(Clone)]
struct Found {
    differences: Arc<[Difference]>,
    /// Client, and what it asks now.
    unasked: Arc<[(String, String)]>,
}

/// Mailboxes of one domain.
#[derive(Debug, Default)]
struct Few {
    mailboxes: u64,
    first: Vec<Address>,
}

impl<'a> Recount<'a> {
    pub(super) fn new(replay: Replay<'a>, only: &'a [String]) -> Self {
        Self { replay, only, changes: Changes::default(), place: None }
    }

    pub(super) fn take(&mut self, part: Part) {
        let Part { rows, is_first, dossier } = part;
        if let Some(first) = rows.first().filter(|_| is_first) {
            self.leave();
            self.place = Some(Place::new(self.replay, dossier, first));
        }
        let Some(place) = &mut self.place else { return };
        for row in &rows {
            place.count(row, self.only);
        }
    }

    pub(super) fn end(mut self) -> Changes {
        self.leave();
        self.changes
    }

    /// Takes the domain at hand into the counts.
    fn leave(&mut self) {
        let Some(place) = self.place.take() else { return };
        let changes = &mut self.changes;
        *changes.mailboxes.entry(place.tenant.clone()).or_default() += place.all.mailboxes;
        let whose = (&place.tenant, &place.domain);
        match &place.evidence {
            Evidence::Gone => changes.without_answers.add(whose, place.all),
            Evidence::Unreadable => changes.unreadable.add(whose, place.all),
            // it was not written down that each was asked about by itself, and it shows
            Evidence::Kept(bundle) if bundle.is_unmarked() && place.is_mixed => changes.own_answers.add(whose, place.all),
            Evidence::Kept(_) => {
                changes.judged.add(whose, place.judged);
                changes.changed.add(whose, place.changed);
                changes.own_answers.add(whose, place.own_answers);
                for (difference, few) in place.differences {
                    changes.differences.entry(difference).or_default().add(whose, few);
                }
                for (client, (few, example)) in place.unasked {
                    let unasked = changes.unasked.entry(client).or_insert_with(|| Unasked { example, ..Unasked::default() });
                    unasked.count.add(whose, few);
                }
            }
        }
    }
}

impl<'a> Place<'a> {
    fn new(replay: Replay<'a>, dossier: Option<Dossier>, first: &MailboxRow) -> Self {
        let (tenant, domain) = (first.tenant.clone(), first.mailbox.address.domain().clone());
        let evidence = match dossier.map(|dossier| dossier::read(&dossier)) {
            None => Evidence::Gone,
            Some(Ok(kept)) => Evidence::Kept(Box::new(Bundle::new(replay, kept, &first.mailbox.address))),
            Some(Err(error)) => {
                tracing::warn!(%tenant, %domain, error = crate::model::with_causes(&error), "what is kept of a domain cannot be read");
                Evidence::Unreadable
            }
        };
        Self {
            tenant,
            domain,
            evidence,
            known: HashMap::new(),
            outcomes: HashMap::new(),
            is_mixed: false,
            all: Few::default(),
            judged: Few::default(),
            changed: Few::default(),
            differences: BTreeMap::new(),
            unasked: BTreeMap::new(),
            own_answers: Few::default(),
        }
    }

    fn count(&mut self, row: &MailboxRow, only: &[String]) {
        let address = &row.mailbox.address;
        self.all.add(address);
        let Evidence::Kept(bundle) = &mut self.evidence else { return };
        let (profile, outcome) = (&row.mailbox.profile, &row.outcome);
        let first = self.outcomes.entry(profile.clone()).or_insert_with(|| outcome.clone());
        self.is_mixed |= !Arc::ptr_eq(first, outcome) && first != outcome;
        // each of these may stand for its own mailbox alone
        if self.known.len() >= KNOWN_AT_MOST {
            self.known.clear();
        }
        let key = (place_of(profile), place_of(outcome));
        let known = self.known.get(&key).filter(|_| bundle.has_answers_for(row)).map(|(_, _, found)| found.clone());
        let Some(found) = known.or_else(|| find(bundle, row, only)) else { return self.own_answers.add(address) };
        self.known.entry(key).or_insert_with(|| (profile.clone(), outcome.clone(), found.clone()));
        self.judged.add(address);
        if !found.differences.is_empty() {
            self.changed.add(address);
        }
        for difference in found.differences.iter() {
            match self.differences.get_mut(difference) {
                Some(few) => few.add(address),
                None => self.differences.entry(difference.clone()).or_default().add(address),
            }
        }
        for (client, asked) in found.unasked.iter() {
            match self.unasked.get_mut(client) {
                Some((few, _)) => few.add(address),
                None => self.unasked.entry(client.clone()).or_insert_with(|| (Few::default(), asked.clone())).0.add(address),
            }
        }
    }
}

fn find(bundle: &mut Bundle<'_>, row: &MailboxRow, only: &[String]) -> Option<Found> {
    let again = bundle.judge(row, only)?;
    let unasked = again.unasked.iter().map(|(client, lookup)| (client.clone(), lookup.asked.clone())).collect();
    Some(Found { differences: differences(&row.outcome, &again, only).into(), unasked })
}

/// What is shared has a place in memory, for as long as it is held.
fn place_of<T>(shared: &Arc<T>) -> usize {
    Arc::as_ptr(shared).addr()
}

impl Few {
    fn add(&mut self, address: &Address) {
        self.mailboxes += 1;
        if self.first.len() < MAILBOXES_NAMED {
            self.first.push(address.clone());
        }
    }
}

impl Count {
    fn add(&mut self, (tenant, domain): (&TenantId, &Domain), few: Few) {
        if few.mailboxes == 0 {
            return;
        }
        self.mailboxes += few.mailboxes;
        self.domains += 1;
        if self.first_domains.len() < DOMAINS_NAMED {
            self.first_domains.push(InDomain { tenant: tenant.clone(), domain: domain.clone(), mailboxes: few.mailboxes });
        }
        let room = MAILBOXES_NAMED.saturating_sub(self.first_mailboxes.len());
        self.first_mailboxes.extend(few.first.into_iter().take(room));
    }
}

/// Outcomes of a domain that are remembered together with what came of them.
const KNOWN_AT_MOST: usize = 1_000;
const DOMAINS_NAMED: usize = 100;
const MAILBOXES_NAMED: usize = 5;

//! What other entries of ISP databases would change: the stored answers of all mailboxes judged with the one version laid over them and
//! with the other.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::super::{
    Replay,
    dossier::{self, Kept},
    replay::{Bundle, Part, Walk},
};
use crate::{
    model::{Answer, HttpDocument, Lookup, Obstacle, Outcome, Profile, Reply, Verdict},
    store::{EntryVersion, MailboxRow, Reader, ReportFilter, StoreError},
};

/// An entry in two versions.
pub(super) struct Overlay {
    /// As the clients ask for it.
    lookups: Vec<Lookup>,
    before: Arc<Answer>,
    now: Arc<Answer>,
}

/// What the newer version changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Of clients that are audited.
    pub(super) audited: BTreeMap<Shift, Many>,
    /// Of the others.
    pub(super) at_risk: BTreeMap<Shift, Many>,
    /// Mailboxes of which an audited client's verdict is another.
    affected: Many,
    /// Mailboxes of which it could not be told.
    pub(super) untold: Many,
}

/// Another verdict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shift {
    pub(super) client: String,
    pub(super) before: Verdict,
    pub(super) now: Verdict,
}

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Many {
    pub(super) mailboxes: u64,
    pub(super) domains: u64,
    /// The domain that was counted last, by its place in the order.
    domain: u64,
}

impl Overlay {
    pub(super) fn new(lookups: Vec<Lookup>, (before, now): (&EntryVersion, &EntryVersion)) -> Self {
        Self { lookups, before: answer(before), now: answer(now) }
    }
}

/// The answer that a version is.
pub(super) fn answer(version: &EntryVersion) -> Arc<Answer> {
    let reply = match version {
        EntryVersion::Absent => Reply::Obstacle(Obstacle::NotThere { status: 404 }),
        EntryVersion::Document { content_type, body, .. } => {
            Reply::Document(HttpDocument { status: 200, content_type: content_type.clone(), headers: Vec::new(), body: body.clone() })
        }
    };
    Arc::new(Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 })
}

impl Effect {
    /// Whether an audited client would be led to what is wrong.
    pub(super) fn is_grave(&self) -> bool {
        self.audited.keys().any(|shift| shift.now.is_finding())
    }

    /// Mailboxes of which an audited client's verdict is another.
    pub(super) fn affected(&self) -> u64 {
        self.affected.mailboxes
    }

    pub(super) fn is_complete(&self) -> bool {
        self.untold.mailboxes == 0
    }

    fn count(&mut self, found: &Found, domain: u64) {
        for (shift, is_audited) in &found.shifts {
            let shifts = if *is_audited { &mut self.audited } else { &mut self.at_risk };
            match shifts.get_mut(shift) {
                Some(many) => many.add(domain),
                None => shifts.entry(shift.clone()).or_default().add(domain),
            }
        }
        if found.shifts.iter().any(|(_, is_audited)| *is_audited) {
            self.affected.add(domain);
        }
        if found.is_untold {
            self.untold.add(domain);
        }
    }
}

impl Many {
    fn add(&mut self, domain: u64) {
        self.mailboxes += 1;
        if self.domain != domain {
            (self.domain, self.domains) = (domain, self.domains + 1);
        }
    }
}

/// What each of the overlays would change, over all mailboxes as they are now.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn effects(replay: Replay<'_>, reader: &Reader, overlays: &[Overlay]) -> Result<Vec<Effect>, StoreError> {
    let mut effects = vec![Effect::default(); overlays.len()];
    if overlays.is_empty() {
        return Ok(effects);
    }
    let mut walk = Walk::new(reader, ReportFilter::default());
    let mut pairs: Vec<Option<Pair<'_>>> = Vec::new();
    let mut known: HashMap<(usize, usize), Known> = HashMap::new();
    let mut number = 0;
    while let Some(part) = walk.next().await? {
        if part.is_first {
            known.clear();
            number += 1;
            pairs = open(replay, &part, overlays);
        }
        if pairs.iter().all(Option::is_none) {
            continue;
        }
        for row in &part.rows {
            if known.len() >= KNOWN_AT_MOST {
                known.clear();
            }
            let (profile, outcome) = (&row.mailbox.profile, &row.outcome);
            let key = (Arc::as_ptr(profile).addr(), Arc::as_ptr(outcome).addr());
            // what depends on the very mailbox is not remembered
            let is_shared = pairs.iter().flatten().all(|pair| pair.before.has_answers_for(row));
            if !is_shared {
                known.remove(&key);
            }
            let found = &known.entry(key).or_insert_with(|| (profile.clone(), outcome.clone(), find_all(&mut pairs, row))).2;
            for (effect, found) in effects.iter_mut().zip(found) {
                effect.count(found, number);
            }
            if !is_shared {
                known.remove(&key);
            }
        }
    }
    Ok(effects)
}

/// A domain's answers with the one version and with the other.
struct Pair<'a> {
    before: Bundle<'a>,
    now: Bundle<'a>,
}

/// Profile and outcome, which are held so that they keep their places in memory; what is found by overlay.
type Known = (Arc<Profile>, Arc<Outcome>, Vec<Found>);

/// What an overlay changes for mailboxes that share everything.
#[derive(Debug, Default)]
struct Found {
    /// With whether the client is audited.
    shifts: Vec<(Shift, bool)>,
    is_untold: bool,
}

/// By overlay; `None` where the domain's mailboxes do not ask for its entry.
fn open<'a>(replay: Replay<'a>, part: &Part, overlays: &[Overlay]) -> Vec<Option<Pair<'a>>> {
    let none = || overlays.iter().map(|_| None).collect();
    let (Some(dossier), Some(first)) = (&part.dossier, part.rows.first()) else { return none() };
    if !overlays.iter().flat_map(|overlay| &overlay.lookups).any(|lookup| dossier.json.contains(&lookup.asked)) {
        return none();
    }
    let Ok(kept) = dossier::read(dossier) else { return none() };
    let bundle = |kept: Kept| Bundle::new(replay, kept, &first.mailbox.address);
    let pair = |overlay: &Overlay| {
        let laid = |answer: &Arc<Answer>| Some(bundle(kept.with(&overlay.lookups, answer)?));
        Some(Pair { before: laid(&overlay.before)?, now: laid(&overlay.now)? })
    };
    overlays.iter().map(pair).collect()
}

fn find_all(pairs: &mut [Option<Pair<'_>>], row: &MailboxRow) -> Vec<Found> {
    pairs.iter_mut().map(|pair| pair.as_mut().map_or_else(Found::default, |pair| find(pair, row))).collect()
}

fn find(pair: &mut Pair<'_>, row: &MailboxRow) -> Found {
    let (Some(before), Some(now)) = (pair.before.judge(row, &[]), pair.now.judge(row, &[])) else {
        return Found { is_untold: true, ..Found::default() };
    };
    let is_untold = before.unasked.iter().chain(&now.unasked).any(|(client, _)| {
        let mut clients = before.outcome.clients.iter().chain(&now.outcome.clients).chain(&row.outcome.clients);
        clients.any(|known| known.client == *client && known.audited)
    });
    let shift = |then: &crate::model::ClientOutcome| {
        let again = now.outcome.clients.iter().find(|again| again.client == then.client && again.verdict != then.verdict)?;
        Some((Shift { client: then.client.clone(), before: then.verdict, now: again.verdict }, again.audited))
    };
    Found { shifts: before.outcome.clients.iter().filter_map(shift).collect(), is_untold }
}

/// Outcomes of a domain that are remembered together with what came of them.
const KNOWN_AT_MOST: usize = 1_000;

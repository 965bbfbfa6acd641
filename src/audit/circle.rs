//! The mailboxes of one domain where they may be told different things: block by block each is asked about where it lives, those that
//! were told the same share what was found, and nothing of a mailbox is kept beyond its block.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Answers, Auditor, Case,
    batch::Share,
    course::{Course, courses},
    domain::{Block, Outcomes, Plan, is_in_doubt},
    dossier::{self, Asked},
    facts::{self, Signature},
    place::Outlet,
    question::Findings,
    sample::{Survey, is_held_back, samples},
};
use crate::{
    model::{ClientOutcome, LookupKind, Mailbox, Outcome, Profile, Subject},
    store::DossierRecord,
};

/// The mailboxes of a domain with what is known of them so far.
pub(super) struct Circle<'a> {
    auditor: &'a Auditor,
    plan: &'a Plan<'a>,
    survey: Survey,
    /// What was found out with the first mailbox.
    of_first: &'a Answers,
    groups: Vec<Group>,
    by_signature: HashMap<[u8; 32], usize>,
    /// The group whose answers are the domain's.
    base: Option<usize>,
    known: HashSet<Arc<Outcome>>,
}

/// Mailboxes that were told the same.
struct Group {
    name: String,
    /// The one of them that was looked at.
    subject: Subject,
    /// What it was told, beyond what the first mailbox of the domain was.
    own: Answers,
    outcomes: HashMap<Arc<Profile>, Verdicts>,
}

/// An outcome, and whether asking again may change it.
#[derive(Clone)]
struct Verdicts {
    outcome: Arc<Outcome>,
    in_doubt: bool,
}

/// What a mailbox was told beside the clients.
struct Facts {
    answers: Answers,
    signature: Signature,
}

/// Where a mailbox's outcome comes from.
enum Place {
    Group(usize),
    Alone(Verdicts),
}

impl<'a> Circle<'a> {
    pub(super) fn new(auditor: &'a Auditor, plan: &'a Plan<'a>, (survey, of_first): (Survey, &'a Answers)) -> Self {
        let (groups, by_signature, known) = (Vec::new(), HashMap::new(), HashSet::new());
        Self { auditor, plan, survey, of_first, groups, by_signature, base: None, known }
    }

    /// Goes through the blocks. Ends early where nobody takes them any more, or where it is stopped: between two blocks, or a while
    /// later within one, of which what was found is handed on.
    pub(super) async fn go_through(mut self, stop: &CancellationToken, outlet: &mut Outlet) {
        let mailboxes = self.plan.errand.mailboxes;
        if !self.survey.is_each {
            self.open_base(stop).await;
        }
        let (begin, mut start) = (self.plan.errand.recorded, self.plan.errand.recorded);
        while start < mailboxes.len() && (start == begin || !stop.is_cancelled()) {
            let end = mailboxes.len().min(start + MAILBOXES_A_BLOCK);
            let Some(mut block) = self.block(start..end, stop).await else { return };
            start = block.range.end;
            if start == mailboxes.len() {
                block.dossier = self.dossier();
            }
            if !outlet.deliver(block).await {
                return;
            }
        }
    }

    /// A block, or as much of it as there was time for; `None`: nothing.
    async fn block(&mut self, range: Range<usize>, stop: &CancellationToken) -> Option<Block> {
        let these = self.plan.errand.mailboxes.get(range.clone()).unwrap_or_default();
        let facts = self.ask(these, stop).await;
        if facts.is_empty() {
            return None;
        }
        let range = range.start..range.start + facts.len();
        let mut judging = Duration::ZERO;
        let mut places = self.find_places(these, &facts).await;
        let began = Instant::now();
        let (mut outcomes, mut in_doubt) = (Vec::with_capacity(facts.len()), false);
        for ((mailbox, facts), place) in these.iter().zip(&facts).zip(places.drain(..)) {
            let verdicts = match place {
                Place::Group(group) => self.judge_group(group, &mailbox.profile),
                Place::Alone(verdicts) => self.share(verdicts),
            };
            in_doubt |= verdicts.in_doubt || !facts.signature.is_told;
            outcomes.push(verdicts.outcome);
        }
        judging += began.elapsed();
        Some(Block { range, outcomes: Outcomes::Single(outcomes), in_doubt, dossier: None, judging })
    }

    /// Opens the group whose answers are the domain's: that of the first mailbox, or, where not everything could be told about it, of
    /// the first sample about which it could. So it is the same one wherever a run goes on.
    async fn open_base(&mut self, stop: &CancellationToken) {
        let mailboxes = self.plan.errand.mailboxes;
        let candidates: Vec<Mailbox> = mailboxes.first().into_iter().chain(samples(mailboxes)).cloned().collect();
        let facts = self.ask(&candidates, stop).await;
        let told = facts.iter().position(|facts| facts.signature.is_told).unwrap_or_default();
        if let (Some(mailbox), Some(facts)) = (candidates.get(told), facts.get(told)) {
            self.base = Some(self.open_group(mailbox, facts).await);
        }
    }

    /// What these mailboxes were told; fewer where it is stopped.
    async fn ask(&self, these: &[Mailbox], stop: &CancellationToken) -> Vec<Facts> {
        let addresses = these.iter().map(|mailbox| mailbox.address.clone()).collect();
        let mut shares: Vec<Option<Share>> = these.iter().map(|_| None).collect();
        if self.plan.inquiry.reads_settings() {
            let cloud = self.plan.errand.tenant.hosting.cloud().unwrap_or_default();
            let asked = self.auditor.ask_settings(addresses, cloud);
            tokio::select! {
                answered = asked => shares = answered,
                () = end_of(stop) => return Vec::new(),
            }
        }
        let each: Vec<BoxFuture<'_, Facts>> =
            these.iter().zip(shares).map(|(mailbox, share)| self.ask_one(mailbox, share).boxed()).collect();
        stream::iter(each).buffered(MAILBOXES_AT_ONCE).take_until(end_of(stop).boxed()).collect().await
    }

    async fn ask_one(&self, mailbox: &Mailbox, share: Option<Share>) -> Facts {
        let Plan { errand, inquiry, .. } = self.plan;
        let subject = Subject { address: mailbox.address.clone() };
        let mut answers = Answers::default();
        if let Some(share) = share {
            answers.put(share.lookup, share.answer);
        }
        self.auditor.ask_facts(&inquiry.of_mailbox(), &subject.address, &mut answers).await;
        let case = Case { tenant: errand.tenant, profile: &mailbox.profile, subject: &subject };
        let v2 = facts::hosting_by_v2(&self.auditor.endpoints, &case, &answers.readings).map(|told| told.what);
        let suggestion = self.survey.detected.suggest(&subject.address, v2);
        let word = suggestion.as_ref().map(|suggestion| suggestion.word.clone()).unwrap_or_default();
        if let Some(suggestion) = suggestion {
            answers.insert(suggestion.lookup, suggestion.reading);
        }
        let signature = facts::signature(&self.auditor.endpoints, &case, (&answers, &word));
        Facts { answers, signature }
    }

    /// The group of each mailbox; those that have none, as there are too many or each is asked about for itself, with their outcome.
    async fn find_places(&mut self, these: &[Mailbox], facts: &[Facts]) -> Vec<Place> {
        let mut places: Vec<Option<usize>> = Vec::with_capacity(facts.len());
        for (mailbox, facts) in these.iter().zip(facts) {
            let known = self.by_signature.get(&facts.signature.digest).copied();
            places.push(match known {
                None if self.survey.is_each || self.groups.len() >= MOST_GROUPS => None,
                None => Some(self.open_group(mailbox, facts).await),
                known => known,
            });
        }
        let this = &*self;
        let each: Vec<BoxFuture<'_, Place>> = places
            .into_iter()
            .zip(these.iter().zip(facts))
            .map(|(place, (mailbox, facts))| match place {
                Some(group) => std::future::ready(Place::Group(group)).boxed(),
                None => async move { Place::Alone(this.find_alone(mailbox, facts).await) }.boxed(),
            })
            .collect();
        stream::iter(each).buffered(MAILBOXES_AT_ONCE).collect().await
    }

    async fn open_group(&mut self, mailbox: &Mailbox, facts: &Facts) -> usize {
        let subject = Subject { address: mailbox.address.clone() };
        let answers = self.find(&subject, facts).await.answers;
        let is_own = |request: &_| self.of_first.readings.get(request).is_none() || facts.answers.readings.get(request).is_some();
        let mut own = Answers { wildcard: answers.wildcard, ..Answers::default() };
        for lookup in answers.lookups.iter().filter(|lookup| is_own(&lookup.request)) {
            if let Some(reading) = answers.readings.get(&lookup.request) {
                own.insert(lookup.clone(), reading.clone());
            }
        }
        let name = dossier::hex(facts.signature.digest.get(..6).unwrap_or_default());
        self.groups.push(Group { name, subject, own, outcomes: HashMap::new() });
        let place = self.groups.len() - 1;
        self.by_signature.insert(facts.signature.digest, place);
        place
    }

    async fn find(&self, subject: &Subject, facts: &Facts) -> Findings {
        let known = self.of_first.clone().with(&facts.answers);
        self.auditor.find(&self.plan.clients, (subject, &self.plan.inquiry), known).await
    }

    async fn find_alone(&self, mailbox: &Mailbox, facts: &Facts) -> Verdicts {
        let subject = Subject { address: mailbox.address.clone() };
        let found = self.find(&subject, facts).await;
        let variant = (!self.survey.is_each).then(|| UNKEPT.to_owned());
        self.judge((&subject, &mailbox.profile), &found, variant)
    }

    fn judge_group(&mut self, place: usize, profile: &Arc<Profile>) -> Verdicts {
        let Some(group) = self.groups.get(place) else { return Verdicts::nothing() };
        if let Some(verdicts) = group.outcomes.get(profile) {
            return verdicts.clone();
        }
        let answers = self.of_first.clone().with(&group.own);
        let courses = self.plan.clients.iter().map(|client| courses(client, &group.subject, &answers.readings)).collect();
        let variant = (self.base != Some(place)).then(|| group.name.clone());
        let verdicts = self.judge((&group.subject, profile), &Findings { answers, courses }, variant);
        if let Some(group) = self.groups.get_mut(place) {
            group.outcomes.insert(profile.clone(), verdicts.clone());
        }
        verdicts
    }

    fn judge(&self, (subject, profile): (&Subject, &Profile), found: &Findings, variant: Option<String>) -> Verdicts {
        let Findings { answers, courses } = found;
        let case = Case { tenant: self.plan.errand.tenant, profile, subject };
        let outcome = self.auditor.judge_courses(&self.plan.clients, &case, (answers, courses));
        let is_held = answers.readings.get(&facts::detection(&subject.address).request).is_some_and(is_held_back);
        let waits = |(client, courses): (&ClientOutcome, &Vec<Course>)| {
            let mut doubts = courses.iter().flat_map(|course| &course.discovery.doubts);
            is_in_doubt(client) && !(is_held && doubts.all(|doubt| doubt.lookup.kind == LookupKind::Autodetect))
        };
        let in_doubt = outcome.clients.iter().zip(courses).any(waits);
        Verdicts { outcome: Arc::new(Outcome { variant, ..outcome }), in_doubt }
    }

    /// The same outcome once in memory, while it is among the last ones.
    fn share(&mut self, verdicts: Verdicts) -> Verdicts {
        if let Some(outcome) = self.known.get(&verdicts.outcome) {
            return Verdicts { outcome: outcome.clone(), ..verdicts };
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(verdicts.outcome.clone());
        verdicts
    }

    /// The domain's answers, and what each other group was told.
    fn dossier(&self) -> Option<DossierRecord> {
        let domain = self.plan.errand.domain;
        if self.survey.is_each {
            return dossier::record(domain, self.of_first, Asked::OneByOne);
        }
        let base = self.base.and_then(|place| self.groups.get(place))?;
        let mut answers = self.of_first.clone();
        if self.plan.errand.mailboxes.first().is_none_or(|first| first.address != base.subject.address) {
            answers.lookups.retain(|lookup| !lookup.request.is_about_mailbox());
        }
        let others = self.groups.iter().enumerate().filter(|(place, _)| self.base != Some(*place));
        let variants = others.map(|(_, group)| (group.name.as_str(), &group.own)).collect();
        dossier::record_all(domain, (&answers.with(&base.own), &variants), Asked::Once)
    }
}

/// A while after the stop: who has few mailboxes left is done by then.
async fn end_of(stop: &CancellationToken) {
    stop.cancelled().await;
    sleep(GRACE).await;
}

impl Verdicts {
    fn nothing() -> Self {
        Self { outcome: Arc::default(), in_doubt: false }
    }
}

/// How long a block goes on that is under way when everything is to stop.
const GRACE: Duration = Duration::from_secs(10);
const MAILBOXES_AT_ONCE: usize = 8;
const MAILBOXES_A_BLOCK: usize = 500;
/// Groups of a domain whose answers are kept.
const MOST_GROUPS: usize = 64;
/// Outcomes of single mailboxes that are kept to be shared.
const MOST_KNOWN: usize = 1_024;
/// The variant of a mailbox whose answers are not kept, as the domain has too many different ones.
const UNKEPT: &str = "unkept";

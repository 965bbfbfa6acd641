//! What is kept of one domain's answers, made ready for verdicts.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::{
        Answers, Case,
        course::{Course, Quest},
        dossier::Kept,
        outcome::Bench,
        question::wildcard_missing,
    },
    Replay,
};
use crate::{
    clients::Client,
    model::{Address, Lookup, Outcome, Request, Subject, Way},
    store::MailboxRow,
};

/// The answers of a domain, by whom they were given to.
pub(in crate::audit) struct Bundle<'a> {
    replay: Replay<'a>,
    first: Told<'a>,
    variants: BTreeMap<String, Told<'a>>,
    /// As in [`Kept`].
    is_whole: Option<bool>,
}

/// What some mailboxes were told.
struct Told<'a> {
    subject: Subject,
    answers: Answers,
    /// What each client makes of it, as far as somebody wanted to know; or what it misses.
    courses: HashMap<&'a str, Result<Vec<Course>, Lookup>>,
}

/// What is found out now.
#[derive(Debug)]
pub(in crate::audit) struct Again {
    /// With the clients alone that could be judged.
    pub(in crate::audit) outcome: Outcome,
    /// Clients that miss an answer, with the first that they miss.
    pub(in crate::audit) unasked: Vec<(String, Lookup)>,
}

impl<'a> Bundle<'a> {
    /// `first` is the first mailbox of the domain.
    pub(in crate::audit) fn new(replay: Replay<'a>, kept: Kept, first: &Address) -> Self {
        let Kept { answers, variants, is_whole } = kept;
        let (subject, known) = (subject_of(&answers.lookups, first), answers.lookups.len());
        let variant = |(name, answers): (String, Answers)| {
            // what a variant adds names its own mailbox
            let own = answers.lookups.get(known..).unwrap_or_default();
            let subject = Subject { address: named(own, first.domain(), None).unwrap_or_else(|| subject.address.clone()) };
            (name, Told { subject, answers, courses: HashMap::new() })
        };
        let variants = variants.into_iter().map(variant).collect();
        Self { replay, first: Told { subject, answers, courses: HashMap::new() }, variants, is_whole }
    }

    /// Whether nobody wrote down how its mailboxes were asked about.
    pub(in crate::audit) fn is_unmarked(&self) -> bool {
        self.is_whole.is_none()
    }

    /// Whether what a mailbox was told is kept.
    pub(in crate::audit) fn has_answers_for(&self, row: &MailboxRow) -> bool {
        match &row.outcome.variant {
            Some(name) => self.variants.contains_key(name),
            None => self.is_whole != Some(false) || row.mailbox.address == self.first.subject.address,
        }
    }

    /// Judges the answers for a mailbox with these clients, all where none is named; `None` where its own were not kept.
    pub(in crate::audit) fn judge(&mut self, row: &MailboxRow, only: &[String]) -> Option<Again> {
        if !self.has_answers_for(row) {
            return None;
        }
        let replay = self.replay;
        let told = match &row.outcome.variant {
            Some(name) => self.variants.get_mut(name)?,
            None => &mut self.first,
        };
        let (tenant, profile) = (replay.tenant_of(row), &*row.mailbox.profile);
        let by_outcome = row.outcome.clients.iter().map(|client| &client.client);
        let named: HashSet<&str> =
            tenant.clients.iter().chain(profile.clients.iter().flatten()).chain(by_outcome).map(String::as_str).collect();
        let (mut clients, mut courses, mut unasked) = (Vec::new(), Vec::new(), Vec::new());
        for client in replay.clients.watched(&named) {
            if !only.is_empty() && !only.contains(&client.name) {
                continue;
            }
            match told.courses(client) {
                Ok(found) => {
                    clients.push(client);
                    courses.push(found.clone());
                }
                Err(missing) => unasked.push((client.name.clone(), missing.clone())),
            }
        }
        let case = Case { tenant: &tenant, profile, subject: &told.subject };
        let outcome = Bench { endpoints: replay.endpoints }.judge_courses(&clients, &case, (&told.answers, &courses));
        Some(Again { outcome, unasked })
    }
}

impl<'a> Told<'a> {
    fn courses(&mut self, client: &'a Client) -> &Result<Vec<Course>, Lookup> {
        let Self { subject, answers, courses } = self;
        courses.entry(client.name.as_str()).or_insert_with(|| find_courses(client, subject, answers))
    }
}

/// The courses of a client, or the first lookup that it misses.
fn find_courses(client: &Client, subject: &Subject, answers: &Answers) -> Result<Vec<Course>, Lookup> {
    let mut quest = Quest::new(client, subject);
    if let Some(missing) = quest.advance(&answers.readings).into_iter().next() {
        return Err(missing);
    }
    let courses = quest.into_courses(&answers.readings);
    let wins_by_own = |course: &Course| course.discovery.win.as_ref().is_some_and(|win| matches!(win.way, Way::Own { .. }));
    match wildcard_missing(answers, subject.address.domain()) {
        Some(lookup) if courses.iter().any(wins_by_own) => Err(lookup),
        _ => Ok(courses),
    }
}

/// The mailbox that was asked about: the domain's first, or the one that the lookups name.
fn subject_of(lookups: &[Lookup], first: &Address) -> Subject {
    Subject { address: named(lookups, first.domain(), Some(first)).unwrap_or_else(|| first.clone()) }
}

/// The address of a domain that lookups name most often; this one before all others where they name it.
fn named(lookups: &[Lookup], domain: &crate::model::Domain, wanted: Option<&Address>) -> Option<Address> {
    let postmaster = Address::postmaster(domain);
    let mut times: Vec<(&Address, usize)> = Vec::new();
    for address in lookups.iter().filter_map(|lookup| address_of(&lookup.request)) {
        if address.domain() != domain || *address == postmaster {
            continue;
        }
        match times.iter_mut().find(|(known, _)| *known == address) {
            Some((_, times)) => *times += 1,
            None => times.push((address, 1)),
        }
    }
    let wanted = wanted.filter(|wanted| times.iter().any(|(address, _)| address == wanted));
    let most = times.iter().rev().max_by_key(|(_, times)| times).map(|(address, _)| *address);
    wanted.or(most).cloned()
}

fn address_of(request: &Request) -> Option<&Address> {
    match request {
        Request::Get { address, .. } => address.as_ref(),
        Request::Pox { address, .. } => Some(address),
        Request::Http { message, .. } => message.address(),
        _ => None,
    }
}

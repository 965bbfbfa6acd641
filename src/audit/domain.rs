//! One domain: asked once, judged per profile where nothing is asked about its mailboxes one by one.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;

use super::{
    Answers, Auditor, Case,
    circle::Circle,
    dossier::{self, Asked},
    facts::Inquiry,
    place::Outlet,
    question::Findings,
};
use crate::{
    clients::Client,
    model::{Cause, ClientOutcome, Domain, Mailbox, Outcome, Profile, Subject, Tenant, Verdict},
    store::DossierRecord,
};

/// A part of a domain's mailboxes with what was found out about them.
#[derive(Debug)]
pub(super) struct Block {
    /// Places in the domain's list.
    pub(super) range: Range<usize>,
    /// What was found out.
    pub(super) outcomes: Outcomes,
    /// Whether asking again may change something.
    pub(super) in_doubt: bool,
    /// The domain's answers, with its last block.
    pub(super) dossier: Option<DossierRecord>,
    /// Time spent on verdicts, without the network.
    pub(super) judging: Duration,
}

/// The outcomes of a block.
#[derive(Debug)]
pub(super) enum Outcomes {
    /// By profile: the answers do not depend on the address.
    Shared(HashMap<Arc<Profile>, Arc<Outcome>>),
    /// By place in the block.
    Single(Vec<Arc<Outcome>>),
}

impl Outcomes {
    /// The outcome of the mailbox at a place of the block.
    pub(super) fn get(&self, at: usize, mailbox: &Mailbox) -> Option<&Arc<Outcome>> {
        match self {
            Self::Shared(outcomes) => outcomes.get(&mailbox.profile),
            Self::Single(outcomes) => outcomes.get(at),
        }
    }

    /// How many mailboxes have a place of their own.
    pub(super) fn single_count(&self) -> usize {
        if let Self::Single(outcomes) = self { outcomes.len() } else { 0 }
    }
}

/// Whose mailboxes are looked at, and which of them have been before.
pub(super) struct Errand<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) domain: &'a Domain,
    /// All mailboxes of the list in this domain.
    pub(super) mailboxes: &'a [Mailbox],
    /// So many at the start were recorded before.
    pub(super) recorded: usize,
}

/// What is looked at in a domain.
pub(super) struct Plan<'a> {
    pub(super) errand: &'a Errand<'a>,
    pub(super) clients: Vec<&'a Client>,
    pub(super) inquiry: Inquiry,
}

impl Auditor {
    /// Asks and judges a domain, and hands its blocks on as they come. Ends early where nobody takes them any more, or where it is
    /// stopped between two blocks.
    pub(super) async fn find_out(&self, errand: &Errand<'_>, stop: &CancellationToken, outlet: &mut Outlet) {
        let Errand { tenant, domain, mailboxes, recorded } = *errand;
        let Some(first) = mailboxes.first() else { return };
        let plan = Plan { errand, clients: self.watched_for(errand), inquiry: self.inquiry(domain) };
        let subject = Subject { address: first.address.clone() };
        let found = self.find(&plan.clients, (&subject, &plan.inquiry), Answers::default()).await;
        let survey = self.survey(&plan, (first, &found)).await;
        if survey.is_each {
            tracing::debug!(%domain, "the answers depend on the address: every mailbox is asked about");
        }
        if survey.is_each || plan.inquiry.is_about_mailboxes() || !survey.detected.is_uniform() {
            return Circle::new(self, &plan, (survey, &found.answers)).go_through(stop, outlet).await;
        }
        let Findings { answers, courses } = found;
        let began = Instant::now();
        let mut shared: HashMap<Arc<Profile>, Arc<Outcome>> = HashMap::new();
        for Mailbox { profile, .. } in mailboxes.get(recorded..).unwrap_or_default() {
            if !shared.contains_key(profile) {
                let case = Case { tenant, profile, subject: &subject };
                shared.insert(profile.clone(), Arc::new(self.judge_courses(&plan.clients, &case, (&answers, &courses))));
            }
        }
        let block = Block {
            range: recorded..mailboxes.len(),
            in_doubt: shared.values().any(|outcome| outcome.clients.iter().any(is_in_doubt)),
            outcomes: Outcomes::Shared(shared),
            dossier: dossier::record(domain, &answers, Asked::Once),
            judging: began.elapsed(),
        };
        outlet.deliver(block).await;
    }

    /// The clients that are looked at for a domain: those that everybody is told about, and those that its tenant or a mailbox names.
    fn watched_for(&self, errand: &Errand<'_>) -> Vec<&Client> {
        let by_mailboxes = errand.mailboxes.iter().filter_map(|mailbox| mailbox.profile.clients.as_ref()).flatten();
        let named: HashSet<&str> = errand.tenant.clients.iter().chain(by_mailboxes).map(String::as_str).collect();
        self.watched(&named)
    }
}

/// Whether an audited client's verdict is open because a lookup failed.
pub(super) fn is_in_doubt(client: &ClientOutcome) -> bool {
    client.audited && client.verdict == Verdict::Undetermined && client.cause == Some(Cause::LookupFailed)
}

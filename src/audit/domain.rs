//! One domain: asked once, judged per profile; mailbox by mailbox only where the answers depend on the address.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use tokio_util::sync::CancellationToken;

use super::{Answers, Auditor, Case, dossier, place::Outlet, question::Findings};
use crate::{
    clients::Client,
    model::{Cause, ClientOutcome, Document, Domain, LookupKind, Mailbox, Outcome, Profile, Request, Subject, Tenant, Verdict},
    store::DossierRecord,
};

/// A part of a domain's mailboxes with what was found out about them.
#[derive(Debug)]
pub(super) struct Block {
    /// Places in the domain's list.
    pub(super) range: Range<usize>,
    /// What was found out.
    pub(super) outcomes: Outcomes,
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

    /// Whether an audited client's verdict is open because a lookup failed.
    pub(super) fn is_in_doubt(&self) -> bool {
        let failed = |outcome: &Arc<Outcome>| {
            let cause = |client: &ClientOutcome| client.verdict == Verdict::Undetermined && client.cause == Some(Cause::LookupFailed);
            outcome.clients.iter().any(|client| client.audited && cause(client))
        };
        match self {
            Self::Shared(outcomes) => outcomes.values().any(failed),
            Self::Single(outcomes) => outcomes.iter().any(failed),
        }
    }

    /// How many mailboxes have an outcome of their own.
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

impl Auditor {
    /// Asks and judges a domain, and hands its blocks on as they come. Ends early where nobody takes them any more, or where it is
    /// stopped between two blocks of single mailboxes.
    pub(super) async fn find_out(&self, errand: &Errand<'_>, stop: &CancellationToken, outlet: &mut Outlet) {
        let clients = self.watched(errand);
        let Errand { tenant, domain, mailboxes, recorded } = *errand;
        let Some(first) = mailboxes.first() else { return };
        let subject = Subject { address: first.address.clone() };
        let Findings { answers, courses } = self.find(&clients, &subject, Answers::default()).await;
        let judge = |profile| self.judge_courses(&clients, &Case { tenant, profile, subject: &subject }, (&answers, &courses));
        let dossier = dossier::record(domain, &answers);
        if names_address_to_a_document(&answers, &subject) {
            let told = judge(&first.profile);
            for other in samples(mailboxes) {
                let other = Subject { address: other.address.clone() };
                let others = self.find(&clients, &other, answers.clone()).await;
                let case = Case { tenant, profile: &first.profile, subject: &other };
                if differ(&told, &self.judge_courses(&clients, &case, (&others.answers, &others.courses))) {
                    tracing::debug!(%domain, "the answers depend on the address: every mailbox is asked about");
                    return self.find_out_each(errand, (stop, outlet), (&answers, dossier)).await;
                }
            }
        }
        let began = Instant::now();
        let rest = mailboxes.get(recorded..).unwrap_or_default();
        let mut shared: HashMap<Arc<Profile>, Arc<Outcome>> = HashMap::new();
        for mailbox in rest {
            if !shared.contains_key(&mailbox.profile) {
                shared.insert(mailbox.profile.clone(), Arc::new(judge(&mailbox.profile)));
            }
        }
        let outcomes = Outcomes::Shared(shared);
        outlet.deliver(Block { range: recorded..mailboxes.len(), outcomes, dossier, judging: began.elapsed() }).await;
    }

    /// The clients that are looked at for a domain: those that everybody is told about, and those that its tenant or a mailbox names.
    fn watched(&self, errand: &Errand<'_>) -> Vec<&Client> {
        let by_mailboxes = errand.mailboxes.iter().filter_map(|mailbox| mailbox.profile.clients.as_ref()).flatten();
        let named: HashSet<&str> = errand.tenant.clients.iter().chain(by_mailboxes).map(String::as_str).collect();
        self.clients.watched(&named)
    }

    async fn find_out_each(
        &self,
        errand: &Errand<'_>,
        (stop, outlet): (&CancellationToken, &mut Outlet),
        (of_first, mut dossier): (&Answers, Option<DossierRecord>),
    ) {
        let clients = self.watched(errand);
        let mut known: HashSet<Arc<Outcome>> = HashSet::new();
        let mut start = errand.recorded;
        while start < errand.mailboxes.len() && !stop.is_cancelled() {
            let end = errand.mailboxes.len().min(start + MAILBOXES_A_BLOCK);
            let these = errand.mailboxes.get(start..end).unwrap_or_default();
            let each: Vec<BoxFuture<'_, _>> =
                these.iter().map(|mailbox| self.find_out_one(errand, (&clients, of_first), mailbox).boxed()).collect();
            let found: Vec<(Arc<Outcome>, Duration)> = stream::iter(each).buffered(MAILBOXES_AT_ONCE).collect().await;
            let judging = found.iter().map(|(_, judging)| *judging).sum();
            let outcomes = found.into_iter().map(|(outcome, _)| {
                let same = known.get(&outcome).cloned();
                same.unwrap_or_else(|| {
                    known.insert(outcome.clone());
                    outcome
                })
            });
            let outcomes = Outcomes::Single(outcomes.collect());
            let dossier = dossier.take_if(|_| end == errand.mailboxes.len());
            if !outlet.deliver(Block { range: start..end, outcomes, dossier, judging }).await {
                return;
            }
            start = end;
        }
    }

    async fn find_out_one(
        &self,
        errand: &Errand<'_>,
        (clients, known): (&[&Client], &Answers),
        mailbox: &Mailbox,
    ) -> (Arc<Outcome>, Duration) {
        let subject = Subject { address: mailbox.address.clone() };
        let Findings { answers, courses } = self.find(clients, &subject, known.clone()).await;
        let began = Instant::now();
        let case = Case { tenant: errand.tenant, profile: &mailbox.profile, subject: &subject };
        (Arc::new(self.judge_courses(clients, &case, (&answers, &courses))), began.elapsed())
    }
}

/// Mailboxes besides the first that show whether answers depend on the address: one in the middle, and the last.
fn samples(mailboxes: &[Mailbox]) -> impl Iterator<Item = &Mailbox> {
    let last = mailboxes.len().saturating_sub(1);
    let middle = Some(last / 2).filter(|middle| (1..last).contains(middle));
    middle.into_iter().chain(Some(last).filter(|last| *last > 0)).filter_map(|at| mailboxes.get(at))
}

/// Whether two mailboxes were told different things. What could not be told proves no difference.
fn differ(one: &Outcome, other: &Outcome) -> bool {
    one.clients.iter().zip(&other.clients).any(|(one, other)| {
        let told = one.verdict != Verdict::Undetermined && other.verdict != Verdict::Undetermined;
        told && (one.verdict, &one.settings, &one.source) != (other.verdict, &other.settings, &other.source)
    })
}

/// Whether a document came in answer to a request that named the subject's address: only then can the answer depend on it.
fn names_address_to_a_document(answers: &Answers, subject: &Subject) -> bool {
    let written = subject.address.percent_encoded();
    let names = |request: &Request| match request {
        Request::Get { url, .. } => url.contains(&written),
        Request::Pox { address, .. } => *address == subject.address,
        _ => false,
    };
    let document = |kind: LookupKind| matches!(kind, LookupKind::OwnAutoconfig | LookupKind::AutodiscoverPox);
    answers.lookups.iter().filter(|lookup| document(lookup.kind) && names(&lookup.request)).any(|lookup| {
        let reading = answers.readings.get(&lookup.request);
        reading.is_some_and(|reading| !matches!(reading.document, Document::Nothing | Document::Other | Document::Capabilities(_)))
    })
}

const MAILBOXES_AT_ONCE: usize = 8;
const MAILBOXES_A_BLOCK: usize = 500;

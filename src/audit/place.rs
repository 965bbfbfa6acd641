//! Where a domain's mailboxes stand in the lists, and the way of its results to the writer.

use std::{ops::Range, sync::Arc};

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{Auditor, TenantJob, domain::Block};
use crate::model::{Mailbox, Tenant};

/// The mailboxes of one domain in one tenant's list.
#[derive(Debug, Clone)]
pub(super) struct Place {
    job: usize,
    range: Range<usize>,
}

impl Place {
    pub(super) fn tenant<'a>(&self, jobs: &'a [TenantJob]) -> Option<&'a Tenant> {
        jobs.get(self.job).map(|job| &job.tenant)
    }

    pub(super) fn mailboxes<'a>(&self, jobs: &'a [TenantJob]) -> &'a [Mailbox] {
        jobs.get(self.job).and_then(|job| job.mailboxes.get(self.range.clone())).unwrap_or_default()
    }
}

/// The domains of all lists that are gone through.
pub(super) fn places(jobs: &[TenantJob]) -> impl Iterator<Item = Place> {
    jobs.iter().enumerate().flat_map(|(number, job)| {
        let mut start = 0;
        job.mailboxes.chunk_by(same_domain).filter_map(move |chunk| {
            let range = start..start + chunk.len();
            start = range.end;
            chunk.first().filter(|first| job.is_about(first.address.domain())).map(|_| Place { job: number, range })
        })
    })
}

/// Whether two mailboxes are of one domain, for the parts of an ordered list.
pub(super) fn same_domain(one: &Mailbox, next: &Mailbox) -> bool {
    one.address.domain() == next.address.domain()
}

/// By what is judged, whoever's mailboxes they are: this program, its clients and its endpoints.
pub(super) struct Rules(Sha256);

impl Rules {
    pub(super) fn of(auditor: &Auditor) -> Self {
        let mut hash = Sha256::new();
        put(&mut hash, env!("CARGO_PKG_VERSION"));
        for client in auditor.clients.iter() {
            put(&mut hash, &format!("{client:?}"));
        }
        for endpoint in auditor.endpoints.iter() {
            put(&mut hash, &format!("{endpoint:?}"));
        }
        Self(hash)
    }

    /// What a domain's outcomes follow from besides the answers, as it was when its progress was recorded: a run that is resumed
    /// over another list, or with other settings, begins the domain again.
    pub(super) fn digest_of(&self, tenant: &Tenant, mailboxes: &[Mailbox]) -> [u8; 32] {
        let mut hash = self.0.clone();
        let Tenant { id: _, name: _, hosting, clients, allowed_hosts, manual_settings: _ } = tenant;
        put(&mut hash, &format!("{:?}", (hosting, clients, allowed_hosts)));
        for part in mailboxes.chunk_by(|one, next| Arc::ptr_eq(&one.profile, &next.profile)) {
            let profile = part.first().map(|mailbox| format!("{:?}", mailbox.profile)).unwrap_or_default();
            for mailbox in part {
                put(&mut hash, &mailbox.address.key());
                put(&mut hash, &profile);
            }
        }
        hash.finalize().into()
    }
}

/// With its length, so that no two rows of texts run together to the same.
pub(super) fn put(hash: &mut Sha256, text: &str) {
    hash.update(text.len().to_le_bytes());
    hash.update(text);
}

/// A block with the domain that it belongs to.
pub(super) struct Delivery {
    pub(super) place: Place,
    pub(super) list: [u8; 32],
    pub(super) block: Block,
}

/// The way of a domain's blocks to the writer.
pub(super) struct Outlet {
    pub(super) place: Place,
    pub(super) list: [u8; 32],
    pub(super) sender: mpsc::Sender<Delivery>,
    pub(super) keep: Keep,
    /// The last blocks so far, in their order, where they are kept back.
    pub(super) kept: Vec<Block>,
}

/// Which blocks an outlet keeps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All from the first one on that is in doubt.
    InDoubt,
    /// All of them.
    All,
    /// None of them.
    Nothing,
}

impl Outlet {
    /// Keeps a block, or waits until the writer has room; `false` where it takes nothing any more.
    pub(super) async fn deliver(&mut self, block: Block) -> bool {
        let keeps = match self.keep {
            Keep::All => true,
            Keep::InDoubt => !self.kept.is_empty() || block.in_doubt,
            Keep::Nothing => false,
        };
        self.kept.push(block);
        let singles: usize = self.kept.iter().map(|block| block.outcomes.single_count()).sum();
        // a large domain is better recorded than kept
        if !keeps || (self.keep == Keep::InDoubt && singles > SINGLES_KEPT) {
            return self.release().await;
        }
        !self.sender.is_closed()
    }

    /// Hands on what was kept back.
    pub(super) async fn release(&mut self) -> bool {
        for block in self.kept.drain(..) {
            let delivery = Delivery { place: self.place.clone(), list: self.list, block };
            if self.sender.send(delivery).await.is_err() {
                return false;
            }
        }
        true
    }
}

/// Mailboxes of a domain that are kept back, where each has an outcome of its own.
const SINGLES_KEPT: usize = 5_000;

//! Where a domain's mailboxes stand in the lists, and the way of its results to the writer.

use std::ops::Range;

use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{TenantJob, domain::Block};
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

/// All domains of all lists.
pub(super) fn places(jobs: &[TenantJob]) -> impl Iterator<Item = Place> {
    jobs.iter().enumerate().flat_map(|(job, TenantJob { mailboxes, .. })| {
        let mut start = 0;
        mailboxes.chunk_by(|one, next| one.address.domain() == next.address.domain()).map(move |chunk| {
            let range = start..start + chunk.len();
            start = range.end;
            Place { job, range }
        })
    })
}

/// What a domain's list was when its progress was recorded: a run that is resumed over another list begins the domain again.
pub(super) fn digest_of(mailboxes: &[Mailbox]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for mailbox in mailboxes {
        hash.update(mailbox.address.key());
        hash.update("\n");
    }
    hash.finalize().into()
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
}

impl Outlet {
    /// Waits until the writer has room; `false` where it takes nothing any more.
    pub(super) async fn deliver(&self, block: Block) -> bool {
        self.sender.send(Delivery { place: self.place.clone(), list: self.list, block }).await.is_ok()
    }
}

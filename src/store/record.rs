//! Recording: the mailboxes of a domain, or a part of them, with their outcomes and the progress in one transaction.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry as Slot},
    sync::Arc,
};

use sqlx::SqliteConnection;

use super::{
    DossierRecord, Progress, RunId, Store, StoreError,
    compare::{Entered, Found, Range, compare},
    content::{Content, Digest},
    dossier::store_dossier,
    error::{doing, stored},
    run::require_under_way,
    seal::{put_seal, read_standing, seal_of},
    write,
};
use crate::model::{Domain, Mailbox, Outcome, TenantId};

/// The next mailboxes of a domain, in the order of their address keys. Together, a run's batches of a domain are its list.
#[derive(Debug, Clone, Copy)]
pub struct DomainBatch<'a> {
    /// The run.
    pub run: RunId,
    /// Whose domain it is.
    pub tenant: &'a TenantId,
    /// The domain.
    pub domain: &'a Domain,
    /// A digest of the domain's whole list: progress that was made over another list does not count.
    pub list: Digest,
    /// The mailboxes, by ascending [`crate::model::Address::key`]; a few thousand at most.
    pub entries: &'a [Entry<'a>],
    /// The answers, once a domain and run.
    pub dossier: Option<&'a DossierRecord>,
    /// Whether the domain ends here: what is known beyond the last entry has left the list.
    pub done: bool,
    /// When it was found.
    pub at: i64,
}

/// A mailbox with its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The mailbox.
    pub mailbox: &'a Mailbox,
    /// Its outcome; mailboxes that share one should share the `Arc`.
    pub outcome: &'a Arc<Outcome>,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recorded {
    /// Mailboxes that were never met before.
    pub new: u64,
    /// Mailboxes with another outcome than before, or back on the list.
    pub changed: u64,
    /// Mailboxes with the outcome that they had.
    pub unchanged: u64,
    /// Mailboxes that have left the list.
    pub gone: u64,
}

impl std::ops::AddAssign for Recorded {
    fn add_assign(&mut self, more: Self) {
        self.new += more.new;
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.gone += more.gone;
    }
}

impl Store {
    /// Records a batch: all of it or, where it fails or is dropped, nothing. Writes only what differs from what is known.
    ///
    /// # Errors
    /// [`StoreError::Batch`] where the entries are out of order, of another domain, or recorded already,
    /// [`StoreError::Superseded`] where the run is over; else [`StoreError::Query`].
    pub async fn record(&self, batch: DomainBatch<'_>) -> Result<Recorded, StoreError> {
        self.record_all(std::slice::from_ref(&batch)).await
    }

    /// Records batches, all of them or nothing. Each commit waits for the disk: small domains are best recorded together.
    ///
    /// # Errors
    /// As [`Store::record`].
    pub async fn record_all(&self, batches: &[DomainBatch<'_>]) -> Result<Recorded, StoreError> {
        self.attempt(|| self.record_once(batches)).await
    }

    async fn record_once(&self, batches: &[DomainBatch<'_>]) -> Result<Recorded, StoreError> {
        let mut tx = self.begin().await?;
        let epoch = self.known.epoch();
        let (mut recorded, mut fresh) = (Recorded::default(), Vec::new());
        for run in batches.iter().map(|batch| batch.run).collect::<BTreeSet<_>>() {
            require_under_way(&mut tx, run).await?;
        }
        for batch in batches {
            recorded += self.record_one(&mut tx, batch, &mut fresh).await?;
        }
        tx.commit().await.map_err(doing("commit a batch"))?;
        self.known.remember(fresh, epoch);
        Ok(recorded)
    }

    async fn record_one(
        &self,
        connection: &mut SqliteConnection,
        batch: &DomainBatch<'_>,
        fresh: &mut Vec<(Digest, i64)>,
    ) -> Result<Recorded, StoreError> {
        let keys = keys(batch)?;
        let mut standing = read_standing(connection, batch).await.map_err(doing("read how a domain stands"))?;
        let range = range(batch, std::mem::take(&mut standing.progress), &keys)?;
        let (entered, met) = self.enter(connection, batch, keys).await?;
        fresh.extend(met);
        write::mark_progress(connection, batch, &range).await.map_err(doing("store the progress"))?;
        if let Some(dossier) = batch.dossier {
            store_dossier(connection, batch, (dossier, standing.dossier.as_deref())).await?;
        }
        let seal = seal_of(&entered);
        if standing.is_sealed(batch, &range, &seal) {
            return Ok(Recorded { unchanged: entered.len() as u64, ..Recorded::default() });
        }
        let found = read_found(connection, batch, &range).await?;
        let changes = compare(&entered, found);
        write::write_changes(connection, batch, &changes).await.map_err(doing("store the outcomes"))?;
        put_seal(connection, batch, &range, &seal).await.map_err(doing("store a seal"))?;
        Ok(changes.count())
    }

    /// The entries as rows, outcomes and profiles replaced by their ids, and the ids that are to be remembered.
    async fn enter(
        &self,
        connection: &mut SqliteConnection,
        batch: &DomainBatch<'_>,
        keys: Vec<String>,
    ) -> Result<(Vec<Entered>, Vec<(Digest, i64)>), StoreError> {
        // by place in memory, as numbers: pointers would tie the future to one thread
        let (mut outcomes, mut profiles) = (HashMap::new(), HashMap::new());
        let (mut rows, mut fresh) = (Vec::with_capacity(keys.len()), Vec::new());
        for (entry, key) in batch.entries.iter().zip(keys) {
            let Mailbox { address, profile, person } = entry.mailbox;
            let outcome = match outcomes.entry(Arc::as_ptr(entry.outcome).addr()) {
                Slot::Occupied(id) => *id.get(),
                Slot::Vacant(slot) => *slot.insert(self.known.id(connection, Content::Outcome(entry.outcome), &mut fresh).await?),
            };
            let profile = match profiles.entry(Arc::as_ptr(profile).addr()) {
                Slot::Occupied(id) => *id.get(),
                Slot::Vacant(slot) => *slot.insert(self.known.id(connection, Content::Profile(profile), &mut fresh).await?),
            };
            let person = person.as_deref().map(serde_json::to_string).transpose().map_err(stored("person"))?;
            rows.push(Entered { key, address: address.to_string(), profile, person, outcome });
        }
        Ok((rows, fresh))
    }
}

fn keys(batch: &DomainBatch<'_>) -> Result<Vec<String>, StoreError> {
    let refuse = |problem| StoreError::Batch { domain: batch.domain.clone(), problem };
    if batch.entries.iter().any(|entry| entry.mailbox.address.domain() != batch.domain) {
        return Err(refuse("has a mailbox of another domain"));
    }
    let keys: Vec<String> = batch.entries.iter().map(|entry| entry.mailbox.address.key()).collect();
    if !keys.is_sorted_by(|one, next| one < next) {
        return Err(refuse("is not in the order of its address keys, or has one twice"));
    }
    Ok(keys)
}

fn range(batch: &DomainBatch<'_>, progress: Progress, keys: &[String]) -> Result<Range, StoreError> {
    let refuse = |problem| StoreError::Batch { domain: batch.domain.clone(), problem };
    let after = match progress {
        Progress::NotStarted => String::new(),
        Progress::Through(key) => key,
        Progress::Done => return Err(refuse("comes after the domain's end")),
    };
    if keys.first().is_some_and(|first| *first <= after) {
        return Err(refuse("is recorded already in part"));
    }
    let through = keys.last().cloned().unwrap_or_else(|| after.clone());
    Ok(Range { after, through })
}

async fn read_found(connection: &mut SqliteConnection, batch: &DomainBatch<'_>, range: &Range) -> Result<Vec<Found>, StoreError> {
    let rows: Vec<FoundRow> = sqlx::query_as(
        "SELECT id, address_key, address, profile, person, outcome FROM mailbox
         WHERE tenant = $1 AND domain = $2 AND address_key > $3 AND address_key <= $4 ORDER BY address_key",
    )
    .bind(batch.tenant.as_str())
    .bind(batch.domain.as_str())
    .bind(&range.after)
    .bind(if batch.done { AFTER_EVERY_KEY } else { &range.through })
    .fetch_all(connection)
    .await
    .map_err(doing("read the mailboxes of a domain"))?;
    Ok(rows.into_iter().map(|(id, key, address, profile, person, outcome)| Found { id, key, address, profile, person, outcome }).collect())
}

type FoundRow = (i64, String, String, i64, Option<String>, Option<i64>);

/// Sorts after every address key: a local part has 64 octets, so 16 such characters at most.
pub(super) const AFTER_EVERY_KEY: &str = "\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}\u{10ffff}";

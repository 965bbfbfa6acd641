//! What is stored once by content: outcomes and profiles. A small memory of digests spares the look-ups.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{
    StoreError,
    error::{doing, stored},
};
use crate::model::{Outcome, Profile};

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// Ids by digest, of what has been committed. Bounded: forgotten as a whole when full, and when some of it is deleted.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    ids: HashMap<Digest, i64>,
    /// How many times it was forgotten because something was deleted.
    epoch: u64,
    /// What was asked for since somebody began to look for what nobody needs.
    watched: Option<HashSet<i64>>,
}

/// What is to be stored once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    Outcome(&'a Outcome),
    Profile(&'a Profile),
}

impl Known {
    fn find(&self, digest: &Digest) -> Option<i64> {
        self.memory().ids.get(digest).copied()
    }

    /// To be read in the transaction that makes or finds rows, for [`Known::remember`].
    pub(super) fn epoch(&self) -> u64 {
        self.memory().epoch
    }

    /// To be called once the transaction that made the rows is committed, and never before. Nothing is remembered of what was found
    /// before something was deleted.
    pub(super) fn remember(&self, fresh: Vec<(Digest, i64)>, epoch: u64) {
        let mut known = self.memory();
        if known.epoch != epoch {
            return;
        }
        if known.ids.len() + fresh.len() > CAPACITY {
            known.ids.clear();
        }
        known.ids.extend(fresh.into_iter().take(CAPACITY));
    }

    /// Notes from now on which ids are asked for. To be called while nobody writes.
    pub(super) fn watch(&self) {
        self.memory().watched = Some(HashSet::new());
    }

    /// Whether an id was asked for since; said of all while nobody watches.
    pub(super) fn is_in_use(&self, id: i64) -> bool {
        self.memory().watched.as_ref().is_none_or(|watched| watched.contains(&id))
    }

    /// Notes it no longer.
    pub(super) fn end_watch(&self) {
        self.memory().watched = None;
    }

    /// To be called before rows are deleted, while nobody writes.
    pub(super) fn forget(&self) {
        let mut known = self.memory();
        known.ids.clear();
        known.epoch += 1;
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of some content; where it had to be looked up or written, also its digest, for [`Known::remember`].
    pub(super) async fn id(
        &self,
        connection: &mut SqliteConnection,
        content: Content<'_>,
        fresh: &mut Vec<(Digest, i64)>,
    ) -> Result<i64, StoreError> {
        let (body, digest) = content.canonical()?;
        let id = match (self.find(&digest), content) {
            (Some(id), _) => id,
            (None, Content::Outcome(outcome)) => {
                let id = outcome_id(connection, outcome, body, digest).await?;
                fresh.push((digest, id));
                id
            }
            (None, Content::Profile(_)) => {
                let id = profile_id(connection, body).await?;
                fresh.push((digest, id));
                id
            }
        };
        if let Some(watched) = &mut self.memory().watched {
            watched.insert(id);
        }
        Ok(id)
    }
}

impl Content<'_> {
    /// The stored text and the digest of it. The fields of our structs are written in their order, so equal values give
    /// equal texts.
    fn canonical(self) -> Result<(String, Digest), StoreError> {
        let (body, kind) = match self {
            Self::Outcome(outcome) => (serde_json::to_string(outcome), "outcome"),
            Self::Profile(profile) => (serde_json::to_string(profile), "profile"),
        };
        let body = body.map_err(stored(kind))?;
        let digest = digest_of(body.as_bytes());
        Ok((body, digest))
    }
}

/// The SHA-256 of some bytes.
pub(super) fn digest_of(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

async fn outcome_id(connection: &mut SqliteConnection, outcome: &Outcome, body: String, digest: Digest) -> Result<i64, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM outcome WHERE digest = $1")
        .bind(digest.as_slice())
        .fetch_optional(&mut *connection)
        .await
        .map_err(doing("look for an outcome"))?;
    if let Some(id) = found {
        return Ok(id);
    }
    sqlx::query_scalar(
        "INSERT INTO outcome (digest, body, needs_manual, undetermined, worst, conflict, personal)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
    )
    .bind(digest.as_slice())
    .bind(body)
    .bind(outcome.needs_manual_configuration)
    .bind(outcome.is_undetermined())
    .bind(outcome.worst_audited().as_str())
    .bind(!outcome.hosting_conflict.is_empty())
    .bind(outcome.personal_account.is_some())
    .fetch_one(connection)
    .await
    .map_err(doing("store an outcome"))
}

async fn profile_id(connection: &mut SqliteConnection, body: String) -> Result<i64, StoreError> {
    sqlx::query_scalar("INSERT INTO profile (body) VALUES ($1) ON CONFLICT (body) DO UPDATE SET body = excluded.body RETURNING id")
        .bind(body)
        .fetch_one(connection)
        .await
        .map_err(doing("store a profile"))
}

const CAPACITY: usize = 65_536;

//! Entries of ISP databases over time: each version once, from when it was first seen to when it was last seen. One version of an entry
//! is known: the one that it is compared with.

use std::sync::Arc;

use sqlx::SqliteConnection;

use super::{
    Destination, IncidentChange, Reader, RunId, Store, StoreError,
    content::{Digest, digest_of},
    error::{doing, stored},
    event::write_changes,
    outbox::enqueue,
    run::require_under_way,
};
use crate::model::is_xml_content_type;

/// What an ISP database says at one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryVersion {
    /// There is no entry.
    Absent,
    /// An entry.
    Document {
        /// The Content-Type header, as sent.
        content_type: String,
        /// The SHA-256 of the body.
        digest: Digest,
        /// The body.
        body: Arc<[u8]>,
    },
}

/// A version of an entry, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// The database, by host and path.
    pub database: String,
    /// The name that the entry is for.
    pub name: String,
    /// What is asked for it.
    pub url: String,
    /// What it says.
    pub version: EntryVersion,
    /// Whether others are told by how they differ from it.
    pub is_known: bool,
    /// When it was first seen, seconds since 1970.
    pub first_seen_at: i64,
    /// When it was last seen, seconds since 1970.
    pub last_seen_at: i64,
}

/// An entry after a look at it.
#[derive(Debug, Clone)]
pub struct EntryLook {
    /// The database.
    pub database: String,
    /// The name.
    pub name: String,
    /// What was asked.
    pub url: String,
    /// What was seen.
    pub seen: EntryVersion,
    /// The version that is known from now on; `None`: the one that was.
    pub known: Option<EntryVersion>,
}

impl EntryVersion {
    /// A document.
    #[must_use]
    pub fn document(content_type: &str, body: &Arc<[u8]>) -> Self {
        Self::Document { content_type: content_type.to_owned(), digest: digest_of(body), body: body.clone() }
    }

    /// Whether clients read the same: the same bytes, and XML in both cases or in neither.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) => true,
            (Self::Document { content_type, digest, .. }, Self::Document { content_type: of_other, digest: other, .. }) => {
                digest == other && is_xml_content_type(content_type) == is_xml_content_type(of_other)
            }
            _ => false,
        }
    }
}

impl Reader {
    /// All versions of an entry that are kept, the one that was seen last at the end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entry(&self, database: &str, name: &str) -> Result<Vec<KeptEntry>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(doing("read an entry of an ISP database"))?;
        Ok(read_versions(&mut connection, database, name).await?.into_iter().map(|(_, entry)| entry).collect())
    }
}

impl Store {
    /// Writes what was seen of entries, and what becomes of the incidents about them, in one transaction. Returns how many events were
    /// logged.
    ///
    /// # Errors
    /// [`StoreError::Superseded`]; other [`StoreError`].
    pub async fn conclude_entries(
        &self,
        run: RunId,
        (looks, changes): (&[EntryLook], &[IncidentChange]),
        destinations: &[Destination],
        at: i64,
    ) -> Result<u64, StoreError> {
        self.attempt(|| async {
            let mut tx = self.begin().await?;
            require_under_way(&mut tx, run).await?;
            for look in looks {
                write_look(&mut tx, look, at).await?;
            }
            let logged = write_changes(&mut tx, changes, (Some(run), at)).await?;
            enqueue(&mut tx, &logged, (destinations, at)).await?;
            tx.commit().await.map_err(doing("commit what was seen of ISP databases"))?;
            Ok(logged.len() as u64)
        })
        .await
    }
}

async fn write_look(connection: &mut SqliteConnection, look: &EntryLook, at: i64) -> Result<(), StoreError> {
    let versions = read_versions(connection, &look.database, &look.name).await?;
    let id = |version: &EntryVersion| versions.iter().find(|(_, kept)| kept.version.is_same(version)).map(|(id, _)| *id);
    let seen = match id(&look.seen) {
        Some(id) => {
            sqlx::query("UPDATE ispdb_entry SET last_seen_at = $2, url = $3 WHERE id = $1")
                .bind(id)
                .bind(at)
                .bind(&look.url)
                .execute(&mut *connection)
                .await
                .map_err(doing("store when an entry was seen"))?;
            id
        }
        None => insert_version(connection, look, at).await?,
    };
    let Some(known) = &look.known else { return Ok(()) };
    let known = if known.is_same(&look.seen) { Some(seen) } else { id(known) };
    set_known(connection, look, known).await.map_err(doing("store which entry is known"))
}

/// First none and then one: no two are known at any time.
async fn set_known(connection: &mut SqliteConnection, look: &EntryLook, id: Option<i64>) -> sqlx::Result<()> {
    sqlx::query("UPDATE ispdb_entry SET is_known = 0 WHERE database = $1 AND name = $2 AND is_known = 1 AND id IS NOT $3")
        .bind(&look.database)
        .bind(&look.name)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE ispdb_entry SET is_known = 1 WHERE id = $1 AND is_known = 0").bind(id).execute(connection).await?;
    Ok(())
}

async fn insert_version(connection: &mut SqliteConnection, look: &EntryLook, at: i64) -> Result<i64, StoreError> {
    let (content_type, digest, body) = match &look.seen {
        EntryVersion::Absent => ("", &[][..], Arc::from(&[][..])),
        EntryVersion::Document { content_type, digest, body } => (content_type.as_str(), &digest[..], body.clone()),
    };
    sqlx::query_scalar(
        "INSERT INTO ispdb_entry (database, name, url, content_type, digest, body, is_known, first_seen_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7) RETURNING id",
    )
    .bind(&look.database)
    .bind(&look.name)
    .bind(&look.url)
    .bind(content_type)
    .bind(digest)
    .bind(body)
    .bind(at)
    .fetch_one(connection)
    .await
    .map_err(doing("store an entry"))
}

/// url, content type, digest, body, whether it is known, first and last seen at; after the id.
type Row = (i64, String, String, Vec<u8>, Vec<u8>, bool, i64, i64);

async fn read_versions(connection: &mut SqliteConnection, database: &str, name: &str) -> Result<Vec<(i64, KeptEntry)>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, url, content_type, digest, body, is_known, first_seen_at, last_seen_at FROM ispdb_entry
         WHERE database = $1 AND name = $2 ORDER BY last_seen_at, id",
    )
    .bind(database)
    .bind(name)
    .fetch_all(connection)
    .await
    .map_err(doing("read an entry of an ISP database"))?;
    let kept = |(id, url, content_type, digest, body, is_known, first_seen_at, last_seen_at): Row| {
        let version = if digest.is_empty() {
            EntryVersion::Absent
        } else {
            let digest = digest.try_into().map_err(|_| stored("entry")(WrongDigest))?;
            EntryVersion::Document { content_type, digest, body: body.into() }
        };
        let (database, name) = (database.to_owned(), name.to_owned());
        Ok((id, KeptEntry { database, name, url, version, is_known, first_seen_at, last_seen_at }))
    };
    rows.into_iter().map(kept).collect()
}

/// What the table's own check rules out.
#[derive(Debug, thiserror::Error)]
#[error("a digest has not 32 bytes")]
struct WrongDigest;

//! The schema: files of `migrations/sqlite`, forward only, one transaction each. `user_version` counts them.

use std::path::Path;

use sqlx::{AssertSqlSafe, SqlitePool};

use super::{StoreError, error::doing, sqlite::Header};

/// What a migration did to the schema's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// Before; 0: there was no database.
    pub from: i64,
    /// After.
    pub to: i64,
}

impl std::fmt::Display for Migrated {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.from == self.to {
            write!(out, "schema {} is up to date", self.to)
        } else {
            write!(out, "schema {} -> {}", self.from, self.to)
        }
    }
}

/// `ADAu` in the file's header (offset 68), by which `file(1)` and we know it.
pub(super) const APPLICATION_ID: i64 = 0x4144_4175;

/// All migrations, in order. What has landed here is never edited.
pub(super) const ALL: &[&str] =
    &[include_str!("../../migrations/sqlite/0001_audit.sql"), include_str!("../../migrations/sqlite/0002_incident.sql")];

const KNOWN: i64 = count(ALL);

#[expect(clippy::cast_possible_wrap, reason = "a handful of files")]
const fn count(migrations: &[&str]) -> i64 {
    migrations.len() as i64
}

/// Refuses another program's database, and one that a newer program has written.
pub(super) fn require_known(path: &Path, found: Header) -> Result<(), StoreError> {
    if found.is_empty {
        return Ok(());
    }
    if found.application_id != APPLICATION_ID {
        return Err(StoreError::NotOurs { path: path.to_owned() });
    }
    if found.user_version > KNOWN {
        let advice = "use the newer program that wrote it";
        return Err(StoreError::Schema { path: path.to_owned(), found: found.user_version, known: KNOWN, advice });
    }
    Ok(())
}

/// Refuses whatever cannot be read without a migration.
pub(super) fn require_current(path: &Path, found: Header) -> Result<(), StoreError> {
    require_known(path, found)?;
    if found.user_version == KNOWN {
        return Ok(());
    }
    let advice = "migrate it first";
    Err(StoreError::Schema { path: path.to_owned(), found: found.user_version, known: KNOWN, advice })
}

/// Runs what is missing. Each migration and its number land together or not at all.
pub(super) async fn run(writer: &SqlitePool, migrations: &[&'static str]) -> Result<Migrated, StoreError> {
    let from = version(writer).await?;
    let mut to = from;
    for migration in migrations.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)) {
        to += 1;
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(doing("begin a migration"))?;
        sqlx::raw_sql(*migration).execute(&mut *tx).await.map_err(doing("run a migration"))?;
        // pragmas take no binds; both are numbers of ours
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {to}");
        sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *tx).await.map_err(doing("number the schema"))?;
        tx.commit().await.map_err(doing("commit a migration"))?;
    }
    Ok(Migrated { from, to })
}

async fn version(writer: &SqlitePool) -> Result<i64, StoreError> {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(writer).await.map_err(doing("read the schema's number"))
}

//! The schema: files of `migrations/sqlite`, forward only, one transaction each. `user_version` counts them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, SqlitePool};

use super::{
    StoreError,
    error::doing,
    lock::beside,
    sqlite::{self, Header},
};

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
pub(super) const ALL: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_audit.sql"),
    include_str!("../../migrations/sqlite/0002_incident.sql"),
    include_str!("../../migrations/sqlite/0003_drift.sql"),
    include_str!("../../migrations/sqlite/0004_home.sql"),
];

/// Between the name of a database and the number of the migration that its copy was made before.
const BEFORE: &str = ".before-";

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

/// Runs what is missing of these. Each migration and its number land together or not at all. Before the first, a database that holds
/// something is copied.
pub(super) async fn run(path: &Path, writer: &SqlitePool, migrations: &[&'static str]) -> Result<Migrated, StoreError> {
    let from = version(writer).await?;
    let mut missing = (from + 1..).zip(migrations.iter().skip(usize::try_from(from).unwrap_or(usize::MAX))).peekable();
    let copy = match missing.peek() {
        Some((number, _)) if from > 0 => Some(copy_before(path, *number).await?),
        _ => None,
    };
    let mut to = from;
    for (number, migration) in missing {
        let failed = |source| StoreError::Migration { path: path.to_owned(), number, copy: copy.clone(), source: Box::new(source) };
        run_one(writer, number, migration).await.map_err(failed)?;
        to = number;
    }
    Ok(Migrated { from, to })
}

async fn run_one(writer: &SqlitePool, number: i64, migration: &'static str) -> Result<(), StoreError> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(doing("begin a migration"))?;
    sqlx::raw_sql(migration).execute(&mut *tx).await.map_err(doing("run a migration"))?;
    // pragmas take no binds; both are numbers of ours
    let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}");
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *tx).await.map_err(doing("number the schema"))?;
    tx.commit().await.map_err(doing("commit a migration"))
}

/// Copies the database to `DATABASE.before-NNNN`, and drops the older of more than two such copies.
async fn copy_before(path: &Path, number: i64) -> Result<PathBuf, StoreError> {
    let copy = beside(path, &format!("{BEFORE}{number:04}"));
    sqlite::copy(path, &copy).await?;
    tracing::info!(copy = %copy.display(), "the database was copied before its schema changes");
    for old in (1..number).rev().map(|number| beside(path, &format!("{BEFORE}{number:04}"))).filter(|old| old.exists()).skip(1) {
        fs::remove_file(&old).map_err(|source| StoreError::File { doing: "remove an old copy", path: old.clone(), source })?;
    }
    Ok(copy)
}

async fn version(writer: &SqlitePool) -> Result<i64, StoreError> {
    sqlx::query_scalar("PRAGMA user_version").fetch_one(writer).await.map_err(doing("read the schema's number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_database_as_it_was_and_names_the_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        fs::write(&path, "").unwrap();
        let writer = sqlite::open_writer(&path).await.unwrap();
        let first = "CREATE TABLE mailbox (id INTEGER PRIMARY KEY) STRICT";
        assert_eq!(run(&path, &writer, &[first]).await.unwrap(), Migrated { from: 0, to: 1 });
        assert!(!beside(&path, ".before-0001").exists(), "there was nothing to copy");
        let broken =
            "CREATE TABLE incident (id INTEGER PRIMARY KEY) STRICT; INSERT INTO mailbox VALUES (1); INSERT INTO nowhere VALUES (1)";
        let failed = run(&path, &writer, &[first, broken]).await.unwrap_err();
        assert!(matches!(&failed, StoreError::Migration { number: 2, copy: Some(copy), .. } if copy.ends_with("audit.db.before-0002")));
        assert!(failed.to_string().ends_with("audit.db.before-0002` is a copy from before"), "{failed}");
        assert_eq!(version(&writer).await.unwrap(), 1);
        let left: i64 = sqlx::query_scalar("SELECT (SELECT count(*) FROM sqlite_schema) * 10 + (SELECT count(*) FROM mailbox)")
            .fetch_one(&writer)
            .await
            .unwrap();
        assert_eq!(left, 10);
        // once it is mended, it goes through, and the newest two copies stay
        let (second, third) =
            ("CREATE TABLE incident (id INTEGER PRIMARY KEY) STRICT", "CREATE TABLE event (id INTEGER PRIMARY KEY) STRICT");
        run(&path, &writer, &[first, second]).await.unwrap();
        run(&path, &writer, &[first, second, third]).await.unwrap();
        run(&path, &writer, &[first, second, third, "CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT"]).await.unwrap();
        let copies: Vec<bool> = (2..=4).map(|number| beside(&path, &format!("{BEFORE}{number:04}")).exists()).collect();
        assert_eq!(copies, [false, true, true]);
        assert_eq!(sqlite::inspect(&beside(&path, ".before-0004")).await.unwrap().user_version, 3);
    }
}

//! What is SQLite's own: settings and their proof, connections, the write-ahead log, the copy.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};

use super::{
    Reader, StoreError,
    error::{PRIMARY, SQLITE_CORRUPT, doing, making, opening, result_code},
    lock::beside,
};

/// What a file says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Nothing has been written to it yet.
    pub(super) is_empty: bool,
    /// Whose it is.
    pub(super) application_id: i64,
    /// The schema's number.
    pub(super) user_version: i64,
}

impl Reader {
    /// Writes a whole and checked copy of the database to `to`, while audits go on. Refuses to overwrite.
    ///
    /// # Errors
    /// [`StoreError`] where `to` exists, where it cannot be written, or where the copy does not pass its check.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.try_exists().map_err(file("look for", to))? {
            return Err(file("write a copy to", to)(io::ErrorKind::AlreadyExists.into()));
        }
        copy(&self.path, to).await
    }
}

/// Writes a whole and checked copy of a database, in the place of what is there: all of it or nothing.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let partial = beside(to, &format!(".partial-{}", std::process::id()));
    create_new_private(&partial)?;
    let copied = copy_to(from, &partial).await.and_then(|()| publish(&partial, to));
    if copied.is_err() {
        // the first error is the one to tell
        let _ = fs::remove_file(&partial);
    }
    copied
}

async fn copy_to(from: &Path, partial: &Path) -> Result<(), StoreError> {
    let mut source = plain(from).connect().await.map_err(opening(from))?;
    let name = partial.to_str().ok_or_else(|| file("name", partial)(io::ErrorKind::InvalidFilename.into()))?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut source).await.map_err(copying)?;
    source.close().await.map_err(doing("close"))?;
    let mut copy = plain(partial).read_only(false).connect().await.map_err(opening(partial))?;
    if number(&mut copy, "PRAGMA auto_vacuum").await.map_err(doing("read a setting back"))? != INCREMENTAL {
        sqlx::raw_sql("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
            .execute(&mut copy)
            .await
            .map_err(doing("make the copy one that can shrink"))?;
    }
    let problem = integrity(&mut copy).await?.into_iter().next();
    copy.close().await.map_err(doing("close"))?;
    problem.map_or(Ok(()), |problem| Err(StoreError::Copy { problem }))
}

fn copying(error: sqlx::Error) -> StoreError {
    match result_code(&error).map(|code| code & PRIMARY) {
        Some(SQLITE_CORRUPT) => StoreError::Copy { problem: error.to_string() },
        _ => doing("copy everything")(error),
    }
}

/// Makes the file, readable to its owner only (it holds personal data), where there is none. One that is there keeps its mode:
/// somebody may have given it on purpose.
pub(super) fn create_private(path: &Path) -> Result<(), StoreError> {
    match create_new_private(path) {
        Err(StoreError::File { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            warn_of_others(path);
            Ok(())
        }
        other => other,
    }
}

fn warn_of_others(path: &Path) {
    #[cfg(unix)]
    if fs::metadata(path).is_ok_and(|file| std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o077 != 0) {
        let path = path.display();
        tracing::warn!(%path, "the database holds personal data, and others than its owner have access: `chmod 600 {path}` ends that");
    }
}

/// Reads whose file it is, without touching it.
pub(super) async fn inspect(path: &Path) -> Result<Header, StoreError> {
    let mut connection = plain(path).connect().await.map_err(opening(path))?;
    let application_id = number(&mut connection, "PRAGMA application_id").await.map_err(opening(path))?;
    let user_version = number(&mut connection, "PRAGMA user_version").await.map_err(opening(path))?;
    let objects = number(&mut connection, "SELECT count(*) FROM sqlite_schema").await.map_err(opening(path))?;
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.map_err(doing("read SQLite's version"))?;
    connection.close().await.map_err(doing("close"))?;
    require_version(version)?;
    Ok(Header { is_empty: objects == 0 && application_id == 0 && user_version == 0, application_id, user_version })
}

/// The one connection that writes.
pub(super) async fn open_writer(path: &Path) -> Result<SqlitePool, StoreError> {
    let options = common(path)
        // before the journal mode: afterwards it stays off, silently
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT);
    let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).acquire_timeout(WRITE_TIMEOUT);
    let writer = connect(path, pool, options, WRITER).await?;
    // SQLite opens what it cannot write, and says so at the first attempt
    let attempt = writer.begin_with("BEGIN IMMEDIATE").await.map_err(opening(path))?;
    attempt.rollback().await.map_err(opening(path))?;
    Ok(writer)
}

/// Whether the database gives room back. That is settled when it is made; later only a copy of it (`VACUUM INTO`) can change it.
pub(super) async fn can_shrink(writer: &SqlitePool) -> Result<bool, StoreError> {
    let found: i64 = sqlx::query_scalar("PRAGMA auto_vacuum").fetch_one(writer).await.map_err(doing("read a setting back"))?;
    Ok(found == INCREMENTAL)
}

/// A few connections that cannot write.
pub(super) async fn open_readers(path: &Path) -> Result<SqlitePool, StoreError> {
    // journal_mode and auto_vacuum would fail here: they write
    let options = common(path).read_only(true).pragma("query_only", "ON");
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(ACQUIRE_TIMEOUT);
    connect(path, pool, options, READER).await
}

/// Connects, and proves that the settings were taken.
async fn connect(path: &Path, pool: SqlitePoolOptions, options: SqliteConnectOptions, own: &[Required]) -> Result<SqlitePool, StoreError> {
    let pool = pool.connect_with(options).await.map_err(opening(path))?;
    let mut connection = pool.acquire().await.map_err(opening(path))?;
    require(&mut connection, COMMON).await?;
    require(&mut connection, own).await?;
    drop(connection);
    Ok(pool)
}

/// Drops what `ANALYZE` left, which earlier programs ran: taken over few rows, it misleads the planner once there are many. The
/// queries are written for the plan that they get without.
pub(super) async fn forget_statistics(writer: &SqlitePool) -> Result<(), StoreError> {
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')")
        .fetch_one(writer)
        .await
        .map_err(doing("look for statistics"))?;
    if left > 0 {
        let drop_both = "DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4";
        sqlx::raw_sql(drop_both).execute(writer).await.map_err(doing("drop statistics"))?;
    }
    Ok(())
}

/// Writes the whole log back and empties it; does what it can while a reader is at work.
pub(super) async fn checkpoint(writer: &SqlitePool) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await.map_err(doing("write the log back"))?;
    Ok(())
}

/// A connection that writes without looking for what refers to the rows that it deletes: whoever uses it has done so.
pub(super) async fn connect_unchecked(path: &Path) -> Result<SqliteConnection, StoreError> {
    common(path).foreign_keys(false).synchronous(SqliteSynchronous::Full).connect().await.map_err(opening(path))
}

/// Writes the whole log of a database that nobody else has open back, and removes it.
pub(super) async fn fold_log(path: &Path) -> Result<(), StoreError> {
    // the last connection that is closed does it
    let mut connection = common(path).connect().await.map_err(opening(path))?;
    let folded = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.map_err(doing("write the log back"));
    connection.close().await.map_err(doing("close"))?;
    folded.map(drop)
}

/// Gives pages that hold nothing back to the file system, a few at a time.
pub(super) async fn release_pages(writer: &SqlitePool) -> Result<(), StoreError> {
    sqlx::raw_sql("PRAGMA incremental_vacuum(4096)").execute(writer).await.map_err(doing("release empty pages"))?;
    Ok(())
}

/// Reads the whole database quickly, for damage to its pages.
pub(super) async fn require_undamaged(path: &Path) -> Result<(), StoreError> {
    let mut connection = plain(path).connect().await.map_err(opening(path))?;
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await.map_err(opening(path))?;
    connection.close().await.map_err(doing("close"))?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: path.to_owned(), problem: found }) }
}

/// What SQLite's own check finds; empty: nothing.
pub(super) async fn integrity(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut lines: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(connection).await.map_err(doing("check the integrity"))?;
    lines.retain(|line| line != "ok");
    Ok(lines)
}

/// Rows whose parent is missing, a line each.
pub(super) async fn orphans(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let rows: Vec<(String, Option<i64>, String, i64)> =
        sqlx::query_as("PRAGMA foreign_key_check").fetch_all(connection).await.map_err(doing("check the foreign keys"))?;
    Ok(rows.into_iter().map(|(table, row, parent, _)| format!("{table}, row {row:?}: no such {parent}")).collect())
}

fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT)
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("trusted_schema", "OFF")
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", CACHE_SIZE)
        .row_buffer_size(1_000)
        .disable_statement_logging()
}

async fn require(connection: &mut SqliteConnection, settings: &[Required]) -> Result<(), StoreError> {
    for &(what, query, wanted) in settings {
        let row = sqlx::query(query).fetch_one(&mut *connection).await.map_err(doing("read a setting back"))?;
        let found = text_or_number(&row).map_err(doing("read a setting back"))?;
        if found != wanted {
            return Err(StoreError::Sqlite { what, found, wanted });
        }
    }
    Ok(())
}

fn text_or_number(row: &SqliteRow) -> sqlx::Result<String> {
    row.try_get::<i64, _>(0).map(|number| number.to_string()).or_else(|_| row.try_get(0))
}

pub(super) async fn number(connection: &mut SqliteConnection, query: &'static str) -> sqlx::Result<i64> {
    sqlx::query_scalar(query).fetch_one(connection).await
}

/// Refuses a SQLite before 3.51.3, which mends the WAL-reset bug.
fn require_version(found: String) -> Result<(), StoreError> {
    let mut parts = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let number = [(); 3].map(|()| parts.next().unwrap_or(0));
    if number >= MIN_VERSION { Ok(()) } else { Err(StoreError::Sqlite { what: "version", found, wanted: "3.51.3 or later" }) }
}

fn create_new_private(path: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(making("create", path))
}

/// Gives a finished file its name, so that it is there whole or not at all, also after a power cut.
pub(super) fn publish(partial: &Path, to: &Path) -> Result<(), StoreError> {
    File::options().write(true).open(partial).and_then(|copy| copy.sync_all()).map_err(file("write out", partial))?;
    fs::rename(partial, to).map_err(file("rename a finished copy to", to))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("write out", folder))
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::File { doing, path: path.to_owned(), source }
}

/// What `PRAGMA auto_vacuum` calls it.
const INCREMENTAL: i64 = 2;
const MIN_VERSION: [u32; 3] = [3, 51, 3];
const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// Many domains may queue for the one writer, on a slow disk.
const WRITE_TIMEOUT: Duration = Duration::from_mins(10);
/// Bytes that the log keeps of its file after it was written back.
const JOURNAL_SIZE_LIMIT: &str = "67108864";
/// Negative: KiB.
const CACHE_SIZE: &str = "-8000";

/// A setting, how it is read back, and what it must be.
type Required = (&'static str, &'static str, &'static str);
const COMMON: &[Required] = &[
    ("foreign_keys", "PRAGMA foreign_keys", "1"),
    ("busy_timeout", "PRAGMA busy_timeout", "5000"),
    ("trusted_schema", "PRAGMA trusted_schema", "0"),
    ("temp_store", "PRAGMA temp_store", "2"),
    ("cache_size", "PRAGMA cache_size", CACHE_SIZE),
];
const WRITER: &[Required] = &[
    ("journal_mode", "PRAGMA journal_mode", "wal"),
    ("synchronous", "PRAGMA synchronous", "2"),
    ("journal_size_limit", "PRAGMA journal_size_limit", JOURNAL_SIZE_LIMIT),
];
const READER: &[Required] = &[("query_only", "PRAGMA query_only", "1")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        for (version, fits) in [("3.51.3", true), ("3.52.0", true), ("4.0", true), ("3.51.2", false), ("3.9.99", false), ("", false)] {
            assert_eq!(require_version(version.into()).is_ok(), fits, "{version}");
        }
    }
}

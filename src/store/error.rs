//! Why the database could not do its job.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{RunId, ballast::has_no_room};
use crate::model::{Domain, TenantId};

/// Why the database could not do its job.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file beside or of the database.
    #[error("cannot {doing} `{}`", path.display())]
    File {
        /// What was attempted.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process holds this database: the service, or an audit.
    #[error("the database is in use by the service or an audit, which holds `{}`", lock.display())]
    Locked {
        /// The lock file.
        lock: PathBuf,
    },
    /// The file has several names, and each would have a write-ahead log of its own.
    #[error("`{}` has {links} names (hard links), which damages a database that is written: remove the others, or copy it", path.display())]
    Linked {
        /// Which file.
        path: PathBuf,
        /// How many names it has.
        links: u64,
    },
    /// The run was closed, or another began, while this one was at work.
    #[error("run {run} is not under way any more: another audit works with this database, and nothing more of this one is recorded")]
    Superseded {
        /// The run.
        run: RunId,
    },
    /// SQLite cannot open the file, or it is no database.
    #[error("cannot open the database `{}`", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: sqlx::Error,
    },
    /// The file, or the folder that it is in, cannot be written. SQLite needs that to read, too: its log lies beside the file.
    #[error(
        "the database `{}` cannot be used, as it, `*.lock` beside it or their folder cannot be written: allow this user to write them, or copy the database to where that is so",
        path.display()
    )]
    ReadOnly {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A database of another program.
    #[error("`{}` is a database of another program", path.display())]
    NotOurs {
        /// Which file.
        path: PathBuf,
    },
    /// The schema is not the one that this program reads.
    #[error("the database `{}` has schema {found}, this program has {known}: {advice}", path.display())]
    Schema {
        /// Which file.
        path: PathBuf,
        /// The schema's number.
        found: i64,
        /// The newest that is known.
        known: i64,
        /// What to do.
        advice: &'static str,
    },
    /// SQLite itself does not do what is needed.
    #[error("SQLite has {what} = {found}, and {wanted} is needed")]
    Sqlite {
        /// Its version, or a pragma.
        what: &'static str,
        /// What is.
        found: String,
        /// What should be.
        wanted: &'static str,
    },
    /// A statement failed.
    #[error("cannot {doing} in the database")]
    Query {
        /// What was attempted.
        doing: &'static str,
        /// Why not.
        source: sqlx::Error,
    },
    /// A stored text does not read as what it should be.
    #[error("the stored {what} cannot be read")]
    Stored {
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A batch that would put the database out of order.
    #[error("the batch of {domain} {problem}")]
    Batch {
        /// Its domain.
        domain: Domain,
        /// What is wrong.
        problem: &'static str,
    },
    /// A tenant cannot be finished while one of its domains is not.
    #[error("the domain {domain} of tenant {tenant} is not done")]
    Unfinished {
        /// The tenant.
        tenant: TenantId,
        /// The first such domain.
        domain: String,
    },
    /// The copy is not sound.
    #[error("the copy of the database is damaged: {problem}")]
    Copy {
        /// The first problem that the check found.
        problem: String,
    },
    /// The disk is full, or the quota is spent, and the room that was kept for that is used.
    #[error("the disk of the database `{}` is full: free some space; what was recorded is safe", path.display())]
    Full {
        /// The database.
        path: PathBuf,
        /// What could not be written.
        source: Box<StoreError>,
    },
    /// The file is on another machine's disk.
    #[error(
        "the database `{}` is on a file system of another machine ({kind}), where SQLite loses data: put it on a local disk",
        path.display()
    )]
    Remote {
        /// Which file.
        path: PathBuf,
        /// The file system.
        kind: &'static str,
    },
    /// The file is damaged.
    #[error("the database `{}` is damaged ({problem}): put a backup in its place with `db restore`", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The first problem that was found.
        problem: String,
    },
    /// A migration failed; the database is as it was.
    #[error("migration {number:04} of the database `{}` failed, and left it as it was{}", path.display(), told(copy.as_deref()))]
    Migration {
        /// Which file.
        path: PathBuf,
        /// The migration.
        number: i64,
        /// A copy from before it; `None` where there was nothing to copy.
        copy: Option<PathBuf>,
        /// Why.
        source: Box<StoreError>,
    },
}

fn told(copy: Option<&Path>) -> String {
    copy.map(|copy| format!("; `{}` is a copy from before", copy.display())).unwrap_or_default()
}

/// What a failure says of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// Nothing.
    Fine,
    /// It is full.
    Full,
    /// It did not take what was written: SQLite calls a spent quota so, too.
    Doubtful,
}

impl StoreError {
    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.storage() == Storage::Full
    }

    /// What it says of the disk.
    pub(super) fn storage(&self) -> Storage {
        match self {
            Self::Full { .. } => Storage::Full,
            Self::File { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                Storage::Full
            }
            Self::Migration { source, .. } => source.storage(),
            Self::Query { source, .. } => match result_code(source) {
                Some(code) if code & PRIMARY == SQLITE_FULL => Storage::Full,
                Some(code) if SQLITE_IOERR_OF_WRITING.contains(&code) => Storage::Doubtful,
                _ => Storage::Fine,
            },
            _ => Storage::Fine,
        }
    }

    /// Whether whoever called can mend it: another file, another program version, another time.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Locked { .. }
                | Self::Linked { .. }
                | Self::Open { .. }
                | Self::ReadOnly { .. }
                | Self::NotOurs { .. }
                | Self::Schema { .. }
                | Self::File { .. }
                | Self::Full { .. }
                | Self::Remote { .. }
                | Self::Damaged { .. }
        )
    }
}

/// Gives a failed attempt at the database's file its subject.
pub(super) fn opening(path: &Path) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| {
        let path = path.to_owned();
        let code = result_code(&source);
        let is_doubtful = code.is_some_and(|code| SQLITE_IOERR_OF_WRITING.contains(&code));
        if code.is_some_and(|code| code & PRIMARY == SQLITE_FULL) || is_doubtful && has_no_room(&path) {
            return StoreError::Full { path: path.clone(), source: Box::new(StoreError::Open { path, source }) };
        }
        match code.map(|code| code & PRIMARY) {
            Some(SQLITE_CORRUPT) => StoreError::Damaged { path, problem: source.to_string() },
            Some(SQLITE_READONLY) => StoreError::ReadOnly { path, source: source.into() },
            // the file can be read, so it is the log that cannot be made
            Some(SQLITE_CANTOPEN) if path.is_file() => StoreError::ReadOnly { path, source: source.into() },
            _ => StoreError::Open { path, source },
        }
    }
}

/// Gives a failed attempt to make a file of the database, or beside it, its subject.
pub(super) fn making(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly { path, source: source.into() },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreError::Full { path: path.clone(), source: Box::new(StoreError::File { doing, path, source }) }
            }
            _ => StoreError::File { doing, path, source },
        }
    }
}

/// SQLite's extended result code.
pub(super) fn result_code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The part of a result code that names the kind of failure (sqlite.org/rescode.html).
pub(super) const PRIMARY: u32 = 0xff;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CANTOPEN: u32 = 14;
pub(super) const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
/// `SQLITE_IOERR_WRITE`, `_FSYNC`, `_DIR_FSYNC`, `_TRUNCATE`, `_SHMOPEN`, `_SHMSIZE` and `_SHMMAP`.
const SQLITE_IOERR_OF_WRITING: [u32; 7] = [778, 1034, 1290, 1546, 4618, 4874, 5386];

/// Gives a failed statement its subject.
pub(super) fn doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Query { doing, source }
}

/// Gives an unreadable stored text its subject.
pub(super) fn stored<E: std::error::Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Stored { what, source: Box::new(source) }
}

//! Why the database could not do its job.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::RunId;
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
    /// Another process audits with this database.
    #[error("the database is in use by another audit, which holds `{}`", lock.display())]
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
}

impl StoreError {
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
        )
    }
}

/// Gives a failed attempt at the database's file its subject.
pub(super) fn opening(path: &Path) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| {
        let code = source.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
        let path = path.to_owned();
        match code.map(|code| code & PRIMARY) {
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
            _ => StoreError::File { doing, path, source },
        }
    }
}

/// The part of a result code that names the kind of failure (sqlite.org/rescode.html).
const PRIMARY: u32 = 0xff;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CANTOPEN: u32 = 14;

/// Gives a failed statement its subject.
pub(super) fn doing(doing: &'static str) -> impl FnOnce(sqlx::Error) -> StoreError {
    move |source| StoreError::Query { doing, source }
}

/// Gives an unreadable stored text its subject.
pub(super) fn stored<E: std::error::Error + Send + Sync + 'static>(what: &'static str) -> impl FnOnce(E) -> StoreError {
    move |source| StoreError::Stored { what, source: Box::new(source) }
}

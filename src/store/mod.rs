//! The database: what was found, for whom, since when, and the evidence; the incidents that came of it, and the notices about them on
//! their way. Owns the only SQL, the one writer, the read-only readers, what people write beside them, the migrations, the backup and
//! the care of the file; knows no HTTP, no way to a channel, and no clock: times are handed in as seconds since 1970 (UTC).
//!
//! SQLite in WAL mode, `synchronous = FULL`: what `record` has returned survives a power cut on an honest disk.

mod alarm;
mod ballast;
mod body;
mod channel;
mod check;
mod compare;
mod conclude;
mod content;
mod course;
mod dossier;
mod error;
mod event;
mod figure;
mod group;
mod history;
mod incident;
mod ispdb;
mod lease;
mod lock;
mod migration;
mod mount;
mod outbox;
mod people;
mod plan;
mod read;
mod record;
mod restore;
mod retention;
mod route;
mod run;
mod seal;
mod size;
mod sqlite;
mod standing;
mod summary;
mod sweep;
mod word;
mod write;

use std::path::{Path, PathBuf};

use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::Mutex;

pub use alarm::GroupState;
pub use check::Check;
pub use conclude::{Concluded, Conclusion, Scope};
pub use course::{Course, Unfinished};
pub use dossier::{Dossier, DossierRecord};
pub use error::StoreError;
pub use figure::{ChannelFigures, Figures, IncidentFigure, MailboxFigure, TenantFigures};
pub use group::DomainGroup;
pub use incident::{IncidentChange, IncidentFilter};
pub use ispdb::{EntryLook, EntryVersion, KeptEntry};
pub use lease::{Fate, Settled};
pub use migration::Migrated;
pub use outbox::Queue;
pub use people::Desk;
pub use plan::{Demand, DemandId, Recheck, Schedule};
pub use read::{MailboxPages, MailboxRow, ReportFilter, Snapshot};
pub use record::{DomainBatch, Entry, Recorded};
pub use restore::Restored;
pub use retention::{Cleared, Retention};
pub use route::Destination;
pub use run::{Progress, Run, RunId, RunState};
pub use size::Size;
pub use standing::Standing;
pub use summary::TenantSummary;

use ballast::Ballast;
use error::doing;
use lock::Lock;

/// The database, open for writing. There is one at a time: a lock file beside the database says so.
#[derive(Debug)]
pub struct Store {
    reader: Reader,
    writer: SqlitePool,
    known: content::Known,
    ballast: Ballast,
    /// One at a time looks for what is old.
    clearing: Mutex<()>,
    // released when the store is dropped, after the pools
    lock: Lock,
}

fn marking(database: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    error::making("mark the lock file beside", database)
}

/// Takes the lock; waits a second for whoever is just about to let it go.
async fn lock_soon(path: &Path) -> Result<Lock, StoreError> {
    for _ in 0..LOCK_ATTEMPTS {
        match Lock::acquire(path) {
            Err(StoreError::Locked { .. }) => tokio::time::sleep(LOCK_PAUSE).await,
            taken => return taken,
        }
    }
    Lock::acquire(path)
}

const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// The database, open for reading, also while an audit writes.
#[derive(Debug, Clone)]
pub struct Reader {
    path: PathBuf,
    pool: SqlitePool,
}

impl Store {
    /// Opens the database; makes it where there is none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError`] where another audit holds the database, where the file is not ours or newer than this program, or
    /// where SQLite does not take a setting.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::open_and_migrate(path).await?.0)
    }

    /// Brings the schema up to date, and says what was done.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn migrate(path: &Path) -> Result<Migrated, StoreError> {
        let (store, migrated) = Self::open_and_migrate(path).await?;
        store.close().await?;
        Ok(migrated)
    }

    /// Opens the database for reading only.
    ///
    /// # Errors
    /// [`StoreError`] where there is none, or where its schema is not this program's.
    pub async fn open_read_only(path: &Path) -> Result<Reader, StoreError> {
        if !path.exists() {
            return Err(StoreError::File {
                doing: "find the database",
                path: path.to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            });
        }
        mount::require_local(path)?;
        let found = sqlite::inspect(path).await?;
        migration::require_current(path, found)?;
        Ok(Reader { path: path.to_owned(), pool: sqlite::open_readers(path).await? })
    }

    /// The reading half.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Writes the log back into the database and closes it. Without it nothing is lost; the log is then replayed.
    ///
    /// # Errors
    /// [`StoreError::Query`] where the log cannot be written back.
    pub async fn close(mut self) -> Result<(), StoreError> {
        self.reader.pool.close().await;
        let checkpoint = self.attempt(|| sqlite::checkpoint(&self.writer)).await;
        self.writer.close().await;
        checkpoint?;
        self.lock.unmark().map_err(marking(&self.reader.path))
    }

    /// SQLite needs room to open a database, too.
    async fn open_and_migrate(path: &Path) -> Result<(Self, Migrated), StoreError> {
        match Self::open_once(path).await {
            Err(error) if error.is_full() => {
                let ballast = Ballast::beside(path);
                if !ballast.release() {
                    return Err(error);
                }
                let (store, migrated) = Self::open_once(path).await?;
                Ok((Self { ballast, ..store }, migrated))
            }
            opened => opened,
        }
    }

    async fn open_once(path: &Path) -> Result<(Self, Migrated), StoreError> {
        mount::require_local(path)?;
        let mut lock = lock_soon(path).await?;
        sqlite::create_private(path)?;
        let found = sqlite::inspect(path).await?;
        migration::require_known(path, found)?;
        if lock.mark().map_err(marking(path))? {
            tracing::warn!(path = %path.display(), "the database was not closed in order: its pages are checked");
            sqlite::require_undamaged(path).await?;
        }
        let writer = sqlite::open_writer(path).await?;
        if !sqlite::can_shrink(&writer).await? {
            tracing::warn!(
                path = %path.display(),
                "the database keeps the room that it once took: `db backup` makes a copy that gives it back, and `db restore` puts that in its place"
            );
        }
        let migrated = migration::run(path, &writer, migration::ALL).await?;
        sqlite::forget_statistics(&writer).await?;
        // only who holds the lock leases
        lease::expire_leases(&writer, i64::MAX).await?;
        let reader = Reader { path: path.to_owned(), pool: sqlite::open_readers(path).await? };
        let ballast = Ballast::beside(path);
        Ok((Self { reader, writer, known: content::Known::default(), ballast, clearing: Mutex::default(), lock }, migrated))
    }

    /// A transaction that holds the write lock from its first statement; rolled back where it is dropped.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(doing("begin to write"))
    }
}

//! Putting a backup in the place of the database.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Store, StoreError, error::making, lock::beside, lock_soon, migration, mount, sqlite};

/// What a restoration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The database that was there, under its new name, with the log beside it; `None`: there was none.
    pub replaced: Option<PathBuf>,
}

impl Store {
    /// Puts a copy of `from` in the place of the database, which is kept as `DATABASE.replaced-SECONDS`. The copy is checked first, and
    /// takes the place as a whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where an audit or the service holds the database; [`StoreError::NotOurs`], [`StoreError::Schema`],
    /// [`StoreError::Copy`] and [`StoreError::Damaged`] where `from` is no sound database of this program; [`StoreError::File`].
    pub async fn restore(database: &Path, from: &Path, at: i64) -> Result<Restored, StoreError> {
        mount::require_local(database)?;
        if !from.is_file() {
            return Err(file("find the copy", from)(io::ErrorKind::NotFound.into()));
        }
        if is_same(database, from) {
            return Err(file("put a database in its own place", from)(io::ErrorKind::InvalidInput.into()));
        }
        let _lock = lock_soon(database).await?;
        let found = sqlite::inspect(from).await?;
        if found.is_empty {
            return Err(StoreError::NotOurs { path: from.to_owned() });
        }
        migration::require_known(from, found)?;
        let ready = beside(database, ".restoring");
        sqlite::copy(from, &ready).await?;
        let replaced = put(&ready, database, at).await;
        if replaced.is_err() {
            // the first error is the one to tell
            let _ = fs::remove_file(&ready);
        }
        Ok(Restored { replaced: replaced? })
    }
}

/// Gives the copy the name of the database, whose own file and log get another.
async fn put(ready: &Path, database: &Path, at: i64) -> Result<Option<PathBuf>, StoreError> {
    let replaced = if database.try_exists().map_err(file("look for", database))? {
        let replaced = free_name(database, at);
        // with the log written back, there is no instant at which the old file lacks what is in it; a damaged one cannot do that
        if let Err(error) = sqlite::fold_log(database).await {
            tracing::warn!(path = %database.display(), %error, "the log of the replaced database could not be written back");
        }
        // two names for a moment, so that there is a database all the time
        match fs::hard_link(database, &replaced) {
            // a file system without further names
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(database, &replaced),
            linked => linked,
        }
        .map_err(making("keep", database))?;
        Some(replaced)
    } else {
        None
    };
    // a log is never to meet a database that it does not belong to
    for suffix in ["-wal", "-shm"] {
        let log = beside(database, suffix);
        let moved = replaced.as_ref().map_or_else(|| fs::remove_file(&log), |replaced| fs::rename(&log, beside(replaced, suffix)));
        match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(making("move the log of", database)(error)),
            _ => {}
        }
    }
    sqlite::publish(ready, database)?;
    Ok(replaced)
}

fn free_name(database: &Path, at: i64) -> PathBuf {
    let name = |second| beside(database, &format!(".replaced-{second}"));
    (at..at.saturating_add(SECONDS)).map(name).find(|name| !name.exists()).unwrap_or_else(|| name(at))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File { doing, path, source }
}

/// Of which a name is looked for that is free.
const SECONDS: i64 = 600;

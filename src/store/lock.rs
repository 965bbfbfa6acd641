//! One audit a database: an advisory lock on `DATABASE.lock`, which the system releases however the process ends.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

use super::StoreError;

/// Held while it lives. The file stays: to remove it would let two hold locks on two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|source| StoreError::File {
            doing: "open the lock file",
            path: path.clone(),
            source,
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { lock: path }),
            Err(TryLockError::Error(source)) => Err(StoreError::File { doing: "lock", path, source }),
        }
    }
}

/// The path with something added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

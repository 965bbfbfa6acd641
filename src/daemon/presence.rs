//! Whether a service works with a database: an advisory lock on `DATABASE.service`, which the system releases however the process
//! ends. An audit that finds the database taken asks the service for its run, where there is one.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Held while the service lives. The file stays.
#[derive(Debug)]
pub(super) struct Presence {
    _file: File,
}

impl Presence {
    /// Takes the lock.
    pub(super) fn claim(database: &Path) -> io::Result<Self> {
        let file = open(database)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Whether a service works with a database.
#[must_use]
pub fn is_present(database: &Path) -> bool {
    File::open(path_of(database)).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn open(database: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path_of(database))
}

/// Beside the file itself, whatever symlinks lead there.
fn path_of(database: &Path) -> PathBuf {
    let mut name = OsString::from(std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()));
    name.push(".service");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_present_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("audit.db");
        assert!(!is_present(&database));
        let presence = Presence::claim(&database).unwrap();
        assert!(is_present(&database) && Presence::claim(&database).is_err());
        drop(presence);
        assert!(!is_present(&database));
    }
}

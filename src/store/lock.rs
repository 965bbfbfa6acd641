//! One audit a database: an advisory lock on `DATABASE.lock`, which the system releases however the process ends. It lies beside the
//! file itself, whatever symlinks lead there, as SQLite's log does.

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use super::{StoreError, error::making};

/// Held while it lives. The file stays: to remove it would let two hold locks on two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    pub(super) fn acquire(database: &Path) -> Result<Self, StoreError> {
        let database =
            real_path(database).map_err(|source| StoreError::File { doing: "find the folder of", path: database.to_owned(), source })?;
        require_one_name(&database)?;
        let path = beside(&database, ".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(making("open the lock file beside", &database))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { lock: path }),
            Err(TryLockError::Error(source)) => Err(StoreError::File { doing: "lock", path, source }),
        }
    }

    /// Marks the database as one that is written, and says whether it was marked already: whoever held the lock before did not end in
    /// order. One octet that is overwritten in place needs no room.
    pub(super) fn mark(&mut self) -> io::Result<bool> {
        let mut found = [CLOSED];
        self.file.rewind()?;
        let length = self.file.read(&mut found)?;
        self.write(OPEN)?;
        Ok(length == 1 && found == [OPEN])
    }

    /// Takes the mark away: all that was written is in its place.
    pub(super) fn unmark(&mut self) -> io::Result<()> {
        self.write(CLOSED)
    }

    fn write(&mut self, mark: u8) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(&[mark])?;
        self.file.sync_data()
    }
}

const OPEN: u8 = b'1';
const CLOSED: u8 = b'0';

/// The path without symlinks; of a file that is not there yet, that of its folder.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Ok(fs::canonicalize(folder)?.join(path.file_name().ok_or(error)?))
        }
        found => found,
    }
}

/// Refuses a file with further hard links: locks and logs go by name (SQLite, "How To Corrupt", section 2.5).
fn require_one_name(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    if let Ok(file) = fs::metadata(path)
        && let links @ 2.. = std::os::unix::fs::MetadataExt::nlink(&file)
    {
        return Err(StoreError::Linked { path: path.to_owned(), links });
    }
    Ok(())
}

/// The path with something added to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

//! What lies under the database: a full disk, and a file that is there to be deleted then. With a full disk SQLite cannot even delete
//! rows; the room that the ballast held lets what was found be written, and the audit be stopped in order.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use sqlx::Connection as _;

use super::{
    Store, StoreError,
    error::{Storage, doing},
    lock::beside,
};

/// The file beside a database, and whether the disk was found full.
#[derive(Debug)]
pub(super) struct Ballast {
    database: PathBuf,
    path: PathBuf,
    is_short: AtomicBool,
}

impl Store {
    /// Keeps a file of this size beside the database, `DATABASE.ballast`, to be deleted when the disk is full; makes it where it is
    /// missing and the disk has more than four times the room. Returns whether it is there. Where it could be made anew, the disk counts
    /// as full no longer. To be called when the database has been opened, and now and then.
    ///
    /// # Errors
    /// [`StoreError::File`] where it cannot be made for another reason than want of room.
    pub async fn keep_ballast(&self, bytes: u64) -> Result<bool, StoreError> {
        let path = self.ballast.path.clone();
        let made = tokio::task::spawn_blocking(move || keep(&path, bytes)).await.map_err(io::Error::other).and_then(|made| made);
        match made {
            Ok(is_there) => {
                if is_there || bytes == 0 {
                    self.ballast.is_short.store(false, Ordering::Relaxed);
                }
                Ok(is_there)
            }
            Err(error) if is_full(&error) => Ok(false),
            Err(source) => Err(StoreError::File { doing: "keep room beside the database in", path: self.ballast.path.clone(), source }),
        }
    }

    /// Whether the disk was found full since the ballast was last made: what was found is written as long as the room that it held lasts,
    /// and nothing more should be begun.
    #[must_use]
    pub fn is_short_of_space(&self) -> bool {
        self.ballast.is_short.load(Ordering::Relaxed)
    }

    /// Makes an attempt to write; where the disk is full, deletes the ballast and makes another.
    pub(super) async fn attempt<T, F: Future<Output = Result<T, StoreError>>>(&self, write: impl Fn() -> F) -> Result<T, StoreError> {
        match self.attempt_once(&write).await {
            Err(error) if error.storage() != Storage::Fine => {
                let again = if self.ballast.release() { self.attempt_once(&write).await } else { Err(error) };
                again.map_err(|error| self.ballast.explain(error))
            }
            done => done,
        }
    }

    async fn attempt_once<T, F: Future<Output = Result<T, StoreError>>>(&self, write: &impl Fn() -> F) -> Result<T, StoreError> {
        let done = write().await;
        if done.as_ref().is_err_and(|error| error.storage() != Storage::Fine) {
            self.reconnect().await?;
        }
        done
    }

    /// SQLite ends a transaction by itself that finds the disk full. sqlx believes in it still, and would begin no other on that
    /// connection.
    async fn reconnect(&self) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await.map_err(doing("mend the connection"))?;
        // behind whatever sqlx still has to do on it
        let answers = connection.ping().await.is_ok();
        if !answers || connection.is_in_transaction() {
            // the pool makes another
            connection.close().await.map_err(doing("close a connection"))?;
        }
        Ok(())
    }
}

impl Ballast {
    pub(super) fn beside(database: &Path) -> Self {
        Self { database: database.to_owned(), path: beside(database, ".ballast"), is_short: AtomicBool::new(false) }
    }

    /// Deletes it; whether there was one.
    pub(super) fn release(&self) -> bool {
        let is_released = fs::remove_file(&self.path).is_ok();
        if is_released {
            self.is_short.store(true, Ordering::Relaxed);
            tracing::error!(path = %self.database.display(), "the disk of the database is full: the room that was kept is now used");
        }
        is_released
    }

    /// Says that the disk is full where it is: SQLite does not tell a spent quota from other failures to write.
    fn explain(&self, error: StoreError) -> StoreError {
        let is_full = match error.storage() {
            Storage::Fine => false,
            Storage::Full => true,
            Storage::Doubtful => has_no_room(&self.database),
        };
        if !is_full {
            return error;
        }
        self.is_short.store(true, Ordering::Relaxed);
        StoreError::Full { path: self.database.clone(), source: Box::new(error) }
    }
}

/// Makes the file where it is missing and there is room. Whether it is there.
fn keep(path: &Path, bytes: u64) -> io::Result<bool> {
    if bytes == 0 {
        return Ok(false);
    }
    if fs::metadata(path).is_ok_and(|file| file.len() == bytes) {
        return Ok(true);
    }
    if free_space(path)?.is_some_and(|free| free <= bytes.saturating_mul(4)) {
        return Ok(false);
    }
    let filled = fill(path, bytes);
    if filled.is_err() {
        // half a ballast would be taken for one
        let _ = fs::remove_file(path);
    }
    filled.map(|()| true)
}

/// Fills a file with what no file system can store in less room.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    let (mut block, mut left, mut noise) = (vec![0; BLOCK], bytes, 0x9e37_79b9_7f4a_7c15_u64);
    while left > 0 {
        for word in block.chunks_exact_mut(8) {
            // xorshift64 (Marsaglia, 2003)
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            word.copy_from_slice(&noise.to_le_bytes());
        }
        let length = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        file.write_all(block.get(..length).unwrap_or_default())?;
        left -= length as u64;
    }
    file.sync_all()
}

/// Bytes that this user can still write on the disk that a file is or will be on; `None` where that cannot be told.
fn free_space(path: &Path) -> io::Result<Option<u64>> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let disk = rustix::fs::statvfs(folder)?;
        Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(None)
    }
}

/// Whether a little more cannot be written beside the database for want of room.
pub(super) fn has_no_room(database: &Path) -> bool {
    let path = beside(database, &format!(".room-{}", std::process::id()));
    let filled = fill(&path, PROBE);
    let _ = fs::remove_file(&path);
    filled.is_err_and(|error| is_full(&error))
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

const BLOCK: usize = 1 << 18;
const PROBE: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TenantId;

    #[test]
    fn a_ballast_takes_the_room_that_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ballast");
        let bytes = BLOCK as u64 * 2 + 100;
        assert!(keep(&path, bytes).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
        #[cfg(unix)]
        assert!(std::os::unix::fs::MetadataExt::blocks(&fs::metadata(&path).unwrap()) * 512 >= bytes, "it is sparse");
        assert!(!keep(&path, 0).unwrap());
    }

    #[test]
    fn no_ballast_is_made_that_would_fill_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.ballast");
        assert!(!keep(&path, u64::MAX / 8).unwrap());
        assert!(!path.exists());
    }

    /// A store that finds its disk full as soon as it needs another page, until it has another connection.
    async fn cramped(folder: &Path) -> Store {
        let store = Store::open(&folder.join("audit.db")).await.unwrap();
        let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.writer).await.unwrap();
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::raw_sql(limit).execute(&store.writer).await.unwrap();
        store
    }

    /// Something that needs many pages.
    async fn write_much(store: &Store) -> Result<(), StoreError> {
        let tenants: Vec<_> = (0..2_000).map(|number| (TenantId::try_from(format!("t{number}")).unwrap(), "x".repeat(200), 1)).collect();
        store.begin_run(&tenants, 1).await.map(drop)
    }

    #[tokio::test]
    async fn with_a_full_disk_the_ballast_makes_room_for_what_was_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = cramped(folder.path()).await;
        assert!(store.keep_ballast(100_000).await.unwrap());
        assert!(!store.is_short_of_space());
        write_much(&store).await.unwrap();
        assert_eq!(store.reader().runs(9).await.unwrap().len(), 1, "written once");
        assert!(store.is_short_of_space());
        assert!(!folder.path().join("audit.db.ballast").exists());
        // once there is room again
        assert!(store.keep_ballast(100_000).await.unwrap());
        assert!(!store.is_short_of_space());
        assert!(store.reader().check().await.unwrap().is_sound());
    }

    #[tokio::test]
    async fn a_full_disk_without_ballast_is_named_and_what_was_recorded_is_safe() {
        let folder = tempfile::tempdir().unwrap();
        let store = cramped(folder.path()).await;
        let refused = write_much(&store).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Full { path, .. } if path.ends_with("audit.db")), "{refused:?}");
        assert!(store.is_short_of_space());
        assert_eq!(store.reader().runs(9).await.unwrap(), []);
        // the next attempt finds a connection that works
        write_much(&store).await.unwrap();
        assert!(store.reader().check().await.unwrap().is_sound());
    }
}

//! How much room the database takes, and giving back what it does not need.

use std::fs;

use sqlx::{SqliteConnection, SqlitePool};

use super::{Reader, StoreError, error::doing, lock::beside, sqlite};

/// How much room the database takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Of what is stored.
    pub used: u64,
    /// Of pages that hold nothing.
    pub free: u64,
    /// Of the log beside it.
    pub log: u64,
}

impl Reader {
    /// How much room the database takes.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn size(&self) -> Result<Size, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(doing("read the size"))?;
        let pages = read_pages(&mut connection).await.map_err(doing("read the size"))?;
        let log = fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len());
        Ok(Size { used: (pages.all - pages.free) * pages.bytes, free: pages.free * pages.bytes, log })
    }
}

/// Pages of the file, those that hold nothing, and the bytes of one.
struct Pages {
    all: u64,
    free: u64,
    bytes: u64,
}

async fn read_pages(connection: &mut SqliteConnection) -> sqlx::Result<Pages> {
    let all = sqlite::number(connection, "PRAGMA page_count").await?.unsigned_abs();
    let free = sqlite::number(connection, "PRAGMA freelist_count").await?.unsigned_abs();
    let bytes = sqlite::number(connection, "PRAGMA page_size").await?.unsigned_abs();
    Ok(Pages { all, free: free.min(all), bytes })
}

/// Gives all pages that hold nothing back to the file system, a few at a time. Returns how many bytes that were.
pub(super) async fn shrink(writer: &SqlitePool) -> Result<u64, StoreError> {
    let mut released = 0;
    loop {
        let mut connection = writer.acquire().await.map_err(doing("release empty pages"))?;
        let before = read_pages(&mut connection).await.map_err(doing("release empty pages"))?;
        if before.free == 0 {
            break;
        }
        sqlx::raw_sql("PRAGMA incremental_vacuum(256)").execute(&mut *connection).await.map_err(doing("release empty pages"))?;
        let after = read_pages(&mut connection).await.map_err(doing("release empty pages"))?;
        // a database that was not made for it gives nothing back
        if after.all >= before.all {
            break;
        }
        released += (before.all - after.all) * before.bytes;
    }
    sqlite::checkpoint(writer).await?;
    Ok(released)
}

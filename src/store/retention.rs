//! How long what is past is kept. What is now stays, whatever its size: the mailboxes, their outcomes, the newest answers, the incidents
//! that are not over, and every event that a channel has not been told of.

use super::{Reader, Store, StoreError, error::doing, size};

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Seconds for which what is past is kept.
    pub age: i64,
    /// Bytes that the database may take before the oldest of what is past is dropped earlier; `None`: as many as it needs.
    pub size: Option<u64>,
}

/// What was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cleared {
    /// Rows, of whatever kind.
    pub rows: u64,
    /// Bytes that were given back to the file system.
    pub released: u64,
    /// From when on what is past was kept, seconds since 1970.
    pub kept_from: i64,
    /// The database takes more than it may, with nothing left that could be dropped.
    pub is_too_large: bool,
}

/// The instants before which things are dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Runs up to this one: of older rows, only those are kept that say how things were after it.
    pub(super) run: i64,
    /// Events, incidents that are over, exemptions, entries of ISP databases.
    pub(super) event: i64,
    /// Incidents that were never confirmed.
    pub(super) dismissed: i64,
    /// Notices that were delivered or given up.
    pub(super) notice: i64,
    /// Demands that are over.
    pub(super) demand: i64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: 400 * DAY, size: None }
    }
}

impl Store {
    /// Drops what is older than is to be kept and, where the database takes more room than it may, the oldest of the rest step by step;
    /// then gives the room back. In small transactions, between which others write.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clear_old(&self, keep: &Retention, now: i64) -> Result<Cleared, StoreError> {
        let _turn = self.clearing.lock().await;
        let mut cleared = Cleared { kept_from: now - keep.age, ..Cleared::default() };
        cleared.rows += self.sweep(self.reader.cut(cleared.kept_from, now).await?).await?;
        cleared.released += size::shrink(&self.writer).await?;
        let Some(limit) = keep.size else { return Ok(cleared) };
        let oldest = self.reader.oldest_run().await?.unwrap_or(now).max(cleared.kept_from);
        for step in 1..=STEPS {
            if self.reader.size().await?.used <= limit {
                return Ok(cleared);
            }
            // the last step is over every run that has begun
            cleared.kept_from = oldest + (now + 1 - oldest) * step / STEPS;
            cleared.rows += self.sweep(self.reader.cut(cleared.kept_from, now).await?).await?;
            cleared.released += size::shrink(&self.writer).await?;
        }
        cleared.is_too_large = self.reader.size().await?.used > limit;
        Ok(cleared)
    }
}

impl Reader {
    /// What an instant means for each kind of rows. A run whose time is to come was made while the clock was wrong, and says nothing.
    async fn cut(&self, from: i64, now: i64) -> Result<Cut, StoreError> {
        let run: Option<i64> = sqlx::query_scalar(
            "SELECT min(coalesce((SELECT min(id) - 1 FROM run WHERE started_at >= $1 AND started_at <= $2), max(id)), max(id))
             FROM run WHERE state = 'finished' OR id < (SELECT max(id) FROM run)",
        )
        .bind(from)
        .bind(now)
        .fetch_one(&self.pool)
        .await
        .map_err(doing("look for the runs to keep"))?;
        Ok(Cut {
            run: run.unwrap_or(0),
            event: from.min(now - 30 * DAY),
            dismissed: now - 7 * DAY,
            notice: now - 30 * DAY,
            demand: now - 7 * DAY,
        })
    }

    async fn oldest_run(&self) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar("SELECT min(started_at) FROM run").fetch_one(&self.pool).await.map_err(doing("look for the oldest run"))
    }
}

const DAY: i64 = 86_400;
/// In which what is past is dropped until the rest fits.
const STEPS: i64 = 8;

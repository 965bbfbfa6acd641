//! Channels that ask for a pause, or refuse everything; and those that are no more.

use super::{Store, StoreError, error::doing};

impl Store {
    /// Sends a channel nothing before this; an earlier instant changes nothing, as only time ends a pause that was asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_channel(&self, channel: &str, not_before: i64) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query(
                "INSERT INTO channel (name, not_before) VALUES ($1, $2)
                 ON CONFLICT (name) DO UPDATE SET not_before = max(channel.not_before, excluded.not_before)",
            )
            .bind(channel)
            .bind(not_before)
            .execute(&self.writer)
            .await
            .map_err(doing("hold a channel"))?;
            Ok(())
        })
        .await
    }

    /// Notes that a channel refuses everything (401, 403, 404, 410), and is tried again from `retry_at` on. Its queue is kept; since
    /// when it refuses is that of the first time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pause_channel(&self, channel: &str, reason: &str, (at, retry_at): (i64, i64)) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query(
                "INSERT INTO channel (name, not_before, paused_at, pause_reason, retry_at) VALUES ($1, 0, $2, $3, $4)
                 ON CONFLICT (name) DO UPDATE SET paused_at = coalesce(channel.paused_at, excluded.paused_at),
                   pause_reason = excluded.pause_reason, retry_at = excluded.retry_at",
            )
            .bind(channel)
            .bind(at)
            .bind(reason)
            .bind(retry_at)
            .execute(&self.writer)
            .await
            .map_err(doing("pause a channel"))?;
            Ok(())
        })
        .await
    }

    /// Tries a channel again that refuses everything, whenever it was to be tried; it stays paused until it takes something. `None`:
    /// all of them. A pause that a channel asked for is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn retry_channel(&self, channel: Option<&str>) -> Result<(), StoreError> {
        self.attempt(|| async {
            let mut tx = self.begin().await?;
            for update in [
                "UPDATE channel SET retry_at = 0 WHERE retry_at IS NOT NULL AND ($1 IS NULL OR name = $1)",
                "UPDATE notice SET next_at = 0 WHERE state = 'queued' AND ($1 IS NULL OR channel = $1)
                   AND channel IN (SELECT name FROM channel WHERE retry_at IS NOT NULL)",
            ] {
                sqlx::query(update).bind(channel).execute(&mut *tx).await.map_err(doing("try a channel again"))?;
            }
            tx.commit().await.map_err(doing("try a channel again"))
        })
        .await
    }

    /// Gives up what waits for channels that are not among these, and forgets them. Returns how many notices that were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_channels_except(&self, configured: &[&str], now: i64) -> Result<u64, StoreError> {
        self.attempt(|| async {
            let mut tx = self.begin().await?;
            let known: Vec<String> =
                sqlx::query_scalar("SELECT channel FROM notice WHERE state IN ('queued', 'leased') UNION SELECT name FROM channel")
                    .fetch_all(&mut *tx)
                    .await
                    .map_err(doing("read the channels"))?;
            let mut dropped = 0;
            for channel in known.iter().filter(|channel| !configured.contains(&channel.as_str())) {
                let dead = sqlx::query(
                    "UPDATE notice SET state = 'dead', ended_at = $1, lease_until = NULL, last_error = 'the channel is configured no more'
                     WHERE channel = $2 AND state IN ('queued', 'leased')",
                )
                .bind(now)
                .bind(channel)
                .execute(&mut *tx)
                .await
                .map_err(doing("drop a channel"))?;
                sqlx::query("DELETE FROM channel WHERE name = $1")
                    .bind(channel)
                    .execute(&mut *tx)
                    .await
                    .map_err(doing("drop a channel"))?;
                dropped += dead.rows_affected();
            }
            tx.commit().await.map_err(doing("drop channels"))?;
            Ok(dropped)
        })
        .await
    }
}

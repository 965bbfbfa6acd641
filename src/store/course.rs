//! How far runs are and what they came to, for those who follow them from outside.

use super::{Reader, Recorded, RunId, Store, StoreError, error::doing};
use crate::model::TenantId;

/// A run over whole lists that was begun and not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its number.
    pub run: RunId,
    /// When it began.
    pub started_at: i64,
    /// Its tenants.
    pub tenants: Vec<TenantId>,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Course {
    /// Mailboxes in its lists.
    pub total: u64,
    /// Mailboxes in the domains that are done.
    pub done: u64,
}

impl Store {
    /// Asks the connection that writes for a sign of life; waits for whoever writes.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.writer).await.map_err(doing("get an answer"))?;
        Ok(())
    }
}

impl Reader {
    /// The newest run, where it was to go over whole lists and did not come to its end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unfinished_run(&self) -> Result<Option<Unfinished>, StoreError> {
        let found: Option<(i64, i64)> =
            sqlx::query_as("SELECT id, started_at FROM run WHERE id = (SELECT max(id) FROM run) AND state <> 'finished' AND is_part = 0")
                .fetch_optional(&self.pool)
                .await
                .map_err(doing("look for a run that was cut short"))?;
        let Some((run, started_at)) = found else { return Ok(None) };
        let tenants: Vec<String> = sqlx::query_scalar("SELECT tenant FROM run_tenant WHERE run = $1 ORDER BY tenant")
            .bind(run)
            .fetch_all(&self.pool)
            .await
            .map_err(doing("look for a run that was cut short"))?;
        let tenants = tenants.into_iter().filter_map(|tenant| TenantId::try_from(tenant).ok()).collect();
        Ok(Some(Unfinished { run: RunId(run), started_at, tenants }))
    }

    /// How far a run is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn course(&self, run: RunId) -> Result<Course, StoreError> {
        let (total, done): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT coalesce(sum(mailboxes), 0) FROM run_tenant WHERE run = $1),
                    (SELECT count(*) FROM domain d JOIN mailbox m ON m.tenant = d.tenant AND m.domain = d.name
                     WHERE d.run = $1 AND d.done = 1 AND m.outcome IS NOT NULL)",
        )
        .bind(run.0)
        .fetch_one(&self.pool)
        .await
        .map_err(doing("read how far a run is"))?;
        Ok(Course { total: total.unsigned_abs(), done: done.unsigned_abs() })
    }

    /// What a run changed, by the history that it left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn changes_of(&self, run: RunId) -> Result<Recorded, StoreError> {
        let (new, changed, gone): (i64, i64, i64) = sqlx::query_as(
            "SELECT coalesce(sum(h.outcome IS NOT NULL AND m.first_run = h.run), 0),
                    coalesce(sum(h.outcome IS NOT NULL AND m.first_run <> h.run), 0),
                    coalesce(sum(h.outcome IS NULL), 0)
             FROM history h JOIN mailbox m ON m.id = h.mailbox WHERE h.run = $1",
        )
        .bind(run.0)
        .fetch_one(&self.pool)
        .await
        .map_err(doing("read what a run changed"))?;
        let [new, changed, gone] = [new, changed, gone].map(i64::unsigned_abs);
        let course = self.course(run).await?;
        Ok(Recorded { new, changed, unchanged: course.done.saturating_sub(new + changed), gone })
    }
}

//! The database in numbers, for whoever watches the service: read at one instant, and none of them about a single mailbox.

use sqlx::SqliteConnection;

use super::{
    Reader, StoreError,
    error::{doing, stored},
    lock::beside,
};
use crate::model::TenantId;

/// The database in numbers, as it was at one instant. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By tenant and worst verdict of the audited clients.
    pub mailboxes: Vec<MailboxFigure>,
    /// By tenant, in the order of their ids.
    pub tenants: Vec<TenantFigures>,
    /// Incidents that are suspected or open, by everything that the figure names.
    pub incidents: Vec<IncidentFigure>,
    /// By channel, in the order of their names.
    pub channels: Vec<ChannelFigures>,
    /// Bytes of the database, without its log.
    pub bytes: u64,
    /// Bytes of the write-ahead log's file.
    pub log_bytes: u64,
}

/// Mailboxes that have one thing in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxFigure {
    /// Whose they are.
    pub tenant: TenantId,
    /// The worst verdict of the audited clients, by its name.
    pub verdict: String,
    /// How many.
    pub count: u64,
    /// How many of them need manual configuration.
    pub needs_manual: u64,
    /// About how many of them the authorities contradict each other on where they live.
    pub conflicts: u64,
    /// How many of their addresses are personal accounts, too.
    pub personal: u64,
}

/// A tenant's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFigures {
    /// Who.
    pub tenant: TenantId,
    /// The newest due time that was taken up; `None`: there was none yet.
    pub due_at: Option<i64>,
    /// When its newest whole run ended well; `None`: none has.
    pub succeeded_at: Option<i64>,
}

/// Incidents that have one thing in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentFigure {
    /// Whose they are; `None`: about us.
    pub tenant: Option<TenantId>,
    /// What they are about, as `Concern::kind` has it.
    pub kind: String,
    /// Where they stand.
    pub state: String,
    /// How grave they are.
    pub severity: String,
    /// How many.
    pub count: u64,
}

/// A channel's queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFigures {
    /// Its name.
    pub channel: String,
    /// Notices that wait or are being sent.
    pub waiting: u64,
    /// When the oldest of them was queued.
    pub oldest_at: Option<i64>,
    /// Notices that were given up.
    pub dead: u64,
    /// Whether it has refused us for good.
    pub is_paused: bool,
}

impl Reader {
    /// Reads all of them in one transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn figures(&self) -> Result<Figures, StoreError> {
        let mut tx = self.pool.begin().await.map_err(doing("begin to read"))?;
        let (bytes,): (i64,) = sqlx::query_as("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
            .fetch_one(&mut *tx)
            .await
            .map_err(doing("read its size"))?;
        let figures = Figures {
            mailboxes: read_mailboxes(&mut tx).await?,
            tenants: read_tenants(&mut tx).await?,
            incidents: read_incidents(&mut tx).await?,
            channels: read_channels(&mut tx).await?,
            bytes: bytes.unsigned_abs(),
            log_bytes: std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |file| file.len()),
        };
        tx.rollback().await.map_err(doing("end reading"))?;
        Ok(figures)
    }

    /// Channels with a notice that nothing holds back since this instant and that still waits: its channel asks for no
    /// pause and is not paused, and no earlier notice of its stream is in the way.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn channels_stuck(&self, since: i64) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar(
            "SELECT DISTINCT n.channel FROM notice n LEFT JOIN channel c ON c.name = n.channel
             WHERE n.state = 'queued' AND n.next_at <= $1 AND coalesce(c.not_before, 0) <= $1 AND coalesce(c.retry_at, 0) <= $1
               AND NOT EXISTS (SELECT 1 FROM notice e WHERE e.channel = n.channel AND e.stream = n.stream
                                 AND e.state IN ('queued', 'leased') AND e.through < n.through)
             ORDER BY n.channel",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await
        .map_err(doing("look for what is stuck"))
    }
}

async fn read_mailboxes(connection: &mut SqliteConnection) -> Result<Vec<MailboxFigure>, StoreError> {
    // counted by outcome first, of which there are few
    let rows: Vec<(String, String, i64, i64, i64, i64)> = sqlx::query_as(
        "SELECT m.tenant, o.worst, sum(m.count), sum(m.count * o.needs_manual), sum(m.count * o.conflict), sum(m.count * o.personal)
         FROM (SELECT tenant, outcome, count(*) AS count FROM mailbox WHERE outcome IS NOT NULL GROUP BY tenant, outcome) m
         JOIN outcome o ON o.id = m.outcome
         GROUP BY m.tenant, o.worst ORDER BY m.tenant, o.worst",
    )
    .fetch_all(connection)
    .await
    .map_err(doing("count the mailboxes"))?;
    let figure = |(tenant, verdict, count, needs_manual, conflicts, personal): (String, String, i64, i64, i64, i64)| {
        let [count, needs_manual, conflicts, personal] = [count, needs_manual, conflicts, personal].map(i64::unsigned_abs);
        Ok(MailboxFigure { tenant: tenant_id(tenant)?, verdict, count, needs_manual, conflicts, personal })
    };
    rows.into_iter().map(figure).collect()
}

async fn read_tenants(connection: &mut SqliteConnection) -> Result<Vec<TenantFigures>, StoreError> {
    let rows: Vec<(String, Option<i64>, Option<i64>)> = sqlx::query_as(
        "SELECT t.id, s.due_at, s.succeeded_at FROM tenant t LEFT JOIN schedule s ON s.tenant = t.id
         UNION SELECT tenant, due_at, succeeded_at FROM schedule ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .map_err(doing("read the schedules"))?;
    let figures = |(tenant, due_at, succeeded_at)| Ok(TenantFigures { tenant: tenant_id(tenant)?, due_at, succeeded_at });
    rows.into_iter().map(figures).collect()
}

async fn read_incidents(connection: &mut SqliteConnection) -> Result<Vec<IncidentFigure>, StoreError> {
    let rows: Vec<(Option<String>, String, String, String, i64)> = sqlx::query_as(
        "SELECT tenant, kind, state, severity, count(*) FROM incident WHERE state IN ('suspected', 'open')
         GROUP BY tenant, kind, state, severity ORDER BY tenant, kind, state, severity",
    )
    .fetch_all(connection)
    .await
    .map_err(doing("count the incidents"))?;
    let figure = |(tenant, kind, state, severity, count): (Option<String>, String, String, String, i64)| {
        let tenant = tenant.map(tenant_id).transpose()?;
        Ok(IncidentFigure { tenant, kind, state, severity, count: count.unsigned_abs() })
    };
    rows.into_iter().map(figure).collect()
}

async fn read_channels(connection: &mut SqliteConnection) -> Result<Vec<ChannelFigures>, StoreError> {
    let rows: Vec<(String, i64, Option<i64>, i64, bool)> = sqlx::query_as(
        "SELECT k.name, coalesce(q.waiting, 0), q.oldest_at, coalesce(q.dead, 0), c.paused_at IS NOT NULL
         FROM (SELECT name FROM channel UNION SELECT channel FROM notice WHERE state IN ('queued', 'leased', 'dead')) k
         LEFT JOIN channel c ON c.name = k.name
         LEFT JOIN (SELECT channel, sum(state <> 'dead') AS waiting, min(CASE WHEN state <> 'dead' THEN created_at END) AS oldest_at,
                           sum(state = 'dead') AS dead
                    FROM notice WHERE state IN ('queued', 'leased', 'dead') GROUP BY channel) q ON q.channel = k.name
         ORDER BY k.name",
    )
    .fetch_all(connection)
    .await
    .map_err(doing("read the queues"))?;
    let figures = |(channel, waiting, oldest_at, dead, is_paused): (String, i64, Option<i64>, i64, bool)| ChannelFigures {
        channel,
        waiting: waiting.unsigned_abs(),
        oldest_at,
        dead: dead.unsigned_abs(),
        is_paused,
    };
    Ok(rows.into_iter().map(figures).collect())
}

fn tenant_id(text: String) -> Result<TenantId, StoreError> {
    TenantId::try_from(text).map_err(stored("tenant"))
}

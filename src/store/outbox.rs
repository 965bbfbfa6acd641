//! The outbox: notices on their way to the channels, in the order of what happened, until they are delivered or given up.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;
use uuid::{NoContext, Timestamp, Uuid};

use super::{
    Destination, Reader, StoreError,
    error::{doing, stored},
    event::{ABOUT_US, stream_of},
    route::{Routed, channels, of_channel},
};
use crate::model::Numbers;

/// How a channel stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// Its name.
    pub channel: String,
    /// Notices that wait, or are on their way.
    pub waiting: u64,
    /// When the oldest of them was queued.
    pub oldest_at: Option<i64>,
    /// Notices that were given up, as far back as they are kept.
    pub dead: u64,
    /// What the newest failure of a notice that still waits was.
    pub last_error: Option<String>,
    /// When it last took one.
    pub delivered_at: Option<i64>,
    /// Since when it refuses all.
    pub paused_at: Option<i64>,
    /// Why.
    pub pause_reason: Option<String>,
    /// When it is tried again.
    pub retry_at: Option<i64>,
    /// Nothing goes out earlier; 0: at once.
    pub not_before: i64,
}

impl Reader {
    /// How each channel stands that has or had something to tell, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outbox(&self) -> Result<Vec<Queue>, StoreError> {
        let notices: Vec<(String, i64, Option<i64>, i64)> = sqlx::query_as(
            "SELECT channel, count(*) FILTER (WHERE state <> 'dead'), min(created_at) FILTER (WHERE state <> 'dead'),
               count(*) FILTER (WHERE state = 'dead')
             FROM notice WHERE state <> 'delivered' GROUP BY channel",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read the outbox"))?;
        let mut queues = BTreeMap::<String, Queue>::new();
        for (channel, waiting, oldest_at, dead) in notices {
            let queue = queues.entry(channel).or_default();
            (queue.waiting, queue.oldest_at, queue.dead) = (waiting.unsigned_abs(), oldest_at, dead.unsigned_abs());
        }
        let errors: Vec<(String, String)> = sqlx::query_as(
            "SELECT channel, last_error FROM notice WHERE state IN ('queued', 'leased') AND last_error IS NOT NULL ORDER BY next_at",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read the outbox"))?;
        for (channel, error) in errors {
            queues.entry(channel).or_default().last_error = Some(error);
        }
        for (channel, not_before, paused_at, pause_reason, retry_at, delivered_at) in self.channels().await? {
            let queue = queues.entry(channel).or_default();
            *queue = Queue { delivered_at, paused_at, pause_reason, retry_at, not_before, ..std::mem::take(queue) };
        }
        Ok(queues.into_iter().map(|(channel, queue)| Queue { channel, ..queue }).collect())
    }

    /// When the notices that wait for a channel are tried, those left out that have not been put off.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_off(&self, channel: &str) -> Result<Vec<i64>, StoreError> {
        sqlx::query_scalar(
            "SELECT next_at FROM notice WHERE channel = $1 AND state IN ('queued', 'leased') AND next_at > 0 ORDER BY next_at",
        )
        .bind(channel)
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read the outbox"))
    }

    async fn channels(&self) -> Result<Vec<ChannelRow>, StoreError> {
        sqlx::query_as("SELECT name, not_before, paused_at, pause_reason, retry_at, delivered_at FROM channel")
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the channels"))
    }
}

type ChannelRow = (String, i64, Option<i64>, Option<String>, Option<i64>, Option<i64>);

/// Queues what was just logged to the channels that are to be told of it.
pub(super) async fn enqueue(
    connection: &mut SqliteConnection,
    events: &[Routed],
    (destinations, at): (&[Destination], i64),
) -> Result<(), StoreError> {
    let mut streams = BTreeMap::<&str, Vec<&Routed>>::new();
    for routed in events {
        streams.entry(stream_of(&routed.event)).or_default().push(routed);
    }
    for (stream, events) in streams {
        let mut numbers = None;
        for channel in channels(destinations) {
            let mut theirs = events.iter().filter(|routed| routed.goes_to(of_channel(destinations, channel))).map(|routed| routed.event.id);
            let Some(first) = theirs.next() else { continue };
            let range = (first - 1, theirs.next_back().unwrap_or(first));
            if numbers.is_none() && stream != ABOUT_US {
                let counted = count_mailboxes(connection, stream).await.map_err(doing("count the mailboxes of a tenant"))?;
                numbers = Some(serde_json::to_string(&counted).map_err(stored("numbers"))?);
            }
            extend_or_add(connection, (channel, stream), range, (numbers.as_deref(), at)).await.map_err(doing("queue a notice"))?;
        }
    }
    Ok(())
}

/// What waits takes the range in, unless it is under way or has to stay as it is. What was tried goes on under another id.
async fn extend_or_add(
    connection: &mut SqliteConnection,
    (channel, stream): (&str, &str),
    (after, through): (i64, i64),
    (numbers, at): (Option<&str>, i64),
) -> sqlx::Result<()> {
    let newest: Option<(String, bool, i64)> = sqlx::query_as(
        "SELECT id, state = 'queued' AND is_frozen = 0, attempts FROM notice
         WHERE channel = $1 AND stream = $2 AND state IN ('queued', 'leased') ORDER BY through DESC LIMIT 1",
    )
    .bind(channel)
    .bind(stream)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some((id, true, attempts)) = newest {
        let next = if attempts > 0 { new_id(at) } else { id.clone() };
        sqlx::query("UPDATE notice SET id = $1, through = $2, numbers = $3, told = NULL WHERE id = $4")
            .bind(next)
            .bind(through)
            .bind(numbers)
            .bind(id)
            .execute(connection)
            .await?;
        return Ok(());
    }
    // due since ever: a clock that is set back does not hold it up
    sqlx::query(
        "INSERT INTO notice (id, channel, stream, after, through, state, is_frozen, numbers, created_at, attempts, next_at)
         VALUES ($1, $2, $3, $4, $5, 'queued', 0, $6, $7, 0, 0)",
    )
    .bind(new_id(at))
    .bind(channel)
    .bind(stream)
    .bind(after)
    .bind(through)
    .bind(numbers)
    .bind(at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Letters and digits; those of later seconds sort later.
pub(super) fn new_id(at: i64) -> String {
    Uuid::new_v7(Timestamp::from_unix(NoContext, u64::try_from(at).unwrap_or(0), 0)).simple().to_string()
}

async fn count_mailboxes(connection: &mut SqliteConnection, tenant: &str) -> sqlx::Result<Numbers> {
    let (checked, needs_manual, undetermined): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(sum(o.needs_manual), 0), coalesce(sum(o.undetermined AND NOT o.needs_manual), 0)
         FROM mailbox m CROSS JOIN outcome o WHERE m.tenant = $1 AND o.id = m.outcome",
    )
    .bind(tenant)
    .fetch_one(connection)
    .await?;
    let [checked, needs_manual, undetermined] = [checked, needs_manual, undetermined].map(i64::unsigned_abs);
    Ok(Numbers { checked, ok: checked.saturating_sub(needs_manual + undetermined), needs_manual, undetermined })
}

//! Taking a notice from the queue, and what became of it. A notice with which an attempt was made whose fate is not known stays word
//! for word what it was, so that whoever gets it twice can tell.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqliteConnection};

use super::{
    Destination, Store, StoreError,
    error::{doing, stored},
    event::{ABOUT_US, read_range},
    outbox::new_id,
    route::of_channel,
};
use crate::model::{Concern, Event, Notice, TenantId};

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The channel took it.
    Delivered,
    /// Not delivered, to be tried again.
    Retry {
        /// Not earlier than this.
        next_at: i64,
        /// What happened, without secrets.
        error: String,
        /// Whether the channel certainly does not have it: a refused connection, a status. Otherwise it stays as it is.
        is_definite: bool,
        /// What happened to incidents before this is given up.
        give_up_before: i64,
    },
    /// Never to be delivered.
    Dead {
        /// Why, without secrets.
        error: String,
    },
}

/// How a notice stands after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// There is no such notice any more, under this id.
    Unknown,
    /// It is delivered.
    Delivered,
    /// It waits for another attempt.
    Queued,
    /// It was given up: all of it, or what was too old.
    Dead,
}

/// What an attempt says beside the events.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    destinations: Vec<Destination>,
    tenant_name: String,
    open_in_group: Vec<(String, u64)>,
}

/// A notice in the queue.
#[derive(Debug)]
struct Waiting {
    id: String,
    stream: String,
    range: (i64, i64),
    numbers: Option<String>,
    /// Of the attempt that the next one has to repeat.
    told: Option<String>,
    created_at: i64,
    attempts: i64,
}

impl Store {
    /// Takes the next notice of a channel from the queue: the oldest whose forerunners about the same tenant have ended. It tells what
    /// the destinations that name the channel let through; one of which nothing is left to tell ends here. `None`: nothing is to be
    /// sent now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(&self, channel: &str, destinations: &[Destination], (now, until): (i64, i64)) -> Result<Option<Notice>, StoreError> {
        // most of the time nothing waits, and nobody has to be kept from writing to see that
        while next(&self.reader.pool, channel, now).await?.is_some() {
            let leased = self.attempt(|| async {
                let mut tx = self.begin().await?;
                let Some(waiting) = next(&mut *tx, channel, now).await? else { return Ok(None) };
                let notice = take(&mut tx, waiting, (channel, destinations), (now, until)).await?;
                tx.commit().await.map_err(doing("commit a lease"))?;
                Ok(notice)
            });
            if let Some(notice) = leased.await? {
                return Ok(Some(notice));
            }
        }
        Ok(None)
    }

    /// Says what became of a notice that was taken. To say it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn settle(&self, id: &str, fate: &Fate, now: i64) -> Result<Settled, StoreError> {
        self.attempt(|| async {
            let mut tx = self.begin().await?;
            let settled = settle(&mut tx, id, (fate, now)).await.map_err(doing("settle a notice"))?;
            tx.commit().await.map_err(doing("commit what became of a notice"))?;
            Ok(settled)
        })
        .await
    }

    /// Puts notices back into the queue whose lease has ended by `now`; what became of them is not known. Returns how many. Leases of a
    /// process that died end when the database is opened.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire_leases(&self, now: i64) -> Result<u64, StoreError> {
        self.attempt(|| async { expire_leases(&self.writer, now).await }).await
    }
}

/// Puts notices back whose lease ends by `now`, to be sent again word for word.
pub(super) async fn expire_leases<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>, now: i64) -> Result<u64, StoreError> {
    let expired = sqlx::query(
        "UPDATE notice SET state = 'queued', lease_until = NULL, is_frozen = 1, next_at = 0
         WHERE state = 'leased' AND lease_until <= $1",
    )
    .bind(now)
    .execute(executor)
    .await
    .map_err(doing("end leases"))?;
    Ok(expired.rows_affected())
}

/// The notice whose turn it is, if it is the channel's.
async fn next<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>, channel: &str, now: i64) -> Result<Option<Waiting>, StoreError> {
    let row: Option<WaitingRow> = sqlx::query_as(
        "SELECT id, stream, after, through, numbers, CASE WHEN is_frozen = 1 THEN told END, created_at, attempts FROM notice n
         WHERE channel = $1 AND state IN ('queued', 'leased') AND state = 'queued' AND next_at <= $2
           AND NOT EXISTS (SELECT 1 FROM notice e WHERE e.channel = n.channel AND e.stream = n.stream AND e.through < n.through
             AND e.state IN ('queued', 'leased'))
           AND NOT EXISTS (SELECT 1 FROM channel c WHERE c.name = $1 AND (c.not_before > $2 OR c.retry_at > $2))
         ORDER BY after LIMIT 1",
    )
    .bind(channel)
    .bind(now)
    .fetch_optional(executor)
    .await
    .map_err(doing("look for a notice"))?;
    Ok(row.map(|(id, stream, after, through, numbers, told, created_at, attempts)| Waiting {
        id,
        stream,
        range: (after, through),
        numbers,
        told,
        created_at,
        attempts,
    }))
}

type WaitingRow = (String, String, i64, i64, Option<String>, Option<String>, i64, i64);

/// Leases a notice, or ends it where there is nothing to tell.
async fn take(
    connection: &mut SqliteConnection,
    waiting: Waiting,
    (channel, destinations): (&str, &[Destination]),
    (now, until): (i64, i64),
) -> Result<Option<Notice>, StoreError> {
    let routed = read_range(&mut *connection, &waiting.stream, waiting.range).await?;
    let before: Option<Told> = waiting.told.as_deref().map(serde_json::from_str).transpose().map_err(stored("notice"))?;
    let own: Vec<Destination> = of_channel(destinations, channel).cloned().collect();
    let destinations = before.as_ref().map_or(&own, |told| &told.destinations);
    let events: Vec<Event> = routed.into_iter().filter(|routed| routed.goes_to(destinations)).map(|routed| routed.event).collect();
    if events.is_empty() {
        end(connection, (&waiting.id, "delivered"), (None, now)).await.map_err(doing("end a notice"))?;
        return Ok(None);
    }
    let told = match before {
        Some(told) => told,
        None => tell(connection, &waiting.stream, &events, own).await.map_err(doing("read what a notice tells"))?,
    };
    sqlx::query("UPDATE notice SET state = 'leased', lease_until = $1, attempts = attempts + 1, told = $2 WHERE id = $3")
        .bind(until)
        .bind(serde_json::to_string(&told).map_err(stored("notice"))?)
        .bind(&waiting.id)
        .execute(connection)
        .await
        .map_err(doing("lease a notice"))?;
    let is_ours = waiting.stream == ABOUT_US;
    Ok(Some(Notice {
        id: waiting.id,
        channel: channel.to_owned(),
        tenant: if is_ours { None } else { Some(TenantId::try_from(waiting.stream).map_err(stored("tenant"))?) },
        tenant_name: told.tenant_name,
        created_at: waiting.created_at,
        attempts: u32::try_from(waiting.attempts).unwrap_or(u32::MAX),
        numbers: waiting.numbers.as_deref().map(serde_json::from_str).transpose().map_err(stored("numbers"))?,
        events,
        open_in_group: told.open_in_group,
    }))
}

async fn tell(connection: &mut SqliteConnection, stream: &str, events: &[Event], destinations: Vec<Destination>) -> sqlx::Result<Told> {
    let name: Option<String> =
        sqlx::query_scalar("SELECT name FROM tenant WHERE id = $1").bind(stream).fetch_optional(&mut *connection).await?;
    let tenant_name = name.unwrap_or_else(|| if stream == ABOUT_US { OUR_NAME.to_owned() } else { stream.to_owned() });
    let groups: BTreeSet<String> = events.iter().map(|event| Concern::group_key(&event.concern)).collect();
    let mut open_in_group = Vec::with_capacity(groups.len());
    for group in groups {
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM incident WHERE group_key = $1 AND state = 'open' AND is_announced = 1")
            .bind(&group)
            .fetch_one(&mut *connection)
            .await?;
        open_in_group.push((group, open.unsigned_abs()));
    }
    Ok(Told { destinations, tenant_name, open_in_group })
}

async fn settle(connection: &mut SqliteConnection, id: &str, (fate, now): (&Fate, i64)) -> sqlx::Result<Settled> {
    let row: Option<(String, String)> =
        sqlx::query_as("SELECT channel, state FROM notice WHERE id = $1").bind(id).fetch_optional(&mut *connection).await?;
    match (row.as_ref().map(|(channel, state)| (channel, state.as_str())), fate) {
        (None, _) => Ok(Settled::Unknown),
        (Some((_, "delivered")), _) => Ok(Settled::Delivered),
        (Some((_, "dead")), _) => Ok(Settled::Dead),
        (Some((channel, _)), Fate::Delivered) => {
            end(connection, (id, "delivered"), (None, now)).await?;
            greet(connection, channel, now).await?;
            Ok(Settled::Delivered)
        }
        (Some(_), Fate::Dead { error }) => {
            end(connection, (id, "dead"), (Some(error), now)).await?;
            Ok(Settled::Dead)
        }
        (Some(_), Fate::Retry { next_at, error, is_definite, give_up_before }) => {
            retry(connection, id, (*next_at, error, *is_definite)).await?;
            give_up(connection, id, (*give_up_before, now)).await
        }
    }
}

async fn end(connection: &mut SqliteConnection, (id, state): (&str, &'static str), (error, now): (Option<&str>, i64)) -> sqlx::Result<()> {
    sqlx::query("UPDATE notice SET state = $1, ended_at = $2, last_error = $3, lease_until = NULL WHERE id = $4")
        .bind(state)
        .bind(now)
        .bind(error)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(())
}

/// A channel that takes something refuses nothing more.
async fn greet(connection: &mut SqliteConnection, channel: &str, now: i64) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO channel (name, not_before, delivered_at) VALUES ($1, 0, $2)
         ON CONFLICT (name) DO UPDATE SET delivered_at = excluded.delivered_at, paused_at = NULL, pause_reason = NULL, retry_at = NULL",
    )
    .bind(channel)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

async fn retry(connection: &mut SqliteConnection, id: &str, (next_at, error, is_definite): (i64, &str, bool)) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE notice SET state = 'queued', lease_until = NULL, next_at = $1, last_error = $2, is_frozen = max(is_frozen, $3)
         WHERE id = $4",
    )
    .bind(next_at)
    .bind(error)
    .bind(!is_definite)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives up what happened before an instant: where all did, the notice; else what did, and the rest goes on under another id. A notice
/// that has to stay as it is goes on as a whole.
async fn give_up(connection: &mut SqliteConnection, id: &str, (before, now): (i64, i64)) -> sqlx::Result<Settled> {
    let (oldest, kept_from, kept_at, is_frozen): (Option<i64>, Option<i64>, Option<i64>, bool) = sqlx::query_as(
        "SELECT min(e.id), min(e.id) FILTER (WHERE e.at >= $1), min(e.at) FILTER (WHERE e.at >= $1), n.is_frozen
         FROM notice n LEFT JOIN event e ON e.stream = n.stream AND e.id > n.after AND e.id <= n.through AND e.is_muted = 0
         WHERE n.id = $2 GROUP BY n.id, n.is_frozen",
    )
    .bind(before)
    .bind(id)
    .fetch_one(&mut *connection)
    .await?;
    let Some((kept_from, kept_at)) = kept_from.zip(kept_at) else {
        sqlx::query("UPDATE notice SET state = 'dead', ended_at = $1 WHERE id = $2").bind(now).bind(id).execute(connection).await?;
        return Ok(Settled::Dead);
    };
    if is_frozen || oldest == Some(kept_from) {
        return Ok(Settled::Queued);
    }
    sqlx::query(
        "INSERT INTO notice (id, channel, stream, after, through, state, is_frozen, numbers, created_at, attempts, next_at, last_error)
         SELECT $1, channel, stream, $2, through, state, 0, numbers, $3, attempts, next_at, last_error FROM notice WHERE id = $4",
    )
    .bind(new_id(now))
    .bind(kept_from - 1)
    .bind(kept_at)
    .bind(id)
    .execute(&mut *connection)
    .await?;
    sqlx::query("UPDATE notice SET state = 'dead', ended_at = $1, through = $2 WHERE id = $3")
        .bind(now)
        .bind(kept_from - 1)
        .bind(id)
        .execute(connection)
        .await?;
    Ok(Settled::Dead)
}

/// Who sends what is about us.
const OUR_NAME: &str = "autodiscover-audit";

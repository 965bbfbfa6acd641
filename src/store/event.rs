//! The log of what happened to incidents. Rows are added and, once nobody needs them, dropped; never changed.

use sqlx::{Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    IncidentChange, Reader, RunId, StoreError,
    error::{doing, stored},
    incident::{Columns, write_incident},
    route::Routed,
    word::{count, read_word},
};
use crate::model::{Change, Event, Incident, IncidentId, IncidentState, Severity, TenantId, Verdict};

impl Reader {
    /// What happened to an incident, the newest last; no more than the newest so many.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of(&self, id: IncidentId, at_most: u32) -> Result<Vec<Event>, StoreError> {
        let mut rows = sqlx::query(
            "SELECT e.*, i.concern FROM event e JOIN incident i ON i.id = e.incident WHERE e.incident = $1 ORDER BY e.id DESC LIMIT $2",
        )
        .bind(id.0)
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read the events of an incident"))?;
        rows.reverse();
        rows.iter().map(|row| Ok(read_event(row)?.event)).collect()
    }
}

/// Writes incidents, and logs what happened to them.
pub(super) async fn write_changes(
    connection: &mut SqliteConnection,
    changes: &[IncidentChange],
    (run, at): (Option<RunId>, i64),
) -> Result<Vec<Routed>, StoreError> {
    let mut logged = Vec::new();
    for IncidentChange { incident, change, is_muted } in changes {
        let id = write_incident(connection, incident, at).await?;
        if let Some(change) = change {
            let event = event_of(incident, *change, *is_muted);
            let mut routed = Routed { gravest: event.severity, event: Event { incident: id, at, run: run.map(|run| run.0), ..event } };
            log(connection, &mut routed).await?;
            logged.push(routed);
        }
    }
    Ok(logged)
}

/// The stream that an incident's events belong to: their order is kept within it.
pub(super) fn stream_of(event: &Event) -> &str {
    event.concern.tenant().map_or(ABOUT_US, TenantId::as_str)
}

/// The stream of what is about us.
pub(super) const ABOUT_US: &str = "";

fn event_of(incident: &Incident, change: Change, is_muted: bool) -> Event {
    Event {
        id: 0,
        incident: IncidentId(0),
        concern: incident.concern.clone(),
        change,
        at: 0,
        run: None,
        severity: incident.severity,
        verdict: incident.verdict,
        affected: incident.affected,
        since: incident.first_seen_at,
        episode: incident.episode,
        is_open: incident.state == IncidentState::Open,
        is_muted,
        account: incident.account.clone(),
    }
}

async fn log(connection: &mut SqliteConnection, routed: &mut Routed) -> Result<(), StoreError> {
    let event = &mut routed.event;
    let before: Option<String> =
        sqlx::query_scalar("SELECT gravest FROM event WHERE incident = $1 AND episode = $2 ORDER BY id DESC LIMIT 1")
            .bind(event.incident.0)
            .bind(i64::from(event.episode))
            .fetch_optional(&mut *connection)
            .await
            .map_err(doing("look an episode up"))?;
    if let Some(before) = before {
        routed.gravest = routed.gravest.max(read_word("severity", (&Severity::ALL, Severity::as_str), &before)?);
    }
    event.id = sqlx::query_scalar(
        "INSERT INTO event (incident, stream, run, at, change, severity, gravest, verdict, affected, since, episode, is_open, is_muted,
           account)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id",
    )
    .bind(event.incident.0)
    .bind(stream_of(event).to_owned())
    .bind(event.run)
    .bind(event.at)
    .bind(event.change.as_str())
    .bind(event.severity.as_str())
    .bind(routed.gravest.as_str())
    .bind(event.verdict.map(Verdict::as_str))
    .bind(count(event.affected))
    .bind(event.since)
    .bind(i64::from(event.episode))
    .bind(event.is_open)
    .bind(event.is_muted)
    .bind(serde_json::to_string(&event.account).map_err(stored("account"))?)
    .fetch_one(connection)
    .await
    .map_err(doing("log an event"))?;
    Ok(())
}

/// The events of a stream over `after` up to `through`, without the muted ones.
pub(super) async fn read_range<'c>(
    executor: impl sqlx::Executor<'c, Database = Sqlite>,
    stream: &str,
    (after, through): (i64, i64),
) -> Result<Vec<Routed>, StoreError> {
    let rows = sqlx::query(
        "SELECT e.*, i.concern FROM event e JOIN incident i ON i.id = e.incident
         WHERE e.stream = $1 AND e.id > $2 AND e.id <= $3 AND e.is_muted = 0 ORDER BY e.id",
    )
    .bind(stream)
    .bind(after)
    .bind(through)
    .fetch_all(executor)
    .await
    .map_err(doing("read the events of a notice"))?;
    rows.iter().map(read_event).collect()
}

/// An event of a row that has all columns, and the incident's concern.
fn read_event(row: &SqliteRow) -> Result<Routed, StoreError> {
    let columns = Columns(row);
    let event = Event {
        id: columns.get("id")?,
        incident: IncidentId(columns.get("incident")?),
        concern: columns.json("concern")?,
        change: read_word("change", (&Change::ALL, Change::as_str), &columns.get::<String>("change")?)?,
        at: columns.get("at")?,
        run: columns.get("run")?,
        severity: columns.severity("severity")?,
        verdict: columns.verdict("verdict")?,
        affected: columns.count("affected")?,
        since: columns.get("since")?,
        episode: columns.small("episode")?,
        is_open: columns.get("is_open")?,
        is_muted: columns.get("is_muted")?,
        account: columns.json("account")?,
    };
    Ok(Routed { event, gravest: columns.severity("gravest")? })
}

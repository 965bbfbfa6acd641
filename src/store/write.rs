//! Writing what a batch changes, many rows a statement.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    DomainBatch,
    compare::{Changes, Entered, Range},
};

/// How far the run came; also makes the domain known, which its mailboxes refer to.
pub(super) async fn mark_progress(connection: &mut SqliteConnection, batch: &DomainBatch<'_>, range: &Range) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO domain (tenant, name, run, list, through, done, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (tenant, name)
         DO UPDATE SET run = excluded.run, list = excluded.list, through = excluded.through, done = excluded.done, at = excluded.at",
    )
    .bind(batch.tenant.as_str())
    .bind(batch.domain.as_str())
    .bind(batch.run.0)
    .bind(batch.list.as_slice())
    .bind(Some(range.through.as_str()).filter(|through| !through.is_empty()))
    .bind(batch.done)
    .bind(batch.at)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn write_changes(connection: &mut SqliteConnection, batch: &DomainBatch<'_>, changes: &Changes<'_>) -> sqlx::Result<()> {
    let mut pointers = insert_mailboxes(connection, batch, &changes.new).await?;
    edit_mailboxes(connection, &changes.edited).await?;
    move_pointers(connection, &changes.moved).await?;
    pointers.extend(&changes.moved);
    insert_history(connection, batch, &pointers).await
}

/// Returns the new mailboxes with their outcomes. The ids are ours to give: there is one writer, and it holds the lock.
async fn insert_mailboxes(
    connection: &mut SqliteConnection,
    batch: &DomainBatch<'_>,
    new: &[&Entered],
) -> sqlx::Result<Vec<(i64, Option<i64>)>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let last: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM mailbox").fetch_one(&mut *connection).await?;
    let rows: Vec<(i64, &Entered)> = (last + 1..).zip(new.iter().copied()).collect();
    for chunk in rows.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO mailbox (id, tenant, domain, address_key, address, profile, person, outcome, first_run) ",
        );
        insert.push_values(chunk, |mut row, (id, entry)| {
            row.push_bind(*id)
                .push_bind(batch.tenant.as_str())
                .push_bind(batch.domain.as_str())
                .push_bind(entry.key.as_str())
                .push_bind(entry.address.as_str())
                .push_bind(entry.profile)
                .push_bind(entry.person.as_deref())
                .push_bind(entry.outcome)
                .push_bind(batch.run.0);
        });
        insert.build().persistent(chunk.len() == ROWS).execute(&mut *connection).await?;
    }
    Ok(rows.into_iter().map(|(id, entry)| (id, Some(entry.outcome))).collect())
}

async fn edit_mailboxes(connection: &mut SqliteConnection, edited: &[(i64, &Entered)]) -> sqlx::Result<()> {
    for (id, entry) in edited {
        sqlx::query("UPDATE mailbox SET address = $1, profile = $2, person = $3 WHERE id = $4")
            .bind(entry.address.as_str())
            .bind(entry.profile)
            .bind(entry.person.as_deref())
            .bind(id)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn move_pointers(connection: &mut SqliteConnection, moved: &[(i64, Option<i64>)]) -> sqlx::Result<()> {
    let mut by_outcome = BTreeMap::<Option<i64>, Vec<i64>>::new();
    for (mailbox, outcome) in moved {
        by_outcome.entry(*outcome).or_default().push(*mailbox);
    }
    for (outcome, mailboxes) in by_outcome {
        for chunk in mailboxes.chunks(ROWS) {
            let mut update = QueryBuilder::<Sqlite>::new("UPDATE mailbox SET outcome = ");
            update.push_bind(outcome).push(" WHERE id IN (");
            let mut ids = update.separated(", ");
            for mailbox in chunk {
                ids.push_bind(*mailbox);
            }
            ids.push_unseparated(")");
            update.build().persistent(chunk.len() == ROWS || chunk.len() == 1).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn insert_history(connection: &mut SqliteConnection, batch: &DomainBatch<'_>, pointers: &[(i64, Option<i64>)]) -> sqlx::Result<()> {
    for chunk in pointers.chunks(ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO history (mailbox, run, outcome, at) ");
        insert.push_values(chunk, |mut row, (mailbox, outcome)| {
            row.push_bind(*mailbox).push_bind(batch.run.0).push_bind(*outcome).push_bind(batch.at);
        });
        // a run that was resumed with another list can meet a mailbox twice
        insert.push(" ON CONFLICT (mailbox, run) DO UPDATE SET outcome = excluded.outcome, at = excluded.at");
        insert.build().persistent(chunk.len() == ROWS).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Rows a statement.
const ROWS: usize = 500;

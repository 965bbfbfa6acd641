//! Runs, their tenants, and how far each domain came.

use std::{collections::HashSet, fmt};

use sqlx::SqliteConnection;

use super::{
    Reader, Scope, Snapshot, Store, StoreError,
    content::Digest,
    error::{doing, stored},
    seal::break_seals_of_the_dead,
    sqlite,
};
use crate::model::{Domain, TenantId};

/// The number of a run; later runs have higher ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// When it began.
    pub started_at: i64,
    /// When it ended, or was found to have ended; `None` while it goes on.
    pub finished_at: Option<i64>,
    /// How it ended.
    pub state: RunState,
    /// Whether it was over some of the lists' domains only; such a run is not resumed.
    pub is_part: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// Not yet; or its process died.
    Running,
    /// It came to its end.
    Finished,
    /// It was stopped, or its process died and another run began.
    Interrupted,
}

/// How far a run came in a domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Progress {
    /// Nothing of it is recorded.
    #[default]
    NotStarted,
    /// Every mailbox up to this address key is.
    Through(String),
    /// All of it is.
    Done,
}

impl Progress {
    pub(super) fn of(through: Option<String>, done: bool) -> Self {
        match (through, done) {
            (_, true) => Self::Done,
            (Some(through), false) => Self::Through(through),
            (None, false) => Self::NotStarted,
        }
    }
}

impl Store {
    /// Begins a run over these tenants: id, name for people, and how many mailboxes the list has. A run that died is marked
    /// as interrupted.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn begin_run(&self, tenants: &[(TenantId, String, u64)], at: i64) -> Result<RunId, StoreError> {
        self.attempt(|| self.begin_any(tenants, (at, false))).await
    }

    /// Begins a run over some of the lists' domains, which is not resumed where it dies; else as [`Store::begin_run`].
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn begin_part(&self, tenants: &[(TenantId, String, u64)], at: i64) -> Result<RunId, StoreError> {
        self.attempt(|| self.begin_any(tenants, (at, true))).await
    }

    async fn begin_any(&self, tenants: &[(TenantId, String, u64)], (at, is_part): (i64, bool)) -> Result<RunId, StoreError> {
        let mut tx = self.begin().await?;
        break_seals_of_the_dead(&mut tx).await.map_err(doing("break the seals of a run that died"))?;
        sqlx::query("UPDATE run SET state = 'interrupted', finished_at = $1 WHERE state = 'running'")
            .bind(at)
            .execute(&mut *tx)
            .await
            .map_err(doing("close a run that died"))?;
        let run = sqlx::query_scalar("INSERT INTO run (started_at, state, is_part) VALUES ($1, 'running', $2) RETURNING id")
            .bind(at)
            .bind(is_part)
            .fetch_one(&mut *tx)
            .await
            .map_err(doing("begin a run"))?;
        enter_tenants(&mut tx, run, tenants).await?;
        tx.commit().await.map_err(doing("begin a run"))?;
        Ok(RunId(run))
    }

    /// Goes on with the newest run if it was whole and not finished; its tenants are brought up to date with these. What it has
    /// recorded stays: ask [`Store::progress`].
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn resume_run(&self, tenants: &[(TenantId, String, u64)], at: i64) -> Result<Option<RunId>, StoreError> {
        self.attempt(|| self.resume_once(tenants, at)).await
    }

    async fn resume_once(&self, tenants: &[(TenantId, String, u64)], at: i64) -> Result<Option<RunId>, StoreError> {
        let mut tx = self.begin().await?;
        break_seals_of_the_dead(&mut tx).await.map_err(doing("break the seals of a run that died"))?;
        let resumed: Option<i64> = sqlx::query_scalar(
            "UPDATE run SET state = 'running', finished_at = NULL, resumed_at = $1
             WHERE id = (SELECT max(id) FROM run) AND state <> 'finished' AND is_part = 0 RETURNING id",
        )
        .bind(at)
        .fetch_optional(&mut *tx)
        .await
        .map_err(doing("resume a run"))?;
        if let Some(run) = resumed {
            enter_tenants(&mut tx, run, tenants).await?;
        }
        tx.commit().await.map_err(doing("resume a run"))?;
        Ok(resumed.map(RunId))
    }

    /// How far a run came in a domain; not at all where it came there over another list.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn progress(&self, run: RunId, (tenant, domain): (&TenantId, &Domain), list: &Digest) -> Result<Progress, StoreError> {
        let mut connection = self.reader.pool.acquire().await.map_err(doing("read the progress"))?;
        read_progress(&mut connection, run, (tenant, domain), list).await
    }

    /// Takes the mailboxes of all tenants but these off the list: the run goes through a whole configuration, and it has these alone.
    /// Returns how many mailboxes left.
    ///
    /// # Errors
    /// [`StoreError::Superseded`]; [`StoreError::Query`].
    pub async fn unlist_other_tenants(&self, run: RunId, tenants: &[&TenantId], at: i64) -> Result<u64, StoreError> {
        self.attempt(|| self.unlist_once(run, tenants, at)).await
    }

    async fn unlist_once(&self, run: RunId, tenants: &[&TenantId], at: i64) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        require_under_way(&mut tx, run).await?;
        let known: Vec<(String, String)> = sqlx::query_as(
            "SELECT d.tenant, d.name FROM domain d
             WHERE EXISTS (SELECT 1 FROM mailbox m WHERE m.tenant = d.tenant AND m.domain = d.name AND m.outcome IS NOT NULL)",
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(doing("look for tenants"))?;
        let mut gone = 0;
        for (tenant, domain) in known.iter().filter(|(tenant, _)| tenants.iter().all(|kept| kept.as_str() != tenant)) {
            gone += unlist(&mut tx, run, (tenant, domain), at).await.map_err(doing("unlist a tenant"))?;
        }
        let open: Vec<String> = sqlx::query_scalar("SELECT tenant FROM run_tenant WHERE run = $1 AND state <> 'finished'")
            .bind(run.0)
            .fetch_all(&mut *tx)
            .await
            .map_err(doing("look for tenants"))?;
        for tenant in open.iter().filter(|tenant| tenants.iter().all(|kept| kept.as_str() != tenant.as_str())) {
            sqlx::query("UPDATE run_tenant SET state = 'finished', mailboxes = 0 WHERE run = $1 AND tenant = $2")
                .bind(run.0)
                .bind(tenant)
                .execute(&mut *tx)
                .await
                .map_err(doing("unlist a tenant"))?;
        }
        tx.commit().await.map_err(doing("unlist the tenants"))?;
        Ok(gone)
    }

    /// Closes a run, and does the housekeeping that a run leaves. A run with tenants that are not finished is interrupted,
    /// whatever it was to be; returns what it is.
    ///
    /// # Errors
    /// [`StoreError::Superseded`]; [`StoreError::Query`].
    pub async fn finish_run(&self, run: RunId, state: RunState, at: i64) -> Result<RunState, StoreError> {
        let state = self.attempt(|| self.finish_once(run, state, at)).await?;
        let tidied = self.attempt(|| async {
            sqlite::release_pages(&self.writer).await?;
            sqlite::checkpoint(&self.writer).await
        });
        if let Err(error) = tidied.await {
            // the run is finished all the same
            tracing::warn!(path = %self.reader.path.display(), %error, "the database could not be tidied up");
        }
        Ok(state)
    }

    async fn finish_once(&self, run: RunId, state: RunState, at: i64) -> Result<RunState, StoreError> {
        let mut tx = self.begin().await?;
        require_under_way(&mut tx, run).await?;
        let open: i64 = sqlx::query_scalar("SELECT count(*) FROM run_tenant WHERE run = $1 AND state <> 'finished'")
            .bind(run.0)
            .fetch_one(&mut *tx)
            .await
            .map_err(doing("finish a run"))?;
        let state = if open > 0 && state == RunState::Finished { RunState::Interrupted } else { state };
        sqlx::query("UPDATE run SET state = $1, finished_at = $2 WHERE id = $3")
            .bind(state.as_str())
            .bind((state != RunState::Running).then_some(at))
            .bind(run.0)
            .execute(&mut *tx)
            .await
            .map_err(doing("finish a run"))?;
        tx.commit().await.map_err(doing("finish a run"))?;
        Ok(state)
    }
}

impl Reader {
    /// How many mailboxes a tenant's list had when its part of a run was last finished.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn previous_count(&self, tenant: &TenantId) -> Result<Option<u64>, StoreError> {
        let count: Option<i64> = sqlx::query_scalar(
            "SELECT p.mailboxes FROM run_tenant p JOIN run r ON r.id = p.run
             WHERE p.tenant = $1 AND p.state = 'finished' AND r.is_part = 0 ORDER BY p.run DESC LIMIT 1",
        )
        .bind(tenant.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(doing("read the previous count"))?;
        Ok(count.map(i64::unsigned_abs))
    }

    /// The tenants of a run, with how many mailboxes their lists had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lists_of(&self, run: RunId) -> Result<Vec<(TenantId, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT tenant, mailboxes FROM run_tenant WHERE run = $1 ORDER BY tenant")
            .bind(run.0)
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the tenants of a run"))?;
        let list =
            |(tenant, mailboxes): (String, i64)| Ok((TenantId::try_from(tenant).map_err(stored("tenant"))?, mailboxes.unsigned_abs()));
        rows.into_iter().map(list).collect()
    }

    /// As [`Snapshot::runs`], of the database as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn runs(&self, at_most: u32) -> Result<Vec<Run>, StoreError> {
        self.snapshot().await?.runs(at_most).await
    }
}

impl Snapshot {
    /// The newest runs, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn runs(&mut self, at_most: u32) -> Result<Vec<Run>, StoreError> {
        let rows: Vec<(i64, i64, Option<i64>, String, bool)> =
            sqlx::query_as("SELECT id, started_at, finished_at, state, is_part FROM run ORDER BY id DESC LIMIT $1")
                .bind(i64::from(at_most))
                .fetch_all(&mut *self.tx)
                .await
                .map_err(doing("read the runs"))?;
        Ok(rows
            .into_iter()
            .map(|(id, started_at, finished_at, state, is_part)| {
                let state = RunState::ALL.into_iter().find(|known| known.as_str() == state).unwrap_or(RunState::Interrupted);
                Run { id: RunId(id), started_at, finished_at, state, is_part }
            })
            .collect())
    }
}

impl RunState {
    const ALL: [Self; 3] = [Self::Running, Self::Finished, Self::Interrupted];

    /// The name in the database and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Closes a tenant's part of a run; returns how many mailboxes have left the list.
pub(super) async fn close_tenant(
    connection: &mut SqliteConnection,
    run: RunId,
    (tenant, scope): (&TenantId, Scope<'_>),
    at: i64,
) -> Result<u64, StoreError> {
    let (Scope::Whole(domains) | Scope::Part(domains)) = scope;
    let known: Vec<(String, bool)> = sqlx::query_as("SELECT name, run = $2 AND done FROM domain WHERE tenant = $1")
        .bind(tenant.as_str())
        .bind(run.0)
        .fetch_all(&mut *connection)
        .await
        .map_err(doing("finish a tenant"))?;
    let done: HashSet<&str> = known.iter().filter(|(_, done)| *done).map(|(name, _)| name.as_str()).collect();
    if let Some(unfinished) = domains.iter().find(|domain| !done.contains(domain.as_str())) {
        return Err(StoreError::Unfinished { tenant: tenant.clone(), domain: unfinished.to_string() });
    }
    let mut gone = 0;
    if let Scope::Whole(domains) = scope {
        let listed: HashSet<&str> = domains.iter().map(|domain| domain.as_str()).collect();
        for (name, _) in known.iter().filter(|(name, _)| !listed.contains(name.as_str())) {
            gone += unlist(connection, run, (tenant.as_str(), name), at).await.map_err(doing("finish a tenant"))?;
        }
    }
    sqlx::query("UPDATE run_tenant SET state = 'finished' WHERE run = $1 AND tenant = $2")
        .bind(run.0)
        .bind(tenant.as_str())
        .execute(connection)
        .await
        .map_err(doing("finish a tenant"))?;
    Ok(gone)
}

/// Refuses to write for a run that was closed, or after which another began.
pub(super) async fn require_under_way(connection: &mut SqliteConnection, run: RunId) -> Result<(), StoreError> {
    let newest: Option<i64> = sqlx::query_scalar("SELECT id FROM run WHERE id = (SELECT max(id) FROM run) AND state = 'running'")
        .fetch_optional(connection)
        .await
        .map_err(doing("look for the run"))?;
    if newest == Some(run.0) { Ok(()) } else { Err(StoreError::Superseded { run }) }
}

/// How far a run came in a domain, inside a transaction.
pub(super) async fn read_progress(
    connection: &mut SqliteConnection,
    run: RunId,
    (tenant, domain): (&TenantId, &Domain),
    list: &Digest,
) -> Result<Progress, StoreError> {
    let row: Option<(Option<String>, bool)> =
        sqlx::query_as("SELECT through, done FROM domain WHERE tenant = $1 AND name = $2 AND run = $3 AND list = $4")
            .bind(tenant.as_str())
            .bind(domain.as_str())
            .bind(run.0)
            .bind(list.as_slice())
            .fetch_optional(connection)
            .await
            .map_err(doing("read the progress"))?;
    Ok(row.map_or(Progress::NotStarted, |(through, done)| Progress::of(through, done)))
}

async fn enter_tenants(connection: &mut SqliteConnection, run: i64, tenants: &[(TenantId, String, u64)]) -> Result<(), StoreError> {
    for (tenant, name, mailboxes) in tenants {
        sqlx::query("INSERT INTO tenant (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name")
            .bind(tenant.as_str())
            .bind(name)
            .execute(&mut *connection)
            .await
            .map_err(doing("enter a tenant"))?;
        sqlx::query(
            "INSERT INTO run_tenant (run, tenant, mailboxes, state) VALUES ($1, $2, $3, 'running')
             ON CONFLICT (run, tenant) DO UPDATE SET mailboxes = excluded.mailboxes",
        )
        .bind(run)
        .bind(tenant.as_str())
        .bind(i64::try_from(*mailboxes).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await
        .map_err(doing("enter a tenant"))?;
    }
    Ok(())
}

/// Takes a domain's mailboxes off the list, and forgets how far the run came in it: should the list have it again, it begins anew.
async fn unlist(connection: &mut SqliteConnection, run: RunId, (tenant, domain): (&str, &str), at: i64) -> sqlx::Result<u64> {
    sqlx::query(
        "INSERT INTO history (mailbox, run, outcome, at)
         SELECT id, $3, NULL, $4 FROM mailbox WHERE tenant = $1 AND domain = $2 AND outcome IS NOT NULL
         ON CONFLICT (mailbox, run) DO UPDATE SET outcome = NULL, at = excluded.at",
    )
    .bind(tenant)
    .bind(domain)
    .bind(run.0)
    .bind(at)
    .execute(&mut *connection)
    .await?;
    for statement in
        ["DELETE FROM seal WHERE tenant = $1 AND domain = $2", "UPDATE domain SET through = NULL, done = 0 WHERE tenant = $1 AND name = $2"]
    {
        sqlx::query(statement).bind(tenant).bind(domain).execute(&mut *connection).await?;
    }
    let gone = sqlx::query("UPDATE mailbox SET outcome = NULL WHERE tenant = $1 AND domain = $2 AND outcome IS NOT NULL")
        .bind(tenant)
        .bind(domain)
        .execute(connection)
        .await?;
    Ok(gone.rows_affected())
}

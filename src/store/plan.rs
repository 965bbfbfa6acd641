//! What the schedule remembers: due times that were taken up, domains to check again soon, and runs that someone asked for.

use sqlx::SqliteConnection;

use super::{
    Reader, RunId, Store, StoreError,
    error::{doing, stored},
};
use crate::model::{Domain, TenantId};

/// What is remembered of a tenant's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The tenant.
    pub tenant: TenantId,
    /// The newest due time that was taken up.
    pub due_at: Option<i64>,
    /// When a run over all of its list last came to its end.
    pub succeeded_at: Option<i64>,
}

/// A domain that is to be checked again before the next whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recheck {
    /// The domain.
    pub domain: Domain,
    /// When.
    pub due_at: i64,
    /// Seconds between the last check and this one.
    pub pause: i64,
}

impl Recheck {
    /// Whether it is to be made by now: also where it is further off than any pause, as it is once the clock was set back.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        self.due_at <= now || self.due_at - now > 2 * self.pause
    }
}

/// The number of a demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DemandId(pub i64);

/// A run that someone asked the service for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Its number.
    pub id: DemandId,
    /// When it was asked for.
    pub asked_at: i64,
    /// Of these tenants; none named: of all.
    pub tenants: Vec<TenantId>,
    /// The run, once it has begun.
    pub run: Option<RunId>,
    /// When it was over.
    pub ended_at: Option<i64>,
    /// Why it did not come to its end.
    pub problem: Option<String>,
}

impl Reader {
    /// What is remembered of the tenants' schedules.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn schedules(&self) -> Result<Vec<Schedule>, StoreError> {
        let rows: Vec<(String, Option<i64>, Option<i64>)> =
            sqlx::query_as("SELECT tenant, due_at, succeeded_at FROM schedule ORDER BY tenant")
                .fetch_all(&self.pool)
                .await
                .map_err(doing("read the schedules"))?;
        let schedule = |(tenant, due_at, succeeded_at)| Ok(Schedule { tenant: read_tenant(tenant)?, due_at, succeeded_at });
        rows.into_iter().map(schedule).collect()
    }

    /// Domains that are to be checked again by now ([`Recheck::is_due`]), those that have waited longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rechecks_due(&self, now: i64, at_most: u32) -> Result<Vec<(TenantId, Recheck)>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT tenant, domain, due_at, pause FROM recheck WHERE due_at <= $1 OR due_at - $1 > 2 * pause
                 ORDER BY due_at, tenant, domain LIMIT $2",
        )
        .bind(now)
        .bind(i64::from(at_most))
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read what is to be checked again"))?;
        let recheck = |(tenant, domain, due_at, pause): (String, String, i64, i64)| {
            Ok((read_tenant(tenant)?, Recheck { domain: Domain::parse(&domain).map_err(stored("domain"))?, due_at, pause }))
        };
        rows.into_iter().map(recheck).collect()
    }

    /// A tenant's domains that are to be checked again, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rechecks_of(&self, tenant: &TenantId) -> Result<Vec<Recheck>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as("SELECT domain, due_at, pause FROM recheck WHERE tenant = $1 ORDER BY domain")
            .bind(tenant.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read what is to be checked again"))?;
        let recheck = |(domain, due_at, pause): (String, i64, i64)| {
            Ok(Recheck { domain: Domain::parse(&domain).map_err(stored("domain"))?, due_at, pause })
        };
        rows.into_iter().map(recheck).collect()
    }

    /// When the next domain is to be checked again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_recheck(&self) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar("SELECT min(due_at) FROM recheck").fetch_one(&self.pool).await.map_err(doing("read what is to be checked again"))
    }

    /// The demands that are not over, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn demands(&self) -> Result<Vec<Demand>, StoreError> {
        let rows: Vec<DemandRow> =
            sqlx::query_as("SELECT id, asked_at, tenants, run, ended_at, problem FROM demand WHERE ended_at IS NULL ORDER BY id")
                .fetch_all(&self.pool)
                .await
                .map_err(doing("read the demands"))?;
        rows.into_iter().map(read_demand).collect()
    }

    /// A demand, over or not, for as long as it is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn demand(&self, id: DemandId) -> Result<Option<Demand>, StoreError> {
        let row: Option<DemandRow> = sqlx::query_as("SELECT id, asked_at, tenants, run, ended_at, problem FROM demand WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("read a demand"))?;
        row.map(read_demand).transpose()
    }
}

impl Store {
    /// Remembers the newest due time of a tenant that was taken up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_due(&self, tenant: &TenantId, due_at: i64) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query(
                "INSERT INTO schedule (tenant, due_at) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET due_at = excluded.due_at",
            )
            .bind(tenant.as_str())
            .bind(due_at)
            .execute(&self.writer)
            .await
            .map_err(doing("remember a due time"))?;
            Ok(())
        })
        .await
    }

    /// Remembers that a run over all of a tenant's list came to its end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_success(&self, tenant: &TenantId, at: i64) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query(
                "INSERT INTO schedule (tenant, succeeded_at) VALUES ($1, $2)
                 ON CONFLICT (tenant) DO UPDATE SET succeeded_at = excluded.succeeded_at",
            )
            .bind(tenant.as_str())
            .bind(at)
            .execute(&self.writer)
            .await
            .map_err(doing("remember a success"))?;
            Ok(())
        })
        .await
    }

    /// Notes the run that a demand led to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn begin_demand(&self, id: DemandId, run: RunId) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query("UPDATE demand SET run = $1 WHERE id = $2 AND ended_at IS NULL")
                .bind(run.0)
                .bind(id.0)
                .execute(&self.writer)
                .await
                .map_err(doing("begin what was asked for"))?;
            Ok(())
        })
        .await
    }

    /// Notes that a demand is over, and why it came to nothing where it did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_demand(&self, id: DemandId, at: i64, problem: Option<&str>) -> Result<(), StoreError> {
        self.attempt(|| async {
            sqlx::query("UPDATE demand SET ended_at = $1, problem = $2 WHERE id = $3 AND ended_at IS NULL")
                .bind(at)
                .bind(problem)
                .bind(id.0)
                .execute(&self.writer)
                .await
                .map_err(doing("end what was asked for"))?;
            Ok(())
        })
        .await
    }
}

/// Puts these in the place of what was planned for a tenant: for these domains or, without them, for all.
pub(super) async fn replace_rechecks(
    connection: &mut SqliteConnection,
    (tenant, domains): (&TenantId, Option<&[&Domain]>),
    rechecks: &[Recheck],
) -> sqlx::Result<()> {
    match domains {
        None => {
            sqlx::query("DELETE FROM recheck WHERE tenant = $1").bind(tenant.as_str()).execute(&mut *connection).await?;
        }
        Some(domains) => {
            for domain in domains {
                sqlx::query("DELETE FROM recheck WHERE tenant = $1 AND domain = $2")
                    .bind(tenant.as_str())
                    .bind(domain.as_str())
                    .execute(&mut *connection)
                    .await?;
            }
        }
    }
    for Recheck { domain, due_at, pause } in rechecks {
        sqlx::query(
            "INSERT INTO recheck (tenant, domain, due_at, pause) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant, domain) DO UPDATE SET due_at = excluded.due_at, pause = excluded.pause",
        )
        .bind(tenant.as_str())
        .bind(domain.as_str())
        .bind(due_at)
        .bind(pause)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

type DemandRow = (i64, i64, String, Option<i64>, Option<i64>, Option<String>);

fn read_demand((id, asked_at, tenants, run, ended_at, problem): DemandRow) -> Result<Demand, StoreError> {
    let tenants = serde_json::from_str(&tenants).map_err(stored("demand"))?;
    Ok(Demand { id: DemandId(id), asked_at, tenants, run: run.map(RunId), ended_at, problem })
}

fn read_tenant(id: String) -> Result<TenantId, StoreError> {
    TenantId::try_from(id).map_err(stored("tenant"))
}

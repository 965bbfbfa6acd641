//! What people write: acknowledgements, exemptions, demands. From any process, in short transactions beside the one writer, on
//! columns and rows that an audit does not write.

use std::path::Path;

use sqlx::SqlitePool;

use super::{
    DemandId, Reader, Store, StoreError,
    error::{doing, stored},
    sqlite,
    word::read_word,
};
use crate::model::{Acknowledgement, Cause, Domain, Exemption, IncidentId, IncidentState, TenantId};

/// Where people write into the database, also while a service or an audit holds it.
#[derive(Debug, Clone)]
pub struct Desk {
    reader: Reader,
    writer: SqlitePool,
}

impl Desk {
    /// Opens the database for what people write. Makes and migrates nothing.
    ///
    /// # Errors
    /// [`StoreError`] where there is none, or where its schema is not this program's.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let reader = Store::open_read_only(path).await?;
        Ok(Self { reader, writer: sqlite::open_writer(path).await? })
    }

    /// The reading half.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Acknowledges an incident that is open or suspected, in the place of an earlier acknowledgement. Returns the state that it is
    /// in; in another state nothing is written, and `None` says that there is no such incident.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ack(&self, id: IncidentId, acknowledgement: &Acknowledgement) -> Result<Option<IncidentState>, StoreError> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(doing("begin to write"))?;
        sqlx::query(
            "UPDATE incident SET ack_by = $1, ack_reason = $2, ack_at = $3, ack_until = $4
             WHERE id = $5 AND state IN ('suspected', 'open')",
        )
        .bind(&acknowledgement.by)
        .bind(&acknowledgement.reason)
        .bind(acknowledgement.at)
        .bind(acknowledgement.until)
        .bind(id.0)
        .execute(&mut *tx)
        .await
        .map_err(doing("acknowledge an incident"))?;
        let state: Option<String> = sqlx::query_scalar("SELECT state FROM incident WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&mut *tx)
            .await
            .map_err(doing("acknowledge an incident"))?;
        tx.commit().await.map_err(doing("acknowledge an incident"))?;
        state.map(|state| read_word("state", (&IncidentState::ALL, IncidentState::as_str), &state)).transpose()
    }

    /// Takes an acknowledgement back. Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unack(&self, id: IncidentId) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE incident SET ack_by = NULL, ack_reason = NULL, ack_at = NULL, ack_until = NULL WHERE id = $1 AND ack_by IS NOT NULL",
        )
        .bind(id.0)
        .execute(&self.writer)
        .await
        .map_err(doing("take an acknowledgement back"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Adds an exemption, whatever number it has, and returns the number that it gets.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn exempt(&self, exemption: &Exemption) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "INSERT INTO exemption (tenant, domain, client, cause, owner, reason, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        )
        .bind(exemption.tenant.as_ref().map(TenantId::as_str))
        .bind(exemption.domain.as_ref().map(Domain::as_str))
        .bind(&exemption.client)
        .bind(exemption.cause.map(Cause::as_str))
        .bind(&exemption.owner)
        .bind(&exemption.reason)
        .bind(exemption.created_at)
        .bind(exemption.expires_at)
        .fetch_one(&self.writer)
        .await
        .map_err(doing("add an exemption"))
    }

    /// Ends an exemption now. Returns whether it was still in force.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn end_exemption(&self, id: i64, at: i64) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE exemption SET expires_at = max($1, created_at) WHERE id = $2 AND expires_at > $1")
            .bind(at)
            .bind(id)
            .execute(&self.writer)
            .await
            .map_err(doing("end an exemption"))?;
        Ok(done.rows_affected() > 0)
    }

    /// Asks the service for a run over these tenants, or over all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn demand(&self, tenants: &[TenantId], at: i64) -> Result<DemandId, StoreError> {
        let id = sqlx::query_scalar("INSERT INTO demand (asked_at, tenants) VALUES ($1, $2) RETURNING id")
            .bind(at)
            .bind(serde_json::to_string(tenants).map_err(stored("demand"))?)
            .fetch_one(&self.writer)
            .await
            .map_err(doing("ask for a run"))?;
        Ok(DemandId(id))
    }

    /// Closes the database.
    pub async fn close(self) {
        self.reader.pool.close().await;
        self.writer.close().await;
    }
}

impl Reader {
    /// All exemptions, those that have expired too, as far back as they are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn exemptions(&self) -> Result<Vec<Exemption>, StoreError> {
        read_exemptions(&self.pool).await
    }
}

/// All exemptions, by number.
pub(super) async fn read_exemptions(from: impl sqlx::SqliteExecutor<'_>) -> Result<Vec<Exemption>, StoreError> {
    let rows: Vec<ExemptionRow> =
        sqlx::query_as("SELECT id, tenant, domain, client, cause, owner, reason, created_at, expires_at FROM exemption ORDER BY id")
            .fetch_all(from)
            .await
            .map_err(doing("read the exemptions"))?;
    rows.into_iter().map(read_exemption).collect()
}

type ExemptionRow = (i64, Option<String>, Option<String>, Option<String>, Option<String>, String, String, i64, i64);

fn read_exemption(row: ExemptionRow) -> Result<Exemption, StoreError> {
    let (id, tenant, domain, client, cause, owner, reason, created_at, expires_at) = row;
    Ok(Exemption {
        id,
        tenant: tenant.map(TenantId::try_from).transpose().map_err(stored("tenant"))?,
        domain: domain.as_deref().map(Domain::parse).transpose().map_err(stored("domain"))?,
        client,
        cause: cause.map(|cause| read_word("cause", (&Cause::ALL, Cause::as_str), &cause)).transpose()?,
        owner,
        reason,
        created_at,
        expires_at,
    })
}

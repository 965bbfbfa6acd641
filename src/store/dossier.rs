//! Evidence: all answers about a domain, with the bodies, stored once by content.

use std::{collections::HashMap, sync::Arc};

use sqlx::SqliteConnection;

use super::{
    DomainBatch, Reader, RunId, StoreError,
    content::{Digest, digest_of},
    error::doing,
};
use crate::model::{Domain, TenantId};

/// All answers about a domain, to be stored.
#[derive(Debug, Clone)]
pub struct DossierRecord {
    /// The answers. What changes at every run (times, durations) must not be in it, or every run stores a copy.
    pub json: String,
    /// The bodies that it names, by SHA-256.
    pub bodies: Vec<(Digest, Arc<[u8]>)>,
}

/// All answers about a domain, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// The run that first met these answers.
    pub run: RunId,
    /// When it did.
    pub at: i64,
    /// The answers.
    pub json: String,
    /// The bodies that it names, by SHA-256.
    pub bodies: HashMap<Digest, Arc<[u8]>>,
}

impl Reader {
    /// The answers about a domain as of a run, or the newest.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn read_dossier(&self, tenant: &TenantId, domain: &Domain, run: Option<RunId>) -> Result<Option<Dossier>, StoreError> {
        let row: Option<(i64, i64, i64, String)> = sqlx::query_as(
            "SELECT c.run, c.at, d.id, d.json FROM domain_dossier c JOIN dossier d ON d.id = c.dossier
             WHERE c.tenant = $1 AND c.domain = $2 AND c.run <= $3 ORDER BY c.run DESC LIMIT 1",
        )
        .bind(tenant.as_str())
        .bind(domain.as_str())
        .bind(run.map_or(i64::MAX, |run| run.0))
        .fetch_optional(&self.pool)
        .await
        .map_err(doing("read the evidence"))?;
        let Some((run, at, id, json)) = row else { return Ok(None) };
        let rows: Vec<(Vec<u8>, Vec<u8>)> =
            sqlx::query_as("SELECT b.digest, b.bytes FROM dossier_body l JOIN body b ON b.digest = l.body WHERE l.dossier = $1")
                .bind(id)
                .fetch_all(&self.pool)
                .await
                .map_err(doing("read the evidence"))?;
        let bodies = rows.into_iter().filter_map(|(digest, bytes)| Some((digest.try_into().ok()?, Arc::from(bytes)))).collect();
        Ok(Some(Dossier { run: RunId(run), at, json, bodies }))
    }
}

/// Stores the answers where they are new, and points the domain at them where they differ from the newest.
pub(super) async fn store_dossier(
    connection: &mut SqliteConnection,
    batch: &DomainBatch<'_>,
    (dossier, newest): (&DossierRecord, Option<&[u8]>),
) -> Result<(), StoreError> {
    let digest = digest_of(dossier.json.as_bytes());
    if newest == Some(digest.as_slice()) {
        return Ok(());
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM dossier WHERE digest = $1")
        .bind(digest.as_slice())
        .fetch_optional(&mut *connection)
        .await
        .map_err(doing("look for evidence"))?;
    let id = match found {
        Some(id) => id,
        None => insert_dossier(connection, dossier, digest).await.map_err(doing("store the evidence"))?,
    };
    sqlx::query(
        "INSERT INTO domain_dossier (tenant, domain, run, dossier, at)
         SELECT $1, $2, $3, $4, $5 WHERE $4 IS DISTINCT FROM
           (SELECT dossier FROM domain_dossier WHERE tenant = $1 AND domain = $2 ORDER BY run DESC LIMIT 1)
         ON CONFLICT (tenant, domain, run) DO UPDATE SET dossier = excluded.dossier, at = excluded.at",
    )
    .bind(batch.tenant.as_str())
    .bind(batch.domain.as_str())
    .bind(batch.run.0)
    .bind(id)
    .bind(batch.at)
    .execute(connection)
    .await
    .map_err(doing("store the evidence"))?;
    Ok(())
}

async fn insert_dossier(connection: &mut SqliteConnection, dossier: &DossierRecord, digest: Digest) -> sqlx::Result<i64> {
    let id: i64 = sqlx::query_scalar("INSERT INTO dossier (digest, json) VALUES ($1, $2) RETURNING id")
        .bind(digest.as_slice())
        .bind(&dossier.json)
        .fetch_one(&mut *connection)
        .await?;
    for (digest, bytes) in &dossier.bodies {
        sqlx::query("INSERT INTO body (digest, bytes) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING")
            .bind(digest.as_slice())
            .bind(Arc::clone(bytes))
            .execute(&mut *connection)
            .await?;
        sqlx::query("INSERT INTO dossier_body (dossier, body) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(digest.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(id)
}

//! The end of a tenant's part of a run: what was found, what that makes of the incidents, who is told, and what is checked again soon.
//! All of it in one transaction, so that a kill leaves either none of it or all.

use super::{
    Destination, IncidentChange, Recheck, RunId, Store, StoreError,
    error::doing,
    event::write_changes,
    outbox::enqueue,
    plan::replace_rechecks,
    run::{close_tenant, require_under_way},
};
use crate::model::{Domain, TenantId};

/// The end of a tenant's part of a run.
#[derive(Debug, Clone, Copy)]
pub struct Conclusion<'a> {
    /// The run.
    pub run: RunId,
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The domains that the run went through.
    pub scope: Scope<'a>,
    /// Where it went through some domains: those that it was to go through and that are on no list any more.
    pub vanished: &'a [&'a Domain],
    /// When it ended.
    pub at: i64,
    /// The incidents that are not as they were.
    pub changes: &'a [IncidentChange],
    /// Who is told of what.
    pub destinations: &'a [Destination],
    /// What is checked again soon, in the place of what was planned for the domains of the run, or for all if it was over all.
    pub rechecks: &'a [Recheck],
}

/// The domains of a tenant that a run went through.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// All of the list: mailboxes of other domains have left it.
    Whole(&'a [&'a Domain]),
    /// Some of the list: nothing is said of other domains.
    Part(&'a [&'a Domain]),
}

/// What a conclusion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Concluded {
    /// It had been concluded already, and nothing was written.
    pub is_repeated: bool,
    /// Mailboxes that have left the list.
    pub gone: u64,
    /// Events that were logged.
    pub events: u64,
}

impl Store {
    /// Ends a tenant's part of a run. To end it twice changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unfinished`] where a domain is not recorded to its end; [`StoreError::Superseded`]; other [`StoreError`].
    pub async fn conclude_tenant(&self, conclusion: Conclusion<'_>) -> Result<Concluded, StoreError> {
        self.attempt(|| self.conclude_once(conclusion)).await
    }

    /// Writes what became of incidents that no run found: those about us, and runs that did not happen. Returns how many events were
    /// logged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conclude_ours(&self, changes: &[IncidentChange], destinations: &[Destination], at: i64) -> Result<u64, StoreError> {
        self.attempt(|| async {
            let mut tx = self.begin().await?;
            let logged = write_changes(&mut tx, changes, (None, at)).await?;
            enqueue(&mut tx, &logged, (destinations, at)).await?;
            tx.commit().await.map_err(doing("commit what happened"))?;
            Ok(logged.len() as u64)
        })
        .await
    }

    async fn conclude_once(&self, conclusion: Conclusion<'_>) -> Result<Concluded, StoreError> {
        let Conclusion { run, tenant, scope, vanished, at, changes, destinations, rechecks } = conclusion;
        let mut tx = self.begin().await?;
        require_under_way(&mut tx, run).await?;
        let is_concluded: Option<bool> = sqlx::query_scalar("SELECT state = 'finished' FROM run_tenant WHERE run = $1 AND tenant = $2")
            .bind(run.0)
            .bind(tenant.as_str())
            .fetch_optional(&mut *tx)
            .await
            .map_err(doing("look how far a tenant is"))?;
        if is_concluded == Some(true) {
            return Ok(Concluded { is_repeated: true, ..Concluded::default() });
        }
        let gone = close_tenant(&mut tx, run, (tenant, scope), at).await?;
        let logged = write_changes(&mut tx, changes, (Some(run), at)).await?;
        enqueue(&mut tx, &logged, (destinations, at)).await?;
        let replaced = match scope {
            Scope::Whole(_) => None,
            Scope::Part(domains) => Some([domains, vanished].concat()),
        };
        replace_rechecks(&mut tx, (tenant, replaced.as_deref()), rechecks).await.map_err(doing("plan what is checked again"))?;
        tx.commit().await.map_err(doing("commit a conclusion"))?;
        Ok(Concluded { is_repeated: false, gone, events: logged.len() as u64 })
    }
}

//! The four numbers of a report, by tenant.

use std::collections::HashMap;

use super::{
    Reader, ReportFilter, Snapshot, StoreError,
    error::{doing, stored},
};
use crate::model::TenantId;

/// The four numbers of a tenant; `ok`, `needs_manual` and `undetermined` add up to `checked`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantSummary {
    /// The tenant.
    pub tenant: TenantId,
    /// Its name for people.
    pub name: String,
    /// When the last run was finished that went through its whole list; `None`: none was.
    pub finished_at: Option<i64>,
    /// Mailboxes on the list that have an outcome.
    pub checked: u64,
    /// Mailboxes that need nothing.
    pub ok: u64,
    /// Mailboxes that need manual configuration.
    pub needs_manual: u64,
    /// Mailboxes about which an audited client's verdict is in doubt, and nothing is found.
    pub undetermined: u64,
    /// Mailboxes about whose home the authorities contradict each other; of all that were checked.
    pub conflicts: u64,
    /// Mailboxes whose address is a personal account, too; of all that were checked.
    pub personal: u64,
}

impl Reader {
    /// As [`Snapshot::summary`], of the database as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self, filter: &ReportFilter) -> Result<Vec<TenantSummary>, StoreError> {
        self.snapshot().await?.summary(filter).await
    }
}

impl Snapshot {
    /// Counts by tenant, in the order of their ids; `needs_manual` of the filter is not looked at.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&mut self, filter: &ReportFilter) -> Result<Vec<TenantSummary>, StoreError> {
        let rows: Vec<SummaryRow> = if let Some(run) = filter.run {
            sqlx::query_as(
                "SELECT t.id, t.name, count(*), sum(o.needs_manual), sum(o.undetermined AND NOT o.needs_manual), sum(o.conflict), sum(o.personal)
                 FROM tenant t CROSS JOIN mailbox m CROSS JOIN history h CROSS JOIN outcome o
                 WHERE m.tenant = t.id AND h.mailbox = m.id AND o.id = h.outcome
                   AND h.run = (SELECT max(run) FROM history WHERE mailbox = m.id AND run <= $1)
                 GROUP BY t.id, t.name ORDER BY t.id",
            )
            .bind(run.0)
            .fetch_all(&mut *self.tx)
            .await
        } else {
            sqlx::query_as(
                "SELECT t.id, t.name, count(*), sum(o.needs_manual), sum(o.undetermined AND NOT o.needs_manual), sum(o.conflict), sum(o.personal)
                 FROM tenant t CROSS JOIN mailbox m CROSS JOIN outcome o
                 WHERE m.tenant = t.id AND o.id = m.outcome
                 GROUP BY t.id, t.name ORDER BY t.id",
            )
            .fetch_all(&mut *self.tx)
            .await
        }
        .map_err(doing("count the mailboxes"))?;
        let finished: HashMap<String, i64> = sqlx::query_as(
            "SELECT p.tenant, max(r.finished_at) FROM run_tenant p JOIN run r ON r.id = p.run
             WHERE p.state = 'finished' AND r.is_part = 0 AND r.finished_at IS NOT NULL AND r.id <= $1 GROUP BY p.tenant",
        )
        .bind(filter.run.map_or(i64::MAX, |run| run.0))
        .fetch_all(&mut *self.tx)
        .await
        .map_err(doing("read when tenants were audited"))?
        .into_iter()
        .collect();
        let mut summaries = Vec::with_capacity(rows.len());
        for (tenant, name, checked, needs_manual, undetermined, conflicts, personal) in rows {
            let finished_at = finished.get(&tenant).copied();
            let tenant = TenantId::try_from(tenant).map_err(stored("tenant"))?;
            if filter.tenant.as_ref().is_some_and(|wanted| *wanted != tenant) {
                continue;
            }
            let [checked, needs_manual, undetermined] = [checked, needs_manual, undetermined].map(i64::unsigned_abs);
            summaries.push(TenantSummary {
                tenant,
                name,
                finished_at,
                checked,
                ok: checked.saturating_sub(needs_manual + undetermined),
                needs_manual,
                undetermined,
                conflicts: conflicts.unsigned_abs(),
                personal: personal.unsigned_abs(),
            });
        }
        Ok(summaries)
    }
}

/// Tenant, its name, mailboxes, by hand, in doubt, in conflict, personal.
type SummaryRow = (String, String, i64, i64, i64, i64, i64);

//! The four numbers of a report, by tenant.

use super::{
    Reader, ReportFilter, StoreError,
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
    /// Mailboxes on the list that have an outcome.
    pub checked: u64,
    /// Mailboxes that need nothing.
    pub ok: u64,
    /// Mailboxes that need manual configuration.
    pub needs_manual: u64,
    /// Mailboxes about which an audited client's verdict is in doubt, and nothing is found.
    pub undetermined: u64,
}

impl Reader {
    /// Counts by tenant, in the order of their ids; `needs_manual` of the filter is not looked at.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn summary(&self, filter: &ReportFilter) -> Result<Vec<TenantSummary>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64)> = if let Some(run) = filter.run {
            sqlx::query_as(
                "SELECT t.id, t.name, count(*), sum(o.needs_manual), sum(o.undetermined AND NOT o.needs_manual)
                 FROM tenant t CROSS JOIN mailbox m CROSS JOIN history h CROSS JOIN outcome o
                 WHERE m.tenant = t.id AND h.mailbox = m.id AND o.id = h.outcome
                   AND h.run = (SELECT max(run) FROM history WHERE mailbox = m.id AND run <= $1)
                 GROUP BY t.id, t.name ORDER BY t.id",
            )
            .bind(run.0)
            .fetch_all(&self.pool)
            .await
        } else {
            sqlx::query_as(
                "SELECT t.id, t.name, count(*), sum(o.needs_manual), sum(o.undetermined AND NOT o.needs_manual)
                 FROM tenant t CROSS JOIN mailbox m CROSS JOIN outcome o
                 WHERE m.tenant = t.id AND o.id = m.outcome
                 GROUP BY t.id, t.name ORDER BY t.id",
            )
            .fetch_all(&self.pool)
            .await
        }
        .map_err(doing("count the mailboxes"))?;
        let mut summaries = Vec::with_capacity(rows.len());
        for (tenant, name, checked, needs_manual, undetermined) in rows {
            let tenant = TenantId::try_from(tenant).map_err(stored("tenant"))?;
            if filter.tenant.as_ref().is_some_and(|wanted| *wanted != tenant) {
                continue;
            }
            let [checked, needs_manual, undetermined] = [checked, needs_manual, undetermined].map(i64::unsigned_abs);
            let ok = checked.saturating_sub(needs_manual + undetermined);
            summaries.push(TenantSummary { tenant, name, checked, ok, needs_manual, undetermined });
        }
        Ok(summaries)
    }
}

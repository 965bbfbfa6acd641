//! Groups of incidents as one alert of a pager stands for them ([`Concern::group_key`]).

use super::{Reader, StoreError, error::doing, incident::read_incident};
use crate::model::{Account, Concern, Severity};

/// The announced incidents of a group, taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// The group.
    pub group_key: String,
    /// What its gravest incident is about.
    pub concern: Concern,
    /// How grave that is.
    pub severity: Severity,
    /// How many are open.
    pub open: u64,
    /// Mailboxes that they concern together.
    pub affected: u64,
    /// When the first of them opened.
    pub opened_at: i64,
    /// When the last of them resolved; `None` while one is open.
    pub resolved_at: Option<i64>,
    /// What a message says of the gravest.
    pub account: Account,
}

impl Reader {
    /// The groups with open incidents, and those whose last one resolved at or after an instant; by group. Incidents that are exempt
    /// are not counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_groups(&self, resolved_since: i64) -> Result<Vec<GroupState>, StoreError> {
        let rows: Vec<GroupRow> = sqlx::query_as(
            "SELECT group_key, count(*) FILTER (WHERE state = 'open'), coalesce(sum(affected) FILTER (WHERE state = 'open'), 0),
               min(opened_at) FILTER (WHERE state = 'open'), min(opened_at), max(resolved_at) FILTER (WHERE state = 'resolved')
             FROM incident WHERE is_announced = 1 AND (state = 'open' OR (state = 'resolved' AND resolved_at >= $1))
             GROUP BY group_key ORDER BY group_key",
        )
        .bind(resolved_since)
        .fetch_all(&self.pool)
        .await
        .map_err(doing("read the groups of incidents"))?;
        let mut groups = Vec::with_capacity(rows.len());
        for (group_key, open, affected, open_since, opened_at, resolved_at) in rows {
            let gravest = sqlx::query(
                "SELECT * FROM incident WHERE group_key = $1 AND is_announced = 1
                   AND (state = 'open' OR (state = 'resolved' AND resolved_at >= $2))
                 ORDER BY state = 'open' DESC,
                   CASE severity WHEN 'critical' THEN 3 WHEN 'error' THEN 2 WHEN 'warning' THEN 1 ELSE 0 END DESC, id LIMIT 1",
            )
            .bind(&group_key)
            .bind(resolved_since)
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("read the gravest incident of a group"))?;
            // the last of them may have been dropped in between
            let Some(gravest) = gravest.as_ref().map(read_incident).transpose()? else { continue };
            let Some(opened_at) = open_since.or(opened_at) else { continue };
            groups.push(GroupState {
                group_key,
                concern: gravest.concern,
                severity: gravest.severity,
                open: open.unsigned_abs(),
                affected: affected.unsigned_abs(),
                opened_at,
                resolved_at: resolved_at.filter(|_| open == 0),
                account: gravest.account,
            });
        }
        Ok(groups)
    }
}

/// group, open ones, mailboxes, the first opening of the open ones, of all, the last end.
type GroupRow = (String, i64, i64, Option<i64>, Option<i64>, Option<i64>);

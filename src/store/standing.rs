//! What a report says of the incidents that stand, beside the mailboxes that they concern.

use std::{collections::HashMap, sync::Arc};

use sqlx::SqliteConnection;

use super::{
    Snapshot, StoreError,
    error::{doing, stored},
    people::read_exemptions,
    word::read_word,
};
use crate::model::{Acknowledgement, Address, Concern, Exemption, IncidentId, IncidentState, Outcome, TenantId};

/// An incident that is suspected or open, as far as a report says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its number.
    pub id: IncidentId,
    /// What it is about.
    pub concern: Concern,
    /// Where it stands.
    pub state: IncidentState,
    /// When this episode was first seen.
    pub first_seen_at: i64,
    /// Whether someone has acknowledged it.
    pub acknowledgement: Option<Acknowledgement>,
}

impl Snapshot {
    /// All exemptions, those that have expired too, as far back as they are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn exemptions(&mut self) -> Result<Vec<Exemption>, StoreError> {
        read_exemptions(&mut *self.tx).await
    }
}

/// The incidents of a range of domains, by key.
#[derive(Debug, Default)]
pub(super) struct Incidents(HashMap<String, Arc<Standing>>);

/// id, key, concern, state, first seen at, acknowledged by, why, when, until.
type Row = (i64, String, String, String, i64, Option<String>, Option<String>, Option<i64>, Option<i64>);

impl Incidents {
    /// Reads those from one tenant's domain through another's, in the order of tenant and domain.
    pub(super) async fn read(
        connection: &mut SqliteConnection,
        (from_tenant, from_domain): (&str, &str),
        (to_tenant, to_domain): (&str, &str),
    ) -> Result<Self, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, key, concern, state, first_seen_at, ack_by, ack_reason, ack_at, ack_until FROM incident
             WHERE (tenant, domain) >= ($1, $2) AND (tenant, domain) <= ($3, $4) AND state IN ('suspected', 'open')",
        )
        .bind(from_tenant)
        .bind(from_domain)
        .bind(to_tenant)
        .bind(to_domain)
        .fetch_all(connection)
        .await
        .map_err(doing("read the incidents of a page"))?;
        rows.into_iter().map(standing).collect::<Result<_, _>>().map(Self)
    }

    /// The incident of each client of an outcome: the mailbox's own, or else its domain's.
    pub(super) fn of(&self, (tenant, address): (&TenantId, &Address), outcome: &Outcome) -> Vec<Option<Arc<Standing>>> {
        let key = |client: &str, cause, mailbox| {
            Concern::Finding { tenant: tenant.clone(), domain: address.domain().clone(), client: client.to_owned(), cause, mailbox }.key()
        };
        let clients = outcome.clients.iter().map(|client| {
            let cause = client.cause.filter(|_| client.audited && client.verdict.is_finding() && !self.0.is_empty())?;
            let own = self.0.get(&key(&client.client, cause, Some(address.key())));
            own.or_else(|| self.0.get(&key(&client.client, cause, None))).cloned()
        });
        clients.collect()
    }
}

fn standing(row: Row) -> Result<(String, Arc<Standing>), StoreError> {
    let (id, key, concern, state, first_seen_at, by, reason, at, until) = row;
    let acknowledgement = match (by, reason, at) {
        (Some(by), Some(reason), Some(at)) => Some(Acknowledgement { by, reason, at, until }),
        _ => None,
    };
    let standing = Standing {
        id: IncidentId(id),
        concern: serde_json::from_str(&concern).map_err(stored("concern"))?,
        state: read_word("state", (&IncidentState::ALL, IncidentState::as_str), &state)?,
        first_seen_at,
        acknowledgement,
    };
    Ok((key, Arc::new(standing)))
}

//! Incidents: reading them, and writing what a check made of them. What people write is theirs: see `people`.

use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    Reader, StoreError,
    error::{doing, stored},
    word::{count, read_word},
};
use crate::model::{Acknowledgement, Change, Domain, Incident, IncidentId, IncidentState, Severity, TenantId, Verdict};

/// An incident as it stands after a check, to be written; unchanged ones need not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentChange {
    /// As it stands now. Its acknowledgement is not written: it is people's, and ends when the incident does.
    pub incident: Incident,
    /// What happened to it.
    pub change: Option<Change>,
    /// Whether that is kept from the channels.
    pub is_muted: bool,
}

/// Which incidents are read.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    /// In these states; none named: in all.
    pub states: Vec<IncidentState>,
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only in this domain.
    pub domain: Option<Domain>,
    /// No more than these; `None`: all.
    pub at_most: Option<u32>,
}

impl Reader {
    /// All incidents of a tenant, its runs' among them, or, for `None`, those about us: in every state, in the order of domain and
    /// number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incidents_of(&self, tenant: Option<&TenantId>) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query("SELECT * FROM incident WHERE tenant IS NOT DISTINCT FROM $1 ORDER BY domain, id")
            .bind(tenant.map(TenantId::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the incidents of a tenant"))?;
        rows.iter().map(read_incident).collect()
    }

    /// The incidents that the filter lets through, those that were seen last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError> {
        let mut select = QueryBuilder::<Sqlite>::new("SELECT * FROM incident WHERE true");
        if let Some(tenant) = &filter.tenant {
            select.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(domain) = &filter.domain {
            select.push(" AND domain = ").push_bind(domain.as_str());
        }
        if !filter.states.is_empty() {
            select.push(" AND state IN (");
            let mut states = select.separated(", ");
            for state in &filter.states {
                states.push_bind(state.as_str());
            }
            states.push_unseparated(")");
        }
        select.push(" ORDER BY first_seen_at DESC, id DESC LIMIT ").push_bind(filter.at_most.map_or(i64::MAX, i64::from));
        let rows = select.build().persistent(false).fetch_all(&self.pool).await.map_err(doing("read the incidents"))?;
        rows.iter().map(read_incident).collect()
    }

    /// An incident by its number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        let row = sqlx::query("SELECT * FROM incident WHERE id = $1")
            .bind(id.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(doing("read an incident"))?;
        row.as_ref().map(read_incident).transpose()
    }
}

/// Writes an incident, except for what is people's, and returns its number. What has ended is acknowledged no longer.
pub(super) async fn write_incident(connection: &mut SqliteConnection, incident: &Incident, at: i64) -> Result<IncidentId, StoreError> {
    let json = |what: &'static str, text: serde_json::Result<String>| text.map_err(stored(what));
    let domain = match &incident.concern {
        crate::model::Concern::Finding { domain, .. } => Some(domain.as_str()),
        _ => None,
    };
    let id = sqlx::query_scalar(UPSERT)
        .bind(incident.concern.key())
        .bind(json("concern", serde_json::to_string(&incident.concern))?)
        .bind(incident.concern.kind())
        .bind(incident.concern.tenant().map(TenantId::as_str))
        .bind(domain)
        .bind(incident.concern.group_key())
        .bind(incident.state.as_str())
        .bind(incident.severity.as_str())
        .bind(incident.verdict.map(Verdict::as_str))
        .bind(incident.candidate.map(Verdict::as_str))
        .bind(i64::from(incident.streak))
        .bind(incident.is_seen)
        .bind(count(incident.affected))
        .bind(incident.first_seen_at)
        .bind(incident.opened_at)
        .bind(incident.resolved_at)
        .bind(i64::from(incident.episode))
        .bind(incident.is_announced)
        .bind(incident.notified_at)
        .bind(count(incident.notified_affected))
        .bind(json("flips", serde_json::to_string(&incident.flips))?)
        .bind(incident.is_flapping)
        .bind(json("account", serde_json::to_string(&incident.account))?)
        .bind(at)
        .fetch_one(connection)
        .await
        .map_err(doing("store an incident"))?;
    Ok(IncidentId(id))
}

const UPSERT: &str = "INSERT INTO incident (key, concern, kind, tenant, domain, group_key, state, severity, verdict, candidate, streak,
   is_seen, affected, first_seen_at, opened_at, resolved_at, episode, is_announced, notified_at, notified_affected, flips, is_flapping,
   account, written_at)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
 ON CONFLICT (key) DO UPDATE SET state = excluded.state, severity = excluded.severity, verdict = excluded.verdict,
   candidate = excluded.candidate, streak = excluded.streak, is_seen = excluded.is_seen, affected = excluded.affected,
   first_seen_at = excluded.first_seen_at, opened_at = excluded.opened_at, resolved_at = excluded.resolved_at,
   episode = excluded.episode, is_announced = excluded.is_announced, notified_at = excluded.notified_at,
   notified_affected = excluded.notified_affected, flips = excluded.flips, is_flapping = excluded.is_flapping,
   account = excluded.account, written_at = excluded.written_at,
   ack_by = CASE WHEN excluded.state IN ('suspected', 'open') THEN incident.ack_by END,
   ack_reason = CASE WHEN excluded.state IN ('suspected', 'open') THEN incident.ack_reason END,
   ack_at = CASE WHEN excluded.state IN ('suspected', 'open') THEN incident.ack_at END,
   ack_until = CASE WHEN excluded.state IN ('suspected', 'open') THEN incident.ack_until END
 RETURNING id";

/// An incident of a row that has all columns.
pub(super) fn read_incident(row: &SqliteRow) -> Result<Incident, StoreError> {
    let columns = Columns(row);
    let acknowledgement = match (columns.get("ack_by")?, columns.get("ack_reason")?, columns.get("ack_at")?) {
        (Some(by), Some(reason), Some(at)) => Some(Acknowledgement { by, reason, at, until: columns.get("ack_until")? }),
        _ => None,
    };
    Ok(Incident {
        id: Some(IncidentId(columns.get("id")?)),
        concern: columns.json("concern")?,
        state: read_word("state", (&IncidentState::ALL, IncidentState::as_str), &columns.get::<String>("state")?)?,
        severity: columns.severity("severity")?,
        verdict: columns.verdict("verdict")?,
        candidate: columns.verdict("candidate")?,
        streak: columns.small("streak")?,
        is_seen: columns.get("is_seen")?,
        affected: columns.count("affected")?,
        first_seen_at: columns.get("first_seen_at")?,
        opened_at: columns.get("opened_at")?,
        resolved_at: columns.get("resolved_at")?,
        episode: columns.small("episode")?,
        is_announced: columns.get("is_announced")?,
        notified_at: columns.get("notified_at")?,
        notified_affected: columns.count("notified_affected")?,
        flips: columns.json("flips")?,
        is_flapping: columns.get("is_flapping")?,
        account: columns.json("account")?,
        acknowledgement,
    })
}

/// A row whose columns are read by name.
pub(super) struct Columns<'r>(pub(super) &'r SqliteRow);

impl<'r> Columns<'r> {
    pub(super) fn get<T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(&self, name: &'static str) -> Result<T, StoreError> {
        self.0.try_get(name).map_err(doing("read a column"))
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, name: &'static str) -> Result<T, StoreError> {
        serde_json::from_str(&self.get::<String>(name)?).map_err(stored(name))
    }

    pub(super) fn count(&self, name: &'static str) -> Result<u64, StoreError> {
        Ok(self.get::<i64>(name)?.unsigned_abs())
    }

    pub(super) fn small(&self, name: &'static str) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.get::<i64>(name)?).unwrap_or(u32::MAX))
    }

    pub(super) fn severity(&self, name: &'static str) -> Result<Severity, StoreError> {
        read_word(name, (&Severity::ALL, Severity::as_str), &self.get::<String>(name)?)
    }

    pub(super) fn verdict(&self, name: &'static str) -> Result<Option<Verdict>, StoreError> {
        let text: Option<String> = self.get(name)?;
        text.map(|text| read_word(name, (&Verdict::ALL, Verdict::as_str), &text)).transpose()
    }
}

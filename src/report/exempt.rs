//! What people have said about findings, acknowledgements and exemptions, as reports show it. Pure.

use std::sync::Arc;

use serde::Serialize;

use super::{
    layout::table,
    row::{day, rfc3339},
};
use crate::{
    model::{Acknowledgement, Cause, Concern, Domain, Exemption, TenantId, counted, visible},
    store::Standing,
};

/// The exemptions that hold at the instant of a report.
#[derive(Debug, Clone, Default)]
pub struct InForce {
    exemptions: Vec<Exemption>,
    at: i64,
}

/// An incident as it stands beside a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IncidentRow {
    /// Its number.
    pub id: i64,
    /// `suspected` or `open`.
    pub state: &'static str,
    /// When it was first seen, RFC 3339.
    pub since: String,
    /// Who keeps it from reminding.
    pub acknowledgement: Option<AcknowledgementView>,
    /// What keeps it from being announced; of several, what lasts longest.
    pub exemption: Option<ExemptionView>,
    /// Whether it is about this mailbox alone.
    #[serde(skip)]
    pub is_own: bool,
}

/// An acknowledgement that holds. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcknowledgementView {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: String,
    /// Until when; `None`: until the incident resolves.
    pub until: Option<String>,
}

/// An exemption. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExemptionView {
    /// Its number.
    pub id: i64,
    /// Only this tenant's findings.
    pub tenant: Option<TenantId>,
    /// Only in this domain.
    pub domain: Option<Domain>,
    /// Only for this client.
    pub client: Option<String>,
    /// Only for this cause.
    pub cause: Option<Cause>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: String,
    /// Until when.
    pub expires_at: String,
}

impl InForce {
    /// Those of all exemptions that hold at an instant (seconds since 1970), the first to end first.
    #[must_use]
    pub fn new(mut exemptions: Vec<Exemption>, at: i64) -> Self {
        exemptions.retain(|exemption| at < exemption.expires_at);
        exemptions.sort_by_key(|exemption| (exemption.expires_at, exemption.id));
        Self { exemptions, at }
    }

    /// Drops those that cover nothing of a tenant, or of any of these clients, where some are named.
    pub(super) fn keep(&mut self, tenant: Option<&TenantId>, clients: &[String]) {
        self.exemptions.retain(|exemption| {
            (tenant.is_none() || exemption.tenant.is_none() || exemption.tenant.as_ref() == tenant)
                && (clients.is_empty() || exemption.client.as_ref().is_none_or(|client| clients.contains(client)))
        });
    }

    /// An incident with what people have said about it.
    #[must_use]
    pub fn row(&self, standing: &Arc<Standing>) -> IncidentRow {
        let Standing { id, concern, state, first_seen_at, acknowledgement } = &**standing;
        IncidentRow {
            id: id.0,
            state: state.as_str(),
            since: rfc3339(*first_seen_at),
            acknowledgement: acknowledgement.as_ref().filter(|one| one.holds(self.at)).map(AcknowledgementView::from),
            exemption: Exemption::of(&self.exemptions, concern, self.at).map(ExemptionView::from),
            is_own: matches!(concern, Concern::Finding { mailbox: Some(_), .. }),
        }
    }

    /// All of them, as programs see them.
    pub(super) fn views(&self) -> Vec<ExemptionView> {
        self.exemptions.iter().map(ExemptionView::from).collect()
    }

    /// All of them, for a person; empty where there is none.
    pub(super) fn text(&self) -> String {
        if self.exemptions.is_empty() { String::new() } else { exemption_table(2, &self.exemptions, self.at) }
    }
}

impl IncidentRow {
    /// It in one line; `client`: the one that it is about, where that has to be said; `address`: of the mailbox that it is the own
    /// incident of.
    pub(super) fn line(&self, client: Option<&str>, address: Option<&str>) -> String {
        let Self { id, state, acknowledgement, exemption, .. } = self;
        let client = client.map(|client| format!(" for {client}")).unwrap_or_default();
        let address = address.map(|address| format!(" of {address}")).unwrap_or_default();
        let acknowledged = acknowledgement.as_ref().map(|AcknowledgementView { by, reason, until, .. }| {
            let until = until.as_ref().map(|until| format!(" until {}", day(until))).unwrap_or_default();
            format!("acknowledged by {by}{until}: {reason}")
        });
        let exempt = exemption.as_ref().map(|ExemptionView { owner, reason, expires_at, .. }| {
            let until = day(expires_at);
            format!("exempt until {until} ({owner}: {reason})")
        });
        let parts = [Some(format!("{id}{client}{address}, {state}")), acknowledged, exempt];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

impl From<&Acknowledgement> for AcknowledgementView {
    fn from(acknowledgement: &Acknowledgement) -> Self {
        let Acknowledgement { by, reason, at, until } = acknowledgement;
        Self { by: by.clone(), reason: reason.clone(), at: rfc3339(*at), until: until.map(rfc3339) }
    }
}

impl From<&Exemption> for ExemptionView {
    fn from(exemption: &Exemption) -> Self {
        let Exemption { id, tenant, domain, client, cause, owner, reason, created_at, expires_at } = exemption.clone();
        let (created_at, expires_at) = (rfc3339(created_at), rfc3339(expires_at));
        Self { id, tenant, domain, client, cause, owner, reason, created_at, expires_at }
    }
}

/// Exemptions for a person, with those marked that are over or soon will be.
pub(super) fn exemption_table(indent: usize, exemptions: &[Exemption], at: i64) -> String {
    let mut rows = vec![["id", "until", "what", "owner", "reason"].map(str::to_owned).to_vec()];
    for exemption in exemptions {
        let until = day(&rfc3339(exemption.expires_at)).to_owned();
        let until = match exemption.expires_at.saturating_sub(at) {
            ..=0 => format!("over ({until})"),
            left @ 1..=SOON => format!("{until} (expires {})", within(left)),
            _ => until,
        };
        rows.push(vec![
            exemption.id.to_string(),
            until,
            scope(exemption),
            visible(&exemption.owner).into_owned(),
            visible(&exemption.reason).into_owned(),
        ]);
    }
    table(indent, &rows, &[0])
}

fn within(seconds: i64) -> String {
    match u64::try_from(seconds / DAY).unwrap_or_default() {
        0 => "within a day".to_owned(),
        days => format!("in {}", counted(days, "day", "days")),
    }
}

fn scope(exemption: &Exemption) -> String {
    let parts = [
        exemption.tenant.as_ref().map(|tenant| format!("tenant {tenant}")),
        exemption.domain.as_ref().map(Domain::for_people),
        exemption.client.as_deref().map(|client| visible(client).into_owned()),
        exemption.cause.map(|cause| cause.to_string()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "everything".to_owned() } else { parts.join(" / ") }
}

const DAY: i64 = 86_400;
/// Before an exemption expires it is marked for so many seconds.
const SOON: i64 = 14 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemption_says_when_it_is_about_to_expire() {
        let exemption = |id, expires_at| Exemption {
            id,
            tenant: None,
            domain: None,
            client: None,
            cause: Some(Cause::SrvStale),
            owner: "mail team".into(),
            reason: "moving".into(),
            created_at: 0,
            expires_at,
        };
        let ends = [100 * DAY, 114 * DAY, 114 * DAY + 1, 101 * DAY - 1, 99 * DAY];
        let all: Vec<Exemption> = ends.iter().zip(1..).map(|(at, id)| exemption(id, *at)).collect();
        let text = exemption_table(0, &all, 100 * DAY);
        let until: Vec<&str> = text.lines().skip(1).map(|line| line.split("  ").nth(1).unwrap()).collect();
        assert_eq!(
            until,
            [
                "over (1970-04-11)",
                "1970-04-25 (expires in 14 days)",
                "1970-04-25",
                "1970-04-11 (expires within a day)",
                "over (1970-04-10)"
            ],
            "{text}"
        );
        let force = InForce::new(all, 100 * DAY);
        assert_eq!(force.views().iter().map(|view| view.id).collect::<Vec<_>>(), [4, 2, 3]);
    }
}

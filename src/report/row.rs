//! The view of a mailbox: all formats show this and nothing else. Placeholders are filled in.

use std::sync::Arc;

use serde::Serialize;

use super::{InForce, IncidentRow, Setting};
use crate::{
    model::{Address, Authority, Claim, ClientOutcome, Hosting, Intake, expand},
    remedy::{Advisor, Remedies},
    store::MailboxRow,
};

/// A mailbox in the report.
#[derive(Debug, Clone, Serialize)]
pub struct ReportRow {
    /// The tenant's id.
    pub tenant: String,
    /// The address as the list has it.
    pub address: String,
    /// The mail domain.
    #[serde(skip)]
    pub domain: String,
    /// Display name.
    pub display_name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Manager.
    pub manager: Option<String>,
    /// Where the mailbox lives.
    pub hosting: String,
    /// Who says so.
    pub hosting_authority: Authority,
    /// What the authorities say, where they contradict each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosting_conflict: Vec<Claim>,
    /// Why the address is taken to be a personal account, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_account: Option<String>,
    /// Whether its user must type settings by hand.
    pub needs_manual_configuration: bool,
    /// When that was last confirmed, RFC 3339.
    pub checked_at: String,
    /// What to type; empty where no client has a finding.
    pub settings: Vec<Setting>,
    /// The clients, in the order of `clients.toml`.
    pub clients: Vec<ClientRow>,
}

/// A client's verdict in the report: as in `autodiscover-audit/check/1`, with since and advice.
#[derive(Debug, Clone, Serialize)]
pub struct ClientRow {
    /// The verdict and all that belongs to it, placeholders filled in.
    #[serde(flatten)]
    pub outcome: ClientOutcome,
    /// When this finding was first made, RFC 3339.
    pub since: Option<String>,
    /// What the administrator can do about the cause.
    pub advice: Option<String>,
    /// What it takes.
    #[serde(skip)]
    pub(super) intake: Arc<Intake>,
    /// The incident that the finding belongs to, as it stands now.
    pub incident: Option<IncidentRow>,
}

impl ReportRow {
    /// The view of what the database has. Settings of protocols that are switched off for the mailbox are left out.
    #[must_use]
    pub fn new(found: MailboxRow, remedies: &Remedies, in_force: &InForce) -> Self {
        let MailboxRow { tenant, mailbox, outcome, since, incidents, checked_at } = found;
        let (address, person) = (&mailbox.address, mailbox.person.as_deref());
        let wrong = outcome.clients.iter().filter(|client| client.verdict.is_finding()).map(|client| client.client.as_str());
        let servers = remedies.to_type((&tenant, outcome.hosting), wrong);
        let enabled = servers.iter().filter(|server| mailbox.profile.protocols.is_enabled(server.protocol));
        let incidents = incidents.iter().map(|incident| incident.as_ref().map(|incident| in_force.row(incident)));
        let clients = outcome.clients.iter().zip(since.into_iter().zip(incidents));
        Self {
            address: address.to_string(),
            domain: address.domain().to_string(),
            display_name: person.and_then(|person| person.display_name.clone()),
            department: person.and_then(|person| person.department.clone()),
            manager: person.and_then(|person| person.manager.clone()),
            hosting: outcome.hosting.to_string(),
            hosting_authority: outcome.authority,
            hosting_conflict: outcome.hosting_conflict.iter().map(|claim| claim.expand(address)).collect(),
            personal_account: outcome.personal_account.as_ref().map(|why| expand(why, address)),
            needs_manual_configuration: outcome.needs_manual_configuration,
            checked_at: rfc3339(checked_at),
            settings: enabled.map(|server| Setting::new(server, address, person)).collect(),
            clients: clients.map(|(client, past)| ClientRow::new(client, past, (address, outcome.hosting), remedies.advisor())).collect(),
            tenant: tenant.into(),
        }
    }
}

impl ClientRow {
    fn new(
        client: &ClientOutcome,
        (since, incident): (Option<i64>, Option<IncidentRow>),
        (address, hosting): (&Address, Hosting),
        advisor: &Advisor,
    ) -> Self {
        let advice = client.cause.map(|cause| advisor.advice(&client.client, cause, address.domain(), hosting));
        let intake = advisor.intake(&client.client);
        Self { outcome: client.expand(address), since: since.map(rfc3339), advice, intake, incident }
    }

    /// Those of a mailbox's settings that are typed into this client.
    pub(super) fn to_type<'a>(&'a self, settings: &'a [Setting]) -> impl Iterator<Item = &'a Setting> {
        settings.iter().filter(|setting| self.intake.protocols.contains(&setting.protocol))
    }

    /// Whether its users can type servers at all: for an Exchange account Outlook has no place for them.
    pub(super) fn has_settings(&self) -> bool {
        self.intake.protocols.iter().any(|protocol| protocol.is_typed())
    }
}

/// Seconds since 1970 as RFC 3339 has them; what is beyond the year 9999 is no time of ours and comes out empty.
pub(super) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|instant| instant.to_string()).unwrap_or_default()
}

/// The day of an instant in RFC 3339.
pub(super) fn day(instant: &str) -> &str {
    instant.split('T').next().unwrap_or_default()
}

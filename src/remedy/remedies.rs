//! What helps against a finding: what its users type, and what their administrator publishes.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use super::{
    advice::advice,
    settings::{SettingsTable, SettingsTableError},
};
use crate::model::{Cause, Domain, Hosting, Intake, Server, Tenant, TenantId};

/// What each client takes from what is published, by its name.
#[derive(Debug, Clone, Default)]
pub struct Advisor(HashMap<String, Arc<Intake>>);

/// Advice, and settings to type.
#[derive(Debug, Clone)]
pub struct Remedies {
    advisor: Advisor,
    settings: SettingsTable,
    tenants: Vec<Tenant>,
}

impl Advisor {
    /// For these clients; to others everything counts that is commonly read.
    #[must_use]
    pub fn new(intakes: impl IntoIterator<Item = (String, Intake)>) -> Self {
        Self(intakes.into_iter().map(|(client, intake)| (client, Arc::new(intake))).collect())
    }

    /// What a client takes.
    #[must_use]
    pub fn intake(&self, client: &str) -> Arc<Intake> {
        static UNKNOWN: LazyLock<Arc<Intake>> = LazyLock::new(Arc::default);
        self.0.get(client).unwrap_or(&UNKNOWN).clone()
    }

    /// What the administrator of a domain can change about a cause, so that nobody has to type settings: a sentence or two.
    #[must_use]
    pub fn advice(&self, client: &str, cause: Cause, domain: &Domain, hosting: Hosting) -> String {
        advice(cause, &self.intake(client), (domain, hosting))
    }
}

impl Remedies {
    /// For clients and tenants.
    ///
    /// # Errors
    /// None, as a test loads the table of settings.
    pub fn new(advisor: Advisor, tenants: Vec<Tenant>) -> Result<Self, SettingsTableError> {
        Ok(Self { advisor, settings: SettingsTable::built_in()?, tenants })
    }

    /// The advice.
    #[must_use]
    pub fn advisor(&self) -> &Advisor {
        &self.advisor
    }

    /// What the users of some clients type for a tenant's mailboxes: what the tenant says, else what Microsoft says for the cloud,
    /// in the protocols that one of these clients speaks; empty where nobody says it. The user name is a placeholder.
    #[must_use]
    pub fn to_type<'a>(&self, (tenant, hosting): (&TenantId, Hosting), clients: impl IntoIterator<Item = &'a str>) -> Vec<Server> {
        let intakes: Vec<Arc<Intake>> = clients.into_iter().map(|client| self.advisor.intake(client)).collect();
        if intakes.is_empty() {
            return Vec::new();
        }
        let tenant = self.tenants.iter().find(|known| known.id == *tenant);
        let mut servers = self.settings.to_type(hosting, tenant);
        servers.retain(|server| intakes.iter().any(|intake| intake.protocols.contains(&server.protocol)));
        servers
    }
}

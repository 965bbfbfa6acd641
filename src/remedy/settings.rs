//! `config/settings.toml`: what a user of Exchange Online types by hand.

use serde::Deserialize;

use crate::model::{Cloud, EMAIL_ADDRESS, Hosting, Protocol, Security, Server, Tenant};

/// The servers of each cloud.
#[derive(Debug, Clone)]
pub(super) struct SettingsTable(Vec<Row>);

/// Why the table cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the table of settings cannot be read: {0}")]
pub struct SettingsTableError(#[from] toml::de::Error);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    cloud: Cloud,
    protocol: Protocol,
    host: String,
    port: u16,
    security: Security,
    #[serde(rename = "source")]
    _source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    settings: Vec<Row>,
}

impl SettingsTable {
    /// The table that is compiled in.
    pub(super) fn built_in() -> Result<Self, SettingsTableError> {
        let file: File = toml::from_str(include_str!("../../config/settings.toml"))?;
        Ok(Self(file.settings))
    }

    /// What a user of a mailbox types: what the tenant says, else what Microsoft says for the cloud; empty where nobody says it.
    /// The user name is a placeholder for the name that the user signs in with.
    pub(super) fn to_type(&self, hosting: Hosting, tenant: Option<&Tenant>) -> Vec<Server> {
        if let Some(tenant) = tenant.filter(|tenant| !tenant.manual_settings.is_empty() && tenant.hosting == hosting) {
            return tenant.manual_settings.clone();
        }
        let rows = self.0.iter().filter(|row| Some(row.cloud) == hosting.cloud());
        rows.map(|row| Server {
            protocol: row.protocol,
            host: row.host.clone(),
            port: row.port,
            security: row.security,
            auth: vec!["oauth2".to_owned()],
            username: EMAIL_ADDRESS.to_owned(),
            class: None,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_online_is_typed_as_microsoft_writes_it() {
        let table = SettingsTable::built_in().unwrap();
        let written: Vec<String> = table
            .to_type(Hosting::default(), None)
            .iter()
            .map(|server| format!("{} {}:{} {} {}", server.protocol, server.host, server.port, server.security, server.auth.join(" ")))
            .collect();
        assert_eq!(
            written,
            [
                "imap outlook.office365.com:993 tls oauth2",
                "pop3 outlook.office365.com:995 tls oauth2",
                "smtp smtp.office365.com:587 starttls oauth2",
                "activesync outlook.office365.com:443 tls oauth2"
            ]
        );
        assert!(table.to_type(Hosting::OnPremises, None).is_empty(), "nobody but the tenant knows its own servers");
    }
}

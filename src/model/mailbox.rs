//! Tenants and their mailboxes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Hosting, Protocol};

/// The short name of a tenant in files, reports and the database: letters, digits, `-`, `_` and `.`; at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(Box<str>);

/// A text that is no tenant's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a tenant id: use 1 to 64 letters, digits, `-`, `_` or `.`")]
pub struct TenantIdError(pub String);

impl TenantId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TenantId {
    type Error = TenantIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits =
            (1..=64).contains(&text.len()) && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
        if fits { Ok(Self(text.into())) } else { Err(TenantIdError(text)) }
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// An organisation whose mailboxes are audited.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its short name.
    pub id: TenantId,
    /// Its name for people.
    pub name: String,
    /// Where its mailboxes live unless the list says otherwise.
    pub hosting: Hosting,
    /// The clients that it audits; the others are "at risk".
    pub clients: Vec<String>,
    /// Further hosts, or `*.suffixes`, that are right for it.
    pub allowed_hosts: Vec<String>,
    /// What a user must type where `hosting` does not say it (on-premises, other); host, port, security, user name.
    pub manual_settings: Vec<super::Server>,
}

/// Which protocols are switched on for a mailbox (`Get-EXOCasMailbox`); all are, unless the list says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "four switches, as Exchange has them")]
pub struct Protocols {
    /// `ImapEnabled`.
    pub imap: bool,
    /// `PopEnabled`.
    pub pop3: bool,
    /// SMTP AUTH.
    pub smtp: bool,
    /// `ActiveSyncEnabled`.
    pub activesync: bool,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { imap: true, pop3: true, smtp: true, activesync: true }
    }
}

impl Protocols {
    /// Whether a protocol is switched on; those that the list does not know are.
    #[must_use]
    pub fn is_enabled(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::Imap => self.imap,
            Protocol::Pop3 => self.pop3,
            Protocol::Smtp => self.smtp,
            Protocol::ActiveSync => self.activesync,
            Protocol::Ews | Protocol::Exchange | Protocol::Graph | Protocol::Jmap => true,
        }
    }
}

/// What of a mailbox the verdict depends on, besides its address. Mailboxes of a domain with equal profiles share an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Where it lives; `None`: the tenant's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosting: Option<Hosting>,
    /// What is switched on.
    pub protocols: Protocols,
    /// The clients that are audited for it; `None`: the tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<String>>,
}

/// One mailbox of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Its primary address.
    pub address: Address,
    /// What the verdict depends on; shared by the mailboxes that have the same.
    pub profile: std::sync::Arc<Profile>,
    /// What only the report shows; most lists have none of it.
    pub person: Option<Box<Person>>,
}

/// What the report shows of a mailbox's owner; each at most 1,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// What the user signs in with, where it is not the address (`UserPrincipalName`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in_name: Option<String>,
}

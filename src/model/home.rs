//! Who says where a mailbox lives.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, expand};

/// Who says where a mailbox lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authority {
    /// Exchange Online's own settings of the mailbox, by Autodiscover's SOAP interface.
    AutodiscoverSoap,
    /// The list of mailboxes.
    List,
    /// Autodiscover v2.
    AutodiscoverV2,
    /// The tenant's default.
    #[default]
    Tenant,
    /// The `OpenID` metadata of the domain; about the domain's tenant, and never decisive for a mailbox.
    Openid,
    /// The realm of the domain; the same.
    Realm,
    /// AutoDetect; a suggestion.
    Autodetect,
}

impl Authority {
    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutodiscoverSoap => "autodiscover-soap",
            Self::List => "list",
            Self::AutodiscoverV2 => "autodiscover-v2",
            Self::Tenant => "tenant",
            Self::Openid => "openid",
            Self::Realm => "realm",
            Self::Autodetect => "autodetect",
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What one authority says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub authority: Authority,
    /// What, a line for a person, such as `exchange-online` or `no tenant has the domain`.
    pub says: String,
    /// The lookup that says so, where it is one; may hold placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
}

impl Claim {
    /// Fills the placeholders in for one mailbox.
    #[must_use]
    pub fn expand(&self, address: &Address) -> Self {
        Self { asked: self.asked.as_ref().map(|asked| expand(asked, address)), ..self.clone() }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.authority, self.says)?;
        self.asked.as_ref().map_or(Ok(()), |asked| write!(out, " ({asked})"))
    }
}

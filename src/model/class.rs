//! The class of an endpoint: which service a host name belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hosting::Cloud;

/// Which service a configured host name belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Hotmail, Outlook.com, Live.
    Consumer,
    /// Used by the consumer service and by Exchange Online alike: proves nothing.
    Shared,
    /// Exchange Online, worldwide.
    ExchangeOnline,
    /// Exchange Online, GCC High.
    UsGovernment,
    /// Exchange Online, Department of Defense.
    UsDod,
    /// Exchange Online by 21Vianet.
    China,
    /// Exchange Online by Bleu.
    France,
    /// Exchange Online by Delos.
    Germany,
    /// A Microsoft host that no longer serves.
    Retired,
    /// Inside the mailbox's own registrable domain.
    OwnDomain,
    /// Allowed by the tenant's configuration.
    Allowed,
    /// None of these.
    Foreign,
}

impl Class {
    /// The cloud, where the class is one of Exchange Online's.
    #[must_use]
    pub fn cloud(self) -> Option<Cloud> {
        match self {
            Self::ExchangeOnline => Some(Cloud::Worldwide),
            Self::UsGovernment => Some(Cloud::UsGovernment),
            Self::UsDod => Some(Cloud::UsDod),
            Self::China => Some(Cloud::China),
            Self::France => Some(Cloud::France),
            Self::Germany => Some(Cloud::Germany),
            _ => None,
        }
    }

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Shared => "shared",
            Self::ExchangeOnline => "exchange-online",
            Self::UsGovernment => "us-government",
            Self::UsDod => "us-dod",
            Self::China => "china",
            Self::France => "france",
            Self::Germany => "germany",
            Self::Retired => "retired",
            Self::OwnDomain => "own-domain",
            Self::Allowed => "allowed",
            Self::Foreign => "foreign",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

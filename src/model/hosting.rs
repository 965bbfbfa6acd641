//! Where a mailbox lives.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

/// A Microsoft cloud with hosts of its own (`microsoft.md` section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Worldwide, and GCC, which shares its hosts.
    #[default]
    Worldwide,
    /// GCC High.
    UsGovernment,
    /// Department of Defense.
    UsDod,
    /// Operated by 21Vianet.
    China,
    /// Bleu.
    France,
    /// Delos.
    Germany,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 6] = [Self::Worldwide, Self::UsGovernment, Self::UsDod, Self::China, Self::France, Self::Germany];

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worldwide => "worldwide",
            Self::UsGovernment => "us-government",
            Self::UsDod => "us-dod",
            Self::China => "china",
            Self::France => "france",
            Self::Germany => "germany",
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Where a mailbox lives. Written `exchange-online`, `exchange-online:us-government`, `on-premises`, `consumer`, `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hosting {
    /// Exchange Online in one of Microsoft's clouds.
    ExchangeOnline(Cloud),
    /// An Exchange or other server of the organisation's own.
    OnPremises,
    /// Outlook.com, Hotmail, Live.
    Consumer,
    /// Another provider.
    Other,
}

/// A text that names no hosting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a hosting: write exchange-online, exchange-online:CLOUD (worldwide, us-government, us-dod, china, france, germany), on-premises, consumer or other"
)]
pub struct HostingError(pub String);

impl Default for Hosting {
    fn default() -> Self {
        Self::ExchangeOnline(Cloud::Worldwide)
    }
}

impl Hosting {
    /// The kind of hosting without the cloud, as the JSON contract has it.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::ExchangeOnline(_) => "exchange-online",
            Self::OnPremises => "on-premises",
            Self::Consumer => "consumer",
            Self::Other => "other",
        }
    }

    /// The cloud, where the mailbox is in Exchange Online.
    #[must_use]
    pub fn cloud(self) -> Option<Cloud> {
        if let Self::ExchangeOnline(cloud) = self { Some(cloud) } else { None }
    }
}

impl fmt::Display for Hosting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExchangeOnline(cloud) if *cloud != Cloud::Worldwide => write!(out, "exchange-online:{cloud}"),
            other => out.write_str(other.kind()),
        }
    }
}

impl FromStr for Hosting {
    type Err = HostingError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // however the words are joined: `ExchangeOnline`, `Exchange Online`, `exchange_online`
        let plain = |text: &str| text.trim().to_ascii_lowercase().replace(['_', ' ', '-'], "");
        let word = plain(text);
        match word.as_str() {
            "exchangeonline" => return Ok(Self::default()),
            "onpremises" => return Ok(Self::OnPremises),
            "consumer" => return Ok(Self::Consumer),
            "other" => return Ok(Self::Other),
            _ => {}
        }
        word.strip_prefix("exchangeonline:")
            .and_then(|name| Cloud::ALL.into_iter().find(|cloud| plain(cloud.as_str()) == name))
            .map(Self::ExchangeOnline)
            .ok_or_else(|| HostingError(text.to_owned()))
    }
}

impl Serialize for Hosting {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hosting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hosting_reads_what_it_writes() {
        let clouds = Cloud::ALL.into_iter().map(Hosting::ExchangeOnline);
        for hosting in clouds.chain([Hosting::OnPremises, Hosting::Consumer, Hosting::Other]) {
            assert_eq!(hosting.to_string().parse(), Ok(hosting));
        }
        for text in ["Exchange Online", "ExchangeOnline", "exchangeonline", " exchange_online ", "Exchange-Online:Worldwide"] {
            assert_eq!(text.parse(), Ok(Hosting::default()), "{text}");
        }
        assert_eq!("ExchangeOnline:USGovernment".parse(), Ok(Hosting::ExchangeOnline(Cloud::UsGovernment)));
        assert_eq!("OnPremises".parse(), Ok(Hosting::OnPremises));
        assert_eq!("office365".parse::<Hosting>(), Err(HostingError("office365".into())));
    }
}

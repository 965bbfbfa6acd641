//! Incidents: what is wrong over time (`semantics.md`, "Over time"). The decision when one opens and resolves is `alert`'s.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Cause, Domain, LookupKind, TenantId, Verdict};

/// The number of an incident in the database and on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub i64);

impl fmt::Display for IncidentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// What an incident is about: its identity, made of stable parts alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Concern {
    /// One cause for one client in one domain.
    Finding {
        /// Whose domain it is.
        tenant: TenantId,
        /// The mail domain.
        domain: Domain,
        /// The client, as in `clients.toml`.
        client: String,
        /// The mechanism.
        cause: Cause,
        /// The address key of the only mailbox that it is about, where the cause is its own; `None`: the domain's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mailbox: Option<String>,
    },
    /// Most lookups failed: something is wrong with us, not with the tenants.
    Outage,
    /// A run that was due did not happen, or did not come to its end.
    Run {
        /// Whose run it is.
        tenant: TenantId,
    },
    /// A channel takes no notices.
    Channel {
        /// Its name.
        channel: String,
    },
    /// The database cannot take more: disk full, or not writable.
    Store,
    /// An entry of an ISP database is not what it was: nobody's fault here, and every tenant's matter.
    Drift {
        /// The database, by host and path.
        database: String,
        /// The name that the entry is for.
        entry: String,
    },
}

impl Concern {
    /// The words for its kind, as routes name it.
    pub const KINDS: [&'static str; 6] = ["finding", "outage", "run", "channel", "store", "drift"];

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Finding { .. } => "finding",
            Self::Outage => "outage",
            Self::Run { .. } => "run",
            Self::Channel { .. } => "channel",
            Self::Store => "store",
            Self::Drift { .. } => "drift",
        }
    }

    /// Whose it is; `None`: about us, or everybody's.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Finding { tenant, .. } | Self::Run { tenant } => Some(tenant),
            Self::Outage | Self::Channel { .. } | Self::Store | Self::Drift { .. } => None,
        }
    }

    /// The identity as one text: unique, and the same after any change of wording.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Finding { tenant, domain, client, cause, mailbox } => {
                let mailbox = mailbox.as_deref().map(|key| format!("/{key}")).unwrap_or_default();
                format!("finding/{tenant}/{domain}/{client}/{cause}{mailbox}")
            }
            Self::Outage | Self::Store => self.kind().to_owned(),
            Self::Run { tenant } => format!("run/{tenant}"),
            Self::Channel { channel } => format!("channel/{channel}"),
            Self::Drift { database, entry } => format!("drift/{database}/{entry}"),
        }
    }

    /// Whether it is about the audit itself.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !matches!(self, Self::Finding { .. } | Self::Drift { .. })
    }

    /// The key of all incidents that one alert of a pager stands for: a tenant's findings of one client and cause.
    #[must_use]
    pub fn group_key(&self) -> String {
        match self {
            Self::Finding { tenant, client, cause, .. } => format!("finding/{tenant}/{client}/{cause}"),
            _ => self.key(),
        }
    }
}

/// How grave it is, the mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Users will have to type settings.
    Warning,
    /// Users are led to wrong servers.
    Error,
    /// The audit itself does not work, or something outside leads mailboxes of many domains astray.
    Critical,
}

impl Severity {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name in files and messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// How grave a verdict is.
    #[must_use]
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Ok | Verdict::Undetermined => Self::Info,
            Verdict::NotFound => Self::Warning,
            Verdict::Insecure | Verdict::Retired | Verdict::WrongCloud | Verdict::Foreign | Verdict::Consumer => Self::Error,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentState {
    /// Seen, not yet often enough.
    Suspected,
    /// Confirmed.
    Open,
    /// It was open, and is confirmed to be over.
    Resolved,
    /// It was suspected, and not confirmed.
    Dismissed,
}

impl IncidentState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Suspected, Self::Open, Self::Resolved, Self::Dismissed];

    /// The name in the database and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Dismissed => "dismissed",
        }
    }

    /// Whether it is suspected or open.
    #[must_use]
    pub fn is_standing(self) -> bool {
        matches!(self, Self::Suspected | Self::Open)
    }
}

/// What a message says of an incident; frozen with each event, no part of the identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// One sentence for a person.
    pub explanation: String,
    /// The lookup that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<LookupKind>,
    /// What was asked: a URL or a DNS name with its type. May hold the placeholder of an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What proves it, a line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// The servers that the client would configure, such as `IMAP imap-mail.outlook.com:993`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// Someone has seen it and keeps it from reminding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Seconds since 1970.
    pub at: i64,
    /// Seconds since 1970; `None`: until it resolves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

impl Acknowledgement {
    /// Whether it holds at an instant (seconds since 1970).
    #[must_use]
    pub fn holds(&self, at: i64) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// An incident with its memory. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its number; `None` until the database has given one.
    pub id: Option<IncidentId>,
    /// What it is about.
    pub concern: Concern,
    /// Where it stands.
    pub state: IncidentState,
    /// How grave it is.
    pub severity: Severity,
    /// The confirmed verdict; `None` for what is no finding.
    pub verdict: Option<Verdict>,
    /// Another verdict than the confirmed one, on the way to being confirmed.
    pub candidate: Option<Verdict>,
    /// Checks in a row that speak for the next state: for opening, for the candidate, or for resolving.
    pub streak: u32,
    /// Whether the newest check that could tell saw it.
    pub is_seen: bool,
    /// Mailboxes that it concerns.
    pub affected: u64,
    /// When this episode was first seen.
    pub first_seen_at: i64,
    /// When it opened.
    pub opened_at: Option<i64>,
    /// When it resolved.
    pub resolved_at: Option<i64>,
    /// How many times it has opened.
    pub episode: u32,
    /// Whether its opening was announced: not where it is exempt.
    pub is_announced: bool,
    /// When something was last announced about it.
    pub notified_at: Option<i64>,
    /// Mailboxes that it concerned then.
    pub notified_affected: u64,
    /// When it went from seen to not seen or back, the newest last; only as far back as flapping is judged.
    pub flips: Vec<i64>,
    /// Whether it goes to and fro too often for single notices.
    pub is_flapping: bool,
    /// What a message says of it.
    pub account: Account,
    /// Whether someone has acknowledged it.
    pub acknowledgement: Option<Acknowledgement>,
}

/// Incidents that are known and accepted for a time: they are reported, and not announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// Its number.
    pub id: i64,
    /// Only this tenant's; `None`: all.
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
    /// Seconds since 1970.
    pub created_at: i64,
    /// Seconds since 1970; from then on it exempts nothing.
    pub expires_at: i64,
}

impl Exemption {
    /// Of those that cover an incident at an instant, the one that lasts longest.
    #[must_use]
    pub fn of<'a>(all: &'a [Self], concern: &Concern, at: i64) -> Option<&'a Self> {
        all.iter().filter(|exemption| exemption.covers(concern, at)).max_by_key(|exemption| exemption.expires_at)
    }

    /// Whether it covers an incident at an instant (seconds since 1970). Only findings are ever exempt.
    #[must_use]
    pub fn covers(&self, concern: &Concern, at: i64) -> bool {
        let Concern::Finding { tenant, domain, client, cause, .. } = concern else { return false };
        at < self.expires_at
            && self.tenant.as_ref().is_none_or(|own| own == tenant)
            && self.domain.as_ref().is_none_or(|own| own == domain)
            && self.client.as_ref().is_none_or(|own| own == client)
            && self.cause.is_none_or(|own| own == *cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(cause: Cause) -> Concern {
        Concern::Finding {
            tenant: "contoso".to_owned().try_into().unwrap(),
            domain: Domain::parse("contoso.com").unwrap(),
            client: "thunderbird".into(),
            cause,
            mailbox: None,
        }
    }

    #[test]
    fn keys_are_made_of_stable_parts() {
        let concern = finding(Cause::MxBaseDomain);
        assert_eq!(concern.key(), "finding/contoso/contoso.com/thunderbird/mx-base-domain");
        assert_eq!(concern.group_key(), "finding/contoso/thunderbird/mx-base-domain");
        assert_eq!(Concern::Channel { channel: "ops".into() }.key(), "channel/ops");
        assert_eq!(serde_json::from_str::<Concern>(&serde_json::to_string(&concern).unwrap()).unwrap(), concern);
    }

    #[test]
    fn an_exemption_covers_what_it_names_until_it_expires() {
        let exemption = Exemption {
            id: 1,
            tenant: None,
            domain: Some(Domain::parse("contoso.com").unwrap()),
            client: None,
            cause: Some(Cause::MxBaseDomain),
            owner: "mail team".into(),
            reason: "moving in May".into(),
            created_at: 0,
            expires_at: 100,
        };
        assert!(exemption.covers(&finding(Cause::MxBaseDomain), 99));
        assert!(!exemption.covers(&finding(Cause::MxBaseDomain), 100));
        assert!(!exemption.covers(&finding(Cause::SrvStale), 99));
        assert!(!exemption.covers(&Concern::Outage, 99));
    }
}

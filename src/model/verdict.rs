//! Verdicts: is what a client would configure where the mailbox lives?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Authority, Claim, Hosting, Lookup, LookupKind, Protocol, Server, Settings, expand};

/// A verdict, for one client and one mailbox (`semantics.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every server belongs where the mailbox lives.
    Ok,
    /// A lookup that could have won failed.
    Undetermined,
    /// The client finds nothing.
    NotFound,
    /// Right host, credentials in clear.
    Insecure,
    /// A host that no longer serves.
    Retired,
    /// Another Microsoft cloud.
    WrongCloud,
    /// A server belongs to neither service.
    Foreign,
    /// A server or the document belongs to the consumer service.
    Consumer,
}

impl Verdict {
    /// All verdicts, the mildest first.
    pub const ALL: [Self; 8] =
        [Self::Ok, Self::Undetermined, Self::NotFound, Self::Insecure, Self::Retired, Self::WrongCloud, Self::Foreign, Self::Consumer];

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Undetermined => "undetermined",
            Self::NotFound => "not_found",
            Self::Insecure => "insecure",
            Self::Retired => "retired",
            Self::WrongCloud => "wrong_cloud",
            Self::Foreign => "foreign",
            Self::Consumer => "consumer",
        }
    }

    /// Whether the settings would be wrong or missing: neither `ok` nor `undetermined`.
    #[must_use]
    pub fn is_finding(self) -> bool {
        !matches!(self, Self::Ok | Self::Undetermined)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The mechanism behind a verdict; the identifiers in brackets are those of `clients-and-standards.md` section 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The domain's own `autoconfig.` document names other servers (M5).
    OwnAutoconfigStale,
    /// The domain's own `/.well-known/autoconfig` document does (M6).
    OwnWellKnownStale,
    /// A wildcard in the domain's DNS sends `autoconfig.` to a web server that answers for it (M7).
    WildcardHost,
    /// The ISP database has an entry for the mail domain itself, and it is not where the mailbox lives.
    IspdbEntry,
    /// The client reduces the MX to its base domain, where another service's entry answers (M1).
    MxBaseDomain,
    /// A legacy or unusual MX defeats the client's reduction (M2).
    MxLegacy,
    /// The MX is the consumer service's own.
    MxConsumer,
    /// Several MX share the first place, and which one is taken decides (M4).
    MxSeveral,
    /// The MX leads to a provider (a filter, a hoster, Microsoft itself) whose own autoconfig or entry answers (M23, M24).
    MxProvider,
    /// SRV records name other servers (M8).
    SrvStale,
    /// An Autodiscover answer names other servers (M9).
    AutodiscoverForeign,
    /// The `_autodiscover._tcp` record that the client picks leads elsewhere (M10).
    AutodiscoverSrv,
    /// Autodiscover sends the client to another address or host (M25).
    AutodiscoverRedirect,
    /// The servers are right and their protection is not.
    NoEncryption,
    /// Nothing is published, and the client has no other source.
    NothingPublished,
    /// What is published cannot be used by this client.
    UnusableDocument,
    /// DNS does not know the domain at all (NXDOMAIN).
    NoSuchDomain,
    /// The domain is under `onmicrosoft.com`, where nobody can publish anything (M17).
    OnMicrosoftDomain,
    /// A lookup that could have won failed.
    LookupFailed,
    /// An Autodiscover endpoint answers only with credentials, and what it would say cannot be inferred.
    Guarded,
    /// The client's own table of providers matches the domain or its MX (M11, M12, M13, M19).
    BuiltInTable,
    /// The `emailProvider@id` of a document leads to servers that the client has built in (M14).
    ProviderId,
    /// A mail server answers at a name that the client guesses (M21).
    GuessedHost,
    /// A row of AutoDetect's database, or what it found (M26).
    AutodetectRow,
    /// The domain's PACC document names other servers.
    PaccStale,
    /// Another system offers JMAP for the domain.
    JmapForeign,
}

impl Cause {
    /// All causes.
    pub const ALL: [Self; 26] = [
        Self::OwnAutoconfigStale,
        Self::OwnWellKnownStale,
        Self::WildcardHost,
        Self::IspdbEntry,
        Self::MxBaseDomain,
        Self::MxLegacy,
        Self::MxConsumer,
        Self::MxSeveral,
        Self::MxProvider,
        Self::SrvStale,
        Self::AutodiscoverForeign,
        Self::AutodiscoverSrv,
        Self::AutodiscoverRedirect,
        Self::NoEncryption,
        Self::NothingPublished,
        Self::UnusableDocument,
        Self::NoSuchDomain,
        Self::OnMicrosoftDomain,
        Self::LookupFailed,
        Self::Guarded,
        Self::BuiltInTable,
        Self::ProviderId,
        Self::GuessedHost,
        Self::AutodetectRow,
        Self::PaccStale,
        Self::JmapForeign,
    ];

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnAutoconfigStale => "own-autoconfig-stale",
            Self::OwnWellKnownStale => "own-well-known-stale",
            Self::WildcardHost => "wildcard-host",
            Self::IspdbEntry => "ispdb-entry",
            Self::MxBaseDomain => "mx-base-domain",
            Self::MxLegacy => "mx-legacy",
            Self::MxConsumer => "mx-consumer",
            Self::MxSeveral => "mx-several",
            Self::MxProvider => "mx-provider",
            Self::SrvStale => "srv-stale",
            Self::AutodiscoverForeign => "autodiscover-foreign",
            Self::AutodiscoverSrv => "autodiscover-srv",
            Self::AutodiscoverRedirect => "autodiscover-redirect",
            Self::NoEncryption => "no-encryption",
            Self::NothingPublished => "nothing-published",
            Self::UnusableDocument => "unusable-document",
            Self::NoSuchDomain => "no-such-domain",
            Self::OnMicrosoftDomain => "onmicrosoft-domain",
            Self::LookupFailed => "lookup-failed",
            Self::Guarded => "guarded",
            Self::BuiltInTable => "built-in-table",
            Self::ProviderId => "provider-id",
            Self::GuessedHost => "guessed-host",
            Self::AutodetectRow => "autodetect-row",
            Self::PaccStale => "pacc-stale",
            Self::JmapForeign => "jmap-foreign",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The lookup that a client's settings came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    /// The part that it played.
    pub lookup: LookupKind,
    /// What was asked; may hold `%EMAILADDRESS:URL%`.
    pub asked: String,
}

impl From<&Lookup> for Source {
    fn from(lookup: &Lookup) -> Self {
        Self { lookup: lookup.kind, asked: lookup.asked.clone() }
    }
}

/// What a client would have got had the winning lookup failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Next {
    /// The verdict on it.
    pub verdict: Verdict,
    /// Where it comes from.
    pub source: Source,
    /// The servers.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What one client would configure for a mailbox, and whether that is right. Texts may hold the placeholders of
/// `config-v1.1`, so that one outcome serves all mailboxes of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClientOutcome {
    /// The client's name in `clients.toml`.
    pub client: String,
    /// Whether the tenant audits it.
    pub audited: bool,
    /// Is it right?
    pub verdict: Verdict,
    /// The settings are right, but `next` is not.
    pub fragile: bool,
    /// The settings were inferred from an endpoint that answers only with credentials.
    pub inferred: bool,
    /// The mechanism, where the verdict is not `ok`, or where it is fragile.
    pub cause: Option<Cause>,
    /// The protocols that the verdict is about; empty where it is `ok`.
    pub affected: Vec<Protocol>,
    /// One sentence for a person.
    pub explanation: String,
    /// What proves it, a line each.
    pub evidence: Vec<String>,
    /// The lookup that won; `None` where the client finds nothing.
    pub source: Option<Source>,
    /// The servers, in the client's order.
    #[serde(flatten)]
    pub settings: Settings,
    /// What the client would have got had that lookup failed.
    pub next: Option<Next>,
}

/// All clients' verdicts for one mailbox. Stored once by content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Where the mailbox lives.
    pub hosting: Hosting,
    /// Who says so.
    #[serde(default)]
    pub authority: Authority,
    /// What the authorities say, where they contradict each other; otherwise empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosting_conflict: Vec<Claim>,
    /// Why the address is taken to be a personal account, too; a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_account: Option<String>,
    /// The group of the domain's mailboxes that were told the same as this one, in the domain's dossier; `None`: the group whose answers
    /// are the domain's, and the only one in most domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Whether a user must type settings by hand: an audited client, an enabled protocol, a finding.
    pub needs_manual_configuration: bool,
    /// One entry a client, in the order of `clients.toml`.
    pub clients: Vec<ClientOutcome>,
}

#[cfg(test)]
impl ClientOutcome {
    /// An audited client with a verdict, of which nothing else is known.
    pub(crate) fn bare(client: &str, verdict: Verdict) -> Self {
        Self {
            client: client.to_owned(),
            audited: true,
            verdict,
            fragile: false,
            inferred: false,
            cause: None,
            affected: Vec::new(),
            explanation: String::new(),
            evidence: Vec::new(),
            source: None,
            settings: Settings::default(),
            next: None,
        }
    }
}

impl ClientOutcome {
    /// Fills the placeholders in for one mailbox.
    #[must_use]
    pub fn expand(&self, address: &Address) -> Self {
        let text = |text: &str| expand(text, address);
        let source = |source: &Source| Source { asked: text(&source.asked), ..source.clone() };
        let settings = |settings: &Settings| Settings {
            incoming: settings.incoming.iter().map(|server| server.expand(address)).collect(),
            outgoing: settings.outgoing.iter().map(|server| server.expand(address)).collect(),
        };
        Self {
            explanation: text(&self.explanation),
            evidence: self.evidence.iter().map(|line| text(line)).collect(),
            source: self.source.as_ref().map(source),
            settings: settings(&self.settings),
            next: self.next.as_ref().map(|next| Next {
                verdict: next.verdict,
                source: source(&next.source),
                settings: settings(&next.settings),
            }),
            ..self.clone()
        }
    }
}

impl Outcome {
    /// The gravest verdict among audited clients; `ok` where none is audited.
    #[must_use]
    pub fn worst_audited(&self) -> Verdict {
        self.clients.iter().filter(|client| client.audited).map(|client| client.verdict).max().unwrap_or(Verdict::Ok)
    }

    /// Whether an audited client's verdict is `undetermined`.
    #[must_use]
    pub fn is_undetermined(&self) -> bool {
        self.clients.iter().any(|client| client.audited && client.verdict == Verdict::Undetermined)
    }

    /// Whether lookups failed for more than half of the audited clients: that says more of us than of the mailbox.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        let audited = || self.clients.iter().filter(|client| client.audited);
        let lost = audited().filter(|client| client.verdict == Verdict::Undetermined && client.cause == Some(Cause::LookupFailed));
        lost.count() * 2 > audited().count()
    }

    /// Servers of every client, for whoever looks for a host.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.clients.iter().flat_map(|client| client.settings.servers())
    }
}

//! Lookups: what is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Domain};

/// The part that a lookup plays in discovery. The names are those of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookupKind {
    /// `config-v1.1.xml` published by the mail domain itself.
    OwnAutoconfig,
    /// The ISP database's entry for the mail domain.
    Ispdb,
    /// `config-v1.1.xml` published by a domain that the MX was reduced to.
    MxAutoconfig,
    /// The ISP database's entry for a domain that the MX was reduced to.
    MxIspdb,
    /// The MX records of the mail domain.
    Mx,
    /// Autodiscover, plain old XML (MS-OXDSCLI).
    AutodiscoverPox,
    /// `_autodiscover._tcp` (MS-OXDISCO).
    AutodiscoverSrv,
    /// `_imap._tcp` and the like (RFC 6186, RFC 8314).
    Srv,
    /// Whether a name that nobody would create resolves: a wildcard.
    Wildcard,
}

impl LookupKind {
    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnAutoconfig => "own-autoconfig",
            Self::Ispdb => "ispdb",
            Self::MxAutoconfig => "mx-autoconfig",
            Self::MxIspdb => "mx-ispdb",
            Self::Mx => "mx",
            Self::AutodiscoverPox => "autodiscover-pox",
            Self::AutodiscoverSrv => "autodiscover-srv",
            Self::Srv => "srv",
            Self::Wildcard => "wildcard",
        }
    }
}

impl fmt::Display for LookupKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// One question to the network. Two equal requests have one answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// MX records.
    Mx {
        /// The mail domain.
        domain: Domain,
    },
    /// SRV records.
    Srv {
        /// The owner name, such as `_imaps._tcp.contoso.com`.
        name: String,
    },
    /// A and AAAA records.
    Addresses {
        /// The host name.
        name: String,
    },
    /// GET, following redirects.
    Get {
        /// `http` or `https`.
        url: String,
        /// The mailbox that the URL names; redirects do not tell it to strangers.
        address: Option<Address>,
    },
    /// GET over plain http without following: only the target of a redirect is wanted (MS-OXDISCO section 3.1.5).
    Redirect {
        /// `http`.
        url: String,
    },
    /// POST of an Autodiscover request (MS-OXDSCLI section 2.2.3), without credentials; 301, 302, 307 and 308 are posted again, to
    /// https only.
    Pox {
        /// `https`, or `http` where a client posts in clear to a host that answers there.
        url: String,
        /// The mailbox that is asked about.
        address: Address,
    },
}

impl Request {
    /// The text of the evidence: a record type and name, or a URL.
    #[must_use]
    pub fn asked(&self) -> String {
        match self {
            Self::Mx { domain } => format!("MX {domain}"),
            Self::Srv { name } => format!("SRV {name}"),
            Self::Addresses { name } => format!("A {name}"),
            Self::Get { url, .. } | Self::Redirect { url } => url.clone(),
            Self::Pox { url, .. } => format!("POST {url}"),
        }
    }
}

/// A request with the part that it plays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lookup {
    /// The part that it plays.
    pub kind: LookupKind,
    /// What goes to the network.
    pub request: Request,
    /// What is shown: [`Request::asked`] with the probe's address replaced by `%EMAILADDRESS:URL%`, so that one text serves
    /// all mailboxes of a domain.
    pub asked: String,
}

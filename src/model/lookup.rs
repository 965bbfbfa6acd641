//! Lookups: what is asked.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Domain, Security};

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
    /// Autodiscover in the mobilesync schema, which phones ask for (MS-ASCMD section 2.2.1.1).
    AutodiscoverMobilesync,
    /// Autodiscover v2, JSON without sign-in.
    AutodiscoverV2,
    /// `GetUserSettings` of Autodiscover's SOAP interface (MS-OXWSADISC), with a token.
    AutodiscoverSoap,
    /// Microsoft's AutoDetect, which Outlook asks.
    Autodetect,
    /// PACC: the document and the TXT record with its digest (draft-ietf-mailmaint-pacc).
    Pacc,
    /// JMAP: `_jmap._tcp` and `/.well-known/jmap` (RFC 8620 section 2.2).
    Jmap,
    /// Who signs the users of a domain in (`userrealm`).
    Realm,
    /// The `OpenID` metadata of the tenant that a domain belongs to.
    Openid,
    /// Where an account exists (`GetCredentialType`).
    CredentialType,
    /// A host that a client guesses: whether a mail service answers there.
    Guess,
    /// A client's own table of providers; nothing is asked.
    BuiltIn,
}

impl LookupKind {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::OwnAutoconfig,
        Self::Ispdb,
        Self::MxAutoconfig,
        Self::MxIspdb,
        Self::Mx,
        Self::AutodiscoverPox,
        Self::AutodiscoverSrv,
        Self::Srv,
        Self::Wildcard,
        Self::AutodiscoverMobilesync,
        Self::AutodiscoverV2,
        Self::AutodiscoverSoap,
        Self::Autodetect,
        Self::Pacc,
        Self::Jmap,
        Self::Realm,
        Self::Openid,
        Self::CredentialType,
        Self::Guess,
        Self::BuiltIn,
    ];

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
            Self::AutodiscoverMobilesync => "autodiscover-mobilesync",
            Self::AutodiscoverV2 => "autodiscover-v2",
            Self::AutodiscoverSoap => "autodiscover-soap",
            Self::Autodetect => "autodetect",
            Self::Pacc => "pacc",
            Self::Jmap => "jmap",
            Self::Realm => "realm",
            Self::Openid => "openid",
            Self::CredentialType => "credential-type",
            Self::Guess => "guess",
            Self::BuiltIn => "built-in",
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
    /// TXT records.
    Txt {
        /// The owner name.
        name: String,
    },
    /// One HTTP request whose answer counts whatever its status is: redirects are not followed.
    Http {
        /// `https`.
        url: String,
        /// What is sent.
        message: Message,
    },
    /// The greeting of a mail server, after TLS where the port is for it; otherwise the upgrade to TLS is made after it, where
    /// `security` asks for one.
    Greeting {
        /// The host name.
        host: String,
        /// The port.
        port: u16,
        /// How the connection is protected.
        security: Security,
    },
    /// Nothing: the client's own table of providers decides. Never sent.
    BuiltIn {
        /// The row, such as `MSN`.
        row: String,
    },
}

/// What one HTTP request sends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
pub enum Message {
    /// GET.
    Get {
        /// The mailbox that the URL names.
        address: Option<Address>,
    },
    /// GET for AutoDetect, which takes the address in a header of its own and is asked again while it answers 202.
    Detect {
        /// The mailbox that is asked about.
        address: Address,
    },
    /// POST of an Autodiscover request in the mobilesync schema, without credentials.
    Mobilesync {
        /// The mailbox that is asked about.
        address: Address,
    },
    /// POST of a question to `GetCredentialType`.
    CredentialType {
        /// The account that is asked about.
        address: Address,
    },
    /// POST of `GetUserSettings`, with the token of the settings.
    UserSettings {
        /// The mailboxes that are asked about, in order.
        addresses: Vec<Address>,
    },
}

impl Message {
    /// The mailbox that is asked about, where it is one.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::Get { address } => address.as_ref(),
            Self::Detect { address } | Self::Mobilesync { address } | Self::CredentialType { address } => Some(address),
            Self::UserSettings { .. } => None,
        }
    }

    fn is_get(&self) -> bool {
        matches!(self, Self::Get { .. } | Self::Detect { .. })
    }
}

impl Request {
    /// Whether it is about one mailbox, or a few, and not about all of a domain.
    #[must_use]
    pub fn is_about_mailbox(&self) -> bool {
        let address = match self {
            Self::Get { address, .. } => address.as_ref(),
            Self::Pox { address, .. } => Some(address),
            Self::Http { message: Message::UserSettings { .. }, .. } => return true,
            Self::Http { message, .. } => message.address(),
            _ => None,
        };
        address.is_some_and(|address| *address != Address::postmaster(address.domain()))
    }

    /// The text of the evidence: a record type and name, or a URL.
    #[must_use]
    pub fn asked(&self) -> String {
        match self {
            Self::Mx { domain } => format!("MX {domain}"),
            Self::Srv { name } => format!("SRV {name}"),
            Self::Addresses { name } => format!("A {name}"),
            Self::Get { url, .. } | Self::Redirect { url } => url.clone(),
            Self::Txt { name } => format!("TXT {name}"),
            Self::Http { url, message } if message.is_get() => url.clone(),
            Self::Pox { url, .. } | Self::Http { url, .. } => format!("POST {url}"),
            Self::Greeting { host, port, security } => format!("{host}:{port} ({})", security.title()),
            Self::BuiltIn { row } => format!("own table: {row}"),
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

//! Servers and settings: what a mail client would configure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::class::Class;

/// A protocol that a mail client can be configured for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IMAP4 (RFC 9051).
    Imap,
    /// POP3 (RFC 1939).
    Pop3,
    /// Message submission (RFC 6409).
    Smtp,
    /// Exchange `ActiveSync`.
    ActiveSync,
    /// Exchange Web Services.
    Ews,
    /// Exchange by MAPI, or whatever the client speaks with an Exchange server.
    Exchange,
    /// Microsoft Graph.
    Graph,
    /// JMAP (RFC 8620).
    Jmap,
}

impl Protocol {
    /// Whether a client has a place where its user types the server: for an Exchange account Outlook has none.
    #[must_use]
    pub fn is_typed(self) -> bool {
        self != Self::Exchange
    }

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
            Self::ActiveSync => "activesync",
            Self::Ews => "ews",
            Self::Exchange => "exchange",
            Self::Graph => "graph",
            Self::Jmap => "jmap",
        }
    }

    /// The name as a person writes it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Smtp => "SMTP",
            Self::ActiveSync => "ActiveSync",
            Self::Ews => "EWS",
            Self::Exchange => "Exchange",
            Self::Graph => "Graph",
            Self::Jmap => "JMAP",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ALL: [Protocol; 8] = [
            Protocol::Imap,
            Protocol::Pop3,
            Protocol::Smtp,
            Protocol::ActiveSync,
            Protocol::Ews,
            Protocol::Exchange,
            Protocol::Graph,
            Protocol::Jmap,
        ];
        ALL.into_iter().find(|protocol| protocol.as_str() == text).ok_or_else(|| format!("`{text}` is not a protocol"))
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// A mandatory upgrade to TLS.
    StartTls,
    /// None: credentials go in clear.
    Plain,
}

impl Security {
    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::Plain => "plain",
        }
    }

    /// The name as mail clients show it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Tls => "SSL/TLS",
            Self::StartTls => "STARTTLS",
            Self::Plain => "none",
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A server as a client would configure it. `host` and `username` may still hold the placeholders of `config-v1.1`
/// (`%EMAILADDRESS%`, `%EMAILLOCALPART%`, `%EMAILDOMAIN%`); [`Server::expand`] fills them in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Server {
    /// What it speaks.
    pub protocol: Protocol,
    /// Lower case, without the final dot.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Ways to sign in, preferred first: `oauth2`, `password-cleartext`, `password-encrypted`, `ntlm`, `gssapi`, …
    pub auth: Vec<String>,
    /// The user name, possibly with placeholders; empty where the source does not say.
    pub username: String,
    /// Where the host belongs; `None` until it is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
}

impl Server {
    /// Fills the placeholders in host and user name for one mailbox.
    #[must_use]
    pub fn expand(&self, address: &super::Address) -> Self {
        Self { host: expand(&self.host, address).to_lowercase(), username: expand(&self.username, address), ..self.clone() }
    }
}

/// Fills `%EMAILADDRESS%`, `%EMAILLOCALPART%` and `%EMAILDOMAIN%` (config-v1.1) for one mailbox, and the address in URLs.
#[must_use]
pub fn expand(text: &str, address: &super::Address) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    text.replace(EMAIL_ADDRESS_IN_URL, &address.percent_encoded())
        .replace(EMAIL_ADDRESS, &address.to_string())
        .replace(EMAIL_LOCAL_PART, address.local())
        .replace(EMAIL_DOMAIN, address.domain().as_str())
}

/// Placeholder for the whole address.
pub const EMAIL_ADDRESS: &str = "%EMAILADDRESS%";
/// Placeholder for the whole address as URLs have it; ours, not a document's.
pub const EMAIL_ADDRESS_IN_URL: &str = "%EMAILADDRESS:URL%";
/// Placeholder for the part before the `@`.
pub const EMAIL_LOCAL_PART: &str = "%EMAILLOCALPART%";
/// Placeholder for the part after the `@`.
pub const EMAIL_DOMAIN: &str = "%EMAILDOMAIN%";

/// What a client would configure: servers in its own order of preference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Where mail is read.
    pub incoming: Vec<Server>,
    /// Where mail is submitted.
    pub outgoing: Vec<Server>,
}

impl Settings {
    /// All servers, incoming first.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.incoming.iter().chain(&self.outgoing)
    }

    /// Whether there is nothing to configure.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incoming.is_empty() && self.outgoing.is_empty()
    }
}

//! Dialects: which documents a client accepts, and what it makes of them.

use super::{
    android, delta, evolution, fairemail, geary, gnome, kmail, mailspring, nextcloud, outlook,
    row::{Client, Dialect},
    search::Success,
    snappymail, thunderbird, tolerant,
};
use crate::model::{Address, Autoconfig, AutoconfigServer, Document, Pox, Protocol, Reply, Security, Server, Settings};

/// Why a client has no servers from a document, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It cannot use the document.
    Unusable(String),
    /// It takes the document, finds nothing in it to read mail with, and looks at no further one.
    Taken(String),
    /// It configures what nobody can have, and looks at nothing further, not at hosts that it guesses either.
    Configured(String),
}

impl Refusal {
    pub(super) fn unusable<T>(why: &str) -> Result<T, Self> {
        Err(Self::Unusable(why.to_owned()))
    }
}

/// What a client makes of a `config-v1.1.xml` that came with a reply.
pub(super) fn accept_autoconfig(client: &Client, document: &Autoconfig, reply: &Reply) -> Result<Settings, Refusal> {
    let settings = match client.dialect {
        Dialect::Thunderbird | Dialect::Thunderbird115 => thunderbird::accept_autoconfig(client, document, reply)?,
        Dialect::Tolerant | Dialect::Outlook => tolerant::accept_autoconfig(client, document),
        Dialect::Evolution => evolution::accept_autoconfig(client, document)?,
        Dialect::Kmail => kmail::accept_autoconfig(document)?,
        Dialect::GnomeOnlineAccounts => gnome::accept_autoconfig(document)?,
        Dialect::ThunderbirdAndroid => android::accept_autoconfig(client, document)?,
        Dialect::Geary => geary::accept_autoconfig(document)?,
        Dialect::NextcloudMail => nextcloud::accept_autoconfig(document)?,
        Dialect::DeltaChat => delta::accept_autoconfig(document)?,
        Dialect::Fairemail => fairemail::accept_autoconfig(document)?,
        Dialect::Snappymail => snappymail::accept_autoconfig(document)?,
        Dialect::Mailspring => mailspring::accept_autoconfig(document)?,
    };
    if settings.incoming.is_empty() { Refusal::unusable("it names no incoming server that this client can use") } else { Ok(settings) }
}

/// Whether a client takes a document without servers for an answer, and ends its search there.
pub(super) fn takes_empty(dialect: Dialect, document: &Autoconfig) -> bool {
    match dialect {
        Dialect::Evolution | Dialect::GnomeOnlineAccounts => true,
        Dialect::DeltaChat => document.strict,
        _ => false,
    }
}

/// Whether the id of a document that a client takes leads to servers that it has built in.
pub(super) fn is_decided_by_id(dialect: Dialect, provider_id: Option<&str>) -> bool {
    dialect == Dialect::Geary && provider_id.is_some_and(geary::has_built_in)
}

/// Whether an HTTP success without a document of the kind asked for ends a client's search.
pub(super) fn takes_other(dialect: Dialect, document: &Document, success: Success) -> bool {
    match dialect {
        Dialect::Evolution => *document == Document::Other,
        Dialect::DeltaChat | Dialect::Mailspring => *document == Document::Other || success == Success::Bare,
        _ => false,
    }
}

/// Whether an HTTP success of this status is one for a client.
pub(super) fn is_success(dialect: Dialect, status: u16) -> bool {
    status == 200 || !matches!(dialect, Dialect::Kmail | Dialect::GnomeOnlineAccounts | Dialect::Fairemail)
}

/// What a client makes of the servers in an Autodiscover answer.
pub(super) fn accept_pox(client: &Client, document: &Pox, reply: &Reply) -> Result<Settings, Refusal> {
    let settings = match client.dialect {
        Dialect::Thunderbird | Dialect::Thunderbird115 => thunderbird::accept_pox(client, document, reply)?,
        Dialect::Tolerant
        | Dialect::Kmail
        | Dialect::ThunderbirdAndroid
        | Dialect::Geary
        | Dialect::NextcloudMail
        | Dialect::Mailspring => thunderbird::pox_settings(client.dialect, document),
        Dialect::Evolution | Dialect::GnomeOnlineAccounts => evolution::accept_pox(document)?,
        Dialect::DeltaChat => delta::accept_pox(document)?,
        Dialect::Fairemail => fairemail::accept_pox(document)?,
        Dialect::Snappymail => snappymail::accept_pox(document)?,
        Dialect::Outlook => outlook::accept_pox(document),
    };
    if settings.is_empty() { Refusal::unusable("it names no server that this client can use") } else { Ok(settings) }
}

/// The address of a `RedirectAddr` as a client takes it; `None` where it does not.
pub(super) fn redirect_address(client: &Client, written: &str) -> Option<Address> {
    let written = if client.dialect.is_thunderbird() { thunderbird::redirect_address(written)? } else { written.to_owned() };
    Address::parse(&written).ok()
}

/// The protocol of a server's `type` in config-v1.1; `None` for those that are no way to read or send mail here.
pub(super) fn protocol(kind: &str) -> Option<Protocol> {
    Some(match kind {
        "imap" => Protocol::Imap,
        "pop3" => Protocol::Pop3,
        "smtp" => Protocol::Smtp,
        "exchange" => Protocol::Exchange,
        "ews" => Protocol::Ews,
        "graph" => Protocol::Graph,
        "activesync" => Protocol::ActiveSync,
        "jmap" => Protocol::Jmap,
        _ => return None,
    })
}

/// The first `socketType` that is known.
pub(super) fn security(socket_types: &[String], ignore_case: bool) -> Option<Security> {
    socket_types.iter().find_map(|written| {
        [("SSL", Security::Tls), ("STARTTLS", Security::StartTls), ("plain", Security::Plain)]
            .into_iter()
            .find(|(name, _)| *name == written || (ignore_case && name.eq_ignore_ascii_case(written)))
            .map(|(_, security)| security)
    })
}

/// The name of an `authentication` value; the deprecated synonyms `plain` and `secure` included.
pub(super) fn authentication(written: &str) -> Option<&'static str> {
    [
        ("OAuth2", OAUTH2),
        ("password-cleartext", "password-cleartext"),
        ("plain", "password-cleartext"),
        ("password-encrypted", "password-encrypted"),
        ("secure", "password-encrypted"),
        ("NTLM", "ntlm"),
        ("GSSAPI", "gssapi"),
        ("client-IP-address", "client-ip-address"),
        ("TLS-client-cert", "tls-client-cert"),
        ("none", "none"),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(written))
    .map(|(_, name)| name)
}

/// A host name as mail clients' sanitizers take it: letters, digits, `-`, `.`, and `%` placeholders. Lower case.
pub(super) fn host_name(written: &str) -> Option<String> {
    let trimmed = written.trim().trim_end_matches('.');
    let fits = !trimmed.is_empty() && trimmed.chars().all(|character| character.is_ascii_alphanumeric() || "-.%".contains(character));
    fits.then(|| lower_outside_placeholders(trimmed))
}

fn lower_outside_placeholders(text: &str) -> String {
    text.split('%')
        .enumerate()
        .map(|(at, part)| if at % 2 == 1 { part.to_owned() } else { part.to_lowercase() })
        .collect::<Vec<_>>()
        .join("%")
}

/// The same of a client that uses a host as it is written: one with placeholders is no host that anybody has.
pub(super) fn literal_host(written: &str) -> Option<String> {
    host_name(written).filter(|host| !host.contains('%'))
}

/// A port, 1 to 65535.
pub(super) fn port(written: &str) -> Option<u16> {
    written.trim().parse().ok().filter(|port| *port != 0)
}

/// A server for a sign-in by password, at the port of its protocol where none is written; `None` without a host, in which no
/// placeholders are filled in.
pub(super) fn password_server(
    written: &AutoconfigServer,
    (protocol, security): (Protocol, Security),
    username: impl Into<String>,
) -> Option<Server> {
    Some(Server {
        protocol,
        host: written.hostname.as_deref().and_then(literal_host)?,
        port: written.port.as_deref().and_then(port).unwrap_or_else(|| default_port(protocol, security)),
        security,
        auth: vec!["password-cleartext".to_owned()],
        username: username.into(),
        class: None,
    })
}

/// The port of a protocol where nothing names one.
pub(super) fn default_port(protocol: Protocol, security: Security) -> u16 {
    match (protocol, security) {
        (Protocol::Imap, Security::Tls) => 993,
        (Protocol::Imap, _) => 143,
        (Protocol::Pop3, Security::Tls) => 995,
        (Protocol::Pop3, _) => 110,
        (Protocol::Smtp, Security::Tls) => 465,
        (Protocol::Smtp, _) => 587,
        _ => HTTPS_PORT,
    }
}

pub(super) const OAUTH2: &str = "oauth2";
pub(super) const HTTPS_PORT: u16 = 443;

//! `SnappyMail` (the-djmaze/snappymail ba496919d, 2025-06-16): `Autoconfig.php`, and what the plug-in login-autoconfig and the domain
//! dialog make of its result: the first server of each kind.

use super::dialect::{Refusal, default_port, literal_host, port};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, EMAIL_LOCAL_PART, Pox, PoxProtocol, Protocol, Security, Server, Settings};

/// Whatever has an `emailProvider` is an answer; of its servers only the first ones count, where they are for IMAP and SMTP. No
/// placeholder in a host is filled in.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and SimpleXML is strict");
    }
    let first = |servers: &[AutoconfigServer], kind: &str, protocol| {
        let server = servers.first().filter(|server| server.kind == kind)?;
        server_of(server, protocol)
    };
    let (Some(imap), Some(smtp)) = (first(&document.incoming, "imap", Protocol::Imap), first(&document.outgoing, "smtp", Protocol::Smtp))
    else {
        let why = "its first servers are not for IMAP and SMTP, each at a host, and SnappyMail asks for no other document";
        return Err(Refusal::Taken(why.to_owned()));
    };
    Ok(Settings { incoming: vec![imap], outgoing: vec![smtp] })
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let port = written.port.as_deref().and_then(port);
    let security = match written.socket_types.as_slice() {
        [one] if one == "SSL" => Security::Tls,
        [one] if one == "STARTTLS" => Security::StartTls,
        _ => by_port(port.unwrap_or_default()),
    };
    let host = written.hostname.as_deref().and_then(literal_host)?;
    let username = if written.username.as_deref() == Some(EMAIL_ADDRESS) { EMAIL_ADDRESS } else { EMAIL_LOCAL_PART };
    Some(server((protocol, host, port.unwrap_or_else(|| default_port(protocol, security))), security, username))
}

/// The first servers for IMAP and for SMTP. Without `SSL` set to `on` the protection is found out on the way.
pub(super) fn accept_pox(document: &Pox) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML, and SimpleXML is strict");
    }
    let first = |kind: &str, protocol| {
        let written = document.protocols.iter().find(|written| written.strict_kind && written.kind == kind)?;
        pox_server(written, protocol)
    };
    match (first("IMAP", Protocol::Imap), first("SMTP", Protocol::Smtp)) {
        (Some(imap), Some(smtp)) => Ok(Settings { incoming: vec![imap], outgoing: vec![smtp] }),
        _ => Err(Refusal::Taken("it does not name both a server for IMAP and one for SMTP, and SnappyMail asks no further".to_owned())),
    }
}

fn pox_server(written: &PoxProtocol, protocol: Protocol) -> Option<Server> {
    let (host, port) = (literal_host(written.server.as_deref()?)?, port(written.port.as_deref()?)?);
    let is_on = written.ssl.as_deref() == Some("on");
    let security = match (protocol, port) {
        (Protocol::Smtp, 587) => Security::StartTls,
        (Protocol::Smtp, _) | (_, 993) if is_on => Security::Tls,
        _ if is_on => Security::StartTls,
        _ => by_port(port),
    };
    Some(server((protocol, host, port), security, EMAIL_ADDRESS))
}

/// `AUTO_DETECT`: TLS on its ports, and elsewhere STARTTLS where the server offers it.
fn by_port(port: u16) -> Security {
    if matches!(port, 993 | 995 | 465) { Security::Tls } else { Security::StartTls }
}

fn server((protocol, host, port): (Protocol, String, u16), security: Security, username: &str) -> Server {
    let (auth, username) = (vec!["password-cleartext".to_owned()], username.to_owned());
    Server { protocol, host, port, security, auth, username, class: None }
}

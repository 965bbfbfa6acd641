//! Delta Chat's parsers: `auto_mozilla.rs` and `auto_outlook.rs` of chatmail/core (48888898e, 2026-08-22). Whatever its XML reader gets
//! to the end of is an answer, and an answer without servers leaves the client to its guesses.

use super::dialect::{Refusal, default_port, host_name, port, security};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, Pox, PoxProtocol, Protocol, Security, Server, Settings};

/// Every server for IMAP and SMTP that has a host, a port and a user name; sign-in is not looked at.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    let read = |servers: &[AutoconfigServer], kind: &str, protocol| -> Vec<Server> {
        servers.iter().filter(|server| server.kind.eq_ignore_ascii_case(kind)).filter_map(|server| server_of(server, protocol)).collect()
    };
    settings(read(&document.incoming, "imap", Protocol::Imap), read(&document.outgoing, "smtp", Protocol::Smtp))
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let security = written.socket_types.last().and_then(|last| security(std::slice::from_ref(last), true));
    let port = port(written.port.as_deref()?);
    server(protocol, (written.hostname.as_deref()?, port), (security, written.username.clone()?))
}

/// Servers for IMAP and SMTP with a port; TLS unless `SSL` is `off`.
pub(super) fn accept_pox(document: &Pox) -> Result<Settings, Refusal> {
    let read = |kind: &str, protocol| -> Vec<Server> {
        document.protocols.iter().filter(|written| written.kind == kind).filter_map(|written| pox_server(written, protocol)).collect()
    };
    settings(read("IMAP", Protocol::Imap), read("SMTP", Protocol::Smtp))
}

fn pox_server(written: &PoxProtocol, protocol: Protocol) -> Option<Server> {
    let security = if written.ssl.as_deref() == Some("off") { Security::Plain } else { Security::Tls };
    let port = port(written.port.as_deref()?);
    server(protocol, (written.server.as_deref()?, port), (Some(security), EMAIL_ADDRESS.to_owned()))
}

/// Where the security is not said, TLS is tried first.
fn server(protocol: Protocol, (host, port): (&str, Option<u16>), (security, username): (Option<Security>, String)) -> Option<Server> {
    let security = security.unwrap_or(Security::Tls);
    let port = port.unwrap_or_else(|| default_port(protocol, security));
    Some(Server { protocol, host: host_name(host)?, port, security, auth: Vec::new(), username, class: None })
}

fn settings(incoming: Vec<Server>, outgoing: Vec<Server>) -> Result<Settings, Refusal> {
    if incoming.is_empty() {
        return Err(Refusal::Taken("it names no server for IMAP, and Delta Chat asks for nothing else".to_owned()));
    }
    Ok(Settings { incoming, outgoing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{parse_autoconfig, parse_pox};

    fn lines(settings: &Settings) -> Vec<String> {
        let line = |server: &Server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security);
        settings.servers().map(line).collect()
    }

    #[test]
    fn every_complete_server_is_a_candidate() {
        let server = |kind: &str, more: &str| {
            format!("<incomingServer type='{kind}'><hostname>a.example</hostname><port>993</port>{more}</incomingServer>")
        };
        let name = "<username>u</username>";
        for (servers, expected) in [
            (
                server("IMAP", name) + &server("imap", &format!("{name}<socketType>starttls</socketType>")),
                vec!["imap a.example:993 tls", "imap a.example:993 starttls"],
            ),
            (server("imap", name).replace("993", "x"), vec!["imap a.example:993 tls"]),
            (server("imap", ""), vec![]),
            (server("pop3", name), vec![]),
        ] {
            let text = format!("<clientConfig><emailProvider id='x'>{servers}</emailProvider></clientConfig>");
            let read = accept_autoconfig(&parse_autoconfig(text.as_bytes(), "").unwrap());
            assert_eq!(read.map(|settings| lines(&settings)).unwrap_or_default(), expected, "{servers}");
        }
        let protocol = |kind: &str, more: &str| format!("<Protocol><Type>{kind}</Type><Server>a.example</Server>{more}</Protocol>");
        for (protocols, expected) in [
            (protocol("imap", "<Port>143</Port><SSL>off</SSL>"), vec!["imap a.example:143 plain"]),
            (protocol("IMAP", "<Port>993</Port><SSL>no</SSL>"), vec!["imap a.example:993 tls"]),
            (protocol("IMAP", ""), vec![]),
            (protocol("EXCH", "<Port>443</Port>"), vec![]),
        ] {
            let text = format!("<Autodiscover><Response><Account>{protocols}</Account></Response></Autodiscover>");
            let read = accept_pox(&parse_pox(text.as_bytes(), "").unwrap());
            assert_eq!(read.map(|settings| lines(&settings)).unwrap_or_default(), expected, "{protocols}");
        }
    }
}

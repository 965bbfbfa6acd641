//! `KMail`'s parser: `ispdbservice.cpp`, `serverconfiguration.cpp` and `configurationmodel.cpp` of kmail-account-wizard (8163b657,
//! 2026-07-22) on `QDom`.

use super::dialect::{Refusal, host_name, port, security};
use crate::model::{Autoconfig, AutoconfigServer, Protocol, Security, Server, Settings};

/// IMAP, then POP3, each in document order, and one server for SMTP. A server without a port is left out; TLS where no known
/// `socketType` stands.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and KMail's parser is strict");
    }
    let read = |servers: &[AutoconfigServer], kind: &str, protocol| -> Vec<Server> {
        servers.iter().filter(|server| server.kind == kind).filter_map(|server| server_of(server, protocol)).collect()
    };
    let mut incoming = read(&document.incoming, "imap", Protocol::Imap);
    incoming.extend(read(&document.incoming, "pop3", Protocol::Pop3));
    if incoming.is_empty() {
        return Err(Refusal::Taken("it names no server for IMAP or POP3, and KMail asks for no other document".to_owned()));
    }
    Ok(Settings { incoming, outgoing: preferred(read(&document.outgoing, "smtp", Protocol::Smtp)).into_iter().collect() })
}

/// `setEmailProvider`: the first of the best protection, of which STARTTLS ranks above TLS and TLS above none.
fn preferred(servers: Vec<Server>) -> Option<Server> {
    let rank = |server: &Server| [Security::Plain, Security::Tls, Security::StartTls].iter().position(|known| *known == server.security);
    // `max_by_key` takes the last of equals
    servers.into_iter().rev().max_by_key(rank)
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let last_known = written.socket_types.iter().rev().find_map(|written| security(std::slice::from_ref(written), false));
    Some(Server {
        protocol,
        host: written.hostname.as_deref().and_then(host_name)?,
        port: written.port.as_deref().and_then(port)?,
        security: last_known.unwrap_or(Security::Tls),
        auth: vec![sign_in(&written.authentications).to_owned()],
        username: written.username.clone().unwrap_or_default(),
        class: None,
    })
}

/// The first method that is known and is not the password in clear, which stands until then.
fn sign_in(written: &[String]) -> &'static str {
    let other = written.iter().find_map(|written| match written.as_str() {
        "password-encrypted" | "secure" => Some("password-encrypted"),
        "NTLM" => Some("ntlm"),
        "GSSAPI" => Some("gssapi"),
        "client-ip-based" | "none" => Some("none"),
        "OAuth2" => Some("oauth2"),
        _ => None,
    });
    other.unwrap_or("password-cleartext")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_autoconfig;

    fn read(servers: &str) -> Result<Vec<String>, Refusal> {
        let text = format!("<clientConfig><emailProvider id='x'>{servers}</emailProvider></clientConfig>");
        let settings = accept_autoconfig(&parse_autoconfig(text.as_bytes(), "text/xml").unwrap())?;
        let line = |server: &Server| {
            let Server { protocol, host, port, security, auth, username, .. } = server;
            format!("{protocol} {host}:{port} {security} {} {username}", auth.join(","))
        };
        Ok(settings.servers().map(line).collect())
    }

    #[test]
    fn servers_are_read_as_kmail_reads_them() {
        let server =
            |kind: &str, inside: &str| format!("<incomingServer type='{kind}'><hostname>a.example</hostname>{inside}</incomingServer>");
        let smtp = |host: &str, socket: &str| {
            let inside = format!("<hostname>{host}</hostname><port>25</port><socketType>{socket}</socketType>");
            format!("<outgoingServer type='smtp'>{inside}</outgoingServer>")
        };
        let port = "<port>143</port>";
        let methods = ["plain", "OAuth2", "NTLM"].map(|name| format!("<authentication>{name}</authentication>")).concat();
        for (servers, expected) in [
            (server("imap", port), vec!["imap a.example:143 tls password-cleartext "]),
            (
                server("pop3", port) + &server("imap", port) + &server("imap", "<port>993</port><username>%EMAILADDRESS%</username>"),
                vec![
                    "imap a.example:143 tls password-cleartext ",
                    "imap a.example:993 tls password-cleartext %EMAILADDRESS%",
                    "pop3 a.example:143 tls password-cleartext ",
                ],
            ),
            (
                server("imap", &format!("{port}<socketType>SSL</socketType><socketType>plain</socketType><socketType>ssl</socketType>")),
                vec!["imap a.example:143 plain password-cleartext "],
            ),
            (server("imap", &(port.to_owned() + &methods)), vec!["imap a.example:143 tls oauth2 "]),
            (
                server("imap", port) + &smtp("p.example", "plain") + &smtp("t.example", "SSL") + &smtp("u.example", "SSL"),
                vec!["imap a.example:143 tls password-cleartext ", "smtp t.example:25 tls password-cleartext "],
            ),
            (
                server("imap", port) + &smtp("t.example", "SSL") + &smtp("s.example", "STARTTLS") + &smtp("p.example", "plain"),
                vec!["imap a.example:143 tls password-cleartext ", "smtp s.example:25 starttls password-cleartext "],
            ),
        ] {
            assert_eq!(read(&servers).unwrap(), expected, "{servers}");
        }
        for taken in [server("imap", ""), server("ews", port), server("IMAP", port)] {
            assert!(matches!(read(&taken), Err(Refusal::Taken(_))), "{taken}");
        }
        assert!(matches!(read("<incomingServer>"), Err(Refusal::Unusable(_))));
    }
}

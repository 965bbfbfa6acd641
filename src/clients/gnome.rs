//! The parser of GNOME Online Accounts: `goamailclient.c` and what `goaimapsmtpprovider.c` shows of it (0a85e7c8, 2026-05-30), on
//! librest, which recovers from broken XML.

use super::dialect::{Refusal, default_port, literal_host, security};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, EMAIL_DOMAIN, EMAIL_LOCAL_PART, Protocol, Security, Server, Settings};

/// The first server for IMAP and the first for SMTP; any `clientConfig` is an answer. No placeholder in a host is filled in.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    let first = |servers: &[AutoconfigServer], kind: &str, protocol| {
        let server = servers.iter().find(|server| server.kind.eq_ignore_ascii_case(kind))?;
        server_of(server, protocol)
    };
    let Some(imap) = first(&document.incoming, "imap", Protocol::Imap) else {
        return Err(Refusal::Taken("it names no server for IMAP at a host, and the client asks for no other document".to_owned()));
    };
    Ok(Settings { incoming: vec![imap], outgoing: first(&document.outgoing, "smtp", Protocol::Smtp).into_iter().collect() })
}

/// The port follows from the encryption, `plain` is offered as TLS, a user name counts where it is a placeholder, and sign-in is by
/// password.
fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let first = written.socket_types.first().and_then(|first| security(std::slice::from_ref(first), true));
    let security = first.filter(|security| *security != Security::Plain).unwrap_or(Security::Tls);
    let placeholders = [EMAIL_ADDRESS, EMAIL_LOCAL_PART, EMAIL_DOMAIN];
    let username =
        placeholders.into_iter().find(|placeholder| written.username.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(placeholder)));
    Some(Server {
        protocol,
        host: written.hostname.as_deref().and_then(literal_host)?,
        port: default_port(protocol, security),
        security,
        auth: vec!["password-cleartext".to_owned()],
        username: username.unwrap_or_default().to_owned(),
        class: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_autoconfig;

    fn read(servers: &str) -> Result<Vec<String>, Refusal> {
        let text = format!("<clientConfig><emailProvider id='x'>{servers}</emailProvider></clientConfig>");
        let settings = accept_autoconfig(&parse_autoconfig(text.as_bytes(), "text/xml").unwrap())?;
        let line = |server: &Server| format!("{} {}:{} {} {}", server.protocol, server.host, server.port, server.security, server.username);
        Ok(settings.servers().map(line).collect())
    }

    #[test]
    fn servers_are_read_as_gnome_online_accounts_reads_them() {
        let server =
            |kind: &str, inside: &str| format!("<incomingServer type='{kind}'><hostname>a.example</hostname>{inside}</incomingServer>");
        let smtp =
            "<outgoingServer type='smtp'><hostname>s.example</hostname><port>25</port><socketType>STARTTLS</socketType></outgoingServer>";
        for (servers, expected) in [
            (server("imap", "<port>1143</port><username>%EMAILADDRESS%</username>"), vec!["imap a.example:993 tls %EMAILADDRESS%"]),
            (
                server("pop3", "") + &server("IMAP", "<socketType>starttls</socketType><username>anna</username>"),
                vec!["imap a.example:143 starttls "],
            ),
            (server("imap", "<socketType>plain</socketType>"), vec!["imap a.example:993 tls "]),
            (
                server("imap", "") + &server("imap", "").replace("a.example", "b.example") + smtp,
                vec!["imap a.example:993 tls ", "smtp s.example:587 starttls "],
            ),
        ] {
            assert_eq!(read(&servers).unwrap(), expected, "{servers}");
        }
        let placeholder = server("imap", "").replace("a.example", "imap.%EMAILDOMAIN%");
        for taken in [server("pop3", ""), smtp.to_owned(), "<incomingServer type='imap'/>".to_owned(), placeholder, String::new()] {
            assert!(matches!(read(&taken), Err(Refusal::Taken(_))), "{taken}");
        }
        assert_eq!(read(&(server("imap", "") + "<incomingServer>")).unwrap(), ["imap a.example:993 tls "]);
    }
}

//! Nextcloud Mail's parser: `IspDb.php` (e5734fe25, 2026-08-22) on `SimpleXML`.

use super::dialect::{Refusal, password_server};
use crate::model::{Autoconfig, AutoconfigServer, Protocol, Security, Server, Settings};

/// The first server for IMAP and the first for SMTP; one of them is enough for an answer. No placeholder in a host is filled in.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and SimpleXML is strict");
    }
    let first = |servers: &[AutoconfigServer], kind: &str| servers.iter().find(|server| server.kind == kind).cloned();
    let (imap, smtp) = (first(&document.incoming, "imap"), first(&document.outgoing, "smtp"));
    if imap.is_none() && smtp.is_none() {
        return Refusal::unusable("it names no server for IMAP or SMTP");
    }
    let Some(incoming) = imap.and_then(|server| server_of(&server, Protocol::Imap)) else {
        return Err(Refusal::Taken("it names no server for IMAP at a host, and Nextcloud Mail asks for no other document".to_owned()));
    };
    let outgoing = smtp.and_then(|server| server_of(&server, Protocol::Smtp));
    Ok(Settings { incoming: vec![incoming], outgoing: outgoing.into_iter().collect() })
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let security = match written.socket_types.first().map(|written| written.to_ascii_lowercase()).as_deref() {
        Some("ssl") => Security::Tls,
        Some("starttls" | "tls") => Security::StartTls,
        _ => Security::Plain,
    };
    password_server(written, (protocol, security), written.username.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_autoconfig;

    fn read(servers: &str) -> Result<Vec<String>, Refusal> {
        let text = format!("<clientConfig><emailProvider id='x'>{servers}</emailProvider></clientConfig>");
        let settings = accept_autoconfig(&parse_autoconfig(text.as_bytes(), "text/xml").unwrap())?;
        let line = |server: &Server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security);
        Ok(settings.servers().map(line).collect())
    }

    #[test]
    fn the_first_of_each_counts_and_sockets_are_read_loosely() {
        let server = |element: &str, kind: &str, host: &str, socket: &str| {
            format!("<{element} type='{kind}'><hostname>{host}</hostname><port>1</port><socketType>{socket}</socketType></{element}>")
        };
        let imap = |host: &str, socket: &str| server("incomingServer", "imap", host, socket);
        let smtp = server("outgoingServer", "smtp", "s.example", "tls");
        let pop3 = server("incomingServer", "pop3", "p.example", "SSL");
        for (servers, expected) in [
            (
                pop3.clone() + &imap("a.example", "ssl") + &imap("b.example", "SSL") + &smtp,
                vec!["imap a.example:1 tls", "smtp s.example:1 starttls"],
            ),
            (imap("a.example", "STARTTLS"), vec!["imap a.example:1 starttls"]),
            (imap("a.example", "TLSv1"), vec!["imap a.example:1 plain"]),
        ] {
            assert_eq!(read(&servers).unwrap(), expected, "{servers}");
        }
        assert_eq!(read(&(imap("a.example", "SSL") + &smtp.replace("s.example", "smtp.%EMAILDOMAIN%"))).unwrap(), ["imap a.example:1 tls"]);
        for taken in [smtp.clone(), imap("imap.%EMAILDOMAIN%", "SSL") + &imap("b.example", "SSL") + &smtp] {
            assert!(matches!(read(&taken), Err(Refusal::Taken(_))), "{taken}");
        }
        assert!(matches!(read(&pop3), Err(Refusal::Unusable(_))));
        assert!(matches!(read("<incomingServer>"), Err(Refusal::Unusable(_))));
    }
}

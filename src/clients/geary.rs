//! Geary's parser, `accounts-autoconfig.vala`, and the providers that it knows by a document's id: `accounts-editor-add-pane.vala`,
//! `imap-engine-outlook-account.vala`, `imap-engine-gmail-account.vala` (3e8d4f1a3, 2026-05-13).

use super::dialect::{Refusal, password_server};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, Protocol, Security, Server, Settings};

/// The first incoming server, where it is one for IMAP, and the first outgoing one, where it is SMTP; whatever they say, the ids
/// `hotmail.com` and `googlemail.com` mean fixed hosts.
pub(super) fn accept_autoconfig(document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and Geary's parser is strict");
    }
    let (Some(incoming), Some(outgoing)) = (document.incoming.first(), document.outgoing.first()) else {
        return Refusal::unusable("it lacks an incoming or an outgoing server");
    };
    if incoming.kind != "imap" || outgoing.kind != "smtp" {
        return Refusal::unusable("its first incoming server is not for IMAP, or its first outgoing one not for SMTP");
    }
    let known = BUILT_IN.iter().find(|(id, _)| document.provider_id.as_deref() == Some(*id));
    let servers = match known {
        Some((_, servers)) => servers.map(|parts| Some(server(parts))),
        None => [server_of(incoming, Protocol::Imap), server_of(outgoing, Protocol::Smtp)],
    };
    let [Some(incoming), Some(outgoing)] = servers else {
        // a placeholder in a host stands as it is written
        return Err(Refusal::Taken("it names no host, and Geary asks for no other document".to_owned()));
    };
    Ok(Settings { incoming: vec![incoming], outgoing: vec![outgoing] })
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let security = match written.socket_types.first().map(String::as_str) {
        Some("SSL") => Security::Tls,
        Some("STARTTLS") => Security::StartTls,
        _ => Security::Plain,
    };
    password_server(written, (protocol, security), EMAIL_ADDRESS)
}

fn server((protocol, host, port, security): (Protocol, &str, u16, Security)) -> Server {
    let (host, auth, username) = (host.to_owned(), vec!["password-cleartext".to_owned()], EMAIL_ADDRESS.to_owned());
    Server { protocol, host, port, security, auth, username, class: None }
}

/// Whether an id stands for fixed hosts.
pub(super) fn has_built_in(id: &str) -> bool {
    BUILT_IN.iter().any(|(known, _)| *known == id)
}

type Parts = (Protocol, &'static str, u16, Security);
const BUILT_IN: [(&str, [Parts; 2]); 2] = [
    (
        "hotmail.com",
        [(Protocol::Imap, "imap-mail.outlook.com", 993, Security::Tls), (Protocol::Smtp, "smtp-mail.outlook.com", 587, Security::StartTls)],
    ),
    ("googlemail.com", [(Protocol::Imap, "imap.gmail.com", 993, Security::Tls), (Protocol::Smtp, "smtp.gmail.com", 465, Security::Tls)]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_autoconfig;

    fn read(id: &str, servers: &str) -> Result<Vec<String>, Refusal> {
        let text = format!("<clientConfig><emailProvider id='{id}'>{servers}</emailProvider></clientConfig>");
        let settings = accept_autoconfig(&parse_autoconfig(text.as_bytes(), "text/xml").unwrap())?;
        let line = |server: &Server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security);
        Ok(settings.servers().map(line).collect())
    }

    #[test]
    fn the_first_servers_count_and_the_id_more_than_they() {
        let server = |element: &str, kind: &str, inside: &str| format!("<{element} type='{kind}'>{inside}</{element}>");
        let inside = "<hostname>a.example</hostname><port>993</port><socketType>SSL</socketType>";
        let (imap, pop3) = (server("incomingServer", "imap", inside), server("incomingServer", "pop3", inside));
        let smtp = server("outgoingServer", "smtp", "<hostname>s.example</hostname><socketType>STARTTLS</socketType>");
        for (id, servers, expected) in [
            ("x", format!("{imap}{pop3}{smtp}"), ["imap a.example:993 tls", "smtp s.example:587 starttls"]),
            ("hotmail.com", format!("{imap}{smtp}"), ["imap imap-mail.outlook.com:993 tls", "smtp smtp-mail.outlook.com:587 starttls"]),
            ("googlemail.com", format!("{imap}{smtp}"), ["imap imap.gmail.com:993 tls", "smtp smtp.gmail.com:465 tls"]),
            ("outlook.com", format!("{imap}{smtp}"), ["imap a.example:993 tls", "smtp s.example:587 starttls"]),
            ("x", format!("{}{smtp}", imap.replace("SSL", "ssl")), ["imap a.example:993 plain", "smtp s.example:587 starttls"]),
        ] {
            assert_eq!(read(id, &servers).unwrap(), expected, "{id} {servers}");
        }
        for servers in [format!("{pop3}{imap}{smtp}"), imap.clone(), smtp.clone(), format!("{imap}{}", smtp.replace("'smtp'", "'SMTP'"))] {
            assert!(matches!(read("hotmail.com", &servers), Err(Refusal::Unusable(_))), "{servers}");
        }
        let placeholder = imap.replace("a.example", "imap.%EMAILDOMAIN%");
        for taken in [server("incomingServer", "imap", ""), placeholder.clone()] {
            assert!(matches!(read("x", &format!("{taken}{smtp}")), Err(Refusal::Taken(_))), "{taken}");
        }
        assert!(read("hotmail.com", &format!("{placeholder}{smtp}")).is_ok());
    }
}

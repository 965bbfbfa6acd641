//! What classic Outlook makes of an Autodiscover answer (`microsoft.md` sections 1.3 and 1.4; the schema's own comments). It has not
//! been executed: what is not documented is left out.

use super::{
    dialect::{default_port, host_name, port},
    thunderbird::web_host,
};
use crate::model::{EMAIL_ADDRESS, EMAIL_LOCAL_PART, Pox, PoxProtocol, Protocol, Security, Server, Settings};

/// An Exchange account where there is one, by what is meant for the outside first; otherwise the servers for mail, in order.
pub(super) fn accept_pox(document: &Pox) -> Settings {
    if let Some(exchange) = exchange(document) {
        return Settings { incoming: vec![exchange], outgoing: Vec::new() };
    }
    let mut settings = Settings::default();
    for written in &document.protocols {
        match written.kind.as_str() {
            "IMAP" => settings.incoming.extend(mail_server(written, Protocol::Imap)),
            "POP3" => settings.incoming.extend(mail_server(written, Protocol::Pop3)),
            "SMTP" => settings.outgoing.extend(mail_server(written, Protocol::Smtp)),
            _ => {}
        }
    }
    settings
}

/// The `Server` of EXCH is the name of a mailbox, not of a host; the address of its web services tells the host.
fn exchange(document: &Pox) -> Option<Server> {
    let host = |kind: &str| {
        let written = document.protocols.iter().find(|protocol| protocol.kind == kind)?;
        let by_url = |url: &Option<String>| url.as_deref().and_then(web_host).map(|web| web.host);
        let by_name = || written.server.as_deref().filter(|_| kind != "EXCH").and_then(host_name);
        by_url(&written.url).or_else(by_name).or_else(|| by_url(&written.ews_url)).or_else(|| by_url(&written.as_url))
    };
    let host = ["MAPIHTTP", "EXHTTP", "EXPR", "EXCH"].into_iter().find_map(host)?;
    let username = EMAIL_ADDRESS.to_owned();
    Some(Server { protocol: Protocol::Exchange, host, port: 443, security: Security::Tls, auth: Vec::new(), username, class: None })
}

/// What is missing is on: `SSL`, `SPA`; the user's name is what stands before the `@`.
fn mail_server(written: &PoxProtocol, protocol: Protocol) -> Option<Server> {
    let given = written.port.as_deref().and_then(port);
    let by_port = || if given.is_some_and(|port| [143, 110, 25, 587].contains(&port)) { Security::StartTls } else { Security::Tls };
    let security = match written.encryption.as_deref() {
        Some("none") => Security::Plain,
        Some("ssl") => Security::Tls,
        Some("tls") => Security::StartTls,
        None if written.ssl.as_deref() == Some("off") => Security::Plain,
        Some(_) | None => by_port(),
    };
    let auth = if written.spa.as_deref() == Some("off") { "password-cleartext" } else { "ntlm" };
    Some(Server {
        protocol,
        host: written.server.as_deref().and_then(host_name)?,
        port: given.unwrap_or_else(|| default_port(protocol, security)),
        security,
        auth: vec![auth.to_owned()],
        username: written.login_name.clone().unwrap_or_else(|| EMAIL_LOCAL_PART.to_owned()),
        class: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_pox;

    fn lines(protocols: &str) -> Vec<String> {
        let text = format!("<Autodiscover><Response><Account>{protocols}</Account></Response></Autodiscover>");
        let settings = accept_pox(&parse_pox(text.as_bytes(), "text/xml").unwrap());
        let line = |server: &Server| {
            let Server { protocol, host, port, security, username, .. } = server;
            format!("{protocol} {host}:{port} {security} {} {username}", server.auth.join(","))
        };
        settings.servers().map(line).collect()
    }

    #[test]
    fn exchange_comes_before_everything_else_and_the_outside_before_the_inside() {
        let protocol = |kind: &str, inside: &str| format!("<Protocol><Type>{kind}</Type>{inside}</Protocol>");
        let imap = protocol("IMAP", "<Server>imap.example</Server><Port>993</Port><SPA>off</SPA><LoginName>u</LoginName>");
        let exch = protocol("EXCH", "<Server>0f2f6d3c@contoso.com</Server><EwsUrl>https://in.example/EWS/Exchange.asmx</EwsUrl>");
        let expr = protocol("EXPR", "<Server>out.example</Server><EwsUrl>https://ews.example/EWS/Exchange.asmx</EwsUrl>");
        let mapi = "<Protocol Type='mapiHttp' Version='1'><MailStore><ExternalUrl>https://mapi.example/mapi/emsmdb/?MailboxId=1</ExternalUrl></MailStore></Protocol>";
        for (protocols, expected) in [
            (format!("{imap}{exch}"), "exchange in.example:443 tls  %EMAILADDRESS%"),
            (format!("{exch}{expr}"), "exchange out.example:443 tls  %EMAILADDRESS%"),
            (format!("{exch}{expr}{mapi}"), "exchange mapi.example:443 tls  %EMAILADDRESS%"),
            (imap, "imap imap.example:993 tls password-cleartext u"),
        ] {
            assert_eq!(lines(&protocols), [expected], "{protocols}");
        }
        assert!(lines(&protocol("EXCH", "<Server>0f2f6d3c@contoso.com</Server>")).is_empty());
    }

    #[test]
    fn what_is_missing_is_on() {
        let server = |kind: &str, inside: &str| format!("<Protocol><Type>{kind}</Type><Server>m.example</Server>{inside}</Protocol>");
        for (protocol, expected) in [
            (server("IMAP", ""), "imap m.example:993 tls ntlm %EMAILLOCALPART%"),
            (server("IMAP", "<Port>143</Port>"), "imap m.example:143 starttls ntlm %EMAILLOCALPART%"),
            (server("POP3", "<Port>995</Port><SSL>off</SSL>"), "pop3 m.example:995 plain ntlm %EMAILLOCALPART%"),
            (server("SMTP", "<SSL>off</SSL><Encryption>TLS</Encryption>"), "smtp m.example:587 starttls ntlm %EMAILLOCALPART%"),
            (server("SMTP", "<Port>587</Port><Encryption>None</Encryption>"), "smtp m.example:587 plain ntlm %EMAILLOCALPART%"),
            (server("SMTP", "<Port>25</Port><Encryption>Auto</Encryption>"), "smtp m.example:25 starttls ntlm %EMAILLOCALPART%"),
        ] {
            assert_eq!(lines(&protocol), [expected], "{protocol}");
        }
    }
}

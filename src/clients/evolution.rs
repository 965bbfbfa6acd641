//! Evolution's parsers: `e-mail-autoconfig.c` (GNOME/evolution 6901b223) on `GMarkup`, and what the plug-in evolution-ews adds
//! (3e4e2c1c, 2026-08-21): `e-ews-config-lookup.c`, `ews_process_autodiscover_response`.

use super::{
    dialect::{OAUTH2, Refusal, default_port, host_name, port, security},
    row::Client,
    thunderbird::web_host,
};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, EMAIL_DOMAIN, Pox, Protocol, Security, Server, Settings, is_within};

/// IMAP, POP3 and SMTP: of several servers of one type the later one's values are written over the earlier one's. `exchange` counts by
/// its `ewsURL`, and comes first (priority 900 to 1000 of IMAP and 2000 of POP3).
pub(super) fn accept_autoconfig(client: &Client, document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and Evolution's parser is strict");
    }
    let servers: Vec<&AutoconfigServer> = document.incoming.iter().chain(&document.outgoing).collect();
    let exchange =
        servers.iter().rev().find(|server| server.kind == "exchange").and_then(|server| web_services(server.ews_url.as_deref()?));
    let read = |(kind, protocol)| {
        let of_kind: Vec<&AutoconfigServer> = servers.iter().filter(|server| server.kind == kind).copied().collect();
        server_of(client, protocol, &of_kind)
    };
    let mail = [("imap", Protocol::Imap), ("pop3", Protocol::Pop3)].into_iter().filter_map(read);
    let settings =
        Settings { incoming: exchange.into_iter().chain(mail).collect(), outgoing: read(("smtp", Protocol::Smtp)).into_iter().collect() };
    if settings.incoming.is_empty() {
        return Err(Refusal::Taken("it is XML without a server to read mail with, and ends Evolution's search".to_owned()));
    }
    Ok(settings)
}

/// What is left of the servers of one type; `None` where none names a host.
fn server_of(client: &Client, protocol: Protocol, servers: &[&AutoconfigServer]) -> Option<Server> {
    let last = |value: fn(&AutoconfigServer) -> Option<&String>| servers.iter().rev().find_map(|server| value(server));
    let host = last(|server| server.hostname.as_ref()).and_then(|host| host_name(&without_domain(host)))?;
    let mut socket_types = servers.iter().rev().flat_map(|server| server.socket_types.iter().rev());
    let security = socket_types.find_map(|written| security(std::slice::from_ref(written), false)).unwrap_or(Security::Plain);
    let mut passwords = servers.iter().rev().flat_map(|server| server.authentications.iter().rev());
    let password = passwords.find_map(|written| match written.as_str() {
        "password-cleartext" | "plain" => Some("password-cleartext"),
        "password-encrypted" => Some("password-encrypted"),
        _ => None,
    });
    let oauth = client.oauth_hosts.iter().any(|domain| is_within(&host, domain));
    let auth = if oauth { Some(OAUTH2) } else { password };
    let port = servers.iter().rev().find_map(|server| port(server.port.as_deref()?));
    Some(Server {
        protocol,
        port: port.unwrap_or_else(|| default_port(protocol, security)),
        host,
        security,
        auth: auth.into_iter().map(str::to_owned).collect(),
        username: last(|server| server.username.as_ref()).map(|name| without_domain(name)).unwrap_or_default(),
        class: None,
    })
}

/// `ASUrl` of EXPR, else of EXCH; the last of a type counts. Whatever else an answer names is left out.
pub(super) fn accept_pox(document: &Pox) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML, and the client's parser is strict");
    }
    let of = |kind: &str| {
        let last = document.protocols.iter().rfind(|protocol| protocol.strict_kind && protocol.kind == kind);
        last.and_then(|protocol| protocol.as_url.as_deref())
    };
    let server = of("EXPR").or_else(|| of("EXCH")).and_then(web_services);
    Ok(Settings { incoming: server.into_iter().collect(), outgoing: Vec::new() })
}

/// What `%EMAILDOMAIN%` becomes: nothing, as the account's wizard names no domain (`e-gnome-config-lookup.c` 4c00eb2e).
fn without_domain(written: &str) -> String {
    written.replace(EMAIL_DOMAIN, "")
}

fn web_services(url: &str) -> Option<Server> {
    let web = web_host(&without_domain(url))?;
    Some(Server {
        protocol: Protocol::Ews,
        port: web.port.unwrap_or_else(|| default_port(Protocol::Ews, web.security)),
        host: web.host,
        security: web.security,
        auth: Vec::new(),
        username: EMAIL_ADDRESS.to_owned(),
        class: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clients::ClientTable,
        wire::{parse_autoconfig, parse_pox},
    };

    fn read(servers: &str) -> Result<Vec<String>, Refusal> {
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|client| client.name == "evolution").unwrap();
        let text = format!("<clientConfig><emailProvider id='x'>{servers}</emailProvider></clientConfig>");
        let settings = accept_autoconfig(client, &parse_autoconfig(text.as_bytes(), "text/xml").unwrap())?;
        let line = |server: &Server| {
            let Server { protocol, host, port, security, auth, username, .. } = server;
            format!("{protocol} {host}:{port} {security} {} {username}", auth.join(","))
        };
        Ok(settings.servers().map(line).collect())
    }

    #[test]
    fn servers_of_one_type_are_written_over_each_other() {
        let server = |kind: &str, inside: &str| format!("<incomingServer type='{kind}'>{inside}</incomingServer>");
        let host = "<hostname>a.example</hostname>";
        let full =
            format!("{host}<port>993</port><socketType>SSL</socketType><authentication>plain</authentication><username>u</username>");
        for (servers, expected) in [
            (server("imap", &full), vec!["imap a.example:993 tls password-cleartext u"]),
            (server("imap", host), vec!["imap a.example:143 plain  "]),
            (
                server("imap", "<hostname>imap.%EMAILDOMAIN%</hostname><username>%EMAILLOCALPART%@%EMAILDOMAIN%</username>"),
                vec!["imap imap:143 plain  %EMAILLOCALPART%@"],
            ),
            (
                format!("{}{}", server("imap", &full), server("imap", "<hostname>b.example</hostname><socketType>STARTTLS</socketType>")),
                vec!["imap b.example:993 starttls password-cleartext u"],
            ),
            (server("imap", &full.replace("plain", "OAuth2")), vec!["imap a.example:993 tls  u"]),
            (server("imap", &full.replace("a.example", "imap-mail.outlook.com")), vec!["imap imap-mail.outlook.com:993 tls oauth2 u"]),
            (
                server("imap", &full.replace("<socketType>SSL", "<socketType>TLS13</socketType><socketType>SSL")),
                vec!["imap a.example:993 tls password-cleartext u"],
            ),
            (
                format!("{}{}{}", server("pop3", host), server("imap", host), server("exchange", "<ewsURL>https://e.example/ews</ewsURL>")),
                vec!["ews e.example:443 tls  %EMAILADDRESS%", "imap a.example:143 plain  ", "pop3 a.example:110 plain  "],
            ),
        ] {
            assert_eq!(read(&servers).unwrap(), expected, "{servers}");
        }
        for taken in [server("exchange", host), server("IMAP", &full), server("smtp", &full), String::new()] {
            assert!(matches!(read(&taken), Err(Refusal::Taken(_))), "{taken}");
        }
        assert!(matches!(read("<incomingServer>"), Err(Refusal::Unusable(_))));
    }

    #[test]
    fn web_services_of_autodiscover_are_those_of_expr_first() {
        let protocol = |kind: &str, inside: &str| format!("<Protocol><Type>{kind}</Type>{inside}</Protocol>");
        let url = |host: &str| format!("<ASUrl>https://{host}/EWS/Exchange.asmx</ASUrl>");
        for (protocols, expected) in [
            (protocol("EXCH", &url("in.example")), Some("in.example")),
            (protocol("EXCH", &url("in.example")) + &protocol("EXPR", &url("out.example")), Some("out.example")),
            (protocol("EXPR", &url("out.example")) + &protocol("EXCH", &url("in.example")), Some("out.example")),
            (protocol("EXCH", &url("in.example")) + &protocol("EXPR", "<Server>x.example</Server>"), Some("in.example")),
            (protocol("EXCH", "<EwsUrl>https://in.example/</EwsUrl>"), None),
            (protocol("IMAP", "<Server>imap.example</Server><Port>993</Port>"), None),
        ] {
            let text = format!("<Autodiscover><Response><Account>{protocols}</Account></Response></Autodiscover>");
            let settings = accept_pox(&parse_pox(text.as_bytes(), "text/xml").unwrap()).unwrap();
            assert_eq!(settings.servers().map(|server| server.host.as_str()).next(), expected, "{protocols}");
        }
    }
}

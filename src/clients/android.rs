//! Thunderbird for Android's parser: `RealAutoconfigParser.kt`, and `GetAutoDiscovery.kt`, which looks at sign-in once the result
//! stands (thunderbird-android a59bd67985, 2026-08-20).

use super::{
    dialect::{OAUTH2, Refusal, port},
    row::Client,
    thunderbird::legal_host_name,
};
use crate::model::{Autoconfig, AutoconfigServer, Protocol, Security, Server, Settings, is_within};

/// The first server for IMAP and the first for SMTP. One that lacks something, of either type, makes the whole document worthless.
pub(super) fn accept_autoconfig(client: &Client, document: &Autoconfig) -> Result<Settings, Refusal> {
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and the client's parser is strict");
    }
    // unlike domains and hosts, an id has its placeholders left in it
    let id = document.provider_id.as_deref().filter(|id| !id.contains('%'));
    if id.and_then(legal_host_name).is_none() {
        return Refusal::unusable("its emailProvider has no id, or one that is no host name");
    }
    if !document.domains.iter().any(|domain| legal_host_name(domain).is_some()) {
        return Refusal::unusable("it names no domain");
    }
    let incoming = first(&document.incoming, "imap", Protocol::Imap)?;
    let outgoing = first(&document.outgoing, "smtp", Protocol::Smtp)?;
    Ok(Settings { incoming: vec![can_sign_in(client, incoming)?], outgoing: vec![can_sign_in(client, outgoing)?] })
}

fn first(servers: &[AutoconfigServer], kind: &str, protocol: Protocol) -> Result<Server, Refusal> {
    let of_kind = servers.iter().filter(|server| server.kind == kind);
    let read: Option<Vec<Server>> = of_kind.map(|server| server_of(server, protocol)).collect();
    let Some(read) = read else {
        return Err(Refusal::Unusable(format!(
            "a server for {} lacks something, and the client then drops the document",
            protocol.title()
        )));
    };
    read.into_iter().next().ok_or_else(|| Refusal::Unusable(format!("it names no server for {}", protocol.title())))
}

fn server_of(written: &AutoconfigServer, protocol: Protocol) -> Option<Server> {
    let securities: Option<Vec<Security>> = written.socket_types.iter().map(|written| security_of(written)).collect();
    let auth: Vec<String> = written.authentications.iter().filter_map(|written| sign_in(written)).map(str::to_owned).collect();
    Some(Server {
        protocol,
        host: written.hostname.as_deref().and_then(legal_host_name)?,
        port: written.port.as_deref().and_then(port)?,
        security: securities?.last().copied()?,
        auth: Some(auth).filter(|auth| !auth.is_empty())?,
        // an empty one is one: `userName ?: parserError("Missing 'username' element")`
        username: written.username.clone().or_else(|| written.has_username.then(String::new))?,
        class: None,
    })
}

/// `plain` is an error, as is whatever else is not known.
fn security_of(written: &str) -> Option<Security> {
    match written {
        "SSL" => Some(Security::Tls),
        "STARTTLS" => Some(Security::StartTls),
        _ => None,
    }
}

fn sign_in(written: &str) -> Option<&'static str> {
    match written {
        "OAuth2" => Some(OAUTH2),
        "password-cleartext" => Some("password-cleartext"),
        "password-encrypted" => Some("password-encrypted"),
        _ => None,
    }
}

/// Takes off `OAuth2` where the client has no registration for the host. Where nothing is left, so is the user: other sources are not
/// asked any more.
fn can_sign_in(client: &Client, mut server: Server) -> Result<Server, Refusal> {
    let known = client.oauth_hosts.iter().any(|domain| is_within(&server.host, domain));
    server.auth.retain(|name| known || name != OAUTH2);
    if server.auth.is_empty() {
        return Err(Refusal::Taken(format!("it offers OAuth2 alone at {}, for which the client has no registration", server.host)));
    }
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::ClientTable, wire::parse_autoconfig};

    fn read(incoming: &str, outgoing: &str) -> Result<Vec<String>, Refusal> {
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|client| client.name == "thunderbird-android").unwrap();
        let text = format!(
            "<clientConfig><emailProvider id='x.example'><domain>x.example</domain>{incoming}{outgoing}</emailProvider></clientConfig>"
        );
        let settings = accept_autoconfig(client, &parse_autoconfig(text.as_bytes(), "").unwrap())?;
        Ok(settings.servers().map(|server| format!("{} {} {}", server.protocol, server.host, server.auth.join(","))).collect())
    }

    fn server(element: &str, kind: &str) -> String {
        format!(
            "<{element} type='{kind}'><hostname>{kind}.example</hostname><port>993</port><socketType>SSL</socketType>\
             <authentication>OAuth2</authentication><authentication>plain</authentication><authentication>password-cleartext</authentication>\
             <username>u</username></{element}>"
        )
    }

    #[test]
    fn one_server_that_lacks_something_spoils_the_document() {
        let (imap, smtp) = (server("incomingServer", "imap"), server("outgoingServer", "smtp"));
        let fine = Ok(vec!["imap imap.example password-cleartext".to_owned(), "smtp smtp.example password-cleartext".to_owned()]);
        for incoming in [
            imap.clone(),
            imap.clone() + &imap.replace("imap.example", "second.example"),
            server("incomingServer", "pop3").replace("SSL", "plain") + &imap,
            imap.replace("</socketType>", "</socketType><socketType>STARTTLS</socketType>"),
            imap.replace("<username>u</username>", "<username></username>"),
        ] {
            assert_eq!(read(&incoming, &smtp), fine, "{incoming}");
        }
        for (from, to) in [
            ("SSL", "plain"),
            ("SSL", "TLS13"),
            ("<socketType>SSL</socketType>", ""),
            ("993", "0"),
            ("993", "imaps"),
            ("imap.example", "imap_1.example"),
            ("<username>u</username>", ""),
            ("OAuth2</authentication><authentication>plain</authentication><authentication>password-cleartext", "plain"),
            ("type='imap'", "type='pop3'"),
        ] {
            let broken = imap.replace(from, to);
            assert!(matches!(read(&broken, &smtp), Err(Refusal::Unusable(_))), "{broken}");
        }
        assert!(matches!(read(&(imap.clone() + &imap.replace("SSL", "plain")), &smtp), Err(Refusal::Unusable(_))));
        assert!(matches!(read(&imap, ""), Err(Refusal::Unusable(_))));
    }

    #[test]
    fn an_id_with_a_placeholder_is_none() {
        let text = |id: &str| {
            let servers = server("incomingServer", "imap") + &server("outgoingServer", "smtp");
            format!("<clientConfig><emailProvider id='{id}'><domain>%EMAILDOMAIN%</domain>{servers}</emailProvider></clientConfig>")
        };
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|client| client.name == "thunderbird-android").unwrap();
        let accept = |id: &str| accept_autoconfig(client, &parse_autoconfig(text(id).as_bytes(), "").unwrap());
        assert!(accept("x.example").is_ok());
        assert!(matches!(accept("%EMAILDOMAIN%"), Err(Refusal::Unusable(_))));
    }

    #[test]
    fn oauth_alone_where_the_client_has_no_registration_ends_the_search() {
        let alone = |text: &str| text.replace("<authentication>password-cleartext</authentication>", "");
        let (imap, smtp) = (server("incomingServer", "imap"), server("outgoingServer", "smtp"));
        assert!(matches!(read(&alone(&imap), &smtp), Err(Refusal::Taken(_))));
        assert!(matches!(read(&imap, &alone(&smtp)), Err(Refusal::Taken(_))));
        let at = |text: &str, host: &str| alone(text).replace("imap.example", host).replace("smtp.example", host);
        let found = read(&at(&imap, "outlook.office365.com"), &at(&smtp, "smtp-mail.outlook.com"));
        assert_eq!(found, Ok(vec!["imap outlook.office365.com oauth2".to_owned(), "smtp smtp-mail.outlook.com oauth2".to_owned()]));
    }
}

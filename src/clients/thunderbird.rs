//! Thunderbird's parsers: `readFromXML.sys.mjs` with `InputSanitizer`, and the reading part of `ExchangeAutoDiscover.sys.mjs`
//! (comm cf9726f563, 2026-08-22; 153.7.0 ESR); for `Dialect::Thunderbird115` those of thunderbird-desktop d0c7ddb907^ (2023-09-15).

use super::{
    dialect::{HTTPS_PORT, OAUTH2, Refusal, host_name, port, protocol, security},
    row::{Client, Dialect},
    search::is_rdf,
};
use crate::model::{Autoconfig, AutoconfigServer, EMAIL_ADDRESS, Pox, PoxProtocol, Protocol, Reply, Security, Server, Settings, is_within};

/// `readFromXML`: throws for the whole document where it lacks an id, a domain, a usable incoming or a usable outgoing server; a
/// fault in one server skips that server.
pub(super) fn accept_autoconfig(client: &Client, document: &Autoconfig, reply: &Reply) -> Result<Settings, Refusal> {
    check_type(reply)?;
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML without prefixes, and Thunderbird's parser is strict");
    }
    if document.provider_id.as_deref().and_then(legal_host_name).is_none() {
        return Refusal::unusable("its emailProvider has no id, or one that is no host name");
    }
    if !document.domains.iter().any(|domain| legal_host_name(domain).is_some()) {
        return Refusal::unusable("it names no domain");
    }
    let read = |servers: &[AutoconfigServer], outgoing| -> Vec<Server> {
        servers.iter().filter_map(|server| server_of(client, server, outgoing)).collect()
    };
    let mut settings = Settings { incoming: read(&document.incoming, false), outgoing: read(&document.outgoing, true) };
    let read_as = |kind: &str, known: &str| {
        let of_kind = document.incoming.iter().filter(|server| server.kind == kind);
        let servers: Vec<_> = of_kind.map(|server| AutoconfigServer { kind: known.to_owned(), ..server.clone() }).collect();
        read(&servers, false)
    };
    if settings.incoming.is_empty() && client.dialect == Dialect::Thunderbird {
        // `owa` counts as a server, and is shown only where there is nothing else
        settings.incoming = read_as("owa", "exchange");
    }
    let has_news = !read_as("nntp", "imap").is_empty();
    if settings.incoming.is_empty() && !has_news {
        return Refusal::unusable("it has no incoming server that Thunderbird can use");
    }
    if settings.outgoing.is_empty() {
        return Refusal::unusable("it has no outgoing server that Thunderbird can use");
    }
    if settings.incoming.is_empty() {
        return Err(Refusal::Taken("its only incoming server is one for news (nntp), which Thunderbird takes for an account".to_owned()));
    }
    Ok(settings)
}

/// A server that cannot be read is skipped. A `url` names the host over `hostname`; one with a port in it does not, as its host
/// does not pass for a host name. A missing user name becomes the word `undefined`. (153.7 ESR, executed.) Left out: an incoming server without a port, which it keeps for the user to complete.
fn server_of(client: &Client, written: &AutoconfigServer, outgoing: bool) -> Option<Server> {
    let protocol = protocol(&written.kind)?;
    if outgoing != (protocol == Protocol::Smtp) || !is_supported(client.dialect, protocol) {
        return None;
    }
    let named = match &written.hostname {
        Some(hostname) => Some(legal_host_name(hostname)?),
        None => None,
    };
    let by_url = written.url.as_deref().filter(|_| !outgoing && client.dialect == Dialect::Thunderbird).and_then(web_host);
    let by_url = by_url.filter(|web| web.port.is_none());
    let host = by_url.as_ref().map(|web| web.host.clone()).or(named)?;
    let port = match &written.port {
        Some(written) => integer(written)?,
        None => by_url.as_ref().map(|_| HTTPS_PORT)?,
    };
    let security = security(&written.socket_types, false).or_else(|| by_url.map(|web| web.security))?;
    let knows = |host: &str| client.oauth_hosts.is_empty() || client.oauth_hosts.iter().any(|domain| is_within(host, domain));
    let can_sign_in = |name: &&str| *name != OAUTH2 || knows(&host);
    let auth = written.authentications.iter().filter_map(|value| sign_in(value, outgoing)).find(can_sign_in)?;
    let needs_name = !outgoing || auth.starts_with("password");
    let username = written.username.clone().unwrap_or_else(|| if needs_name { "undefined".to_owned() } else { String::new() });
    Some(Server { protocol, host, port, security, auth: vec![auth.to_owned()], username, class: None })
}

/// `ews` since 150 (bug 1995836). Graph only where `mail.graph.enabled`, which 153.7 ESR does not set.
fn is_supported(dialect: Dialect, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Imap | Protocol::Pop3 | Protocol::Smtp | Protocol::Exchange => true,
        Protocol::Ews => dialect == Dialect::Thunderbird,
        Protocol::Graph | Protocol::ActiveSync | Protocol::Jmap => false,
    }
}

/// `readAuthentication`: letter case counts, and an incoming server cannot do without.
fn sign_in(written: &str, outgoing: bool) -> Option<&'static str> {
    match written {
        "none" | "client-IP-address" | "smtp-after-pop" => outgoing.then_some("none"),
        "password-cleartext" | "plain" => Some("password-cleartext"),
        "password-encrypted" | "secure" => Some("password-encrypted"),
        "GSSAPI" => Some("gssapi"),
        "NTLM" => Some("ntlm"),
        "OAuth2" => Some(OAUTH2),
        _ => None,
    }
}

/// What `FetchHTTP` parses as XML; anything else stays a string, on which the readers throw.
fn check_type(reply: &Reply) -> Result<(), Refusal> {
    match reply {
        Reply::Document(document) if document.is_xml() && !is_rdf(document) => Ok(()),
        Reply::Document(document) if document.content_type.is_empty() => {
            Refusal::unusable("it has no content type, so Thunderbird does not read it")
        }
        Reply::Document(document) => {
            Err(Refusal::Unusable(format!("it is served as `{}`, which Thunderbird does not read as XML", document.content_type)))
        }
        _ => Refusal::unusable("it is no document"),
    }
}

/// What Thunderbird makes of an Autodiscover answer, where it reads it at all.
pub(super) fn accept_pox(client: &Client, document: &Pox, reply: &Reply) -> Result<Settings, Refusal> {
    check_type(reply)?;
    if !document.strict {
        return Refusal::unusable("it is not well-formed XML, and Thunderbird's parser is strict");
    }
    Ok(pox_settings(client.dialect, document))
}

/// The address of a `RedirectAddr` as `InputSanitizer.emailAddress` lets it pass, in lower case.
pub(super) fn redirect_address(written: &str) -> Option<String> {
    let (local, domain) = written.split_once('@')?;
    let (rest, top) = domain.rsplit_once('.')?;
    let all = |text: &str, more: &str| !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || more.contains(one));
    let fits = all(local, "-%+_.*") && all(rest, "-.") && !top.is_empty() && top.chars().all(|one| one.is_ascii_alphabetic());
    fits.then(|| written.to_lowercase())
}

/// `readAutoDiscoverXML`: WEB, EXHTTP and EXCH become `exchange`, POP3, IMAP and SMTP servers; EXPR is accepted and has no branch.
/// The Exchange server is written over the first incoming server that is there by then, whatever it is; the standard protocols
/// come first in the end; without an incoming server there is no result. (153.7 ESR, executed.) `Type` is compared as a child and
/// with its letter case (thunderbird-desktop 9c91f3cbc5, 2026-01-15).
pub(super) fn pox_settings(dialect: Dialect, document: &Pox) -> Settings {
    let mut settings = Settings::default();
    for written in document.protocols.iter().filter(|written| written.strict_kind) {
        match written.kind.as_str() {
            "WEB" | "EXCH" | "EXHTTP" => read_exchange(written, &mut settings.incoming),
            "SMTP" => settings.outgoing.extend(pox_server(dialect, written, Protocol::Smtp)),
            "IMAP" => settings.incoming.extend(pox_server(dialect, written, Protocol::Imap)),
            "POP3" => settings.incoming.extend(pox_server(dialect, written, Protocol::Pop3)),
            _ => {}
        }
    }
    if settings.incoming.is_empty() {
        return Settings::default();
    }
    settings.incoming.sort_by_key(|server| server.protocol == Protocol::Exchange);
    settings
}

fn pox_server(dialect: Dialect, written: &PoxProtocol, protocol: Protocol) -> Option<Server> {
    let port = integer(written.port.as_deref()?)?;
    let auth = if is_on(written.spa.as_ref(), "on")? { "secure" } else { "password-cleartext" };
    Some(Server {
        protocol,
        host: written.server.as_deref().and_then(legal_host_name)?,
        port,
        security: pox_security(dialect, written, port)?,
        auth: vec![auth.to_owned()],
        username: written.login_name.clone().unwrap_or_else(|| EMAIL_ADDRESS.to_owned()),
        class: None,
    })
}

/// Plain where `SSL` is off or `Encryption` none, STARTTLS by port, else TLS: `Encryption` TLS does not count. Up to 127 plain
/// wherever `SSL` is not on (bug 1900178).
fn pox_security(dialect: Dialect, written: &PoxProtocol, port: u16) -> Option<Security> {
    let plain = match dialect {
        Dialect::Thunderbird115 => !is_on(written.ssl.as_ref(), "on")?,
        _ => is_on(written.ssl.as_ref(), "off")? || is_on(written.encryption.as_ref(), "none")?,
    };
    Some(match port {
        _ if plain => Security::Plain,
        143 | 110 | 25 | 587 => Security::StartTls,
        _ => Security::Tls,
    })
}

/// Whether a switch stands at a word; `None` where it is no word, such as `true`: the server is skipped.
fn is_on(written: Option<&String>, word: &str) -> Option<bool> {
    let Some(written) = written else { return Some(false) };
    let is_word = written != "true" && written != "false" && written.parse::<f64>().is_err();
    is_word.then(|| written == word)
}

/// `EwsUrl` alone: where it is missing, an exception comes before `ASUrl` is looked at. Of WEB, `OWAUrl` counts only with an
/// attribute, as it is read as an element's value (JXON). (thunderbird-desktop 9c91f3cbc5, 2026-01-15.)
fn read_exchange(written: &PoxProtocol, incoming: &mut Vec<Server>) {
    let url = match written.kind.as_str() {
        "WEB" => written.owa_url.as_ref().filter(|owa| owa.attributed).map(|owa| owa.url.as_str()),
        _ => written.ews_url.as_deref(),
    };
    let Some(web) = url.and_then(web_host) else { return };
    let port = web.port.unwrap_or(HTTPS_PORT);
    match incoming.first_mut() {
        Some(first) => {
            first.protocol = Protocol::Exchange;
            first.host = web.host;
            first.port = web.port.unwrap_or(first.port);
        }
        None => incoming.push(Server {
            protocol: Protocol::Exchange,
            host: web.host,
            port,
            security: Security::Tls,
            auth: Vec::new(),
            username: EMAIL_ADDRESS.to_owned(),
            class: None,
        }),
    }
}

/// What a web address says of a server.
pub(super) struct WebHost {
    /// Its host.
    pub(super) host: String,
    /// Its protection.
    pub(super) security: Security,
    /// Its port, where that is not the scheme's.
    pub(super) port: Option<u16>,
}

/// The server of a web address.
pub(super) fn web_host(url: &str) -> Option<WebHost> {
    let url = url::Url::parse(url.trim()).ok()?;
    let security = match url.scheme() {
        "https" => Security::Tls,
        "http" => Security::Plain,
        _ => return None,
    };
    Some(WebHost { host: host_name(url.host_str()?)?, security, port: url.port() })
}

/// `InputSanitizer.hostname`: whole placeholders, or labels of letters, digits and inner hyphens (RFC 1123), or an address.
pub(super) fn legal_host_name(written: &str) -> Option<String> {
    let name = host_name(written).or_else(|| written.trim().parse::<std::net::Ipv6Addr>().ok().map(|address| address.to_string()))?;
    let parts: Vec<&str> = name.split('%').collect();
    let is_placeholder = |part: &str| !part.is_empty() && part.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit());
    let is_legal = match parts.as_slice() {
        [plain] => plain.len() <= 255 && (plain.contains(':') || plain.split('.').all(is_label)),
        parts => parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| is_placeholder(part)),
    };
    is_legal.then_some(name)
}

fn is_label(label: &str) -> bool {
    let is_edge = |one: Option<char>| one.is_some_and(|one| one.is_ascii_alphanumeric());
    label.len() <= 63 && is_edge(label.chars().next()) && is_edge(label.chars().next_back())
}

/// `parseInt`: what follows the digits does not count. 1 to 65535.
fn integer(written: &str) -> Option<u16> {
    let written = written.trim();
    let end = written.find(|one: char| !one.is_ascii_digit()).unwrap_or(written.len());
    port(written.get(..end)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clients::ClientTable, model::HttpDocument, wire::parse_autoconfig, wire::parse_pox};

    fn read(content_type: &str, servers: &str) -> Result<Vec<String>, Refusal> {
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().next().unwrap();
        let text =
            format!("<clientConfig><emailProvider id='contoso.com'><domain>contoso.com</domain>{servers}</emailProvider></clientConfig>");
        let document = parse_autoconfig(text.as_bytes(), content_type).unwrap();
        let (content_type, body) = (content_type.to_owned(), text.as_bytes().into());
        let reply = Reply::Document(HttpDocument { status: 200, content_type, body, headers: Vec::new() });
        accept_autoconfig(client, &document, &reply).map(|settings| settings.servers().map(line).collect())
    }

    fn line(server: &Server) -> String {
        let Server { protocol, host, port, auth, username, .. } = server;
        format!("{protocol} {host}:{port} {} {username}", auth.join(","))
    }

    fn imap(inside: &str) -> Vec<String> {
        let rest = [("port", "<port>993</port>"), ("socketType", "<socketType>SSL</socketType>"), ("username", "<username>u</username>")];
        let auth = ("authentication", "<authentication>plain</authentication>");
        let host = ("hostname", "<hostname>imap.contoso.com</hostname>");
        let missing: String =
            rest.iter().chain([&auth, &host]).filter(|(name, _)| !inside.contains(&format!("<{name}"))).map(|(_, text)| *text).collect();
        let spare = "<incomingServer type='pop3'><hostname>p</hostname><port>995</port><socketType>SSL</socketType>\
                     <authentication>plain</authentication><username>u</username></incomingServer>";
        let smtp = "<outgoingServer type='smtp'><hostname>s</hostname><port>465</port><socketType>SSL</socketType>\
                    <authentication>plain</authentication><username>u</username></outgoingServer>";
        let read = read("text/xml", &format!("<incomingServer type='imap'>{inside}{missing}</incomingServer>{spare}{smtp}")).unwrap();
        read.into_iter().filter(|line| line.starts_with("imap")).collect()
    }

    /// Each line was read by Thunderbird 153.7.0 ESR, executed.
    #[test]
    fn servers_are_taken_and_skipped_as_thunderbird_does() {
        for (inside, expected) in [
            ("", Some("imap imap.contoso.com:993 password-cleartext u")),
            ("<authentication>none</authentication>", None),
            ("<authentication>client-IP-address</authentication>", None),
            ("<authentication>TLS-client-cert</authentication>", None),
            ("<authentication>Plain</authentication>", None),
            ("<authentication>x</authentication><authentication>NTLM</authentication>", Some("imap imap.contoso.com:993 ntlm u")),
            ("<username></username>", Some("imap imap.contoso.com:993 password-cleartext undefined")),
            ("<port>993a</port>", Some("imap imap.contoso.com:993 password-cleartext u")),
            ("<port>0</port>", None),
            ("<hostname>imap.%EMAILDOMAIN%</hostname>", Some("imap imap.%EMAILDOMAIN%:993 password-cleartext u")),
            ("<hostname>imap.%emaildomain%</hostname>", None),
            ("<hostname>imap.%EMAILDOMAIN</hostname>", None),
            ("<hostname>-imap.contoso.com</hostname>", None),
            ("<hostname>imap..contoso.com</hostname>", None),
            ("<hostname>imap_1.contoso.com</hostname>", None),
            ("<hostname>imap.contoso.com.</hostname>", Some("imap imap.contoso.com:993 password-cleartext u")),
            ("<hostname>2001:db8::1</hostname>", Some("imap 2001:db8::1:993 password-cleartext u")),
            ("<hostname>a.contoso.com</hostname><url>https://b.contoso.com/</url>", Some("imap b.contoso.com:993 password-cleartext u")),
            ("<hostname>a_b.contoso.com</hostname><url>https://b.contoso.com/</url>", None),
            ("<hostname>a.contoso.com</hostname><url>https://b.example:8443/</url>", Some("imap a.contoso.com:993 password-cleartext u")),
        ] {
            assert_eq!(imap(inside), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{inside}");
        }
    }

    #[test]
    fn oauth_is_for_the_hosts_that_thunderbird_knows() {
        for (host, knows) in [
            ("outlook.office365.com", true),
            ("imap.mail.att.net", true),
            ("imap.fastmail.com", true),
            ("mail.fastmail.com", false),
            ("imap.mail.ru", true),
            ("pop.mail.ru", false),
            ("imap.yandex.ru", false),
            ("imap.google.com", false),
            ("mail.comcast.net", false),
            ("mail.thundermail.com", true),
            ("outlook.office365.us", false),
        ] {
            let inside = format!("<hostname>{host}</hostname><authentication>OAuth2</authentication>");
            assert_eq!(imap(&inside).len(), usize::from(knows), "{host}");
        }
    }

    /// `nntp` is in the list of types that are read (thunderbird-desktop 9c91f3cbc5, 2026-01-15).
    #[test]
    fn a_server_for_news_makes_a_document_that_is_taken_and_reads_no_mail() {
        let server = |element: &str, kind: &str, more: &str| {
            format!(
                "<{element} type='{kind}'><hostname>h.contoso.com</hostname><port>563</port><socketType>SSL</socketType>\
                 <authentication>plain</authentication>{more}</{element}>"
            )
        };
        let name = "<username>u</username>";
        let (nntp, imap) = (server("incomingServer", "nntp", name), server("incomingServer", "imap", name));
        let smtp = server("outgoingServer", "smtp", name);
        let taken = |read: Result<Vec<String>, Refusal>| matches!(read, Err(Refusal::Taken(_)));
        assert!(taken(read("text/xml", &format!("{nntp}{smtp}"))));
        assert_eq!(read("text/xml", &format!("{nntp}{imap}{smtp}")).unwrap().len(), 2);
        for document in [nntp.clone(), smtp.clone(), format!("{}{smtp}", nntp.replace("563", "0"))] {
            assert!(matches!(read("text/xml", &document), Err(Refusal::Unusable(_))), "{document}");
        }
    }

    #[test]
    fn a_document_as_rdf_or_with_graph_alone_is_none() {
        let server = |element: &str, kind: &str, host: &str| {
            format!(
                "<{element} type='{kind}'>{host}<port>443</port><socketType>SSL</socketType><authentication>OAuth2</authentication>\
                 <username>u</username></{element}>"
            )
        };
        let smtp = server("outgoingServer", "smtp", "<hostname>smtp.office365.com</hostname>");
        let imap = server("incomingServer", "imap", "<hostname>outlook.office365.com</hostname>");
        let graph = server("incomingServer", "graph", "<url>https://graph.microsoft.com/</url>");
        assert!(read("application/xml", &format!("{imap}{smtp}")).is_ok());
        assert!(read("text/rdf", &format!("{imap}{smtp}")).is_err());
        assert!(read("application/xml", &format!("{graph}{smtp}")).is_err());
    }

    /// Each line was read by Thunderbird 153.7.0 ESR, executed.
    #[test]
    fn protocols_of_autodiscover_are_read_as_thunderbird_does() {
        let server = |kind: &str, more: &str| format!("<Protocol><Type>{kind}</Type><Server>h.example</Server>{more}</Protocol>");
        let exchange = "<Protocol><Type>EXCH</Type><EwsUrl>https://e.example/ews</EwsUrl></Protocol>".to_owned();
        let (imap, smtp) = (server("IMAP", "<Port>993</Port>"), server("SMTP", "<Port>587</Port>"));
        let exchange_line = "exchange e.example:443  %EMAILADDRESS%";
        let (imap_line, smtp_line) =
            ("imap h.example:993 password-cleartext %EMAILADDRESS%", "smtp h.example:587 password-cleartext %EMAILADDRESS%");
        let web = |inside: &str| format!("<Protocol><Type>WEB</Type>{inside}</Protocol>");
        let owa = |host: &str| format!("<OWAUrl AuthenticationMethod='Fba'>https://{host}/owa/</OWAUrl>");
        let (external, internal) =
            (format!("<External>{}</External>", owa("x.example")), format!("<Internal>{}</Internal>", owa("i.example:8443")));
        for (protocols, expected) in [
            (web(&internal), vec!["exchange i.example:8443  %EMAILADDRESS%"]),
            (web(&format!("{internal}{external}")), vec!["exchange x.example:443  %EMAILADDRESS%"]),
            (web(&format!("{internal}<External/>")), vec![]),
            (web("<External><OWAUrl>https://x.example/owa/</OWAUrl></External>"), vec![]),
            (web(&external.replace("https", "ftp")), vec![]),
            (format!("{exchange}{}", web(&external)), vec!["exchange x.example:443  %EMAILADDRESS%"]),
            (format!("{}{exchange}", web(&external)), vec![exchange_line]),
            (format!("{imap}{}", web(&external)), vec!["exchange x.example:993 password-cleartext %EMAILADDRESS%"]),
            (exchange.replace("EwsUrl", "ASUrl"), vec![]),
            (exchange.replace("</EwsUrl>", "</EwsUrl><ASUrl>https://a.example/ews</ASUrl>"), vec![exchange_line]),
            (imap.replace("<Protocol><Type>IMAP</Type>", "<Protocol Type='IMAP'>"), vec![]),
            (imap.replace("IMAP", "imap"), vec![]),
            (format!("{imap}{smtp}"), vec![imap_line, smtp_line]),
            (format!("{}{smtp}", server("IMAP", "")), vec![]),
            (smtp.clone(), vec![]),
            (imap.clone(), vec![imap_line]),
            (format!("{exchange}{imap}"), vec![imap_line, exchange_line]),
            (format!("{imap}{exchange}"), vec!["exchange e.example:993 password-cleartext %EMAILADDRESS%"]),
            (format!("{exchange}{}", exchange.replace("e.example", "f.example:8443")), vec!["exchange f.example:8443  %EMAILADDRESS%"]),
            (server("IMAP", "<Port>993</Port><SSL>true</SSL>"), vec![]),
            (server("IMAP", "<Port>993</Port><SPA>on</SPA>"), vec!["imap h.example:993 secure %EMAILADDRESS%"]),
        ] {
            let text = format!("<Autodiscover><Response><Account>{protocols}</Account></Response></Autodiscover>");
            let settings = pox_settings(Dialect::Thunderbird, &parse_pox(text.as_bytes(), "text/xml").unwrap());
            assert_eq!(settings.servers().map(line).collect::<Vec<_>>(), expected, "{protocols}");
        }
    }

    /// thunderbird-desktop d0c7ddb907^ (2023-09-15).
    #[test]
    fn what_115_reads_otherwise() {
        let table = ClientTable::built_in().unwrap();
        let client = table.iter().find(|client| client.name == "thunderbird-72").unwrap();
        let server = |kind: &str, inside: &str| AutoconfigServer {
            kind: kind.to_owned(),
            hostname: Some(inside.to_owned()),
            url: Some("https://url.example/".to_owned()),
            port: Some("993".to_owned()),
            socket_types: vec!["SSL".to_owned()],
            authentications: vec!["OAuth2".to_owned()],
            username: Some("u".to_owned()),
            has_username: true,
            ews_url: None,
        };
        for (kind, expected) in
            [("imap", Some("imap h.example:993 oauth2 u")), ("exchange", Some("exchange h.example:993 oauth2 u")), ("ews", None)]
        {
            assert_eq!(server_of(client, &server(kind, "h.example"), false).as_ref().map(line).as_deref(), expected, "{kind}");
        }
        for (ssl, port, security) in [
            (Some("on"), 993, Some(Security::Tls)),
            (Some("on"), 587, Some(Security::StartTls)),
            (Some("off"), 993, Some(Security::Plain)),
            (None, 993, Some(Security::Plain)),
            (Some("true"), 993, None),
        ] {
            let written = PoxProtocol { ssl: ssl.map(str::to_owned), encryption: Some("ssl".to_owned()), ..PoxProtocol::default() };
            assert_eq!(pox_security(client.dialect, &written, port), security, "{ssl:?} {port}");
        }
    }

    #[test]
    fn addresses_of_a_redirect_pass_as_in_thunderbird() {
        assert_eq!(redirect_address("Anna@Contoso.mail.onmicrosoft.com").as_deref(), Some("anna@contoso.mail.onmicrosoft.com"));
        for odd in ["o'brien@contoso.com", "anna@contoso.xn--p1ai", "anna@contoso", "anna", "@contoso.com"] {
            assert_eq!(redirect_address(odd), None, "{odd}");
        }
    }
}

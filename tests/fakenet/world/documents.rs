//! The documents that hosts of the world publish, written for it.

/// A server of a `config-v1.1.xml`: type, host, port, `socketType`, `authentication`.
pub type ServerText<'a> = (&'a str, &'a str, u16, &'a str, &'a str);

/// A `config-v1.1.xml`.
pub fn autoconfig(id: &str, incoming: &[ServerText<'_>], outgoing: &[ServerText<'_>]) -> String {
    let incoming: String = incoming.iter().map(|server| server_text("incomingServer", server)).collect();
    let outgoing: String = outgoing.iter().map(|server| server_text("outgoingServer", server)).collect();
    provider(id, &(incoming + &outgoing))
}

fn provider(id: &str, servers: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="{id}">
    <domain>{id}</domain>
    <displayName>Mail of {id}</displayName>
{servers}  </emailProvider>
</clientConfig>
"#
    )
}

fn server_text(element: &str, (kind, host, port, socket, authentication): &ServerText<'_>) -> String {
    format!(
        r#"    <{element} type="{kind}">
      <hostname>{host}</hostname>
      <port>{port}</port>
      <socketType>{socket}</socketType>
      <authentication>{authentication}</authentication>
      <username>%EMAILADDRESS%</username>
    </{element}>
"#
    )
}

fn url_server_text(kind: &str, url: &str) -> String {
    format!(
        r#"    <incomingServer type="{kind}">
      <url>{url}</url>
      <authentication>OAuth2</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
"#
    )
}

const EXO_INCOMING: [ServerText<'_>; 2] =
    [("imap", "outlook.office365.com", 993, "SSL", "OAuth2"), ("pop3", "outlook.office365.com", 995, "SSL", "OAuth2")];
const EXO_OUTGOING: [ServerText<'_>; 1] = [("smtp", "smtp.office365.com", 587, "STARTTLS", "OAuth2")];

/// What an administrator should publish.
pub fn good(id: &str) -> String {
    autoconfig(id, &EXO_INCOMING, &EXO_OUTGOING)
}

/// What was right for Hotmail in 2014, and was copied.
pub fn stale(id: &str) -> String {
    autoconfig(
        id,
        &[
            ("imap", "imap-mail.outlook.com", 993, "SSL", "password-cleartext"),
            ("pop3", "pop-mail.outlook.com", 995, "SSL", "password-cleartext"),
        ],
        &[("smtp", "smtp-mail.outlook.com", 587, "STARTTLS", "password-cleartext")],
    )
}

/// What a hoster's panel publishes for every domain on it.
pub fn hoster(id: &str) -> String {
    autoconfig(
        id,
        &[
            ("imap", "imap.hoster.example", 993, "SSL", "password-cleartext"),
            ("pop3", "pop.hoster.example", 995, "SSL", "password-cleartext"),
        ],
        &[("smtp", "smtp.hoster.example", 465, "SSL", "password-cleartext")],
    )
}

/// IMAP and SMTP at these hosts, with passwords.
pub fn imap_smtp(id: &str, imap: &str, smtp: &str) -> String {
    autoconfig(id, &[("imap", imap, 993, "SSL", "password-cleartext")], &[("smtp", smtp, 587, "STARTTLS", "password-cleartext")])
}

/// The same with OAuth alone.
pub fn imap_smtp_oauth(id: &str, imap: &str, smtp: &str) -> String {
    autoconfig(id, &[("imap", imap, 993, "SSL", "OAuth2")], &[("smtp", smtp, 587, "STARTTLS", "OAuth2")])
}

/// Exchange Online's hosts, and submission without protection.
pub fn plain_smtp(id: &str) -> String {
    autoconfig(id, &EXO_INCOMING, &[("smtp", "smtp.office365.com", 587, "plain", "password-cleartext")])
}

/// A document that ends within its first server.
pub fn cut_off(id: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"{id}\"><domain>{id}</domain><incomingServer type=\"im"
    )
}

/// Exchange Online by its web pages alone, which only Thunderbird takes for a server.
pub fn owa_only(id: &str) -> String {
    provider(id, &(url_server_text("owa", "https://outlook.office365.com/owa/") + &server_text("outgoingServer", &EXO_OUTGOING[0])))
}

/// The ISP database's entry for business mail, 2026: more server types than clients use.
pub fn business_entry() -> String {
    let mut servers: String = EXO_INCOMING.iter().map(|server| server_text("incomingServer", server)).collect();
    for (kind, url) in [
        ("ews", "https://outlook.office365.com/ews/exchange.asmx"),
        ("owa", "https://outlook.office365.com/owa/"),
        ("graph", "https://graph.microsoft.com/"),
    ] {
        servers += &url_server_text(kind, url);
    }
    servers += &server_text("incomingServer", &("exchange", "outlook.office365.com", 443, "SSL", "OAuth2"));
    servers += &server_text("outgoingServer", &EXO_OUTGOING[0]);
    provider("office365.com", &servers)
}

/// The ISP database's entry for consumer mail since 2025-07-28: only the submission host tells it from business mail.
pub fn consumer_entry() -> String {
    autoconfig("hotmail.com", &EXO_INCOMING, &[("smtp", "smtp-mail.outlook.com", 587, "STARTTLS", "OAuth2")])
}

/// A PACC document with these hosts (draft-ietf-mailmaint-pacc).
pub fn pacc(imap: &str, submit: &str) -> String {
    format!(
        r#"{{"protocols": {{"imap": {{"host": "{imap}"}}, "submit": {{"host": "{submit}"}}}},
"authentication": {{"password": true}}, "info": {{"provider": {{"name": "Contoso Mail"}}}}}}"#
    )
}

/// A JMAP session that serves mail and submission (RFC 8620 section 2).
pub fn jmap_session(host: &str) -> String {
    format!(
        r#"{{"capabilities": {{"urn:ietf:params:jmap:core": {{}}, "urn:ietf:params:jmap:mail": {{}}, "urn:ietf:params:jmap:submission": {{}}}},
"accounts": {{}}, "primaryAccounts": {{}}, "username": "", "apiUrl": "https://{host}/api/", "state": "1"}}"#
    )
}

/// Which part of an answer to Autodiscover names servers.
pub type PoxServer<'a> = (&'a str, &'a str, u16);

/// An Autodiscover answer with settings: protocol, host, port.
pub fn pox(protocols: &[PoxServer<'_>]) -> String {
    let protocols: String = protocols.iter().map(pox_protocol).collect();
    pox_account(&format!("<Action>settings</Action>{protocols}"))
}

fn pox_protocol((kind, host, port): &PoxServer<'_>) -> String {
    format!(
        "<Protocol><Type>{kind}</Type><Server>{host}</Server><Port>{port}</Port><LoginName>{{address}}</LoginName>\
         <SPA>off</SPA><SSL>on</SSL><AuthRequired>on</AuthRequired></Protocol>"
    )
}

/// What Exchange Online says to whoever signed in.
pub fn pox_exchange_online() -> String {
    pox_account(
        "<Action>settings</Action><MicrosoftOnline>True</MicrosoftOnline><Protocol><Type>EXHTTP</Type>\
         <Server>outlook.office365.com</Server><SSL>On</SSL><AuthPackage>Nego2</AuthPackage>\
         <EwsUrl>https://outlook.office365.com/EWS/Exchange.asmx</EwsUrl>\
         <ASUrl>https://outlook.office365.com/EWS/Exchange.asmx</ASUrl></Protocol>",
    )
}

/// An Autodiscover answer that is an error (MS-OXDSCLI section 2.2.4.1.1.2); 500: there is no such address.
pub fn pox_error(code: u16) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response>
  <Error Time="12:00:00.0000000" Id="1"><ErrorCode>{code}</ErrorCode><Message>The address is not known.</Message><DebugData /></Error>
</Response></Autodiscover>
"#
    )
}

/// An Autodiscover answer that leads to another URL.
pub fn pox_redirect_url(url: &str) -> String {
    pox_account(&format!("<Action>redirectUrl</Action><RedirectUrl>{url}</RedirectUrl>"))
}

/// An Autodiscover answer that leads to another address.
pub fn pox_redirect_address(address: &str) -> String {
    pox_account(&format!("<Action>redirectAddr</Action><RedirectAddr>{address}</RedirectAddr>"))
}

/// What an Autodiscover endpoint says to a phone (MS-ASCMD section 2.2.1.1).
pub fn mobilesync(url: &str) -> String {
    mobilesync_action(&format!("<Settings><Server><Type>MobileSync</Type><Url>{url}</Url><Name>{url}</Name></Server></Settings>"))
}

/// The same, where another address is to be asked about.
pub fn mobilesync_redirect(address: &str) -> String {
    mobilesync_action(&format!("<Redirect>{address}</Redirect>"))
}

fn mobilesync_action(inside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006">
    <Culture>en:us</Culture><User><DisplayName>A user</DisplayName></User><Action>{inside}</Action>
  </Response>
</Autodiscover>
"#
    )
}

fn pox_account(inside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
    <User><DisplayName>A user</DisplayName></User>
    <Account><AccountType>email</AccountType>{inside}</Account>
  </Response>
</Autodiscover>
"#
    )
}

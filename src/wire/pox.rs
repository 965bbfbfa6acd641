//! Autodiscover answers, plain old XML: the Outlook schema (MS-OXDSCLI section 2.2.4) and what names servers in the mobilesync
//! one (MS-ASCMD). By local names: Microsoft's own pages write the namespaces in two ways, and errors come in the outer one.

use super::{Fault, element::Element, fault::clip, xml::read_tree};
use crate::model::{OwaUrl, Pox, PoxError, PoxProtocol};

/// Reads an Autodiscover answer; one that breaks midway is read up to there and is not strict.
///
/// # Errors
/// The [`Fault`] that leaves nothing to read. An answer that is an error or a redirect is a document.
pub fn parse_pox(body: &[u8], content_type: &str) -> Result<Pox, Fault> {
    read_pox(body, content_type).map(|(document, _)| document)
}

/// Reads an answer, and tells why it cannot be used where it cannot.
pub(super) fn read_pox(body: &[u8], content_type: &str) -> Result<(Pox, Option<Fault>), Fault> {
    let tree = read_tree(body, content_type, "Autodiscover")?;
    let mut pox = Pox { strict: tree.well_formed, error: tree.root.child("Error").map(error), ..Pox::default() };
    let mut has_account = pox.error.is_some();
    let mut has_response = has_account;
    for response in tree.root.children("Response") {
        has_response = true;
        has_account |= read_response(response, &mut pox);
    }
    if !has_account {
        let missing = if has_response { Fault::NoAccount } else { Fault::NoResponse };
        return Err(tree.broken.unwrap_or(missing));
    }
    let flaw = tree.broken.or_else(|| flaw(&pox));
    Ok((pox, flaw))
}

/// Whether there was anything in it.
fn read_response(response: &Element, pox: &mut Pox) -> bool {
    let mut found = false;
    if let Some(element) = response.child("Error") {
        keep(&mut pox.error, || Some(error(element)));
        found = true;
    }
    if let Some(user) = response.child("User") {
        keep(&mut pox.smtp_address, || user.text_of("AutoDiscoverSMTPAddress"));
    }
    for account in response.children("Account") {
        read_account(account, pox);
        found = true;
    }
    for action in response.children("Action") {
        read_mobilesync(action, pox);
        found = true;
    }
    found
}

fn read_account(account: &Element, pox: &mut Pox) {
    if let Some(element) = account.child("Error") {
        keep(&mut pox.error, || Some(error(element)));
    }
    keep(&mut pox.action, || account.text_of("Action").map(|action| action.to_ascii_lowercase()));
    keep(&mut pox.redirect_url, || account.text_of("RedirectUrl"));
    keep(&mut pox.redirect_address, || account.text_of("RedirectAddr"));
    keep(&mut pox.microsoft_online, || match account.text_of("MicrosoftOnline")?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    });
    pox.protocols.extend(account.children("Protocol").map(protocol));
}

/// `Response/Action` of the mobilesync schema, which holds elements where the Outlook schema has a word.
fn read_mobilesync(action: &Element, pox: &mut Pox) {
    if let Some(element) = action.child("Error") {
        keep(&mut pox.error, || Some(error(element)));
    }
    if let Some(address) = action.text_of("Redirect") {
        keep(&mut pox.action, || Some(REDIRECT_ADDRESS.to_owned()));
        keep(&mut pox.redirect_address, || Some(address));
    }
    for settings in action.children("Settings") {
        keep(&mut pox.action, || Some("settings".to_owned()));
        pox.protocols.extend(settings.children("Server").map(|server| PoxProtocol {
            kind: server.text_of("Type").map_or_else(|| "MOBILESYNC".to_owned(), |kind| kind.to_ascii_uppercase()),
            url: server.text_of("Url").or_else(|| server.text_of("Name")),
            ..PoxProtocol::default()
        }));
    }
}

fn protocol(element: &Element) -> PoxProtocol {
    let lower = |name| element.text_of(name).map(|text| text.to_ascii_lowercase());
    let child = element.text_of("Type");
    let kind = child.clone().or_else(|| element.attribute("Type").map(ToOwned::to_owned)).unwrap_or_default().to_ascii_uppercase();
    PoxProtocol {
        strict_kind: child.is_some_and(|written| written == kind),
        kind,
        server: element.text_of("Server"),
        port: element.text_of("Port"),
        login_name: element.text_of("LoginName"),
        ssl: lower("SSL"),
        encryption: lower("Encryption"),
        spa: lower("SPA"),
        auth_package: lower("AuthPackage"),
        ews_url: element.text_of("EwsUrl"),
        as_url: element.text_of("ASUrl"),
        owa_url: element.child("External").or_else(|| element.child("Internal")).and_then(owa_url),
        url: element.child("MailStore").and_then(|store| store.text_of("ExternalUrl")),
    }
}

fn owa_url(addresses: &Element) -> Option<OwaUrl> {
    let element = addresses.child("OWAUrl")?;
    let url = element.text.trim();
    (!url.is_empty()).then(|| OwaUrl { url: url.to_owned(), attributed: !element.attributes.is_empty() })
}

/// `ErrorCode`, or the `Status` of a mobilesync action.
fn error(element: &Element) -> PoxError {
    PoxError {
        code: element.text_of("ErrorCode").or_else(|| element.text_of("Status")).unwrap_or_default(),
        message: clip(&element.text_of("Message").unwrap_or_default(), MAX_MESSAGE_CHARACTERS),
    }
}

/// Why the answer is of no use.
fn flaw(pox: &Pox) -> Option<Fault> {
    let is_usable = |protocol: &PoxProtocol| {
        let urls = [&protocol.server, &protocol.ews_url, &protocol.as_url, &protocol.url];
        urls.into_iter().any(Option::is_some) || protocol.owa_url.is_some()
    };
    match pox.action.as_deref() {
        _ if pox.error.is_some() => None,
        Some(REDIRECT_URL) => pox.redirect_url.is_none().then_some(Fault::NoTarget),
        Some(REDIRECT_ADDRESS) => pox.redirect_address.is_none().then_some(Fault::NoTarget),
        _ if pox.redirect_url.is_some() || pox.redirect_address.is_some() => None,
        _ => (!pox.protocols.iter().any(is_usable)).then_some(Fault::NoServer),
    }
}

/// The first of several accounts that says something counts.
fn keep<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}

const REDIRECT_URL: &str = "redirecturl";
const REDIRECT_ADDRESS: &str = "redirectaddr";
const MAX_MESSAGE_CHARACTERS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            ($name, include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice())
        };
    }

    const XML: &str = "text/xml; charset=utf-8";

    fn read_fixture((name, body): (&str, &[u8])) -> Pox {
        match read_pox(body, XML) {
            Ok((pox, None)) => pox,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_hosters_answer_names_its_servers() {
        let protocol = |kind: &str, server: &str, port: &str, ssl: &str| PoxProtocol {
            kind: kind.into(),
            strict_kind: true,
            server: Some(server.into()),
            port: Some(port.into()),
            ssl: Some(ssl.into()),
            ..PoxProtocol::default()
        };
        let expected = Pox {
            strict: true,
            action: Some("settings".into()),
            protocols: vec![
                PoxProtocol {
                    login_name: Some("anna@contoso.com".into()),
                    spa: Some("off".into()),
                    ..protocol("IMAP", "imap.contoso.com", "993", "on")
                },
                protocol("POP3", "pop.contoso.com", "995", "on"),
                PoxProtocol { encryption: Some("tls".into()), ..protocol("SMTP", "smtp.contoso.com", "587", "off") },
            ],
            ..Pox::default()
        };
        assert_eq!(read_fixture(fixture!("pox-ssl-off-encryption-tls.xml")), expected);
        assert_eq!(read_fixture(fixture!("pox-leading-newline.xml")), Pox { strict: false, ..expected });
    }

    #[test]
    fn an_exchange_answer_gives_its_outer_protocols_alone() {
        let pox = read_fixture(fixture!("pox-exchange.xml"));
        assert_eq!((pox.microsoft_online, pox.smtp_address.as_deref(), pox.strict), (Some(true), Some("anna@contoso.com"), true));
        let kinds: Vec<&str> = pox.protocols.iter().map(|protocol| protocol.kind.as_str()).collect();
        assert_eq!(kinds, ["EXCH", "EXPR", "WEB"]);
        assert_eq!(pox.protocols[0].ews_url.as_deref(), Some("https://outlook.office365.com/EWS/Exchange.asmx"));
        assert_eq!(pox.protocols[1].auth_package.as_deref(), Some("basic"));
        assert_eq!(pox.protocols[0].as_url.as_deref(), Some("https://old.contoso.com/EWS/Exchange.asmx"));
        let owa_url = Some(OwaUrl { url: "https://outlook.office365.com/owa/".into(), attributed: true });
        assert_eq!(pox.protocols[2], PoxProtocol { kind: "WEB".into(), strict_kind: true, owa_url, ..PoxProtocol::default() });
    }

    #[test]
    fn other_shapes_of_an_answer_are_read() {
        let pox = read_fixture(fixture!("pox-mapihttp.xml"));
        let url = "https://outlook.office365.com/mapi/emsmdb/?MailboxId=1&x=2";
        assert_eq!(pox.protocols, [PoxProtocol { kind: "MAPIHTTP".into(), url: Some(url.into()), ..PoxProtocol::default() }]);
        let pox = read_fixture(fixture!("pox-mobilesync.xml"));
        let servers: Vec<_> = pox.protocols.iter().map(|protocol| (protocol.kind.as_str(), protocol.url.as_deref())).collect();
        let expected = [
            ("MOBILESYNC", Some("https://eas.contoso.com/Microsoft-Server-ActiveSync")),
            ("CERTENROLL", Some("https://cert.contoso.com/")),
        ];
        assert_eq!((pox.action.as_deref(), servers.as_slice()), (Some("settings"), &expected[..]));
        let pox = read_fixture(fixture!("pox-prefixed.xml"));
        assert_eq!((pox.strict, pox.protocols[0].server.as_deref()), (true, Some("imap.contoso.com")));
        let pox = read_fixture(fixture!("pox-several-accounts.xml"));
        let servers: Vec<_> = pox.protocols.iter().filter_map(|protocol| protocol.server.as_deref()).collect();
        assert_eq!((pox.microsoft_online, servers.as_slice()), (Some(false), &["imap.contoso.com", "smtp.contoso.com"][..]));
    }

    #[test]
    fn a_type_and_the_address_of_owa_are_kept_as_strict_clients_see_them() {
        let protocol = |inside: &str| {
            let body = format!("<Autodiscover><Response><Account><Protocol{inside}</Protocol></Account></Response></Autodiscover>");
            parse_pox(body.as_bytes(), XML).unwrap().protocols.remove(0)
        };
        for (inside, kind, strict) in [
            ("><Type>IMAP</Type>", "IMAP", true),
            ("><Type>imap</Type>", "IMAP", false),
            (" Type='IMAP'>", "IMAP", false),
            (" Type='EXPR'><Type>IMAP</Type>", "IMAP", true),
            (">", "", false),
        ] {
            let protocol = protocol(inside);
            assert_eq!((protocol.kind.as_str(), protocol.strict_kind), (kind, strict), "{inside}");
        }
        let owa =
            |host: &str| format!("<OWAUrl AuthenticationMethod='Fba'>https://{host}/owa</OWAUrl><OWAUrl>https://second.example/</OWAUrl>");
        for (inside, expected) in [
            (format!("><Internal>{}</Internal>", owa("in.example")), Some(("https://in.example/owa", true))),
            (
                format!("><Internal>{}</Internal><External>{}</External>", owa("in.example"), owa("ex.example")),
                Some(("https://ex.example/owa", true)),
            ),
            (format!("><Internal>{}</Internal><External/>", owa("in.example")), None),
            ("><External><OWAUrl>https://ex.example/</OWAUrl></External>".to_owned(), Some(("https://ex.example/", false))),
            ("><External><OWAUrl AuthenticationMethod='Fba'> </OWAUrl></External>".to_owned(), None),
            (format!(">{}", owa("ex.example")), None),
        ] {
            let expected = expected.map(|(url, attributed)| OwaUrl { url: url.to_owned(), attributed });
            assert_eq!(protocol(&inside).owa_url, expected, "{inside}");
        }
    }

    #[test]
    fn redirects_and_errors_are_documents() {
        let url = "https://autodiscover.fabrikam.com/autodiscover/autodiscover.xml";
        for (fixture, action, url, address) in [
            (fixture!("pox-redirect-url.xml"), "redirecturl", Some(url), None),
            (fixture!("pox-redirect-addr.xml"), "redirectaddr", None, Some("anna@contoso.mail.onmicrosoft.com")),
            (fixture!("pox-mobilesync-redirect.xml"), "redirectaddr", None, Some("anna@fabrikam.com")),
        ] {
            let pox = read_fixture(fixture);
            let read = (pox.action.as_deref(), pox.redirect_url.as_deref(), pox.redirect_address.as_deref());
            assert_eq!(read, (Some(action), url, address), "{}", fixture.0);
        }
        for (fixture, code, message) in [
            (fixture!("pox-error-outer-namespace.xml"), "500", "The email address can't be found."),
            (fixture!("pox-error-invalid-request.xml"), "600", "Invalid Request"),
            (fixture!("pox-error-in-account.xml"), "501", ""),
            (fixture!("pox-mobilesync-error.xml"), "2", "Protocol error"),
        ] {
            let error = PoxError { code: code.into(), message: message.into() };
            assert_eq!(read_fixture(fixture), Pox { strict: true, error: Some(error), ..Pox::default() }, "{}", fixture.0);
        }
    }

    #[test]
    fn what_is_of_no_use_says_why() {
        for ((name, body), fault) in [
            (fixture!("pox-redirect-without-target.xml"), Fault::NoTarget),
            (fixture!("pox-no-protocol.xml"), Fault::NoServer),
            (fixture!("pox-truncated.xml"), Fault::CutOff { element: "Server".into() }),
        ] {
            assert_eq!(read_pox(body, XML).unwrap().1, Some(fault), "{name}");
        }
        for ((name, body), fault) in [
            (fixture!("pox-request.xml"), Fault::NoResponse),
            (fixture!("pox-no-account.xml"), Fault::NoAccount),
            (fixture!("config-good.xml"), Fault::WrongRoot { name: "clientConfig".into() }),
            (fixture!("page.html"), Fault::Html),
            (fixture!("empty.xml"), Fault::Empty),
        ] {
            assert_eq!(parse_pox(body, XML), Err(fault), "{name}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let body = format!(
            "<Autodiscover><Response><Error><ErrorCode>500</ErrorCode><Message>{}</Message></Error></Response></Autodiscover>",
            "ü".repeat(501)
        );
        assert_eq!(parse_pox(body.as_bytes(), XML).unwrap().error.unwrap().message, "ü".repeat(MAX_MESSAGE_CHARACTERS));
    }
}

//! Autodiscover in the mobilesync schema (MS-ASCMD section 2.2.1.1), which phones ask for, and the 451 by which an `ActiveSync`
//! server sends them elsewhere (MS-ASHTTP section 3.1.5.2.2). By local names.

use super::{Fault, HttpAnswer, element::Element, fault::clip, http_answer::https_host, request::request_body, xml::read_tree};
use crate::model::{Address, MobileSync, MobileSyncAction, MobileSyncError, MobileSyncServer};

/// The body of an Autodiscover request for the mobilesync schema; to be sent as `text/xml; charset=utf-8`.
#[must_use]
pub fn mobilesync_request(address: &Address) -> String {
    request_body(address, (REQUEST_SCHEMA, RESPONSE_SCHEMA))
}

/// Reads an answer.
///
/// # Errors
/// The [`Fault`] that leaves no answer, and so for one that breaks midway: a URL may be cut short. An error or a redirect of the
/// service is an answer.
pub fn parse_mobilesync(body: &[u8], content_type: &str) -> Result<MobileSync, Fault> {
    let tree = read_tree(body, content_type, "Autodiscover")?;
    if let Some(fault) = tree.broken {
        return Err(fault);
    }
    let response = tree.root.child("Response");
    let action = response.and_then(|response| response.child("Action"));
    // An error of the framework stands in the Response, or where there is none, in the root.
    let error = [action, response, Some(&tree.root)].into_iter().flatten().find_map(|element| element.child("Error"));
    let action = match (error, action) {
        (Some(error), _) => MobileSyncAction::Error(read_error(error)),
        (None, Some(action)) => read_action(action)?,
        (None, None) => return Err(if response.is_some() { Fault::NoAction } else { Fault::NoResponse }),
    };
    let address = response.and_then(|response| response.child("User")).and_then(|user| user.text_of("EMailAddress"));
    Ok(MobileSync { strict: tree.well_formed, address, action })
}

fn read_action(action: &Element) -> Result<MobileSyncAction, Fault> {
    if let Some(redirect) = action.child("Redirect") {
        let target = redirect.text.trim();
        return if target.is_empty() { Err(Fault::NoTarget) } else { Ok(MobileSyncAction::Redirect(target.to_owned())) };
    }
    if action.child("Settings").is_none() {
        return Err(Fault::NoAction);
    }
    let servers: Vec<MobileSyncServer> =
        action.children("Settings").flat_map(|settings| settings.children("Server")).map(read_server).collect();
    let is_usable = |server: &MobileSyncServer| server.url.is_some() || server.name.is_some();
    if servers.iter().any(is_usable) { Ok(MobileSyncAction::Settings(servers)) } else { Err(Fault::NoServer) }
}

fn read_server(server: &Element) -> MobileSyncServer {
    MobileSyncServer {
        kind: server.text_of("Type").map_or_else(|| "MOBILESYNC".to_owned(), |kind| kind.to_ascii_uppercase()),
        url: server.text_of("Url"),
        name: server.text_of("Name"),
        data: server.text_of("ServerData"),
    }
}

fn read_error(error: &Element) -> MobileSyncError {
    let clipped = |name| error.text_of(name).map(|text| clip(&text, 500));
    MobileSyncError {
        code: error.text_of("ErrorCode"),
        status: error.text_of("Status"),
        message: clipped("Message").unwrap_or_default(),
        debug: clipped("DebugData"),
    }
}

/// Where a moved mailbox's `ActiveSync` is: the URL in `X-MS-Location` of a 451. `None` for every other status.
///
/// # Errors
/// A 451 without an `https` URL.
pub fn moved_activesync(answer: &HttpAnswer<'_>) -> Result<Option<String>, Fault> {
    if answer.status != 451 {
        return Ok(None);
    }
    let url = answer.header("X-MS-Location").ok_or(Fault::NoTarget)?;
    https_host(url, "X-MS-Location").map(|_| Some(url.to_owned()))
}

// Microsoft's pages write these with `https`; servers compare them with `http`.
const REQUEST_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006";
const RESPONSE_SCHEMA: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn parse(body: &[u8]) -> Result<MobileSync, Fault> {
        parse_mobilesync(body, "text/xml; charset=utf-8")
    }

    #[test]
    fn the_first_activesync_server_is_the_endpoint() {
        for (body, endpoint, strict) in [
            (fixture!("pox-mobilesync.xml"), "https://eas.contoso.com/Microsoft-Server-ActiveSync", true),
            (fixture!("pox-mobilesync-name-only.xml"), "https://eas.contoso.com/", true),
            (fixture!("pox-mobilesync-certificate-first.xml"), "https://outlook.office365.com/Microsoft-Server-ActiveSync", true),
            (fixture!("pox-mobilesync-prefixed.xml"), "https://m.hotmail.com/Microsoft-Server-ActiveSync", true),
            (fixture!("pox-mobilesync-leading-newline.xml"), "https://eas.contoso.com/Microsoft-Server-ActiveSync", false),
        ] {
            let read = parse(body).unwrap();
            assert_eq!((read.endpoint(), read.strict), (Some(endpoint), strict));
            assert_eq!(read.address.as_deref(), Some("anna@contoso.com"));
        }
    }

    #[test]
    fn redirects_and_errors_are_answers() {
        let read = parse(fixture!("pox-mobilesync-redirect.xml")).unwrap();
        assert_eq!((read.endpoint(), &read.action), (None, &MobileSyncAction::Redirect("anna@fabrikam.com".into())));
        let error = |code: Option<&str>, status: Option<&str>, message: &str, debug: Option<&str>| {
            MobileSyncAction::Error(MobileSyncError {
                code: code.map(Into::into),
                status: status.map(Into::into),
                message: message.into(),
                debug: debug.map(Into::into),
            })
        };
        for (body, expected) in [
            (fixture!("pox-mobilesync-error.xml"), error(None, Some("2"), "Protocol error", None)),
            (
                fixture!("pox-mobilesync-directory-error.xml"),
                error(None, Some("1"), "The directory service could not be reached", Some("MailUser")),
            ),
            (fixture!("pox-error-invalid-request.xml"), error(Some("600"), None, "Invalid Request", None)),
            (fixture!("pox-error-internal.xml"), error(Some("603"), None, "Internal\n      error", None)),
            (fixture!("pox-mobilesync-provider-not-found.xml"), error(Some("601"), None, "Provider is not available", None)),
        ] {
            assert_eq!(parse(body).unwrap().action, expected);
        }
    }

    #[test]
    fn what_is_no_answer_is_refused_by_name() {
        for (body, fault) in [
            (fixture!("pox-exchange.xml"), Fault::NoAction),
            (fixture!("pox-mobilesync-no-place.xml"), Fault::NoServer),
            (fixture!("pox-mobilesync-empty-redirect.xml"), Fault::NoTarget),
            (fixture!("pox-mobilesync-empty-action.xml"), Fault::NoAction),
            (fixture!("pox-request.xml"), Fault::NoResponse),
            (fixture!("page.html"), Fault::Html),
            (fixture!("answer.json"), Fault::Json),
            (fixture!("soap-fault.xml"), Fault::WrongRoot { name: "Envelope".into() }),
            (fixture!("pox-mobilesync-truncated.xml"), Fault::CutOff { element: "Url".into() }),
        ] {
            assert_eq!(parse(body), Err(fault.clone()), "{fault}");
        }
    }

    #[test]
    fn a_451_says_where_the_mailbox_went() {
        let moved = |status, location: Option<&str>| {
            let headers: Vec<_> = location.map(|url| ("x-ms-location".to_owned(), url.to_owned())).into_iter().collect();
            moved_activesync(&HttpAnswer { status, headers: &headers, body: b"" })
        };
        let url = "https://eas.fabrikam.com/Microsoft-Server-ActiveSync";
        assert_eq!(moved(451, Some(url)), Ok(Some(url.to_owned())));
        assert_eq!(moved(200, Some(url)), Ok(None));
        assert_eq!(moved(451, None), Err(Fault::NoTarget));
        assert_eq!(moved(451, Some("http://eas.fabrikam.com/")), Err(Fault::NotHttps { name: "X-MS-Location" }));
    }

    #[test]
    fn the_request_is_the_documented_one_and_escapes_the_address() {
        let address = Address::parse("anna@contoso.com").unwrap();
        assert_eq!(mobilesync_request(&address).as_bytes(), fixture!("mobilesync-request.xml"));
        let address = Address::parse("\"</EMailAddress>&\"@contoso.com").unwrap();
        assert_eq!(mobilesync_request(&address).matches("</EMailAddress>").count(), 1);
    }
}

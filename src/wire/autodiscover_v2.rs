//! Autodiscover v2, JSON without sign-in (`microsoft.md` section 3; no published standard). The status is part of the format:
//! 302 names another host, 400 and 404 come with an `ErrorCode`, and so does 200 from some servers.

use super::{
    Fault, HttpAnswer,
    fault::clip,
    http_answer::https_host,
    json::{Object, read_json},
};
use crate::model::{AutodiscoverV2, V2Code, V2Endpoint, V2Refusal, exchange_cloud};

/// Reads an answer. A relative `Location` is to be made absolute before.
///
/// # Errors
/// The [`Fault`] that leaves no answer. An error of the service is an answer.
pub fn parse_autodiscover_v2(answer: &HttpAnswer<'_>) -> Result<AutodiscoverV2, Fault> {
    if matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        let url = answer.header("Location").ok_or(Fault::NoTarget)?;
        return Ok(AutodiscoverV2::Redirect { host: https_host(url, "Location")?, url: url.to_owned() });
    }
    let is_success = (200..300).contains(&answer.status);
    let root = match read_json(answer.body, answer.content_type()) {
        Err(_) if !is_success => return Err(Fault::Status { status: answer.status }),
        read => read?,
    };
    let root = Object(&root);
    if let Some(code) = root.text("ErrorCode") {
        let message = clip(&root.text("ErrorMessage").unwrap_or_default(), 500);
        return Ok(AutodiscoverV2::Refused(V2Refusal { status: answer.status, code: code_of(&code), message }));
    }
    if !is_success {
        return Err(Fault::Status { status: answer.status });
    }
    let url = root.text("Url").ok_or(Fault::NoMember { name: "Url" })?;
    let host = https_host(&url, "Url")?;
    let (protocol, server_location) = (root.text("Protocol"), root.text("ServerLocation"));
    Ok(AutodiscoverV2::Endpoint(V2Endpoint { protocol, cloud: exchange_cloud(&host), host, url, server_location }))
}

fn code_of(text: &str) -> V2Code {
    match text {
        "ProtocolNotSupported" => V2Code::ProtocolNotSupported,
        "InvalidProtocol" => V2Code::InvalidProtocol,
        "MissingProtocol" => V2Code::MissingProtocol,
        "MandatoryParameterMissing" => V2Code::MandatoryParameterMissing,
        "UserNotFound" => V2Code::UserNotFound,
        other => V2Code::Other(clip(other, 100)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnswerOutcome, Cloud};

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn parse(status: u16, body: &[u8]) -> Result<AutodiscoverV2, Fault> {
        let headers = [("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
        parse_autodiscover_v2(&HttpAnswer { status, headers: &headers, body })
    }

    #[test]
    fn an_endpoint_names_its_cloud() {
        for (body, host, cloud) in [
            (fixture!("v2-endpoint.json"), "outlook.office365.com", Some(Cloud::Worldwide)),
            (fixture!("v2-us-government.json"), "outlook.office365.us", Some(Cloud::UsGovernment)),
            (fixture!("v2-own-server.json"), "mail.contoso.com", None),
            (fixture!("v2-other-letter-case.json"), "eas.outlook.com", None),
        ] {
            let Ok(AutodiscoverV2::Endpoint(endpoint)) = parse(200, body) else { panic!("{host}") };
            assert_eq!((endpoint.host.as_str(), endpoint.cloud), (host, cloud));
        }
        let expected = V2Endpoint {
            protocol: Some("AutodiscoverV1".into()),
            url: "https://outlook.office365.com/autodiscover/autodiscover.xml".into(),
            host: "outlook.office365.com".into(),
            server_location: Some("eur".into()),
            cloud: Some(Cloud::Worldwide),
        };
        assert_eq!(parse(200, fixture!("v2-server-location.json")), Ok(AutodiscoverV2::Endpoint(expected)));
    }

    #[test]
    fn an_error_is_an_answer_whatever_the_status() {
        for (status, body, code, outcome) in [
            (400, fixture!("v2-protocol-not-supported.json"), V2Code::ProtocolNotSupported, AnswerOutcome::Invalid),
            (404, fixture!("v2-user-not-found.json"), V2Code::UserNotFound, AnswerOutcome::Absent),
            (200, fixture!("v2-user-not-found.json"), V2Code::UserNotFound, AnswerOutcome::Absent),
            (500, fixture!("v2-unknown-error.json"), V2Code::Other("InternalServerError".into()), AnswerOutcome::Failed),
        ] {
            let Ok(AutodiscoverV2::Refused(refusal)) = parse(status, body) else { panic!("{status} {code:?}") };
            assert_eq!((refusal.status, &refusal.code, refusal.outcome()), (status, &code, outcome));
        }
    }

    #[test]
    fn a_redirect_needs_an_https_target() {
        let redirect = |status, location: &str| {
            let headers = [("location".to_owned(), location.to_owned())];
            parse_autodiscover_v2(&HttpAnswer { status, headers: &headers, body: b"" })
        };
        let url =
            "https://autodiscover.contoso.com/autodiscover/autodiscover.json?Email=anna%40contoso.com&Protocol=activesync&RedirectCount=3";
        let expected = AutodiscoverV2::Redirect { url: url.into(), host: "autodiscover.contoso.com".into() };
        assert_eq!(redirect(302, url), Ok(expected.clone()));
        assert_eq!(redirect(307, url), Ok(expected));
        assert_eq!(redirect(302, "http://autodiscover.contoso.com/"), Err(Fault::NotHttps { name: "Location" }));
        assert_eq!(redirect(302, ""), Err(Fault::NoTarget));
    }

    #[test]
    fn what_is_no_answer_is_refused_by_name() {
        for (status, body, fault) in [
            (200, fixture!("page.html"), Fault::Html),
            (200, fixture!("pox-exchange.xml"), Fault::Xml),
            (200, fixture!("text.txt"), Fault::NotJson),
            (200, b"", Fault::Empty),
            (200, fixture!("v2-no-url.json"), Fault::NoMember { name: "Url" }),
            (200, fixture!("v2-plain-http.json"), Fault::NotHttps { name: "Url" }),
            (200, fixture!("v2-truncated.json"), Fault::JsonCutOff),
            (200, b"[]", Fault::NoObject),
            (404, fixture!("page.html"), Fault::Status { status: 404 }),
            (503, b"", Fault::Status { status: 503 }),
            (401, fixture!("v2-endpoint.json"), Fault::Status { status: 401 }),
        ] {
            assert_eq!(parse(status, body), Err(fault.clone()), "{fault}");
        }
    }
}

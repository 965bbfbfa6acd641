//! What the status line and the headers of an answer mean (RFC 9110 section 15). Pure.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
};
use url::Url;

use super::redirect::target;
use crate::model::{HttpDocument, Obstacle, Reply};

/// The reply of an answer that is no redirect; `body` belongs to a 2xx.
pub(super) fn reply_of(status: StatusCode, headers: &HeaderMap, body: Vec<u8>) -> Reply {
    if !status.is_success() {
        return Reply::Obstacle(obstacle_of(status, headers));
    }
    let (status, content_type) = (status.as_u16(), text(headers, &CONTENT_TYPE));
    if body.is_empty() || status == StatusCode::NO_CONTENT {
        return Reply::Obstacle(Obstacle::Empty { status, content_type });
    }
    Reply::Document(HttpDocument { status, content_type, body: body.into(), headers: Vec::new() })
}

/// The reply of a request whose answer counts whatever its status is; `takes_500`: a 500 with a body is one, too (a SOAP fault, SOAP 1.1
/// section 6.2).
pub(super) fn reply_of_any(
    (status, headers): (StatusCode, &HeaderMap),
    body: Result<Vec<u8>, Obstacle>,
    (url, now, takes_500): (&Url, Timestamp, bool),
) -> Reply {
    let number = status.as_u16();
    let is_answer = match number {
        401 => schemes(headers).is_empty(),
        500 => takes_500 && body.as_ref().is_ok_and(|body| !body.is_empty()),
        407 | 429 | 501..=599 => false,
        _ => true,
    };
    if !is_answer {
        return Reply::Obstacle(obstacle_of(status, headers));
    }
    let body = match body {
        Ok(body) => body,
        // its headers say it all
        Err(_) if status.is_redirection() || matches!(number, 401 | 451) => Vec::new(),
        Err(obstacle) => return Reply::Obstacle(obstacle),
    };
    let content_type = text(headers, &CONTENT_TYPE);
    Reply::Document(HttpDocument { status: number, content_type, headers: kept(headers, url, now), body: body.into() })
}

/// The headers that are part of a format, in the order of the list. What is new in each answer (ids, dates) is not among them: equal
/// answers stay equal.
fn kept(headers: &HeaderMap, url: &Url, now: Timestamp) -> Vec<(String, String)> {
    let value = |name: &str, value: String| match name {
        "location" => target(url, &value).map_or(value, String::from),
        "retry-after" => retry_after(headers, now).map_or(value, |pause| pause.as_secs().to_string()),
        _ => value,
    };
    let pick = |(name, cap)| values(headers, name).into_iter().map(move |text| (name, cap, text));
    let found = KEPT_HEADERS.into_iter().flat_map(pick);
    found.map(|(name, cap, text)| (name.to_owned(), cut(value(name, text), cap))).collect()
}

/// What an Autodiscover endpoint that asks for credentials says that it can do (`microsoft.md` section 2.1).
fn capabilities(headers: &HeaderMap) -> Vec<(String, String)> {
    let pick = |name: &'static str| values(headers, name).into_iter().map(move |text| (name.to_owned(), cut(text, HEADER_CAP)));
    CAPABILITY_HEADERS.into_iter().flat_map(pick).collect()
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

fn cut(mut text: String, cap: usize) -> String {
    text.truncate(text.floor_char_boundary(cap));
    text
}

pub(super) fn obstacle_of(status: StatusCode, headers: &HeaderMap) -> Obstacle {
    let number = status.as_u16();
    match number {
        401 => match schemes(headers) {
            schemes if schemes.is_empty() => Obstacle::Rejected { status: number },
            schemes => Obstacle::CredentialsRequired { schemes, headers: capabilities(headers) },
        },
        404 | 410 => Obstacle::NotThere { status: number },
        // Only a proxy of our own says so: the host itself was never asked (RFC 9110 section 15.5.8).
        407 => Obstacle::Unreachable,
        429 => Obstacle::TooManyRequests,
        500..=599 => Obstacle::ServerError { status: number },
        _ => Obstacle::Rejected { status: number },
    }
}

/// The pause that a 429 or 503 asks for.
pub(super) fn pause_of(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    retry_after(headers, now)
}

/// The pause that a `Retry-After` names (RFC 9110 section 10.2.3), whatever the status: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).ok()?;
    Duration::try_from(date.duration_since(now)).ok()
}

/// A header as text; empty where there is none.
pub(super) fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

/// The schemes of all challenges (RFC 9110 section 11.6.1), lower case, in order, each once.
fn schemes(headers: &HeaderMap) -> String {
    let mut schemes: Vec<String> = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        for scheme in split_outside_quotes(&value).into_iter().filter_map(scheme_of) {
            if !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
    }
    schemes.join(",")
}

fn split_outside_quotes(value: &str) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let split = value.split(move |character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return character == ',' && !is_quoted,
        }
        false
    });
    split.collect()
}

/// The scheme that a part of the list begins with, unless the part is a further parameter (`name=value`) of the last one.
fn scheme_of(part: &str) -> Option<String> {
    let part = part.trim();
    let word = part.split_ascii_whitespace().next()?;
    let is_parameter = word.contains('=') || part.get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with('='));
    let is_token = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    (!is_parameter && is_token).then(|| word.to_ascii_lowercase())
}

const CAPABILITY_HEADERS: [&str; 6] = [
    "x-soap-enabled",
    "x-wssecurity-enabled",
    "x-wssecurity-symmetrickey-enabled",
    "x-wssecurity-x509cert-enabled",
    "x-oauth-enabled",
    "x-federationtrusttokenissueruri",
];

/// Headers that are part of a format, each with the bytes that are kept of it.
const KEPT_HEADERS: [(&str, usize); 14] = [
    ("content-type", HEADER_CAP),
    ("location", HEADER_CAP),
    ("retry-after", HEADER_CAP),
    ("www-authenticate", HEADER_CAP),
    ("x-ms-location", HEADER_CAP),
    ("x-soap-enabled", HEADER_CAP),
    ("x-wssecurity-enabled", HEADER_CAP),
    ("x-wssecurity-symmetrickey-enabled", HEADER_CAP),
    ("x-wssecurity-x509cert-enabled", HEADER_CAP),
    ("x-oauth-enabled", HEADER_CAP),
    ("x-federationtrusttokenissueruri", HEADER_CAP),
    ("x-provider-id", HEADER_CAP),
    ("x-autodv2-error", HEADER_CAP),
    // a whole row of a database, in base64
    ("x-debug-support", 8 * 1024),
];
const HEADER_CAP: usize = 2 * 1024;

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderValue, LOCATION};

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn every_status_has_its_meaning() {
        for (status, obstacle) in [
            (101, Obstacle::Rejected { status: 101 }),
            (300, Obstacle::Rejected { status: 300 }),
            (304, Obstacle::Rejected { status: 304 }),
            (400, Obstacle::Rejected { status: 400 }),
            (401, Obstacle::Rejected { status: 401 }),
            (403, Obstacle::Rejected { status: 403 }),
            (404, Obstacle::NotThere { status: 404 }),
            (407, Obstacle::Unreachable),
            (410, Obstacle::NotThere { status: 410 }),
            (418, Obstacle::Rejected { status: 418 }),
            (429, Obstacle::TooManyRequests),
            (500, Obstacle::ServerError { status: 500 }),
            (599, Obstacle::ServerError { status: 599 }),
            (999, Obstacle::Rejected { status: 999 }),
        ] {
            assert_eq!(obstacle_of(StatusCode::from_u16(status).unwrap(), &HeaderMap::new()), obstacle, "{status}");
        }
    }

    #[test]
    fn a_success_without_a_body_is_empty() {
        let xml = headers(&[(CONTENT_TYPE, "text/xml")]);
        for (status, body) in [(200, ""), (204, ""), (205, ""), (204, "x")] {
            let reply = reply_of(StatusCode::from_u16(status).unwrap(), &xml, body.into());
            assert_eq!(reply, Reply::Obstacle(Obstacle::Empty { status, content_type: "text/xml".into() }), "{status}");
        }
        assert!(matches!(reply_of(StatusCode::OK, &xml, b"<a/>".to_vec()), Reply::Document(_)));
    }

    #[test]
    fn any_status_is_an_answer_but_those_that_pass_or_ask_for_credentials() {
        let (url, now) = ("https://outlook.office365.com/x".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let said = |status: u16, challenge: bool, body: Result<&str, Obstacle>, takes_500| {
            let pairs = if challenge { vec![(WWW_AUTHENTICATE, "Bearer")] } else { Vec::new() };
            let status = StatusCode::from_u16(status).unwrap();
            let body = body.map(|body| body.as_bytes().to_vec());
            match reply_of_any((status, &headers(&pairs)), body, (&url, now, takes_500)) {
                Reply::Document(document) => Ok((document.status, String::from_utf8_lossy(&document.body).into_owned())),
                Reply::Obstacle(obstacle) => Err(obstacle),
                other => panic!("{other:?}"),
            }
        };
        for status in [200, 202, 204, 302, 400, 401, 403, 404, 410, 418, 451, 600, 999] {
            assert_eq!(said(status, false, Ok(""), false), Ok((status, String::new())), "{status}");
            assert_eq!(said(status, false, Ok("x"), true), Ok((status, "x".to_owned())), "{status}");
        }
        let guarded = Obstacle::CredentialsRequired { schemes: "bearer".into(), headers: Vec::new() };
        for (status, challenge, body, takes_500, obstacle) in [
            (401, true, Ok("x"), false, guarded),
            (407, false, Ok("x"), true, Obstacle::Unreachable),
            (429, false, Ok("x"), true, Obstacle::TooManyRequests),
            (500, false, Ok("x"), false, Obstacle::ServerError { status: 500 }),
            (500, false, Ok(""), true, Obstacle::ServerError { status: 500 }),
            (500, false, Err(Obstacle::TooLarge), true, Obstacle::ServerError { status: 500 }),
            (503, false, Ok("x"), true, Obstacle::ServerError { status: 503 }),
            (200, false, Err(Obstacle::TooLarge), false, Obstacle::TooLarge),
            (404, false, Err(Obstacle::ConnectionCut), false, Obstacle::ConnectionCut),
        ] {
            assert_eq!(said(status, challenge, body, takes_500), Err(obstacle), "{status}");
        }
        assert_eq!(said(500, false, Ok("<Fault/>"), true), Ok((500, "<Fault/>".to_owned())));
        for status in [302, 401, 451] {
            assert_eq!(said(status, false, Err(Obstacle::TooLarge), false), Ok((status, String::new())), "{status}");
        }
    }

    #[test]
    fn headers_of_the_list_are_kept_and_no_others() {
        let name = HeaderName::from_static;
        let long = "é".repeat(2000);
        let row = "x".repeat(9000);
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut all = headers(&[
            (CONTENT_TYPE, "application/json"),
            (name("date"), "Sun, 22 Nov 2026 10:00:00 GMT"),
            (name("request-id"), "1"),
            (name("x-request-id"), "2"),
            (LOCATION, "/autodiscover/autodiscover.json?Email=a#b"),
            (RETRY_AFTER, "Sun, 22 Nov 2026 10:01:30 GMT"),
            (name("x-debug-support"), &row),
            (name("x-soap-enabled"), "True"),
        ]);
        all.append(name("x-provider-id"), HeaderValue::from_bytes(long.as_bytes()).unwrap());
        all.append(name("x-provider-id"), HeaderValue::from_static("again"));
        let found = kept(&all, &"https://outlook.office365.com/x".parse().unwrap(), now);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("content-type", "application/json"),
                ("location", "https://outlook.office365.com/autodiscover/autodiscover.json?Email=a"),
                ("retry-after", "90"),
                ("x-soap-enabled", "True"),
                ("x-provider-id", &long[..2048]),
                ("x-provider-id", "again"),
                ("x-debug-support", &row[..8192]),
            ]
        );
        assert_eq!(capabilities(&all), [("x-soap-enabled".to_owned(), "True".to_owned())]);
        let odd = headers(&[(LOCATION, "mailto:a@b"), (RETRY_AFTER, "soon")]);
        let found = kept(&odd, &"https://outlook.office365.com/x".parse().unwrap(), now);
        assert_eq!(found, [("location".to_owned(), "mailto:a@b".to_owned()), ("retry-after".to_owned(), "soon".to_owned())]);
    }

    #[test]
    fn challenges_name_their_schemes() {
        for (values, expected) in [
            (vec!["Basic realm=\"a, Digest b\""], "basic"),
            (vec!["Negotiate", "NTLM", "Basic realm=\"x\""], "negotiate,ntlm,basic"),
            (vec!["Bearer client_id=\"0\", trusted_issuers=\"a@b\", authorization_uri=\"https://x\", Basic Realm=\"\""], "bearer,basic"),
            (vec!["Digest realm = \"a\\\", Evil b\", nonce=\"1\", NTLM TlRMTVNTUAAB=="], "digest,ntlm"),
            (vec!["Basic", "BASIC realm=x"], "basic"),
            (vec![""], ""),
            (vec!["a=b"], ""),
        ] {
            let pairs: Vec<(HeaderName, &str)> = values.iter().map(|value| (WWW_AUTHENTICATE, *value)).collect();
            assert_eq!(schemes(&headers(&pairs)), expected, "{values:?}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        for (status, value, expected) in [
            (429, "120", seconds(120)),
            (503, " 7 ", seconds(7)),
            (503, "Sun, 22 Nov 2026 10:01:30 GMT", seconds(90)),
            (503, "Mon, 22 Nov 2026 10:01:30 GMT", seconds(90)),
            (503, "Sun, 22 Nov 2026 09:00:00 GMT", None),
            (429, "99999999999999999999999", seconds(u64::MAX)),
            (429, "soon", None),
            (429, "-5", None),
            (500, "120", None),
        ] {
            let pause = pause_of(StatusCode::from_u16(status).unwrap(), &headers(&[(RETRY_AFTER, value)]), now);
            assert_eq!(pause, expected, "{status} {value}");
        }
    }
}

//! What the status line and the headers of an answer mean (RFC 9110 section 15). Pure.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE},
};

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

pub(super) fn obstacle_of(status: StatusCode, headers: &HeaderMap) -> Obstacle {
    let number = status.as_u16();
    match number {
        401 => match schemes(headers) {
            schemes if schemes.is_empty() => Obstacle::Rejected { status: number },
            schemes => Obstacle::CredentialsRequired { schemes, headers: Vec::new() },
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

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

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

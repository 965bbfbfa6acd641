//! What every request must be, and what every response has: GET or HEAD without a body, to a name of ours.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Shared;

/// Refuses what must not come in, and dresses what goes out.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&shared, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    for (name, value) in SECURITY {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A short answer in words.
pub(super) fn say(status: StatusCode, words: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], words.into()).into_response()
}

fn refusal(shared: &Shared, request: &Request) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Some(([(header::ALLOW, "GET, HEAD")], say(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n")).into_response());
    }
    let headers = request.headers();
    let is_empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    if !is_empty || headers.contains_key(header::TRANSFER_ENCODING) {
        // closed, as the body is not read
        return Some(([(header::CONNECTION, "close")], say(StatusCode::PAYLOAD_TOO_LARGE, "no bodies\n")).into_response());
    }
    let names = shared.names.as_ref()?;
    match host_of(headers) {
        None => Some(say(StatusCode::BAD_REQUEST, "one Host header is needed\n")),
        Some(host) if names.iter().any(|name| host.eq_ignore_ascii_case(name)) => None,
        Some(_) => Some(say(StatusCode::MISDIRECTED_REQUEST, "this host name is not served here\n")),
    }
}

/// The one Host header, without its port.
fn host_of(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::HOST).iter();
    let (host, None) = (all.next()?.to_str().ok()?, all.next()) else { return None };
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(name),
        _ => Some(host),
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

/// Nothing of this is for a page, a cache or another site.
const SECURITY: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_is_told_without_its_port() {
        for (hosts, expected) in [
            (&["localhost:9843"][..], Some("localhost")),
            (&["127.0.0.1"], Some("127.0.0.1")),
            (&["[::1]:9843"], Some("[::1]")),
            (&["[::1]"], Some("[::1]")),
            (&["evil.example:9843"], Some("evil.example")),
            (&["localhost:x"], Some("localhost:x")),
            (&["localhost", "evil.example"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            assert_eq!(host_of(&headers), expected, "{hosts:?}");
        }
    }
}

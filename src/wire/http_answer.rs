//! An HTTP answer whose status and headers are part of the format, and the URLs that answers hold.

use url::Url;

use super::Fault;
use crate::model::normalise_host;

/// An HTTP answer as it came.
#[derive(Debug, Clone, Copy)]
pub struct HttpAnswer<'a> {
    /// 100 to 599.
    pub status: u16,
    /// Names in any letter case.
    pub headers: &'a [(String, String)],
    /// After decompression.
    pub body: &'a [u8],
}

impl<'a> HttpAnswer<'a> {
    /// The trimmed value of the first header of a name; `None` where it is missing or empty.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.headers, name)
    }

    /// The Content-Type; empty where there is none.
    pub(super) fn content_type(&self) -> &'a str {
        self.header("Content-Type").unwrap_or_default()
    }

    /// Retry-After where it is a number of seconds (RFC 9110 section 10.2.3).
    pub(super) fn retry_after(&self) -> Option<u32> {
        self.header("Retry-After")?.parse().ok()
    }
}

/// The trimmed value of the first header of a name; `None` where it is missing or empty.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let values = headers.iter().filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    values.into_iter().find(|value| !value.is_empty())
}

/// The host of an `https` URL, lower case, without the final dot.
///
/// # Errors
/// [`Fault::NotHttps`] with the name of what holds the URL.
pub(super) fn https_host(text: &str, name: &'static str) -> Result<String, Fault> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https");
    url.as_ref().and_then(Url::host_str).map(normalise_host).filter(|host| !host.is_empty()).ok_or(Fault::NotHttps { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_in_any_letter_case() {
        let headers =
            [("x-a".to_owned(), " ".to_owned()), ("X-A".to_owned(), " 1 ".to_owned()), ("retry-after".to_owned(), "120".to_owned())];
        let answer = HttpAnswer { status: 202, headers: &headers, body: b"" };
        assert_eq!(
            (answer.header("X-a"), answer.header("x-b"), answer.retry_after(), answer.content_type()),
            (Some("1"), None, Some(120), "")
        );
    }

    #[test]
    fn only_https_urls_have_a_host_here() {
        for (text, host) in [
            ("https://Mail.Contoso.COM./x?y", Some("mail.contoso.com")),
            ("HTTPS://münchen.example", Some("xn--mnchen-3ya.example")),
            ("https://192.0.2.1:8443/", Some("192.0.2.1")),
            ("http://mail.contoso.com/", None),
            ("mail.contoso.com", None),
            ("/autodiscover/autodiscover.json", None),
            ("https://", None),
            ("https://exa mple/", None),
            ("", None),
        ] {
            assert_eq!(https_host(text, "Url").ok().as_deref(), host, "{text}");
        }
    }
}

//! Answers: what came back, kept as evidence.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// What came back for a request: what was said, by way of which hops, after how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was said.
    pub reply: Reply,
    /// Every HTTP request that was sent, in order; the last one gave the reply. What was asked again while it was searched for stands
    /// here once. Empty for DNS and for greetings.
    pub hops: Vec<Hop>,
    /// The chain of CNAMEs of the first host, in order; empty where there is none.
    pub cnames: Vec<String>,
    /// Times that it was asked: 2 where the first attempt failed in passing.
    pub attempts: u8,
    /// Milliseconds, of the last attempt.
    pub took_ms: u32,
}

impl Answer {
    /// What stands for an answer where nobody was asked.
    #[must_use]
    pub fn unasked(reply: Reply) -> Self {
        Self { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 0, took_ms: 0 }
    }
}

/// One HTTP request on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// What was asked.
    pub url: String,
    /// What the server said; `None` where it said nothing.
    pub status: Option<u16>,
    /// Where it sent us, as written by the server, at most 2 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// MX records; never empty.
    Mx(Vec<MxRecord>),
    /// SRV records; never empty.
    Srv(Vec<SrvRecord>),
    /// A and AAAA records; never empty.
    Addresses(Vec<std::net::IpAddr>),
    /// TXT records, the strings of each joined; never empty.
    Txt(Vec<String>),
    /// A 2xx with a body; of [`super::Request::Http`] any status but 429 and 5xx, the SOAP interface's 500 excepted.
    Document(HttpDocument),
    /// What a mail server says first: a line up to what is new each time (a date, an id), at most 512 bytes.
    Greeting(String),
    /// The target of a redirect, as an absolute URL.
    Redirect(String),
    /// Something in the way.
    Obstacle(Obstacle),
}

/// An HTTP answer with its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpDocument {
    /// 200 to 299; of [`super::Request::Http`] others too.
    pub status: u16,
    /// The Content-Type header, as sent; empty where there is none.
    pub content_type: String,
    /// Headers that are part of a format; only of [`super::Request::Http`].
    pub headers: Vec<(String, String)>,
    /// The body after decompression; at most 256 KiB.
    pub body: Arc<[u8]>,
}

impl HttpDocument {
    /// Whether the content type is one that Thunderbird's `FetchHTTP` parses as XML.
    #[must_use]
    pub fn is_xml(&self) -> bool {
        is_xml_content_type(&self.content_type)
    }
}

/// `text/xml`, `application/xml` or `text/rdf`, parameters aside. As Thunderbird compares it (`FetchHTTP.sys.mjs`): case counts, and
/// so does a space before the `;`.
#[must_use]
pub fn is_xml_content_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    ["text/xml", "application/xml", "text/rdf"].contains(&essence)
}

/// An MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MxRecord {
    /// Lower is asked first.
    pub preference: u16,
    /// Host name, lower case, without the final dot.
    pub exchange: String,
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SrvRecord {
    /// Lower is used first.
    pub priority: u16,
    /// Share among equals.
    pub weight: u16,
    /// Port of the service.
    pub port: u16,
    /// Host name, lower case, without the final dot; empty for `.`, "not offered", where that stands beside others.
    pub target: String,
}

/// What an answer comes to (`semantics.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerOutcome {
    /// A document that some client's parser accepts, or records.
    Found,
    /// Nothing is published there.
    Absent,
    /// Something is there, and answers only with credentials.
    Guarded,
    /// Something is there, and it is not what was asked for.
    Invalid,
    /// Could not tell.
    Failed,
}

impl AnswerOutcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Found, Self::Absent, Self::Guarded, Self::Invalid, Self::Failed];

    /// The name in files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Absent => "absent",
            Self::Guarded => "guarded",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for AnswerOutcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What stood in the way of an answer. What a remote host does wrong is data, never an error of ours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "obstacle", rename_all = "kebab-case")]
pub enum Obstacle {
    /// The name does not exist (RFC 8020).
    #[error("the name does not exist (NXDOMAIN)")]
    NxDomain,
    /// The name exists without such records (RFC 2308 section 2.2).
    #[error("the name has no such record (NODATA)")]
    NoData,
    /// `MX 0 .` (RFC 7505) or an SRV target of `.` (RFC 2782): an explicit "not offered".
    #[error("explicitly not offered (target `.`)")]
    NotOffered,
    /// SERVFAIL.
    #[error("the DNS server failed (SERVFAIL)")]
    ServFail,
    /// REFUSED or another response code.
    #[error("the DNS server answered {code}")]
    DnsCode {
        /// The response code's mnemonic.
        code: String,
    },
    /// No DNS answer in time.
    #[error("no DNS answer in time")]
    DnsTimeout,
    /// The DNS answer was broken, a CNAME circle, or did not arrive; or it was "none" from a resolver that, behind a proxy, does not
    /// see the outside.
    #[error("the DNS answer was unusable")]
    DnsBroken,
    /// Nobody listens on the port.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// The connection was cut before the answer was whole.
    #[error("the connection was cut")]
    ConnectionCut,
    /// No route, no address that can be reached.
    #[error("the host cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The certificate is for other names.
    #[error("the certificate is not for this host")]
    CertificateName,
    /// The certificate has expired or is not valid yet.
    #[error("the certificate has expired or is not valid yet")]
    CertificateExpired,
    /// The certificate's issuer is not trusted (self-signed, private, incomplete chain).
    #[error("the certificate's issuer is not trusted")]
    CertificateUntrusted,
    /// The certificate is refused for another reason.
    #[error("the certificate was refused")]
    CertificateOther,
    /// No TLS: another protocol on the port, or only versions before 1.2.
    #[error("the TLS handshake failed")]
    Handshake,
    /// 401 with `WWW-Authenticate`.
    #[error("the server asks for credentials ({schemes})")]
    CredentialsRequired {
        /// The schemes offered, comma-separated, lower case.
        schemes: String,
        /// The headers by which Autodiscover says what it can do.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
    },
    /// 404 or 410.
    #[error("the server answered {status}")]
    NotThere {
        /// 404 or 410.
        status: u16,
    },
    /// 204, or a 2xx with an empty body.
    #[error("the server answered {status} without a body")]
    Empty {
        /// 200 to 299.
        status: u16,
        /// The Content-Type header, as sent.
        content_type: String,
    },
    /// Another 4xx, a 1xx or a 3xx without a target.
    #[error("the server answered {status}")]
    Rejected {
        /// The status.
        status: u16,
    },
    /// 429.
    #[error("the server asks for fewer requests (429)")]
    TooManyRequests,
    /// 5xx.
    #[error("the server answered {status}")]
    ServerError {
        /// 500 to 599.
        status: u16,
    },
    /// The body is larger than the cap after decompression.
    #[error("the body is larger than 256 KiB")]
    TooLarge,
    /// The body cannot be decompressed.
    #[error("the body cannot be decompressed")]
    Undecodable,
    /// The bytes are not HTTP.
    #[error("the answer is not HTTP")]
    NotHttp,
    /// The host was to be asked, and an earlier Retry-After or our own limits forbade it.
    #[error("the host asked for a pause and was left alone")]
    Held,
    /// Our own side forbids to ask: the kind of lookup is switched off, its token is missing or is not for this host, or a mail server
    /// would have to be reached through a proxy for the web.
    #[error("it cannot be asked from here: switched off, without a token, or behind a proxy")]
    Withheld,
    /// What came is no greeting of the mail service that the port is for.
    #[error("the answer is not a mail server's greeting")]
    NotMail,
    /// A mail server that greets with a refusal, which may be about us alone.
    #[error("the mail server turned us away ({code})")]
    TurnedAway {
        /// Its word for it: a reply code of SMTP, `BYE` or `-ERR`.
        code: String,
    },
    /// The mail server does not upgrade the connection to TLS.
    #[error("the mail server does not offer STARTTLS")]
    NoStartTls,
    /// Redirected to where it had been already.
    #[error("the redirects go in a circle")]
    RedirectCircle,
    /// More than five redirects.
    #[error("more than 5 redirects")]
    TooManyRedirects,
    /// From https to http.
    #[error("redirected from https to http")]
    RedirectDowngrade,
    /// The target is no http or https URL.
    #[error("redirected to something that is no web address")]
    RedirectInvalid,
    /// The plain-http way of Autodiscover answered, and not with a redirect to https.
    #[error("no redirect to https")]
    NoRedirect,
    /// Redirected to a host that has only addresses of a private or special network.
    #[error("redirected into a private or special network ({address})")]
    RedirectForbidden {
        /// The first of them.
        address: String,
    },
    /// Every address of the host is loopback, private, link-local or otherwise special.
    #[error("the host has only addresses of a private or special network ({address})")]
    ForbiddenAddress {
        /// The first of them.
        address: String,
    },
}

impl Obstacle {
    /// What the answer comes to (`semantics.md`, the table of lookups and answers).
    #[must_use]
    pub fn outcome(&self) -> AnswerOutcome {
        match self {
            Self::NxDomain | Self::NoData | Self::NotOffered | Self::NotThere { .. } | Self::NoRedirect => AnswerOutcome::Absent,
            Self::Empty { status, .. } => {
                if *status == 204 {
                    AnswerOutcome::Absent
                } else {
                    AnswerOutcome::Invalid
                }
            }
            Self::CredentialsRequired { .. } => AnswerOutcome::Guarded,
            Self::CertificateName
            | Self::CertificateExpired
            | Self::CertificateUntrusted
            | Self::CertificateOther
            | Self::Rejected { .. }
            | Self::NotHttp
            | Self::NotMail
            | Self::NoStartTls
            | Self::RedirectCircle
            | Self::RedirectInvalid => AnswerOutcome::Invalid,
            // a client reaches its own machine there, and nothing; what a private network holds, its users may see
            Self::RedirectForbidden { address } | Self::ForbiddenAddress { address } => {
                let own_machine = |address: std::net::IpAddr| address.is_loopback() || address.is_unspecified();
                if address.parse().is_ok_and(own_machine) { AnswerOutcome::Invalid } else { AnswerOutcome::Failed }
            }
            Self::ServFail
            | Self::DnsCode { .. }
            | Self::DnsTimeout
            | Self::DnsBroken
            | Self::ConnectionRefused
            | Self::ConnectionCut
            | Self::Unreachable
            | Self::Timeout
            | Self::Handshake
            | Self::TooManyRequests
            | Self::ServerError { .. }
            | Self::TooLarge
            | Self::Undecodable
            // our own limits: Thunderbird 153.7 ESR follows both (executed)
            | Self::TooManyRedirects
            | Self::RedirectDowngrade
            | Self::TurnedAway { .. }
            | Self::Withheld
            | Self::Held => AnswerOutcome::Failed,
        }
    }

    /// The name of the obstacle, as in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NxDomain => "nx-domain",
            Self::NoData => "no-data",
            Self::NotOffered => "not-offered",
            Self::ServFail => "serv-fail",
            Self::DnsCode { .. } => "dns-code",
            Self::DnsTimeout => "dns-timeout",
            Self::DnsBroken => "dns-broken",
            Self::ConnectionRefused => "connection-refused",
            Self::ConnectionCut => "connection-cut",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::CertificateName => "certificate-name",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateUntrusted => "certificate-untrusted",
            Self::CertificateOther => "certificate-other",
            Self::Handshake => "handshake",
            Self::CredentialsRequired { .. } => "credentials-required",
            Self::NotThere { .. } => "not-there",
            Self::Empty { .. } => "empty",
            Self::Rejected { .. } => "rejected",
            Self::TooManyRequests => "too-many-requests",
            Self::ServerError { .. } => "server-error",
            Self::TooLarge => "too-large",
            Self::Undecodable => "undecodable",
            Self::NotHttp => "not-http",
            Self::Held => "held",
            Self::Withheld => "withheld",
            Self::NotMail => "not-mail",
            Self::TurnedAway { .. } => "turned-away",
            Self::NoStartTls => "no-start-tls",
            Self::RedirectCircle => "redirect-circle",
            Self::TooManyRedirects => "too-many-redirects",
            Self::RedirectDowngrade => "redirect-downgrade",
            Self::RedirectInvalid => "redirect-invalid",
            Self::NoRedirect => "no-redirect",
            Self::RedirectForbidden { .. } => "redirect-forbidden",
            Self::ForbiddenAddress { .. } => "forbidden-address",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_are_compared_as_thunderbird_does() {
        for (content_type, is_xml) in [
            ("text/xml", true),
            ("text/xml; charset=utf-8", true),
            ("application/xml;charset=utf-8", true),
            ("text/rdf", true),
            ("", false),
            ("text/html", false),
            ("text/plain", false),
            ("text/xmlfoo", false),
            ("application/xhtml+xml", false),
            ("Text/XML", false),
            ("text/xml ; charset=utf-8", false),
        ] {
            assert_eq!(is_xml_content_type(content_type), is_xml, "{content_type}");
        }
    }
}

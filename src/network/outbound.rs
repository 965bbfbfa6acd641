//! The client for what we tell others: notices to channels, and the signs of life that a site asks for. One request, one answer. What the
//! operator configured may lie in a private network, so the address guard has no say; redirects are never followed, and URLs and headers
//! are secrets that no error shows. Knows nothing of what is sent, and why.

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use reqwest::{
    Client, NoProxy, Proxy,
    header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT},
    redirect::Policy,
    tls::Version,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use super::{failure::obstacle_of, status::retry_after};
use crate::{clock::Clock, model::Obstacle};

/// How a channel's server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundSettings {
    /// PEM files with further certificate authorities, beside those of the system.
    pub ca_files: Vec<PathBuf>,
    /// `none`, or the URL of a proxy (`http`, `https` or `socks5h`) without user and password; absent: the proxy of the environment
    /// (`HTTPS_PROXY`, `NO_PROXY`), which may hold them.
    pub proxy: Option<String>,
    /// Whether plain http may leave the private networks; without it http is for loopback and private hosts alone.
    pub allow_http: bool,
}

/// Why the client could not be set up, or a request could not be made. Never holds a URL or a header.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// A CA file cannot be read.
    #[error("the CA file `{}` cannot be read; correct `ca_files` or the file's permissions", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A CA file holds no certificates that can be used.
    #[error("the CA file `{}` holds no certificate, or a broken one; it must be PEM (`-----BEGIN CERTIFICATE-----`)", path.display())]
    CaFormat {
        /// The file.
        path: PathBuf,
    },
    /// The proxy cannot be used.
    #[error("`proxy` is neither `none` nor a URL such as `http://proxy.contoso.com:3128` without user and password")]
    Proxy,
    /// The URL cannot be read.
    #[error("the URL is no http or https URL with a host")]
    Url,
    /// The URL is plain http, and leads out of the private networks.
    #[error("the URL is plain http to a public host; use https, or set `allow_http = true`")]
    PlainHttp,
    /// A header cannot be sent.
    #[error("the header `{name}` has a name or a value that cannot be sent")]
    Header {
        /// Its name.
        name: String,
    },
    /// The HTTP client refused its settings, such as a system without any certificate authority.
    #[error("the HTTPS client cannot be set up; install the system's CA certificates, or name some in `ca_files`")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// GET, without a body.
    Get,
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
}

/// One request. Its `Debug` shows no URL, no header's value and no body.
#[derive(Clone)]
pub struct OutboundRequest<'a> {
    /// The method.
    pub verb: Verb,
    /// Where to; a secret, as it may hold a token.
    pub url: &'a SecretString,
    /// Headers beside User-Agent, `Host` and `Content-Length`.
    pub headers: Vec<(String, SecretString)>,
    /// The body.
    pub body: Vec<u8>,
}

impl fmt::Debug for OutboundRequest<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        out.debug_struct("OutboundRequest").field("verb", &self.verb).field("headers", &names).field("bytes", &self.body.len()).finish()
    }
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutboundReply {
    /// The server answered.
    Answered {
        /// The status; a redirect is one like any other.
        status: u16,
        /// The pause that it asks for.
        retry_after: Option<Duration>,
        /// The beginning of the body, 8 KiB at most.
        body: Vec<u8>,
    },
    /// No answer came.
    Failed {
        /// Why.
        obstacle: Obstacle,
        /// Whether the request may have reached the server: then its fate is not known.
        is_sent: bool,
    },
}

/// The client of one channel; it keeps no connections, so that a failure to connect is always told from a failure after sending.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    allow_http: bool,
    clock: Clock,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Outbound")
    }
}

impl Outbound {
    /// Reads the CA files, and opens nothing yet. The clock tells how long a `Retry-After` with a date still lasts.
    ///
    /// # Errors
    /// [`OutboundError`] with what is wrong with the settings.
    pub fn new(settings: &OutboundSettings, clock: Clock) -> Result<Self, OutboundError> {
        // Fails where one is installed already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = Vec::new();
        for path in &settings.ca_files {
            roots.extend(read_authorities(path)?);
        }
        let roots = roots.iter().map(|der| reqwest::Certificate::from_der(der));
        let roots = roots.collect::<Result<Vec<_>, _>>().map_err(|source| OutboundError::Client { source })?;
        #[expect(clippy::disallowed_methods, reason = "network owns the clients")]
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .tls_version_min(Version::TLS_1_2)
            .tls_certs_merge(roots)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        match settings.proxy.as_deref() {
            None => {}
            Some("none") => builder = builder.no_proxy(),
            Some(url) => builder = builder.no_proxy().proxy(proxy(url)?),
        }
        let client = builder.build().map_err(|source| OutboundError::Client { source })?;
        Ok(Self { client, allow_http: settings.allow_http, clock })
    }

    /// Checks a URL before it is ever asked.
    ///
    /// # Errors
    /// [`OutboundError::Url`] or [`OutboundError::PlainHttp`].
    pub fn check_url(&self, url: &SecretString) -> Result<(), OutboundError> {
        self.read_url(url).map(drop)
    }

    fn read_url(&self, url: &SecretString) -> Result<Url, OutboundError> {
        let url = Url::parse(url.expose_secret().trim()).map_err(|_| OutboundError::Url)?;
        let host = url.host().ok_or(OutboundError::Url)?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.allow_http || is_private(&host) => Ok(url),
            "http" => Err(OutboundError::PlainHttp),
            _ => Err(OutboundError::Url),
        }
    }

    /// Sends one request and reads the answer: 10 seconds for the connection, 30 in all.
    ///
    /// # Errors
    /// [`OutboundError`] where the request cannot be made of its parts. What the server does wrong is in the reply.
    pub async fn send(&self, request: OutboundRequest<'_>) -> Result<OutboundReply, OutboundError> {
        let url = self.read_url(request.url)?;
        let method = match request.verb {
            Verb::Get => reqwest::Method::GET,
            Verb::Post => reqwest::Method::POST,
            Verb::Put => reqwest::Method::PUT,
        };
        let builder = self.client.request(method, url).headers(headers(&request.headers)?).body(request.body);
        let mut response = match builder.send().await {
            Ok(response) => response,
            Err(error) => return Ok(OutboundReply::Failed { obstacle: obstacle_of(&error), is_sent: !error.is_connect() }),
        };
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers(), self.clock.now());
        let mut body = Vec::new();
        // the status has told its fate: what keeps us from reading on changes nothing
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = BODY_CAP - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if body.len() == BODY_CAP {
                break;
            }
        }
        Ok(OutboundReply::Answered { status, retry_after, body })
    }
}

fn headers(pairs: &[(String, SecretString)]) -> Result<HeaderMap, OutboundError> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"))));
    for (name, value) in pairs {
        let wrong = || OutboundError::Header { name: name.clone() };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_bytes(value.expose_secret().trim().as_bytes()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.append(key, value);
    }
    Ok(headers)
}

fn proxy(url: &str) -> Result<Proxy, OutboundError> {
    let parsed = Url::parse(url).map_err(|_| OutboundError::Proxy)?;
    let is_open = parsed.username().is_empty() && parsed.password().is_none();
    if !is_open || !parsed.has_host() || !matches!(parsed.scheme(), "http" | "https" | "socks5" | "socks5h") {
        return Err(OutboundError::Proxy);
    }
    let proxy = Proxy::all(url).map_err(|_| OutboundError::Proxy)?;
    Ok(proxy.no_proxy(NoProxy::from_string("")))
}

/// The certificates of a PEM file.
///
/// # Errors
/// [`OutboundError::CaFile`], [`OutboundError::CaFormat`].
pub fn read_authorities(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, OutboundError> {
    let pem = std::fs::read(path).map_err(|source| OutboundError::CaFile { path: path.to_owned(), source })?;
    let format = || OutboundError::CaFormat { path: path.to_owned() };
    let mut found = Vec::new();
    for der in CertificateDer::pem_slice_iter(&pem) {
        let der = der.map_err(|_| format())?;
        rustls::RootCertStore::empty().add(der.clone()).map_err(|_| format())?;
        found.push(der);
    }
    if found.is_empty() { Err(format()) } else { Ok(found) }
}

/// Loopback, private and link-local addresses, and names that only a private network knows (RFC 6761, RFC 6762, RFC 8375).
#[must_use]
fn is_private(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(ip) => is_private_address(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => is_private_address(ip.to_ipv4_mapped().map_or(IpAddr::V6(*ip), IpAddr::V4)),
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            !name.contains('.') || PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
        }
    }
}

fn is_private_address(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// Bytes of an answer's body that are read.
const BODY_CAP: usize = 8 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(30);
const PRIVATE_SUFFIXES: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(allow_http: bool) -> Outbound {
        Outbound::new(&OutboundSettings { allow_http, proxy: Some("none".into()), ..OutboundSettings::default() }, Clock::system()).unwrap()
    }

    #[test]
    fn plain_http_is_for_private_hosts_unless_it_is_allowed() {
        for (url, is_fine) in [
            ("https://hooks.contoso.com/x", true),
            ("http://127.0.0.1:9093/", true),
            ("http://[::1]:9093/", true),
            ("http://[::ffff:10.0.0.1]/", true),
            ("http://10.1.2.3/", true),
            ("http://localhost:9093", true),
            ("http://alertmanager:9093", true),
            ("http://alerts.internal", true),
            ("http://hooks.contoso.com/x", false),
            ("http://8.8.8.8/", false),
            ("http://internal.contoso.com/", false),
        ] {
            let url = SecretString::from(url);
            assert_eq!(outbound(false).check_url(&url).is_ok(), is_fine, "{}", url.expose_secret());
            assert!(outbound(true).check_url(&url).is_ok());
        }
        for url in ["", "hooks", "ftp://127.0.0.1/", "unix:/run/x", "https://"] {
            assert!(matches!(outbound(true).check_url(&SecretString::from(url)), Err(OutboundError::Url)), "{url}");
        }
    }

    #[test]
    fn a_proxy_with_a_password_or_without_a_host_is_refused() {
        for (value, is_fine) in [
            ("none", true),
            ("http://proxy.contoso.com:3128", true),
            ("socks5h://127.0.0.1:1080", true),
            ("http://user:sesame@proxy.contoso.com", false),
            ("proxy", false),
            ("ftp://proxy.contoso.com", false),
        ] {
            let settings = OutboundSettings { proxy: Some(value.into()), ..OutboundSettings::default() };
            let made = Outbound::new(&settings, Clock::system());
            assert_eq!(made.is_ok(), is_fine, "{value}");
            if let Err(error) = made {
                assert!(!format!("{error} {error:?}").contains("sesame"));
            }
        }
    }

    #[test]
    fn what_is_printed_of_a_request_holds_no_secret() {
        let url = SecretString::from("https://hooks.contoso.com/sesame");
        let request = OutboundRequest {
            verb: Verb::Post,
            url: &url,
            headers: vec![("Authorization".into(), "Bearer sesame".into())],
            body: b"sesame".to_vec(),
        };
        assert_eq!(format!("{request:?}"), "OutboundRequest { verb: Post, headers: [\"Authorization\"], bytes: 6 }");
    }
}

//! The only HTTP client: one request, one answer, TLS 1.2 or later, no cookies, no referer, no redirects, no retries of its
//! own. The body is capped after decompression. Knows nothing of what is asked, and why.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Certificate, Client, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT},
    redirect::Policy,
    tls::Version,
};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::Url;

use super::{
    NetworkError, Settings,
    dial::{Dialer, Hook},
    failure::obstacle_of,
    proxy::Proxies,
    redirect::Method,
    status::pause_of,
};
use crate::model::Obstacle;

/// One client per scheme, and one for URLs with a port of their own: see [`Hook`].
pub(super) struct Http {
    plain: Client,
    secure: Client,
    elsewhere: Client,
}

/// What a server said.
pub(super) struct Heard {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Of a 2xx only; the obstacle is what kept us from reading it.
    pub(super) body: Result<Vec<u8>, Obstacle>,
}

impl Http {
    pub(super) fn new(settings: &Settings, dialer: &Arc<Dialer>, proxies: &Proxies) -> Result<Self, NetworkError> {
        // Fails where one is installed already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = Vec::new();
        for path in &settings.ca_files {
            roots.extend(read_roots(path)?);
        }
        let headers = headers(settings)?;
        let client = |port| {
            let hook = Hook { dialer: Arc::clone(dialer), port };
            let mut connect_timeout = Duration::from_secs(settings.connect_timeout_seconds);
            let mut builder = builder().default_headers(headers.clone()).dns_resolver(hook).tls_certs_merge(roots.iter().cloned());
            if proxies.any() {
                // Names that are reached without the proxy are resolved within the connection's deadline.
                connect_timeout += dialer.resolver.budget();
            } else {
                builder = builder.no_proxy();
            }
            builder = builder.connect_timeout(connect_timeout).timeout(Duration::from_secs(settings.timeout_seconds));
            builder.build().map_err(|source| NetworkError::Client { source })
        };
        Ok(Self { plain: client(Some(80))?, secure: client(Some(443))?, elsewhere: client(None)? })
    }

    /// Sends one request and reads the answer; all of it within the deadline of a hop.
    pub(super) async fn exchange(&self, url: &Url, method: Method<'_>) -> Result<Heard, Obstacle> {
        let client = match (url.port(), url.scheme()) {
            (Some(_), _) => &self.elsewhere,
            (None, "https") => &self.secure,
            (None, _) => &self.plain,
        };
        let request = match method {
            Method::Get(_) => client.get(url.clone()),
            Method::Post(post) => {
                let body = post.body_for(url.host_str().unwrap_or_default());
                client.post(url.clone()).header(CONTENT_TYPE, XML).body(body)
            }
        };
        let response = request.send().await.map_err(|error| obstacle_of(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // other bodies are read only so that the connection can serve the next request
        let body = read_body(response).await;
        let body = if status.is_success() { body } else { Ok(Vec::new()) };
        Ok(Heard { status, headers, body })
    }
}

impl Heard {
    /// The pause that the server asks for.
    pub(super) fn pause(&self, now: Timestamp) -> Option<Duration> {
        pause_of(self.status, &self.headers, now)
    }
}

async fn read_body(mut response: reqwest::Response) -> Result<Vec<u8>, Obstacle> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| obstacle_of(&error))? {
        if body.len() + chunk.len() > BODY_CAP {
            return Err(Obstacle::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn builder() -> reqwest::ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the only client")]
    Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .tls_version_min(Version::TLS_1_2)
        .pool_max_idle_per_host(2)
        .pool_idle_timeout(IDLE)
}

fn headers(settings: &Settings) -> Result<HeaderMap, NetworkError> {
    let contact = &settings.contact;
    let suffix = if contact.is_empty() { String::new() } else { format!(" (+{contact})") };
    let agent = format!("{}/{}{suffix}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let agent = HeaderValue::from_str(&agent).map_err(|_| NetworkError::Contact { contact: contact.clone() })?;
    let accept = HeaderValue::from_static("application/xml, text/xml, */*");
    Ok([(USER_AGENT, agent), (ACCEPT, accept)].into_iter().collect())
}

fn read_roots(path: &Path) -> Result<Vec<Certificate>, NetworkError> {
    let pem = std::fs::read(path).map_err(|source| NetworkError::CaFile { path: path.to_owned(), source })?;
    parse_roots(&pem).ok_or_else(|| NetworkError::CaFormat { path: path.to_owned() })
}

/// The certificates of a PEM file; `None` where it holds none, or a broken one.
pub(super) fn parse_roots(pem: &[u8]) -> Option<Vec<Certificate>> {
    let mut roots = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem) {
        let der = der.ok()?;
        roots.push(Certificate::from_der(&der).ok()?);
        RootCertStore::empty().add(der).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

/// Long enough for the next round of lookups; a run meets thousands of hosts, and each idle connection holds its buffers.
const IDLE: Duration = Duration::from_secs(1);
/// 256 KiB, after decompression.
const BODY_CAP: usize = 256 * 1024;
/// MS-OXDSCLI section 2.2.3.
const XML: &str = "text/xml; charset=utf-8";

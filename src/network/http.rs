//! The only HTTP client: one request, one answer, TLS 1.2 or later, no cookies, no referer, no redirects, no retries of its
//! own. The body is capped after decompression. Knows nothing of what is asked, and why.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Client, StatusCode,
    header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT},
    redirect::Policy,
};
use rustls::ClientConfig;
use url::Url;

use super::{
    NetworkError, Settings,
    dial::{Dialer, Hook},
    failure::obstacle_of,
    message::Outgoing,
    proxy::Proxies,
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
    /// Of a 2xx only, unless every body is wanted; the obstacle is what kept us from reading it.
    pub(super) body: Result<Vec<u8>, Obstacle>,
}

impl Http {
    pub(super) fn new(settings: &Settings, dialer: &Arc<Dialer>, proxies: &Proxies, tls: &ClientConfig) -> Result<Self, NetworkError> {
        let headers = headers(settings)?;
        let client = |port| {
            let hook = Hook { dialer: Arc::clone(dialer), port };
            let mut connect_timeout = Duration::from_secs(settings.connect_timeout_seconds);
            let mut builder = builder(tls.clone()).default_headers(headers.clone()).dns_resolver(hook);
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
    pub(super) async fn exchange(&self, url: &Url, outgoing: Outgoing) -> Result<Heard, Obstacle> {
        let client = match (url.port(), url.scheme()) {
            (Some(_), _) => &self.elsewhere,
            (None, "https") => &self.secure,
            (None, _) => &self.plain,
        };
        let mut request = client.request(outgoing.verb, url.clone()).headers(outgoing.headers);
        if let Some(body) = outgoing.body {
            request = request.body(body);
        }
        let response = request.send().await.map_err(|error| obstacle_of(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // other bodies are read only so that the connection can serve the next request
        let body = read_body(response).await;
        let body = if status.is_success() || outgoing.wants_every_body { body } else { Ok(Vec::new()) };
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

fn builder(mut tls: ClientConfig) -> reqwest::ClientBuilder {
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];

    #[expect(clippy::disallowed_methods, reason = "this is the only client")]
    Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls)
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

/// Long enough for the next round of lookups; a run meets thousands of hosts, and each idle connection holds its buffers.
const IDLE: Duration = Duration::from_secs(1);
/// 256 KiB, after decompression.
const BODY_CAP: usize = 256 * 1024;

//! What is sent: verb, headers and body of one HTTP request. What its formats demand is handed in, so that this room knows no format.
//! Decides whether a message may go to a host at all.

use reqwest::{
    Method as Verb,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use tracing::{debug, warn};
use url::Url;

use super::{
    Core,
    redirect::{Method, body_for},
};
use crate::model::{Address, Message, Obstacle, exchange_cloud};

/// What the formats demand of requests.
#[derive(Debug, Clone, Copy)]
pub struct Bodies {
    /// The body of an Autodiscover request.
    pub pox: fn(&Address) -> String,
    /// The body of an Autodiscover request in the mobilesync schema.
    pub mobilesync: fn(&Address) -> String,
    /// The body of a question to `GetCredentialType`, JSON.
    pub credential_type: fn(&Address) -> String,
    /// The body of `GetUserSettings` for a URL and the addresses of a batch.
    pub user_settings: fn(&str, &[Address]) -> String,
    /// The `SOAPAction` of `GetUserSettings`, with its quotes.
    pub user_settings_action: &'static str,
    /// The header in which AutoDetect takes the address.
    pub detect_header: &'static str,
}

/// One request on its way to a URL.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) verb: Verb,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
    /// Whether the body of an answer counts whatever its status is.
    pub(super) wants_every_body: bool,
}

impl Outgoing {
    fn get() -> Self {
        Self { verb: Verb::GET, headers: HeaderMap::new(), body: None, wants_every_body: false }
    }

    fn post(content_type: &'static str, body: String) -> Self {
        let headers = std::iter::once((CONTENT_TYPE, HeaderValue::from_static(content_type))).collect();
        Self { verb: Verb::POST, headers, body: Some(body), wants_every_body: false }
    }

    /// One hop of a request that follows redirects.
    pub(super) fn of_method(method: Method<'_>, url: &Url) -> Self {
        match method {
            Method::Get(_) => Self::get(),
            Method::Post(post) => Self::post(XML, post.body_for(url.host_str().unwrap_or_default())),
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl Core {
    /// The request that carries a message to a URL.
    ///
    /// # Errors
    /// [`Obstacle::Withheld`] where it may not go there.
    pub(super) async fn compose(&self, message: &Message, url: &Url) -> Result<Outgoing, Obstacle> {
        let host = url.host_str().unwrap_or_default();
        let outgoing = match message {
            Message::Get { .. } => Outgoing::get(),
            Message::Detect { address } => {
                require_https(url)?;
                let name = HeaderName::from_bytes(self.bodies.detect_header.as_bytes()).map_err(|_| Obstacle::Withheld)?;
                Outgoing::get().with(name, header(address)?)
            }
            Message::Mobilesync { address } => Outgoing::post(XML, body_for(address, self.bodies.mobilesync, host)),
            Message::CredentialType { address } => {
                require_https(url)?;
                Outgoing::post(JSON, (self.bodies.credential_type)(address))
            }
            Message::UserSettings { addresses } => self.user_settings(addresses, url).await?,
        };
        Ok(Outgoing { wants_every_body: true, ..outgoing })
    }

    /// The one request with a token: to Exchange Online's own hosts by https, and to nobody else.
    async fn user_settings(&self, addresses: &[Address], url: &Url) -> Result<Outgoing, Obstacle> {
        require_https(url)?;
        if url.port().is_some() || url.host_str().and_then(exchange_cloud).is_none() {
            debug!(host = url.host_str(), "no host of Exchange Online: it does not get the bearer token");
            return Err(Obstacle::Withheld);
        }
        let Some(token) = &self.token else {
            debug!("no bearer token is configured for Exchange Online's SOAP interface");
            return Err(Obstacle::Withheld);
        };
        let warn_of = |problem: &str| {
            self.token_warning.call_once(|| warn!(problem, "the bearer token for Exchange Online's SOAP interface cannot be used"));
            Obstacle::Withheld
        };
        let secret = token.read().await.map_err(|problem| warn_of(&problem))?;
        let bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()));
        let mut bearer = bearer.map_err(|_| warn_of("has characters that a header cannot hold"))?;
        bearer.set_sensitive(true);
        let action = HeaderValue::from_str(self.bodies.user_settings_action).map_err(|_| Obstacle::Withheld)?;
        let mut outgoing = Outgoing::post(XML, (self.bodies.user_settings)(url.as_str(), addresses))
            .with(AUTHORIZATION, bearer)
            .with(HeaderName::from_static("soapaction"), action);
        if let Some(first) = addresses.first() {
            outgoing = outgoing.with(HeaderName::from_static("x-anchormailbox"), header(first)?);
        }
        Ok(outgoing)
    }

    /// Notes that a token was refused; told once a run.
    pub(super) fn note_refused_token(&self) {
        self.token_warning.call_once(|| {
            warn!("Exchange Online refuses the bearer token for its SOAP interface: renew it, or check what it is for");
        });
    }
}

fn require_https(url: &Url) -> Result<(), Obstacle> {
    if url.scheme() == "https" { Ok(()) } else { Err(Obstacle::Withheld) }
}

fn header(address: &Address) -> Result<HeaderValue, Obstacle> {
    HeaderValue::from_bytes(address.to_string().as_bytes()).map_err(|_| Obstacle::Withheld)
}

/// MS-OXDSCLI section 2.2.3, MS-ASCMD section 2.2.1.1, SOAP 1.1 section 6.
const XML: &str = "text/xml; charset=utf-8";
const JSON: &str = "application/json";

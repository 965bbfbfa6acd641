//! How channels that speak HTTP send: one request, one fate. Owns the channel's URL, which no error shows.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    super::fate::{Attempt, of_failure, of_status},
    Opening,
    redact::Redactor,
};
use crate::{
    alert::{AlertError, MaybeSecret, SecretSource},
    network::{Outbound, OutboundReply, OutboundRequest, OutboundSettings, Verb},
};

/// A URL that takes notices.
#[derive(Clone)]
pub(super) struct Post {
    outbound: Outbound,
    url: SecretString,
    verb: Verb,
    headers: Vec<(String, SecretString)>,
    redactor: Redactor,
}

/// What a server said.
pub(super) enum Heard {
    /// A status and the beginning of the body.
    Answer { body: Vec<u8>, attempt: Attempt, status: u16 },
    /// Nothing.
    Nothing(Attempt),
}

impl Heard {
    pub(super) fn attempt(self) -> Attempt {
        match self {
            Self::Answer { attempt, .. } | Self::Nothing(attempt) => attempt,
        }
    }
}

impl Post {
    pub(super) fn new(opening: &Opening<'_>, url: SecretString, settings: &OutboundSettings) -> Result<Self, AlertError> {
        let client = |source| AlertError::Client { channel: opening.name.to_owned(), source };
        let outbound = Outbound::new(settings, opening.clock.clone()).map_err(client)?;
        outbound.check_url(&url).map_err(client)?;
        let mut redactor = Redactor::default();
        redactor.hide_url(&url);
        Ok(Self { outbound, url, verb: Verb::Post, headers: Vec::new(), redactor })
    }

    pub(super) fn to_secret(opening: &Opening<'_>, url: &SecretSource, settings: &OutboundSettings) -> Result<Self, AlertError> {
        Self::new(opening, opening.secret("url", url)?, settings)
    }

    pub(super) fn to(opening: &Opening<'_>, url: &MaybeSecret, settings: &OutboundSettings) -> Result<Self, AlertError> {
        Self::new(opening, opening.maybe_secret("url", url)?, settings)
    }

    pub(super) fn with_verb(mut self, verb: Verb) -> Self {
        self.verb = verb;
        self
    }

    /// A header of every request.
    pub(super) fn with_header(mut self, name: &str, value: &SecretString) -> Self {
        self.redactor.hide(value);
        self.headers.push((name.to_owned(), value.clone()));
        self
    }

    /// Never shows this.
    pub(super) fn hiding(mut self, secret: &SecretString) -> Self {
        self.redactor.hide(secret);
        self
    }

    /// The host, for warnings.
    pub(super) fn host(&self) -> String {
        Url::parse(self.url.expose_secret().trim()).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    /// Sends a body with further headers.
    pub(super) async fn send(&self, headers: &[(&str, String)], body: Vec<u8>) -> Heard {
        let own = headers.iter().map(|(name, value)| ((*name).to_owned(), SecretString::from(value.as_str())));
        let headers = self.headers.iter().cloned().chain(own).collect();
        let request = OutboundRequest { verb: self.verb, url: &self.url, headers, body };
        match self.outbound.send(request).await {
            Ok(OutboundReply::Answered { status, retry_after, body }) => {
                let attempt = of_status(status, retry_after, &self.redactor.excerpt(&body));
                Heard::Answer { body, attempt, status }
            }
            Ok(OutboundReply::Failed { obstacle, is_sent }) => Heard::Nothing(of_failure(&obstacle, is_sent)),
            Err(error) => Heard::Nothing(Attempt::Refused { reason: error.to_string() }),
        }
    }

    /// Sends JSON.
    pub(super) async fn send_json(&self, body: &serde_json::Value) -> Heard {
        self.send(&[("Content-Type", "application/json".to_owned())], body.to_string().into_bytes()).await
    }

    /// What a server said, fit for an error.
    pub(super) fn excerpt(&self, body: &[u8]) -> String {
        self.redactor.excerpt(body)
    }
}

//! The network: the only DNS resolver, the only HTTP client, and who listens to what mail servers say first. Owns deadlines, body caps, the
//! address guard, limits, the pace of each kind of lookup, single flight and the one retry. Knows lookups and answers, nothing of clients
//! and verdicts.

mod dial;
mod dns;
mod error;
mod failure;
mod greeting;
mod guard;
mod http;
mod journey;
mod lane;
mod limit;
mod memory;
mod message;
mod outbound;
mod outside;
mod pace;
mod proxy;
mod record;
mod redirect;
mod settings;
mod status;
mod talk;
mod tally;
#[cfg(test)]
mod tests;
mod tls;
mod token;

use std::{
    sync::{Arc, Once},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::time::sleep;

use self::{
    dial::Dialer,
    dns::Resolver,
    greeting::Greeter,
    http::Http,
    journey::{Journey, read_url},
    lane::Lanes,
    limit::{Limits, Patience},
    memory::{FAILED_FOR, Memory},
    proxy::Proxies,
    record::Told,
    redirect::{Method, Post},
    tally::Tally,
};
pub use self::{
    error::NetworkError,
    message::Bodies,
    outbound::{Outbound, OutboundError, OutboundReply, OutboundRequest, OutboundSettings, Verb, read_authorities},
    pace::{Pace, Paces},
    settings::{Alias, ConnectTo, DETOUR_PORTS, Settings},
    tally::Counters,
    token::BearerToken,
};
use crate::{
    clock::Clock,
    model::{Answer, AnswerOutcome, Lookup, LookupKind, Obstacle, Reply, Request},
};

/// What the network is made of.
#[derive(Clone)]
pub struct Parts<'a> {
    /// `[network]` of the configuration.
    pub settings: &'a Settings,
    /// Tells how long a `Retry-After` with a date still lasts.
    pub clock: Clock,
    /// What the formats demand of requests.
    pub bodies: Bodies,
}

/// Asks the network, for the length of one run: two equal requests have one answer, unless the first one's was a failure of
/// more than a minute ago. Cloned freely.
#[derive(Clone)]
pub struct Network {
    core: Arc<Core>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Network")
    }
}

struct Core {
    clock: Clock,
    bodies: Bodies,
    token: Option<BearerToken>,
    token_warning: Once,
    paces: Paces,
    retry_pause: Duration,
    hold_limit: Duration,
    dialer: Arc<Dialer>,
    http: Http,
    greeter: Greeter,
    lanes: Lanes,
    limits: Limits,
    tally: Tally,
    answers: Memory,
}

impl Network {
    /// Reads the CA files and the system's DNS servers, and opens nothing yet.
    ///
    /// # Errors
    /// [`NetworkError`], with the setting or file that is wrong and what to do.
    pub fn new(parts: Parts<'_>) -> Result<Self, NetworkError> {
        Self::behind(&Proxies::from_environment(), parts)
    }

    fn behind(proxies: &Proxies, parts: Parts<'_>) -> Result<Self, NetworkError> {
        let Parts { settings, clock, bodies } = parts;
        settings.check()?;
        if let Some(alias) = settings.aliases.first().filter(|_| proxies.any()) {
            return Err(NetworkError::AliasBehindProxy { name: alias.name.clone() });
        }
        // Fails where one is installed already, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let tls = tls::client_config(settings)?;
        let dialer = Arc::new(Dialer::new(settings, Resolver::new(settings)?, proxies.clone()));
        let core = Core {
            clock,
            bodies,
            token: settings.soap_token.clone(),
            token_warning: Once::new(),
            paces: settings.paces.clone(),
            retry_pause: Duration::from_millis(settings.retry_pause_milliseconds),
            hold_limit: Duration::from_secs(settings.hold_limit_seconds),
            http: Http::new(settings, &dialer, proxies, &tls)?,
            greeter: Greeter::new(settings, tls),
            dialer,
            lanes: Lanes::new(&settings.paces),
            limits: Limits::new(settings.concurrency, settings.host_concurrency),
            tally: Tally::default(),
            answers: Memory::new(FAILED_FOR),
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// Whether lookups of this kind are asked. What is not is answered by [`Obstacle::Withheld`].
    #[must_use]
    pub fn is_enabled(&self, kind: LookupKind) -> bool {
        self.core.paces.of(kind).enabled
    }

    /// Whether mailboxes' own settings are asked for: with a token, and where that is not switched off.
    #[must_use]
    pub fn reads_settings(&self) -> bool {
        self.core.token.is_some() && self.is_enabled(LookupKind::AutodiscoverSoap)
    }

    /// The answer to a lookup: its kind says whether and how fast it is asked, its request what. Whoever asks the same at the same time,
    /// or later in the run, shares one. What failed in passing is asked a second time after a pause, and then believed for a minute.
    pub async fn ask(&self, lookup: &Lookup) -> Arc<Answer> {
        if !self.is_enabled(lookup.kind) {
            let reply = Reply::Obstacle(Obstacle::Withheld);
            return Arc::new(Answer::unasked(reply));
        }
        let asked = async {
            let answer = self.core.ask_twice(lookup).await;
            self.core.tally.count_lookup(outcome(&answer));
            answer
        };
        self.core.answers.of(&lookup.request).get_with_by_ref(&lookup.request, Box::pin(asked)).await
    }

    /// Forgets the answers that say that something failed, so that whoever asks again has the network asked again. To be called
    /// while nobody asks.
    pub async fn forget_failures(&self) {
        for answers in self.core.answers.all() {
            for (request, answer) in answers {
                let failed = matches!(&answer.reply, Reply::Obstacle(obstacle) if obstacle.outcome() == AnswerOutcome::Failed);
                if failed {
                    answers.invalidate(request.as_ref()).await;
                }
            }
        }
    }

    /// Forgets the answer to one lookup, so that who asks again has the network asked again.
    pub async fn forget(&self, lookup: &Lookup) {
        self.core.answers.of(&lookup.request).invalidate(&lookup.request).await;
    }

    /// Asks nothing of this kind any more: its service has had enough of us. What is known stays known, all else is answered by
    /// [`Obstacle::Held`].
    pub fn leave_alone(&self, kind: LookupKind) {
        self.core.lanes.leave_alone(kind);
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.core.tally.read(self.core.dialer.resolver.queries())
    }
}

impl Core {
    async fn ask_twice(&self, lookup: &Lookup) -> Arc<Answer> {
        let mut patience = Patience(self.hold_limit);
        let first = self.attempt(lookup, &mut patience).await;
        if !is_worth_retrying(&first) {
            self.count_held(&first);
            return Arc::new(first);
        }
        sleep(self.retry_pause).await;
        let second = Answer { attempts: 2, ..self.attempt(lookup, &mut patience).await };
        self.count_held(&second);
        if is_held(&second) && second.hops.is_empty() {
            // The hold forbade the second attempt, so the first stands.
            return Arc::new(first);
        }
        self.tally.count_retry();
        Arc::new(second)
    }

    async fn attempt(&self, Lookup { kind, request, .. }: &Lookup, patience: &mut Patience) -> Answer {
        let mut journey = Journey::new(self, *kind, patience);
        let (dialer, resolver) = (&self.dialer, &self.dialer.resolver);
        let (reply, cnames) = match request {
            Request::Mx { domain } => {
                let name = domain.as_str();
                journey.resolve(async { dialer.believe(name, resolver.mx(name).await).await }.boxed()).await
            }
            Request::Srv { name } => journey.resolve(async { dialer.believe(name, resolver.srv(name).await).await }.boxed()).await,
            Request::Txt { name } => journey.resolve(async { dialer.believe(name, resolver.txt(name).await).await }.boxed()).await,
            Request::Addresses { name } => journey.resolve(async { dialer.believe(name, resolver.host(name).await).await }.boxed()).await,
            Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } | Request::Http { url, .. } => {
                self.travel(request, url, &mut journey).await
            }
            Request::Greeting { host, port, security } => journey.greet(host, (*port, *security)).await,
            Request::BuiltIn { .. } => (Reply::Obstacle(Obstacle::Withheld), Vec::new()),
        };
        let took_ms = u32::try_from(journey.took.as_millis()).unwrap_or(u32::MAX);
        Answer { reply, hops: journey.hops, cnames, attempts: 1, took_ms }
    }

    async fn travel(&self, request: &Request, url: &str, journey: &mut Journey<'_>) -> Told {
        let url = match read_url(url) {
            Ok(url) => url,
            Err(obstacle) => return (Reply::Obstacle(obstacle), Vec::new()),
        };
        let reply = match request {
            Request::Pox { address, .. } => journey.travel(url.clone(), Method::Post(Post { address, body: self.bodies.pox })).await,
            Request::Redirect { .. } => journey.ask_redirect(&url).await,
            Request::Http { message, .. } => journey.carry(message, &url).await,
            Request::Get { address, .. } => journey.travel(url.clone(), Method::Get(address.as_ref())).await,
            _ => journey.travel(url.clone(), Method::Get(None)).await,
        };
        (reply, self.dialer.cnames(&url).await)
    }

    fn count_held(&self, answer: &Answer) {
        if is_held(answer) {
            self.tally.count_held();
        }
    }
}

/// Whether a PEM file can be used as one of `network.ca_files`: certificates, at least one, none of them broken.
#[must_use]
pub fn holds_certificates(pem: &[u8]) -> bool {
    tls::parse_roots(pem).is_some()
}

/// A failure that can pass; our own refusals would come again.
fn is_worth_retrying(answer: &Answer) -> bool {
    let Reply::Obstacle(obstacle) = &answer.reply else { return false };
    let ours = matches!(
        obstacle,
        Obstacle::Held
            | Obstacle::Withheld
            | Obstacle::TooManyRedirects
            | Obstacle::RedirectDowngrade
            | Obstacle::RedirectForbidden { .. }
            | Obstacle::ForbiddenAddress { .. }
    );
    obstacle.outcome() == AnswerOutcome::Failed && !ours
}

fn is_held(answer: &Answer) -> bool {
    answer.reply == Reply::Obstacle(Obstacle::Held)
}

/// What the network can say of an answer; whether a document is what was asked for, its parser says.
fn outcome(answer: &Answer) -> AnswerOutcome {
    match &answer.reply {
        Reply::Obstacle(obstacle) => obstacle.outcome(),
        _ => AnswerOutcome::Found,
    }
}

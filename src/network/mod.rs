//! The network: the only DNS resolver and the only HTTP client. Owns deadlines, body caps, the address guard, limits,
//! single flight and the one retry. Knows requests and answers, nothing of clients and verdicts.

mod dial;
mod discretion;
mod dns;
mod failure;
mod guard;
mod http;
mod journey;
mod limit;
mod memory;
mod outbound;
mod outside;
mod proxy;
mod record;
mod redirect;
mod settings;
mod status;
mod tally;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use self::{
    dial::Dialer,
    dns::Resolver,
    http::Http,
    journey::{Journey, read_url},
    limit::{Limits, Patience},
    memory::{FAILED_FOR, Memory, memory},
    proxy::Proxies,
    redirect::{Method, Post},
    tally::Tally,
};
pub use self::{
    outbound::{Outbound, OutboundError, OutboundReply, OutboundRequest, OutboundSettings, Verb, read_authorities},
    settings::{ConnectTo, Settings},
    tally::Counters,
};
use crate::{
    clock::Clock,
    model::{Address, Answer, AnswerOutcome, Obstacle, Reply, Request},
};

/// What the network is made of.
#[derive(Clone)]
pub struct Parts<'a> {
    /// `[network]` of the configuration.
    pub settings: &'a Settings,
    /// Tells how long a `Retry-After` with a date still lasts.
    pub clock: Clock,
    /// The body of an Autodiscover request for a mailbox.
    pub pox_body: fn(&Address) -> String,
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

/// Why the network could not be set up. What remote hosts do wrong is in the answers.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A setting is out of its range.
    #[error("`network.{setting}` is {value}; set it to {least} to {most}")]
    OutOfRange {
        /// The setting's name.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// A detour is for another port than those of the web.
    #[error("`network.connect_to` has port {port}; only 80 and 443 can be led elsewhere")]
    ConnectToPort {
        /// The port.
        port: u16,
    },
    /// The contact cannot be sent in a header.
    #[error("`network.contact` is `{contact}`; use a URL or a mail address without control characters")]
    Contact {
        /// What it is.
        contact: String,
    },
    /// A CA file cannot be read.
    #[error("the CA file `{}` cannot be read; correct `network.ca_files` or the file's permissions", path.display())]
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
    /// The system names no DNS server.
    #[error("no DNS server is known to the system; name one in `network.dns_servers`")]
    SystemDns {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The HTTP client refused its settings, such as a system without any certificate authority.
    #[error("the HTTPS client cannot be set up; install the system's CA certificates, or name some in `network.ca_files`")]
    Client {
        /// Why.
        source: reqwest::Error,
    },
}

struct Core {
    clock: Clock,
    pox_body: fn(&Address) -> String,
    retry_pause: Duration,
    hold_limit: Duration,
    dialer: Arc<Dialer>,
    http: Http,
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
        let Parts { settings, clock, pox_body } = parts;
        settings.check()?;
        let dialer = Arc::new(Dialer::new(settings, Resolver::new(settings)?, proxies.clone()));
        let core = Core {
            clock,
            pox_body,
            retry_pause: Duration::from_millis(settings.retry_pause_milliseconds),
            hold_limit: Duration::from_secs(settings.hold_limit_seconds),
            http: Http::new(settings, &dialer, proxies)?,
            dialer,
            limits: Limits::new(settings.concurrency, settings.host_concurrency),
            tally: Tally::default(),
            answers: memory(FAILED_FOR),
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// The answer to a request. Whoever asks the same at the same time, or later in the run, shares one. What failed in
    /// passing is asked a second time after a pause, and then believed for a minute.
    pub async fn ask(&self, request: &Request) -> Arc<Answer> {
        let asked = async {
            let answer = self.core.ask_twice(request).await;
            self.core.tally.count_lookup(outcome(&answer));
            answer
        };
        self.core.answers.get_with_by_ref(request, Box::pin(asked)).await
    }

    /// Forgets the answers that say that something failed, so that whoever asks again has the network asked again. To be called
    /// while nobody asks.
    pub async fn forget_failures(&self) {
        let answers = &self.core.answers;
        for (request, answer) in answers {
            let failed = matches!(&answer.reply, Reply::Obstacle(obstacle) if obstacle.outcome() == AnswerOutcome::Failed);
            if failed {
                answers.invalidate(request.as_ref()).await;
            }
        }
    }

    /// Whether a kind is asked.
    #[must_use]
    pub fn is_enabled(&self, _: crate::model::LookupKind) -> bool {
        false
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.core.tally.read(self.core.dialer.resolver.queries())
    }
}

impl Core {
    async fn ask_twice(&self, request: &Request) -> Arc<Answer> {
        let mut patience = Patience(self.hold_limit);
        let first = self.attempt(request, &mut patience).await;
        if !is_worth_retrying(&first) {
            self.count_held(&first);
            return Arc::new(first);
        }
        sleep(self.retry_pause).await;
        let second = Answer { attempts: 2, ..self.attempt(request, &mut patience).await };
        self.count_held(&second);
        if is_held(&second) && second.hops.is_empty() {
            // The hold forbade the second attempt, so the first stands.
            return Arc::new(first);
        }
        self.tally.count_retry();
        Arc::new(second)
    }

    async fn attempt(&self, request: &Request, patience: &mut Patience) -> Answer {
        let start = Instant::now();
        let ((reply, cnames), took, hops) = match request {
            Request::Mx { domain } => {
                let told = self.dialer.resolver.mx(domain.as_str()).await;
                (self.dialer.believe(domain.as_str(), told).await, start.elapsed(), Vec::new())
            }
            Request::Srv { name } => {
                let told = self.dialer.resolver.srv(name).await;
                (self.dialer.believe(name, told).await, start.elapsed(), Vec::new())
            }
            Request::Txt { .. } | Request::Http { .. } | Request::Greeting { .. } | Request::BuiltIn { .. } => {
                ((Reply::Obstacle(Obstacle::Held), Vec::new()), start.elapsed(), Vec::new())
            }
            Request::Addresses { name } => (self.dialer.resolver.host(name).await, start.elapsed(), Vec::new()),
            Request::Get { url, .. } | Request::Redirect { url } | Request::Pox { url, .. } => {
                let mut journey = Journey::new(self, patience);
                let told = self.travel(request, url, &mut journey).await;
                (told, journey.took, journey.hops)
            }
        };
        Answer { reply, hops, cnames, attempts: 1, took_ms: u32::try_from(took.as_millis()).unwrap_or(u32::MAX) }
    }

    async fn travel(&self, request: &Request, url: &str, journey: &mut Journey<'_>) -> (Reply, Vec<String>) {
        let url = match read_url(url) {
            Ok(url) => url,
            Err(obstacle) => return (Reply::Obstacle(obstacle), Vec::new()),
        };
        let reply = match request {
            Request::Pox { address, .. } => journey.travel(url.clone(), Method::Post(Post { address, body: self.pox_body })).await,
            Request::Redirect { .. } => journey.ask_redirect(&url).await,
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
    http::parse_roots(pem).is_some()
}

/// A failure that can pass; our own refusals would come again.
fn is_worth_retrying(answer: &Answer) -> bool {
    let Reply::Obstacle(obstacle) = &answer.reply else { return false };
    let ours = matches!(
        obstacle,
        Obstacle::Held
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

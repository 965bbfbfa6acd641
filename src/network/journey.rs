//! One attempt at a lookup. On the web, hop by hop: the way is checked, a turn is waited for, the request is sent, the redirect is
//! judged. Keeps the evidence. Knows nothing of the second attempt.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::{StatusCode, header::LOCATION};
use tokio::time::{Instant, sleep};
use tracing::trace;
use url::Url;

use super::{
    Core,
    http::Heard,
    lane::Broken,
    limit::{OnHold, Patience},
    message::Outgoing,
    record::Told,
    redirect::{Method, Trail, strip, target},
    status::{obstacle_of, reply_of, reply_of_any, retry_after, text},
};
use crate::model::{Hop, LookupKind, Message, Obstacle, Reply, normalise_host};

/// The evidence of one attempt.
pub(super) struct Journey<'a> {
    pub(super) core: &'a Core,
    pub(super) kind: LookupKind,
    pub(super) patience: &'a mut Patience,
    pub(super) hops: Vec<Hop>,
    pub(super) took: Duration,
}

impl<'a> Journey<'a> {
    pub(super) fn new(core: &'a Core, kind: LookupKind, patience: &'a mut Patience) -> Self {
        Self { core, kind, patience, hops: Vec::new(), took: Duration::ZERO }
    }

    /// Asks DNS.
    pub(super) async fn resolve(&mut self, asked: BoxFuture<'_, Told>) -> Told {
        let Ok(_pass) = self.core.lanes.enter(self.kind).await else { return (Reply::Obstacle(Obstacle::Held), Vec::new()) };
        let start = Instant::now();
        let told = asked.await;
        self.took = start.elapsed();
        told
    }

    /// Sends the request and follows redirects by the rules.
    pub(super) async fn travel(&mut self, start: Url, method: Method<'_>) -> Reply {
        let (origin, mut here, mut trail) = (start.clone(), start.clone(), Trail::new(start));
        loop {
            let heard = match self.hop(&here, Outgoing::of_method(method, &here)).await {
                Ok(heard) => heard,
                Err(Obstacle::ForbiddenAddress { address }) if here != origin => {
                    return Reply::Obstacle(Obstacle::RedirectForbidden { address });
                }
                Err(obstacle) => return Reply::Obstacle(obstacle),
            };
            let location = heard.headers.contains_key(LOCATION).then(|| text(&heard.headers, &LOCATION));
            match location.filter(|_| method.follows(heard.status)).map(|location| trail.follow(&location, method)) {
                Some(Ok(next)) => here = next,
                Some(Err(obstacle)) => return Reply::Obstacle(obstacle),
                None => return arrive(heard),
            }
        }
    }

    /// Sends the request once and tells only where it redirects to (MS-OXDISCO section 3.1.5).
    pub(super) async fn ask_redirect(&mut self, url: &Url) -> Reply {
        let heard = match self.hop(url, Outgoing::of_method(Method::Get(None), url)).await {
            Ok(heard) => heard,
            Err(obstacle) => return Reply::Obstacle(obstacle),
        };
        if heard.status.is_server_error() || matches!(heard.status.as_u16(), 407 | 429) {
            return Reply::Obstacle(obstacle_of(heard.status, &heard.headers));
        }
        let location = text(&heard.headers, &LOCATION);
        match target(url, &location) {
            Ok(target) if Method::Get(None).follows(heard.status) && target.scheme() == "https" => Reply::Redirect(target.into()),
            _ => Reply::Obstacle(Obstacle::NoRedirect),
        }
    }

    /// Carries a message to a URL, and takes what is answered. A service that says that it is still searching is asked again.
    pub(super) async fn carry(&mut self, message: &Message, url: &Url) -> Reply {
        let mut asked_again = 0;
        loop {
            let heard = match self.core.compose(message, url).await {
                Ok(outgoing) => self.hop(url, outgoing).await,
                Err(obstacle) => Err(obstacle),
            };
            let heard = match heard {
                Ok(heard) => heard,
                Err(obstacle) => return Reply::Obstacle(obstacle),
            };
            let is_searching = matches!(message, Message::Detect { .. }) && heard.status == StatusCode::ACCEPTED;
            if is_searching && asked_again < MOST_POLLS && self.wait_for(&heard).await {
                asked_again += 1;
                // how often it was asked is chance: equal answers stay equal
                self.hops.pop();
                continue;
            }
            let is_soap = matches!(message, Message::UserSettings { .. });
            if is_soap && heard.status == StatusCode::UNAUTHORIZED {
                self.core.note_refused_token();
            }
            return reply_of_any((heard.status, &heard.headers), heard.body, (url, self.core.clock.now(), is_soap));
        }
    }

    /// Waits until a search may have come to its end; `false` where there is no patience left for that.
    async fn wait_for(&mut self, heard: &Heard) -> bool {
        let pause = retry_after(&heard.headers, self.core.clock.now()).unwrap_or(POLL_PAUSE);
        let may = self.patience.spend(pause).is_ok();
        if may {
            sleep(pause).await;
        }
        may
    }

    async fn hop(&mut self, url: &Url, outgoing: Outgoing) -> Result<Heard, Obstacle> {
        let core = self.core;
        let host = url.host_str().map(normalise_host).unwrap_or_default();
        let start = Instant::now();
        let way = core.dialer.check(url).await;
        self.took += start.elapsed();
        way?;
        let pass = core.lanes.enter(self.kind).await.map_err(|Broken| Obstacle::Held)?;
        let turn = core.limits.turn(&host, self.patience).await.map_err(|OnHold| Obstacle::Held)?;
        core.tally.count_request();
        let start = Instant::now();
        let heard = core.http.exchange(url, outgoing).await;
        self.took += start.elapsed();
        if let Ok(heard) = &heard {
            core.lanes.note(self.kind, heard.status.as_u16());
            if let Some(pause) = heard.pause(core.clock.now()) {
                core.limits.hold(&host, pause);
            }
        }
        drop((turn, pass));
        if let Ok(body) = heard.as_ref().map_err(|_| ()).and_then(|heard| heard.body.as_ref().map_err(|_| ())) {
            core.tally.count_bytes(body.len());
        }
        let hop = hop_of(url, &heard);
        trace!(url = hop.url, status = hop.status, location = hop.location, "http");
        self.hops.push(hop);
        if may_be_of_proxy(url, &heard)
            && let Some(absent) = core.dialer.absence_behind_proxy(&host).await
        {
            return Err(absent);
        }
        heard
    }
}

/// Reads the URL of a request. A URL that cannot be (a host name from a record may be anything) names nothing that exists.
pub(super) fn read_url(text: &str) -> Result<Url, Obstacle> {
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(Obstacle::NxDomain)?;
    strip(&mut url);
    Ok(url)
}

fn arrive(heard: Heard) -> Reply {
    match heard.body {
        Ok(body) => reply_of(heard.status, &heard.headers, body),
        Err(obstacle) => Reply::Obstacle(obstacle),
    }
}

/// Whether a proxy may have said this because it knows no such host: by refusing the tunnel, or, over plain http, in the host's
/// place (RFC 9110 sections 15.6.3 to 15.6.5). A 407 is about the proxy alone.
fn may_be_of_proxy(url: &Url, heard: &Result<Heard, Obstacle>) -> bool {
    match heard {
        Ok(heard) => url.scheme() == "http" && matches!(heard.status.as_u16(), 502..=504),
        Err(obstacle) => *obstacle == Obstacle::Unreachable,
    }
}

fn hop_of(url: &Url, heard: &Result<Heard, Obstacle>) -> Hop {
    let status = heard.as_ref().ok().map(|heard| heard.status.as_u16());
    let location = heard.as_ref().ok().filter(|heard| heard.headers.contains_key(LOCATION)).map(|heard| {
        let mut location = text(&heard.headers, &LOCATION);
        location.truncate(location.floor_char_boundary(LOCATION_CAP));
        location
    });
    Hop { url: url.to_string(), status, location }
}

/// Times that a search is asked for again.
const MOST_POLLS: u32 = 5;
const POLL_PAUSE: Duration = Duration::from_secs(2);
/// 2 KiB of a Location are evidence enough.
const LOCATION_CAP: usize = 2048;

//! Where a connection goes: detours of the settings (`connect_to`), else the addresses that DNS gives and the guard permits.
//! The hook through which the HTTP client resolves every name. Knows nothing of HTTP.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use moka::future::Cache;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host as UrlHost, Url};

use super::{ConnectTo, Settings, dns::Resolver, guard::Guard, proxy::Proxies, record::Host};
use crate::model::{AnswerOutcome, Obstacle, normalise_host};

/// Knows the way to every host.
pub(super) struct Dialer {
    pub(super) resolver: Resolver,
    guard: Guard,
    detours: Vec<ConnectTo>,
    proxies: Proxies,
    /// What DNS said of a host, unless that was a failure.
    known: Cache<String, Result<Arc<Host>, Obstacle>>,
}

/// The hook of one client. It is told the name alone, so there is one client per scheme, and the port is known by it.
pub(super) struct Hook {
    pub(super) dialer: Arc<Dialer>,
    /// The scheme's port; `None` for URLs that name another one, which the client takes over any that is found here, so that
    /// a detour would open all ports of where it leads.
    pub(super) port: Option<u16>,
}

/// An obstacle on its way out of the client.
#[derive(Debug)]
pub(super) struct Blocked(pub(super) Obstacle);

impl Dialer {
    pub(super) fn new(settings: &Settings, resolver: Resolver, proxies: Proxies) -> Self {
        let mut detours = settings.connect_to.clone();
        for detour in &mut detours {
            detour.host = detour.host.as_deref().map(normalise_host);
        }
        let known = Cache::builder().max_capacity(KNOWN_HOSTS).time_to_live(KNOWN_FOR).build();
        Self { resolver, guard: Guard::new(settings.allow_networks.clone()), detours, proxies, known }
    }

    /// Checks the way to a URL before a request is sent: an address in the URL never reaches the hook, and a name is
    /// resolved here so that DNS has its own deadline. Behind a proxy, names are left to the proxy.
    pub(super) async fn check(&self, url: &Url) -> Result<(), Obstacle> {
        let name = match url.host() {
            Some(UrlHost::Domain(name)) => normalise_host(name),
            Some(UrlHost::Ipv4(address)) => return self.guard.admit(&[address.into()]).map(drop),
            Some(UrlHost::Ipv6(address)) => return self.guard.admit(&[address.into()]).map(drop),
            None => return Err(Obstacle::NxDomain),
        };
        let port = if url.port().is_none() { url.port_or_known_default() } else { None };
        let has_detour = self.detour(&name, port).is_some_and(|detour| detour.to_address.is_some());
        if has_detour || self.is_proxied(&name) {
            return Ok(());
        }
        // Where the target is a proxy's own host, the hook would let it pass, so it is judged here.
        self.guard.admit(&self.find(&name).await?.addresses).map(drop)
    }

    /// Whether a proxy stands before a host, so that it resolves the name, and not we.
    pub(super) fn is_proxied(&self, name: &str) -> bool {
        self.proxies.any() && !self.proxies.contains(name)
    }

    /// The chain of CNAMEs of a host that was asked about before.
    pub(super) async fn cnames(&self, url: &Url) -> Vec<String> {
        match url.host() {
            Some(UrlHost::Domain(name)) => self.cnames_of(name).await,
            _ => Vec::new(),
        }
    }

    /// The same, for a name.
    pub(super) async fn cnames_of(&self, name: &str) -> Vec<String> {
        match self.known.get(&normalise_host(name)).await {
            Some(Ok(host)) => host.cnames.clone(),
            _ => Vec::new(),
        }
    }

    /// What DNS says, asked once at a time and kept for a while; a failure is not kept.
    pub(super) async fn find(&self, name: &str) -> Result<Arc<Host>, Obstacle> {
        let asked = self.known.try_get_with_by_ref(name, async {
            match self.resolver.addresses(name).await {
                Ok(host) => Ok(Ok(Arc::new(host))),
                Err(failure) if failure.outcome() == AnswerOutcome::Failed => Err(failure),
                Err(definite) => Ok(Err(definite)),
            }
        });
        asked.await.unwrap_or_else(|failure| Err(failure.as_ref().clone()))
    }

    /// Where a mail server is reached, whose name may be an address.
    pub(super) async fn way_to_mail(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Obstacle> {
        if self.proxies.any() {
            return Err(Obstacle::Withheld);
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(sockets(&self.guard.admit(&[address])?, port));
        }
        let mut way = self.way(&normalise_host(name), Some(port)).await?;
        way.iter_mut().filter(|socket| socket.port() == SCHEME_PORT).for_each(|socket| socket.set_port(port));
        Ok(way)
    }

    async fn way(&self, name: &str, port: Option<u16>) -> Result<Vec<SocketAddr>, Obstacle> {
        if self.proxies.contains(name) {
            return Ok(sockets(&self.find(name).await?.addresses, SCHEME_PORT));
        }
        let detour = self.detour(name, port);
        let to_port = detour.and_then(|detour| detour.to_port).unwrap_or(SCHEME_PORT);
        match detour.and_then(|detour| detour.to_address) {
            Some(address) => Ok(vec![SocketAddr::new(address, to_port)]),
            None => Ok(sockets(&self.guard.admit(&self.find(name).await?.addresses)?, to_port)),
        }
    }

    fn detour(&self, name: &str, port: Option<u16>) -> Option<&ConnectTo> {
        self.detours.iter().find(|detour| Some(detour.port) == port && detour.host.as_deref().is_none_or(|host| host == name))
    }
}

fn sockets(addresses: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
}

impl Resolve for Hook {
    fn resolve(&self, name: Name) -> Resolving {
        let (dialer, port) = (Arc::clone(&self.dialer), self.port);
        Box::pin(async move {
            let way = dialer.way(&normalise_host(name.as_str()), port).await.map_err(Blocked)?;
            Ok(Box::new(way.into_iter()) as Addrs)
        })
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Blocked {}

/// Stands for the port of the URL's scheme (`reqwest::dns::Resolve`).
const SCHEME_PORT: u16 = 0;
const KNOWN_HOSTS: u64 = 100_000;
const KNOWN_FOR: Duration = Duration::from_mins(10);

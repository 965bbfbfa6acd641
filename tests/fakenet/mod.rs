//! An internet on loopback: DNS over UDP and TCP, HTTP, and HTTPS by SNI with an authority of its own. What is in it, and
//! what goes wrong in it, is a [`Net`]; a [`world::World`] is a net with tenants and what must be found out about them.
//!
//! Every host is at 127.0.0.1, on one port for HTTP and one for HTTPS, and on one for each mail server: `[network] connect_to` leads 80,
//! 443 and the ports of mail there.
//! 127.0.0.9 refuses connections, 127.255.255.255 cannot be reached.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "part of several test binaries, each of which uses its own share"
)]

mod act;
mod dns;
mod http;
pub mod mail;
pub mod microsoft;
pub mod net;
pub mod office;
mod seen;
pub mod sink;
pub mod site;
mod tls;
pub mod world;
pub mod zone;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use autodiscover_audit::network::{ConnectTo, DETOUR_PORTS, Pace, Paces, Settings};
use tokio::{net::TcpListener, runtime::Runtime, task::JoinSet};

use net::{Net, Present};
pub use seen::Seen;
use world::World;

/// The servers; they stop when it is dropped.
pub struct Fakenet {
    shared: Arc<Shared>,
    dns: SocketAddr,
    http: SocketAddr,
    https: SocketAddr,
    mail: Vec<ConnectTo>,
    directory: tempfile::TempDir,
    tasks: JoinSet<()>,
    runtime: Option<Runtime>,
}

/// What the servers share.
struct Shared {
    net: Present,
    tls: Arc<rustls::ServerConfig>,
    log: seen::Log,
    keeps_seen: AtomicBool,
    dns_requests: AtomicU64,
    http_requests: AtomicU64,
    v2_requests: AtomicU64,
    connections: AtomicU64,
}

impl Fakenet {
    /// Starts the servers of a world on the present runtime.
    pub async fn start(world: &World) -> Self {
        Self::start_net(&world.net).await
    }

    /// Starts the servers of a net on the present runtime.
    pub async fn start_net(net: &Arc<Net>) -> Self {
        let (udp, tcp, dns) = dns::bind().await.unwrap();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let https = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [http.local_addr().unwrap(), https.local_addr().unwrap()];
        let authority = Arc::new(tls::Authority::new());
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(CA_FILE), authority.pem()).unwrap();
        let present = Present::of(net);
        let shared = Arc::new(Shared {
            tls: tls::server_config(authority, present.clone()),
            net: present,
            log: seen::Log::default(),
            keeps_seen: AtomicBool::new(true),
            dns_requests: AtomicU64::new(0),
            http_requests: AtomicU64::new(0),
            v2_requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(dns::serve_udp(udp, Arc::clone(&shared)));
        tasks.spawn(dns::serve_tcp(tcp, Arc::clone(&shared)));
        tasks.spawn(http::serve(http, Arc::clone(&shared), false));
        tasks.spawn(http::serve(https, Arc::clone(&shared), true));
        let mut mail = Vec::new();
        for ((host, port), service) in &net.mail {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let to_port = Some(listener.local_addr().unwrap().port());
            mail.push(ConnectTo { host: Some(host.clone()), port: *port, to_address: None, to_port });
            tasks.spawn(mail::serve(listener, service.clone(), Arc::clone(&shared)));
        }
        Self { shared, dns, http: addresses[0], https: addresses[1], mail, directory, tasks, runtime: None }
    }

    /// From now on another net is there; open connections go on.
    pub fn become_net(&self, net: &Arc<Net>) {
        self.shared.net.change(net);
    }

    /// Starts the servers on threads of their own: for a binary, a benchmark, a runtime that is measured.
    pub fn start_beside(net: &Arc<Net>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut started = runtime.block_on(Self::start_net(net));
        started.runtime = Some(runtime);
        Ok(started)
    }

    /// The settings with which `network` finds this internet and no other. Everything is quick: a host that stays silent
    /// costs two seconds an attempt.
    pub fn network_settings(&self) -> Settings {
        Settings {
            dns_servers: vec![self.dns],
            ca_files: vec![self.ca_file()],
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            connect_timeout_seconds: 2,
            timeout_seconds: 2,
            dns_timeout_seconds: 2,
            retry_pause_milliseconds: 10,
            hold_limit_seconds: 2,
            paces: at_once(),
            connect_to: self.detours(),
            ..Settings::default()
        }
    }

    /// To the web, to the mail servers, and for mail everywhere else to a port where nobody listens.
    fn detours(&self) -> Vec<ConnectTo> {
        let all = |port, to| ConnectTo { host: None, port, to_address: None, to_port: Some(to) };
        let web = [all(443, self.https.port()), all(80, self.http.port())];
        let nobody = DETOUR_PORTS.into_iter().filter(|port| !matches!(port, 80 | 443)).map(|port| all(port, NOBODY));
        web.into_iter().chain(self.mail.iter().cloned()).chain(nobody).collect()
    }

    /// The same as the table `[network]` of a configuration file.
    pub fn network_toml(&self) -> String {
        let detour = |ConnectTo { host, port, to_port, .. }: &ConnectTo| {
            let host = host.as_ref().map_or_else(String::new, |host| format!("host = '{host}', "));
            format!("{{ {host}port = {port}, to_port = {} }}", to_port.unwrap_or(*port))
        };
        let detours: Vec<String> = self.detours().iter().map(detour).collect();
        format!(
            r#"[network]
dns_servers = ["{dns}"]
ca_files = ['{ca_file}']
allow_networks = ["127.0.0.0/8"]
connect_timeout_seconds = 2
timeout_seconds = 2
dns_timeout_seconds = 2
retry_pause_milliseconds = 10
hold_limit_seconds = 2
connect_to = [{detours}]
"#,
            dns = self.dns,
            ca_file = self.ca_file().display(),
            detours = detours.join(", "),
        )
    }

    /// The paces of [`Self::network_settings`] as the `[lookups]` table of a configuration file.
    pub fn lookups_toml() -> String {
        let line = |kind| format!("{kind} = {{ concurrency = 0, requests_per_second = 0.0 }}\n");
        format!("[lookups]\n{}", Paces::kinds().map(line).collect::<String>())
    }

    /// The authority's certificate, PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join(CA_FILE)
    }

    /// A directory that lives as long as the servers; for configurations, lists and databases of a test.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn dns_address(&self) -> SocketAddr {
        self.dns
    }

    pub fn http_address(&self) -> SocketAddr {
        self.http
    }

    pub fn https_address(&self) -> SocketAddr {
        self.https
    }

    /// Every HTTP request so far, at most 20,000.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.log.all()
    }

    /// Forgets the requests so far.
    pub fn forget_seen(&self) {
        self.shared.log.clear();
    }

    /// Whether requests are kept; they are, unless it is switched off.
    pub fn keep_seen(&self, keep: bool) {
        self.shared.keeps_seen.store(keep, Ordering::Relaxed);
    }

    /// DNS queries so far.
    pub fn dns_requests(&self) -> u64 {
        self.shared.dns_requests.load(Ordering::Relaxed)
    }

    /// HTTP requests so far.
    pub fn http_requests(&self) -> u64 {
        self.shared.http_requests.load(Ordering::Relaxed)
    }

    /// Those of them that Autodiscover v2 was asked.
    pub fn v2_requests(&self) -> u64 {
        self.shared.v2_requests.load(Ordering::Relaxed)
    }

    /// Connections to the HTTP and HTTPS ports so far.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Fakenet {
    fn drop(&mut self) {
        self.tasks.abort_all();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Every kind of lookup that is asked by default, as fast as may be.
fn at_once() -> Paces {
    let mut paces = Paces::default();
    for kind in Paces::kinds() {
        paces.set(kind, Pace { concurrency: 0, requests_per_second: 0.0, ..Pace::of(kind) });
    }
    paces
}

const CA_FILE: &str = "ca.pem";
/// The port multiplexer of 1988 (RFC 1078).
const NOBODY: u16 = 1;

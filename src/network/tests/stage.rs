//! A DNS server, a web server on either port, and a network that reaches them by their true names.

use std::sync::Arc;

use hickory_resolver::proto::op::ResponseCode;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use tempfile::TempDir;

use super::{
    super::{Bodies, ConnectTo, Network, NetworkError, Parts, Settings, proxy::Proxies},
    dns_server::{DnsServer, Say, Zone, ip},
    web_server::{Act, Seen, WebServer},
};
use crate::{
    clock::Clock,
    model::{Address, Answer, Lookup, LookupKind, Obstacle, Reply, Request},
};

/// Names that the server's certificate is for.
const NAMES: [&str; 7] = [
    "contoso.com",
    "*.contoso.com",
    "fabrikam.com",
    "*.fabrikam.com",
    "outlook.office365.com",
    "autodiscover-s.outlook.com",
    "outlook.office365.com.fabrikam.com",
];

pub(super) struct Stage {
    pub(super) dns: DnsServer,
    pub(super) plain: WebServer,
    pub(super) secure: WebServer,
    pub(super) settings: Settings,
    pub(super) files: TempDir,
}

impl Stage {
    /// Every name is at 127.0.0.1, which may be reached.
    pub(super) async fn new(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self::with_zone(Zone::default().anything(Say::Records(vec![ip("127.0.0.1")])), script).await
    }

    pub(super) async fn with_zone(zone: Zone, script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        let script: super::web_server::Script = Arc::new(script);
        let dns = DnsServer::start(zone).await;
        let plain = WebServer::start(None, Arc::clone(&script)).await;
        let secure = WebServer::start(Some(authority.server(&NAMES)), script).await;
        let files = tempfile::tempdir().unwrap();
        let ca_file = files.path().join("ca.pem");
        std::fs::write(&ca_file, &authority.pem).unwrap();
        let mut settings = settings_for(&dns);
        settings.ca_files = vec![ca_file];
        settings.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        settings.connect_to = vec![detour(80, plain.address.port()), detour(443, secure.address.port())];
        Self { dns, plain, secure, settings, files }
    }

    /// Leads https elsewhere.
    pub(super) fn https_at(&mut self, port: u16) {
        self.settings.connect_to = vec![detour(80, self.plain.address.port()), detour(443, port)];
    }

    pub(super) fn network(&self) -> Network {
        network(&self.settings).unwrap()
    }

    pub(super) async fn get(&self, url: &str) -> Arc<Answer> {
        self.network().ask(&get(url)).await
    }
}

/// One DNS server, short deadlines, no pause.
pub(super) fn settings_for(dns: &DnsServer) -> Settings {
    Settings {
        dns_servers: vec![dns.address],
        connect_timeout_seconds: 2,
        timeout_seconds: 2,
        dns_timeout_seconds: 1,
        retry_pause_milliseconds: 0,
        ..Settings::default()
    }
}

pub(super) fn detour(port: u16, to_port: u16) -> ConnectTo {
    ConnectTo { host: None, port, to_address: None, to_port: Some(to_port) }
}

pub(super) fn network(settings: &Settings) -> Result<Network, NetworkError> {
    network_behind(&Proxies::default(), settings)
}

pub(super) fn network_behind(proxies: &Proxies, settings: &Settings) -> Result<Network, NetworkError> {
    Network::behind(proxies, Parts { settings, clock: Clock::system(), bodies: BODIES })
}

const BODIES: Bodies = Bodies {
    pox: |address| format!("<Autodiscover>{address}</Autodiscover>"),
    mobilesync: |address| format!("<Mobilesync>{address}</Mobilesync>"),
    credential_type: |address| format!("{{\"username\":\"{address}\"}}"),
    user_settings: |url, addresses| {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        format!("<UserSettings to=\"{url}\">{}</UserSettings>", addresses.join(" "))
    },
    user_settings_action: "\"http://action.example\"",
    detect_header: "X-Email",
};

/// A lookup of a kind without limits.
pub(super) fn of(request: Request) -> Lookup {
    of_kind(LookupKind::OwnAutoconfig, request)
}

pub(super) fn of_kind(kind: LookupKind, request: Request) -> Lookup {
    Lookup { kind, asked: request.asked(), request }
}

pub(super) fn get(url: &str) -> Lookup {
    of(Request::Get { url: url.to_owned(), address: None })
}

pub(super) fn pox(url: &str) -> Lookup {
    of(Request::Pox { url: url.to_owned(), address: address() })
}

pub(super) fn address() -> Address {
    Address::parse("anna@contoso.com").unwrap()
}

pub(super) fn obstacle(answer: &Arc<Answer>) -> &Obstacle {
    match &answer.reply {
        Reply::Obstacle(obstacle) => obstacle,
        other => panic!("no obstacle, but {other:?}"),
    }
}

pub(super) fn body(answer: &Arc<Answer>) -> &str {
    match &answer.reply {
        Reply::Document(document) => std::str::from_utf8(&document.body).unwrap(),
        other => panic!("no document, but {other:?}"),
    }
}

pub(super) fn nxdomain() -> Say {
    Say::Code(ResponseCode::NXDomain)
}

/// A certificate authority.
pub(super) struct Authority {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        Self::named("Test Authority")
    }

    pub(super) fn named(name: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new(Vec::new()).unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    pub(super) fn server(&self, names: &[&str]) -> Arc<rustls::ServerConfig> {
        self.server_with(names, |_| {})
    }

    pub(super) fn expired(&self, names: &[&str]) -> Arc<rustls::ServerConfig> {
        self.server_with(names, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        })
    }

    pub(super) fn server_with(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> Arc<rustls::ServerConfig> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new(names).unwrap());
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        config(&certificate, &key)
    }
}

/// A certificate that nobody vouches for.
pub(super) fn self_signed(names: &[&str], is_ca: IsCa) -> Arc<rustls::ServerConfig> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let (key, mut params) = (KeyPair::generate().unwrap(), CertificateParams::new(names).unwrap());
    params.is_ca = is_ca;
    config(&params.self_signed(&key).unwrap(), &key)
}

fn config(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<rustls::ServerConfig> {
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

//! Certificates: an authority made at start, and leaves made when a name is first asked for.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SerialNumber,
    date_time_ymd,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::PrivateKeyDer,
    server::{ClientHello, ResolvesServerCert},
    sign::{CertifiedKey, SigningKey},
};

use super::{net::Present, site::Tls};

/// The authority, with the leaves that it has made.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    key: KeyPair,
    signing: Arc<dyn SigningKey>,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Authority {
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name.push(DnType::CommonName, "Fakenet");
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signing = aws_lc_rs::sign::any_supported_type(&der).unwrap();
        Self { issuer, key, signing, leaves: Mutex::default() }
    }

    /// The authority's certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// The leaf for a name, as the site wants it.
    pub fn leaf(&self, name: &str, tls: &Tls) -> Arc<CertifiedKey> {
        let key = format!("{name} {tls:?}");
        let mut leaves = self.leaves.lock().unwrap();
        let serial = leaves.len() as u64 + FIRST_SERIAL;
        Arc::clone(leaves.entry(key).or_insert_with(|| Arc::new(self.issue(name, tls, serial))))
    }

    /// A serial number of its own (RFC 5280 section 4.1.2.2); NSS refuses a second certificate of one issuer and serial.
    fn issue(&self, name: &str, tls: &Tls, serial: u64) -> CertifiedKey {
        let names = if let Tls::Names(names) = tls { names.clone() } else { vec![name.to_owned()] };
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.serial_number = Some(SerialNumber::from(serial));
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        match tls {
            Tls::Expired => {
                parameters.not_before = date_time_ymd(2001, 1, 1);
                parameters.not_after = date_time_ymd(2002, 1, 1);
            }
            Tls::OtherPurpose => parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            _ => {}
        }
        let leaf = match tls {
            Tls::SelfSigned => parameters.self_signed(&self.key),
            _ => parameters.signed_by(&self.key, &self.issuer),
        };
        CertifiedKey::new(vec![leaf.unwrap().der().clone()], Arc::clone(&self.signing))
    }
}

/// A server's side of TLS that shows each host's own certificate.
pub fn server_config(authority: Arc<Authority>, net: Present) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(ByName { authority, net }));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

struct ByName {
    authority: Arc<Authority>,
    net: Present,
}

impl fmt::Debug for ByName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ByName")
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().unwrap_or("localhost").to_ascii_lowercase();
        let (name, site) = self.net.net().site(&asked);
        Some(self.authority.leaf(&name, &site.tls))
    }
}

const FIRST_SERIAL: u64 = 0x1000;

//! Certificates, and what keeps a network from being set up.

use std::sync::Arc;

use rcgen::{BasicConstraints, IsCa};

use super::{
    super::{NetworkError, Pace, Settings},
    stage::{Authority, Stage, body, network, obstacle, self_signed},
    web_server::{WebServer, xml},
};
use crate::model::{LookupKind, Obstacle};

const URL: &str = "https://autoconfig.contoso.com/";

#[tokio::test]
async fn every_certificate_that_is_refused_has_its_obstacle() {
    let mut stage = Stage::new(|_| xml("<a/>")).await;
    let (known, stranger) = (Authority::new(), Authority::named("Another Authority"));
    let ca_file = stage.files.path().join("known.pem");
    std::fs::write(&ca_file, &known.pem).unwrap();
    stage.settings.ca_files = vec![ca_file];
    let names = ["autoconfig.contoso.com"];
    let for_clients = known.server_with(&names, |params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]);
    for (config, expected) in [
        (known.server(&["autoconfig.fabrikam.com"]), Obstacle::CertificateName),
        (known.expired(&names), Obstacle::CertificateExpired),
        (known.server_with(&names, |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1)), Obstacle::CertificateExpired),
        (stranger.server(&names), Obstacle::CertificateUntrusted),
        (Authority::new().server(&names), Obstacle::CertificateUntrusted),
        (self_signed(&names, IsCa::NoCa), Obstacle::CertificateUntrusted),
        // As `openssl req -x509` makes them: refused as an authority's own certificate before anybody looks for the issuer.
        (self_signed(&names, IsCa::Ca(BasicConstraints::Unconstrained)), Obstacle::CertificateOther),
        (for_clients, Obstacle::CertificateOther),
    ] {
        let server = WebServer::start(Some(config), Arc::new(|_| xml("<a/>"))).await;
        stage.https_at(server.address.port());
        let answer = stage.get(URL).await;
        assert_eq!((obstacle(&answer), answer.attempts, answer.hops[0].status), (&expected, 1, None));
    }
    let server = WebServer::start(Some(known.server(&names)), Arc::new(|_| xml("<a/>"))).await;
    stage.https_at(server.address.port());
    assert_eq!(body(&stage.get(URL).await), "<a/>");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_by_name() {
    let stage = Stage::new(|_| xml("<a/>")).await;
    let (missing, broken) = (stage.files.path().join("missing.pem"), stage.files.path().join("broken.pem"));
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let empty = stage.files.path().join("empty.pem");
    std::fs::write(&empty, "nothing here").unwrap();
    let base = || stage.settings.clone();
    let mut crowded = base();
    crowded.paces.set(LookupKind::Jmap, Pace { enabled: true, concurrency: 65, requests_per_second: 0.0 });
    let fails = |settings: Settings| network(&settings).err().map(|error| error.to_string()).unwrap_or_default();
    for (settings, words) in [
        (Settings { ca_files: vec![missing], ..base() }, ["missing.pem", "network.ca_files"]),
        (Settings { ca_files: vec![broken], ..base() }, ["broken.pem", "PEM"]),
        (Settings { ca_files: vec![empty], ..base() }, ["empty.pem", "PEM"]),
        (Settings { contact: "a\nb".into(), ..base() }, ["network.contact", "URL"]),
        (Settings { concurrency: 0, ..base() }, ["network.concurrency", "1 to 1024"]),
        (Settings { dns_timeout_seconds: 31, ..base() }, ["network.dns_timeout_seconds", "1 to 30"]),
        (Settings { hold_limit_seconds: 901, ..base() }, ["network.hold_limit_seconds", "0 to 900"]),
        (Settings { connect_to: vec![super::stage::detour(8080, 1)], ..base() }, ["network.connect_to", "8080"]),
        (crowded, ["lookups.jmap.concurrency", "0 to 64"]),
    ] {
        let text = fails(settings);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    assert!(matches!(network(&Settings { timeout_seconds: 0, ..base() }), Err(NetworkError::OutOfRange { .. })));
}

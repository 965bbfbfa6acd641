//! The world has an entry for everything that can come out, and does not contradict itself.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use autodiscover_audit::{
    clients::ClientTable,
    model::{Cause, Obstacle, Protocols, Verdict},
};

use crate::fakenet::{
    Fakenet,
    world::{
        World, WorldMailbox,
        bench::bench,
        drift::{entry_outage, provider_autoconfig},
        past::of_2014,
        today::today,
    },
};

fn worlds() -> [(&'static str, World); 5] {
    [
        ("today", today()),
        ("of 2014", of_2014()),
        ("entry outage", entry_outage()),
        ("provider autoconfig", provider_autoconfig()),
        ("bench", bench(8, 20)),
    ]
}

/// One of each; a new variant does not compile until it is named here.
fn every_obstacle() -> Vec<Obstacle> {
    let all = vec![
        Obstacle::NxDomain,
        Obstacle::NoData,
        Obstacle::NotOffered,
        Obstacle::ServFail,
        Obstacle::DnsCode { code: String::new() },
        Obstacle::DnsTimeout,
        Obstacle::DnsBroken,
        Obstacle::ConnectionRefused,
        Obstacle::ConnectionCut,
        Obstacle::Unreachable,
        Obstacle::Timeout,
        Obstacle::CertificateName,
        Obstacle::CertificateExpired,
        Obstacle::CertificateUntrusted,
        Obstacle::CertificateOther,
        Obstacle::Handshake,
        Obstacle::CredentialsRequired { schemes: String::new(), headers: Vec::new() },
        Obstacle::NotThere { status: 404 },
        Obstacle::Empty { status: 204, content_type: String::new() },
        Obstacle::Rejected { status: 403 },
        Obstacle::TooManyRequests,
        Obstacle::ServerError { status: 503 },
        Obstacle::TooLarge,
        Obstacle::Undecodable,
        Obstacle::NotHttp,
        Obstacle::Held,
        Obstacle::RedirectCircle,
        Obstacle::TooManyRedirects,
        Obstacle::RedirectDowngrade,
        Obstacle::RedirectInvalid,
        Obstacle::NoRedirect,
        Obstacle::RedirectForbidden { address: String::new() },
        Obstacle::ForbiddenAddress { address: String::new() },
    ];
    match Obstacle::Held {
        Obstacle::NxDomain
        | Obstacle::NoData
        | Obstacle::NotOffered
        | Obstacle::ServFail
        | Obstacle::DnsCode { .. }
        | Obstacle::DnsTimeout
        | Obstacle::DnsBroken
        | Obstacle::ConnectionRefused
        | Obstacle::ConnectionCut
        | Obstacle::Unreachable
        | Obstacle::Timeout
        | Obstacle::CertificateName
        | Obstacle::CertificateExpired
        | Obstacle::CertificateUntrusted
        | Obstacle::CertificateOther
        | Obstacle::Handshake
        | Obstacle::CredentialsRequired { .. }
        | Obstacle::NotThere { .. }
        | Obstacle::Empty { .. }
        | Obstacle::Rejected { .. }
        | Obstacle::TooManyRequests
        | Obstacle::ServerError { .. }
        | Obstacle::TooLarge
        | Obstacle::Undecodable
        | Obstacle::NotHttp
        | Obstacle::Held
        | Obstacle::RedirectCircle
        | Obstacle::TooManyRedirects
        | Obstacle::RedirectDowngrade
        | Obstacle::RedirectInvalid
        | Obstacle::NoRedirect
        | Obstacle::RedirectForbidden { .. }
        | Obstacle::ForbiddenAddress { .. }
        // no client of a world asks what has these: `src/network/tests` does
        | Obstacle::Withheld
        | Obstacle::NotMail
        | Obstacle::TurnedAway { .. }
        | Obstacle::NoStartTls => all,
    }
}

/// Causes of clients that the world does not have yet.
const UNSEEN: [Cause; 5] = [Cause::ProviderId, Cause::GuessedHost, Cause::AutodetectRow, Cause::PaccStale, Cause::JmapForeign];

#[test]
fn every_verdict_and_every_cause_is_expected_somewhere() {
    let world = today();
    let verdicts: HashSet<Verdict> = world.expected.iter().map(|expected| expected.verdict).collect();
    let causes: HashSet<Cause> = world.expected.iter().filter_map(|expected| expected.cause).collect();
    let missing: Vec<Verdict> = Verdict::ALL.into_iter().filter(|verdict| !verdicts.contains(verdict)).collect();
    assert!(missing.is_empty(), "no domain has {missing:?}");
    let missing: Vec<Cause> = Cause::ALL.into_iter().filter(|cause| !causes.contains(cause) && !UNSEEN.contains(cause)).collect();
    assert!(missing.is_empty(), "no domain has {missing:?}");
}

#[test]
fn every_obstacle_stands_somewhere() {
    let world = today();
    let named: HashSet<&str> = world.obstacles.iter().map(|expected| expected.obstacle).collect();
    let all: HashSet<&str> = every_obstacle().iter().map(Obstacle::name).collect();
    let missing: Vec<&&str> = all.difference(&named).collect();
    assert!(missing.is_empty(), "no domain has {missing:?}");
    let unknown: Vec<&&str> = named.difference(&all).collect();
    assert!(unknown.is_empty(), "{unknown:?} is no obstacle");
}

#[test]
fn every_expectation_is_about_a_mailbox_and_no_client_has_two() {
    for (name, world) in worlds() {
        let mailboxes: Vec<_> = world.tenants.iter().flat_map(|tenant| &tenant.mailboxes).map(WorldMailbox::address).collect();
        let known: HashSet<_> = mailboxes.iter().collect();
        assert_eq!(known.len(), mailboxes.len(), "{name}: a mailbox is listed twice");
        let mut seen = HashSet::new();
        for expected in &world.expected {
            assert!(known.contains(&expected.address), "{name}: {} is nobody's", expected.address);
            assert!(seen.insert((&expected.address, expected.client)), "{name}: two for {} {}", expected.address, expected.client);
        }
    }
}

#[test]
fn who_must_type_settings_by_hand_follows_from_the_verdicts_of_the_audited_clients() {
    for (name, world) in worlds() {
        for tenant in &world.tenants {
            for mailbox in tenant.mailboxes.iter().filter(|mailbox| mailbox.protocols == Protocols::default()) {
                let address = mailbox.address();
                let audited: Vec<_> = world.expected_for(&address).filter(|expected| tenant.clients.contains(&expected.client)).collect();
                if audited.len() == tenant.clients.len() {
                    let finding = audited.iter().any(|expected| expected.verdict.is_finding());
                    assert_eq!(mailbox.needs_manual, finding, "{name}: {address}");
                }
            }
        }
    }
}

#[test]
fn the_world_of_today_is_large_enough_and_every_mailbox_in_it_is_judged() {
    let world = today();
    assert!(world.domain_count() >= 60, "{} domains", world.domain_count());
    let mailboxes = world.tenants.iter().flat_map(|tenant| &tenant.mailboxes);
    let silent: Vec<String> = mailboxes
        .map(WorldMailbox::address)
        .filter(|address| world.expected_for(address).next().is_none())
        .map(|address| address.to_string())
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[tokio::test]
async fn a_broadcast_address_of_loopback_cannot_be_reached_and_127_0_0_9_refuses() {
    let fakenet = Fakenet::start(&today()).await;
    let port = fakenet.https_address().port();
    for (address, kind) in
        [([127, 255, 255, 255], std::io::ErrorKind::NetworkUnreachable), ([127, 0, 0, 9], std::io::ErrorKind::ConnectionRefused)]
    {
        let error = tokio::net::TcpStream::connect((std::net::Ipv4Addr::from(address), port)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{address:?}");
    }
}

/// Clients that are expected in every domain but for those whose outcome nobody can say.
const EVERYWHERE: [&str; 4] = ["thunderbird", "thunderbird-android", "evolution", "srv"];
const OPEN_DOMAINS: usize = 10;
/// Clients of which nothing is said yet.
const UNSAID: [&str; 0] = [];

#[test]
fn every_client_is_expected_in_enough_domains_and_the_default_ones_almost_everywhere() {
    let world = today();
    let domain = |address: &autodiscover_audit::model::Address| address.domain().to_string();
    let mut expected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for one in &world.expected {
        expected.entry(one.client).or_default().insert(domain(&one.address));
    }
    let mailboxes = world.tenants.iter().flat_map(|tenant| &tenant.mailboxes);
    let all: BTreeSet<String> = mailboxes.map(|mailbox| domain(&mailbox.address())).collect();
    let table = ClientTable::built_in().unwrap();
    for client in table.iter().map(|client| client.name.as_str()).filter(|client| !UNSAID.contains(client)) {
        let known = expected.remove(client).unwrap_or_default();
        let open: Vec<&String> = all.difference(&known).collect();
        println!("{client}: {} domains, {} left open", known.len(), open.len());
        assert!(known.len() >= 25, "{client}: only {} domains", known.len());
        assert!(!EVERYWHERE.contains(&client) || open.len() <= OPEN_DOMAINS, "{client}: left open in {open:?}");
    }
    assert!(expected.is_empty(), "no such client: {:?}", expected.keys());
}

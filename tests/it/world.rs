//! The world has an entry for everything that can come out, and does not contradict itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::ControlFlow,
};

use autodiscover_audit::{
    audit::{Progress, run},
    clients::ClientTable,
    model::{AnswerOutcome, Authority, Cause, Domain, LookupKind, Obstacle, Protocols, Verdict},
    network::{BearerToken, Pace},
    store::{ReportFilter, Store},
};
use secrecy::SecretString;
use serde_json::Value;

use super::audit::{everyones_auditor, jobs, options};
use crate::fakenet::{
    Fakenet,
    microsoft::{Tenancy, User},
    office::Office,
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
        Obstacle::NotMail,
        Obstacle::TurnedAway { code: String::new() },
        Obstacle::NoStartTls,
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
        | Obstacle::NotMail
        | Obstacle::TurnedAway { .. }
        | Obstacle::NoStartTls
        // a matter of our own settings, and not of a net: `src/network/tests` has it
        | Obstacle::Withheld => all,
    }
}

#[test]
fn every_verdict_and_every_cause_is_expected_somewhere() {
    let world = today();
    let verdicts: HashSet<Verdict> = world.expected.iter().map(|expected| expected.verdict).collect();
    let causes: HashSet<Cause> = world.expected.iter().filter_map(|expected| expected.cause).collect();
    let missing: Vec<Verdict> = Verdict::ALL.into_iter().filter(|verdict| !verdicts.contains(verdict)).collect();
    assert!(missing.is_empty(), "no domain has {missing:?}");
    let missing: Vec<Cause> = Cause::ALL.into_iter().filter(|cause| !causes.contains(cause)).collect();
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
    assert!(world.domain_count() >= 90, "{} domains", world.domain_count());
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
const EVERYWHERE: [&str; 7] = ["thunderbird", "thunderbird-android", "evolution", "srv", "outlook-classic", "outlook-new", "activesync"];
const OPEN_DOMAINS: usize = 10;
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
    for client in table.iter().map(|client| client.name.as_str()) {
        let known = expected.remove(client).unwrap_or_default();
        let open: Vec<&String> = all.difference(&known).collect();
        println!("{client}: {} domains, {} left open", known.len(), open.len());
        assert!(known.len() >= 25, "{client}: only {} domains", known.len());
        assert!(!EVERYWHERE.contains(&client) || open.len() <= OPEN_DOMAINS, "{client}: left open in {open:?}");
    }
    assert!(expected.is_empty(), "no such client: {:?}", expected.keys());
}

/// Those that decide where a mailbox lives; a new one does not compile until it is named here.
fn deciding() -> [Authority; 4] {
    let all = [Authority::AutodiscoverSoap, Authority::List, Authority::AutodiscoverV2, Authority::Tenant];
    match Authority::default() {
        Authority::AutodiscoverSoap
        | Authority::List
        | Authority::AutodiscoverV2
        | Authority::Tenant
        // they only support others, or contradict them
        | Authority::Openid
        | Authority::Realm
        | Authority::Autodetect => all,
    }
}

/// Everything is asked once, with a token and of every mailbox: each kind of lookup finds something, each outcome of an answer comes
/// about, and each authority that decides says where somebody lives.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_lookup_finds_something_and_every_outcome_and_authority_comes_about() {
    let mut world = today();
    // whom the token's owner must not ask about lives where the list, or v2, or nobody else says
    let net = std::sync::Arc::make_mut(&mut world.net);
    for address in ["anna@list-behind.example", "bert@list-behind.example", "anna@v2-government.example", "anna@v2-unknown.example"] {
        let tenancy = Tenancy { user: User::Invalid, ..net.microsoft.tenancy(address) };
        net.microsoft.enter_address(address, tenancy);
    }
    let kept =
        ["own-good", "list-behind", "v2-government", "v2-unknown", "relay-unknown", "guess-imap", "pacc-right", "jmap-foreign", "standard"];
    let more = ["legacy-mx", "filter-vendor", "pox-right", "outlook-record", "own-srv", "wildcard-page", "phone-own", "hybrid", "silent"];
    let names: Vec<String> = kept.iter().chain(&more).map(|name| format!("{name}.example")).collect();
    for tenant in &mut world.tenants {
        tenant.mailboxes.retain(|mailbox| names.contains(&mailbox.address().domain().to_string()));
    }
    world.tenants.retain(|tenant| !tenant.mailboxes.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let mut settings = fakenet.network_settings();
    for kind in [LookupKind::Realm, LookupKind::CredentialType] {
        settings.paces.set(kind, Pace { enabled: true, concurrency: 0, requests_per_second: 0.0 });
    }
    settings.soap_token = Some(BearerToken::new(|| Ok(SecretString::from("token"))));
    let store = Store::open(&office.database()).await.unwrap();
    let jobs = jobs(&world, &office);
    run(&everyones_auditor(&settings), &store, &jobs, (&options(), &Progress::default())).await.unwrap();
    let (mut found, mut outcomes, mut authorities) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let keep = |row: autodiscover_audit::store::MailboxRow| {
        authorities.insert(row.outcome.authority.as_str());
        found.extend(row.outcome.clients.iter().filter_map(|client| Some(client.source.as_ref()?.lookup.as_str())));
        ControlFlow::Continue(())
    };
    store.reader().read_mailboxes(&ReportFilter::default(), keep).await.unwrap();
    let mut answers = Vec::new();
    for (tenant, name) in jobs.iter().flat_map(|job| names.iter().map(|name| (&job.tenant.id, name))) {
        if let Some(dossier) = store.reader().read_dossier(tenant, &Domain::parse(name).unwrap(), None).await.unwrap() {
            let dossier: Value = serde_json::from_str(&dossier.json).unwrap();
            answers.extend(dossier["answers"].as_array().unwrap().clone());
        }
    }
    for answer in &answers {
        let (kind, outcome) = (answer["kind"].as_str().unwrap(), answer["outcome"].as_str().unwrap());
        outcomes.insert(outcome);
        if outcome == "found" {
            found.insert(LookupKind::ALL.iter().find(|known| known.as_str() == kind).unwrap().as_str());
        }
    }
    let missing: Vec<_> = LookupKind::ALL.into_iter().filter(|kind| !found.contains(kind.as_str())).collect();
    assert!(missing.is_empty(), "nothing is found by {missing:?}");
    let missing: Vec<_> = AnswerOutcome::ALL.into_iter().filter(|outcome| !outcomes.contains(outcome.as_str())).collect();
    assert!(missing.is_empty(), "nothing comes out as {missing:?}");
    let missing: Vec<_> = deciding().into_iter().filter(|authority| !authorities.contains(authority.as_str())).collect();
    assert!(missing.is_empty(), "nobody's home is said by {missing:?}");
}

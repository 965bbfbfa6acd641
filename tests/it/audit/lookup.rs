//! Kinds of lookups that are switched off.

use std::sync::Arc;

use autodiscover_audit::{
    audit::{Auditor, BODIES, Progress, run},
    clock::Clock,
    model::LookupKind,
    network::{Network, Pace, Parts},
};

use super::{Scene, auditor, options};
use crate::fakenet::{Fakenet, world::past::of_2014};

fn without(kind: LookupKind, fakenet: &Fakenet) -> Arc<Auditor> {
    let mut settings = fakenet.network_settings();
    settings.paces.set(kind, Pace { enabled: false, ..Pace::of(kind) });
    let network = Network::new(Parts { settings: &settings, clock: Clock::system(), bodies: BODIES }).unwrap();
    Arc::new(Auditor { network, ..auditor(fakenet).as_ref().clone() })
}

#[tokio::test]
async fn a_client_that_needs_what_is_switched_off_is_not_looked_at() {
    let fakenet = Fakenet::start(&of_2014()).await;
    let names = |auditor: &Auditor, names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        auditor.clients_named(&names).iter().map(|client| client.name.clone()).collect::<Vec<_>>()
    };
    for (kind, is_left_out) in [
        (LookupKind::OwnAutoconfig, true),
        (LookupKind::Ispdb, true),
        (LookupKind::MxIspdb, true),
        (LookupKind::Mx, true),
        (LookupKind::AutodiscoverPox, true),
        (LookupKind::AutodiscoverSrv, true),
        (LookupKind::Wildcard, false),
        (LookupKind::Realm, false),
    ] {
        let auditor = without(kind, &fakenet);
        assert_eq!(!names(&auditor, &[]).contains(&"thunderbird".to_owned()), is_left_out, "{kind}");
        assert_eq!(names(&auditor, &["thunderbird"]).is_empty(), is_left_out, "{kind}");
        assert_eq!(names(&auditor, &["srv"]), ["srv"], "{kind}");
    }
    assert!(names(&without(LookupKind::Srv, &fakenet), &["srv"]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_sends_nothing_of_a_kind_that_is_switched_off() {
    let scene = Scene::new(of_2014()).await;
    let store = scene.open().await;
    let asks_database = || scene.fakenet.seen().iter().any(|seen| seen.path.contains("/v1.1/"));
    let auditor = without(LookupKind::Ispdb, &scene.fakenet);
    let summary = run(&auditor, &store, &scene.jobs(), (&options(), &Progress::default())).await.unwrap();
    assert!(!summary.interrupted && !asks_database());
    let everything = without(LookupKind::Realm, &scene.fakenet);
    run(&everything, &store, &scene.jobs(), (&options(), &Progress::default())).await.unwrap();
    assert!(asks_database());
}

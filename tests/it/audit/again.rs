//! Domains whose lookups failed are gone through once more.

use std::sync::Arc;

use autodiscover_audit::audit::RunOptions;

use super::{Scene, auditor, go_on, options, run_until};
use crate::fakenet::{
    Seen,
    site::{Act, Site},
    world::{World, bench::bench, documents},
};

/// Eight domains with a mailbox each; in some of them the own document comes after so many failures.
fn with_failures(domains: &[usize], times: usize) -> World {
    let mut world = bench(8, 8);
    world.expected.clear();
    for domain in domains {
        let act = Act::flaky(times, Act::xml(documents::good(&format!("d{domain}.example"))));
        let host = format!("autoconfig.d{domain}.example");
        Arc::make_mut(&mut world.net).host(&host, Site::empty().https("/mail/config-v1.1.xml", act));
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_asked_again_at_the_end_unless_it_is_half_of_all() {
    for (domains, times, undetermined, requests) in [
        (&[0, 4][..], 2, 0, 6),
        // still in doubt
        (&[0], 99, 1, 4),
        // our own outage
        (&[0, 2, 4, 6], 2, 4, 8),
    ] {
        let scene = Scene::new(with_failures(domains, times)).await;
        let (store, summary) = scene.audit().await;
        let tally = summary.tally;
        assert_eq!((tally.undetermined, tally.done, tally.set_aside), (undetermined, 8, 0), "{domains:?}");
        assert_eq!((summary.recorded.new, summary.interrupted), (8, false), "{domains:?}");
        let host = |host: &str| domains.iter().any(|domain| host == format!("autoconfig.d{domain}.example"));
        let by_thunderbird = |seen: &Seen| seen.https && seen.path == "/mail/config-v1.1.xml" && !seen.query.is_empty();
        let asked = scene.fakenet.seen().iter().filter(|seen| host(&seen.host) && by_thunderbird(seen)).count();
        assert_eq!(asked, requests, "{domains:?}");
        assert!(store.reader().check().await.unwrap().is_sound());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_before_its_second_pass_records_what_it_knows() {
    let scene = Scene::new(with_failures(&[0], 2)).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let one_by_one = RunOptions { domains_at_once: 1, ..options() };
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&one_by_one, |progress| progress.tally().set_aside > 0)).await;
    assert_eq!((stopped.interrupted, stopped.tally.undetermined, stopped.tally.set_aside), (true, 1, 0));
    let resumed = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!((resumed.interrupted, resumed.tally.done), (false, 8));
    assert_eq!(stopped.recorded.new + resumed.recorded.new, 8);
}

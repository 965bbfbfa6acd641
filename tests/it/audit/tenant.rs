//! Tenants that come and go.

use autodiscover_audit::{
    audit::{Progress, RunOptions, Summary, run},
    store::{ReportFilter, RunId, Store},
};

use super::{Scene, auditor, jobs, options};
use crate::fakenet::world::{World, WorldTenant, bench::bench};

fn two_tenants() -> World {
    let mut world = bench(4, 8);
    let mailboxes = world.tenants[0].mailboxes.split_off(4);
    world.tenants.push(WorldTenant { id: "other", mailboxes, ..world.tenants[0].clone() });
    world
}

async fn audit(scene: &Scene, store: &Store, (tenants, options): (usize, RunOptions)) -> Summary {
    let mut world = scene.world.clone();
    world.tenants.truncate(tenants);
    run(&auditor(&scene.fakenet), store, &jobs(&world, &scene.office), (&options, &Progress::default())).await.unwrap()
}

async fn counts(store: &Store, run: Option<RunId>) -> Vec<(String, u64)> {
    let filter = ReportFilter { run, ..ReportFilter::default() };
    store.reader().summary(&filter).await.unwrap().into_iter().map(|one| (one.tenant.to_string(), one.checked)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_left_the_configuration_leaves_the_reports_with_the_next_whole_run() {
    let scene = Scene::new(two_tenants()).await;
    let store = scene.open().await;
    let both = [("bench".to_owned(), 4), ("other".to_owned(), 4)];
    let first = audit(&scene, &store, (2, RunOptions { whole: true, ..options() })).await;
    assert_eq!(counts(&store, None).await, both);
    let part = audit(&scene, &store, (1, options())).await;
    assert_eq!((part.recorded.gone, counts(&store, None).await), (0, both.to_vec()), "one tenant was asked for, the other stays");
    let whole = audit(&scene, &store, (1, RunOptions { whole: true, ..options() })).await;
    assert_eq!((whole.recorded.gone, counts(&store, None).await), (4, both[..1].to_vec()));
    assert_eq!(counts(&store, Some(first.run)).await, both, "the past stays");
    let back = audit(&scene, &store, (2, RunOptions { whole: true, ..options() })).await;
    assert_eq!((back.recorded.changed, counts(&store, None).await), (4, both.to_vec()));
    assert!(store.reader().check().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_left_since_the_run_was_cut_does_not_keep_it_from_its_end() {
    let scene = Scene::new(two_tenants()).await;
    let store = scene.open().await;
    let cut = RunOptions { whole: true, ..options() };
    cut.stop.cancel();
    assert!(audit(&scene, &store, (2, cut)).await.interrupted);
    let rest = audit(&scene, &store, (1, RunOptions { whole: true, resume: true, ..options() })).await;
    assert!(!rest.interrupted);
    assert_eq!(store.reader().previous_count(&"other".to_owned().try_into().unwrap()).await.unwrap(), Some(0));
}

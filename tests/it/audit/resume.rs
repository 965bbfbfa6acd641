//! Runs that were cut short, and the same run again.

use std::sync::Arc;

use autodiscover_audit::{
    audit::{Auditor, Progress, RunOptions, TenantJob, run},
    classify::EndpointTable,
    model::{Hosting, Profile},
    store::{MailboxRow, ReportFilter, Store},
};

use super::{Scene, auditor, go_on, jobs, options, run_until};
use crate::fakenet::{
    site::{Act, Site},
    world::{World, WorldMailbox, WorldTenant, bench::bench, documents, past::of_2014, today::today},
};

async fn rows(store: &Store) -> Vec<MailboxRow> {
    let mut rows = Vec::new();
    let keep = |row| {
        rows.push(row);
        std::ops::ControlFlow::Continue(())
    };
    store.reader().read_mailboxes(&ReportFilter::default(), keep).await.unwrap();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_over_another_list_misses_nobody() {
    let scene = Scene::new(today()).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let before = RunOptions { domains_at_once: 1, ..options() };
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&before, |_| scene.fakenet.http_requests() >= 3)).await;
    assert!(stopped.interrupted && stopped.tally.done >= 1);
    let list = scene.office.list("agency");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, format!("{text}aaron@agency-oauth.example,,,,,\r\n")).unwrap();
    let resumed = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!((resumed.tally.done, resumed.interrupted), (resumed.tally.total, false));
    assert!(rows(&store).await.iter().any(|row| row.mailbox.address.to_string() == "aaron@agency-oauth.example"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_left_the_list_since_the_run_was_cut_is_no_longer_there() {
    let scene = Scene::new(bench(8, 8)).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let before = RunOptions { domains_at_once: 1, ..options() };
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&before, |_| scene.fakenet.http_requests() >= 3)).await;
    assert!(stopped.interrupted);
    let left = rows(&store).await[0].mailbox.address.to_string();
    let list = scene.office.list("bench");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.lines().filter(|line| !line.contains(&left)).collect::<Vec<_>>().join("\r\n")).unwrap();
    let resumed = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!((resumed.interrupted, resumed.recorded.gone, resumed.tally.done), (false, 1, 7));
    assert!(rows(&store).await.iter().all(|row| row.mailbox.address.to_string() != left));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_by_other_rules_asks_again_about_the_domains_concerned() {
    type Change = fn(&mut TenantJob, &mut Auditor);
    let changes: [(&str, Change, bool); 7] = [
        ("nothing", |_, _| {}, false),
        ("the name", |job, _| job.tenant.name = "Bench & Sons".to_owned(), false),
        ("hosting", |job, _| job.tenant.hosting = Hosting::OnPremises, true),
        ("clients", |job, _| job.tenant.clients.push("srv".to_owned()), true),
        ("allowed hosts", |job, _| job.tenant.allowed_hosts.push("smtp.contoso.com".to_owned()), true),
        ("the table of clients", |_, auditor| auditor.clients = auditor.clients.clone().with(HOUSE_APP).unwrap(), true),
        ("the table of endpoints", |_, auditor| auditor.endpoints = EndpointTable::parse(ENDPOINT).unwrap(), true),
    ];
    for (what, change, all) in changes {
        let scene = Scene::new(bench(40, 40)).await;
        let (store, mut auditor) = (scene.open().await, auditor(&scene.fakenet));
        let before = RunOptions { domains_at_once: 1, ..options() };
        let stopped = run_until(&auditor, &store, &scene.jobs(), (&before, |_| scene.fakenet.http_requests() >= 20)).await;
        assert!(stopped.interrupted, "{what}");
        let mut jobs = Arc::into_inner(scene.jobs()).unwrap();
        change(&mut jobs[0], Arc::get_mut(&mut auditor).unwrap());
        let resumed = go_on(&auditor, &store, &Arc::new(jobs)).await;
        let again = resumed.recorded.changed + resumed.recorded.unchanged;
        assert_eq!((again, resumed.interrupted), (if all { stopped.tally.done } else { 0 }, false), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_changed_since_the_run_was_cut_is_judged_anew() {
    let scene = Scene::new(bench(8, 8)).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let before = RunOptions { domains_at_once: 1, ..options() };
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&before, |_| scene.fakenet.http_requests() >= 3)).await;
    assert!(stopped.interrupted);
    let known = rows(&store).await.remove(0).mailbox.address;
    let mut jobs = Arc::into_inner(scene.jobs()).unwrap();
    let mailbox = jobs[0].mailboxes.iter_mut().find(|mailbox| mailbox.address == known).unwrap();
    mailbox.profile = Arc::new(Profile { hosting: Some(Hosting::OnPremises), ..Profile::default() });
    let resumed = go_on(&auditor, &store, &Arc::new(jobs)).await;
    assert_eq!((resumed.recorded.changed, resumed.interrupted), (1, false));
    let row = rows(&store).await.into_iter().find(|row| row.mailbox.address == known).unwrap();
    assert_eq!(row.outcome.hosting, Hosting::OnPremises);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_is_resumed_behind_what_it_recorded() {
    let scene = Scene::new(today()).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let halfway = RunOptions { domains_at_once: 1, ..options() };
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&halfway, |progress| progress.tally().done >= 10)).await;
    assert!(stopped.interrupted && stopped.tally.done >= 10 && stopped.tally.done < stopped.tally.total, "{stopped:?}");
    let resumed = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!(resumed.run, stopped.run);
    assert_eq!(stopped.recorded.new + resumed.recorded.new, resumed.tally.total);
    assert_eq!((resumed.recorded.changed, resumed.recorded.unchanged), (0, 0), "nothing is done twice");
    scene.assert_as_the_world_says(&store).await;
}

/// A tenant with 520 mailboxes in a domain that makes a document for each of them: those of `m259` and `m510` are stale.
fn made_for_each() -> World {
    let (mut world, name) = (World::default(), "made-for-each.example");
    let stale = |local: &str| (format!("{local}@{name}"), Act::xml(documents::stale(name)));
    let known = vec![stale("m259"), stale("m510")];
    let act = Act::ByAddress { known, otherwise: Box::new(Act::xml(documents::good(name))) };
    Arc::make_mut(&mut world.net).host("autoconfig.made-for-each.example", Site::empty().https("/mail/config-v1.1.xml", act));
    let mailbox =
        |number: u32| WorldMailbox { needs_manual: number == 259 || number == 510, ..WorldMailbox::new(format!("m{number:03}@{name}")) };
    let mailboxes = (0..520).map(mailbox).collect();
    let (clients, allowed_hosts) = (vec!["thunderbird"], Vec::new());
    world.tenants.push(WorldTenant { id: "t", name: "T", hosting: Hosting::default(), clients, allowed_hosts, mailboxes });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_that_are_told_different_things_are_recorded_block_by_block_and_resumed() {
    let scene = Scene::new(made_for_each()).await;
    let (store, auditor) = (scene.open().await, auditor(&scene.fakenet));
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&options(), |_| scene.fakenet.http_requests() >= 200)).await;
    assert_eq!((stopped.interrupted, stopped.tally.done, stopped.tally.needs_manual), (true, 500, 1));
    let resumed = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!((resumed.run, resumed.interrupted, resumed.recorded.new), (stopped.run, false, 20), "nothing is done twice");
    scene.assert_as_the_world_says(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_for_one_tenant_is_still_to_be_resumed_for_the_other() {
    let mut world = of_2014();
    world.tenants.push(WorldTenant { id: "other", mailboxes: bench(4, 8).tenants.remove(0).mailboxes, ..world.tenants[0].clone() });
    let scene = Scene::new(world).await;
    let (store, auditor, before) = (scene.open().await, auditor(&scene.fakenet), options());
    let mut first = scene.world.clone();
    first.tenants.truncate(1);
    before.stop.cancel();
    let stopped = run(&auditor, &store, &scene.jobs(), (&before, &Progress::default())).await.unwrap();
    assert!(stopped.interrupted && stopped.tally.done == 0);
    let one = go_on(&auditor, &store, &jobs(&first, &scene.office)).await;
    assert_eq!((one.run, one.interrupted, one.tally.done), (stopped.run, true, first.tenants[0].mailboxes.len() as u64));
    let other = go_on(&auditor, &store, &scene.jobs()).await;
    assert_eq!((other.run, other.interrupted, other.recorded.new), (stopped.run, false, 8));
}

const HOUSE_APP: &str = r#"
    [[client]]
    name = "house-app"
    title = "The house's own app"
    versions = "all"
    dialect = "tolerant"
    standing = "at-risk"
    sources = ["its manual"]
    [[client.step]]
    lookup = "ispdb"
    source = "its manual"
    urls = ["https://live.thunderbird.net/autoconfig/v1.1/{domain}"]
"#;
const ENDPOINT: &str = "[[endpoint]]\nhost='smtp.contoso.com'\nclass='foreign'\nsource='x'\ndate='2026-01-01'";

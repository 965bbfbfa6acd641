//! Whole audits against the fake internets: what is found is what each world says.

use std::sync::Arc;

use autodiscover_audit::{
    audit::{Auditor, Case, Progress, RunOptions, Summary, TenantJob, run},
    classify::EndpointTable,
    clients::ClientTable,
    clock::Clock,
    mailboxes::read_list,
    model::{AnswerOutcome, Hosting, LookupKind, Outcome, Profile, Subject, Tenant, TenantId},
    network::{Network, Parts},
    store::{ReportFilter, Store},
    wire,
};
use tokio_util::sync::CancellationToken;

use crate::fakenet::{
    Fakenet, Seen,
    office::{Office, compare},
    site::{Act, Site},
    world::{
        World, WorldMailbox, WorldTenant,
        bench::bench,
        documents,
        drift::{entry_outage, provider_autoconfig},
        past::of_2014,
        today::today,
    },
};

pub(crate) fn auditor(fakenet: &Fakenet) -> Arc<Auditor> {
    let (settings, clock) = (fakenet.network_settings(), Clock::system());
    let network = Network::new(Parts { settings: &settings, clock: clock.clone(), pox_body: wire::pox_request }).unwrap();
    Arc::new(Auditor { network, clients: ClientTable::built_in().unwrap(), endpoints: EndpointTable::built_in().unwrap(), clock })
}

pub(crate) fn jobs(world: &World, office: &Office) -> Arc<Vec<TenantJob>> {
    let clients = ClientTable::built_in().unwrap().names();
    let job = |tenant: &crate::fakenet::world::WorldTenant| TenantJob {
        tenant: Tenant {
            id: TenantId::try_from(tenant.id.to_owned()).unwrap(),
            name: tenant.name.to_owned(),
            hosting: tenant.hosting,
            clients: tenant.clients.iter().map(|name| (*name).to_owned()).collect(),
            allowed_hosts: tenant.allowed_hosts.iter().map(|host| (*host).to_owned()).collect(),
            manual_settings: Vec::new(),
        },
        mailboxes: read_list(&office.list(tenant.id), &clients).unwrap().mailboxes,
    };
    Arc::new(world.tenants.iter().map(job).collect())
}

pub(crate) fn options() -> RunOptions {
    RunOptions { domains_at_once: 64, resume: false, accept_shrunk_list: false, stop: CancellationToken::new() }
}

async fn audit(fakenet: &Fakenet, world: &World, office: &Office) -> (Store, Summary) {
    let store = Store::open(&office.database()).await.unwrap();
    let summary = run(&auditor(fakenet), &store, &jobs(world, office), (&options(), &Progress::default())).await.unwrap();
    (store, summary)
}

async fn agree(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, summary) = audit(&fakenet, &world, &office).await;
    let comparison = compare(&world, store.reader()).await;
    assert!(
        comparison.differences.is_empty(),
        "{} of {}:\n{}",
        comparison.differences.len(),
        comparison.compared,
        comparison.differences.join("\n")
    );
    assert_eq!(comparison.compared, world.expected.len());
    assert_eq!(summary.tally.done, summary.tally.total);
    assert!(store.reader().check().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_internet_of_today_comes_out_as_the_world_says() {
    agree(today()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_internet_of_2014_comes_out_as_the_world_says() {
    agree(of_2014()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_the_specific_entry_is_undetermined() {
    agree(entry_outage()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_begins_to_publish_is_noticed() {
    agree(provider_autoconfig()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_mailboxes_of_a_domain_come_out_as_the_world_says() {
    agree(bench(4, 60)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_many_batches_is_recorded_whole_and_once() {
    let world = bench(4, 4 * 4_001);
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, first) = audit(&fakenet, &world, &office).await;
    assert_eq!((first.tally.done, first.recorded.new), (first.tally.total, first.tally.total));
    drop(store);
    let (store, second) = audit(&fakenet, &world, &office).await;
    assert_eq!((second.recorded.unchanged, second.recorded.changed, second.recorded.new), (first.tally.total, 0, 0));
    assert!(store.reader().check().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failed_answer_does_not_make_a_domain_one_of_single_mailboxes() {
    let mut world = World::default();
    let name = "one-fails.example";
    let page = Act::xml(documents::good(name));
    let site = Site::empty().https("/mail/config-v1.1.xml", Act::by_address(&[("b@one-fails.example", Act::status(503))], page));
    Arc::make_mut(&mut world.net).host("autoconfig.one-fails.example", site);
    let mailboxes = ["a", "b", "c", "d", "e"].map(|local| WorldMailbox::new(format!("{local}@{name}"))).to_vec();
    let (clients, allowed_hosts) = (vec!["thunderbird"], Vec::new());
    world.tenants.push(WorldTenant { id: "t", name: "T", hosting: Hosting::default(), clients, allowed_hosts, mailboxes });
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (_, summary) = audit(&fakenet, &world, &office).await;
    assert_eq!((summary.tally.ok, summary.tally.total), (5, 5));
    let asked = fakenet.seen().iter().filter(|request| request.host == "autoconfig.one-fails.example").count();
    assert!(asked < 12, "{asked} requests: two addresses are enough, with the second asked twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_over_another_list_misses_nobody() {
    let world = today();
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let store = Store::open(&office.database()).await.unwrap();
    let before = RunOptions { domains_at_once: 1, ..options() };
    let (auditor, progress) = (auditor(&fakenet), Progress::default());
    let stop = async {
        while fakenet.http_requests() < 3 {
            tokio::task::yield_now().await;
        }
        before.stop.cancel();
        std::future::pending::<Summary>().await
    };
    let old = jobs(&world, &office);
    let stopped = tokio::select! {
        summary = run(&auditor, &store, &old, (&before, &progress)) => summary.unwrap(),
        summary = stop => summary,
    };
    assert!(stopped.interrupted && stopped.tally.done >= 1);
    let list = office.list("agency");
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(
        &list,
        format!("{text}\"aaron@agency-oauth.example\"\r\n").replace("aaron@agency-oauth.example\"", "aaron@agency-oauth.example\",,,,,"),
    )
    .unwrap();
    let rest = RunOptions { resume: true, ..options() };
    let resumed = run(&auditor, &store, &jobs(&world, &office), (&rest, &Progress::default())).await.unwrap();
    assert_eq!((resumed.tally.done, resumed.interrupted), (resumed.tally.total, false));
    let mut found = false;
    let look = |row: autodiscover_audit::store::MailboxRow| {
        found |= row.mailbox.address.to_string() == "aaron@agency-oauth.example";
        std::ops::ControlFlow::Continue(())
    };
    store.reader().read_mailboxes(&ReportFilter::default(), look).await.unwrap();
    assert!(found);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_obstacle_stands_where_the_world_puts_it() {
    let world = today();
    let fakenet = Fakenet::start(&world).await;
    let auditor = auditor(&fakenet);
    let clients = auditor.clients_named(&[]);
    let mut wrong = Vec::new();
    for expected in &world.obstacles {
        let answers = auditor.ask(&clients, &Subject { address: expected.address.clone() }).await;
        let asked = answers.lookups.iter().filter(|lookup| lookup.request.asked().starts_with(&expected.asked));
        let met: Vec<&str> = asked
            .filter_map(|lookup| match &answers.readings.get(&lookup.request)?.answer.reply {
                autodiscover_audit::model::Reply::Obstacle(obstacle) => Some(obstacle.name()),
                _ => Some("no obstacle"),
            })
            .collect();
        if !met.contains(&expected.obstacle) {
            wrong.push(format!("{}: {} met {met:?}, not {}", expected.address, expected.asked, expected.obstacle));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_carries_credentials_and_strangers_learn_no_address() {
    let world = today();
    let fakenet = Fakenet::start(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let office = Office::furnish(folder.path(), &fakenet, &world);
    audit(&fakenet, &world, &office).await;
    let seen = fakenet.seen();
    assert!(seen.len() > 300, "{}", seen.len());
    assert!(seen.iter().all(|request| request.authorization.is_none()));
    assert!(seen.iter().all(|request| request.user_agent.starts_with("autodiscover-audit/")));
    let database = seen.iter().filter(|request| request.host == "live.thunderbird.net");
    assert!(database.clone().count() > 0);
    assert!(database.clone().all(|request| !request.url().contains("anna")), "the ISP database learns of no mailbox");
    let mut urls: Vec<String> = database.map(Seen::url).collect();
    let all = urls.len();
    urls.sort();
    urls.dedup();
    assert!(all <= urls.len() + 6, "{} requests for {} entries: only failures are asked again", all, urls.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_that_finds_nothing_new_writes_next_to_nothing() {
    let world = of_2014();
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, first) = audit(&fakenet, &world, &office).await;
    drop(store);
    let (_, second) = audit(&fakenet, &world, &office).await;
    assert_eq!(first.recorded.new, first.tally.total);
    assert_eq!((second.recorded.new, second.recorded.changed, second.recorded.gone), (0, 0, 0));
    assert_eq!(second.recorded.unchanged, first.tally.total);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_is_resumed_behind_what_it_recorded() {
    let world = today();
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, jobs, progress) = (Store::open(&office.database()).await.unwrap(), jobs(&world, &office), Progress::default());
    let halfway = RunOptions { domains_at_once: 1, ..options() };
    let auditor = auditor(&fakenet);
    let stop = async {
        while progress.tally().done < 10 {
            tokio::task::yield_now().await;
        }
        halfway.stop.cancel();
        std::future::pending::<Summary>().await
    };
    let stopped = tokio::select! {
        summary = run(&auditor, &store, &jobs, (&halfway, &progress)) => summary.unwrap(),
        summary = stop => summary,
    };
    assert!(stopped.interrupted && stopped.tally.done >= 10 && stopped.tally.done < stopped.tally.total, "{stopped:?}");
    let rest = RunOptions { resume: true, ..options() };
    let again = Progress::default();
    let resumed = run(&auditor, &store, &jobs, (&rest, &again)).await.unwrap();
    assert_eq!(resumed.run, stopped.run);
    assert_eq!(stopped.recorded.new + resumed.recorded.new, resumed.tally.total);
    assert_eq!((resumed.recorded.changed, resumed.recorded.unchanged), (0, 0), "nothing is done twice");
    assert!(compare(&world, store.reader()).await.differences.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_names_every_lookup_with_its_outcome() {
    let world = today();
    let fakenet = Fakenet::start(&world).await;
    let auditor = auditor(&fakenet);
    let clients = auditor.clients_named(&[]);
    let address = world.expected.first().unwrap().address.clone();
    let answers = auditor.ask(&clients, &Subject { address }).await;
    assert!(answers.lookups.len() >= 15, "{}", answers.lookups.len());
    for lookup in &answers.lookups {
        let reading = answers.readings.get(&lookup.request).unwrap();
        assert!(!reading.detail.is_empty() || reading.outcome == AnswerOutcome::Found, "{}", lookup.asked);
    }
}

/// What is found out about an address that lives in Exchange Online.
async fn find_out(auditor: &Auditor, address: &str) -> Outcome {
    let (clients, subject) = (auditor.clients_named(&[]), Subject { address: address.parse().unwrap() });
    let tenant = Tenant {
        id: TenantId::try_from("contoso".to_owned()).unwrap(),
        name: String::new(),
        hosting: Hosting::default(),
        clients: vec!["thunderbird".to_owned()],
        allowed_hosts: Vec::new(),
        manual_settings: Vec::new(),
    };
    let answers = auditor.ask(&clients, &subject).await;
    auditor.judge(&clients, &Case { tenant: &tenant, profile: &Profile::default(), subject: &subject }, &answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_server_that_autodiscover_adds_is_not_blamed_on_the_document() {
    let fakenet = Fakenet::start(&today()).await;
    let outcome = find_out(&auditor(&fakenet), "anna@pox-beside-foreign.example").await;
    let client = &outcome.clients[0];
    assert_eq!(client.source.as_ref().unwrap().lookup, LookupKind::OwnAutoconfig);
    assert!(client.explanation.starts_with("Autodiscover names exchange.hoster.example (Exchange), "), "{}", client.explanation);
    let endpoint = "POST https://autodiscover.pox-beside-foreign.example/autodiscover/autodiscover.xml: found: ";
    assert!(client.evidence.iter().any(|line| line.starts_with(endpoint)), "{:?}", client.evidence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_behind_credentials_is_in_the_evidence() {
    let fakenet = Fakenet::start(&today()).await;
    let outcome = find_out(&auditor(&fakenet), "anna@config-guarded-alone.example").await;
    for client in &outcome.clients[..2] {
        let line = client.evidence.first().unwrap();
        let asked = "https://autoconfig.config-guarded-alone.example/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS:URL%: guarded: ";
        assert!(line.starts_with(asked), "{line}");
        assert!(client.explanation.contains("asks for credentials"), "{}", client.explanation);
    }
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
    let world = made_for_each();
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, jobs) = (Store::open(&office.database()).await.unwrap(), jobs(&world, &office));
    let (auditor, before, progress) = (auditor(&fakenet), options(), Progress::default());
    let stop = async {
        while fakenet.http_requests() < 200 {
            tokio::task::yield_now().await;
        }
        before.stop.cancel();
        std::future::pending::<Summary>().await
    };
    let stopped = tokio::select! {
        summary = run(&auditor, &store, &jobs, (&before, &progress)) => summary.unwrap(),
        summary = stop => summary,
    };
    assert_eq!((stopped.interrupted, stopped.tally.done, stopped.tally.needs_manual), (true, 500, 1));
    let rest = RunOptions { resume: true, ..options() };
    let resumed = run(&auditor, &store, &jobs, (&rest, &Progress::default())).await.unwrap();
    assert_eq!((resumed.run, resumed.interrupted, resumed.recorded.new), (stopped.run, false, 20), "nothing is done twice");
    let comparison = compare(&world, store.reader()).await;
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
    assert!(store.reader().check().await.unwrap().is_sound());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_for_one_tenant_is_still_to_be_resumed_for_the_other() {
    let mut world = of_2014();
    world.tenants.push(WorldTenant { id: "other", mailboxes: bench(4, 8).tenants.remove(0).mailboxes, ..world.tenants[0].clone() });
    let folder = tempfile::tempdir().unwrap();
    let fakenet = Fakenet::start(&world).await;
    let office = Office::furnish(folder.path(), &fakenet, &world);
    let (store, auditor, before) = (Store::open(&office.database()).await.unwrap(), auditor(&fakenet), options());
    let (both, mut first) = (jobs(&world, &office), world.clone());
    first.tenants.truncate(1);
    before.stop.cancel();
    let stopped = run(&auditor, &store, &both, (&before, &Progress::default())).await.unwrap();
    assert!(stopped.interrupted && stopped.tally.done == 0);
    let rest = RunOptions { resume: true, ..options() };
    let one = run(&auditor, &store, &jobs(&first, &office), (&rest, &Progress::default())).await.unwrap();
    assert_eq!((one.run, one.interrupted, one.tally.done), (stopped.run, true, first.tenants[0].mailboxes.len() as u64));
    let other = run(&auditor, &store, &both, (&rest, &Progress::default())).await.unwrap();
    assert_eq!((other.run, other.interrupted, other.recorded.new), (stopped.run, false, 8));
}

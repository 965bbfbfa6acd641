//! Whole audits against the fake internets: what is found is what each world says.

mod again;
mod hosting;
mod incident;
mod lookup;
mod resume;
mod tenant;

use std::sync::Arc;

use autodiscover_audit::{
    audit::{Alerting, Auditor, BODIES, Case, Progress, RunOptions, Summary, TenantJob, run, watched_by_default},
    classify::EndpointTable,
    clients::ClientTable,
    clock::Clock,
    mailboxes::read_list,
    model::{AnswerOutcome, Cloud, Hosting, LookupKind, Mailbox, Outcome, Profile, Subject, Tenant, TenantId, Verdict},
    network::{Network, Pace, Parts, Settings},
    store::{ReportFilter, Store},
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

/// One that looks at every client.
pub(crate) fn auditor(fakenet: &Fakenet) -> Arc<Auditor> {
    everyones_auditor(&fakenet.network_settings())
}

/// The same with settings.
pub(crate) fn everyones_auditor(settings: &Settings) -> Arc<Auditor> {
    let table = ClientTable::built_in().unwrap();
    let names = table.names();
    auditor_of(settings, table.with_at_risk(&names))
}

/// One that looks at the clients that a site is told about which names none.
pub(crate) fn auditor_with(settings: &Settings) -> Arc<Auditor> {
    auditor_of(settings, ClientTable::built_in().unwrap())
}

fn auditor_of(settings: &Settings, clients: ClientTable) -> Arc<Auditor> {
    let clock = Clock::system();
    let network = Network::new(Parts { settings, clock: clock.clone(), bodies: BODIES }).unwrap();
    Arc::new(Auditor { network, clients, endpoints: EndpointTable::built_in().unwrap(), clock })
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
        only: None,
    };
    Arc::new(world.tenants.iter().map(job).collect())
}

pub(crate) fn options() -> RunOptions {
    RunOptions {
        domains_at_once: 12,
        watched_entries: watched_by_default(),
        resume: false,
        whole: false,
        accept_shrunk_list: false,
        alerting: Alerting::default(),
        stop: CancellationToken::new(),
    }
}

/// A world that is there, and an office in it.
struct Scene {
    world: World,
    fakenet: Fakenet,
    office: Office,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn new(world: World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fakenet = Fakenet::start(&world).await;
        let office = Office::furnish(folder.path(), &fakenet, &world);
        Self { world, fakenet, office, _folder: folder }
    }

    async fn open(&self) -> Store {
        Store::open(&self.office.database()).await.unwrap()
    }

    fn jobs(&self) -> Arc<Vec<TenantJob>> {
        jobs(&self.world, &self.office)
    }

    /// A whole run.
    async fn audit(&self) -> (Store, Summary) {
        let store = self.open().await;
        let summary = run(&auditor(&self.fakenet), &store, &self.jobs(), (&options(), &Progress::default())).await.unwrap();
        (store, summary)
    }

    async fn assert_as_the_world_says(&self, store: &Store) {
        let comparison = compare(&self.world, store.reader()).await;
        let (count, all) = (comparison.differences.len(), comparison.compared);
        assert!(comparison.differences.is_empty(), "{count} of {all}:\n{}", comparison.differences.join("\n"));
        assert_eq!(comparison.compared, self.world.expected.len());
        assert!(store.reader().check().await.unwrap().is_sound());
    }
}

/// A run that is stopped as soon as enough was done.
pub(crate) async fn run_until(
    auditor: &Arc<Auditor>,
    store: &Store,
    jobs: &Arc<Vec<TenantJob>>,
    (options, enough): (&RunOptions, impl Fn(&Progress) -> bool),
) -> Summary {
    let progress = Progress::default();
    let stop = async {
        while !enough(&progress) {
            tokio::task::yield_now().await;
        }
        options.stop.cancel();
        std::future::pending::<Summary>().await
    };
    tokio::select! {
        summary = run(auditor, store, jobs, (options, &progress)) => summary.unwrap(),
        summary = stop => summary,
    }
}

async fn go_on(auditor: &Arc<Auditor>, store: &Store, jobs: &Arc<Vec<TenantJob>>) -> Summary {
    let rest = RunOptions { resume: true, ..options() };
    run(auditor, store, jobs, (&rest, &Progress::default())).await.unwrap()
}

async fn agree(world: World) {
    let scene = Scene::new(world).await;
    let (store, summary) = scene.audit().await;
    scene.assert_as_the_world_says(&store).await;
    assert_eq!(summary.tally.done, summary.tally.total);
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
    let scene = Scene::new(bench(4, 4 * 4_001)).await;
    let mut settings = scene.fakenet.network_settings();
    // thousands of questions about single mailboxes are another matter
    settings.paces.set(LookupKind::AutodiscoverV2, Pace { enabled: false, ..Pace::of(LookupKind::AutodiscoverV2) });
    let audit = async || {
        let store = scene.open().await;
        let summary = run(&auditor_with(&settings), &store, &scene.jobs(), (&options(), &Progress::default())).await.unwrap();
        (store, summary)
    };
    let (store, first) = audit().await;
    assert_eq!((first.tally.done, first.recorded.new), (first.tally.total, first.tally.total));
    drop(store);
    let (store, second) = audit().await;
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
    let scene = Scene::new(world).await;
    let (_, summary) = scene.audit().await;
    assert_eq!((summary.tally.ok, summary.tally.total), (5, 5));
    let asked = scene.fakenet.seen().iter().filter(|request| request.host == "autoconfig.one-fails.example").count();
    assert!(asked < 12, "{asked} requests: two addresses are enough, with the second asked twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_obstacle_stands_where_the_world_puts_it() {
    let world = today();
    let fakenet = Fakenet::start(&world).await;
    let auditor = auditor(&fakenet);
    let clients = auditor.clients_named(&[]);
    let mut wrong = Vec::new();
    for expected in &world.obstacles {
        let answers = auditor.ask(&clients, (&Subject { address: expected.address.clone() }, Cloud::default())).await;
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
    let scene = Scene::new(today()).await;
    scene.audit().await;
    let seen = scene.fakenet.seen();
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
    let scene = Scene::new(of_2014()).await;
    let (store, first) = scene.audit().await;
    drop(store);
    let (_, second) = scene.audit().await;
    assert_eq!(first.recorded.new, first.tally.total);
    assert_eq!((second.recorded.new, second.recorded.changed, second.recorded.gone), (0, 0, 0));
    assert_eq!(second.recorded.unchanged, first.tally.total);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_names_every_lookup_with_its_outcome() {
    let world = today();
    let fakenet = Fakenet::start(&world).await;
    let auditor = auditor(&fakenet);
    let clients = auditor.clients_named(&[]);
    let address = world.expected.first().unwrap().address.clone();
    let answers = auditor.ask(&clients, (&Subject { address }, Cloud::default())).await;
    assert!(answers.lookups.len() >= 15, "{}", answers.lookups.len());
    for lookup in &answers.lookups {
        let reading = answers.readings.get(&lookup.request).unwrap();
        assert!(!reading.detail.is_empty() || reading.outcome == AnswerOutcome::Found, "{}", lookup.asked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_records_follows_from_the_answers_alone() {
    let scene = Scene::new(today()).await;
    let (store, auditor, jobs) = (scene.open().await, auditor(&scene.fakenet), scene.jobs());
    run(&auditor, &store, &jobs, (&options(), &Progress::default())).await.unwrap();
    let mut recorded = std::collections::HashMap::new();
    let keep = |row: autodiscover_audit::store::MailboxRow| {
        recorded.insert(row.mailbox.address.key(), row.outcome);
        std::ops::ControlFlow::Continue(())
    };
    store.reader().read_mailboxes(&ReportFilter::default(), keep).await.unwrap();
    let (clients, mut compared) = (auditor.clients_named(&[]), 0);
    for TenantJob { tenant, mailboxes, .. } in jobs.iter() {
        for domain in mailboxes.chunk_by(|one, next| one.address.domain() == next.address.domain()) {
            // the one that is asked about
            let Mailbox { address, profile, .. } = &domain[0];
            let subject = Subject { address: address.clone() };
            let answers = auditor.ask(&clients, (&subject, Cloud::default())).await;
            let judged = auditor.judge(&clients, &Case { tenant, profile, subject: &subject }, &answers);
            // what fails does not fail twice alike
            if judged.clients.iter().all(|client| client.verdict != Verdict::Undetermined) {
                assert_eq!(*recorded[&address.key()], judged, "{address}");
                compared += 1;
            }
        }
    }
    assert!(compared > 80, "{compared}");
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
    let answers = auditor.ask(&clients, (&subject, Cloud::default())).await;
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
    let both = ["thunderbird", "mx-base-domain"];
    for client in both.map(|name| outcome.clients.iter().find(|client| client.client == name).unwrap()) {
        let line = client.evidence.first().unwrap();
        let asked = "https://autoconfig.config-guarded-alone.example/mail/config-v1.1.xml?emailaddress=%EMAILADDRESS:URL%: guarded: ";
        assert!(line.starts_with(asked), "{line}");
        assert!(client.explanation.contains("asks for credentials"), "{}", client.explanation);
    }
}

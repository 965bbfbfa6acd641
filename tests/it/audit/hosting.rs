//! Where mailboxes live, by what is asked about each of them beside the clients.

use std::{collections::BTreeMap, sync::Arc};

use autodiscover_audit::{
    audit::{Auditor, Progress, Replay, ReplayScope, RunOptions, run},
    model::{Authority, ClientOutcome, Cloud, Hosting, LookupKind, Verdict},
    network::{BearerToken, Pace, Settings},
    report::{CsvDialect, Format, Head, Request, Selection, write_report},
    store::{MailboxRow, ReportFilter, Store},
};
use secrecy::SecretString;

use super::{Scene, auditor_with, go_on, options, run_until};
use crate::{
    fakenet::{
        Seen,
        microsoft::{Account, Batches, Detected, Row, Tenancy, TenantDirectory, User, V2, service},
        net::Net,
        site::{Act, Site},
        world::{World, WorldMailbox, WorldTenant, documents, today::today},
    },
    report,
};

const NAME: &str = "many.example";
const ONLINE: Hosting = Hosting::ExchangeOnline(Cloud::Worldwide);

/// One domain whose document is right for Exchange Online, with so many mailboxes, in a net with Microsoft's services.
async fn scene(mailboxes: usize, change: impl FnOnce(&mut Net, &mut Vec<WorldMailbox>)) -> Scene {
    let mut world = World { net: today().net, ..World::default() };
    let net = Arc::make_mut(&mut world.net);
    net.host(&format!("autoconfig.{NAME}"), Site::empty().https("/mail/config-v1.1.xml", Act::xml(documents::good(NAME))));
    net.microsoft.enter_domain(NAME, Tenancy::exchange_online(Cloud::Worldwide));
    let mut list: Vec<WorldMailbox> = (0..mailboxes).map(|number| WorldMailbox::new(user(number))).collect();
    change(net, &mut list);
    let clients = vec!["thunderbird"];
    world.tenants.push(WorldTenant { id: "t", name: "T", hosting: ONLINE, clients, allowed_hosts: Vec::new(), mailboxes: list });
    Scene::new(world).await
}

fn user(number: usize) -> String {
    format!("u{number:04}@{NAME}")
}

/// A mailbox on the organisation's own server, as Autodiscover v2 tells.
fn on_premises(net: &mut Net, address: &str) {
    let path = "/autodiscover/autodiscover.json";
    let away = format!("https://autodiscover.{NAME}{path}?Email={{address}}&Protocol={{protocol}}&RedirectCount=1");
    let body = format!(r#"{{"Protocol":"ActiveSync","Url":"https://mail.{NAME}/Microsoft-Server-ActiveSync"}}"#);
    net.host(&format!("autodiscover.{NAME}"), Site::empty().https(path, Act::json(body)));
    net.microsoft.enter_address(address, Tenancy { v2: V2::Away(away), ..Tenancy::exchange_online(Cloud::Worldwide) });
}

/// Only these kinds of lookups are asked beside those of the clients.
fn asking(scene: &Scene, facts: &[LookupKind]) -> Settings {
    let mut settings = scene.fakenet.network_settings();
    for kind in [LookupKind::AutodiscoverV2, LookupKind::Openid, LookupKind::Realm, LookupKind::CredentialType] {
        settings.paces.set(kind, Pace { enabled: facts.contains(&kind), concurrency: 0, requests_per_second: 0.0 });
    }
    if facts.contains(&LookupKind::AutodiscoverSoap) {
        settings.soap_token = Some(BearerToken::new(|| Ok(SecretString::from("token"))));
    }
    settings
}

async fn audit(scene: &Scene, facts: &[LookupKind]) -> (Arc<Auditor>, Store) {
    let (auditor, store) = (auditor_with(&asking(scene, facts)), scene.open().await);
    let summary = run(&auditor, &store, &scene.jobs(), (&options(), &Progress::default())).await.unwrap();
    assert_eq!((summary.tally.done, summary.interrupted), (summary.tally.total, false));
    (auditor, store)
}

async fn rows(store: &Store) -> BTreeMap<String, MailboxRow> {
    let mut rows = BTreeMap::new();
    let keep = |row: MailboxRow| {
        rows.insert(row.mailbox.address.to_string(), row);
        std::ops::ControlFlow::Continue(())
    };
    store.reader().read_mailboxes(&ReportFilter::default(), keep).await.unwrap();
    rows
}

fn asked(scene: &Scene, is_one: impl Fn(&Seen) -> bool) -> usize {
    scene.fakenet.seen().iter().filter(|seen| is_one(seen)).count()
}

fn is_v2(seen: &Seen) -> bool {
    seen.path.starts_with("/autodiscover/autodiscover.json") && seen.query.contains("Protocol=ActiveSync")
}

/// Judged again from what is stored, everybody's answers are there and nothing differs.
async fn assert_replays(scene: &Scene, (auditor, store): (&Auditor, &Store)) {
    let before = scene.fakenet.http_requests();
    let run = store.reader().runs(1).await.unwrap()[0].id;
    let jobs = scene.jobs();
    let tenants = [jobs[0].tenant.clone()];
    let replay = Replay { clients: &auditor.clients, endpoints: &auditor.endpoints, tenants: &tenants };
    // clients that need what is switched off were not looked at
    let clients = rows(store).await.values().next().unwrap().outcome.clients.iter().map(|client| client.client.clone()).collect();
    let scope = ReplayScope { run, tenant: None, clients };
    let changes = replay.judge(store.reader(), &scope).await.unwrap();
    assert_eq!(changes.judged.mailboxes, jobs[0].mailboxes.len() as u64, "{changes:?}");
    assert!(changes.differences.is_empty() && changes.unasked.is_empty(), "{changes:?}");
    assert_eq!(scene.fakenet.http_requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hybrid_mailbox_among_many_is_told_apart_and_nobody_is_asked_twice() {
    let odd = user(555);
    let scene = scene(620, |net, _| on_premises(net, &odd)).await;
    let (auditor, store) = audit(&scene, &[LookupKind::AutodiscoverV2, LookupKind::Openid]).await;
    let rows = rows(&store).await;
    for (address, row) in &rows {
        let (hosting, verdict) = if *address == odd { (Hosting::OnPremises, Verdict::Foreign) } else { (ONLINE, Verdict::Ok) };
        let outcome = &row.outcome;
        assert_eq!((outcome.hosting, outcome.authority), (hosting, Authority::AutodiscoverV2), "{address}");
        assert_eq!((outcome.clients[0].verdict, outcome.needs_manual_configuration), (verdict, *address == odd), "{address}");
        assert_eq!(outcome.variant.as_ref().map(String::len), (*address == odd).then_some(12), "{address}");
        assert!(outcome.hosting_conflict.is_empty() && outcome.personal_account.is_none(), "{outcome:?}");
    }
    assert_eq!(asked(&scene, is_v2), 620 + 1, "one a mailbox, and the redirect of the one");
    assert_eq!(asked(&scene, |seen| seen.path.ends_with("/openid-configuration")), 1);
    let of_domain = asked(&scene, |seen| seen.host == format!("autoconfig.{NAME}"));
    assert!(of_domain < 20, "{of_domain} requests for a document that all share: the samples and the one are looked at");
    assert_replays(&scene, (&auditor, &store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_resumed_tells_mailboxes_apart_by_the_same_names() {
    let odd = [500, 1_000, 1_500].map(user);
    let scene = scene(1_600, |net, _| odd.iter().for_each(|address| on_premises(net, address))).await;
    let (auditor, store) = (auditor_with(&asking(&scene, &[LookupKind::AutodiscoverV2])), scene.open().await);
    let stopped = run_until(&auditor, &store, &scene.jobs(), (&options(), |progress| progress.tally().done > 0)).await;
    assert!(stopped.interrupted && stopped.tally.done % 500 == 0, "{stopped:?}");
    assert!(!go_on(&auditor, &store, &scene.jobs()).await.interrupted);
    let rows = rows(&store).await;
    let name = rows[&odd[0]].outcome.variant.clone();
    for (address, row) in &rows {
        let expected = if odd.contains(address) { (Hosting::OnPremises, &name) } else { (ONLINE, &None) };
        assert_eq!((row.outcome.hosting, &row.outcome.variant), expected, "{address}");
    }
    assert_replays(&scene, (&auditor, &store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_questions_about_mailboxes_a_domain_costs_what_it_cost() {
    let scene = scene(620, |_, _| {}).await;
    let (_, store) = audit(&scene, &[]).await;
    let all = scene.fakenet.http_requests();
    assert!(all < 60, "{all} requests for 620 mailboxes");
    let rows = rows(&store).await;
    assert!(rows.values().all(|row| row.outcome.authority == Authority::Tenant && row.outcome.variant.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_that_fails_says_nothing_and_changes_nothing_else() {
    let down = V2::Other(Box::new(Act::status(503)));
    for (mailbox, times) in [(None, 4 * 2), (Some(user(2)), 3 + 2)] {
        let scene = scene(4, |net, _| {
            let tenancy = Tenancy { v2: down.clone(), ..Tenancy::exchange_online(Cloud::Worldwide) };
            match &mailbox {
                None => net.microsoft.enter_domain(NAME, tenancy),
                Some(address) => net.microsoft.enter_address(address, tenancy),
            }
        })
        .await;
        let (auditor, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
        for (address, row) in rows(&store).await {
            let fails = mailbox.as_ref().is_none_or(|failing| *failing == address);
            let authority = if fails { Authority::Tenant } else { Authority::AutodiscoverV2 };
            assert_eq!((row.outcome.hosting, row.outcome.authority), (ONLINE, authority), "{address}");
            assert_eq!(row.outcome.clients[0].verdict, Verdict::Ok, "what does not ask v2 is as it was");
            assert_eq!(row.outcome.variant.is_some(), fails && mailbox.is_some(), "{address}");
        }
        assert_eq!(asked(&scene, is_v2), times, "{mailbox:?}");
        assert_replays(&scene, (&auditor, &store)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_about_which_v2_failed_is_asked_about_once_more_at_the_end() {
    let json = Act::json(r#"{"Protocol":"ActiveSync","Url":"https://outlook.office365.com/Microsoft-Server-ActiveSync"}"#);
    let scene = scene(4, |net, list| {
        let flaky = V2::Other(Box::new(Act::flaky(2, json)));
        net.microsoft.enter_address(&user(2), Tenancy { v2: flaky, ..Tenancy::exchange_online(Cloud::Worldwide) });
        for domain in ["one.example", "two.example"] {
            net.microsoft.enter_domain(domain, Tenancy::exchange_online(Cloud::Worldwide));
            list.push(WorldMailbox::new(format!("anna@{domain}")));
        }
    })
    .await;
    let (_, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
    let rows = rows(&store).await;
    assert!(rows.values().all(|row| row.outcome.authority == Authority::AutodiscoverV2 && row.outcome.variant.is_none()));
    assert_eq!(asked(&scene, |seen| is_v2(seen) && seen.path.contains(NAME)), 3 + 2 + 1, "the others are not asked again");
}

async fn report(store: &Store, format: Format) -> String {
    let request = Request {
        filter: ReportFilter::default(),
        selection: Selection::default(),
        format,
        generated_at: 1_760_000_000,
        remedies: &report::remedies(),
    };
    let mut snapshot = store.reader().snapshot().await.unwrap();
    let head = Head::read(&mut snapshot, &request).await.unwrap();
    let mut out = Vec::new();
    write_report(&mut snapshot, (&request, &head), &mut out).await.unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_v2_contradicts_is_a_conflict_in_every_format() {
    let scene = scene(3, |_, list| list[1].hosting = Some(Hosting::OnPremises)).await;
    let (_, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
    let found = rows(&store).await;
    let outcome = &found[&user(1)].outcome;
    assert_eq!((outcome.hosting, outcome.authority), (Hosting::OnPremises, Authority::List));
    assert_eq!(found.values().filter(|row| !row.outcome.hosting_conflict.is_empty()).count(), 1);
    let url = format!("https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/u0001%40{NAME}?Protocol=ActiveSync");
    let text = report(&store, Format::Text { all: false }).await;
    assert!(text.contains("\nThe authorities contradict each other on where 1 mailbox lives.\n"), "{text}");
    let csv = report(&store, Format::Csv(CsvDialect::Rfc4180)).await;
    assert!(csv.contains(&format!(r#","list","list: on-premises; autodiscover-v2: exchange-online ({url})","""#)), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&report(&store, Format::Json).await).unwrap();
    assert_eq!((&json["summary"]["hosting_conflicts"], &json["summary"]["personal_accounts"]), (&1.into(), &0.into()));
    let of = |number: usize| &json["mailboxes"][number];
    assert_eq!((&of(0)["hosting_authority"], &of(0)["hosting_conflict"]), (&"autodiscover-v2".into(), &serde_json::Value::Null));
    assert_eq!(of(1)["hosting_conflict"][1]["asked"], *url);
    assert_eq!((&of(1)["hosting_conflict"][0]["says"], &of(1)["hosting_authority"]), (&"on-premises".into(), &"list".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_no_tenant_has_contradicts_a_home_in_exchange_online() {
    for (facts, says) in [
        (&[LookupKind::Openid][..], vec![(Authority::Tenant, "exchange-online"), (Authority::Openid, "no tenant has the domain")]),
        (
            &[LookupKind::Openid, LookupKind::Realm],
            vec![
                (Authority::Tenant, "exchange-online"),
                (Authority::Openid, "no tenant has the domain"),
                (Authority::Realm, "no tenant has the domain"),
            ],
        ),
        (&[], vec![]),
    ] {
        let scene = scene(2, |net, _| net.microsoft.domain_mut(NAME).directory = TenantDirectory::None).await;
        let (_, store) = audit(&scene, facts).await;
        for row in rows(&store).await.values() {
            let claims = row.outcome.hosting_conflict.iter().map(|claim| (claim.authority, claim.says.as_str()));
            assert_eq!(claims.collect::<Vec<_>>(), says);
            assert_eq!((row.outcome.hosting, row.outcome.authority), (ONLINE, Authority::Tenant));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_account_is_found_unless_the_domain_says_yes_to_everything() {
    for (of_domain, of_one, personal) in [
        (Account::Work, Account::Both, 1),
        (Account::Work, Account::Personal, 1),
        (Account::Work, Account::Throttled, 0),
        (Account::WorkForAll, Account::Both, 0),
        (Account::Throttled, Account::Both, 0),
    ] {
        let scene = scene(5, |net, _| {
            net.microsoft.domain_mut(NAME).account = of_domain;
            net.microsoft.enter_address(&user(3), Tenancy { account: of_one, ..Tenancy::exchange_online(Cloud::Worldwide) });
        })
        .await;
        let (auditor, store) = audit(&scene, &[LookupKind::CredentialType]).await;
        let rows = rows(&store).await;
        let found: Vec<&String> =
            rows.iter().filter(|(_, row)| row.outcome.personal_account.is_some()).map(|(address, _)| address).collect();
        assert_eq!(found, [&user(3)][..personal], "{of_domain:?} {of_one:?}");
        let bodies: Vec<String> =
            scene.fakenet.seen().into_iter().filter(|seen| seen.path.ends_with("/GetCredentialType")).map(|seen| seen.body).collect();
        let canaries = bodies.iter().filter(|body| body.contains("no-such-mailbox-")).count();
        // what was throttled is not believed, and asked a second time at the end of the run
        assert!((1..=2).contains(&canaries) && bodies.iter().all(|body| body.contains(NAME)), "{bodies:?}");
        let line = format!("The address of {personal} mailbox is a personal Microsoft account, too.");
        assert_eq!(report(&store, Format::Text { all: false }).await.contains(&line), personal == 1);
        assert_replays(&scene, (&auditor, &store)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_service_that_throttles_is_asked_nothing_more() {
    let scene = scene(60, |net, _| net.microsoft.domain_mut(NAME).account = Account::Throttled).await;
    let mut settings = asking(&scene, &[]);
    settings.paces.set(LookupKind::CredentialType, Pace { enabled: true, concurrency: 1, requests_per_second: 0.0 });
    let (auditor, store) = (auditor_with(&settings), scene.open().await);
    run(&auditor, &store, &scene.jobs(), (&options(), &Progress::default())).await.unwrap();
    let about_accounts = asked(&scene, |seen| seen.path.ends_with("/GetCredentialType"));
    // one may be on its way while the first answer is read
    assert!((1..=2).contains(&about_accounts), "{about_accounts}");
    let rows = rows(&store).await;
    assert_eq!(rows.len(), 60);
    assert!(rows.values().all(|row| row.outcome.personal_account.is_none() && row.outcome.clients[0].verdict == Verdict::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_stored_of_an_account_changes_from_run_to_run() {
    let scene = scene(3, |_, _| {}).await;
    let kinds = [LookupKind::AutodiscoverV2, LookupKind::Openid, LookupKind::Realm, LookupKind::CredentialType];
    let read = async |store: &Store| {
        let tenant = scene.jobs()[0].tenant.id.clone();
        store.reader().read_dossier(&tenant, &NAME.parse().unwrap(), None).await.unwrap().unwrap()
    };
    let (_, store) = audit(&scene, &kinds).await;
    let first = read(&store).await;
    drop(store);
    let (_, store) = audit(&scene, &kinds).await;
    assert_eq!(read(&store).await.run, first.run, "a second dossier would be a second copy of the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_asked_for_in_batches_and_each_mailbox_gets_its_own() {
    let (own, moved) = (user(7), user(11));
    for (batches, requests) in
        [(Batches::default(), 3), (Batches { most: 20, ..Batches::default() }, 2 + 11), (Batches { answered: 30, ..Batches::default() }, 5)]
    {
        let scene = scene(120, |net, _| {
            net.microsoft.batches = batches;
            let online = Tenancy::exchange_online(Cloud::Worldwide);
            net.microsoft.enter_address(&own, Tenancy { user: User::OnPremises(format!("mail.{NAME}")), ..online.clone() });
            let target = "other@gov.many.example".to_owned();
            net.microsoft.enter_address(&target, Tenancy { user: User::Online, ..online.clone() });
            net.microsoft.enter_address(&moved, Tenancy { user: User::RedirectAddress(target), ..online });
        })
        .await;
        let (auditor, store) = audit(&scene, &[LookupKind::AutodiscoverSoap]).await;
        for (address, row) in rows(&store).await {
            let hosting = if address == own { Hosting::OnPremises } else { ONLINE };
            assert_eq!((row.outcome.hosting, row.outcome.authority), (hosting, Authority::AutodiscoverSoap), "{address}");
        }
        let posts: Vec<Seen> = scene.fakenet.seen().into_iter().filter(|seen| seen.path.ends_with("/autodiscover.svc")).collect();
        assert_eq!(posts.len(), 1 + requests, "{batches:?}: after the samples'; the redirect goes with the last of them");
        assert!(posts.iter().all(|seen| seen.authorization.as_deref() == Some("Bearer token")));
        assert!(asked(&scene, |seen| seen.authorization.is_some()) == posts.len(), "nobody else gets the token");
        assert_replays(&scene, (&auditor, &store)).await;
    }
}

/// The service of the settings answers nobody, or takes no token: it is left alone, and nothing else changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_tells_nobody_is_left_alone_for_the_rest_of_the_run() {
    // the samples, and then a batch of the first block
    for (batches, requests) in
        [(Batches { answered: 0, ..Batches::default() }, 6 + 6), (Batches { refuses: true, ..Batches::default() }, 3)]
    {
        let scene = scene(1_100, |net, list| {
            net.microsoft.batches = batches;
            net.microsoft.enter_domain("one.example", Tenancy::exchange_online(Cloud::Worldwide));
            list.push(WorldMailbox::new("anna@one.example"));
        })
        .await;
        let mut settings = asking(&scene, &[LookupKind::AutodiscoverSoap]);
        settings.retry_pause_milliseconds = 0;
        let (auditor, store) = (auditor_with(&settings), scene.open().await);
        let one_by_one = RunOptions { domains_at_once: 1, ..options() };
        run(&auditor, &store, &scene.jobs(), (&one_by_one, &Progress::default())).await.unwrap();
        let posts = asked(&scene, |seen| seen.path.ends_with("/autodiscover.svc"));
        assert_eq!(posts, requests, "{batches:?}");
        for (address, row) in rows(&store).await {
            assert_eq!((row.outcome.hosting, row.outcome.authority), (ONLINE, Authority::Tenant), "{address}");
            if address.ends_with(NAME) {
                assert_eq!(row.outcome.clients[0].verdict, Verdict::Ok, "{address}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_by_address_and_facts_by_mailbox_go_together() {
    let scene = scene(7, |net, _| {
        let stale = Act::xml(documents::stale(NAME));
        let known: Vec<(String, Act)> = [3, 6].map(|number| (user(number), stale.clone())).to_vec();
        let known: Vec<(&str, Act)> = known.iter().map(|(address, act)| (address.as_str(), act.clone())).collect();
        let act = Act::by_address(&known, Act::xml(documents::good(NAME)));
        net.host(&format!("autoconfig.{NAME}"), Site::empty().https("/mail/config-v1.1.xml", act));
        on_premises(net, &user(5));
    })
    .await;
    let (_, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
    for (address, row) in rows(&store).await {
        let verdict = match address {
            _ if address == user(3) || address == user(6) => Verdict::Consumer,
            _ if address == user(5) => Verdict::Foreign,
            _ => Verdict::Ok,
        };
        assert_eq!(row.outcome.clients[0].verdict, verdict, "{address}");
        assert_eq!(row.outcome.hosting == Hosting::OnPremises, address == user(5), "{address}");
    }
}

fn is_detection(seen: &Seen) -> bool {
    seen.host == "prod.autodetect.outlook.cloud.microsoft"
}

fn of_outlook(row: &MailboxRow) -> &ClientOutcome {
    row.outcome.clients.iter().find(|client| client.client == "outlook-new").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn autodetect_is_asked_about_samples_and_stands_for_all_that_live_where_they_do() {
    let odd = user(17);
    let scene = scene(40, |net, _| on_premises(net, &odd)).await;
    let (auditor, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
    let rows = rows(&store).await;
    for (address, row) in &rows {
        let (verdict, word) =
            if *address == odd { (Verdict::Undetermined, "a few mailboxes") } else { (Verdict::Ok, "where the mailbox lives") };
        let found = of_outlook(row);
        assert_eq!(found.verdict, verdict, "{address}: {}", found.explanation);
        assert!(found.explanation.contains(word), "{address}: {}", found.explanation);
        assert_eq!(row.outcome.hosting == Hosting::OnPremises, *address == odd, "{address}");
    }
    assert_eq!(asked(&scene, is_detection), 3, "the first, the middle and the last, and nobody at the end of the run");
    assert_replays(&scene, (&auditor, &store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stands_for_others_names_nobody() {
    let row = |protocol, host, port| Row { protocol, host, port, encryption: "ssl" };
    let rows_of_all = vec![row("imap", "imap.hoster.example", 993), row("smtp", "smtp.hoster.example", 465)];
    let scene = scene(6, |net, _| {
        let tenancy = net.microsoft.domain_mut(NAME);
        tenancy.detected = Detected::Found { services: Vec::new(), rows: rows_of_all };
        // told apart by v2, and not asked about
        let v2 = V2::Endpoint("https://outlook.office.com/Microsoft-Server-ActiveSync".to_owned());
        let tenancy = Tenancy { v2, ..tenancy.clone() };
        net.microsoft.enter_address(&user(1), tenancy);
    })
    .await;
    let (auditor, store) = audit(&scene, &[LookupKind::AutodiscoverV2]).await;
    let rows = rows(&store).await;
    for row in rows.values() {
        assert_eq!(of_outlook(row).settings.incoming[0].username, "%EMAILADDRESS%");
    }
    assert!(rows[&user(1)].outcome.variant.is_some() && rows[&user(2)].outcome.variant.is_none());
    assert_replays(&scene, (&auditor, &store)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_autodetect_says_different_things_who_was_not_asked_about_could_not_be_told() {
    for facts in [&[LookupKind::AutodiscoverV2][..], &[]] {
        let rows_of_a_hoster = vec![
            Row { protocol: "imap", host: "imap.hoster.example", port: 993, encryption: "ssl" },
            Row { protocol: "smtp", host: "smtp.hoster.example", port: 465, encryption: "ssl" },
        ];
        let stale = Detected::Found { services: Vec::new(), rows: rows_of_a_hoster };
        let scene = scene(9, |net, _| {
            net.microsoft.enter_address(&user(8), Tenancy { detected: stale, ..Tenancy::exchange_online(Cloud::Worldwide) });
        })
        .await;
        let (auditor, store) = audit(&scene, facts).await;
        for (address, row) in rows(&store).await {
            let verdict = match address {
                _ if address == user(0) || address == user(4) => Verdict::Ok,
                _ if address == user(8) => Verdict::Foreign,
                _ => Verdict::Undetermined,
            };
            assert_eq!(of_outlook(&row).verdict, verdict, "{address}: {}", of_outlook(&row).explanation);
            assert_eq!(row.outcome.clients[0].verdict, Verdict::Ok, "{address}");
        }
        assert_eq!(asked(&scene, is_detection), 3);
        let of_domain = asked(&scene, |seen| seen.host == format!("autoconfig.{NAME}"));
        assert!(of_domain < 20, "{of_domain}: nobody else is asked about one by one for it");
        assert_replays(&scene, (&auditor, &store)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_services_that_autodetect_lists_are_a_personal_account_of_those_that_were_asked_about() {
    let scene = scene(5, |net, _| {
        let both = Detected::Found { services: vec![service("office365", None), service("outlook", None)], rows: Vec::new() };
        net.microsoft.domain_mut(NAME).detected = both;
    })
    .await;
    let (auditor, store) = audit(&scene, &[]).await;
    let personal: Vec<bool> = rows(&store).await.values().map(|row| row.outcome.personal_account.is_some()).collect();
    assert_eq!(personal, [true, false, true, false, true]);
    assert_replays(&scene, (&auditor, &store)).await;
}

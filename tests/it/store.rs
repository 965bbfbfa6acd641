//! The database, on real files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod care;
mod file;
mod guard;
mod incident;
mod leave;
mod outbox;
mod plan;
mod report;
mod restore;
mod seal;

use std::{ops::ControlFlow, path::Path, sync::Arc};

use autodiscover_audit::{
    model::{Address, Cause, ClientOutcome, Domain, Hosting, Mailbox, Outcome, Person, Profile, Settings, TenantId, Verdict},
    store::{
        Conclusion, DomainBatch, DossierRecord, Entry, MailboxRow, Progress, Reader, Recorded, ReportFilter, RunId, RunState, Scope, Store,
        StoreError,
    },
};
use sha2::{Digest as _, Sha256};
use sqlx::{Connection as _, SqliteConnection};

fn tenant(id: &str) -> TenantId {
    TenantId::try_from(id.to_owned()).unwrap()
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn mailbox(address: &str) -> Mailbox {
    Mailbox { address: Address::parse(address).unwrap(), profile: Arc::new(Profile::default()), person: None }
}

fn mailboxes(addresses: &[&str]) -> Vec<Mailbox> {
    addresses.iter().map(|address| mailbox(address)).collect()
}

fn outcome(verdict: Verdict) -> Arc<Outcome> {
    let client = ClientOutcome {
        client: "thunderbird".into(),
        audited: true,
        verdict,
        fragile: false,
        inferred: false,
        cause: verdict.is_finding().then_some(Cause::OwnAutoconfigStale),
        affected: Vec::new(),
        explanation: format!("{verdict} for %EMAILADDRESS%"),
        evidence: Vec::new(),
        source: None,
        settings: Settings::default(),
        next: None,
    };
    Arc::new(Outcome { needs_manual_configuration: verdict.is_finding(), clients: vec![client], ..Outcome::default() })
}

/// A database with one tenant and the habit of recording whole domains.
struct Site {
    folder: tempfile::TempDir,
    store: Store,
    tenant: TenantId,
    clock: i64,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("audit.db")).await.unwrap();
        Self { folder, store, tenant: tenant("contoso"), clock: 1_000 }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("audit.db")
    }

    async fn begin(&mut self, count: u64) -> RunId {
        self.clock += 100;
        self.store.begin_run(&[(self.tenant.clone(), "Contoso Ltd".into(), count)], self.clock).await.unwrap()
    }

    async fn record(&self, run: RunId, name: &str, mailboxes: &[Mailbox], outcome: &Arc<Outcome>, done: bool) -> Recorded {
        self.try_record(run, name, mailboxes, outcome, done).await.unwrap()
    }

    async fn try_record(
        &self,
        run: RunId,
        name: &str,
        mailboxes: &[Mailbox],
        outcome: &Arc<Outcome>,
        done: bool,
    ) -> Result<Recorded, StoreError> {
        let entries: Vec<Entry<'_>> = mailboxes.iter().map(|mailbox| Entry { mailbox, outcome }).collect();
        let (tenant, domain) = (&self.tenant, &domain(name));
        self.store.record(DomainBatch { run, tenant, domain, list: [0; 32], entries: &entries, dossier: None, done, at: self.clock }).await
    }

    /// A whole run over one domain.
    async fn run(&mut self, mailboxes: &[Mailbox], outcome: &Arc<Outcome>) -> Recorded {
        let run = self.begin(mailboxes.len() as u64).await;
        let recorded = self.record(run, "contoso.com", mailboxes, outcome, true).await;
        self.finish(run).await;
        recorded
    }

    async fn finish(&mut self, run: RunId) -> u64 {
        self.finish_over(run, &["contoso.com"]).await
    }

    async fn finish_over(&mut self, run: RunId, domains: &[&str]) -> u64 {
        let gone = self.try_finish_tenant(run, domains).await.unwrap();
        self.store.finish_run(run, RunState::Finished, self.clock).await.unwrap();
        gone
    }

    async fn try_finish_tenant(&self, run: RunId, domains: &[&str]) -> Result<u64, StoreError> {
        let domains: Vec<Domain> = domains.iter().map(|name| domain(name)).collect();
        let domains: Vec<&Domain> = domains.iter().collect();
        finish_tenant(&self.store, run, (&self.tenant, &domains), self.clock).await
    }

    async fn assert_sound(&self) {
        let check = self.store.reader().check().await.unwrap();
        assert_eq!(check.problems().collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

async fn read(reader: &Reader, filter: &ReportFilter) -> Vec<MailboxRow> {
    let mut rows = Vec::new();
    reader
        .read_mailboxes(filter, |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
    rows
}

async fn addresses(reader: &Reader, filter: &ReportFilter) -> Vec<String> {
    read(reader, filter).await.iter().map(|row| row.mailbox.address.to_string()).collect()
}

async fn count(path: &Path, query: &'static str) -> i64 {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", path.display())).await.unwrap();
    let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

async fn alter(path: &Path, statement: &'static str) {
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_run_that_finds_nothing_new_adds_no_history() {
    let mut site = Site::new().await;
    let list = mailboxes(&["anna@contoso.com", "bert@contoso.com"]);
    assert_eq!(site.run(&list, &outcome(Verdict::Consumer)).await, Recorded { new: 2, ..Recorded::default() });
    // another Arc of equal content
    assert_eq!(site.run(&list, &outcome(Verdict::Consumer)).await, Recorded { unchanged: 2, ..Recorded::default() });
    let path = site.path();
    for (query, expected) in [
        ("SELECT count(*) FROM history", 2),
        ("SELECT count(*) FROM outcome", 1),
        ("SELECT count(*) FROM profile", 1),
        ("SELECT count(*) FROM domain", 1),
        ("SELECT count(*) FROM run", 2),
    ] {
        assert_eq!(count(&path, query).await, expected, "{query}");
    }
    site.assert_sound().await;
}

#[tokio::test]
async fn the_pointer_moves_and_the_past_can_be_read() {
    let mut site = Site::new().await;
    let list = mailboxes(&["anna@contoso.com", "bert@contoso.com"]);
    site.run(&list, &outcome(Verdict::Ok)).await;
    site.run(&list, &outcome(Verdict::Foreign)).await;
    site.run(&list, &outcome(Verdict::Undetermined)).await;
    assert_eq!(site.run(&list[..1], &outcome(Verdict::Consumer)).await, Recorded { changed: 1, gone: 1, ..Recorded::default() });
    let reader = site.store.reader();
    for (run, expected) in [
        (Some(1), vec![("anna@contoso.com", Verdict::Ok, None), ("bert@contoso.com", Verdict::Ok, None)]),
        (Some(2), vec![("anna@contoso.com", Verdict::Foreign, Some(1_200)), ("bert@contoso.com", Verdict::Foreign, Some(1_200))]),
        (None, vec![("anna@contoso.com", Verdict::Consumer, Some(1_200))]),
    ] {
        let filter = ReportFilter { run: run.map(RunId), ..ReportFilter::default() };
        let rows = read(reader, &filter).await;
        let told: Vec<_> = rows.iter().map(|row| (row.mailbox.address.to_string(), row.outcome.clients[0].verdict, row.since[0])).collect();
        let expected: Vec<_> = expected.into_iter().map(|(address, verdict, since)| (address.to_owned(), verdict, since)).collect();
        assert_eq!(told, expected, "{run:?}");
        let summary = reader.summary(&filter).await.unwrap();
        assert_eq!(summary[0].checked, expected.len() as u64, "{run:?}");
    }
    let back = site.run(&list, &outcome(Verdict::Consumer)).await;
    assert_eq!(back, Recorded { changed: 1, unchanged: 1, ..Recorded::default() });
    site.assert_sound().await;
}

#[tokio::test]
async fn what_the_list_no_longer_has_leaves_at_its_place_in_the_order() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    site.run(&mailboxes(&["a@contoso.com", "b@contoso.com", "c@contoso.com", "d@contoso.com"]), &fine).await;
    let run = site.begin(2).await;
    // `a` is before the first entry, `c` between the batches' entries, `d` beyond the last
    let first = site.record(run, "contoso.com", &mailboxes(&["b@contoso.com"]), &fine, false).await;
    assert_eq!(first, Recorded { unchanged: 1, gone: 1, ..Recorded::default() });
    let second = site.record(run, "contoso.com", &mailboxes(&["bb@contoso.com"]), &fine, false).await;
    assert_eq!(second, Recorded { new: 1, ..Recorded::default() });
    let last = site.record(run, "contoso.com", &[], &fine, true).await;
    assert_eq!(last, Recorded { gone: 2, ..Recorded::default() });
    assert_eq!(addresses(site.store.reader(), &ReportFilter::default()).await, ["b@contoso.com", "bb@contoso.com"]);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_domain_that_the_list_no_longer_has_leaves_when_the_tenant_is_finished() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    let run = site.begin(2).await;
    site.record(run, "contoso.com", &mailboxes(&["a@contoso.com"]), &fine, true).await;
    site.record(run, "fabrikam.com", &mailboxes(&["b@fabrikam.com"]), &fine, true).await;
    assert_eq!(site.finish_over(run, &["contoso.com", "fabrikam.com"]).await, 0);
    let run = site.begin(1).await;
    site.record(run, "fabrikam.com", &mailboxes(&["b@fabrikam.com"]), &fine, true).await;
    assert_eq!(site.finish_over(run, &["fabrikam.com"]).await, 1);
    assert_eq!(addresses(site.store.reader(), &ReportFilter::default()).await, ["b@fabrikam.com"]);
    assert_eq!(site.store.reader().previous_count(&site.tenant).await.unwrap(), Some(1));
    assert_eq!(site.store.reader().previous_count(&tenant("other")).await.unwrap(), None);
    site.assert_sound().await;
}

#[tokio::test]
async fn an_interrupted_run_goes_on_where_it_stopped() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    let run = site.begin(3).await;
    let (tenants, contoso) = ([(site.tenant.clone(), "Contoso Ltd".to_owned(), 3)], domain("contoso.com"));
    site.record(run, "contoso.com", &mailboxes(&["a@contoso.com", "b@contoso.com"]), &fine, false).await;
    let unfinished = site.try_finish_tenant(run, &["contoso.com"]).await;
    assert!(matches!(unfinished, Err(StoreError::Unfinished { domain, .. }) if domain == "contoso.com"));

    // the process dies: nothing is closed in order
    let path = site.path();
    drop(site.store);
    site.store = Store::open(&path).await.unwrap();
    assert_eq!(site.store.resume_run(&tenants, 1_200).await.unwrap(), Some(run));
    let progress = site.store.progress(run, (&site.tenant, &contoso), &[0; 32]).await.unwrap();
    assert_eq!(progress, Progress::Through("b@contoso.com".into()));
    assert_eq!(site.store.progress(run, (&site.tenant, &domain("fabrikam.com")), &[0; 32]).await.unwrap(), Progress::NotStarted);
    let again = site.try_record(run, "contoso.com", &mailboxes(&["b@contoso.com"]), &fine, true).await;
    assert!(matches!(again, Err(StoreError::Batch { .. })), "{again:?}");
    site.record(run, "contoso.com", &mailboxes(&["c@contoso.com"]), &fine, true).await;
    assert_eq!(site.store.progress(run, (&site.tenant, &contoso), &[0; 32]).await.unwrap(), Progress::Done);
    site.finish(run).await;
    assert_eq!(site.store.resume_run(&tenants, 1_300).await.unwrap(), None);
    assert_eq!(addresses(site.store.reader(), &ReportFilter::default()).await.len(), 3);

    let died = site.begin(3).await;
    let next = site.begin(3).await;
    let runs = site.store.reader().runs(2).await.unwrap();
    assert_eq!(runs.iter().map(|run| (run.id, run.state)).collect::<Vec<_>>(), [(next, RunState::Running), (died, RunState::Interrupted)]);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_batch_that_is_dropped_midway_leaves_nothing() {
    let mut site = Site::new().await;
    let run = site.begin(2_000).await;
    let list: Vec<Mailbox> = (0..2_000).map(|number| mailbox(&format!("user{number:04}@contoso.com"))).collect();
    let fine = outcome(Verdict::Ok);
    let (mut polls, mut cuts) = (0, 0);
    loop {
        let mut attempt = Box::pin(site.try_record(run, "contoso.com", &list, &fine, true));
        polls += 1 + polls / 4;
        let mut left = polls;
        let finished = std::future::poll_fn(|context| {
            left -= 1;
            match attempt.as_mut().poll(context) {
                std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(false),
                std::task::Poll::Pending => std::task::Poll::Pending,
                std::task::Poll::Ready(result) => {
                    result.unwrap();
                    std::task::Poll::Ready(true)
                }
            }
        })
        .await;
        drop(attempt);
        // a commit that was already sent lands whole
        let kept = addresses(site.store.reader(), &ReportFilter::default()).await.len();
        assert!(kept == 0 || kept == list.len(), "{kept} after {polls} polls");
        if finished || kept == list.len() {
            break;
        }
        assert_eq!(site.store.progress(run, (&site.tenant, &domain("contoso.com")), &[0; 32]).await.unwrap(), Progress::NotStarted);
        cuts += 1;
    }
    assert!(cuts > 5, "the batch was cut only {cuts} times");
    site.assert_sound().await;
}

#[tokio::test]
async fn what_was_recorded_is_in_the_files_at_once() {
    let mut site = Site::new().await;
    let run = site.begin(1).await;
    site.record(run, "contoso.com", &mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok), true).await;
    // what a killed process leaves: the files as they are now
    let left = tempfile::tempdir().unwrap();
    for name in ["audit.db", "audit.db-wal"] {
        std::fs::copy(site.folder.path().join(name), left.path().join(name)).unwrap();
    }
    let store = Store::open(&left.path().join("audit.db")).await.unwrap();
    assert_eq!(addresses(store.reader(), &ReportFilter::default()).await, ["anna@contoso.com"]);
    assert!(store.reader().check().await.unwrap().is_sound());
}

#[tokio::test]
async fn batches_out_of_order_are_refused() {
    let mut site = Site::new().await;
    let run = site.begin(2).await;
    let fine = outcome(Verdict::Ok);
    for list in [["b@contoso.com", "a@contoso.com"], ["a@contoso.com", "A@contoso.com"], ["a@contoso.com", "b@fabrikam.com"]] {
        let refused = site.try_record(run, "contoso.com", &mailboxes(&list), &fine, true).await;
        assert!(matches!(refused, Err(StoreError::Batch { .. })), "{list:?}: {refused:?}");
    }
}

#[tokio::test]
async fn batches_recorded_together_land_together_or_not_at_all() {
    let mut site = Site::new().await;
    let (run, fine) = (site.begin(2).await, outcome(Verdict::Consumer));
    let (anna, bert) = (mailbox("anna@contoso.com"), mailbox("bert@fabrikam.com"));
    let (first, second) = ([Entry { mailbox: &anna, outcome: &fine }], [Entry { mailbox: &bert, outcome: &fine }]);
    let (tenant, names) = (&site.tenant, [domain("contoso.com"), domain("fabrikam.com")]);
    let batch = |domain, entries| DomainBatch { run, tenant, domain, list: [0; 32], entries, dossier: None, done: true, at: site.clock };
    let refused = site.store.record_all(&[batch(&names[0], &first), batch(&names[1], &first)]).await;
    assert!(matches!(&refused, Err(StoreError::Batch { domain, .. }) if *domain == names[1]), "{refused:?}");
    assert_eq!(site.store.progress(run, (tenant, &names[0]), &[0; 32]).await.unwrap(), Progress::NotStarted);
    // nothing of the failed attempt is remembered either
    let recorded = site.store.record_all(&[batch(&names[0], &first), batch(&names[1], &second)]).await.unwrap();
    assert_eq!(recorded, Recorded { new: 2, ..Recorded::default() });
    site.assert_sound().await;
}

#[tokio::test]
async fn person_and_profile_follow_the_list() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    site.run(&mailboxes(&["anna@contoso.com"]), &fine).await;
    let person = Person { department: Some("Sales".into()), sign_in_name: Some("a1@contoso.com".into()), ..Person::default() };
    let profile = Profile { hosting: Some(Hosting::OnPremises), ..Profile::default() };
    let anna = Mailbox { person: Some(Box::new(person)), profile: Arc::new(profile), ..mailbox("Anna@contoso.com") };
    let recorded = site.run(std::slice::from_ref(&anna), &fine).await;
    assert_eq!(recorded, Recorded { unchanged: 1, ..Recorded::default() });
    assert_eq!(read(site.store.reader(), &ReportFilter::default()).await[0].mailbox, anna);
}

#[tokio::test]
async fn filters_choose_tenant_and_need_and_the_reader_can_stop() {
    let mut site = Site::new().await;
    let list: Vec<Mailbox> = (0..4_500).map(|number| mailbox(&format!("user{number:04}@contoso.com"))).collect();
    site.run(&list, &outcome(Verdict::Consumer)).await;
    site.tenant = tenant("fabrikam");
    site.run(&mailboxes(&["zoe@contoso.com"]), &outcome(Verdict::Ok)).await;
    let reader = site.store.reader();
    let all = addresses(reader, &ReportFilter::default()).await;
    assert_eq!(
        (all.len(), all.first().unwrap().as_str(), all.last().unwrap().as_str()),
        (4_501, "user0000@contoso.com", "zoe@contoso.com")
    );
    assert!(all[..4_500].is_sorted());
    let theirs = ReportFilter { tenant: Some(tenant("fabrikam")), ..ReportFilter::default() };
    assert_eq!(addresses(reader, &theirs).await, ["zoe@contoso.com"]);
    assert_eq!(addresses(reader, &ReportFilter { needs_manual: true, ..theirs }).await, Vec::<String>::new());
    let summary = reader.summary(&ReportFilter::default()).await.unwrap();
    let numbers: Vec<_> = summary.iter().map(|one| (one.tenant.as_str(), one.checked, one.ok, one.needs_manual)).collect();
    assert_eq!(numbers, [("contoso", 4_500, 0, 4_500), ("fabrikam", 1, 1, 0)]);
    let mut seen = 0;
    let everything = ReportFilter::default();
    let stopped = reader.read_mailboxes(&everything, |_| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    stopped.await.unwrap();
    assert_eq!(seen, 3);
}

#[tokio::test]
async fn evidence_is_stored_once_and_only_where_it_changed() {
    let mut site = Site::new().await;
    let (body, contoso, owner) = (Arc::<[u8]>::from(&b"<clientConfig/>"[..]), domain("contoso.com"), site.tenant.clone());
    let digest: [u8; 32] = Sha256::digest(&body).into();
    for json in ["[1]", "[1]", "[2]"] {
        let run = site.begin(0).await;
        let dossier = DossierRecord { json: json.into(), bodies: vec![(digest, Arc::clone(&body))] };
        let batch = DomainBatch {
            run,
            tenant: &owner,
            domain: &contoso,
            list: [0; 32],
            entries: &[],
            dossier: Some(&dossier),
            done: true,
            at: site.clock,
        };
        site.store.record(batch).await.unwrap();
        site.finish(run).await;
    }
    let reader = site.store.reader();
    for (run, expected) in [(Some(RunId(1)), (1, "[1]")), (Some(RunId(2)), (1, "[1]")), (None, (3, "[2]"))] {
        let dossier = reader.read_dossier(&owner, &contoso, run).await.unwrap().unwrap();
        assert_eq!((dossier.run.0, dossier.json.as_str()), expected, "{run:?}");
        assert_eq!(dossier.bodies.get(&digest), Some(&body));
    }
    assert_eq!(count(&site.path(), "SELECT count(*) FROM body").await, 1);
    site.assert_sound().await;
}

#[tokio::test]
async fn two_audits_cannot_hold_one_database_and_readers_can() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    let path = site.path();
    let refused = Store::open(&path).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Locked { lock } if lock.ends_with("audit.db.lock")), "{refused}");
    let reader = Store::open_read_only(&path).await.unwrap();
    assert_eq!(addresses(&reader, &ReportFilter::default()).await, ["anna@contoso.com"]);
    site.store.close().await.unwrap();
    assert_eq!(addresses(&Store::open_read_only(&path).await.unwrap(), &ReportFilter::default()).await, ["anna@contoso.com"]);
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_check_names_what_contradicts_itself() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Consumer)).await;
    let path = site.path();
    site.store.close().await.unwrap();
    alter(&path, "PRAGMA foreign_keys = OFF; UPDATE outcome SET body = '{}' WHERE id = 1; UPDATE mailbox SET outcome = 1, profile = 77")
        .await;
    let check = Store::open_read_only(&path).await.unwrap().check().await.unwrap();
    assert_eq!(check.integrity, Vec::<String>::new());
    assert_eq!(check.orphans, ["mailbox, row Some(1): no such profile"]);
    assert_eq!(
        check.contradictions,
        ["1 mailboxes whose outcome is not the newest of their history", "1 outcomes that do not match their digest"]
    );
}

#[test]
fn recording_can_be_moved_between_threads() {
    fn assert_send<T: Send>(_: &T) {}
    let batch: fn(&'static Store, DomainBatch<'static>) = |store, batch| assert_send(&store.record(batch));
    let _ = batch;
}

/// Ends a tenant's part of a run, and nothing comes of it.
pub(crate) async fn finish_tenant(
    store: &Store,
    run: RunId,
    (tenant, domains): (&TenantId, &[&Domain]),
    at: i64,
) -> Result<u64, StoreError> {
    let conclusion =
        Conclusion { run, tenant, scope: Scope::Whole(domains), vanished: &[], at, changes: &[], destinations: &[], rechecks: &[] };
    Ok(store.conclude_tenant(conclusion).await?.gone)
}

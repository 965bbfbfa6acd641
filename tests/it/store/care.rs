//! Care of the database: what is dropped, what stays, room that is given back, copies and how one takes the place of the database.

use autodiscover_audit::{
    model::{Change, Incident, IncidentId, IncidentState},
    store::{Cleared, Conclusion, Desk, Fate, Recheck, Retention, Scope},
};

use super::{
    incident::{all_to, opened, resolved, told},
    *,
};

const DAY: i64 = 86_400;

impl Site {
    async fn clear(&self, days: i64) -> Cleared {
        self.store.clear_old(&Retention { age: days * DAY, size: None }, self.clock).await.unwrap()
    }

    /// A run over `contoso.com` a day later, with answers of its own.
    async fn run_a_day_later(&mut self, addresses: &[&str], outcome: &Arc<Outcome>, answers: &str) -> RunId {
        self.clock += DAY;
        let (list, owner, contoso) = (mailboxes(addresses), self.tenant.clone(), domain("contoso.com"));
        let run = self.begin(list.len() as u64).await;
        let entries: Vec<Entry<'_>> = list.iter().map(|mailbox| Entry { mailbox, outcome }).collect();
        let body = Arc::<[u8]>::from(answers.repeat(400).as_bytes());
        let dossier = DossierRecord { json: format!("[\"{answers}\"]"), bodies: vec![(Sha256::digest(&body).into(), body)] };
        let batch = DomainBatch {
            run,
            tenant: &owner,
            domain: &contoso,
            list: [0; 32],
            entries: &entries,
            dossier: Some(&dossier),
            done: true,
            at: self.clock,
        };
        self.store.record(batch).await.unwrap();
        self.finish(run).await;
        run
    }

    async fn count(&self, query: &'static str) -> i64 {
        count(&self.path(), query).await
    }
}

fn verdicts(rows: &[MailboxRow]) -> Vec<(String, Verdict)> {
    rows.iter().map(|row| (row.mailbox.address.to_string(), row.outcome.clients[0].verdict)).collect()
}

#[tokio::test]
async fn what_is_past_is_dropped_and_what_was_after_a_run_of_the_time_that_is_kept_stays_true() {
    let mut site = Site::new().await;
    let both = ["anna@contoso.com", "bert@contoso.com"];
    let outcomes: Vec<Arc<Outcome>> = [Verdict::Ok, Verdict::Foreign, Verdict::Retired, Verdict::Consumer].map(outcome).to_vec();
    site.run_a_day_later(&both, &outcomes[0], "a").await;
    site.run_a_day_later(&both, &outcomes[1], "b").await;
    let edge = site.run_a_day_later(&both[..1], &outcomes[2], "c").await;
    let kept =
        [edge.0, site.run_a_day_later(&both[..1], &outcomes[2], "c").await.0, site.run_a_day_later(&both[..1], &outcomes[3], "d").await.0];
    let mut before = Vec::new();
    for run in kept {
        let filter = ReportFilter { run: Some(RunId(run)), ..ReportFilter::default() };
        before.push(verdicts(&read(site.store.reader(), &filter).await));
    }
    // two and a half days: the last two runs are within
    site.clock += DAY / 2;
    assert_eq!(site.clear(2).await.kept_from, site.clock - 2 * DAY);
    for (run, expected) in kept.into_iter().zip(&before) {
        let filter = ReportFilter { run: Some(RunId(run)), ..ReportFilter::default() };
        assert_eq!(&verdicts(&read(site.store.reader(), &filter).await), expected, "after run {run}");
    }
    for (query, expected) in [
        ("SELECT count(*) FROM history", 2),
        ("SELECT count(*) FROM mailbox", 1), // bert left before that
        ("SELECT count(*) FROM outcome", 2),
        ("SELECT count(*) FROM dossier", 2),
        ("SELECT count(*) FROM dossier_body", 2),
        ("SELECT count(*) FROM body", 2),
        ("SELECT count(*) FROM domain_dossier", 2),
        ("SELECT count(*) FROM run", 4), // the first met anna
        ("SELECT min(run) FROM history", 3),
    ] {
        assert_eq!(site.count(query).await, expected, "{query}");
    }
    assert_eq!(site.clear(2).await.rows, 0);
    site.assert_sound().await;
    // what was dropped is not believed to be there
    site.run_a_day_later(&both, &outcomes[0], "a").await;
    assert_eq!(site.count("SELECT count(*) FROM outcome").await, 3);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_domain_that_nobody_has_any_more_goes_with_its_mailboxes() {
    let mut site = Site::new().await;
    let (fine, run) = (outcome(Verdict::Ok), site.begin(2).await);
    site.record(run, "contoso.com", &mailboxes(&["anna@contoso.com"]), &fine, true).await;
    site.record(run, "fabrikam.com", &mailboxes(&["bert@fabrikam.com"]), &fine, true).await;
    finish_tenant(&site.store, run, (&site.tenant, &[&domain("contoso.com"), &domain("fabrikam.com")]), site.clock).await.unwrap();
    site.store.finish_run(run, RunState::Finished, site.clock).await.unwrap();
    site.run_a_day_later(&["anna@contoso.com"], &fine, "a").await;
    assert_eq!(site.count("SELECT count(*) FROM domain").await, 2);
    site.clock += DAY * 10;
    site.run_a_day_later(&["anna@contoso.com"], &fine, "a").await;
    site.clear(5).await;
    assert_eq!((site.count("SELECT count(*) FROM domain").await, site.count("SELECT count(*) FROM mailbox").await), (1, 1));
    site.assert_sound().await;
}

#[tokio::test]
async fn a_clock_that_was_wrong_for_a_run_drops_nothing_that_is_to_be_kept() {
    let mut site = Site::new().await;
    let all: Vec<Arc<Outcome>> = [Verdict::Ok, Verdict::Foreign, Verdict::Consumer].map(outcome).to_vec();
    site.clock = 1_000 * DAY;
    site.run_a_day_later(&["anna@contoso.com"], &all[0], "a").await;
    // set back by years, and right again
    let right = std::mem::replace(&mut site.clock, DAY);
    site.run_a_day_later(&["anna@contoso.com"], &all[1], "b").await;
    site.clock = right;
    site.run_a_day_later(&["anna@contoso.com"], &all[2], "c").await;
    site.clear(30).await;
    assert_eq!(site.count("SELECT count(*) FROM history").await, 3);
}

#[tokio::test]
async fn what_is_over_goes_after_its_time_and_what_was_not_told_stays() {
    let mut site = Site::new().await;
    let ops = [all_to("ops")];
    site.store.conclude_ours(&[told(opened("contoso.com", 10), Change::Opened)], &ops, 10).await.unwrap();
    let notice = site.store.lease("ops", &ops, (11, 12)).await.unwrap().unwrap();
    site.store.settle(&notice.id, &Fate::Delivered, 11).await.unwrap();
    for (name, state) in [("fabrikam.com", IncidentState::Dismissed), ("tailspin.com", IncidentState::Suspected)] {
        let change = told(Incident { state, ..opened(name, 10) }, Change::Opened);
        let quiet = autodiscover_audit::store::IncidentChange { change: None, ..change };
        site.store.conclude_ours(&[quiet], &[], 10).await.unwrap();
    }
    site.store.conclude_ours(&[told(resolved(opened("contoso.com", 10), 20), Change::Resolved)], &ops, 20).await.unwrap();
    let desk = Desk::open(&site.path()).await.unwrap();
    let demand = desk.demand(&[], 10).await.unwrap();
    site.store.end_demand(demand, 20, None).await.unwrap();
    desk.demand(&[], 30).await.unwrap();
    let counts = async |site: &Site| {
        let mut counts = Vec::new();
        for query in
            ["SELECT count(*) FROM incident", "SELECT count(*) FROM event", "SELECT count(*) FROM notice", "SELECT count(*) FROM demand"]
        {
            counts.push(site.count(query).await);
        }
        counts
    };
    site.clock = 6 * DAY;
    site.clear(400).await;
    assert_eq!(counts(&site).await, [3, 2, 2, 2]);
    site.clock = 8 * DAY;
    site.clear(400).await;
    assert_eq!(counts(&site).await, [2, 2, 2, 1], "the dismissed one, and the demand that is over");
    site.clock = 31 * DAY;
    site.clear(400).await;
    assert_eq!(counts(&site).await, [2, 2, 1, 1], "the notice that was delivered");
    site.clock = 500 * DAY;
    site.clear(400).await;
    assert_eq!(counts(&site).await, [2, 1, 1, 1], "what was not told keeps its event, and that its incident");
    let notice = site.store.lease("ops", &ops, (site.clock, site.clock)).await.unwrap().unwrap();
    site.store.settle(&notice.id, &Fate::Delivered, site.clock).await.unwrap();
    site.clear(400).await;
    assert_eq!(counts(&site).await, [1, 0, 1, 1]);
    assert_eq!(site.store.reader().incident(IncidentId(3)).await.unwrap().unwrap().state, IncidentState::Suspected);
    site.assert_sound().await;
}

#[tokio::test]
async fn runs_that_left_nothing_are_forgotten_and_the_length_of_the_last_list_is_not() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    for _ in 0..5 {
        site.run_a_day_later(&["anna@contoso.com"], &fine, "a").await;
    }
    site.clock += 60;
    let part = site.store.begin_part(&[(site.tenant.clone(), "Contoso Ltd".into(), 77)], site.clock).await.unwrap();
    site.record(part, "contoso.com", &mailboxes(&["anna@contoso.com"]), &fine, true).await;
    let (contoso, rechecks) = (domain("contoso.com"), [Recheck { domain: domain("contoso.com"), due_at: 7, pause: 5 }]);
    let conclusion = Conclusion {
        vanished: &[],
        run: part,
        tenant: &site.tenant,
        scope: Scope::Part(&[&contoso]),
        at: site.clock,
        changes: &[],
        destinations: &[],
        rechecks: &rechecks,
    };
    site.store.conclude_tenant(conclusion).await.unwrap();
    site.store.finish_run(part, RunState::Finished, site.clock).await.unwrap();
    assert_eq!(site.store.reader().previous_count(&site.tenant).await.unwrap(), Some(1), "a part says nothing of the whole");
    site.clock += 100 * DAY;
    site.clear(50).await;
    let left: Vec<i64> = site.store.reader().runs(10).await.unwrap().iter().map(|run| run.id.0).collect();
    // the newest, that of the last whole list, and that which first met the mailbox
    assert_eq!(left, [6, 5, 1]);
    let newest = &site.store.reader().runs(1).await.unwrap()[0];
    assert!(newest.is_part);
    let summary = site.store.reader().summary(&ReportFilter::default()).await.unwrap();
    assert!(summary[0].finished_at < newest.finished_at, "a part is no whole run");
    assert_eq!(site.store.reader().previous_count(&site.tenant).await.unwrap(), Some(1));
    site.assert_sound().await;
}

#[tokio::test]
async fn a_database_that_is_too_large_loses_its_oldest_past_and_gives_the_room_back() {
    let mut site = Site::new().await;
    let addresses: Vec<String> = (0..200).map(|number| format!("user{number:03}@contoso.com")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    for day in 0..16 {
        let changing = outcome(if day % 2 == 0 { Verdict::Ok } else { Verdict::Consumer });
        let answers: String = (0..2_000).map(|at| char::from(b'a' + u8::try_from((at * at + day * 7) % 26).unwrap())).collect();
        site.run_a_day_later(&addresses, &changing, &answers).await;
    }
    let present = verdicts(&read(site.store.reader(), &ReportFilter::default()).await);
    let (path, full) = (site.path(), site.store.reader().size().await.unwrap());
    let on_disk = || std::fs::metadata(&path).unwrap().len();
    let (before, limit) = (on_disk(), full.used / 2);
    let cleared = site.store.clear_old(&Retention { size: Some(limit), ..Retention::default() }, site.clock).await.unwrap();
    let now = site.store.reader().size().await.unwrap();
    assert!(now.used <= limit && !cleared.is_too_large, "{now:?} {cleared:?}");
    assert_eq!((now.free, now.log), (0, 0));
    assert!(on_disk() < before * 2 / 3, "{} of {before}", on_disk());
    let runs = site.count("SELECT count(DISTINCT run) FROM history").await;
    assert!((2..16).contains(&runs), "the oldest went, and no more than had to: {runs}");
    assert_eq!(site.count("SELECT max(run) FROM history").await, 16);
    // what is now stays, and is said to be too large
    let cleared = site.store.clear_old(&Retention { size: Some(1), ..Retention::default() }, site.clock).await.unwrap();
    assert!(cleared.is_too_large);
    assert_eq!(site.count("SELECT count(*) FROM history").await, 200);
    assert_eq!(verdicts(&read(site.store.reader(), &ReportFilter::default()).await), present);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_database_that_keeps_its_room_is_told_of_and_mended_by_a_backup_that_is_restored() {
    let mut site = Site::new().await;
    site.run_a_day_later(&["anna@contoso.com"], &outcome(Verdict::Ok), "a").await;
    let (path, copy) = (site.path(), site.folder.path().join("copy.db"));
    site.store.close().await.unwrap();
    alter(&path, "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM").await;
    assert_eq!(count(&path, "PRAGMA auto_vacuum").await, 0);
    let store = Store::open(&path).await.unwrap();
    store.reader().backup(&copy).await.unwrap();
    store.close().await.unwrap();
    Store::restore(&path, &copy, 5).await.unwrap();
    site.store = Store::open(&path).await.unwrap();
    assert_eq!(count(&path, "PRAGMA auto_vacuum").await, 2);
    site.assert_sound().await;
}

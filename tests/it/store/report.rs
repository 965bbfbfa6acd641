//! What reports read.

use std::ops::ControlFlow;

use autodiscover_audit::{
    model::Verdict,
    store::{ReportFilter, RunId, RunState},
};

use super::{Site, addresses, mailboxes, outcome, read, tenant};

#[tokio::test]
async fn a_snapshot_counts_and_lists_what_was_there_at_one_moment() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Consumer)).await;
    let everything = ReportFilter::default();
    let mut snapshot = site.store.reader().snapshot().await.unwrap();
    let counted = snapshot.summary(&everything).await.unwrap();
    site.run(&mailboxes(&["anna@contoso.com", "bert@contoso.com"]), &outcome(Verdict::Ok)).await;
    assert_eq!((counted[0].checked, counted[0].needs_manual), (1, 1));
    assert_eq!(snapshot.runs(9).await.unwrap().len(), 1);
    let mut verdicts = Vec::new();
    let keep = |row: autodiscover_audit::store::MailboxRow| {
        verdicts.push(row.outcome.clients[0].verdict);
        ControlFlow::Continue(())
    };
    snapshot.read_mailboxes(&everything, keep).await.unwrap();
    assert_eq!(verdicts, [Verdict::Consumer]);
    drop(snapshot);
    assert_eq!(addresses(site.store.reader(), &everything).await.len(), 2);
}

#[tokio::test]
async fn a_run_that_is_under_way_was_checked_when_its_domains_were() {
    let mut site = Site::new().await;
    let anna = mailboxes(&["anna@contoso.com"]);
    site.run(&anna, &outcome(Verdict::Ok)).await;
    let run = site.begin(1).await;
    site.clock += 30;
    let of_run = ReportFilter { run: Some(run), ..ReportFilter::default() };
    assert_eq!(read(site.store.reader(), &of_run).await[0].checked_at, 1_100, "not met yet");
    site.record(run, "contoso.com", &anna, &outcome(Verdict::Ok), true).await;
    assert_eq!(read(site.store.reader(), &of_run).await[0].checked_at, 1_230);
    site.clock += 30;
    site.finish(run).await;
    site.run(&anna, &outcome(Verdict::Ok)).await;
    assert_eq!(read(site.store.reader(), &of_run).await[0].checked_at, 1_260, "at its end at the latest");
}

#[tokio::test]
async fn a_tenants_numbers_say_when_its_last_run_was_finished() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    site.tenant = tenant("fabrikam");
    let run = site.begin(1).await;
    site.record(run, "contoso.com", &mailboxes(&["bert@contoso.com"]), &outcome(Verdict::Ok), true).await;
    let times = async |run: Option<i64>| {
        let filter = ReportFilter { run: run.map(RunId), ..ReportFilter::default() };
        let summary = site.store.reader().summary(&filter).await.unwrap();
        summary.iter().map(|one| (one.tenant.to_string(), one.finished_at)).collect::<Vec<_>>()
    };
    let (contoso, fabrikam) = (("contoso".to_owned(), Some(1_100)), |at| ("fabrikam".to_owned(), at));
    assert_eq!(times(None).await, [contoso.clone(), fabrikam(None)]);
    site.try_finish_tenant(run, &["contoso.com"]).await.unwrap();
    assert_eq!(times(None).await, [contoso.clone(), fabrikam(None)], "the run goes on");
    site.store.finish_run(run, RunState::Finished, site.clock).await.unwrap();
    assert_eq!(times(None).await, [contoso.clone(), fabrikam(Some(1_200))]);
    assert_eq!(times(Some(1)).await, [contoso]);
}

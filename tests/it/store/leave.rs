//! What leaves the lists.

use autodiscover_audit::{
    model::Verdict,
    store::{Progress, Recorded, ReportFilter, StoreError},
};

use super::{Site, addresses, domain, mailboxes, outcome};

#[tokio::test]
async fn a_domain_that_leaves_the_list_of_a_resumed_run_is_unlisted_and_blocks_nothing() {
    for done in [true, false] {
        let mut site = Site::new().await;
        let fine = outcome(Verdict::Ok);
        let run = site.begin(2).await;
        site.record(run, "fabrikam.com", &mailboxes(&["b@fabrikam.com"]), &fine, done).await;
        let tenants = [(site.tenant.clone(), "Contoso Ltd".to_owned(), 1)];
        assert_eq!(site.store.resume_run(&tenants, 1_200).await.unwrap(), Some(run));
        site.record(run, "contoso.com", &mailboxes(&["a@contoso.com"]), &fine, true).await;
        assert_eq!(site.finish(run).await, 1, "done: {done}");
        assert_eq!(addresses(site.store.reader(), &ReportFilter::default()).await, ["a@contoso.com"]);
        site.assert_sound().await;
    }
}

#[tokio::test]
async fn a_domain_that_comes_back_within_the_run_is_begun_anew() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    let run = site.begin(1).await;
    let list = mailboxes(&["a@contoso.com"]);
    site.record(run, "contoso.com", &list, &fine, true).await;
    assert_eq!(site.try_finish_tenant(run, &[]).await.unwrap(), 1);
    let progress = site.store.progress(run, (&site.tenant, &domain("contoso.com")), &[0; 32]).await.unwrap();
    assert_eq!(progress, Progress::NotStarted);
    let back = site.record(run, "contoso.com", &list, &fine, true).await;
    assert_eq!(back, Recorded { changed: 1, ..Recorded::default() });
    assert_eq!(site.finish(run).await, 0);
    site.assert_sound().await;
}

#[tokio::test]
async fn a_listed_domain_that_the_run_has_not_met_is_unfinished() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["a@contoso.com"]), &outcome(Verdict::Ok)).await;
    let run = site.begin(1).await;
    for listed in ["contoso.com", "never-met.example"] {
        let unfinished = site.try_finish_tenant(run, &[listed]).await;
        assert!(matches!(unfinished, Err(StoreError::Unfinished { domain, .. }) if domain == listed));
    }
}

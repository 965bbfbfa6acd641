//! Edits from outside, under seals.

use autodiscover_audit::{
    model::Verdict,
    store::{Recorded, Store},
};

use super::{Site, alter, count, mailboxes, outcome};

const EDIT: &str = "UPDATE mailbox SET address = 'other@contoso.com' WHERE address_key LIKE 'anna@%'";
const WRONG: &str = "the mailboxes of contoso.com (tenant contoso) are not as the last audit left them, and the next one would not notice";

#[tokio::test]
async fn a_check_names_the_domains_whose_mailboxes_were_changed_from_outside() {
    let mut site = Site::new().await;
    let list = mailboxes(&["anna@contoso.com", "bert@contoso.com"]);
    site.run(&list, &outcome(Verdict::Ok)).await;
    site.assert_sound().await;
    alter(&site.path(), EDIT).await;
    let check = site.store.reader().check().await.unwrap();
    assert_eq!((check.problems().collect::<Vec<_>>(), check.is_mendable()), (vec![WRONG], true));
    assert_eq!(site.run(&list, &outcome(Verdict::Ok)).await.unchanged, 2);
    let edited = "SELECT count(*) FROM mailbox WHERE address LIKE 'other@%'";
    assert_eq!(count(&site.path(), edited).await, 1, "the next run does not notice");
    assert_eq!(site.store.break_wrong_seals().await.unwrap(), 1);
    site.run(&list, &outcome(Verdict::Ok)).await;
    assert_eq!(count(&site.path(), edited).await, 0);
    site.assert_sound().await;
    assert_eq!(site.store.break_wrong_seals().await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_run_that_died_has_touched_is_compared_anew() {
    for resumed in [false, true] {
        let mut site = Site::new().await;
        let list = mailboxes(&["anna@contoso.com", "bert@contoso.com"]);
        let run = site.begin(2).await;
        site.record(run, "contoso.com", &list, &outcome(Verdict::Ok), true).await;
        let path = site.path();
        drop(site.store);
        alter(&path, EDIT).await;
        site.store = Store::open(&path).await.unwrap();
        if resumed {
            site.store.resume_run(&[(site.tenant.clone(), "Contoso Ltd".to_owned(), 2)], 1_200).await.unwrap();
            site.finish(run).await;
        }
        let recorded = site.run(&list, &outcome(Verdict::Ok)).await;
        assert_eq!(recorded, Recorded { unchanged: 2, ..Recorded::default() });
        assert_eq!(count(&path, "SELECT count(*) FROM mailbox WHERE address = address_key").await, 2, "resumed: {resumed}");
        site.assert_sound().await;
    }
}

#[tokio::test]
async fn seals_of_several_batches_and_of_what_left_are_right() {
    let mut site = Site::new().await;
    let fine = outcome(Verdict::Ok);
    site.run(&mailboxes(&["a@contoso.com", "b@contoso.com", "c@contoso.com", "d@contoso.com"]), &fine).await;
    let run = site.begin(2).await;
    site.record(run, "contoso.com", &mailboxes(&["b@contoso.com"]), &fine, false).await;
    site.assert_sound().await;
    site.record(run, "contoso.com", &mailboxes(&["c@contoso.com"]), &fine, true).await;
    site.finish(run).await;
    site.assert_sound().await;
    assert_eq!(count(&site.path(), "SELECT count(*) FROM seal").await, 2);
}

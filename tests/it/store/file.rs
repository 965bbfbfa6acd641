//! The file: what it carries from older days, and who may read and write it.

use autodiscover_audit::{
    model::Verdict,
    store::{Store, StoreError},
};

use super::{Site, alter, count, mailboxes, outcome};

#[tokio::test]
async fn statistics_that_an_older_program_left_are_dropped() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    let path = site.path();
    site.store.close().await.unwrap();
    alter(&path, "ANALYZE").await;
    assert!(count(&path, "SELECT count(*) FROM sqlite_stat1").await > 0);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(count(&path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'").await, 0);
    assert!(store.reader().check().await.unwrap().is_sound());
}

//! One audit a database, whatever the names by which it is found.

use autodiscover_audit::{
    model::Verdict,
    store::{RunId, RunState, Store, StoreError},
};

use super::{Site, addresses, alter, mailboxes, outcome};

#[cfg(unix)]
#[tokio::test]
async fn a_symlink_is_another_name_of_the_same_lock() {
    let site = Site::new().await;
    let (link, folder) = (site.folder.path().join("link.db"), site.folder.path().join("folder"));
    std::os::unix::fs::symlink(site.path(), &link).unwrap();
    std::os::unix::fs::symlink(site.folder.path(), &folder).unwrap();
    for name in [link, folder.join("audit.db")] {
        let refused = Store::open(&name).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Locked { .. }), "{}: {refused}", name.display());
    }
    // taken before the file was there
    let _held = Store::open(&site.folder.path().join("new.db")).await.unwrap();
    assert!(matches!(Store::open(&folder.join("new.db")).await, Err(StoreError::Locked { .. })));
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_of_two_hard_links_is_not_written() {
    let site = Site::new().await;
    let (path, second) = (site.path(), site.folder.path().join("second.db"));
    std::fs::hard_link(&path, &second).unwrap();
    let refused = Store::open(&second).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Linked { links: 2, .. }), "{refused}");
    site.store.close().await.unwrap();
    assert!(matches!(Store::open(&path).await, Err(StoreError::Linked { .. })));
    std::fs::remove_file(&second).unwrap();
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_run_that_another_has_ended_or_followed_writes_nothing() {
    for theirs in
        ["UPDATE run SET state = 'interrupted', finished_at = 5 WHERE id = 1", "INSERT INTO run (started_at, state) VALUES (5, 'running')"]
    {
        let mut site = Site::new().await;
        let run = site.begin(1).await;
        alter(&site.path(), theirs).await;
        let anna = mailboxes(&["anna@contoso.com"]);
        let refused = site.try_record(run, "contoso.com", &anna, &outcome(Verdict::Ok), true).await;
        assert!(matches!(refused, Err(StoreError::Superseded { run: RunId(1) })), "{theirs}: {refused:?}");
        let refused = site.try_finish_tenant(run, &[]).await;
        assert!(matches!(refused, Err(StoreError::Superseded { .. })), "{theirs}: {refused:?}");
        let refused = site.store.finish_run(run, RunState::Finished, 9).await;
        assert!(matches!(refused, Err(StoreError::Superseded { .. })), "{theirs}: {refused:?}");
        assert_eq!(addresses(site.store.reader(), &super::ReportFilter::default()).await, Vec::<String>::new());
    }
}

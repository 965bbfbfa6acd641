//! Copies: before a migration, and in the place of the database; and what an unclean stop leads to.

use autodiscover_audit::{
    model::{Change, Concern, Incident, IncidentId},
    store::{IncidentChange, Restored},
};

use super::*;

const FIRST_SCHEMA: &str = include_str!("../../../migrations/sqlite/0001_audit.sql");
const SECOND_SCHEMA: &str = include_str!("../../../migrations/sqlite/0002_incident.sql");

async fn addresses_of(path: &Path) -> Vec<String> {
    addresses(&Store::open_read_only(path).await.unwrap(), &ReportFilter::default()).await
}

/// The names in a folder that begin with `audit.db.`, but for those that SQLite and the lock need.
fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("audit.db.")).collect();
    names.retain(|name| ![".lock", "-wal", "-shm"].iter().any(|suffix| name.ends_with(suffix)));
    names.sort();
    names
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_copied_and_goes_on_under_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    std::fs::write(&path, "").unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL").execute(&mut connection).await.unwrap();
    sqlx::raw_sql(FIRST_SCHEMA).execute(&mut connection).await.unwrap();
    let rest = "PRAGMA application_id = 0x41444175; PRAGMA user_version = 1;
      INSERT INTO tenant VALUES ('contoso', 'Contoso Ltd');
      INSERT INTO run VALUES (1, 10, NULL, 20, 'finished');
      INSERT INTO run_tenant VALUES (1, 'contoso', 7, 'finished')";
    sqlx::raw_sql(rest).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let migrated = Store::migrate(&path).await.unwrap();
    assert_eq!((migrated.from, migrated.to), (1, 4));
    assert_eq!(names(folder.path()), ["audit.db.before-0002"]);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.reader().previous_count(&tenant("contoso")).await.unwrap(), Some(7));
    assert!(store.reader().check().await.unwrap().is_sound());
    store.close().await.unwrap();
    // back to before, and forth again
    let restored = Store::restore(&path, &folder.path().join("audit.db.before-0002"), 30).await.unwrap();
    assert_eq!(restored.replaced, Some(folder.path().join("audit.db.replaced-30")));
    assert_eq!(count(&path, "PRAGMA user_version").await, 1);
    assert_eq!(Store::migrate(&path).await.unwrap().from, 1);
    assert_eq!(names(folder.path()), ["audit.db.before-0002", "audit.db.replaced-30"]);
}

#[tokio::test]
async fn incidents_and_their_log_go_on_under_the_newest_schema_with_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    std::fs::write(&path, "").unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL").execute(&mut connection).await.unwrap();
    for schema in [FIRST_SCHEMA, SECOND_SCHEMA] {
        sqlx::raw_sql(schema).execute(&mut connection).await.unwrap();
    }
    let rest = r#"PRAGMA application_id = 0x41444175; PRAGMA user_version = 2;
      INSERT INTO incident (id, key, concern, kind, group_key, state, severity, streak, is_seen, affected, first_seen_at, opened_at, episode,
        is_announced, notified_affected, flips, is_flapping, account, written_at, ack_by, ack_reason, ack_at)
      VALUES (7, 'outage', '{"kind":"outage"}', 'outage', 'outage', 'open', 'critical', 0, 1, 3, 10, 20, 1, 1, 0, '[]', 0, '{}', 20,
        'anna', 'known', 30);
      INSERT INTO event (id, incident, stream, at, change, severity, gravest, affected, since, episode, is_open, is_muted, account)
      VALUES (41, 7, '', 20, 'opened', 'critical', 'critical', 3, 10, 1, 1, 0, '{}'),
             (42, 7, '', 30, 'reminder', 'critical', 'critical', 3, 10, 1, 1, 0, '{}');
      DELETE FROM event WHERE id = 42"#;
    sqlx::raw_sql(rest).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = Store::open(&path).await.unwrap();
    let known = store.reader().incidents_of(None).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].id, &known[0].concern, known[0].acknowledgement.as_ref().unwrap().at),
        (Some(IncidentId(7)), &Concern::Outage, 30)
    );
    let drift = Incident {
        id: None,
        concern: Concern::Drift { database: "ispdb.example/v1.1".into(), entry: "outlook.com".into() },
        acknowledgement: None,
        ..known[0].clone()
    };
    for incident in [known[0].clone(), drift] {
        let change = IncidentChange { incident, change: Some(Change::Reminder), is_muted: false };
        store.conclude_ours(&[change], &[], 50).await.unwrap();
    }
    let events: Vec<i64> = store.reader().events_of(IncidentId(7), 9).await.unwrap().iter().map(|event| event.id).collect();
    assert_eq!(events, [41, 43], "a number that was given is not given again");
    assert!(store.reader().check().await.unwrap().is_sound());
    store.close().await.unwrap();
    for (query, expected) in [
        ("SELECT count(*) FROM pragma_foreign_key_check()", 0),
        ("SELECT count(*) FROM sqlite_schema WHERE name LIKE '%with_drift%' OR sql LIKE '%with_drift%'", 0),
        ("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name IN ('incident', 'event') AND sql IS NOT NULL", 4),
        ("SELECT seq FROM sqlite_sequence WHERE name = 'event'", 44),
    ] {
        assert_eq!(count(&path, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_backup_takes_the_place_of_the_database_which_is_kept() {
    let mut site = Site::new().await;
    let (path, copy, fine) = (site.path(), site.folder.path().join("copy.db"), outcome(Verdict::Ok));
    site.run(&mailboxes(&["anna@contoso.com"]), &fine).await;
    site.store.reader().backup(&copy).await.unwrap();
    site.run(&mailboxes(&["bert@contoso.com"]), &fine).await;
    let refused = Store::restore(&path, &copy, 5).await.unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    // the process dies, with a log that was not written back
    drop(site.store);
    let restored = Store::restore(&path, &copy, 5).await.unwrap();
    let replaced = site.folder.path().join("audit.db.replaced-5");
    assert_eq!(restored, Restored { replaced: Some(replaced.clone()) });
    assert_eq!(addresses_of(&path).await, ["anna@contoso.com"]);
    assert_eq!(addresses_of(&replaced).await, ["bert@contoso.com"]);
    // once more in the same second
    Store::restore(&path, &replaced, 5).await.unwrap();
    assert_eq!(addresses_of(&path).await, ["bert@contoso.com"]);
    assert_eq!(names(site.folder.path()), ["audit.db.replaced-5", "audit.db.replaced-6"]);
    site.store = Store::open(&path).await.unwrap();
    site.assert_sound().await;
}

#[tokio::test]
async fn a_database_that_was_lost_is_restored() {
    let mut site = Site::new().await;
    let (path, copy) = (site.path(), site.folder.path().join("copy.db"));
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    site.store.reader().backup(&copy).await.unwrap();
    site.store.close().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    // of a database that is no more
    std::fs::write(site.folder.path().join("audit.db-wal"), "an old log").unwrap();
    assert_eq!(Store::restore(&path, &copy, 5).await.unwrap(), Restored { replaced: None });
    assert_eq!(addresses_of(&path).await, ["anna@contoso.com"]);
}

#[tokio::test]
async fn what_is_no_sound_database_of_ours_takes_no_place() {
    let mut site = Site::new().await;
    let (path, other) = (site.path(), site.folder.path().join("other.db"));
    let list: Vec<Mailbox> = (0..400).map(|number| mailbox(&format!("user{number:04}@contoso.com"))).collect();
    site.run(&list, &outcome(Verdict::Ok)).await;
    let copy = site.folder.path().join("copy.db");
    site.store.reader().backup(&copy).await.unwrap();
    site.store.close().await.unwrap();
    assert!(matches!(Store::restore(&path, &other, 5).await, Err(StoreError::File { .. })), "there is none");
    assert!(matches!(Store::restore(&path, &path, 5).await, Err(StoreError::File { .. })), "it is the same");
    std::fs::write(&other, "").unwrap();
    assert!(matches!(Store::restore(&path, &other, 5).await, Err(StoreError::NotOurs { .. })), "nothing is in it");
    alter(&other, "CREATE TABLE theirs (x)").await;
    assert!(matches!(Store::restore(&path, &other, 5).await, Err(StoreError::NotOurs { .. })));
    std::fs::copy(&copy, &other).unwrap();
    alter(&other, "PRAGMA user_version = 99").await;
    assert!(matches!(Store::restore(&path, &other, 5).await, Err(StoreError::Schema { found: 99, .. })));
    damage(&copy);
    let refused = Store::restore(&path, &copy, 5).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Copy { .. }), "{refused:?}");
    assert_eq!(names(site.folder.path()), Vec::<String>::new());
    assert_eq!(addresses_of(&path).await.len(), 400);
}

#[tokio::test]
async fn a_database_that_was_not_closed_in_order_is_checked_and_a_damaged_one_is_not_written() {
    let mut site = Site::new().await;
    let path = site.path();
    let list: Vec<Mailbox> = (0..400).map(|number| mailbox(&format!("user{number:04}@contoso.com"))).collect();
    site.run(&list, &outcome(Verdict::Ok)).await;
    site.store.close().await.unwrap();
    let sound = std::fs::read(&path).unwrap();
    damage(&path);
    // closed in order: nothing is looked at
    site.store = Store::open(&path).await.unwrap();
    let lock = site.folder.path().join("audit.db.lock");
    assert_eq!(std::fs::read(&lock).unwrap(), b"1");
    site.store.close().await.unwrap();
    assert_eq!(std::fs::read(&lock).unwrap(), b"0");
    let before = std::fs::read(&path).unwrap();
    // what a process leaves that dies
    std::fs::write(&lock, "1").unwrap();
    for _ in 0..2 {
        let refused = Store::open(&path).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Damaged { .. }), "{refused:?}");
        assert!(refused.to_string().ends_with("put a backup in its place with `db restore`"), "{refused}");
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, sound).unwrap();
    site.store = Store::open(&path).await.unwrap();
    site.assert_sound().await;
}

/// Overwrites the pages that hold a certain mailbox.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let name = b"user0200@";
    let pages = bytes.chunks_mut(4_096).filter(|page| page.windows(name.len()).any(|window| window == name));
    assert!(pages.map(|page| page.fill(0xa5)).count() > 0);
    std::fs::write(path, bytes).unwrap();
}

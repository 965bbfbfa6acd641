//! The file: what it carries from older days, and who may read and write it.

use autodiscover_audit::{
    model::Verdict,
    store::{ReportFilter, Store, StoreError},
};

use super::{Site, addresses, alter, count, mailboxes, outcome};

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

#[cfg(unix)]
#[test]
fn a_database_that_others_can_read_is_named_once_and_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let migrate = || {
        let program = env!("CARGO_BIN_EXE_autodiscover-audit");
        let output = std::process::Command::new(program).args(["db", "migrate"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(!migrate().contains("chmod"), "made by us, it is ours alone");
    for (mode, warnings) in [(0o644, 1), (0o640, 1), (0o600, 0)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let said = migrate();
        assert_eq!(said.matches("chmod 600").count(), warnings, "{mode:o}: {said}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_nothing_can_be_written_the_error_says_what_to_do() {
    // refuses new files to everybody
    let refused = Store::open("/sys/audit.db".as_ref()).await.unwrap_err();
    assert!(matches!(&refused, StoreError::ReadOnly { .. }), "{refused:?}");
    assert!(refused.to_string().contains("`/sys/audit.db`") && refused.is_usage(), "{refused}");
}

#[tokio::test]
async fn other_files_and_newer_schemas_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    assert!(matches!(Store::open_read_only(&path).await, Err(StoreError::File { .. })));

    std::fs::write(&path, "not a database, but long enough to be looked at by whoever expects one").unwrap();
    assert!(matches!(Store::open(&path).await, Err(StoreError::Open { .. })));

    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "").unwrap();
    assert!(matches!(Store::open_read_only(&path).await, Err(StoreError::Schema { found: 0, .. })));
    alter(&path, "CREATE TABLE theirs (x)").await;
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path).await, Err(StoreError::NotOurs { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::remove_file(&path).unwrap();
    let migrated = Store::migrate(&path).await.unwrap();
    assert_eq!((migrated.from, migrated.to), (0, 4));
    assert_eq!(Store::migrate(&path).await.unwrap().from, 4);
    alter(&path, "PRAGMA user_version = 99").await;
    for refused in [Store::open(&path).await.unwrap_err(), Store::open_read_only(&path).await.unwrap_err()] {
        assert!(matches!(refused, StoreError::Schema { found: 99, known: 4, .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_backup_is_a_whole_database_and_overwrites_nothing() {
    let mut site = Site::new().await;
    site.run(&mailboxes(&["anna@contoso.com"]), &outcome(Verdict::Ok)).await;
    let copy = site.folder.path().join("copy.db");
    site.store.reader().backup(&copy).await.unwrap();
    let refused = site.store.reader().backup(&copy).await.unwrap_err();
    assert!(matches!(&refused, StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::AlreadyExists), "{refused}");
    let left: Vec<String> =
        std::fs::read_dir(site.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
    #[cfg(unix)]
    for path in [&copy, &site.path()] {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let store = Store::open(&copy).await.unwrap();
    assert_eq!(addresses(store.reader(), &ReportFilter::default()).await, ["anna@contoso.com"]);
    assert!(store.reader().check().await.unwrap().is_sound());
}

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

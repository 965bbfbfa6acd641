//! What the package takes from the program: manual pages, completions, the health check.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path, process::Stdio};

use crate::{cli::program, listener::Site};

/// What the help of a command lists under `Commands:`.
fn subcommands(path: &[&str]) -> Vec<String> {
    let help = program().args(path).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_subcommand_has_a_page_and_the_configuration_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let made = program().arg("man").arg(folder.path()).output().unwrap();
    assert!(made.status.success() && made.stdout.is_empty() && made.stderr.is_empty(), "{made:?}");
    let mut wanted = BTreeSet::from(["autodiscover-audit.1".to_owned(), "autodiscover-audit.toml.5".to_owned()]);
    for command in subcommands(&[]) {
        wanted.extend(subcommands(&[&command]).iter().map(|inner| format!("autodiscover-audit-{command}-{inner}.1")));
        wanted.insert(format!("autodiscover-audit-{command}.1"));
    }
    let pages: BTreeSet<String> =
        fs::read_dir(folder.path()).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(pages, wanted);
    assert!(wanted.len() > 15, "{wanted:?}");
    let first = program().arg("man").output().unwrap().stdout;
    assert_eq!(first, fs::read(folder.path().join("autodiscover-audit.1")).unwrap());
    for section in ["FILES", "\"SEE ALSO\"", "SUBCOMMANDS"] {
        assert!(String::from_utf8_lossy(&first).contains(&format!(".SH {section}\n")), "{section}");
    }
    let lost = program().args(["man", "/nowhere/at/all"]).output().unwrap();
    assert_eq!(lost.status.code(), Some(4));
}

#[test]
fn completions_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish"] {
        let script = String::from_utf8(program().args(["completions", shell]).output().unwrap().stdout).unwrap();
        for command in subcommands(&[]) {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    assert_eq!(program().args(["completions", "ed"]).output().unwrap().status.code(), Some(3));
}

#[tokio::test]
async fn the_health_check_says_what_the_service_says() {
    let site = Site::new().await;
    let check = async |address: &str| {
        let mut command = tokio::process::Command::from(program());
        let told = command.args(["healthcheck", "--address", address]).stdin(Stdio::null()).output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (told.status.code(), text(&told.stdout), text(&told.stderr))
    };
    let address = site.address().to_string();
    assert_eq!(check(&address).await, (Some(0), "database: ok\nscheduler: ok\noutbox: ok\n".to_owned(), String::new()));
    site.pulse.set_disk_low(true);
    let (code, out, _) = check(&address).await;
    assert_eq!((code, out.lines().next()), (Some(1), Some("database: the disk is nearly full")));
    site.stop().await;
    let (code, _, err) = check(&address).await;
    assert_eq!(code, Some(4));
    assert!(err.starts_with(&format!("error: the service does not answer on {address}: ")), "{err}");
    assert_eq!(check("off").await.0, Some(3));
}

#[test]
fn the_configuration_of_the_package_lacks_nothing_but_a_tenant() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/debian/autodiscover-audit.toml");
    let check = |file: &Path| {
        let told = program().args(["config", "check"]).arg(file).output().unwrap();
        (told.status.code(), String::from_utf8(told.stdout).unwrap())
    };
    let (code, out) = check(&shipped);
    assert_eq!((code, out.lines().count()), (Some(3), 1), "{out}");
    assert!(out.contains("tenant: there is none; add a `[[tenant]]`"), "{out}");

    let folder = tempfile::tempdir().unwrap();
    let uncommented = |line: &'static str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
    let text: Vec<&str> = include_str!("../../deploy/debian/autodiscover-audit.toml").lines().map(uncommented).collect();
    let file = folder.path().join("autodiscover-audit.toml");
    fs::write(&file, text.join("\n")).unwrap();
    fs::write(folder.path().join("contoso.csv"), "anna@contoso.com\n").unwrap();
    let (code, out) = check(&file);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("/var/lib/autodiscover-audit/autodiscover-audit.db"), "{out}");
}

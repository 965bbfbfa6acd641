//! The built binary, driven as its user would.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use autodiscover_audit::{
    audit::{Progress, RunOptions},
    model::counted,
    store::Store,
};
use serde_json::Value;

use crate::{
    audit::{auditor, jobs, options, run_until},
    fakenet::{
        Fakenet,
        office::{LookedAt, Office, compare},
        world::{World, bench::bench, past::of_2014, today::today},
    },
};

/// A world that runs on threads of its own, an office in it, and the program.
pub(crate) struct Site {
    pub(crate) fakenet: Fakenet,
    pub(crate) office: Office,
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new(world: &World) -> Self {
        Self::with(world, LookedAt::Named)
    }

    fn with(world: &World, looked_at: LookedAt) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fakenet = Fakenet::start_beside(&world.net).unwrap();
        let office = Office::furnish_for((folder.path(), looked_at), &fakenet, world);
        Self { fakenet, office, folder }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(arguments).arg("--config").arg(self.office.config());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        told(&self.command(arguments).output().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// From now on nobody looks at other clients, and whoever names none audits the first ones alone.
    pub(crate) fn looking_at(self, audited: &[&str], at_risk: &[&str]) -> Self {
        let standing = |row: String| {
            let name = row.split('"').nth(1).unwrap_or_default();
            let standing = if audited.contains(&name) { "audited" } else { "at-risk" };
            row.replacen("standing = \"audited\"", &format!("standing = {standing:?}"), 1)
        };
        let rows: Vec<String> = rows().into_iter().map(standing).collect();
        fs::write(self.path("clients.toml"), rows.concat()).unwrap();
        let text = fs::read_to_string(self.office.config()).unwrap();
        let head = format!("clients_file = \"clients.toml\"\nat_risk_clients = {at_risk:?}\n");
        fs::write(self.office.config(), head + &text).unwrap();
        self
    }
}

/// The rows of the table of clients.
pub(crate) fn rows() -> Vec<String> {
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/clients.toml")).unwrap();
    table.split("[[client]]\n").skip(1).map(|row| format!("[[client]]\n{row}")).collect()
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autodiscover-audit"));
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command.env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    command
}

pub(crate) fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// How a client stands in an account.
pub(crate) fn client<'a>(view: &'a Value, name: &str) -> &'a Value {
    view["clients"].as_array().unwrap().iter().find(|client| client["client"] == name).unwrap_or_else(|| panic!("{name}: {view}"))
}

#[test]
fn an_audit_and_its_reports_agree_with_the_world() {
    let world = today();
    let site = Site::new(&world);
    let (code, out, err) = site.run(&["audit"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(!err.contains('@'), "no address above debug: {err}");
    for tenant in &world.tenants {
        let needs = tenant.mailboxes.iter().filter(|mailbox| mailbox.needs_manual).count();
        let line = out.lines().find(|line| line.starts_with(&format!("  {}: {} checked", tenant.id, tenant.mailboxes.len())));
        assert!(
            line.is_some_and(|line| line.contains(&format!(" {} manual configuration", counted(needs, "needs", "need")))),
            "{}: {out}",
            tenant.id
        );
    }
    let needs = world.tenants.iter().flat_map(|tenant| &tenant.mailboxes).filter(|mailbox| mailbox.needs_manual).count();
    let (code, lines, _) = site.run(&["report", "--needs-manual", "--format", "jsonl"]);
    assert_eq!((code, lines.lines().count()), (1, needs));
    let (_, table, _) = site.run(&["report", "--needs-manual", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert!(reader.records().count() >= needs && table.contains("\r\n\"") && !table.starts_with('\u{feff}'));
    let (_, excel, _) = site.run(&["report", "--format", "csv", "--csv-dialect", "excel", "--tenant", "campus"]);
    assert!(excel.starts_with('\u{feff}') && excel.lines().skip(1).all(|line| line.starts_with("\"campus\"")));
    let (_, foreign, _) = site.run(&["report", "--verdict", "foreign", "--client", "thunderbird", "--format", "jsonl"]);
    let rows: Vec<Value> = foreign.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!rows.is_empty());
    for (filter, code) in
        [(["--verdict", "ok"], 0), (["--verdict", "undetermined"], 2), (["--client", "mx-base-domain"], 1), (["--tenant", "campus"], 0)]
    {
        assert_eq!(site.run(&[&["report"][..], &filter].concat()).0, code, "{filter:?}");
    }
    for client in rows.iter().flat_map(|row| row["clients"].as_array().unwrap()) {
        assert_eq!((client["client"].as_str(), client["verdict"].as_str()), (Some("thunderbird"), Some("foreign")));
    }
    let (_, object, _) = site.run(&["report", "--format", "json", "--run", "1"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["mailboxes"].as_array().unwrap().len(), world.tenants.iter().map(|tenant| tenant.mailboxes.len()).sum::<usize>());
    let (code, out, _) = site.run(&["db", "check"]);
    assert_eq!(code, 0, "{out}");
    let copy = site.path("copy.db");
    assert_eq!(site.run(&["db", "backup", &copy]).0, 0);
    assert_eq!(told(&program().args(["db", "check", &copy]).output().unwrap()).0, 0);
    assert_eq!(site.run(&["db", "backup", &copy]).0, 3, "a copy is not overwritten");
}

#[test]
fn an_audit_needs_no_configuration() {
    let site = Site::new(&of_2014());
    let settings = site.fakenet.network_settings();
    let mut command = program();
    command.args(["audit", "--mailboxes", &site.path("contoso.csv"), "--database", &site.path("own.db")]);
    command.arg("--dns-server").arg(settings.dns_servers[0].to_string()).arg("--ca-file").arg(site.fakenet.ca_file());
    command.args(["--allow-network", "127.0.0.0/8"]);
    for detour in &settings.connect_to {
        command.arg("--connect-to").arg(format!(":{}::{}", detour.port, detour.to_port.unwrap()));
    }
    let (code, out, err) = told(&command.output().unwrap());
    assert_eq!(code, 1, "{out}{err}");
    let (code, report, _) = told(&program().args(["report", "--database", &site.path("own.db")]).output().unwrap());
    assert_eq!(code, 1);
    assert!(report.contains("outlook.office365.com") && report.contains("anna@standard.example"), "{report}");
}

#[test]
fn a_list_that_shrinks_asks_first_and_an_empty_one_is_an_error() {
    let site = Site::new(&of_2014());
    assert_eq!(site.run(&["audit"]).0, 1);
    let list = site.office.list("contoso");
    let text = fs::read_to_string(&list).unwrap();
    fs::write(&list, text.lines().take(3).collect::<Vec<_>>().join("\n")).unwrap();
    let (code, _, err) = site.run(&["audit"]);
    assert!(code == 3 && err.contains("--accept-shrunk-list"), "{err}");
    let (code, out, _) = site.run(&["audit", "--accept-shrunk-list"]);
    assert!(code == 1 && out.contains("no longer on the list"), "{out}");
    fs::write(&list, "address\n").unwrap();
    let (code, _, err) = site.run(&["audit"]);
    assert!(code == 3 && err.contains("holds no mailbox"), "{err}");
    assert!(site.run(&["report", "--needs-manual"]).1.contains("anna@"), "nothing is lost");
}

#[test]
fn killed_at_any_moment_an_audit_loses_nothing_that_it_recorded() {
    let world = today();
    let site = Site::with(&world, LookedAt::Everyone);
    let database = site.office.database();
    assert_eq!(site.run(&["db", "migrate"]).0, 0, "before that there is nothing to lose, and nothing to check");
    let (mut kills, mut has_run) = (0, false);
    for attempt in 0..KILLS {
        let arguments: &[&str] = if has_run { &["audit", "--resume"] } else { &["audit"] };
        let mut child = site.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_millis(150 + 90 * attempt);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        let was_killed = child.try_wait().unwrap().is_none();
        kills += u32::from(was_killed);
        child.kill().unwrap();
        // a kill before the run has begun leaves nothing to resume, which the next attempt then says
        has_run = child.wait().unwrap().code() != Some(3) && was_killed;
        let (code, out, err) = site.run(&["db", "check"]);
        assert_eq!(code, 0, "after kill {attempt}: {out}{err}");
    }
    assert!(kills > 2, "{kills}");
    let (code, out, err) = site.run(&["audit", "--resume"]);
    if code == 3 {
        assert!(err.contains("no interrupted run"), "{err}{out}");
    }
    assert_eq!(site.run(&["audit"]).0, 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let comparison = runtime.block_on(async {
        let reader = autodiscover_audit::store::Store::open_read_only(&database).await.unwrap();
        compare(&world, &reader).await
    });
    assert!(comparison.differences.is_empty(), "{}", comparison.differences.join("\n"));
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_ends_with_3() {
    let site = Site::new(&of_2014());
    let nowhere = site.path("nowhere.toml");
    let newer = site.path("newer.db");
    assert_eq!(told(&program().args(["db", "migrate", &newer]).output().unwrap()).0, 0);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let pool = sqlx::SqlitePool::connect(&newer).await.unwrap();
        sqlx::query("PRAGMA user_version = 99").execute(&pool).await.unwrap();
        pool.close().await;
    });
    let cases: [(&[&str], &str); 13] = [
        (&["check", "anna"], "`anna` is not an address"),
        (&["check", "anna@standard.example", "--client", "outlok"], "`outlok` is no client: write one of thunderbird"),
        (&["check", "anna@standard.example", "--hosting", "office"], "`office` is not a hosting"),
        (&["check", "anna@standard.example", "--allow-network", "127.0.0.1/33"], "--allow-network"),
        (&["audit", "--tenant", "nobody"], "`nobody` is no tenant"),
        (&["audit", "--resume"], "no interrupted run"),
        (&["audit", "--mailboxes", "/nowhere.csv"], "cannot be opened"),
        (&["report", "--database", "/nowhere.db"], "nowhere.db"),
        (&["report", "--verdict", "bad"], "not_found"),
        (&["report", "--run", "77"], "no run 77"),
        (&["report", "--tenant", "nobody"], "no tenant `nobody`"),
        (&["report", "--format", "pdf"], "text"),
        (&["db", "check", &newer], "newer program"),
    ];
    assert_eq!(site.run(&["audit"]).0, 1);
    for (arguments, message) in cases {
        let (code, out, err) = site.run(arguments);
        assert!(code == 3 && err.contains(message), "{arguments:?} ended with {code}: {out}{err}");
    }
    let (code, _, err) = told(&program().args(["audit", "--config", &nowhere]).output().unwrap());
    assert!(code == 3 && err.contains("nowhere.toml"), "{err}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let site = Site::new(&of_2014());
    site.run(&["audit"]);
    let mut child = site.command(&["report", "--all"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((told(&output).0, told(&output).2.as_str()), (1, ""), "the findings are there whoever reads of them");
    let mut audit = site.command(&["audit"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(audit.stdout.take());
    assert_eq!(audit.wait().unwrap().code(), Some(1));
    assert!(!Path::new(&format!("{}-wal", site.office.database().display())).exists(), "the database is closed as ever");
    let both = ["check", "--client", "thunderbird", "anna@own-good.example", "anna@standard.example"];
    let mut check = site.command(&both).stdout(Stdio::piped()).spawn().unwrap();
    drop(check.stdout.take());
    assert_eq!(check.wait().unwrap().code(), Some(2), "the second address was not looked at");
}

#[test]
fn what_users_are_told_to_type_is_right_where_a_client_finds_it() {
    let world = today();
    let site = Site::new(&World { tenants: vec![world.tenant("campus").clone()], ..world });
    let text = fs::read_to_string(site.office.config()).unwrap();
    let without = text.replace(r#"allowed_hosts = ["outgoing.campus.example"]"#, "");
    fs::write(site.office.config(), &without).unwrap();
    assert_eq!(site.run(&["audit"]).0, 1);
    let server = r#"protocol = "smtp", host = "Outgoing.%EMAILDOMAIN%", port = 587, security = "starttls""#;
    fs::write(site.office.config(), format!("{without}manual_settings = [{{ {server} }}]\n")).unwrap();
    let (code, out, err) = site.run(&["audit"]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn a_client_of_the_site_is_audited_for_tenants_that_name_none() {
    let site = Site::new(&bench(1, 1));
    let text = fs::read_to_string(site.office.config()).unwrap();
    let clients = r#"
        [[client]]
        name = "house-app"
        title = "The house's own app"
        versions = "all"
        dialect = "tolerant"
        standing = "audited"
        sources = ["its manual"]
        mx = "base"
        [[client.step]]
        lookup = "mx-ispdb"
        source = "its manual"
        urls = ["https://live.thunderbird.net/autoconfig/v1.1/{mx}"]
    "#;
    fs::write(site.path("clients.toml"), clients).unwrap();
    let with_file = format!("clients_file = \"clients.toml\"\n{text}");
    let names_none = with_file.replace(r#"clients = ["thunderbird"]"#, "");
    for (config, findings, audited) in [(with_file, 0, vec!["thunderbird"]), (names_none, 1, [&AUDITED[..], &["house-app"]].concat())] {
        fs::write(site.office.config(), config).unwrap();
        let (code, out, err) = site.run(&["audit"]);
        assert_eq!(code, findings, "{out}{err}");
        let (code, rows, err) = site.run(&["report", "--client", "house-app", "--format", "jsonl"]);
        let row: Value = serde_json::from_str(&rows).unwrap_or_else(|error| panic!("{error}: {err}"));
        let own = &row["clients"][0];
        assert_eq!((code, &own["client"], &own["verdict"]), (findings, &"house-app".into(), &"consumer".into()), "{rows}");
        let (_, row, _) = site.run(&["report", "--format", "jsonl"]);
        let row: Value = serde_json::from_str(&row).unwrap();
        let of_row = row["clients"].as_array().unwrap().iter().filter(|client| client["audited"] == true);
        assert_eq!(of_row.map(|client| client["client"].as_str().unwrap()).collect::<Vec<_>>(), audited);
    }
}

#[test]
fn a_report_of_nothing_is_no_good_news() {
    let site = Site::new(&of_2014());
    let empty = site.path("empty.db");
    assert_eq!(told(&program().args(["db", "migrate", &empty]).output().unwrap()).0, 0);
    assert_eq!(site.run(&["report", "--database", &empty]).0, 2);
}

#[test]
fn the_numbers_of_a_resumed_run_are_those_of_all_of_it() {
    let world = of_2014();
    let site = Site::new(&world);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&site.office.database()).await.unwrap();
        let options = RunOptions { domains_at_once: 1, ..options() };
        let enough = |_: &Progress| site.fakenet.http_requests() >= 3;
        let stopped = run_until(&auditor(&site.fakenet), &store, &jobs(&world, &site.office), (&options, enough)).await;
        assert!(stopped.interrupted);
        store.close().await.unwrap();
    });
    let (code, out, err) = site.run(&["audit", "--resume"]);
    let mailboxes = &world.tenant("contoso").mailboxes;
    let needs = mailboxes.iter().filter(|mailbox| mailbox.needs_manual).count();
    let (all, ok) = (mailboxes.len(), mailboxes.len() - needs);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains(&format!("  contoso: {all} checked, {ok} ok, {needs} need manual configuration, 0 could not")), "{out}");
    assert!(out.contains(&format!(": {all} of {all} mailboxes.")) && out.contains("\n  since it was resumed: "), "{out}");
}

/// Who is audited where nobody says who is.
pub(crate) const AUDITED: [&str; 7] =
    ["thunderbird", "thunderbird-android", "evolution", "srv", "outlook-classic", "outlook-new", "activesync"];
const KILLS: u64 = 12;

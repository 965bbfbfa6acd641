//! The built binary, driven as its user would.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
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
        office::{Office, compare},
        world::{World, bench::bench, past::of_2014, today::today},
        zone::Data,
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
        let folder = tempfile::tempdir().unwrap();
        let fakenet = Fakenet::start_beside(&world.net).unwrap();
        let office = Office::furnish(folder.path(), &fakenet, world);
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
fn check_writes_the_json_contract() {
    let site = Site::new(&today()).looking_at(&["thunderbird"], &["mx-base-domain", "srv"]);
    let (code, out, _) = site.run(&["check", "anna@standard.example", "--format", "json"]);
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0, "fragile and at risk is no finding");
    assert_eq!(view["schema"], "autodiscover-audit/check/1");
    assert_eq!(view["address"], "anna@standard.example");
    assert_eq!(view["hosting"], "exchange-online");
    assert_eq!(view["needs_manual_configuration"], false);
    let thunderbird = client(&view, "thunderbird");
    let summary = ["client", "audited", "verdict", "fragile", "inferred", "cause"].map(|key| thunderbird[key].to_string()).join(" ");
    assert_eq!(summary, r#""thunderbird" true "ok" true false "mx-base-domain""#);
    assert_eq!(thunderbird["source"]["lookup"], "mx-ispdb");
    assert_eq!(thunderbird["source"]["asked"], "https://live.thunderbird.net/autoconfig/v1.1/mail.protection.outlook.com");
    let smtp = &thunderbird["outgoing"][0];
    let keys: Vec<&String> = smtp.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["protocol", "host", "port", "security", "auth", "username", "class"]);
    assert_eq!(smtp["username"], "anna@standard.example");
    assert_eq!(thunderbird["next"]["outgoing"][0]["class"], "consumer");
    let srv = client(&view, "srv");
    assert!(srv["source"].is_null() && srv["incoming"].as_array().unwrap().is_empty() && srv["outgoing"].as_array().unwrap().is_empty());
    for (at, lookup) in view["lookups"].as_array().unwrap().iter().enumerate() {
        assert_eq!(lookup["id"], at + 1);
        assert!(["lookup", "asked", "outcome", "detail", "took_ms"].iter().all(|key| !lookup[key].is_null()), "{lookup}");
    }
}

#[test]
fn a_check_audits_the_clients_that_must_be_served_and_tells_the_others_apart() {
    let site = Site::new(&today());
    let names = |audited: bool| {
        let (code, out, err) = site.run(&["check", "anna@standard.example", "--format", "json"]);
        let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let clients = view["clients"].as_array().unwrap().iter().filter(|client| client["audited"] == audited);
        (code, clients.map(|client| client["client"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(names(true), (1, AUDITED.map(str::to_owned).to_vec()));
    let at_risk = names(false).1;
    assert!(at_risk.len() > 10 && at_risk.contains(&"mx-base-domain".to_owned()), "{at_risk:?}");
    assert!(["apple-mail", "pacc", "jmap"].iter().all(|name| !at_risk.contains(&(*name).to_owned())), "{at_risk:?}");
    let text = fs::read_to_string(site.office.config()).unwrap();
    fs::write(site.office.config(), format!("at_risk_clients = [\"kmail\", \"srv\"]\n{text}")).unwrap();
    assert_eq!(names(true).1, AUDITED);
    assert_eq!(names(false).1, ["kmail"]);
}

#[test]
fn check_works_without_configuration_on_options_alone() {
    let site = Site::new(&today());
    let settings = site.fakenet.network_settings();
    let detours: Vec<String> = settings.connect_to.iter().map(|detour| format!(":{}::{}", detour.port, detour.to_port.unwrap())).collect();
    let check = |address: &str, extra: &[&str]| {
        let mut command = program();
        command.args(["check", address, "--client", "thunderbird", "--format", "jsonl"]);
        command.arg("--dns-server").arg(settings.dns_servers[0].to_string()).arg("--ca-file").arg(site.fakenet.ca_file());
        command.args(detours.iter().flat_map(|detour| ["--connect-to", detour.as_str()])).args(extra);
        told(&command.output().unwrap())
    };
    let (code, out, err) = check("anna@stale.example", &["--allow-network", "127.0.0.0/8"]);
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}{err}"));
    assert_eq!((code, view["clients"].as_array().unwrap().len()), (1, 1));
    assert_eq!(view["clients"][0]["verdict"], "consumer");
    let (_, refused, _) = check("anna@stale.example", &[]);
    assert!(refused.contains("private or special network"), "loopback is refused unless it is allowed: {refused}");
    let (code, out, _) = check("anna@stale.example", &["--allow-network", "127.0.0.0/8", "--hosting", "consumer"]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()["clients"][0]["verdict"].as_str()), (0, Some("ok")));
}

#[test]
fn the_environment_can_name_the_authorities() {
    let site = Site::new(&of_2014());
    let text = fs::read_to_string(site.office.config()).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.starts_with("ca_files")).collect();
    fs::write(site.office.config(), without.join("\n")).unwrap();
    let check = ["check", "anna@own-good.example", "--client", "thunderbird", "--format", "jsonl"];
    let (_, untrusted, _) = site.run(&check);
    assert!(untrusted.contains("issuer is not trusted"), "{untrusted}");
    let output = site.command(&check).env("SSL_CERT_FILE", site.fakenet.ca_file()).output().unwrap();
    let (code, trusted, err) = told(&output);
    assert_eq!(code, 0, "{trusted}{err}");
    assert!(!trusted.contains("issuer is not trusted"));
    let empty = site.path("empty.pem");
    fs::write(&empty, "").unwrap();
    let mut command = site.command(&check);
    let output = command.env("SSL_CERT_FILE", &empty).arg("--ca-file").arg(site.fakenet.ca_file()).output().unwrap();
    assert_eq!(told(&output).0, 0, "a file of our own is enough where the system has no authority: {}", told(&output).2);
}

#[test]
fn a_proxy_may_have_a_private_address_and_resolves_the_names() {
    let mut world = of_2014();
    Arc::make_mut(&mut world.net).zones.add("proxy.example", Data::A(Ipv4Addr::LOCALHOST));
    let site = Site::new(&world);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://proxy.example:{}", listener.local_addr().unwrap().port());
    let dns = site.fakenet.network_settings().dns_servers[0].to_string();
    let served = thread::spawn(move || {
        let mut lines = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
            if line.starts_with("END") {
                return lines;
            }
            lines.push(line);
        }
        lines
    });
    let mut command = program();
    command.args(["check", "anna@standard.example", "--client", "thunderbird", "--format", "jsonl", "--dns-server", &dns]);
    let (_, out, err) = told(&command.env("HTTP_PROXY", &proxy).output().unwrap());
    TcpStream::connect(("127.0.0.1", proxy.rsplit(':').next().unwrap().parse().unwrap())).unwrap().write_all(b"END\r\n").unwrap();
    let lines = served.join().unwrap();
    assert!(lines.iter().any(|line| line.starts_with("GET http://autoconfig.standard.example/mail/config-v1.1.xml?")), "{lines:?}{err}");
    assert!(out.contains("private or special network"), "beside the proxy, loopback is refused as ever: {out}");
}

#[test]
fn several_addresses_come_from_arguments_and_from_standard_input() {
    let site = Site::new(&of_2014());
    let list = site.path("addresses.txt");
    fs::write(&list, "anna@standard.example\n\nanna@own-good.example\n").unwrap();
    let mut command = site.command(&["check", "-", "anna@hotmail.de", "--format", "jsonl"]);
    let (code, out, _) = told(&command.stdin(fs::File::open(&list).unwrap()).output().unwrap());
    let addresses: Vec<String> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["address"].as_str().unwrap().to_owned()).collect();
    assert_eq!(addresses, ["anna@standard.example", "anna@own-good.example", "anna@hotmail.de"]);
    assert_eq!(code, 1);
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
    let site = Site::new(&world);
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
fn the_source_of_a_verdict_is_one_of_the_lookups_whatever_the_address_holds() {
    let site = Site::new(&today());
    let (code, out, err) = site.run(&["check", "a+b&c'd@own-good.example", "--client", "thunderbird", "--format", "json"]);
    let view: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
    let source = &view["clients"][0]["source"]["asked"];
    assert_eq!((code, source.as_str().unwrap().ends_with("?emailaddress=a%2Bb%26c'd%40own-good.example")), (0, true), "{source}");
    assert!(view["lookups"].as_array().unwrap().iter().any(|lookup| lookup["asked"] == *source), "{out}");
}

#[test]
fn one_object_is_for_one_address_and_one_host_is_no_url() {
    let site = Site::new(&today());
    let relay = ["check", "anna@relay-unknown.example", "--client", "thunderbird", "--allow-host"];
    assert_eq!(site.run(&[&relay[..], &["Outgoing.Relay-Unknown.EXAMPLE."]].concat()).0, 0);
    let (code, _, err) = site.run(&[&relay[..], &["https://outgoing.relay-unknown.example/"]].concat());
    assert!(code == 3 && err.contains("without scheme"), "{err}");
    let (code, out, err) = site.run(&["check", "anna@own-good.example", "bert@own-good.example", "--format", "json"]);
    assert!(code == 3 && out.is_empty() && err.contains("jsonl"), "{err}");
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
fn a_client_on_request_is_looked_at_where_it_is_named_and_nowhere_else() {
    let site = Site::new(&bench(4, 8));
    let names =
        |object: &Value| object["clients"].as_array().unwrap().iter().map(|client| client["client"].to_string()).collect::<Vec<_>>();
    let check = |more: &[&str]| {
        let (code, out, err) = site.run(&[&["check", "u1@d1.example", "--format", "jsonl"], more].concat());
        (code, names(&serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"))))
    };
    let client = |name: &str| {
        format!(
            "[[client]]\nname = {name:?}\ntitle = {name:?}\nversions = \"all\"\ndialect = \"tolerant\"\nstanding = \"on-request\"\n\
             sources = [\"its manual\"]\n[[client.step]]\nlookup = \"own-autoconfig\"\nsource = \"its manual\"\n\
             urls = [\"https://autoconfig.{{domain}}/mail/config-v1.1.xml\"]\n"
        )
    };
    fs::write(site.path("clients.toml"), client("day-app") + &client("night-app")).unwrap();
    let text = format!("clients_file = \"clients.toml\"\n{}", fs::read_to_string(site.office.config()).unwrap());
    fs::write(site.office.config(), &text).unwrap();
    let unasked = check(&[]).1;
    assert!(unasked.contains(&r#""thunderbird""#.to_owned()) && unasked.iter().all(|name| !name.ends_with(r#"-app""#)), "{unasked:?}");
    let both = (0, vec![r#""day-app""#.to_owned(), r#""night-app""#.to_owned()]);
    assert_eq!(check(&["--client", "night-app", "--client", "day-app"]), both);

    fs::write(site.office.config(), text.replace(r#"clients = ["thunderbird"]"#, r#"clients = ["day-app"]"#)).unwrap();
    fs::write(site.office.list("bench"), "address,clients\nu1@d1.example,\nu2@d2.example,night-app\n").unwrap();
    let (_, out, err) = site.run(&["audit"]);
    let (_, report, _) = site.run(&["report", "--format", "jsonl"]);
    let told: Vec<Vec<String>> = report.lines().map(|line| names(&serde_json::from_str(line).unwrap())).collect();
    assert_eq!(told.len(), 2, "{report}{out}{err}");
    let has = |at: usize, name: &str| told[at].contains(&format!("\"{name}\""));
    assert_eq!([has(0, "day-app"), has(0, "night-app"), has(1, "day-app"), has(1, "night-app")], [true, false, true, true]);
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
const AUDITED: [&str; 7] = ["thunderbird", "thunderbird-android", "evolution", "srv", "outlook-classic", "outlook-new", "activesync"];
const KILLS: u64 = 12;

//! `judge`: stored answers judged again, as the user of the program sees it.

use std::fs;

use autodiscover_audit::{
    model::Hosting,
    store::{Retention, Store},
};
use serde_json::Value;

use crate::{
    cli::{Site, program, rows, told},
    fakenet::{
        site::{Act, Site as Host},
        world::{World, WorldMailbox, WorldTenant, documents, drift, past::of_2014, today::today},
    },
};

/// The row of a client of the table, changed.
fn own_clients(name: &str, change: impl Fn(&str) -> String) -> String {
    let rows = rows();
    change(rows.iter().find(|row| row.starts_with(&format!("[[client]]\nname = \"{name}\"\n"))).unwrap())
}

impl Site {
    /// From now on with clients of its own.
    fn with_clients(&self, clients: &str) {
        fs::write(self.path("clients.toml"), clients).unwrap();
        let config = fs::read_to_string(self.office.config()).unwrap();
        let config = config.strip_prefix("clients_file = \"clients.toml\"\n").unwrap_or(&config);
        fs::write(self.office.config(), format!("clients_file = \"clients.toml\"\n{config}")).unwrap();
    }

    fn judge(&self, arguments: &[&str]) -> (i32, Value) {
        let (code, out, err) = self.run(&[&["judge", "--format", "json"], arguments].concat());
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {code} {out}{err}")))
    }
}

fn changes(judged: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let differences = judged["differences"].as_array().unwrap().iter();
    let line = |difference: &Value| {
        let [client, of, before, now] = ["client", "of", "before", "now"].map(|key| word(&difference[key]));
        format!("{client} {of} {before} {now} {} {}", difference["mailboxes"], difference["domains"])
    };
    differences.map(line).collect()
}

#[test]
fn the_same_rules_find_the_same_without_a_question_to_the_network() {
    for world in [today(), of_2014()] {
        let site = Site::new(&world);
        assert_eq!(site.run(&["audit"]).0, 1);
        let (asked, queries, database) =
            (site.fakenet.http_requests(), site.fakenet.dns_requests(), fs::read(site.office.database()).unwrap());
        let (code, judged) = site.judge(&[]);
        assert_eq!(changes(&judged), Vec::<String>::new());
        let all: usize = world.tenants.iter().map(|tenant| tenant.mailboxes.len()).sum();
        let mailboxes = |value: &Value| value["mailboxes"].as_u64().unwrap();
        let own = mailboxes(&judged["not_judged"]["own_answers_not_kept"]);
        assert_eq!(mailboxes(&judged["judged"]) + own, all as u64);
        assert_eq!((judged["not_asked"].as_array().unwrap().len(), code), (0, if own > 0 { 2 } else { 0 }));
        assert_eq!((site.fakenet.http_requests(), site.fakenet.dns_requests()), (asked, queries));
        assert!(fs::read(site.office.database()).unwrap() == database, "the database is as it was");
        // the run itself says who its tenants were
        let path = site.path("audit.db");
        let (code_alone, out, err) = told(&program().args(["judge", "--run", "1", "--database", &path]).output().unwrap());
        assert_eq!(code_alone, code, "{out}{err}");
        assert!(out.contains("\nNothing has changed.\n"), "{out}");
    }
}

#[test]
fn nothing_on_the_way_of_judging_again_has_a_network() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inner = fs::read_dir(root.join("audit/replay")).unwrap().map(|file| file.unwrap().path());
    let files: Vec<_> = inner.chain(["audit/replay.rs", "audit/dossier.rs", "cli/judge.rs"].map(|name| root.join(name))).collect();
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        let code = fs::read_to_string(&file).unwrap();
        for name in ["network::", ".network", "Network", "Auditor", "auditor("] {
            let line = code.lines().find(|line| !line.trim_start().starts_with("//") && line.contains(name));
            assert_eq!(line, None, "{}", file.display());
        }
    }
}

#[test]
fn a_client_that_reduces_the_mx_otherwise_would_be_led_elsewhere() {
    let site = Site::new(&drift::by_mx());
    assert_eq!(site.run(&["audit"]).0, 0);
    site.with_clients(&own_clients("thunderbird", |row| row.replace("mx = \"parent-then-base\"", "mx = \"base\"")));
    let (code, judged) = site.judge(&[]);
    assert_eq!((code, judged["run"].as_i64()), (1, Some(1)));
    let moved = ["- needs_manual_configuration - - 4 2", "thunderbird verdict ok consumer 4 2"];
    assert_eq!(changes(&judged), moved);
    let of_client = &judged["differences"][1];
    assert_eq!(of_client["first_domains"][0]["domain"], "one.example");
    assert_eq!(
        of_client["first_mailboxes"],
        serde_json::json!(["anna@one.example", "bert@one.example", "anna@two.example", "bert@two.example"])
    );
    let (code, text, _) = site.run(&["judge", "--run", "latest", "--tenant", "contoso", "--client", "thunderbird"]);
    assert_eq!(
        (code, text.as_str()),
        (
            1,
            "The answers of run 1, judged again by the present clients and rules, without the network: 5 mailboxes in 3 domains.\n\n\
             thunderbird: ok -> consumer: 4 mailboxes in 2 domains\n  one.example 2, two.example 2\n  \
             anna@one.example, bert@one.example, anna@two.example, bert@two.example\n\n\
             4 mailboxes in 2 domains are not judged as before.\n"
        )
    );
    let (code, judged) = site.judge(&["--client", "srv"]);
    assert_eq!((code, changes(&judged)), (0, Vec::new()));
}

#[test]
fn what_was_not_asked_is_no_change() {
    let site = Site::new(&drift::by_mx());
    assert_eq!(site.run(&["audit"]).0, 0);
    let elsewhere = |row: &str| row.replace("https://live.thunderbird.net/autoconfig/v1.1/{mx}", "https://ispdb.example/{mx}");
    site.with_clients(&own_clients("mx-base-domain", elsewhere));
    let (code, judged) = site.judge(&[]);
    assert_eq!((code, changes(&judged)), (2, Vec::new()));
    let missing = &judged["not_asked"][0];
    assert_eq!((missing["client"].as_str(), missing["mailboxes"].as_u64()), (Some("mx-base-domain"), Some(5)));
    assert_eq!(missing["asks_now"], "https://ispdb.example/outlook.com");
    let (_, text, _) = site.run(&["judge"]);
    assert!(text.contains("\nmx-base-domain: undetermined: not asked in run 1: 5 mailboxes in 3 domains\n"), "{text}");
    assert!(text.ends_with("\nNothing has changed.\n"), "{text}");
}

#[test]
fn mailboxes_that_were_asked_about_one_by_one_are_counted_apart() {
    let mut world = World::default();
    let name = "each.example";
    let page = |host: &str| Act::xml(documents::imap_smtp(name, &format!("imap.{host}"), &format!("smtp.{host}")));
    let by_address = Act::by_address(&[("b@each.example", page("b.example")), ("c@each.example", page("c.example"))], page("a.example"));
    std::sync::Arc::make_mut(&mut world.net).host("autoconfig.each.example", Host::empty().https("/mail/config-v1.1.xml", by_address));
    let mailboxes = ["a", "b", "c", "d"].map(|local| WorldMailbox::new(format!("{local}@{name}"))).to_vec();
    let (clients, allowed_hosts) = (vec!["thunderbird"], Vec::new());
    world.tenants.push(WorldTenant { id: "t", name: "T", hosting: Hosting::default(), clients, allowed_hosts, mailboxes });
    let site = Site::new(&world);
    assert_eq!(site.run(&["audit"]).0, 1);
    let (code, judged) = site.judge(&[]);
    assert_eq!((code, changes(&judged)), (2, Vec::new()));
    assert_eq!(judged["judged"]["first_mailboxes"], serde_json::json!(["a@each.example"]));
    assert_eq!(judged["not_judged"]["own_answers_not_kept"]["mailboxes"], 3);
}

#[test]
fn a_run_whose_answers_were_dropped_is_refused_and_what_is_kept_is_judged() {
    let site = Site::new(&drift::autoconfig(&[]));
    let (code, _, err) = site.run(&["judge"]);
    assert_eq!((code, err.contains("find the database")), (3, true), "{err}");
    for stale in [&[][..], &["one.example"], &["one.example", "two.example", "three.example"]] {
        site.fakenet.become_net(&drift::autoconfig(stale).net);
        site.run(&["audit"]);
    }
    for (arguments, problem) in [
        (["--run", "9"], "the database has no run 9: it has 1 to 3"),
        (["--tenant", "fabrikam"], "run 3 has no mailbox of the tenant `fabrikam`"),
        (["--client", "outlook-2003"], "`outlook-2003` is no client"),
    ] {
        let (code, _, err) = site.run(&[&["judge"][..], &arguments].concat());
        assert_eq!((code, err.contains(problem)), (3, true), "{err}");
    }
    let judged = |run: &str| site.judge(&["--run", run]);
    assert_eq!((judged("1").0, judged("1").1["judged"]["mailboxes"].as_u64()), (0, Some(9)));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&site.office.database()).await.unwrap();
        let now = autodiscover_audit::clock::Clock::system().seconds();
        store.clear_old(&Retention { age: -1, size: None }, now).await.unwrap();
        store.close().await.unwrap();
    });
    let (code, _, err) = site.run(&["judge", "--run", "1"]);
    assert_eq!((code, err.contains("the answers of run 1 are not kept any more")), (3, true), "{err}");
    let (code, part) = judged("2");
    assert_eq!((code, part["judged"]["mailboxes"].as_u64(), part["not_judged"]["outcomes_not_kept"].as_u64()), (2, Some(3), Some(6)));
    assert_eq!((judged("3").0, judged("3").1["judged"]["mailboxes"].as_u64()), (0, Some(9)));
}

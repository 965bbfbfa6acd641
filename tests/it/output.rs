//! What the built binary writes, and with which code it ends.

use std::process::Stdio;

use crate::{
    cli::{Site, program, told},
    fakenet::world::{past::of_2014, today::today},
};

fn give(mut command: std::process::Command, input: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, input).unwrap();
    told(&command.stdin(Stdio::from(std::fs::File::open(&path).unwrap())).output().unwrap())
}

#[test]
fn what_standard_input_holds_cannot_steer_the_terminal() {
    let mut command = program();
    command.args(["check", "-"]);
    let (code, _, err) = give(command, "a\u{1b}[31m\u{202e}b\n");
    assert!(code == 3 && err.contains("`a\\u{1b}[31m\\u{202e}b`") && !err.contains(['\u{1b}', '\u{202e}']), "{err:?}");
}

#[test]
fn the_database_is_named_alike_for_every_care_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (one, copy) = (path("one.db"), path("copy.db"));
    for (arguments, expected) in [
        (vec!["db", "migrate", "--database", &one], 0),
        (vec!["db", "--database", &one, "migrate"], 0),
        (vec!["db", "migrate", &one], 0),
        (vec!["db", "check", "--database", &one], 0),
        (vec!["db", "check", &one], 0),
        (vec!["db", "backup", &copy, "--database", &one], 0),
        (vec!["db", "check", &copy], 0),
        (vec!["db", "check", &copy, "--database", &one], 3),
    ] {
        let (code, out, err) = told(&program().args(&arguments).output().unwrap());
        assert_eq!(code, expected, "{arguments:?}: {out}{err}");
    }
}

#[test]
fn a_bad_line_is_named_and_the_others_are_checked() {
    let site = Site::new(&of_2014());
    let input = "anna@standard.example\n\nnobody\n Anna <anna@own-good.example>,\n";
    let (code, out, err) = give(site.command(&["check", "-", "anna@hotmail.de", "bert", "--format", "jsonl"]), input);
    let addresses: Vec<String> =
        out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["address"].as_str().unwrap().to_owned()).collect();
    assert_eq!(addresses, ["anna@standard.example", "anna@own-good.example", "anna@hotmail.de"], "{err}");
    assert!(err.contains("line 3 of standard input: `nobody` is not an address") && err.contains("`bert` is not an address"), "{err}");
    assert_eq!(code, 3, "what is wrong with the input is not hidden by findings");
    let (code, out, err) = give(site.command(&["check", "-"]), "nobody\n");
    assert!(code == 3 && out.is_empty() && err.contains("`nobody`"), "{err}");
    let (code, _, err) = give(site.command(&["check", "-"]), "\n");
    assert!(code == 3 && err.contains("no address on standard input"), "{err}");
}

#[test]
fn rows_that_were_refused_stand_in_the_summary() {
    let site = Site::new(&of_2014());
    let list = site.path("contoso.csv");
    let text = std::fs::read_to_string(&list).unwrap();
    for (bad, told) in [("bad", "1 row of its list was refused and is"), ("bad\nworse", "2 rows of its list were refused and are")] {
        std::fs::write(&list, format!("{}\n{bad}\n", text.trim_end())).unwrap();
        let (code, out, err) = site.run(&["audit"]);
        assert_eq!(code, 1, "{out}{err}");
        assert!(out.contains(&format!("  contoso: {told} not audited; `autodiscover-audit mailboxes check {list}` names them")), "{out}");
    }
    std::fs::write(&list, text).unwrap();
    assert!(!site.run(&["audit"]).1.contains("refused"));
}

#[test]
fn an_explanation_says_plainly_what_is_not_there() {
    let site = Site::new(&today());
    for (address, told) in [
        ("anna@srv-nothing.example", "The SRV records of srv-nothing.example say that mail services are explicitly not offered"),
        ("anna@unregistered.example", "DNS does not know the domain unregistered.example (NXDOMAIN)"),
    ] {
        let (_, out, err) = site.run(&["check", address, "--client", "srv", "--client", "thunderbird", "--format", "jsonl"]);
        assert!(out.contains(told), "{address}: {out}{err}");
    }
    let (_, out, _) = site.run(&["check", "anna@unregistered.example"]);
    assert!(out.contains("[no-such-domain]") && out.contains("register") && !out.contains("publish the right"), "{out}");
}

#[test]
fn an_explanation_names_what_is_switched_on() {
    let site = Site::new(&today());
    let (list, database) = (site.path("three.csv"), site.path("three.db"));
    let rows = "anna@srv-stale.example,no,no\nbert@srv-stale.example,yes,yes\n";
    std::fs::write(&list, format!("address,pop3,smtp\n{rows}carla@srv-half.example,yes,no\n")).unwrap();
    let (_, out, err) = site.run(&["audit", "--mailboxes", &list, "--client", "srv", "--database", &database]);
    let (_, rows, _) = site.run(&["report", "--database", &database, "--client", "srv", "--format", "jsonl"]);
    let rows: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<&str> = rows.iter().map(|row| row["clients"][0]["explanation"].as_str().unwrap()).collect();
    let [carla, anna, bert] = told.as_slice() else { panic!("{told:?}: {out}{err}") };
    assert!(anna.contains("imap-mail.outlook.com (IMAP)") && !anna.contains("POP3") && !anna.contains("SMTP"), "{anna}");
    assert!(bert.contains("(IMAP)") && bert.contains("(POP3)") && bert.contains("(SMTP)"), "{bert}");
    assert!(carla.ends_with("(SMTP), of the consumer service. None of that is switched on for the mailbox."), "{carla}");
}

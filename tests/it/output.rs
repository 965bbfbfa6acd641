//! What the built binary writes, and with which code it ends.

use std::process::Stdio;

use crate::cli::{program, told};

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

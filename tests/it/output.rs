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

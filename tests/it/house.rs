//! The walls of the house: imports go down only, and a pure room names no crate that does I/O.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Rooms and their floors; a room imports from lower floors only.
const FLOORS: [(&str, u8); 17] = [
    ("model", 0),
    ("clock", 0),
    ("wire", 1),
    ("clients", 1),
    ("classify", 1),
    ("remedy", 1),
    ("schedule", 1),
    ("network", 2),
    ("store", 2),
    ("alert", 3),
    ("mailboxes", 3),
    ("report", 3),
    ("audit", 4),
    ("config", 5),
    ("daemon", 6),
    ("cli", 7),
    ("main", 8),
];

/// Crates that a pure room (floors 0 and 1) may not name.
const IMPURE: [&str; 8] = ["tokio", "reqwest", "sqlx", "hickory_resolver", "rustls", "std::fs", "std::net::Tcp", "std::env"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file with its room, without comments and without its tests.
fn files() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    let read = |path: PathBuf| {
        let inside = path.strip_prefix(&src).unwrap().to_owned();
        let room = inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        (room, inside, code)
    };
    paths.into_iter().map(read).filter(|(room, inside, _)| room != "lib" && !inside.ends_with("tests.rs")).collect()
}

/// The rooms that a file names behind `crate::`, in plain paths and in braces.
fn imports(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for after in code.split("crate::").skip(1) {
        let word = |text: &str| {
            text.trim_start().chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect::<String>()
        };
        let Some(inner) = after.strip_prefix('{') else {
            rooms.push(word(after));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, character) in inner.char_indices() {
            if start && depth == 0 && !character.is_whitespace() {
                rooms.push(word(&inner[at..]));
                start = false;
            }
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ => {}
            }
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn imports_go_down_only() {
    let floors: BTreeMap<&str, u8> = FLOORS.into_iter().collect();
    let mut wrong = Vec::new();
    for (room, path, code) in files() {
        let floor = floors.get(room.as_str()).unwrap_or_else(|| panic!("{} lies in no room of the house", path.display()));
        for import in imports(&code) {
            let Some(other) = floors.get(import.as_str()) else {
                panic!("{} imports `{import}`, which is no room of the house", path.display())
            };
            if import != room && other >= floor {
                wrong.push(format!("{}: {room} (floor {floor}) imports {import} (floor {other})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up or sideways:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_name_no_crate_that_does_io() {
    let pure: Vec<&str> = FLOORS.into_iter().filter(|(room, floor)| *floor <= 1 && *room != "clock").map(|(room, _)| room).collect();
    let mut wrong = Vec::new();
    for (room, path, code) in files() {
        if pure.contains(&room.as_str()) {
            wrong.extend(IMPURE.iter().filter(|name| code.contains(*name)).map(|name| format!("{}: {name}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "a pure room does I/O:\n{}", wrong.join("\n"));
}

#[test]
fn braces_and_paths_are_both_seen() {
    assert_eq!(imports("use crate::{model::{A, B}, wire, store::X};"), ["model", "wire", "store"]);
    assert_eq!(imports("crate::network::Settings"), ["network"]);
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    sources(&root.join("src"), &mut paths);
    sources(&root.join("tests"), &mut paths);
    for path in paths {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines: split it by noun", path.display());
    }
}

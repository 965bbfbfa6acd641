//! `check --explain`: the story of a client.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;

use crate::{
    cli::{Site, told},
    fakenet::{
        site::Act,
        world::{documents, today::today},
    },
};

/// The story in what a check writes.
fn story(text: &str) -> String {
    let lines = text.lines().skip_while(|line| !line.contains(": how it comes to its")).take_while(|line| line.starts_with("    "));
    lines.collect::<Vec<_>>().join("\n")
}

fn json(out: &str) -> Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn a_story_tells_step_by_step_what_decides_and_what_would_come_then() {
    let site = Site::new(&today());
    for (name, address) in [("explain-mx", "anna@standard.example"), ("explain-autodiscover", "anna@hosted-record.example")] {
        let (_, out, err) = site.run(&["check", address, "--client", "thunderbird", "--explain", "thunderbird"]);
        assert!(err.is_empty(), "{err}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, story(&out)) });
    }
}

#[test]
fn stories_are_told_of_those_who_are_named_and_without_a_name_of_all() {
    let site = Site::new(&today()).looking_at(&["thunderbird"], &["srv", "mx-base-domain"]);
    let stories = |arguments: &[&str]| {
        let (code, out, err) = site.run(&[&["check"], arguments, &["--format", "json"]].concat());
        assert!(code == 0, "{arguments:?}: {out}{err}");
        let view = json(&out);
        let clients = view["clients"].as_array().unwrap().iter();
        clients.map(|client| format!("{}:{}", client["client"].as_str().unwrap(), client["story"].is_array())).collect::<Vec<_>>().join(" ")
    };
    let standard = "anna@standard.example";
    assert_eq!(stories(&[standard]), "thunderbird:false srv:false mx-base-domain:false");
    assert_eq!(stories(&[standard, "--explain"]), "thunderbird:true srv:true mx-base-domain:true");
    assert_eq!(stories(&["--explain", standard]), "thunderbird:true srv:true mx-base-domain:true", "an address is no client");
    assert_eq!(stories(&["--explain", "srv", standard]), "thunderbird:false srv:true mx-base-domain:false");
    assert_eq!(stories(&["--explain", "kmail", standard]), "thunderbird:false srv:false mx-base-domain:false kmail:true");
    assert_eq!(stories(&[standard, "--client", "thunderbird", "--explain"]), "thunderbird:true");
    let (code, _, err) = site.run(&["check", standard, "--explain", "outlok"]);
    assert!(code == 3 && err.contains("`outlok` is no client"), "{err}");
    let (code, _, err) = site.run(&["check", "--explain", "srv"]);
    assert!(code == 3 && err.contains("no address to check"), "{err}");
    let (_, out, _) = site.run(&["check", standard, "--explain", "thunderbird", "--format", "jsonl"]);
    let told = json(&out)["clients"][0]["story"].clone();
    assert_eq!(told[0], "Thunderbird 125 and later: how it comes to its servers for anna@standard.example.");
    assert!(told[1].as_str().unwrap().starts_with("1. It asks standard.example itself for an autoconfig document: https://"), "{told}");
    assert_eq!(told.as_array().unwrap().last().unwrap(), "$ curl -i 'https://live.thunderbird.net/autoconfig/v1.1/outlook.com'");
}

#[test]
fn the_commands_of_a_story_are_what_a_shell_takes_them_for() {
    let mut world = today();
    let redirect = documents::pox_redirect_address("'; touch pwned; '@hoster.example");
    let name = "autodiscover.pox-redirect.example";
    let hostile = crate::fakenet::site::Site::empty().https("/autodiscover/autodiscover.xml", Act::xml(redirect));
    std::sync::Arc::make_mut(&mut world.net).host(name, hostile);
    let site = Site::new(&world);
    let folder = tempfile::tempdir().unwrap();
    for tool in ["dig", "curl"] {
        let path = folder.path().join(tool);
        fs::write(&path, "#!/bin/sh\nprintf '%s\\n' \"${0##*/}\" \"$@\"\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = |command: &str| {
        let output = Command::new("/bin/sh").args(["-c", command]).env("PATH", folder.path()).current_dir(folder.path()).output().unwrap();
        let (code, out, err) = told(&output);
        assert_eq!((code, err.as_str()), (0, ""), "{command}");
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let commands = |address: &str| {
        let (_, out, err) = site.run(&["check", address, "--client", "thunderbird", "--explain", "--format", "json"]);
        let view = json(&out);
        let story = view["clients"][0]["story"].as_array().unwrap_or_else(|| panic!("{out}{err}")).clone();
        story.iter().filter_map(|line| line.as_str().unwrap().strip_prefix("$ ").map(str::to_owned)).collect::<Vec<_>>()
    };
    let standard: Vec<Vec<String>> = commands("anna@standard.example").iter().map(|command| run(command)).collect();
    let database = "https://live.thunderbird.net/autoconfig/v1.1";
    assert_eq!(standard[0], ["dig", "+short", "MX", "standard.example"]);
    assert_eq!(standard[1], ["curl", "-i", &format!("{database}/mail.protection.outlook.com")]);
    assert_eq!(standard[2], ["curl", "-i", &format!("{database}/outlook.com")]);

    let posted: Vec<Vec<String>> = commands("\"o'br$(touch pwned)\"@pox-redirect.example").iter().map(|command| run(command)).collect();
    let first = posted.iter().find(|words| words.contains(&"POST".to_owned())).unwrap_or_else(|| panic!("{posted:?}"));
    assert_eq!(first[..6], ["curl", "-i", "-X", "POST", "-H", "Content-Type: text/xml; charset=utf-8"]);
    assert!(first[7].contains("<EMailAddress>") && first[7].contains("o&apos;br$(touch pwned)"), "{first:?}");
    assert_eq!((first.len(), first[8].as_str()), (9, "https://autodiscover.pox-redirect.example/autodiscover/autodiscover.xml"));
    assert!(!folder.path().join("pwned").exists(), "nothing that was quoted is run");
}

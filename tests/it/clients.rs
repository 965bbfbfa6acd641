//! `clients list` and `clients show`, as their user drives them.

use std::fs;

use serde_json::Value;

use crate::cli::{program, told};

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(&program().args(["clients"]).args(arguments).output().unwrap())
}

#[test]
fn a_clients_way_is_told_in_words_with_its_sources() {
    for name in ["thunderbird", "fairemail", "evolution"] {
        let (code, out, err) = run(&["show", name]);
        assert_eq!((code, err.as_str()), (0, ""), "{name}");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("clients-show-{name}"), out);
        });
    }
}

#[test]
fn every_client_is_listed_and_can_be_shown() {
    let (code, out, _) = run(&["list", "--format", "json"]);
    let list: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &list["schema"]), (0, &Value::from("autodiscover-audit/clients/1")));
    let (_, text, _) = run(&["list"]);
    for client in list["clients"].as_array().unwrap() {
        let name = client["name"].as_str().unwrap();
        assert!(["standing", "title", "versions"].iter().all(|key| client[key].is_string()), "{client}");
        assert!(text.lines().any(|line| line.starts_with(name) && line.contains(client["standing"].as_str().unwrap())), "{name}");
        let (code, out, _) = run(&["show", name, "--format", "json"]);
        let shown: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &shown["name"], &shown["schema"]), (0, &client["name"], &Value::from("autodiscover-audit/client/1")));
        let stages = shown["stages"].as_array().unwrap();
        let whole = |stage: &Value| !stage["what"].as_str().unwrap().is_empty() && !stage["asks"].as_array().unwrap().is_empty();
        assert!(!stages.is_empty() && stages.iter().all(whole), "{name}: {stages:?}");
        assert!(stages.iter().all(|stage| stage["lookups"][0] == "mx" || !stage["sources"].as_array().unwrap().is_empty()), "{name}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_told_what_is_close() {
    for (name, message) in [
        ("thunderbrid", "error: `thunderbrid` is no client: did you mean thunderbird?\n"),
        ("Thunder", "error: `Thunder` is no client: did you mean thunderbird, thunderbird-android, thunderbird-72?\n"),
    ] {
        assert_eq!(run(&["show", name]), (3, String::new(), message.to_owned()));
    }
    assert!(run(&["show", "pine"]).2.starts_with("error: `pine` is no client: write one of thunderbird, "));
}

#[test]
fn the_sites_own_clients_are_known_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let row = |servers: &str| {
        format!(
            "[[client]]\nname = 'house-app'\ntitle = 'The app of the house'\nversions = 'all'\ndialect = 'tolerant'\nstanding = 'audited'\n\
             sources = ['its manual']\n[[client.step]]\nlookup = 'built-in'\nsource = 'its manual'\n[[client.step.row]]\nname = 'ours'\n\
             domains = ['**.contoso.com', 'contoso.com']\nservers = [{servers}]\n[[client.step]]\nlookup = 'guess'\nsource = 'its manual'\n\
             incoming = ['imap tls 993 mail.{{domain}}']\noutgoing = ['smtp starttls 587 mail.{{domain}}']\n"
        )
    };
    write("clients.toml", &row("'imap tls 993 outlook.office365.com', 'smtp starttls 587 smtp.office365.com'"));
    write("list.csv", "anna@contoso.com\n");
    let config = write(
        "site.toml",
        "clients_file = 'clients.toml'\n[[tenant]]\nid = 'contoso'\nhosting = 'exchange-online'\nmailboxes = 'list.csv'\n",
    );
    let config = config.to_str().unwrap();
    let (code, out, err) = run(&["show", "house-app", "--config", config]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("ours (domain **.contoso.com, contoso.com): IMAP outlook.office365.com:993\n"), "{out}");
    assert!(out.contains("IMAP, SSL/TLS: mail.contoso.com:993"), "{out}");
    write("clients.toml", &row("'imap ssl 993 outlook.office365.com'"));
    let (code, _, err) = run(&["list", "--config", config]);
    assert_eq!(code, 3);
    assert!(err.contains("`imap ssl 993 outlook.office365.com` names no server: write `PROTOCOL SECURITY PORT[,PORT] HOST…`"), "{err}");
}

#[test]
fn a_list_says_who_is_looked_at_on_this_site() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("site.toml");
    fs::write(folder.path().join("list.csv"), "anna@contoso.com\n").unwrap();
    let standings = |at_risk: &str| {
        fs::write(&config, format!("{at_risk}\n[[tenant]]\nid = 'contoso'\nmailboxes = 'list.csv'\n")).unwrap();
        let (_, out, err) = run(&["list", "--format", "json", "--config", config.to_str().unwrap()]);
        let list: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {err}"));
        let of = |name: &str| {
            let clients = list["clients"].as_array().unwrap();
            clients.iter().find(|client| client["name"] == name).unwrap()["standing"].as_str().unwrap().to_owned()
        };
        ["thunderbird", "geary", "kmail"].map(of)
    };
    assert_eq!(standings(""), ["audited", "at-risk", "at-risk"]);
    assert_eq!(standings("at_risk_clients = ['geary']"), ["audited", "at-risk", "on-request"]);
    assert_eq!(standings("at_risk_clients = []"), ["audited", "on-request", "on-request"]);
}

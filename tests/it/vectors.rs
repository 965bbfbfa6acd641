//! `mx_vectors.json`: MX host × date of the ISP database × reduction algorithm, worked out from the database's own history. The
//! vectors lie beside a checkout of the project's workshop; a clone without them checks the cases that are written here.

use std::collections::{BTreeMap, BTreeSet};

use autodiscover_audit::clients::ClientTable;
use serde_json::Value;

/// The vectors' algorithm of each client that looks at the MX, where they have it, and one result of it.
const ALGORITHMS: &[(&str, Option<&str>, &[&str])] = &[
    ("thunderbird", Some("tb_ge72"), &["mail.eo.outlook.com", "outlook.com"]),
    ("thunderbird-72", Some("tb_ge72"), &["mail.eo.outlook.com", "outlook.com"]),
    ("thunderbird-android", Some("tb_ge72"), &["mail.eo.outlook.com", "outlook.com"]),
    ("evolution", Some("evolution"), &["contoso-com.mail.eo.outlook.com", "mail.eo.outlook.com", "eo.outlook.com", "outlook.com"]),
    ("nextcloud-mail", Some("nextcloud"), &["contoso-com.mail.eo.outlook.com", "mail.eo.outlook.com", "outlook.com"]),
    ("himalaya", Some("last2"), &["outlook.com"]),
    ("gnome-online-accounts", None, &["contoso-com.mail.eo.outlook.com", "outlook.com"]),
    ("mx-base-domain", Some("tb_lt72"), &["outlook.com"]),
    ("fairemail", Some("evolution"), &["contoso-com.mail.eo.outlook.com", "mail.eo.outlook.com", "eo.outlook.com", "outlook.com"]),
    ("autoconfig-draft", Some("tb_ge72"), &["mail.eo.outlook.com", "outlook.com"]),
];

#[test]
fn reductions_agree_with_the_vectors() {
    let table = ClientTable::built_in().unwrap();
    let reductions: BTreeMap<&str, _> = table.iter().filter_map(|client| Some((client.name.as_str(), client.mx?))).collect();
    assert_eq!(reductions.keys().copied().collect::<BTreeSet<_>>(), ALGORITHMS.iter().map(|(client, ..)| *client).collect());
    for (client, _, expected) in ALGORITHMS.iter().copied() {
        assert_eq!(reductions[client].names("contoso-com.mail.eo.outlook.com", "contoso.com"), expected, "{client}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/mx_vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("mx_vectors.json is not here");
        return;
    };
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let entries: BTreeSet<(String, String)> = rows
        .iter()
        .flat_map(|row| {
            ["tb_ge72", "tb_lt72", "evolution", "nextcloud", "last2"].map(|name| (row["ispdb_as_of"].clone(), row[name]["hit"].clone()))
        })
        .filter_map(|(date, hit)| Some((date.as_str()?.to_owned(), hit.as_str()?.to_owned())))
        .collect();
    let mut agree = 0;
    for row in &rows {
        let [mx, date, domain] = ["mx", "ispdb_as_of", "mail_domain"].map(|key| row[key].as_str().unwrap());
        let same = ALGORITHMS.iter().filter_map(|(client, algorithm, _)| Some((client, (*algorithm)?))).all(|(client, algorithm)| {
            let names = reductions[client].names(mx, domain);
            let written: Vec<&str> = row[algorithm]["candidates"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
            let hit = names.iter().find(|name| entries.contains(&(date.to_owned(), (*name).clone())));
            if written != names {
                println!("{client}: {mx}: {names:?}, not {written:?}");
            }
            written == names && hit.map(String::as_str) == row[algorithm]["hit"].as_str()
        });
        agree += usize::from(same);
    }
    println!("vectors: {agree} of {} rows agree", rows.len());
    assert_eq!(agree, rows.len());
}

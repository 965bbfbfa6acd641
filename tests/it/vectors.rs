//! `mx_vectors.json`: MX host × date of the ISP database × reduction algorithm, worked out from the database's own history. The
//! vectors lie beside a checkout of the project's workshop; a clone without them checks the cases that are written here.

use std::collections::BTreeSet;

use autodiscover_audit::clients::{base_domain, parent_domain};
use serde_json::Value;

fn tb_ge72(mx: &str) -> Vec<String> {
    parent_domain(mx).into_iter().chain(base_domain(mx)).map(str::to_owned).collect()
}

fn tb_lt72(mx: &str) -> Vec<String> {
    base_domain(mx).into_iter().map(str::to_owned).collect()
}

#[test]
fn reductions_agree_with_the_vectors() {
    assert_eq!(tb_ge72("contoso-com.mail.eo.outlook.com"), ["mail.eo.outlook.com", "outlook.com"]);
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
        let (mx, date) = (row["mx"].as_str().unwrap(), row["ispdb_as_of"].as_str().unwrap());
        let same = [("tb_ge72", tb_ge72(mx)), ("tb_lt72", tb_lt72(mx))].iter().all(|(name, candidates)| {
            let written: Vec<&str> = row[name]["candidates"].as_array().unwrap().iter().map(|value| value.as_str().unwrap()).collect();
            let hit = candidates.iter().find(|candidate| entries.contains(&(date.to_owned(), (*candidate).clone())));
            written == *candidates && hit.map(String::as_str) == row[name]["hit"].as_str()
        });
        agree += usize::from(same);
    }
    println!("vectors: {agree} of {} rows agree", rows.len());
    assert_eq!(agree, rows.len());
}

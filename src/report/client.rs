//! Clients for a person and for a program: the list, and one client's way.

use std::io::{self, Write};

use serde::Serialize;

use super::layout::{flow, labelled};
use crate::{
    clients::{ClientTable, Description, Standing},
    model::visible,
};

#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    clients: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    standing: Standing,
    title: &'a str,
    versions: &'a str,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: &'static str,
    #[serde(flatten)]
    description: &'a Description,
}

/// Writes the list of clients, as a table or as one object.
///
/// # Errors
/// Where writing fails.
pub fn write_clients(out: &mut impl Write, clients: &ClientTable, json: bool) -> io::Result<()> {
    let entries = clients.iter().map(|client| Entry {
        name: &client.name,
        standing: clients.standing(client),
        title: &client.title,
        versions: &client.versions,
    });
    if json {
        return write_json(out, &List { schema: LIST, clients: entries.collect() });
    }
    let entries: Vec<Entry<'_>> = entries.collect();
    let widest = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or_default();
    for entry in entries {
        let head = format!("{:<widest$}  {:<10}  ", visible(entry.name), word(entry.standing));
        let hanging = head.chars().count();
        out.write_all(flow(head, hanging, entry.title).as_bytes())?;
        out.write_all(flow(" ".repeat(hanging), hanging, entry.versions).as_bytes())?;
    }
    Ok(())
}

/// Writes a client's way, as text or as one object.
///
/// # Errors
/// Where writing fails.
pub fn write_client(out: &mut impl Write, description: &Description, json: bool) -> io::Result<()> {
    if json {
        return write_json(out, &Object { schema: CLIENT, description });
    }
    out.write_all(text(description).as_bytes())
}

fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

fn text(of: &Description) -> String {
    let mut out = flow(String::new(), 0, &format!("{}: {}", of.name, of.title));
    out.push_str(&labelled(2, "versions", &of.versions));
    out.push_str(&labelled(2, "standing", meaning(of.standing)));
    out.push_str(&labelled(2, "takes", of.reads));
    if !of.oauth_hosts.is_empty() {
        out.push_str(&labelled(2, "OAuth2", &format!("only at hosts of {}", of.oauth_hosts.join(", "))));
    }
    out.push('\n');
    out.push_str(&flow(String::new(), 0, &format!("Its way for {}:", of.example)));
    for stage in &of.stages {
        out.push('\n');
        out.push_str(&flow(format!("{:>2}. ", stage.number), 4, &stage.what));
        for asked in &stage.asks {
            out.push_str(&flow(" ".repeat(6), 8, asked));
        }
        for note in &stage.notes {
            out.push_str(&flow("    - ".to_owned(), 6, note));
        }
        for source in &stage.sources {
            out.push_str(&flow("    source: ".to_owned(), 12, source));
        }
    }
    out.push('\n');
    for source in &of.sources {
        out.push_str(&labelled(0, "source", source));
    }
    out
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Audited => "audited",
        Standing::AtRisk => "at-risk",
        Standing::OnRequest => "on-request",
    }
}

fn meaning(standing: Standing) -> &'static str {
    match standing {
        Standing::Audited => "audited: by every tenant that names no clients",
        Standing::AtRisk => "at-risk: looked at everywhere, and reported apart where a tenant does not name it",
        Standing::OnRequest => "on-request: looked at only where it is named",
    }
}

/// The names and numbers of the contracts. Additions are allowed; a change of meaning raises the number.
const LIST: &str = "autodiscover-audit/clients/1";
const CLIENT: &str = "autodiscover-audit/client/1";

//! Text for a person: the sentence, the numbers, the action list, what could not be checked, what is at risk.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    Head, Numbers, ReportRow,
    group::{Group, Groups, Key, Member},
    layout::{clean, counted, labelled, table},
};
use crate::model::{Server, Verdict};

/// A report in text. It keeps a group's words and its first mailboxes, not every row.
pub struct TextReport<W> {
    out: W,
    action: Groups,
    doubt: Groups,
    risk: BTreeMap<(String, String), (usize, BTreeSet<String>)>,
}

impl<W: io::Write> TextReport<W> {
    pub(super) fn begin(head: &Head, all: bool, mut out: W) -> io::Result<Self> {
        let named = if all { usize::MAX } else { NAMED };
        writeln!(out, "{}", head.total.sentence())?;
        writeln!(out, "\n{}", numbers(head))?;
        let run = head.run.map_or_else(String::new, |run| format!(" after run {run}"));
        writeln!(out, "State{run}, written {}.", head.generated_at)?;
        Ok(Self { out, action: Groups::new(named), doubt: Groups::new(named), risk: BTreeMap::new() })
    }

    pub(super) fn add(&mut self, row: &ReportRow) {
        for client in &row.clients {
            match (client.outcome.audited, client.outcome.verdict) {
                (true, Verdict::Undetermined) => self.doubt.add(row, client),
                (true, verdict) if verdict.is_finding() && row.needs_manual_configuration => self.action.add(row, client),
                (false, verdict) if verdict.is_finding() => self.add_risk(row, &client.outcome.client, verdict.as_str()),
                (_, Verdict::Ok) if client.outcome.fragile => self.add_risk(row, &client.outcome.client, "ok, but fragile"),
                _ => {}
            }
        }
    }

    fn add_risk(&mut self, row: &ReportRow, client: &str, verdict: &str) {
        let (count, domains) = self.risk.entry((client.to_owned(), verdict.to_owned())).or_default();
        *count += 1;
        if !domains.contains(&row.domain) {
            domains.insert(row.domain.clone());
        }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.action.by_key.is_empty() {
            writeln!(self.out, "\n\nNEEDS MANUAL CONFIGURATION")?;
            for (key, group) in &self.action.by_key {
                write!(self.out, "\n{}{}{}{}", title(key, group), why(key, group), members(group), settings(group))?;
            }
        }
        if !self.doubt.by_key.is_empty() {
            writeln!(self.out, "\n\nCOULD NOT CHECK")?;
            for (key, group) in &self.doubt.by_key {
                write!(self.out, "\n{}{}{}", title(key, group), why(key, group), members(group))?;
            }
        }
        if !self.risk.is_empty() {
            writeln!(self.out, "\n\nAT RISK (clients that are not audited; settings with a wrong fallback)\n")?;
            write!(self.out, "{}", risks(&self.risk))?;
        }
        self.out.flush()
    }
}

fn numbers(head: &Head) -> String {
    let cells = |numbers: Numbers| {
        [numbers.checked, numbers.ok, numbers.needs_manual_configuration, numbers.could_not_check].map(|number| number.to_string())
    };
    let mut rows = vec![["", "checked", "ok", "needs manual", "could not check", "last run"].map(str::to_owned).to_vec()];
    for tenant in &head.tenants {
        let name = if tenant.name == tenant.tenant { String::new() } else { format!(" ({})", clean(&tenant.name)) };
        let finished = tenant.finished_at.as_deref().and_then(|time| time.split('T').next()).unwrap_or("none").to_owned();
        rows.push([vec![format!("{}{name}", tenant.tenant)], cells(tenant.numbers).to_vec(), vec![finished]].concat());
    }
    if head.tenants.len() != 1 {
        rows.push([vec!["all".to_owned()], cells(head.total).to_vec()].concat());
    }
    table(2, &rows, &[1, 2, 3, 4])
}

fn title(key: &Key, group: &Group) -> String {
    let count = counted(group.count, "mailbox", "mailboxes");
    let cause = key.cause.map(|cause| format!(" / {cause}")).unwrap_or_default();
    format!("{} / {} / {}{cause}: {count}\n", key.tenant, key.domain, clean(&key.client))
}

fn why(key: &Key, group: &Group) -> String {
    let example = &group.example;
    let mut out = labelled(2, "why", &example.outcome.explanation);
    if let Some(advice) = &example.advice {
        out += &labelled(2, "to mend", advice);
    }
    let inferred = if example.outcome.inferred { " (inferred)" } else { "" };
    out += &labelled(2, "verdict", &format!("{}{inferred}", key.verdict));
    if let Some(since) = &group.since {
        out += &labelled(2, "since", since);
    }
    if let Some(source) = &example.outcome.source {
        out += &labelled(2, "asked", &format!("{} ({})", source.asked, source.lookup));
    }
    for (number, line) in example.outcome.evidence.iter().enumerate() {
        out += &labelled(2, if number == 0 { "evidence" } else { "" }, line);
    }
    for (number, server) in example.outcome.settings.servers().enumerate() {
        out += &labelled(2, if number == 0 { "would set" } else { "" }, &server_line(server));
    }
    out
}

fn server_line(server: &Server) -> String {
    let class = server.class.map(|class| format!(" ({class})")).unwrap_or_default();
    format!("{} {}:{} {}{class}", server.protocol.title(), server.host, server.port, server.security.title())
}

fn members(group: &Group) -> String {
    let mut out = String::new();
    for (number, member) in group.members.iter().enumerate() {
        out += &labelled(2, if number == 0 { "mailboxes" } else { "" }, &member_line(member));
    }
    let more = group.count.saturating_sub(group.members.len());
    if more > 0 {
        out += &labelled(2, "", &format!("and {more} more (--all names them)"));
    }
    out
}

fn member_line(member: &Member) -> String {
    let person = if member.person.is_empty() { String::new() } else { format!(" ({})", member.person) };
    let name = member.user_name.as_ref().map(|name| format!(", user name {name}")).unwrap_or_default();
    format!("{}{person}{name}", member.address)
}

fn settings(group: &Group) -> String {
    if group.settings.is_empty() {
        return labelled(2, "type this", "not known: the tenant's configuration names no settings for where these mailboxes live");
    }
    let mut rows = vec![["type this ", "server", "port", "security"].map(str::to_owned).to_vec()];
    for setting in &group.settings {
        let (host, port) = (clean(&setting.host), setting.port.to_string());
        rows.push(vec![setting.protocol.title().to_owned(), host, port, setting.security.title().to_owned()]);
    }
    let mut out = table(2, &rows, &[]);
    let name = if group.has_other_names { "the name beside the mailbox above, else the whole address" } else { "the whole mail address" };
    out += &labelled(2, "user name", name);
    let mut ways: Vec<&str> = group.settings.iter().map(|setting| setting.sign_in.as_str()).filter(|way| !way.is_empty()).collect();
    ways.dedup();
    if !ways.is_empty() {
        out += &labelled(2, "sign in by", &ways.join(", "));
    }
    out
}

fn risks(risk: &BTreeMap<(String, String), (usize, BTreeSet<String>)>) -> String {
    let rows: Vec<Vec<String>> = risk
        .iter()
        .map(|((client, verdict), (count, domains))| {
            let (mailboxes, domains) = (counted(*count, "mailbox", "mailboxes"), counted(domains.len(), "domain", "domains"));
            vec![clean(client), verdict.clone(), format!("{mailboxes} in {domains}")]
        })
        .collect();
    table(2, &rows, &[])
}

/// Mailboxes that a group names unless all are wanted.
const NAMED: usize = 20;

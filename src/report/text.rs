//! Text for a person: the sentence, the numbers, the action list, what could not be checked, what is at risk.

use std::io;

use super::{
    Head, Numbers, ReportRow,
    group::{Bundle, Group, Groups, Member, Place, bundles},
    layout::{labelled, table},
    risk::Risks,
};
use crate::model::{Domain, Server, Verdict, counted, visible};

/// A report in text. It keeps the groups of one domain, their words and their first mailboxes; a group is written when the next
/// domain begins.
pub struct TextReport<W> {
    out: W,
    section: Section,
    groups: Groups,
    has_title: bool,
    has_doubts: bool,
    risks: Risks,
    /// What is exempt, in words.
    exempt: String,
}

/// A list of groups; the rows are read once for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Action,
    Doubt,
}

impl<W: io::Write> TextReport<W> {
    pub(super) fn begin(head: &Head, all: bool, mut out: W) -> io::Result<Self> {
        let groups = Groups::new(if all { usize::MAX } else { NAMED });
        writeln!(out, "{}", head.sentence())?;
        writeln!(out, "\n{}", numbers(head))?;
        for note in head.notes() {
            writeln!(out, "{note}")?;
        }
        let run = head.run.map_or_else(String::new, |run| format!(" after run {run}"));
        writeln!(out, "State{run}, written {}.", head.generated_at)?;
        Ok(Self {
            out,
            section: Section::Action,
            groups,
            has_title: false,
            has_doubts: false,
            risks: Risks::default(),
            exempt: head.in_force.text(),
        })
    }

    pub(super) fn add(&mut self, row: &ReportRow) -> io::Result<()> {
        if !self.groups.place.holds(row) {
            self.write_groups()?;
            self.groups.place = Place::of(row);
        }
        if self.section == Section::Action {
            self.risks.add(row);
        }
        for client in &row.clients {
            match (self.section, client.outcome.audited, client.outcome.verdict) {
                (Section::Action, true, Verdict::Undetermined) => self.has_doubts = true,
                (Section::Doubt, true, Verdict::Undetermined) => self.groups.add(row, client),
                (Section::Doubt, ..) => {}
                (_, true, verdict) if verdict.is_finding() && row.needs_manual_configuration => self.groups.add(row, client),
                _ => {}
            }
        }
        Ok(())
    }

    /// Ends a list; whether there is another, for which all rows are wanted once more.
    pub(super) fn wants_more(&mut self) -> io::Result<bool> {
        self.write_groups()?;
        self.groups.place = Place::default();
        self.has_title = false;
        let has_next = self.section == Section::Action && self.has_doubts;
        self.section = Section::Doubt;
        Ok(has_next)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write_groups()?;
        let risks = self.risks.text();
        if !risks.is_empty() {
            writeln!(self.out, "\n\nAT RISK (clients that are not audited; settings with a wrong fallback)\n")?;
            write!(self.out, "{risks}")?;
        }
        if !self.exempt.is_empty() {
            writeln!(self.out, "\n\nEXEMPTIONS (found and shown all the same, and not announced)\n")?;
            write!(self.out, "{}", self.exempt)?;
        }
        self.out.flush()
    }

    /// Writes the groups of a domain that has ended.
    fn write_groups(&mut self) -> io::Result<()> {
        for bundle in bundles(&self.groups.take()) {
            let Some(group) = bundle.groups.first() else { continue };
            if !self.has_title {
                let title = if self.section == Section::Action { "NEEDS MANUAL CONFIGURATION" } else { "COULD NOT CHECK" };
                writeln!(self.out, "\n\n{title}")?;
                self.has_title = true;
            }
            write!(self.out, "\n{}{}{}", title(&self.groups.place, &bundle, group), why(&bundle, group), members(group))?;
            if self.section == Section::Action {
                write!(self.out, "{}", settings(group))?;
            }
        }
        Ok(())
    }
}

fn numbers(head: &Head) -> String {
    let cells = |numbers: Numbers| {
        [numbers.checked, numbers.ok, numbers.needs_manual_configuration, numbers.could_not_check].map(|number| number.to_string())
    };
    let mut rows = vec![["", "checked", "ok", "needs manual", "could not check", "last run"].map(str::to_owned).to_vec()];
    for tenant in &head.tenants {
        let name = if tenant.name == tenant.tenant { String::new() } else { format!(" ({})", visible(&tenant.name)) };
        let finished = tenant.finished_at.as_deref().and_then(|time| time.split('T').next()).unwrap_or("none").to_owned();
        rows.push([vec![format!("{}{name}", tenant.tenant)], cells(tenant.numbers).to_vec(), vec![finished]].concat());
    }
    if head.tenants.len() != 1 {
        rows.push([vec!["all".to_owned()], cells(head.total).to_vec()].concat());
    }
    table(2, &rows, &[1, 2, 3, 4])
}

fn title(place: &Place, bundle: &Bundle<'_>, group: &Group) -> String {
    let count = counted(group.count, "mailbox", "mailboxes");
    let cause = bundle.key.cause.map(|cause| format!(" / {cause}")).unwrap_or_default();
    let domain = Domain::parse(&place.domain).map_or_else(|_| place.domain.clone(), |domain| domain.for_people());
    format!("{} / {domain} / {}{cause}: {count}\n", place.tenant, visible(&bundle.clients.names()))
}

fn why(bundle: &Bundle<'_>, group: &Group) -> String {
    let example = &group.example;
    let mut out = labelled(2, "why", &bundle.clients.why());
    if let Some(advice) = bundle.clients.advice() {
        out += &labelled(2, "to mend", advice);
    }
    let inferred = if example.outcome.inferred { " (inferred)" } else { "" };
    out += &labelled(2, "verdict", &format!("{}{inferred}", bundle.key.verdict));
    if let Some(since) = bundle.since() {
        out += &labelled(2, "since", since);
    }
    for (number, incident) in bundle.incidents().iter().enumerate() {
        out += &labelled(2, if number == 0 { "incident" } else { "" }, incident);
    }
    for (number, (source, whose)) in bundle.clients.sources().into_iter().enumerate() {
        let whose = whose.map(|names| format!("{names}: ")).unwrap_or_default();
        out += &labelled(2, if number == 0 { "asked" } else { "" }, &format!("{whose}{} ({})", source.asked, source.lookup));
    }
    for (number, line) in example.outcome.evidence.iter().enumerate() {
        out += &labelled(2, if number == 0 { "evidence" } else { "" }, line);
    }
    for (number, (server, note)) in bundle.clients.servers().iter().enumerate() {
        let note = note.as_ref().map(|note| format!("; {note}")).unwrap_or_default();
        out += &labelled(2, if number == 0 { "would set" } else { "" }, &format!("{}{note}", server_line(server)));
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
    if !group.example.has_settings() {
        return labelled(2, "type this", "nothing: these clients have no place for servers, and take an account by discovery alone");
    }
    if group.settings.is_empty() {
        return labelled(2, "type this", "not known: the tenant's configuration names no settings for where these mailboxes live");
    }
    let mut rows = vec![["type this ", "server", "port", "security"].map(str::to_owned).to_vec()];
    for setting in &group.settings {
        let (host, port) = (visible(&setting.host).into_owned(), setting.port.to_string());
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

/// Mailboxes that a group names unless all are wanted.
const NAMED: usize = 20;

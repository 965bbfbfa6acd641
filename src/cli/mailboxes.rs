//! `mailboxes check FILE`: how a list is read, and which of its rows are not.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{Common, Exit, site::Site};
pub(super) use crate::model::counted as count;
use crate::{
    mailboxes::{List, ListError, ListProblem, read_from, read_list},
    model::{Mailbox, visible_lines},
};

/// A list of mailboxes.
#[derive(Debug, Args)]
pub(super) struct MailboxesArgs {
    #[command(subcommand)]
    command: MailboxesCommand,
}

#[derive(Debug, Subcommand)]
enum MailboxesCommand {
    /// Says what a list holds, and what was refused and why, by line
    Check {
        /// The list, or `-` for standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Names every refused row, not the first 20
        #[arg(long)]
        all: bool,
    },
}

pub(super) fn run(args: &MailboxesArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let MailboxesCommand::Check { file, all } = &args.command;
    Ok(check(file, &Site::load(common)?.client_names(), *all, out)?)
}

/// Reads a list (`-`: the standard input) and writes what it holds. `clients` are the names that its rows may hold; `all` names every
/// refused row that was kept, instead of the first 20.
///
/// # Errors
/// Where writing fails.
pub fn check<S: AsRef<str>>(file: &Path, clients: &[S], all: bool, out: &mut impl Write) -> io::Result<Exit> {
    let mut told = Vec::new();
    let exit = tell(file, clients, all, &mut told)?;
    out.write_all(visible_lines(&String::from_utf8_lossy(&told)).as_bytes())?;
    Ok(exit)
}

fn tell<S: AsRef<str>>(file: &Path, clients: &[S], all: bool, out: &mut impl Write) -> io::Result<Exit> {
    let read = if file == Path::new("-") { read_from(io::stdin().lock(), "the standard input", clients) } else { read_list(file, clients) };
    match read {
        Ok(list) => {
            writeln!(out, "{}: {}, {}", file.display(), list.format, list.encoding)?;
            write_list(&list, all, out)?;
            Ok(if list.faulty_count() == 0 { Exit::Clean } else { Exit::Findings })
        }
        Err(error) => {
            writeln!(out, "{error}")?;
            if let ListError { problem: ListProblem::NoMailbox(list), .. } = &error {
                write_rows(list, all, out)?;
            }
            Ok(Exit::Usage)
        }
    }
}

fn write_list(list: &List, all: bool, out: &mut impl Write) -> io::Result<()> {
    let mailboxes = list.mailboxes.as_slice();
    writeln!(out, "  {} in {}", count(mailboxes.len(), "mailbox", "mailboxes"), count(list.domain_count(), "domain", "domains"))?;
    let hosting = tally(mailboxes, |mailbox| mailbox.profile.hosting.map(|hosting| hosting.to_string()));
    if !hosting.is_empty() {
        let unsaid = mailboxes.len().saturating_sub(hosting.values().sum());
        writeln!(out, "  hosting: {}, the tenant's default {unsaid}", joined(&hosting))?;
    }
    write_protocols(mailboxes, out)?;
    let clients = tally(mailboxes, |mailbox| mailbox.profile.clients.as_ref().map(|clients| clients.join(" ")));
    if !clients.is_empty() {
        writeln!(out, "  clients of their own: {}", joined(&clients))?;
    }
    write_rows(list, all, out)
}

/// What did not become a mailbox.
fn write_rows(list: &List, all: bool, out: &mut impl Write) -> io::Result<()> {
    if list.duplicates > 0 {
        let named: Vec<String> = list
            .duplicate_lines
            .iter()
            .take(MAX_DUPLICATES_NAMED)
            .map(|repeat| format!("line {} repeats line {}", repeat.line, repeat.first_line))
            .collect();
        let more = if list.duplicates > named.len() as u64 { ", …" } else { "" };
        writeln!(out, "  duplicates: {} ({}{more})", list.duplicates, named.join(", "))?;
    }
    if list.blanks > 0 {
        writeln!(out, "  blank lines and comments: {}", list.blanks)?;
    }
    if let Some((first, rest)) = list.unknown_columns.split_first() {
        let named = rest.iter().take(MAX_COLUMNS_NAMED - 1).fold(first.clone(), |names, name| names + ", " + name);
        let hidden = list.unknown_columns.len().saturating_sub(MAX_COLUMNS_NAMED);
        let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
        writeln!(out, "  columns not used: {named}{more}")?;
    }
    for warning in &list.warnings {
        writeln!(out, "  note: {warning}")?;
    }
    if list.refused_count == 0 {
        return Ok(());
    }
    let system = if list.system_count > 0 { format!(", {} of them no user's mailbox", list.system_count) } else { String::new() };
    writeln!(out, "  refused: {}{system}", count(list.refused_count, "row", "rows"))?;
    let shown = if all { list.refused.len() } else { MAX_REFUSED_NAMED };
    for refusal in list.refused.iter().take(shown) {
        writeln!(out, "    line {}: {}: {}", refusal.line, refusal.reason, refusal.text)?;
    }
    let hidden = list.refused_count.saturating_sub(shown.min(list.refused.len()) as u64);
    if hidden > 0 {
        writeln!(out, "    and {hidden} more")?;
    }
    Ok(())
}

fn write_protocols(mailboxes: &[Mailbox], out: &mut impl Write) -> io::Result<()> {
    let mut off: BTreeMap<String, usize> = BTreeMap::new();
    for mailbox in mailboxes {
        let protocols = mailbox.profile.protocols;
        for (name, on) in
            [("IMAP", protocols.imap), ("POP3", protocols.pop3), ("SMTP", protocols.smtp), ("ActiveSync", protocols.activesync)]
        {
            if !on {
                *off.entry(name.to_owned()).or_default() += 1;
            }
        }
    }
    if off.is_empty() { Ok(()) } else { writeln!(out, "  switched off: {}", joined(&off)) }
}

fn tally(mailboxes: &[Mailbox], name: impl Fn(&Mailbox) -> Option<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in mailboxes.iter().filter_map(name) {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn joined(counts: &BTreeMap<String, usize>) -> String {
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

const MAX_REFUSED_NAMED: usize = 20;
const MAX_DUPLICATES_NAMED: usize = 5;
const MAX_COLUMNS_NAMED: usize = 10;

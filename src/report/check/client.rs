//! What an account says of the clients: the audited ones first, and in short those at risk. Clients that come to the same are told of
//! together, but for those whose story is told.

use std::io::{self, Write};

use super::{CheckView, ClientView, describe};
use crate::{
    model::{ClientOutcome, Server, Verdict, visible},
    report::{
        alike::{Alike, alike},
        layout::{labelled, paragraph},
    },
};

/// Writes of all clients.
pub(super) fn write_clients(out: &mut impl Write, view: &CheckView) -> io::Result<()> {
    let (audited, at_risk): (Vec<&ClientView>, Vec<&ClientView>) = view.clients.iter().partition(|client| client.outcome.audited);
    let mut teller = Teller { out, advised: Vec::new() };
    for (alike, client) in together(&audited) {
        teller.tell(&alike, client)?;
    }
    if at_risk.is_empty() {
        return Ok(());
    }
    writeln!(teller.out, "\n  At risk (clients that are not audited)")?;
    let (fine, rest): (Vec<&ClientView>, Vec<&ClientView>) = at_risk.into_iter().partition(|client| is_fine(client));
    for (alike, client) in together(&rest) {
        teller.tell_in_short(&alike, client)?;
    }
    if !fine.is_empty() {
        writeln!(teller.out)?;
    }
    for inferred in [false, true] {
        let names = fine.iter().filter(|client| client.outcome.inferred == inferred).map(|client| client.outcome.client.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        if !names.is_empty() {
            let position = if inferred { "ok, inferred" } else { "ok" };
            write!(teller.out, "{}", paragraph((4, 6), &format!("{names}: {position}")))?;
        }
    }
    Ok(())
}

/// Clients that come to the same, and the one of them that stands for all.
fn together<'a>(clients: &[&'a ClientView]) -> Vec<(Alike<'a>, &'a ClientView)> {
    let with_story =
        clients.iter().filter(|client| client.story.is_some()).map(|client| Alike::new(&client.outcome, client.advice.as_deref()));
    let others = alike(clients.iter().filter(|client| client.story.is_none()).map(|client| (&client.outcome, client.advice.as_deref())));
    let place = |outcome: &ClientOutcome| clients.iter().position(|client| client.outcome.client == outcome.client);
    let mut all: Vec<(Alike<'_>, usize)> =
        with_story.chain(others).filter_map(|alike| alike.first().and_then(place).map(|at| (alike, at))).collect();
    all.sort_by_key(|(_, at)| *at);
    all.into_iter().filter_map(|(alike, at)| clients.get(at).map(|client| (alike, *client))).collect()
}

fn is_fine(client: &ClientView) -> bool {
    client.outcome.verdict == Verdict::Ok && !client.outcome.fragile && client.story.is_none()
}

struct Teller<'a, W> {
    out: &'a mut W,
    /// What was advised before.
    advised: Vec<&'a str>,
}

impl<'a, W: Write> Teller<'a, W> {
    /// Of audited clients: everything.
    fn tell(&mut self, alike: &Alike<'a>, client: &ClientView) -> io::Result<()> {
        let Some(example) = alike.first() else { return Ok(()) };
        write!(self.out, "\n{}", paragraph((2, 4), &heading(alike, example)))?;
        for (server, note) in alike.servers() {
            self.line("server", &noted(describe(&server), note))?;
        }
        for (source, whose) in alike.sources() {
            let whose = whose.map(|names| format!("{names}: ")).unwrap_or_default();
            self.line("source", &format!("{whose}{}", source.asked))?;
        }
        self.line("why", &alike.why())?;
        if let Some((advice, is_new)) = self.advice(alike) {
            self.line("to mend", if is_new { advice } else { "as above" })?;
        }
        for (server, note) in alike.next_servers().into_iter().filter(|_| example.fragile) {
            self.line("next", &noted(describe(&server), note))?;
        }
        if example.verdict != Verdict::Ok || example.fragile {
            for evidence in &example.evidence {
                self.line("evidence", evidence)?;
            }
        }
        self.tell_story(client)
    }

    /// Of clients at risk: where they would go, and why.
    fn tell_in_short(&mut self, alike: &Alike<'a>, client: &ClientView) -> io::Result<()> {
        let Some(example) = alike.first() else { return Ok(()) };
        write!(self.out, "\n{}", paragraph((4, 6), &heading(alike, example)))?;
        let (shared, some) = alike.shared_servers();
        let servers = |servers: &[Server]| servers.iter().map(in_short).collect::<Vec<_>>().join(", ");
        if !shared.is_empty() {
            self.short_line("would set", &servers(&shared))?;
        }
        if !some.is_empty() {
            self.short_line("some also", &servers(&some))?;
        }
        self.short_line("why", &alike.why())?;
        if let Some((advice, true)) = self.advice(alike) {
            self.short_line("to mend", advice)?;
        }
        self.tell_story(client)
    }

    /// What can be done about it, and whether it is said for the first time.
    fn advice(&mut self, alike: &Alike<'a>) -> Option<(&'a str, bool)> {
        let advice = alike.advice()?;
        let is_new = !self.advised.contains(&advice);
        if is_new {
            self.advised.push(advice);
        }
        Some((advice, is_new))
    }

    fn tell_story(&mut self, client: &ClientView) -> io::Result<()> {
        let Some(story) = &client.story else { return Ok(()) };
        writeln!(self.out)?;
        story.write_text(self.out)
    }

    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        write!(self.out, "{}", labelled(4, label, text))
    }

    fn short_line(&mut self, label: &str, text: &str) -> io::Result<()> {
        write!(self.out, "{}", labelled(6, label, text))
    }
}

/// `geary, kmail: consumer [ispdb-entry]`.
fn heading(alike: &Alike<'_>, example: &ClientOutcome) -> String {
    let mut notes = vec![example.verdict.as_str()];
    notes.extend(example.fragile.then_some("fragile"));
    notes.extend(example.inferred.then_some("inferred"));
    let cause = example.cause.map(|cause| format!(" [{cause}]")).unwrap_or_default();
    format!("{}: {}{cause}", visible(&alike.names()), notes.join(", "))
}

/// `IMAP outlook.office365.com:993 (shared)`.
fn in_short(server: &Server) -> String {
    let class = server.class.map(|class| format!(" ({class})")).unwrap_or_default();
    format!("{} {}:{}{class}", server.protocol.title(), server.host, server.port)
}

fn noted(text: String, note: Option<String>) -> String {
    match note {
        Some(note) => format!("{text}; {note}"),
        None => text,
    }
}

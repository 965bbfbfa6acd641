//! The story of one client and one address: what it asks, step by step, what each answer means to it, what decides, what it ends
//! with, and the commands by which a person can repeat that. Pure: made of the client's row, its discovery and the readings.

mod command;
mod route;
mod step;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use self::{command::commands, route::Route};
use super::layout::paragraph;
use crate::{
    clients::Client,
    model::{
        Address, Cause, ClientOutcome, Discovery, Lookup, LookupKind, Readings, Request, Server, Settings, Trouble, Way, Win, expand,
        visible,
    },
    remedy::Overlay,
};

/// What a story is made of.
#[derive(Debug, Clone, Copy)]
pub struct Tale<'a> {
    /// Who looks.
    pub client: &'a Client,
    /// For whom.
    pub address: &'a Address,
    /// What the client ends with.
    pub discovery: &'a Discovery,
    /// What it would end with, had the winner's lookups come to nothing.
    pub next: Option<&'a Discovery>,
    /// Which of the MX that it can take it takes, from 0.
    pub mx: usize,
    /// What was read.
    pub readings: &'a Readings,
    /// Every lookup that was made for the address, for whichever client.
    pub lookups: &'a [Lookup],
    /// The verdict on it, placeholders filled in.
    pub outcome: &'a ClientOutcome,
    /// What is assumed.
    pub overlay: &'a Overlay,
}

/// A story, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Story(Vec<Line>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Said(String),
    /// With its number.
    Step(usize, String),
    /// For a shell, on one line.
    Command(String),
}

impl Story {
    /// Tells it.
    #[must_use]
    pub fn tell(tale: &Tale<'_>) -> Self {
        let route = Route::of(tale);
        let title = &tale.client.title;
        let mut lines = vec![Line::Said(format!("{title}: how it comes to its servers for {}.", tale.address))];
        let mut steps: Vec<String> = route.steps.iter().map(|step| step::tell(tale, &route, step)).collect();
        steps.extend(tale.discovery.win.iter().flat_map(|win| more_steps(tale, &route, win)));
        lines.extend(steps.into_iter().enumerate().map(|(at, text)| Line::Step(at + 1, text)));
        lines.push(Line::Said(ending(tale, &route)));
        lines.push(Line::Said(verdict(tale)));
        lines.extend(otherwise(tale).map(Line::Said));
        let commands = commands(tale, &route);
        if !commands.is_empty() {
            let but = if tale.overlay.is_empty() { "" } else { ", as far as it is not assumed" };
            lines.push(Line::Said(format!("To repeat what decided{but}:")));
            lines.extend(commands.into_iter().map(Line::Command));
        }
        Self(lines)
    }

    /// Writes it for a person, below a client.
    pub(super) fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        for line in &self.0 {
            match line {
                Line::Said(text) => write!(out, "{}", paragraph((INDENT, INDENT), text))?,
                Line::Step(number, text) => {
                    let first = if *number < 10 { INDENT + 1 } else { INDENT };
                    write!(out, "{}", paragraph((first, INDENT + 4), &format!("{number}. {text}")))?;
                }
                Line::Command(command) => writeln!(out, "{:INDENT$}  {}", "", visible(command))?,
            }
        }
        Ok(())
    }
}

/// A text a line; commands begin with `$ `.
impl Serialize for Story {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|line| match line {
            Line::Said(text) => text.clone(),
            Line::Step(number, text) => format!("{number}. {text}"),
            Line::Command(command) => format!("$ {command}"),
        }))
    }
}

/// Steps that the client's own lookups do not show: what decides without a lookup, and what is found beside.
fn more_steps(tale: &Tale<'_>, route: &Route<'_>, win: &Win) -> Vec<String> {
    let mut steps = Vec::new();
    if !route.has(&win.lookup.request) {
        let lead = step::lead(tale, win.lookup.kind, None);
        steps.push(match &win.way {
            Way::BuiltIn { row, mx: None } => format!("{lead}: the row `{row}` matches the domain. This decides."),
            Way::BuiltIn { row, mx: Some(host) } => format!("{lead}: the row `{row}` matches the MX {host}. This decides."),
            _ => format!("{lead}: {}. This decides.", expand(&win.lookup.asked, tale.address)),
        });
    }
    let stands_in: Vec<&Lookup> = route.rest_of(tale, win);
    if let Some(first) = stands_in.first() {
        let items = step::items(tale, &stands_in);
        steps.push(format!("{}, as what decided lacks servers: {items}. They stand in.", step::lead(tale, first.kind, None)));
    }
    if let Some(beside) = &win.beside {
        let items = step::items(tale, &[&beside.lookup]);
        let servers = servers(tale.address, &beside.settings);
        steps.push(format!("Beside that, {}: {items}. It offers {servers} as well.", lower(&step::lead(tale, beside.lookup.kind, None))));
    }
    steps
}

fn lower(text: &str) -> String {
    text.strip_prefix("It ").map_or_else(|| text.to_owned(), |rest| format!("it {rest}"))
}

/// What it ends with.
fn ending(tale: &Tale<'_>, route: &Route<'_>) -> String {
    let Some(win) = &tale.discovery.win else {
        let why = if route.ends_where_it_stops(tale) { "There it ends" } else { "That is all that it looks at" };
        return if tale.discovery.doubts.is_empty() {
            format!("{why}, and it has nothing to configure: {}.", tale.discovery.left_to_user())
        } else {
            format!("{why}; as it stands, it has nothing to configure.")
        };
    };
    let settings = &tale.outcome.settings;
    let guarded = win.guarded.as_ref().map(|guarded| &guarded.host);
    let mut text = match (guarded, settings.is_empty()) {
        (Some(host), true) => {
            format!(
                "It would sign in at {host}; what it would then be told cannot be seen from outside, so nobody knows what it configures."
            )
        }
        (Some(host), false) => {
            format!(
                "It would sign in at {host}, and what it would then be told follows from that host: {}.",
                servers(tale.address, settings)
            )
        }
        (None, _) => format!("So it configures {}.", servers(tale.address, settings)),
    };
    let wildcard = tale.lookups.iter().find(|lookup| lookup.kind == LookupKind::Wildcard);
    if let (Some(Cause::WildcardHost), Some(lookup)) = (tale.outcome.cause, wildcard) {
        let items = step::items(tale, &[lookup]);
        text = format!("{text} A name that nobody would create is there as well, so that it is a wildcard that answered: {items}.");
    }
    text
}

fn verdict(tale: &Tale<'_>) -> String {
    let ClientOutcome { verdict, fragile, inferred, cause, .. } = tale.outcome;
    let mut notes = vec![verdict.as_str()];
    notes.extend(fragile.then_some("fragile"));
    notes.extend(inferred.then_some("inferred"));
    let cause = cause.map(|cause| format!(" [{cause}]")).unwrap_or_default();
    let doubt = if tale.discovery.doubts.is_empty() { "" } else { ", as a lookup that could have decided came to nothing" };
    format!("Verdict: {}{cause}{doubt}.", notes.join(", "))
}

/// What would have come in the winner's place.
fn otherwise(tale: &Tale<'_>) -> Option<String> {
    let next = tale.next?;
    let Some(win) = &next.win else { return Some("Had what decided failed, it would have found nothing.".to_owned()) };
    let asked = expand(&win.lookup.asked, tale.address);
    Some(match &tale.outcome.next {
        Some(told) if !told.settings.is_empty() => {
            let servers = servers(tale.address, &told.settings);
            format!("Had what decided failed, it would have gone on to {asked} and configured {servers}: {}.", told.verdict)
        }
        Some(told) => format!("Had what decided failed, it would have gone on to {asked}: {}.", told.verdict),
        None => format!("Had what decided failed, it would have gone on to {asked}."),
    })
}

/// `IMAP outlook.office365.com:993 (SSL/TLS) and SMTP smtp.office365.com:587 (STARTTLS)`.
fn servers(address: &Address, settings: &Settings) -> String {
    let describe = |server: &Server| {
        let server = server.expand(address);
        format!("{} {}:{} ({})", server.protocol.title(), server.host, server.port, server.security.title())
    };
    let told: Vec<String> = settings.servers().map(describe).collect();
    match told.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// Why a lookup did not help the client, where that is known.
fn trouble<'a>(list: &'a [Trouble], request: &Request) -> Option<&'a str> {
    list.iter().find(|trouble| trouble.lookup.request == *request).map(|trouble| trouble.why.as_str())
}

const INDENT: usize = 4;

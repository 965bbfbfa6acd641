//! What an account of an assumed world says besides: what is assumed, and what that changes against the world as it is.

use std::{
    fmt,
    io::{self, Write},
};

use serde::Serialize;

use super::{CheckView, ClientView};
use crate::{
    model::{Cause, ClientOutcome, Outcome, Verdict, visible},
    report::layout::paragraph,
};

/// How a client stands, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Is it right?
    pub verdict: Verdict,
    /// The settings are right, but what comes in their place is not.
    pub fragile: bool,
    /// The settings were inferred.
    pub inferred: bool,
    /// The mechanism.
    pub cause: Option<Cause>,
    /// The servers are other ones than under the assumptions.
    pub other_servers: bool,
}

impl CheckView {
    /// Marks the account as one of a world that is assumed, beside that of the world as it is.
    #[must_use]
    pub fn assuming(mut self, (assumed, in_vain): (Vec<String>, Vec<String>), as_it_is: &Outcome) -> Self {
        for client in &mut self.clients {
            let real = as_it_is.clients.iter().find(|real| real.client == client.outcome.client);
            client.as_it_is = real.map(|real| Position {
                other_servers: real.expand(&self.address).settings != client.outcome.settings,
                ..Position::of(real)
            });
        }
        Self { assumed, assumed_in_vain: in_vain, ..self }
    }

    /// What is assumed, and what it changes.
    pub(super) fn write_assumed(&self, out: &mut impl Write) -> io::Result<()> {
        if self.assumed.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n  This is what would be if this were so:")?;
        for text in &self.assumed {
            let in_vain = if self.assumed_in_vain.contains(text) { "  (nobody who was looked at asks for it)" } else { "" };
            writeln!(out, "    {}{in_vain}", visible(text))?;
        }
        writeln!(out, "\n  What that would change")?;
        let (mut changes, mut unchanged) = (Vec::new(), Vec::new());
        for ClientView { outcome, as_it_is, .. } in &self.clients {
            let Some(real) = as_it_is else { continue };
            let assumed = Position::of(outcome);
            if *real == assumed {
                add(&mut unchanged, assumed.to_string(), &outcome.client);
            } else {
                let others = if real.other_servers && real.verdict == assumed.verdict { ", other servers" } else { "" };
                add(&mut changes, format!("{real} -> {assumed}{others}"), &outcome.client);
            }
        }
        for (change, names) in changes {
            write!(out, "{}", paragraph((4, 6), &format!("{}: {change}", names.join(", "))))?;
        }
        if !unchanged.is_empty() {
            let told: Vec<String> = unchanged.into_iter().map(|(position, names)| format!("{} ({position})", names.join(", "))).collect();
            write!(out, "{}", paragraph((4, 6), &format!("unchanged: {}", told.join("; "))))?;
        }
        Ok(())
    }
}

/// Adds a client to those of which the same is to be said.
fn add<'a>(all: &mut Vec<(String, Vec<&'a str>)>, what: String, client: &'a str) {
    match all.iter_mut().find(|(known, _)| *known == what) {
        Some((_, names)) => names.push(client),
        None => all.push((what, vec![client])),
    }
}

impl Position {
    fn of(client: &ClientOutcome) -> Self {
        let ClientOutcome { verdict, fragile, inferred, cause, .. } = *client;
        Self { verdict, fragile, inferred, cause, other_servers: false }
    }
}

/// `ok, fragile [mx-base-domain]`.
impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut notes = vec![self.verdict.as_str()];
        notes.extend(self.fragile.then_some("fragile"));
        notes.extend(self.inferred.then_some("inferred"));
        out.write_str(&notes.join(", "))?;
        self.cause.map_or(Ok(()), |cause| write!(out, " [{cause}]"))
    }
}

//! What is not as it was, of one mailbox. Pure.

use super::bundle::Again;
use crate::model::{Cause, ClientOutcome, Outcome, Verdict};

/// One thing that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Whether a user must type settings by hand.
    NeedsManual {
        /// Now.
        now: bool,
    },
    /// Where the mailbox lives.
    Hosting {
        /// Then, as in files.
        before: String,
        /// Now.
        now: String,
    },
    /// A client.
    Client {
        /// Its name.
        client: String,
        /// What of it.
        aspect: Aspect,
    },
}

/// What of a client is not as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The verdict; `None`: the client was not looked at, or is not any more.
    Verdict {
        /// Then.
        before: Option<Verdict>,
        /// Now.
        now: Option<Verdict>,
    },
    /// The cause of the same verdict.
    Cause {
        /// The verdict.
        verdict: Verdict,
        /// Then.
        before: Option<Cause>,
        /// Now.
        now: Option<Cause>,
    },
    /// The lookup that won, or the servers.
    Servers {
        /// The verdict.
        verdict: Verdict,
    },
    /// Whether it hangs by a thread, or is inferred only.
    Certainty {
        /// The verdict.
        verdict: Verdict,
    },
}

/// All that is not as it was; wording, evidence and what would come next are no part of it.
pub(super) fn differences(before: &Outcome, now: &Again, only: &[String]) -> Vec<Difference> {
    let mut found = Vec::new();
    let is_meant = |client: &str| only.is_empty() || only.iter().any(|name| name == client);
    let is_unasked = |client: &str| now.unasked.iter().any(|(name, _)| name == client);
    let is_open = before.clients.iter().any(|client| client.audited && is_unasked(&client.client)) || !only.is_empty();
    if before.needs_manual_configuration != now.outcome.needs_manual_configuration && !is_open {
        found.push(Difference::NeedsManual { now: now.outcome.needs_manual_configuration });
    }
    if before.hosting != now.outcome.hosting {
        found.push(Difference::Hosting { before: before.hosting.to_string(), now: now.outcome.hosting.to_string() });
    }
    for then in before.clients.iter().filter(|client| is_meant(&client.client) && !is_unasked(&client.client)) {
        let again = now.outcome.clients.iter().find(|client| client.client == then.client);
        found.extend(difference(then, again).map(|aspect| Difference::Client { client: then.client.clone(), aspect }));
    }
    let is_new = |client: &&ClientOutcome| before.clients.iter().all(|then| then.client != client.client);
    found.extend(now.outcome.clients.iter().filter(is_new).map(|client| Difference::Client {
        client: client.client.clone(),
        aspect: Aspect::Verdict { before: None, now: Some(client.verdict) },
    }));
    found
}

fn difference(before: &ClientOutcome, now: Option<&ClientOutcome>) -> Option<Aspect> {
    let verdict = before.verdict;
    let Some(now) = now else { return Some(Aspect::Verdict { before: Some(verdict), now: None }) };
    if now.verdict != verdict {
        return Some(Aspect::Verdict { before: Some(verdict), now: Some(now.verdict) });
    }
    if now.cause != before.cause {
        return Some(Aspect::Cause { verdict, before: before.cause, now: now.cause });
    }
    if now.source != before.source || now.settings != before.settings {
        return Some(Aspect::Servers { verdict });
    }
    ((now.fragile, now.inferred) != (before.fragile, before.inferred)).then_some(Aspect::Certainty { verdict })
}

//! One run from end to end; the page to read first.
//!
//! A run takes the tenants' mailboxes domain by domain ([`run`]). A domain is asked about once, with the address of one of its
//! mailboxes (`question`): whatever the audited clients would look up, in rounds, as some lookups follow from others. The answers
//! are judged per client and profile (`outcome`), and a second mailbox proves that the answers do not depend on the address
//! (`domain`). Domains that are in doubt because lookups failed are gone through once more at the end (`again`). What came of it goes to the store, domain by domain, in transactions that hold whole batches. Knows nothing of
//! schedules and incidents.

mod again;
mod conclude;
mod course;
mod domain;
mod dossier;
mod drift;
mod outcome;
mod place;
mod progress;
mod question;
mod recheck;
mod replay;
mod run;

pub use conclude::{Alerting, conclude_ours, is_outage};
pub use drift::watched_by_default;
pub use outcome::Case;
pub use progress::{Progress, Tally};
pub use question::Answers;
pub use replay::{Aspect, Changes, Count, Difference, InDomain, Replay, ReplayScope, Unasked};
pub use run::{RunError, RunOptions, Summary, TenantJob, run};

use std::collections::HashSet;

use crate::{
    classify::EndpointTable,
    clients::{Client, ClientTable},
    clock::Clock,
    network::Network,
};

/// What a run needs besides its mailboxes.
#[derive(Debug, Clone)]
pub struct Auditor {
    /// The way to the outside.
    pub network: Network,
    /// The clients that are looked at.
    pub clients: ClientTable,
    /// Which host belongs where.
    pub endpoints: EndpointTable,
    /// The time.
    pub clock: Clock,
}

impl Auditor {
    /// The clients of these names, in the order of the table; where none is named, those that everybody is told about.
    #[must_use]
    pub fn clients_named(&self, names: &[String]) -> Vec<&Client> {
        if names.is_empty() {
            self.clients.watched(&HashSet::new())
        } else {
            self.clients.iter().filter(|client| names.contains(&client.name)).collect()
        }
    }
}

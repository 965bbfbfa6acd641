//! One run from end to end; the page to read first.
//!
//! A run takes the tenants' mailboxes domain by domain ([`run`]). A domain is asked about once, with the address of one of its
//! mailboxes (`question`): whatever the audited clients would look up, in rounds, as some lookups follow from others. The answers
//! are judged per client and profile (`outcome`), and a second mailbox proves that the answers do not depend on the address
//! (`domain`). Domains that are in doubt because lookups failed are gone through once more at the end (`again`). What came of it goes to the store, domain by domain, in transactions that hold whole batches. Knows nothing of
//! schedules and incidents.

mod again;
mod batch;
mod circle;
mod conclude;
mod course;
mod domain;
mod dossier;
mod drift;
mod facts;
mod outcome;
mod place;
mod progress;
mod question;
mod recheck;
mod replay;
mod run;
mod sample;

pub use conclude::{Alerting, conclude_ours, is_outage};
pub use drift::watched_by_default;
pub use outcome::{Account, Case};
pub use progress::{Progress, Tally};
pub use question::{Answers, Premise};
pub use replay::{Aspect, Changes, Count, Difference, InDomain, Replay, ReplayScope, Unasked};
pub use run::{RunError, RunOptions, Summary, TenantJob, run};

use std::collections::HashSet;

use crate::{
    classify::EndpointTable,
    clients::{Client, ClientTable},
    clock::Clock,
    model::Tenant,
    network::{Bodies, Network},
    wire,
};

/// What the formats demand of requests, for the network of an [`Auditor`].
pub const BODIES: Bodies = Bodies {
    pox: wire::pox_request,
    mobilesync: wire::mobilesync_request,
    credential_type: wire::credential_type_request,
    user_settings: wire::user_settings_request,
    user_settings_action: wire::USER_SETTINGS_ACTION,
    detect_header: wire::AUTODETECT_ADDRESS_HEADER,
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
    /// The clients of these names, in the order of the table; where none is named, those that are audited by default, and those that
    /// everybody is told about. Without those of which nobody could tell what they do, as a kind of lookup of theirs is switched off.
    #[must_use]
    pub fn clients_named(&self, names: &[String]) -> Vec<&Client> {
        if names.is_empty() {
            let audited = self.clients.audited_by_default();
            return self.watched(&audited.iter().map(String::as_str).collect());
        }
        let mut clients = self.clients.iter().filter(|client| names.contains(&client.name)).collect();
        self.leave_out(&mut clients);
        clients
    }

    /// The clients that are looked at for a tenant, without those that need what is switched off.
    #[must_use]
    pub fn clients_of(&self, tenant: &Tenant) -> Vec<&Client> {
        self.watched(&tenant.clients.iter().map(String::as_str).collect())
    }

    /// The clients that are looked at for somebody who audits some, without those that need what is switched off.
    fn watched(&self, audited: &HashSet<&str>) -> Vec<&Client> {
        let mut clients = self.clients.watched(audited);
        self.leave_out(&mut clients);
        clients
    }

    /// Which of these clients are not looked at.
    fn left_out<'a>(&'a self, names: &[String]) -> impl Iterator<Item = &'a str> {
        self.clients.iter().filter(|client| names.contains(&client.name) && !self.can_tell(client)).map(|client| client.name.as_str())
    }

    fn leave_out(&self, clients: &mut Vec<&Client>) {
        clients.retain(|client| self.can_tell(client));
    }

    /// Whether every kind of lookup that a client needs is asked.
    fn can_tell(&self, client: &Client) -> bool {
        client.kinds().iter().all(|kind| self.network.is_enabled(*kind))
    }
}

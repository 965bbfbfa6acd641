//! What the service works with: made of the configuration, and anew with each reload.

use std::{path::PathBuf, sync::Arc};

use secrecy::SecretString;

use super::listener::Basis;
use crate::{
    alert::{Channel, Wording},
    audit::{Alerting, Auditor, BODIES},
    classify::EndpointTable,
    clients::ClientTable,
    clock::Clock,
    config::ListenerSettings,
    model::{Domain, Tenant, TenantId},
    network::{Network, Outbound, Parts, Settings},
    schedule::Timetable,
    store::{Destination, Retention},
};

/// What the service works with.
#[derive(Debug, Clone)]
pub struct Plant {
    /// The database; another one needs a restart.
    pub database: PathBuf,
    /// The tenants, in the order of the configuration.
    pub posts: Vec<Post>,
    /// How the network is reached.
    pub network: Settings,
    /// The clients that are looked at.
    pub clients: ClientTable,
    /// Which host belongs where.
    pub endpoints: EndpointTable,
    /// Domains that are asked about at once.
    pub domains_at_once: usize,
    /// Names whose entries in the ISP databases are watched.
    pub watched_entries: Vec<Domain>,
    /// What becomes of the incidents.
    pub alerting: Alerting,
    /// Which channel is told of what.
    pub destinations: Vec<Destination>,
    /// Where what happens to incidents is told.
    pub channels: Vec<Channel>,
    /// The words of notices.
    pub wording: Wording,
    /// How long what is past is kept.
    pub retention: Retention,
    /// The URL of the dead-man switch.
    pub heartbeat: Option<SecretString>,
    /// How what is told to others goes out.
    pub outbound: Outbound,
    /// Where the service shows how it is; another address needs a restart.
    pub listener: ListenerSettings,
    /// What it shows.
    pub basis: Arc<Basis>,
}

/// A tenant with what is done for it.
#[derive(Debug, Clone)]
pub struct Post {
    /// The tenant.
    pub tenant: Tenant,
    /// The list of its mailboxes.
    pub list: PathBuf,
    /// When its runs are due.
    pub timetable: Timetable,
}

/// Reads the configuration and all that it names. The error is for a person, with a line for each fault.
pub type Load = dyn Fn() -> Result<Plant, String> + Send + Sync;

impl Plant {
    /// A tenant's post.
    pub(super) fn post(&self, tenant: &TenantId) -> Option<&Post> {
        self.posts.iter().find(|post| post.tenant.id == *tenant)
    }

    /// When each tenant's runs are due.
    pub(super) fn timetables(&self) -> Vec<Timetable> {
        self.posts.iter().map(|post| post.timetable.clone()).collect()
    }

    /// An auditor for one run: its network believes each answer for the length of the run.
    pub(super) fn auditor(&self, clock: &Clock) -> Result<Auditor, String> {
        let parts = Parts { settings: &self.network, clock: clock.clone(), bodies: BODIES };
        let network = Network::new(parts).map_err(|error| format!("the network cannot be set up: {error}"))?;
        Ok(Auditor { network, clients: self.clients.clone(), endpoints: self.endpoints.clone(), clock: clock.clone() })
    }
}

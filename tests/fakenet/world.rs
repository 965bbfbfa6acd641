//! THE model: a net, the tenants whose mailboxes are audited in it, and what must be found out about each.
//!
//! What is expected was worked out by hand from the standards and the clients' sources, domain by domain; nothing here was
//! taken from what the program said. `M1`…`M25` are the mechanisms by which clients go wrong.

pub mod bench;
mod builder;
pub mod client;
pub mod documents;
mod domain;
pub mod drift;
mod expected;
mod microsoft;
pub mod past;
mod says;
mod shape;
pub mod today;
mod unsaid;

use std::sync::Arc;

use autodiscover_audit::model::{Address, Authority, Hosting, Protocols};

use super::net::Net;
pub use expected::{Expected, ExpectedObstacle};

/// A net with tenants and expectations.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub net: Arc<Net>,
    pub tenants: Vec<WorldTenant>,
    pub expected: Vec<Expected>,
    pub obstacles: Vec<ExpectedObstacle>,
}

/// An organisation.
#[derive(Debug, Clone)]
pub struct WorldTenant {
    pub id: &'static str,
    pub name: &'static str,
    pub hosting: Hosting,
    /// The clients that it audits.
    pub clients: Vec<&'static str>,
    pub allowed_hosts: Vec<&'static str>,
    pub mailboxes: Vec<WorldMailbox>,
}

/// A mailbox of a tenant's list.
#[derive(Debug, Clone)]
pub struct WorldMailbox {
    /// As the list has it; may hold Unicode.
    pub address: Box<str>,
    pub display_name: Option<Box<str>>,
    /// The list's column; `None`: the tenant's.
    pub hosting: Option<Hosting>,
    pub protocols: Protocols,
    /// Whether its user must type settings by hand.
    pub needs_manual: bool,
    /// Where it lives, and who says so; `None`: not compared.
    pub home: Option<(Hosting, Authority)>,
    /// Whether the authorities contradict each other about it; compared where `home` is.
    pub conflict: bool,
    /// Whether its address is a personal account, too; the same.
    pub personal: bool,
}

impl World {
    /// The tenant of that id.
    pub fn tenant(&self, id: &str) -> &WorldTenant {
        self.tenants.iter().find(|tenant| tenant.id == id).unwrap_or_else(|| panic!("no tenant `{id}`"))
    }

    /// What is expected for an address, however it is written.
    pub fn expected_for<'a>(&'a self, address: &'a Address) -> impl Iterator<Item = &'a Expected> {
        self.expected.iter().filter(move |expected| expected.address == *address)
    }

    /// How many mail domains it has.
    pub fn domain_count(&self) -> usize {
        let mailboxes = self.tenants.iter().flat_map(|tenant| &tenant.mailboxes);
        let domains = mailboxes.filter_map(|mailbox| mailbox.address.rsplit_once('@').map(|(_, domain)| domain));
        domains.collect::<std::collections::HashSet<_>>().len()
    }
}

impl WorldMailbox {
    /// A mailbox with all protocols on, like its tenant.
    pub fn new(address: impl Into<Box<str>>) -> Self {
        let protocols = Protocols::default();
        let (display_name, hosting, home) = (None, None, None);
        Self { address: address.into(), display_name, hosting, protocols, needs_manual: false, home, conflict: false, personal: false }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address.parse().unwrap_or_else(|error| panic!("{}: {error}", self.address))
    }
}

//! The read-only HTTP listener: `/livez`, `/readyz`, `/metrics`, and `/report` behind a bearer token (RFC 6750). Owns the socket, the
//! limits and what is shown; starts nothing, writes nothing, and knows the service only by its [`Pulse`].
//!
//! Whoever speaks to it may be anybody on this machine: a web page in a browser (the Host header is checked), a client that
//! is slow or silent (deadlines), many of them (limits).

mod connection;
mod guard;
mod health;
mod metric;
mod page;
mod query;
mod report;
mod route;
mod scrape;
mod socket;
mod stall;
mod token;

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use super::Pulse;
use crate::{clock::Clock, remedy::Remedies, store::Reader};

pub use metric::METRICS;
pub use page::{Family, Kind};
pub use socket::{Listener, ListenerError};
pub use token::{Token, TokenError};

/// What the listener shows, from where.
#[derive(Debug)]
pub struct State {
    /// The database.
    pub reader: Reader,
    /// How the service is.
    pub pulse: Arc<Pulse>,
    /// The time.
    pub clock: Clock,
    /// What the configuration says; another with each reload.
    pub basis: watch::Receiver<Arc<Basis>>,
}

/// What the newest configuration says of the report and the queues.
#[derive(Debug, Clone)]
pub struct Basis {
    /// Who may read the report; `None`: nobody.
    pub token: Option<Token>,
    /// The names of all clients.
    pub clients: Vec<String>,
    /// What helps against findings.
    pub remedies: Arc<Remedies>,
    /// The channels.
    pub channels: Vec<String>,
}

/// What all connections share.
struct Shared {
    state: State,
    /// The names that a Host header may have; `None`: any.
    names: Option<Vec<String>>,
    measured: scrape::Measured,
    exports: Arc<Semaphore>,
    guesses: Semaphore,
}

impl Shared {
    fn new(state: State, names: Option<Vec<String>>) -> Self {
        Self {
            state,
            names,
            measured: scrape::Measured::default(),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            guesses: Semaphore::new(GUESSES),
        }
    }

    fn basis(&self) -> Arc<Basis> {
        self.state.basis.borrow().clone()
    }
}

/// Reports that are read at one time.
const EXPORTS: usize = 2;
/// Wrong tokens that wait for their answer at one time.
const GUESSES: usize = 4;

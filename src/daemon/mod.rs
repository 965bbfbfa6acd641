//! The service: when runs are due, what is next, and a process that does it for years. Owns the plan, the life cycle and what
//! systemd is told; knows of discovery and of channels only who does it.

mod attachment;
mod errand;
mod heartbeat;
mod keeper;
mod list;
pub mod listener;
mod outbox;
pub mod plan;
mod plant;
mod presence;
mod pulse;
mod scheduler;
mod serve;
mod service;
mod systemd;
#[cfg(test)]
mod tests;
mod trouble;
mod watch;

pub use attachment::attach_report;
pub use plant::{Load, Plant, Post};
pub use presence::is_present;
pub use pulse::{Durations, Pulse, Reload, RunKind, RunResult};
pub use serve::{ServeError, serve};

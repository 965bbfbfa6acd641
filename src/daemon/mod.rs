//! The service: when runs are due, what is next, and a process that does it for years. Owns the schedule, the life cycle and what
//! systemd is told; knows of discovery and of channels only who does it.

pub mod listener;
mod pulse;

pub use pulse::{DeliveryResult, Durations, Pulse, Reload, RunKind, RunResult};

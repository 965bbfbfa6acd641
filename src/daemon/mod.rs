//! The service: when runs are due, what is next, and a process that does it for years. Owns the schedule, the life cycle and what
//! systemd is told; knows of discovery and of channels only who does it.

mod crontab;
mod errand;
mod heartbeat;
mod list;
pub mod listener;
pub mod plan;
mod plant;
mod presence;
mod pulse;
pub mod schedule;
mod scheduler;
mod serve;
mod service;
mod settings;
mod systemd;
#[cfg(test)]
mod tests;
mod timetable;
mod trouble;
mod watch;

pub use plant::{Load, Plant, Post};
pub use presence::is_present;
pub use pulse::{DeliveryResult, Durations, Pulse, Reload, RunKind, RunResult};
pub use schedule::{Schedule, ScheduleError};
pub use serve::{ServeError, serve};
pub use settings::{ScheduleSettings, ServiceSettings, TenantScheduleSettings};
pub use timetable::Timetable;

//! The service: when runs are due, what is next, and a process that does it for years. Owns the schedule, the life cycle and what
//! systemd is told; knows of discovery and of channels only who does it.

mod crontab;
pub mod plan;
pub mod schedule;
#[cfg(test)]
mod tests;
mod timetable;

pub use schedule::{Schedule, ScheduleError};
pub use timetable::Timetable;

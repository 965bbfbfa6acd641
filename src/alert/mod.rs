//! Alerts: incidents over time, and the way of their notices to people. Knows nothing of how discovery works.

mod incident;

pub use incident::{Decision, Moment, Policy, Seen, Sighting, decide};

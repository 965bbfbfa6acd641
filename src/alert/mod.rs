//! Alerts: incidents over time, and the way of their notices to people. Knows nothing of how discovery works.

mod incident;
mod observe;

pub use incident::{Decision, Moment, Policy, Seen, Sighting, decide};
pub use observe::{Advise, Group, observe};

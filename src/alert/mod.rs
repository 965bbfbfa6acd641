//! Alerts: incidents over time, and the way of their notices to people. Knows nothing of how discovery works.

mod budget;
mod digest;
mod incident;
mod observe;
mod phrase;
#[cfg(test)]
mod sample;
mod secret;

pub use digest::{Digest, Group as NoticeGroup, Item, Story};
pub use incident::{Decision, Moment, Policy, Seen, Sighting, decide};
pub use observe::{Advise, Group, observe};
pub use phrase::Wording;
pub use secret::{MaybeSecret, SecretSource, Secrets};

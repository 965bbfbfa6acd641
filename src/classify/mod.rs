//! The endpoint table, and the verdict: settings × where the mailbox lives → verdict and cause. Classifies the configured name,
//! never its CNAME or its address. Knows no network.

mod cause;
mod endpoint;
mod explain;
mod hosting;
mod judge;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointTable, EndpointTableError, Use};
pub use hosting::{Accounts, Home, Membership, Testimony, Told, hosting_of_host};
pub use judge::{Judgement, Residence, judge};

//! Why alerts could not do their job. What a channel does wrong is an [`Attempt`](super::Attempt).

use crate::{network::OutboundError, store::StoreError};

/// Why alerts could not do their job.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// A setting of a channel cannot be.
    #[error("`channel.{channel}.{setting}` {problem}")]
    Setting {
        /// The channel's name.
        channel: String,
        /// The key.
        setting: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The client of a channel could not be set up.
    #[error("the channel `{channel}` cannot be set up")]
    Client {
        /// The channel's name.
        channel: String,
        /// Why.
        source: OutboundError,
    },
    /// The database failed.
    #[error("the queue of notices cannot be used")]
    Store(#[from] StoreError),
}

//! Finds the users whose mail client would be routed to the wrong Microsoft service, before they call.
//!
//! Read `audit` first: it is one run from end to end.

pub mod alert;
pub mod audit;
pub mod classify;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod mailboxes;
pub mod model;
pub mod network;
pub mod remedy;
pub mod report;
pub mod schedule;
pub mod store;
pub mod wire;

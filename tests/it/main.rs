//! The integration tests: one binary, a subject a file.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at once, and its helpers are no tests to clippy")]

#[path = "../fakenet/mod.rs"]
mod fakenet;

mod alert;
mod assume;
mod audit;
mod check;
mod cli;
mod clients;
mod config;
mod corpus;
mod drift;
mod endure;
mod explain;
#[path = "fakenet.rs"]
mod fakenet_test;
mod formats;
mod house;
mod incidents;
mod judge;
mod listener;
mod mailboxes;
mod metrics;
mod output;
mod package;
mod proxy;
mod report;
mod serve;
mod services;
mod store;
mod vectors;
mod world;

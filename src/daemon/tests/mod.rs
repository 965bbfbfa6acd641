//! Tests of what is decided without doing anything.

mod oracle;
mod plan;
mod schedule;

//! Tests of what is decided without doing anything.

mod plan;

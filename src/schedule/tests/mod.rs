//! Days on which clocks change, and two years beside another implementation.

mod civil;
mod oracle;

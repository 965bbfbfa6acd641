//! `cargo run --release --example endure -- [KILLS] [SEED] [random|delivery]`: the service is killed again and again while domains turn
//! stale and good again, at random moments or in the midst of a delivery, and afterwards the books are compared: every change of an
//! incident is in the log, every channel was told of every one, in order, and of none again that was acknowledged and written down.
//!
//! `cargo run --release --example endure -- memory [RUNS] [MAILBOXES] [MINUTES]`: what many runs of one service leave in its memory, its
//! open files and its write-ahead log.

#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may stop at once")]

#[path = "../fakenet/mod.rs"]
mod fakenet;

#[path = "endure/chance.rs"]
mod chance;
#[path = "endure/ledger.rs"]
mod ledger;
#[path = "endure/memory.rs"]
mod memory;
#[path = "endure/ordeal.rs"]
mod ordeal;
#[path = "endure/service.rs"]
mod service;

use std::{env, process::ExitCode};

use autodiscover_audit::cli;
use ordeal::{Moment, Ordeal};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == service::PROGRAM) {
        return cli::main_with(arguments).into();
    }
    let number = |at: usize, otherwise| arguments.get(at).map_or(otherwise, |text: &String| text.parse().unwrap());
    if arguments.first().is_some_and(|first| first == "memory") {
        memory::measure(number(1, 1_000), number(2, 10_000), number(3, 10));
        return ExitCode::SUCCESS;
    }
    let moment = if arguments.get(2).is_some_and(|name| name == "delivery") { Moment::Delivery } else { Moment::Random };
    let mut ordeal = Ordeal::begin(number(1, 1) as u64, moment);
    let is_well = ordeal.go_through(number(0, 200)) & ordeal.come_to_rest();
    if ordeal.tell() && is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

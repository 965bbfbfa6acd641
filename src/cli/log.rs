//! Log lines on standard error.

use std::{
    io::{self, IsTerminal, Write},
    sync::LazyLock,
};

use clap::ValueEnum;
use indicatif::MultiProgress;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// A line for a person.
    Text,
    /// A JSON object a line.
    Json,
}

/// The bars on the terminal; log lines go above them.
pub(super) static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error above the bars.
struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Starts the log. The verifier of certificates is kept quiet, as it takes for an error what is our daily bread.
pub(super) fn start(verbose: u8, format: LogFormat) {
    let (ours, others) = match verbose {
        0 => (LevelFilter::INFO, LevelFilter::WARN),
        1 => (LevelFilter::DEBUG, LevelFilter::WARN),
        _ => (LevelFilter::TRACE, LevelFilter::WARN),
    };
    let targets = Targets::new()
        .with_default(others)
        .with_target("autodiscover_audit", ours)
        .with_target("rustls_platform_verifier", LevelFilter::OFF)
        .with_target("hickory_resolver", LevelFilter::ERROR)
        .with_target("hickory_net", LevelFilter::ERROR);
    let layer = fmt::layer().with_writer(|| AboveBars).with_ansi(std::io::stderr().is_terminal());
    let layer = match format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    // a second start in one process keeps the first
    drop(tracing_subscriber::registry().with(layer.with_filter(targets)).try_init());
}

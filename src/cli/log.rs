//! Log lines on standard error.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    os::unix::fs::MetadataExt,
    sync::LazyLock,
};

use clap::ValueEnum;
use indicatif::MultiProgress;
use tracing::{Event, Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, FmtContext, FormatEvent, FormatFields, format},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

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

/// Lines for the journal: it has times of its own, and takes the priority from `<N>` at the start (`sd-daemon(3)`).
struct ForJournal;

impl<S, N> FormatEvent<S, N> for ForJournal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: format::Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(out, "<{priority}>")?;
        format::format().without_time().with_level(false).with_target(false).format_event(context, out, event)
    }
}

/// Whether standard error goes to the journal itself, and not merely did so for whoever started us (systemd.exec(5), `JOURNAL_STREAM`).
fn is_journal() -> bool {
    let Some(stream) = std::env::var_os("JOURNAL_STREAM") else { return false };
    fs::metadata("/dev/stderr").is_ok_and(|file| stream == format!("{}:{}", file.dev(), file.ino()).as_str())
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
        LogFormat::Text if is_journal() => layer.event_format(ForJournal).boxed(),
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().boxed(),
    };
    // a second start in one process keeps the first
    drop(tracing_subscriber::registry().with(layer.with_filter(targets)).try_init());
}

//! The command line: one file a subcommand. Reads arguments, calls a room, prints; decides nothing.

mod alerts;
mod audit;
mod check;
mod clients;
mod completions;
pub mod config;
mod db;
mod exit;
mod follow;
mod healthcheck;
mod incidents;
mod judge;
mod log;
pub mod mailboxes;
mod man;
mod network;
mod output;
mod plant;
mod report;
mod serve;
mod site;

use std::{ffi::OsString, io::Write as _, path::PathBuf};

use clap::{Args, Parser, Subcommand};

pub use exit::Exit;
use output::Output;

/// Finds the users whose mail client would be routed to the wrong Microsoft service, before they call.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Debug, Args)]
struct Common {
    /// The configuration [default: /etc/autodiscover-audit/autodiscover-audit.toml where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Says more on standard error: once for mailboxes, twice for every hop
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// How log lines are written on standard error
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    log_format: log::LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows what each mail client would configure for single addresses; needs no configuration and no database
    Check(check::CheckArgs),
    /// Makes one run over all tenants' mailboxes and stores what it finds
    Audit(audit::AuditArgs),
    /// Writes the report of who needs manual configuration, from the database
    Report(report::ReportArgs),
    /// Judges the stored answers of a run again by the present clients and rules, without the network, and says what changed
    Judge(judge::JudgeArgs),
    /// Audits by schedule and tells of what changes, until it is told to end (SIGTERM); SIGHUP reads the configuration anew
    Serve(serve::ServeArgs),
    /// Asks the service whether it is ready, and says of each part
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Tests the channels, shows what waits for them, and sends it
    Alerts(alerts::AlertsArgs),
    /// Shows what is wrong over time, acknowledges and exempts it
    Incidents(incidents::IncidentsArgs),
    /// Lists the mail clients that are known, and shows what each one asks
    Clients(clients::ClientsArgs),
    /// Works on a list of mailboxes
    Mailboxes(mailboxes::MailboxesArgs),
    /// Works on the configuration
    Config(config::ConfigArgs),
    /// Works on the database
    Db(db::DbArgs),
    /// Writes what a shell needs to complete the command line
    Completions(completions::CompletionsArgs),
    /// Writes the manual pages
    Man(man::ManArgs),
}

/// Runs the command line of this process to its end.
#[must_use]
pub fn main() -> Exit {
    main_with(std::env::args_os())
}

/// Runs a command line, the program's name first, to its end.
#[must_use]
pub fn main_with(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage(&error),
    };
    log::start(cli.common.verbose, cli.common.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(&cli)),
        Err(error) => Err(anyhow::Error::new(error).context("the runtime cannot be started")),
    };
    exit::of_result(result)
}

async fn dispatch(cli: &Cli) -> anyhow::Result<Exit> {
    let mut out = Output::new();
    let exit = match &cli.command {
        Command::Check(args) => check::run(args, &cli.common, &mut out).await,
        Command::Audit(args) => audit::run(args, &cli.common, &mut out).await,
        Command::Serve(_) => serve::run(&cli.common).await,
        Command::Report(args) => report::run(args, &cli.common, &mut out).await,
        Command::Judge(args) => judge::run(args, &cli.common, &mut out).await,
        Command::Alerts(args) => alerts::run(args, &cli.common, &mut out).await,
        Command::Incidents(args) => incidents::run(args, &cli.common, &mut out).await,
        Command::Clients(args) => clients::run(args, &cli.common, &mut out),
        Command::Mailboxes(args) => mailboxes::run(args, &cli.common, &mut out),
        Command::Config(args) => config::run(args, &cli.common, &mut out),
        Command::Db(args) => db::run(args, &cli.common, &mut out).await,
        Command::Healthcheck(args) => healthcheck::run(args, &cli.common, &mut out).await,
        Command::Completions(args) => completions::run(args, &mut out).map_err(anyhow::Error::from),
        Command::Man(args) => man::run(args, &mut out),
    };
    out.flush()?;
    exit
}

const EXIT_CODES: &str = "Exit codes: 0 nothing to do, 1 findings, 2 partly undetermined, 3 configuration or usage, 4 we failed";

//! `audit`: one run over all tenants.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Common, Exit, exit::UsageError, log::BARS, network::NetworkArgs, site::Site};
use crate::{
    audit::{Progress, RunOptions, Summary, Tally, TenantJob, run as run_audit},
    model::{Hosting, TenantId},
    store::{ReportFilter, Store, TenantSummary},
};

/// One run.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Only this tenant of the configuration (repeatable)
    #[arg(long, value_name = "ID", value_parser = parse_tenant, conflicts_with = "mailboxes")]
    tenant: Vec<TenantId>,
    /// A list of mailboxes in place of the configuration's; `-` for standard input
    #[arg(long, value_name = "FILE")]
    mailboxes: Option<PathBuf>,
    /// The database in place of the configuration's
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Where the mailboxes of --mailboxes live
    #[arg(long, default_value = "exchange-online", requires = "mailboxes")]
    hosting: Hosting,
    /// Audits this client for --mailboxes in place of the default ones (repeatable)
    #[arg(long, value_name = "NAME", requires = "mailboxes")]
    client: Vec<String>,
    /// Goes on where an interrupted run stopped
    #[arg(long)]
    resume: bool,
    /// Takes a list that has shrunk by more than half since the last run
    #[arg(long)]
    accept_shrunk_list: bool,
    #[command(flatten)]
    network: NetworkArgs,
}

pub(super) async fn run(args: &AuditArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    let database = site.database(args.database.as_ref())?;
    let jobs = Arc::new(jobs(args, &site)?);
    let auditor = Arc::new(site.auditor(&args.network)?);
    let store = Store::open(&database).await?;
    let options = RunOptions {
        domains_at_once: site.config.as_ref().map_or(DOMAINS_AT_ONCE, |config| config.audit.domains_at_once),
        resume: args.resume,
        whole: args.tenant.is_empty() && args.mailboxes.is_none(),
        accept_shrunk_list: args.accept_shrunk_list,
        stop: CancellationToken::new(),
    };
    let progress = Progress::default();
    let started = auditor.clock.now();
    let summary = tokio::select! {
        summary = run_audit(&auditor, &store, &jobs, (&options, &progress)) => summary?,
        never = watch(&progress) => match never {},
        () = interrupted(&options.stop) => {
            tracing::warn!("interrupted twice: what is under way is dropped, what was recorded stays; go on with `audit --resume`");
            return Ok(Exit::Undetermined);
        }
    };
    let took = auditor.clock.now().duration_since(started);
    let counts = store.reader().summary(&ReportFilter::default()).await?;
    let of_run: Vec<TenantSummary> = counts.into_iter().filter(|count| jobs.iter().any(|job| job.tenant.id == count.tenant)).collect();
    write_summary(out, (&summary, args.resume), (&of_run, took))?;
    store.close().await?;
    let sum = |number: fn(&TenantSummary) -> u64| of_run.iter().map(number).sum::<u64>();
    Ok(match (sum(|count| count.needs_manual), sum(|count| count.undetermined)) {
        _ if summary.interrupted => Exit::Undetermined,
        (0, 0) => Exit::Clean,
        (0, _) => Exit::Undetermined,
        _ => Exit::Findings,
    })
}

fn jobs(args: &AuditArgs, site: &Site) -> anyhow::Result<Vec<TenantJob>> {
    site.require_clients(&args.client)?;
    let Some(list) = &args.mailboxes else {
        if site.config.is_none() {
            return Err(UsageError("which mailboxes? Name a list with --mailboxes, or a configuration with --config".to_owned()).into());
        }
        return site.jobs(&args.tenant);
    };
    let mut tenant = site.only_tenant(args.hosting)?;
    if !args.client.is_empty() {
        tenant.clients.clone_from(&args.client);
    }
    Ok(vec![site.job(tenant, list)?])
}

/// Cancels at the first signal; ends at the second.
async fn interrupted(stop: &CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_cancelled() {
            return;
        }
        tracing::warn!("interrupted: nothing new is begun, what is under way is finished; once more to drop it");
        stop.cancel();
    }
}

/// Shows how far the run is: a bar on a terminal, otherwise a line every ten seconds.
async fn watch(progress: &Progress) -> std::convert::Infallible {
    if !std::io::stderr().is_terminal() {
        loop {
            tokio::time::sleep(LINE_EVERY).await;
            let tally = progress.tally();
            tracing::info!(
                done = tally.done,
                of = tally.total,
                needs_manual = tally.needs_manual,
                undetermined = tally.undetermined,
                set_aside = tally.set_aside,
                "auditing"
            );
        }
    }
    while progress.tally().total == 0 {
        tokio::time::sleep(DRAW_EVERY).await;
    }
    let bar = BARS.add(ProgressBar::new(progress.tally().total));
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} mailboxes {per_sec:.0} {eta} left\n{wide_msg}") {
        bar.set_style(style);
    }
    loop {
        let tally = progress.tally();
        bar.set_length(tally.total);
        bar.set_position(tally.done);
        bar.set_message(in_words(tally));
        tokio::time::sleep(DRAW_EVERY).await;
    }
}

fn in_words(tally: Tally) -> String {
    let again = if tally.set_aside > 0 { format!(", {} are asked about once more at the end", tally.set_aside) } else { String::new() };
    format!("{} ok, {} need manual configuration, {} could not be told{again}", tally.ok, tally.needs_manual, tally.undetermined)
}

fn write_summary(
    out: &mut impl Write,
    (summary, is_resumed): (&Summary, bool),
    (counts, took): (&[TenantSummary], jiff::SignedDuration),
) -> anyhow::Result<()> {
    let (tally, recorded) = (summary.tally, summary.recorded);
    let verb = if summary.interrupted { "was interrupted" } else { "is finished" };
    writeln!(out, "Run {} {verb} after {:.1} s: {} of {} mailboxes.", summary.run, took.as_secs_f64(), tally.done, tally.total)?;
    for TenantSummary { tenant, checked, ok, needs_manual, undetermined, .. } in counts {
        writeln!(
            out,
            "  {tenant}: {checked} checked, {ok} ok, {needs_manual} need manual configuration, {undetermined} could not be told"
        )?;
    }
    // these four are of this attempt alone
    let since = if is_resumed { "since it was resumed: " } else { "" };
    writeln!(
        out,
        "  {since}{} new, {} changed, {} unchanged, {} no longer on the list",
        recorded.new, recorded.changed, recorded.unchanged, recorded.gone
    )?;
    if summary.interrupted {
        writeln!(out, "  to go on, give the same command with --resume")?;
    }
    Ok(())
}

pub(super) fn parse_tenant(text: &str) -> Result<TenantId, String> {
    TenantId::try_from(text.to_owned()).map_err(|error| error.to_string())
}

const DOMAINS_AT_ONCE: usize = 32;
const LINE_EVERY: Duration = Duration::from_secs(10);
const DRAW_EVERY: Duration = Duration::from_millis(200);

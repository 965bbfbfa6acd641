//! `audit`: one run over all tenants.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    Common, Exit,
    alerts::send,
    exit::UsageError,
    follow::{Followed, follow},
    log::BARS,
    network::NetworkArgs,
    site::{ListedJob, Site},
};
use crate::{
    audit::{Progress, RunOptions, Summary, Tally, TenantJob, run as run_audit},
    daemon::is_present,
    model::{Concern, Hosting, IncidentState, TenantId, counted, visible},
    store::{IncidentFilter, Reader, ReportFilter, Store, StoreError, TenantSummary},
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
    let listed = jobs(args, &site)?;
    let refused: Vec<String> = listed.iter().filter(|listed| listed.refused > 0).map(refused_line).collect();
    let jobs: Arc<Vec<TenantJob>> = Arc::new(listed.into_iter().map(|listed| listed.job).collect());
    let auditor = Arc::new(site.auditor(&args.network)?);
    let store = match Store::open(&database).await {
        Err(StoreError::Locked { .. }) if is_present(&database) => {
            let told = follow(&database, &args.tenants_asked_for()?).await?;
            return write_followed(out, told, (&database, &jobs)).await;
        }
        opened => Arc::new(opened?),
    };
    let settings = site.config.as_ref().map(|config| config.audit.clone()).unwrap_or_default();
    let options = RunOptions {
        domains_at_once: settings.domains_at_once,
        watched_entries: settings.watched_entries,
        resume: args.resume,
        whole: args.tenant.is_empty() && args.mailboxes.is_none(),
        accept_shrunk_list: args.accept_shrunk_list,
        alerting: site.alerting(),
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
    let of_run = counts(store.reader(), &jobs).await?;
    write_summary(out, (&summary, args.resume), (&of_run, took))?;
    for line in refused {
        writeln!(out, "{line}")?;
    }
    write_drift(out, store.reader()).await?;
    match send(&site, &store).await {
        Ok(queues) => tracing::debug!(channels = queues.len(), "what waited was sent"),
        Err(error) => tracing::warn!("nobody is told now: {error:#}; `alerts send` or the service tells it later"),
    }
    if let Some(store) = Arc::into_inner(store) {
        store.close().await?;
    }
    Ok(exit(&summary, &of_run))
}

async fn write_followed(out: &mut impl Write, followed: Followed, (database, jobs): (&Path, &[TenantJob])) -> anyhow::Result<Exit> {
    match followed {
        Followed::Over(summary, took) => {
            let of_run = counts(&Store::open_read_only(database).await?, jobs).await?;
            write_summary(out, (&summary, false), (&of_run, took))?;
            write_drift(out, &Store::open_read_only(database).await?).await?;
            Ok(exit(&summary, &of_run))
        }
        Followed::Left => {
            writeln!(out, "The service goes on with the run; `autodiscover-audit report` has what it finds.")?;
            Ok(Exit::Undetermined)
        }
        Followed::Alone => {
            writeln!(out, "The service has ended; it makes the run when it is started again.")?;
            Ok(Exit::Undetermined)
        }
    }
}

async fn counts(reader: &Reader, jobs: &[TenantJob]) -> anyhow::Result<Vec<TenantSummary>> {
    let counts = reader.summary(&ReportFilter::default()).await?;
    Ok(counts.into_iter().filter(|count| jobs.iter().any(|job| job.tenant.id == count.tenant)).collect())
}

fn exit(summary: &Summary, of_run: &[TenantSummary]) -> Exit {
    let sum = |number: fn(&TenantSummary) -> u64| of_run.iter().map(number).sum::<u64>();
    match (sum(|count| count.needs_manual), sum(|count| count.undetermined)) {
        _ if summary.interrupted => Exit::Undetermined,
        (0, 0) => Exit::Clean,
        (0, _) => Exit::Undetermined,
        _ => Exit::Findings,
    }
}

impl AuditArgs {
    /// What the service is asked for in place of a run of our own: only what its configuration has.
    fn tenants_asked_for(&self) -> Result<Vec<TenantId>, UsageError> {
        let own = [
            (self.mailboxes.is_some(), "--mailboxes"),
            (self.resume, "--resume"),
            (self.accept_shrunk_list, "--accept-shrunk-list"),
            (self.network.is_any(), "the options of the network"),
        ];
        match own.iter().find(|(is_given, _)| *is_given) {
            None => Ok(self.tenant.clone()),
            Some((_, option)) => Err(UsageError(format!(
                "the service has the database, and audits as its configuration says: leave {option} out, or stop the service first"
            ))),
        }
    }
}

fn jobs(args: &AuditArgs, site: &Site) -> anyhow::Result<Vec<ListedJob>> {
    site.require_watchable(&args.client)?;
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

/// What a tenant's list has that is not audited.
fn refused_line(listed: &ListedJob) -> String {
    let rows = counted(listed.refused, "row of its list was refused and is", "rows of its list were refused and are");
    let list = listed.list.display().to_string();
    format!("  {}: {rows} not audited; `autodiscover-audit mailboxes check {}` names them", listed.job.tenant.id, visible(&list))
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
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} mailboxes {prefix}\n{wide_msg}") {
        bar.set_style(style);
    }
    loop {
        let tally = progress.tally();
        bar.set_length(tally.total);
        bar.set_position(tally.done);
        bar.set_prefix(pace(tally, bar.elapsed()));
        bar.set_message(in_words(tally));
        tokio::time::sleep(DRAW_EVERY).await;
    }
}

/// How fast this process is, and how long it will take at that; what an interrupted run did before is no part of it.
fn pace(tally: Tally, elapsed: Duration) -> String {
    let own = tally.ok + tally.needs_manual + tally.undetermined;
    let Some(of_each) = u32::try_from(own).ok().and_then(|own| elapsed.checked_div(own)).filter(|of_each| !of_each.is_zero()) else {
        return String::new();
    };
    let left = u32::try_from(tally.total.saturating_sub(tally.done)).unwrap_or(u32::MAX);
    let left = indicatif::HumanDuration(of_each.saturating_mul(left));
    format!("{:.0}/s, {left} left", 1.0 / of_each.as_secs_f64())
}

fn in_words(tally: Tally) -> String {
    let again = if tally.set_aside > 0 { format!(", {} once more at the end", tally.set_aside) } else { String::new() };
    format!(
        "{} ok, {} manual configuration, {} could not be told{again}",
        tally.ok,
        counted(tally.needs_manual, "needs", "need"),
        tally.undetermined
    )
}

fn write_summary(
    out: &mut impl Write,
    (summary, is_resumed): (&Summary, bool),
    (counts, took): (&[TenantSummary], jiff::SignedDuration),
) -> anyhow::Result<()> {
    let (tally, recorded) = (summary.tally, summary.recorded);
    let verb = if summary.interrupted { "was interrupted" } else { "is finished" };
    writeln!(
        out,
        "Run {} {verb} after {:.1} s: {} of {}.",
        summary.run,
        took.as_secs_f64(),
        tally.done,
        counted(tally.total, "mailbox", "mailboxes")
    )?;
    for TenantSummary { tenant, checked, ok, needs_manual, undetermined, .. } in counts {
        writeln!(
            out,
            "  {tenant}: {checked} checked, {ok} ok, {} manual configuration, {undetermined} could not be told",
            counted(*needs_manual, "needs", "need")
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

/// Entries of ISP databases that are not what they were.
async fn write_drift(out: &mut impl Write, reader: &Reader) -> anyhow::Result<()> {
    let standing = vec![IncidentState::Suspected, IncidentState::Open];
    let incidents = reader.incidents(&IncidentFilter { states: standing, ..IncidentFilter::default() }).await?;
    for incident in incidents {
        let Concern::Drift { database, entry } = &incident.concern else { continue };
        let number = incident.id.map(|id| id.to_string()).unwrap_or_default();
        let (state, explanation) = (incident.state.as_str(), visible(&incident.account.explanation));
        writeln!(out, "  the entry {entry} of {database} is not what it was (incident {number}, {state}): {explanation}")?;
    }
    Ok(())
}

pub(super) fn parse_tenant(text: &str) -> Result<TenantId, String> {
    TenantId::try_from(text.to_owned()).map_err(|error| error.to_string())
}

const LINE_EVERY: Duration = Duration::from_secs(10);
const DRAW_EVERY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_a_resumed_run_is_its_own() {
        let taken_over = Tally { total: 1_000, done: 800, ..Tally::default() };
        assert_eq!(pace(taken_over, Duration::from_secs(10)), "");
        let going = Tally { done: 900, ok: 60, needs_manual: 30, undetermined: 10, ..taken_over };
        assert_eq!(pace(going, Duration::from_secs(10)), "10/s, 10 seconds left");
        assert_eq!(pace(going, Duration::ZERO), "");
    }
}

//! An audit while the service has the database: it is asked for the run, and followed from outside.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    audit::{Summary, Tally},
    clock::Clock,
    daemon::is_present,
    model::TenantId,
    store::{Course, Demand, DemandId, Desk, Reader, RunId},
};

/// What came of it.
#[derive(Debug)]
pub(super) enum Followed {
    /// The run is over: what it came to, and how long it took.
    Over(Summary, SignedDuration),
    /// Nobody waits for it any more; it goes on.
    Left,
    /// The service has gone; its next start meets the demand.
    Alone,
}

/// Asks the service for a run over these tenants (none named: all) and waits for its end.
pub(super) async fn follow(database: &Path, tenants: &[TenantId]) -> anyhow::Result<Followed> {
    let desk = Desk::open(database).await?;
    let id = desk.demand(tenants, Clock::system().seconds()).await?;
    tracing::info!(demand = id.0, "the service has the database, and is asked for the run");
    let followed = tokio::select! {
        followed = wait(desk.reader(), (database, id)) => followed?,
        () = interrupted() => Followed::Left,
    };
    desk.close().await;
    Ok(followed)
}

async fn wait(reader: &Reader, (database, id): (&Path, DemandId)) -> anyhow::Result<Followed> {
    let mut told = Instant::now();
    let mut alone = 0;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let demand = reader.demand(id).await?.context("the demand has gone from the database")?;
        if demand.ended_at.is_some() {
            return over(reader, &demand).await;
        }
        alone = if is_present(database) { 0 } else { alone + 1 };
        if alone > ALONE_FOR {
            return Ok(Followed::Alone);
        }
        if let Some(run) = demand.run
            && told.elapsed() >= LINE_EVERY
        {
            let Course { done, total } = reader.course(run).await?;
            tracing::info!(run = run.0, done, of = total, "auditing");
            told = Instant::now();
        }
    }
}

async fn over(reader: &Reader, demand: &Demand) -> anyhow::Result<Followed> {
    let run = match (&demand.problem, demand.run) {
        (Some(problem), _) => bail!("the service could not make the run: {problem}"),
        (None, None) => bail!("the service ended the demand without a run"),
        (None, Some(run)) => run,
    };
    let course = reader.course(run).await?;
    let summary = Summary {
        run,
        interrupted: false,
        tally: Tally { total: course.total, done: course.done, ..Tally::default() },
        recorded: reader.changes_of(run).await?,
        judging: Duration::ZERO,
        storing: Duration::ZERO,
    };
    Ok(Followed::Over(summary, took(reader, run).await?))
}

async fn took(reader: &Reader, run: RunId) -> anyhow::Result<SignedDuration> {
    let runs = reader.runs(RUNS).await?;
    let found = runs.iter().find(|known| known.id == run);
    let seconds = found.and_then(|run| Some(run.finished_at? - run.started_at)).unwrap_or_default();
    Ok(SignedDuration::from_secs(seconds))
}

async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(250);
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Looks without a service before it is given up: it may just be starting again.
const ALONE_FOR: u32 = 120;
/// Runs that may have begun since.
const RUNS: u32 = 100;

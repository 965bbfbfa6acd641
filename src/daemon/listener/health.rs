//! `/livez` and `/readyz`: whether the service goes round, and whether it can do its work.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use tokio::time::timeout;

use super::{Shared, guard::say};

/// One thing that must be well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// Its name.
    pub(super) name: &'static str,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
}

/// `/livez`: the loop of the service goes round.
pub(super) async fn live(State(shared): State<Arc<Shared>>) -> Response {
    match silence("the scheduler", shared.state.pulse.scheduler_silence(), DEAD_AFTER) {
        None => say(StatusCode::OK, "live\n"),
        Some(problem) => say(StatusCode::SERVICE_UNAVAILABLE, format!("{problem}\n")),
    }
}

/// `/readyz`: the database answers, the scheduler goes round, nothing is stuck in the outbox. `?verbose` tells of each.
pub(super) async fn ready(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let checks = examine(&shared).await;
    let is_ready = checks.iter().all(|check| check.problem.is_none());
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let is_verbose = query.is_some_and(|query| query.split('&').any(|word| word == "verbose" || word.starts_with("verbose=")));
    let words: String = if is_verbose {
        checks.iter().flat_map(|check| [check.name, ": ", check.problem.as_deref().unwrap_or("ok"), "\n"]).collect()
    } else if is_ready {
        "ready\n".to_owned()
    } else {
        let ailing: Vec<&str> = checks.iter().filter(|check| check.problem.is_some()).map(|check| check.name).collect();
        format!("not ready: {}\n", ailing.join(", "))
    };
    say(status, words)
}

/// Looks at everything that must be well.
pub(super) async fn examine(shared: &Shared) -> [Check; 3] {
    let state = &shared.state;
    let since = state.clock.seconds() - STUCK_AFTER_SECONDS;
    let stuck = match timeout(ANSWER_WITHIN, state.reader.channels_stuck(since)).await {
        Ok(Ok(stuck)) => Ok(stuck),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not answer the listener");
            Err("it cannot be read".to_owned())
        }
        Err(_) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
    };
    let database = match &stuck {
        Err(problem) => Some(problem.clone()),
        Ok(_) if state.pulse.is_disk_low() => Some("the disk is nearly full".to_owned()),
        Ok(_) => silence("the connection that writes", state.pulse.store_silence(), SILENT_AFTER),
    };
    let basis = shared.basis();
    let outbox = stuck.map_or_else(
        |_| Some("not known, as the database does not answer".to_owned()),
        |channels| {
            let known: Vec<String> = channels.into_iter().filter(|channel| basis.channels.contains(channel)).collect();
            (!known.is_empty()).then(|| format!("stuck for {}", known.join(", ")))
        },
    );
    let scheduler = silence("the scheduler", state.pulse.scheduler_silence(), SILENT_AFTER);
    [
        Check { name: "database", problem: database },
        Check { name: "scheduler", problem: scheduler },
        Check { name: "outbox", problem: outbox },
    ]
}

fn silence(whose: &str, silence: Duration, at_most: Duration) -> Option<String> {
    (silence > at_most).then(|| format!("{whose} has been silent for {} s", silence.as_secs()))
}

/// Three beats of 30 s.
const SILENT_AFTER: Duration = Duration::from_secs(90);
/// Longer than the watchdog waits: where there is one, it has acted.
const DEAD_AFTER: Duration = Duration::from_mins(5);
/// A channel with a silent server and many tenants takes its time.
const STUCK_AFTER_SECONDS: i64 = 1_800;
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

//! `/metrics`: the table's numbers, from the database and the pulse, at the time of asking.
//!
//! Whoever asks often costs no more for it: the database is read in one transaction, for all who ask at one time, and not again
//! for five seconds, or for twenty times as long as that took.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use moka::{Expiry, future::Cache};

use super::{Shared, health, metric, page::Page};
use crate::{
    daemon::{Durations, Pulse},
    model::AnswerOutcome,
    store::{Figures, MailboxFigure},
};

/// The numbers of the database, for a moment.
pub(super) struct Measured(Cache<(), Measurement>);

#[derive(Clone)]
struct Measurement {
    took: Duration,
    /// `None`: the database did not answer.
    figures: Option<Arc<Figures>>,
}

struct Freshness;

impl Expiry<(), Measurement> for Freshness {
    fn expire_after_create(&self, (): &(), measurement: &Measurement, _: Instant) -> Option<Duration> {
        Some(FRESH_FOR.max(measurement.took * REST))
    }
}

impl Default for Measured {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(1).expire_after(Freshness).build())
    }
}

/// `/metrics`.
pub(super) async fn scrape(State(shared): State<Arc<Shared>>) -> Response {
    let mut page = Page::default();
    page.add(&metric::BUILD_INFO, [([env!("CARGO_PKG_VERSION").to_owned()], 1)]);
    let checks = health::examine(&shared).await;
    page.add(&metric::READY, checks.into_iter().map(|check| ([check.name.to_owned()], u8::from(check.problem.is_none()))));
    let measurement = shared.measured.0.get_with((), Box::pin(measure(&shared))).await;
    if let Some(figures) = &measurement.figures {
        write_figures(&mut page, figures, shared.state.clock.seconds());
        page.set(&metric::STORE_READ, measurement.took.as_secs_f64());
    }
    write_pulse(&mut page, &shared.state.pulse);
    write_process(&mut page);
    ([(header::CONTENT_TYPE, FORMAT)], page.into_text()).into_response()
}

async fn measure(shared: &Shared) -> Measurement {
    let began = Instant::now();
    let figures = match tokio::time::timeout(ANSWER_WITHIN, shared.state.reader.figures()).await {
        Ok(Ok(figures)) => Some(Arc::new(figures)),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database cannot be read for /metrics");
            None
        }
        Err(_) => {
            tracing::warn!(seconds = ANSWER_WITHIN.as_secs(), "the database did not answer in time for /metrics");
            None
        }
    };
    Measurement { took: began.elapsed(), figures }
}

fn write_figures(page: &mut Page, figures: &Figures, now: i64) {
    let mailboxes = figures.mailboxes.iter();
    page.add(&metric::MAILBOXES, mailboxes.map(|one| ([one.tenant.to_string(), one.verdict.clone()], one.count)));
    let by_tenant = |number: fn(&MailboxFigure) -> u64| {
        figures.tenants.iter().map(move |tenant| {
            let own = figures.mailboxes.iter().filter(|one| one.tenant == tenant.tenant);
            ([tenant.tenant.to_string()], own.map(number).sum::<u64>())
        })
    };
    page.add(&metric::NEEDS_MANUAL, by_tenant(|one| one.needs_manual));
    page.add(&metric::HOSTING_CONFLICTS, by_tenant(|one| one.conflicts));
    page.add(&metric::PERSONAL_ACCOUNTS, by_tenant(|one| one.personal));
    let tenants = || figures.tenants.iter();
    page.add(&metric::LAST_SUCCESS, tenants().map(|one| ([one.tenant.to_string()], one.succeeded_at.unwrap_or(0))));
    page.add(&metric::LAST_DUE, tenants().filter_map(|one| Some(([one.tenant.to_string()], one.due_at?))));
    let incidents = figures.incidents.iter().map(|one| {
        let tenant = one.tenant.as_ref().map(ToString::to_string).unwrap_or_default();
        ([tenant, one.kind.clone(), one.state.clone(), one.severity.clone()], one.count)
    });
    page.add(&metric::INCIDENTS, incidents);
    let channels = || figures.channels.iter().map(|one| ([one.channel.clone()], one));
    page.add(&metric::OUTBOX_DEPTH, channels().map(|(label, one)| (label, one.waiting)));
    let age = |at: i64| now.saturating_sub(at).max(0);
    page.add(&metric::OUTBOX_OLDEST, channels().map(|(label, one)| (label, one.oldest_at.map_or(0, age))));
    page.add(&metric::OUTBOX_DEAD, channels().map(|(label, one)| (label, one.dead)));
    page.add(&metric::CHANNEL_PAUSED, channels().map(|(label, one)| (label, u8::from(one.is_paused))));
    page.set(&metric::STORE_BYTES, figures.bytes);
    page.set(&metric::STORE_WAL_BYTES, figures.log_bytes);
}

fn write_pulse(page: &mut Page, pulse: &Pulse) {
    page.add(&metric::NEXT_DUE, pulse.next_due().map(|at| ([], at)));
    let runs = pulse.runs();
    if !runs.is_empty() {
        page.head(&metric::RUN_DURATION);
    }
    for (kind, result, durations) in runs {
        write_durations(page, &[kind.as_str().to_owned(), result.as_str().to_owned()], &durations);
    }
    let run = pulse.run();
    page.set(&metric::RUN_IN_PROGRESS, u8::from(run.is_some()));
    let tally = run.map(|(_, tally)| tally).unwrap_or_default();
    page.set(&metric::RUN_MAILBOXES, tally.total);
    page.set(&metric::RUN_MAILBOXES_DONE, tally.done);
    let deliveries = pulse.deliveries().into_iter();
    page.add(&metric::DELIVERIES, deliveries.map(|(channel, result, count)| ([channel, result.to_owned()], count)));
    page.set(&metric::STORE_DISK_LOW, u8::from(pulse.is_disk_low()));
    if let Some(reload) = pulse.reload() {
        page.set(&metric::RELOAD_SUCCESSFUL, u8::from(reload.is_successful));
        page.set(&metric::RELOAD_SUCCESS_TIME, reload.succeeded_at);
    }
    let asked = pulse.asked();
    let lookups = AnswerOutcome::ALL.into_iter().zip(asked.lookups);
    page.add(&metric::LOOKUPS, lookups.map(|(outcome, count)| ([outcome.to_string()], count)));
    page.set(&metric::HTTP_REQUESTS, asked.http_requests);
    page.set(&metric::DNS_QUERIES, asked.dns_queries);
    page.set(&metric::RECEIVED_BYTES, asked.bytes);
    page.set(&metric::RETRIES, asked.retries);
    page.set(&metric::HELD, asked.held);
    page.set(&metric::PROCESS_START, pulse.started_at());
}

fn write_durations(page: &mut Page, labels: &[String], durations: &Durations) {
    let family = &metric::RUN_DURATION;
    for (count, bound) in durations.at_most.iter().zip(Durations::BOUNDS) {
        page.line(family, ("_bucket", labels), Some(&bound.to_string()), count);
    }
    page.line(family, ("_bucket", labels), Some("+Inf"), &durations.count);
    page.line(family, ("_sum", labels), None, &durations.sum);
    page.line(family, ("_count", labels), None, &durations.count);
}

/// What the kernel says of this process (proc(5)); what it does not say is left out.
fn write_process(page: &mut Page) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    page.add(&metric::PROCESS_MEMORY, resident.map(|kibibytes| ([], kibibytes * 1024)));
    page.add(&metric::PROCESS_FDS, fs::read_dir("/proc/self/fd").ok().map(|open| ([], open.count())));
}

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
const FRESH_FOR: Duration = Duration::from_secs(5);
/// How many times as long as the reading took the database is left alone.
const REST: u32 = 20;
/// Prometheus gives up after ten seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

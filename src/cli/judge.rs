//! `judge`: stored answers judged again by the present rules, without the network. Writes nothing to the database.

use std::{collections::BTreeSet, io::Write, path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Common, Exit, exit::UsageError, output::Output, site::Site};
use crate::{
    audit::{Aspect, Changes, Count, Difference, Replay, ReplayScope},
    clients::ClientTable,
    model::{Cause, TenantId, Verdict, counted, grouped, visible},
    store::{Reader, Run, RunId, RunState, Store},
};

/// Judging again.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct JudgeArgs {
    /// The database in place of the configuration's
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// The run whose answers are judged: its number, or `latest` for the newest that came to its end
    #[arg(long, value_name = "RUN", default_value = "latest")]
    run: WhichRun,
    /// Only this tenant
    #[arg(long, value_name = "ID", value_parser = super::audit::parse_tenant)]
    tenant: Option<TenantId>,
    /// Only this client (repeatable)
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// Text for a person, or one object
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WhichRun {
    Latest,
    Number(i64),
}

impl FromStr for WhichRun {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "latest" => Ok(Self::Latest),
            number => number.parse().map(Self::Number).map_err(|_| "write the number of a run, or `latest`".to_owned()),
        }
    }
}

pub(super) async fn run(args: &JudgeArgs, common: &Common, out: &mut Output) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    site.require_clients(&args.client)?;
    let reader = Store::open_read_only(&site.database(args.database.as_ref())?).await?;
    let run = find(&reader, args.run).await?;
    let tenants = site.tenants(&[])?;
    let replay = Replay { clients: &site.clients, endpoints: &site.endpoints, tenants: &tenants };
    let scope = ReplayScope { run: run.id, tenant: args.tenant.clone(), clients: args.client.clone() };
    let changes = replay.judge(&reader, &scope).await?;
    let lost = lost(&reader, &run, (&changes, args.tenant.as_ref())).await?;
    require_something(&changes, lost, (args, run.id))?;
    let result = Judged { run, changes: &changes, lost, clients: &site.clients };
    match args.format {
        Format::Text => result.write_text(out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &result.json())?;
            writeln!(out)?;
        }
    }
    Ok(result.exit())
}

async fn find(reader: &Reader, which: WhichRun) -> anyhow::Result<Run> {
    let runs = reader.runs(u32::MAX).await?;
    let found = match which {
        WhichRun::Latest => runs.iter().find(|run| run.state == RunState::Finished),
        WhichRun::Number(number) => runs.iter().find(|run| run.id == RunId(number)),
    };
    match (found, which) {
        (Some(run), _) if run.state != RunState::Running => Ok(*run),
        (Some(run), _) => Err(UsageError(format!("run {} has not ended: judge another one, or wait", run.id)).into()),
        (None, WhichRun::Latest) => {
            Err(UsageError("the database has no run that came to its end: make one with `audit`".to_owned()).into())
        }
        (None, WhichRun::Number(number)) => {
            let known = match (runs.last(), runs.first()) {
                (Some(oldest), Some(newest)) => {
                    format!("it has {} to {}; older ones are dropped after `store.keep_days`", oldest.id, newest.id)
                }
                _ => "it has none".to_owned(),
            };
            Err(UsageError(format!("the database has no run {number}: {known}")).into())
        }
    }
}

/// Mailboxes that the lists of a run had, and of which nothing is kept as of it.
async fn lost(reader: &Reader, run: &Run, (changes, tenant): (&Changes, Option<&TenantId>)) -> anyhow::Result<u64> {
    if run.state != RunState::Finished {
        return Ok(0);
    }
    let lists = reader.lists_of(run.id).await?;
    let meant = lists.into_iter().filter(|(id, _)| tenant.is_none_or(|tenant| tenant == id));
    Ok(meant.map(|(id, listed)| listed.saturating_sub(changes.mailboxes.get(&id).copied().unwrap_or_default())).sum())
}

fn require_something(changes: &Changes, lost: u64, (args, run): (&JudgeArgs, RunId)) -> Result<(), UsageError> {
    let seen: u64 = changes.mailboxes.values().sum();
    if let (Some(tenant), 0, 0) = (&args.tenant, seen, lost) {
        return Err(UsageError(format!("run {run} has no mailbox of the tenant `{tenant}`")));
    }
    let are_gone = changes.without_answers.mailboxes == seen && seen + lost > 0;
    if are_gone {
        return Err(UsageError(format!(
            "the answers of run {run} are not kept any more: they are dropped after `store.keep_days`, or earlier where \
             `store.keep_megabytes` asks for it; judge a newer run"
        )));
    }
    Ok(())
}

/// What came of it.
struct Judged<'a> {
    run: Run,
    changes: &'a Changes,
    /// Mailboxes of which nothing is kept.
    lost: u64,
    clients: &'a ClientTable,
}

impl Judged<'_> {
    fn exit(&self) -> Exit {
        let Changes { changed, unasked, without_answers, unreadable, own_answers, .. } = self.changes;
        let untold = without_answers.mailboxes + unreadable.mailboxes + own_answers.mailboxes + self.lost;
        if changed.mailboxes > 0 {
            Exit::Findings
        } else if untold > 0 || !unasked.is_empty() {
            Exit::Undetermined
        } else {
            Exit::Clean
        }
    }

    fn write_text(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Changes { judged, changed, .. } = self.changes;
        writeln!(
            out,
            "The answers of run {}, judged again by the present clients and rules, without the network: {}.",
            self.run.id,
            many(judged)
        )?;
        for (difference, count) in &self.differences() {
            writeln!(out, "\n{}: {}", in_words(difference), many(count))?;
            write_first(out, count)?;
        }
        self.write_untold(out)?;
        let verb = if changed.mailboxes == 1 { "is" } else { "are" };
        match changed.mailboxes {
            0 => writeln!(out, "\nNothing has changed."),
            _ => writeln!(out, "\n{} {verb} not judged as before.", many(changed)),
        }
    }

    /// What could not be told.
    fn write_untold(&self, out: &mut impl Write) -> std::io::Result<()> {
        let Changes { unasked, without_answers, unreadable, own_answers, .. } = self.changes;
        for client in self.in_order(unasked.keys()) {
            let Some(missing) = unasked.get(client) else { continue };
            let asked = visible(&missing.example);
            writeln!(out, "\n{client}: undetermined: not asked in run {}: {}\n  such as {asked}", self.run.id, many(&missing.count))?;
        }
        let why = [
            (without_answers, "answers that are not kept any more (`store.keep_days`)"),
            (own_answers, "answers of their own, which are not kept"),
            (unreadable, "answers that this program cannot read"),
        ];
        for (count, why) in why.iter().filter(|(count, _)| count.mailboxes > 0) {
            writeln!(out, "\nNot judged: {} with {why}", many(count))?;
            write_first(out, count)?;
        }
        if self.lost > 0 {
            let mailboxes = grouped(self.lost);
            writeln!(
                out,
                "\nNot judged: {mailboxes} of the run's mailboxes, whose outcomes of then are not kept any more (`store.keep_days`)"
            )?;
        }
        Ok(())
    }

    /// Verdicts of clients first, in the order of the table.
    fn differences(&self) -> Vec<(&Difference, &Count)> {
        let order: Vec<&str> = self.clients.iter().map(|client| client.name.as_str()).collect();
        let place = |difference: &Difference| match difference {
            Difference::NeedsManual { .. } => (0, 0),
            Difference::Hosting { .. } => (1, 0),
            Difference::Client { client, .. } => (2, order.iter().position(|name| name == client).unwrap_or(usize::MAX)),
        };
        let mut differences: Vec<(&Difference, &Count)> = self.changes.differences.iter().collect();
        differences.sort_by_key(|(difference, _)| place(difference));
        differences
    }

    /// The names of clients in the order of the table.
    fn in_order<'n>(&self, names: impl Iterator<Item = &'n String>) -> Vec<&'n str> {
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_by_key(|name| self.clients.iter().position(|client| client.name == *name));
        names
    }

    fn json(&self) -> Value {
        let Changes { judged, changed, unasked, without_answers, unreadable, own_answers, .. } = self.changes;
        let differences: Vec<Value> =
            self.differences().iter().map(|(difference, count)| merged(fields(difference), counts(count))).collect();
        let unasked: Vec<Value> = self
            .in_order(unasked.keys())
            .into_iter()
            .filter_map(|client| {
                let missing = unasked.get(client)?;
                Some(merged(json!({ "client": client, "asks_now": missing.example }), counts(&missing.count)))
            })
            .collect();
        json!({
            "schema": SCHEMA,
            "run": self.run.id.0,
            "judged": counts(judged),
            "changed": counts(changed),
            "differences": differences,
            "not_asked": unasked,
            "not_judged": {
                "answers_not_kept": counts(without_answers),
                "own_answers_not_kept": counts(own_answers),
                "answers_unreadable": counts(unreadable),
                "outcomes_not_kept": self.lost,
            },
        })
    }
}

fn in_words(difference: &Difference) -> String {
    let word = |verdict: Option<Verdict>| verdict.map_or("not looked at", Verdict::as_str);
    let mechanism = |cause: Option<Cause>| cause.map_or("no cause", Cause::as_str);
    match difference {
        Difference::NeedsManual { now: true } => "manual configuration: not needed -> needed".to_owned(),
        Difference::NeedsManual { now: false } => "manual configuration: needed -> not needed".to_owned(),
        Difference::Hosting { before, now } => format!("hosting: {before} -> {now}"),
        Difference::Client { client, aspect } => match aspect {
            Aspect::Verdict { before, now } => format!("{client}: {} -> {}", word(*before), word(*now)),
            Aspect::Cause { verdict, before, now } => {
                format!("{client}: {verdict} as before, for another cause: {} -> {}", mechanism(*before), mechanism(*now))
            }
            Aspect::Servers { verdict } => format!("{client}: {verdict} as before, by another lookup or with other servers"),
            Aspect::Certainty { verdict } => format!("{client}: {verdict} as before, not as fragile or as sure as it was"),
        },
    }
}

fn fields(difference: &Difference) -> Value {
    match difference {
        Difference::NeedsManual { now } => json!({ "of": "needs_manual_configuration", "before": !now, "now": now }),
        Difference::Hosting { before, now } => json!({ "of": "hosting", "before": before, "now": now }),
        Difference::Client { client, aspect } => {
            let of_client = match aspect {
                Aspect::Verdict { before, now } => json!({ "of": "verdict", "before": before, "now": now }),
                Aspect::Cause { verdict, before, now } => json!({ "of": "cause", "verdict": verdict, "before": before, "now": now }),
                Aspect::Servers { verdict } => json!({ "of": "servers", "verdict": verdict }),
                Aspect::Certainty { verdict } => json!({ "of": "certainty", "verdict": verdict }),
            };
            merged(json!({ "client": client }), of_client)
        }
    }
}

fn counts(count: &Count) -> Value {
    let domains = count.first_domains.iter();
    let domains: Vec<Value> =
        domains.map(|place| json!({ "tenant": place.tenant, "domain": place.domain, "mailboxes": place.mailboxes })).collect();
    let mailboxes: Vec<String> = count.first_mailboxes.iter().map(ToString::to_string).collect();
    json!({ "mailboxes": count.mailboxes, "domains": count.domains, "first_domains": domains, "first_mailboxes": mailboxes })
}

/// The members of both objects.
fn merged(mut one: Value, other: Value) -> Value {
    if let (Some(members), Value::Object(more)) = (one.as_object_mut(), other) {
        members.extend(more);
    }
    one
}

/// `3,120 mailboxes in 12 domains`.
fn many(count: &Count) -> String {
    let mailboxes = if count.mailboxes == 1 { "mailbox" } else { "mailboxes" };
    format!("{} {mailboxes} in {}", grouped(count.mailboxes), counted(count.domains, "domain", "domains"))
}

fn write_first(out: &mut impl Write, count: &Count) -> std::io::Result<()> {
    let shown = count.first_domains.iter().take(DOMAINS_SHOWN);
    let mut domains: Vec<String> = shown.map(|place| format!("{} {}", place.domain.for_people(), grouped(place.mailboxes))).collect();
    let left = count.domains.saturating_sub(domains.len() as u64);
    if left > 0 {
        domains.push(format!("and {} more", grouped(left)));
    }
    writeln!(out, "  {}", domains.join(", "))?;
    let mailboxes: Vec<String> = count.first_mailboxes.iter().map(|address| visible(&address.to_string()).into_owned()).collect();
    let more = if count.mailboxes > mailboxes.len() as u64 { ", …" } else { "" };
    writeln!(out, "  {}{more}", mailboxes.join(", "))
}

const EXIT_CODES: &str = "Exit codes: 0 nothing has changed, 1 something has, 2 nothing has as far as it could be told";
/// The name and number of the contract. Additions are allowed; a change of meaning raises the number.
const SCHEMA: &str = "autodiscover-audit/judge/1";
const DOMAINS_SHOWN: usize = 10;

//! `incidents list|show|ack|unack|exempt|exemptions|end`: what is wrong over time, and what people say about it.

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Span, Timestamp, civil, tz::TimeZone};

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::{
    clock::Clock,
    model::{Acknowledgement, Cause, Domain, Exemption, Incident, IncidentId, IncidentState, TenantId},
    report::{IncidentFormat, write_exemptions, write_incident, write_incidents},
    store::{Desk, IncidentFilter, Reader, Store},
};

/// Incidents.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct IncidentsArgs {
    /// The database in place of the configuration's
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Text for a person, or one object
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: IncidentsCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum IncidentsCommand {
    /// Lists incidents: those that are suspected or open, unless states are named
    List {
        /// Only in this state (repeatable): suspected, open, resolved, dismissed
        #[arg(long, value_name = "STATE", value_parser = parse_state)]
        state: Vec<IncidentState>,
        /// In every state
        #[arg(long, conflicts_with = "state")]
        all: bool,
        /// Only this tenant's
        #[arg(long, value_name = "ID", value_parser = super::audit::parse_tenant)]
        tenant: Option<TenantId>,
        /// Only in this domain
        #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
        domain: Option<Domain>,
    },
    /// Shows one incident with its evidence and what happened to it
    Show {
        /// Its number
        id: i64,
    },
    /// Acknowledges an incident: no reminders of it until it resolves, or until the given time
    Ack {
        /// Its number
        id: i64,
        /// Who acknowledges it
        #[arg(long, value_name = "NAME")]
        by: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Until when: a date (2027-01-31), a time (RFC 3339), or a span from now (14d, 8h)
        #[arg(long, value_name = "WHEN")]
        until: Option<String>,
    },
    /// Takes an acknowledgement back
    Unack {
        /// The incident's number
        id: i64,
    },
    /// Exempts findings for a time: they are still followed and reported, and not announced
    ///
    /// What is named must all agree. An incident that is open when the exemption ends, and was not announced, is announced then.
    Exempt {
        /// Only this tenant's
        #[arg(long, value_name = "ID", value_parser = super::audit::parse_tenant)]
        tenant: Option<TenantId>,
        /// Only in this domain
        #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
        domain: Option<Domain>,
        /// Only for this client
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        /// Only for this cause
        #[arg(long, value_name = "CAUSE", value_parser = parse_cause)]
        cause: Option<Cause>,
        /// Who answers for it
        #[arg(long, value_name = "NAME")]
        owner: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Until when, a year from now at most: a date (2027-01-31), a time (RFC 3339), or a span from now (90d)
        #[arg(long, value_name = "WHEN")]
        until: String,
    },
    /// Lists the exemptions
    Exemptions,
    /// Ends an exemption now
    End {
        /// The exemption's number
        id: i64,
    },
}

pub(super) async fn run(args: &IncidentsArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    let path = site.database(args.database.as_ref())?;
    let at = Clock::system().seconds();
    let format = match args.format {
        Format::Text => IncidentFormat::Text,
        Format::Json => IncidentFormat::Json,
    };
    match &args.command {
        IncidentsCommand::List { state, all, tenant, domain } => {
            let reader = Store::open_read_only(&path).await?;
            let states = match (all, state.is_empty()) {
                (true, _) => Vec::new(),
                (false, true) => vec![IncidentState::Suspected, IncidentState::Open],
                (false, false) => state.clone(),
            };
            let filter = IncidentFilter { states, tenant: tenant.clone(), domain: domain.clone(), at_most: None };
            let incidents = reader.incidents(&filter).await?;
            write_incidents(out, format, (&incidents, &reader.exemptions().await?), at)?;
            Ok(exit(&incidents))
        }
        IncidentsCommand::Show { id } => {
            let reader = Store::open_read_only(&path).await?;
            let incident = find(&reader, *id).await?;
            let events = reader.events_of(IncidentId(*id), EVENTS_SHOWN).await?;
            let exemptions = reader.exemptions().await?;
            let exemption = Exemption::of(&exemptions, &incident.concern, at);
            write_incident(out, format, (&incident, &events, exemption), at)?;
            Ok(exit(std::slice::from_ref(&incident)))
        }
        IncidentsCommand::Exemptions => {
            let reader = Store::open_read_only(&path).await?;
            write_exemptions(out, format, &reader.exemptions().await?, at)?;
            Ok(Exit::Clean)
        }
        writing => {
            let desk = Desk::open(&path).await?;
            let written = write(writing, (&desk, &site), (out, at)).await;
            desk.close().await;
            written
        }
    }
}

async fn write(command: &IncidentsCommand, (desk, site): (&Desk, &Site), (out, at): (&mut impl Write, i64)) -> anyhow::Result<Exit> {
    match command {
        IncidentsCommand::Ack { id, by, reason, until } => {
            let until = until.as_deref().map(|until| parse_until(until, at)).transpose()?;
            let acknowledgement = Acknowledgement { by: said("--by", by)?, reason: said("--reason", reason)?, at, until };
            match desk.ack(IncidentId(*id), &acknowledgement).await? {
                None => return Err(no_incident(*id)),
                Some(state) if !state.is_standing() => {
                    return Err(UsageError(format!("incident {id} is {}: there is nothing to acknowledge", state.as_str())).into());
                }
                Some(_) => writeln!(out, "Incident {id} is acknowledged.")?,
            }
        }
        IncidentsCommand::Unack { id } => {
            find(desk.reader(), *id).await?;
            let was = if desk.unack(IncidentId(*id)).await? { "is not acknowledged any more" } else { "was not acknowledged" };
            writeln!(out, "Incident {id} {was}.")?;
        }
        IncidentsCommand::Exempt { tenant, domain, client, cause, owner, reason, until } => {
            if tenant.is_none() && domain.is_none() && client.is_none() && cause.is_none() {
                let problem = "exempt what? Name at least one of --tenant, --domain, --client and --cause";
                return Err(UsageError(problem.to_owned()).into());
            }
            site.require_clients(client.as_slice())?;
            let expires_at = parse_until(until, at)?;
            if expires_at > at + LONGEST_EXEMPTION {
                return Err(UsageError("an exemption holds for a year at most: name an earlier --until".to_owned()).into());
            }
            let exemption = Exemption {
                id: 0,
                tenant: tenant.clone(),
                domain: domain.clone(),
                client: client.clone(),
                cause: *cause,
                owner: said("--owner", owner)?,
                reason: said("--reason", reason)?,
                created_at: at,
                expires_at,
            };
            let id = desk.exempt(&exemption).await?;
            let open = IncidentFilter { states: vec![IncidentState::Open, IncidentState::Suspected], ..IncidentFilter::default() };
            let covered = desk.reader().incidents(&open).await?;
            let covered = covered.iter().filter(|incident| exemption.covers(&incident.concern, at)).count();
            writeln!(out, "Exemption {id} holds; {} now.", crate::model::counted(covered, "incident is covered", "incidents are covered"))?;
        }
        IncidentsCommand::End { id } => {
            if !desk.end_exemption(*id, at).await? {
                return Err(UsageError(format!("there is no exemption {id} in force: see `incidents exemptions`")).into());
            }
            writeln!(out, "Exemption {id} is over.")?;
        }
        IncidentsCommand::List { .. } | IncidentsCommand::Show { .. } | IncidentsCommand::Exemptions => {}
    }
    Ok(Exit::Clean)
}

async fn find(reader: &Reader, id: i64) -> anyhow::Result<Incident> {
    reader.incident(IncidentId(id)).await?.ok_or_else(|| no_incident(id))
}

fn no_incident(id: i64) -> anyhow::Error {
    UsageError(format!("there is no incident {id}: see `incidents list --all`")).into()
}

fn exit(incidents: &[Incident]) -> Exit {
    if incidents.iter().any(|incident| incident.state == IncidentState::Open) { Exit::Findings } else { Exit::Clean }
}

/// What people say has words in it.
fn said(option: &str, text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > WORDS_AT_MOST {
        return Err(UsageError(format!("{option} needs 1 to {WORDS_AT_MOST} characters")).into());
    }
    Ok(text.to_owned())
}

/// A date (its first instant, UTC), an instant, or a span from now; in seconds since 1970.
fn parse_until(text: &str, now: i64) -> anyhow::Result<i64> {
    let wrong = || UsageError(format!("`{text}` is no time: write a date (2027-01-31), a time (2027-01-31T12:00:00Z) or a span (14d, 8h)"));
    let instant = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| Some(text.parse::<civil::Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
        .or_else(|| {
            let span: Span = text.parse().ok()?;
            let now = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::UTC);
            Some(now.checked_add(span).ok()?.timestamp())
        });
    let instant = instant.ok_or_else(wrong)?.as_second();
    if instant <= now {
        return Err(UsageError(format!("`{text}` is in the past")).into());
    }
    Ok(instant)
}

fn parse_state(text: &str) -> Result<IncidentState, String> {
    let known = IncidentState::ALL.map(IncidentState::as_str).join(", ");
    IncidentState::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| format!("write one of {known}"))
}

fn parse_cause(text: &str) -> Result<Cause, String> {
    let known = Cause::ALL.map(Cause::as_str).join(", ");
    Cause::ALL.into_iter().find(|cause| cause.as_str() == text).ok_or_else(|| format!("write one of {known}"))
}

fn parse_domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| error.to_string())
}

const EXIT_CODES: &str = "Exit codes: 1 where `list` or `show` shows an incident that is open, else 0; 3 where the command line is wrong";
const EVENTS_SHOWN: u32 = 50;
const WORDS_AT_MOST: usize = 500;
/// Seconds.
const LONGEST_EXEMPTION: i64 = 366 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_an_instant_or_a_span() {
        let now = 1_767_225_600; // 2026-01-01
        for (text, seconds) in [
            ("2026-01-02", Some(86_400)),
            ("2026-01-01T00:00:10Z", Some(10)),
            ("14d", Some(14 * 86_400)),
            ("8h", Some(28_800)),
            ("soon", None),
            ("2025-12-31", None),
            ("-1d", None),
            ("", None),
        ] {
            assert_eq!(parse_until(text, now).ok(), seconds.map(|seconds| now + seconds), "{text}");
        }
    }
}

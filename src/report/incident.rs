//! Incidents for people and programs: the list, one with its story, the exemptions.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    exempt::{AcknowledgementView, ExemptionView, exemption_table},
    layout::{labelled, table},
    row::{day, rfc3339},
};
use crate::model::{Account, Acknowledgement, Concern, Event, Exemption, Incident, counted, visible};

/// How incidents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentFormat {
    /// For a person.
    Text,
    /// One object.
    Json,
}

/// An incident as programs see it.
#[derive(Debug, Serialize)]
struct View<'a> {
    id: i64,
    #[serde(flatten)]
    concern: &'a Concern,
    state: &'a str,
    severity: &'a str,
    verdict: Option<&'a str>,
    mailboxes: u64,
    flapping: bool,
    since: String,
    opened_at: Option<String>,
    resolved_at: Option<String>,
    times_opened: u32,
    account: &'a Account,
    acknowledgement: Option<AcknowledgementView>,
    exemption: Option<ExemptionView>,
}

/// What happened, as programs see it.
#[derive(Debug, Serialize)]
struct Step<'a> {
    at: String,
    change: &'a str,
    verdict: Option<&'a str>,
    mailboxes: u64,
    run: Option<i64>,
    announced: bool,
}

/// Writes incidents; `at` (seconds since 1970) decides which exemptions hold.
///
/// # Errors
/// Whatever `out` says.
pub fn write_incidents(
    out: &mut impl Write,
    format: IncidentFormat,
    (incidents, exemptions): (&[Incident], &[Exemption]),
    at: i64,
) -> io::Result<()> {
    let exempt = |incident: &Incident| Exemption::of(exemptions, &incident.concern, at);
    if format == IncidentFormat::Json {
        let views: Vec<View<'_>> = incidents.iter().map(|incident| view(incident, exempt(incident), at)).collect();
        return write_json(out, &serde_json::json!({ "schema": "autodiscover-audit/incidents/1", "incidents": views }));
    }
    if incidents.is_empty() {
        return writeln!(out, "There are no such incidents.");
    }
    let mut rows = vec![["id", "state", "since", "mailboxes", "about", "verdict", ""].map(str::to_owned).to_vec()];
    for incident in incidents {
        let notes = [
            incident.is_flapping.then(|| "flapping".to_owned()),
            acknowledgement(incident, at).map(|acknowledgement| format!("acknowledged by {}", visible(&acknowledgement.by))),
            exempt(incident).map(|exemption| format!("exempt until {}", day(&rfc3339(exemption.expires_at)))),
        ];
        rows.push(vec![
            incident.id.map(|id| id.to_string()).unwrap_or_default(),
            incident.state.as_str().to_owned(),
            day(&rfc3339(incident.first_seen_at)).to_owned(),
            if incident.concern.is_ours() { String::new() } else { incident.affected.to_string() },
            about(&incident.concern),
            incident.verdict.map(|verdict| verdict.to_string()).unwrap_or_default(),
            notes.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ]);
    }
    write!(out, "{}", table(0, &rows, &[0, 3]))
}

/// Writes one incident with its story, the newest last; `at` (seconds since 1970) decides whether its acknowledgement holds.
///
/// # Errors
/// Whatever `out` says.
pub fn write_incident(
    out: &mut impl Write,
    format: IncidentFormat,
    (incident, events, exemption): (&Incident, &[Event], Option<&Exemption>),
    at: i64,
) -> io::Result<()> {
    if format == IncidentFormat::Json {
        let steps: Vec<Step<'_>> = events.iter().map(step).collect();
        return write_json(
            out,
            &serde_json::json!({ "schema": "autodiscover-audit/incident/1", "incident": view(incident, exemption, at), "events": steps }),
        );
    }
    let id = incident.id.map(|id| id.to_string()).unwrap_or_default();
    let flapping = if incident.is_flapping { ", flapping" } else { "" };
    writeln!(out, "Incident {id}: {} ({}{flapping}, {})\n", about(&incident.concern), incident.state.as_str(), incident.severity)?;
    let account = &incident.account;
    let mut lines = vec![("why", account.explanation.clone())];
    lines.extend(incident.verdict.map(|verdict| ("verdict", verdict.to_string())));
    if !incident.concern.is_ours() {
        lines.push(("mailboxes", incident.affected.to_string()));
    }
    lines.extend(account.asked.as_ref().map(|asked| ("asked", asked.clone())));
    lines.extend(account.servers.iter().map(|server| ("server", server.clone())));
    lines.extend(account.evidence.iter().map(|line| ("evidence", line.clone())));
    lines.extend(account.advice.as_ref().map(|advice| ("to mend", advice.clone())));
    lines.push(("since", rfc3339(incident.first_seen_at)));
    lines.extend(acknowledgement(incident, at).map(|ack| ("acknowledged", acknowledged(ack))));
    lines.extend(exemption.map(|exemption| ("exempt", exempted(exemption))));
    for (label, text) in lines {
        write!(out, "{}", labelled(2, label, &text))?;
    }
    if !events.is_empty() {
        writeln!(out, "\nWhat happened")?;
        let rows: Vec<Vec<String>> = events.iter().map(row).collect();
        write!(out, "{}", table(2, &rows, &[]))?;
    }
    Ok(())
}

/// Writes exemptions, with whether they hold at an instant.
///
/// # Errors
/// Whatever `out` says.
pub fn write_exemptions(out: &mut impl Write, format: IncidentFormat, exemptions: &[Exemption], at: i64) -> io::Result<()> {
    if format == IncidentFormat::Json {
        let views: Vec<ExemptionView> = exemptions.iter().map(ExemptionView::from).collect();
        return write_json(out, &serde_json::json!({ "schema": "autodiscover-audit/exemptions/1", "exemptions": views }));
    }
    if exemptions.is_empty() {
        return writeln!(out, "There are no exemptions.");
    }
    write!(out, "{}", exemption_table(0, exemptions, at))
}

/// The acknowledgement that holds.
fn acknowledgement(incident: &Incident, at: i64) -> Option<&Acknowledgement> {
    incident.acknowledgement.as_ref().filter(|acknowledgement| acknowledgement.holds(at))
}

fn view<'a>(incident: &'a Incident, exemption: Option<&Exemption>, at: i64) -> View<'a> {
    View {
        id: incident.id.map(|id| id.0).unwrap_or_default(),
        concern: &incident.concern,
        state: incident.state.as_str(),
        severity: incident.severity.as_str(),
        verdict: incident.verdict.map(crate::model::Verdict::as_str),
        mailboxes: incident.affected,
        flapping: incident.is_flapping,
        since: rfc3339(incident.first_seen_at),
        opened_at: incident.opened_at.map(rfc3339),
        resolved_at: incident.resolved_at.map(rfc3339),
        times_opened: incident.episode,
        account: &incident.account,
        acknowledgement: acknowledgement(incident, at).map(AcknowledgementView::from),
        exemption: exemption.map(ExemptionView::from),
    }
}

fn step(event: &Event) -> Step<'_> {
    Step {
        at: rfc3339(event.at),
        change: event.change.as_str(),
        verdict: event.verdict.map(crate::model::Verdict::as_str),
        mailboxes: event.affected,
        run: event.run,
        announced: !event.is_muted,
    }
}

fn row(event: &Event) -> Vec<String> {
    vec![
        rfc3339(event.at),
        event.change.as_str().replace('-', " "),
        event.verdict.map(|verdict| verdict.to_string()).unwrap_or_default(),
        if event.concern.is_ours() { String::new() } else { counted(event.affected, "mailbox", "mailboxes") },
        if event.is_muted { "not announced".to_owned() } else { String::new() },
    ]
}

/// What an incident is about, on one line.
fn about(concern: &Concern) -> String {
    match concern {
        Concern::Finding { tenant, domain, client, cause, mailbox } => {
            let place = mailbox.as_deref().map_or_else(|| domain.for_people(), |mailbox| visible(mailbox).into_owned());
            format!("{tenant} / {place} / {client} / {cause}")
        }
        Concern::Outage => "most lookups failed".to_owned(),
        Concern::Run { tenant } => format!("the run of {tenant}"),
        Concern::Channel { channel } => format!("the channel {}", visible(channel)),
        Concern::Store => "the database".to_owned(),
        Concern::Drift { database, entry } => format!("the entry {} of {}", visible(entry), visible(database)),
    }
}

fn acknowledged(acknowledgement: &Acknowledgement) -> String {
    let until = acknowledgement.until.map_or_else(|| "until it resolves".to_owned(), |until| format!("until {}", rfc3339(until)));
    format!("by {}, {until}: {}", visible(&acknowledgement.by), visible(&acknowledgement.reason))
}

fn exempted(exemption: &Exemption) -> String {
    let Exemption { id, owner, reason, expires_at, .. } = exemption;
    format!("by exemption {id} of {}, until {}: {}", visible(owner), rfc3339(*expires_at), visible(reason))
}

fn write_json(out: &mut impl Write, value: &serde_json::Value) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

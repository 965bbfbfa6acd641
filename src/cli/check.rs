//! `check ADDRESS…`: single addresses, without configuration or database.

use std::{
    io::{BufRead, Write},
    sync::Arc,
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Common, Exit, exit::UsageError, network::NetworkArgs, output::Output, site::Site};
use crate::{
    audit::{Answers, Case},
    clients::Client,
    config::read_allowed_host,
    mailboxes::PlainLine,
    model::{Address, Hosting, Profile, Subject, Tenant, Verdict, visible},
    remedy::SettingsTable,
    report::{CheckView, LookupView},
};

/// Single addresses.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Mail addresses, or `-` for a list of them on standard input, one a line; one that is none is named at the end, the others are
    /// checked, and the exit code is then 3
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
    /// Looks only at this client (repeatable); it then counts as audited
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// Where the mailboxes live: exchange-online, exchange-online:CLOUD, on-premises, consumer, other
    #[arg(long, default_value = "exchange-online")]
    hosting: Hosting,
    /// A host, or `*.SUFFIX`, that is right for these mailboxes besides (repeatable)
    #[arg(long, value_name = "HOST", value_parser = read_allowed_host)]
    allow_host: Vec<String>,
    /// An account for a person, the JSON contract as one object, or one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: CheckFormat,
    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    Text,
    Json,
    Jsonl,
}

pub(super) async fn run(args: &CheckArgs, common: &Common, out: &mut Output) -> anyhow::Result<Exit> {
    let Asked { addresses, faults } = Asked::read(&args.addresses)?;
    if args.format == CheckFormat::Json && addresses.len() + faults.len() != 1 {
        return Err(UsageError("--format json writes one object, for one address: use --format jsonl for several".to_owned()).into());
    }
    let site = Site::load(common)?;
    let auditor = site.auditor(&args.network)?;
    site.require_watchable(&args.client)?;
    let clients = auditor.clients_named(&args.client);
    let audited = if args.client.is_empty() { auditor.clients.audited_by_default() } else { args.client.clone() };
    let tenant = Tenant {
        id: "check".to_owned().try_into()?,
        name: String::new(),
        hosting: args.hosting,
        clients: audited,
        allowed_hosts: args.allow_host.clone(),
        manual_settings: Vec::new(),
    };
    let to_type = SettingsTable::built_in()?.to_type(args.hosting, None);
    let profile = Arc::new(Profile::default());
    let count = addresses.len();
    let (mut findings, mut unsure) = (false, false);
    for (at, address) in addresses.into_iter().enumerate() {
        let subject = Subject { address };
        let answers = auditor.ask(&clients, &subject).await;
        let view = view(&auditor, (&tenant, &profile), (&clients, &subject), &answers);
        match args.format {
            CheckFormat::Text => {
                if at > 0 {
                    writeln!(out)?;
                }
                view.write_text(out, &to_type)?;
            }
            CheckFormat::Jsonl => writeln!(out, "{}", serde_json::to_string(&view)?)?,
            CheckFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&view)?)?,
        }
        out.flush()?;
        findings |= view.needs_manual_configuration;
        unsure |= view.clients.iter().any(|client| client.audited && client.verdict == Verdict::Undetermined);
        if out.has_gone() {
            unsure |= at + 1 < count;
            break;
        }
    }
    if !faults.is_empty() {
        return Err(UsageError(faults.join("\n       ")).into());
    }
    Ok(match (findings, unsure) {
        (true, _) => Exit::Findings,
        (false, true) => Exit::Undetermined,
        (false, false) => Exit::Clean,
    })
}

fn view(
    auditor: &crate::audit::Auditor,
    (tenant, profile): (&Tenant, &Profile),
    (clients, subject): (&[&Client], &Subject),
    answers: &Answers,
) -> CheckView {
    let outcome = auditor.judge(clients, &Case { tenant, profile, subject }, answers);
    let readings = answers.lookups.iter().filter_map(|lookup| Some((lookup, answers.readings.get(&lookup.request)?)));
    let lookups = readings
        .enumerate()
        .map(|(at, (lookup, reading))| LookupView {
            id: at + 1,
            lookup: lookup.kind,
            asked: lookup.request.asked(),
            outcome: reading.outcome,
            detail: reading.detail.clone(),
            redirected_to: reading.answer.hops.iter().skip(1).map(|hop| hop.url.clone()).collect(),
            cnames: reading.answer.cnames.clone(),
            attempts: reading.answer.attempts,
            took_ms: reading.answer.took_ms,
        })
        .collect();
    CheckView::new(subject.address.clone(), auditor.clock.now().to_string(), &outcome, lookups)
}

/// What was asked for: the addresses, and what is wrong with the rest.
#[derive(Debug, Default)]
struct Asked {
    addresses: Vec<Address>,
    faults: Vec<String>,
}

impl Asked {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut asked = Self::default();
        for argument in arguments {
            if argument != "-" {
                asked.add(argument, "");
                continue;
            }
            for (at, line) in std::io::stdin().lock().split(b'\n').enumerate() {
                let line = line.context("standard input cannot be read")?;
                let line = String::from_utf8_lossy(&line);
                if !line.trim().is_empty() {
                    asked.add(&line, &format!("line {} of standard input: ", at + 1));
                }
            }
        }
        if asked.addresses.is_empty() && asked.faults.is_empty() {
            return Err(UsageError("no address on standard input".to_owned()).into());
        }
        Ok(asked)
    }

    fn add(&mut self, text: &str, place: &str) {
        match Address::parse(PlainLine::read(text).address) {
            Ok(address) => self.addresses.push(address),
            Err(error) => {
                let fault = format!("{place}`{}` is not an address that can be checked: {error}", text.trim());
                self.faults.push(visible(&fault).into_owned());
            }
        }
    }
}

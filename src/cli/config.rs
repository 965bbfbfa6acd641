//! `config check [FILE]`: what is wrong with a configuration, or what it means.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::{
    alert::destinations,
    clients::ClientTable,
    clock::Clock,
    config::{Config, KnownClients, TenantConfig, read_secret},
    mailboxes::read_list,
    model::{Hosting, LookupKind},
    network::{Pace, Paces},
    schedule::Timetable,
};

use super::{
    Common, Exit,
    exit::UsageError,
    mailboxes::count,
    plant::open_channels,
    site,
    site::{client_table, switched_off, watching},
};

/// The configuration.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Says everything that is wrong with a configuration and its lists, or what it means
    Check {
        /// The configuration [default: that of --config]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub(super) fn run(args: &ConfigArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let ConfigCommand::Check { file } = &args.command;
    let file = file.clone().or_else(|| site::config_path(common));
    let file = file.ok_or_else(|| UsageError("which configuration? Name it".to_owned()))?;
    Ok(check(&file, &site::client_names, (out, Clock::system().now()))?)
}

/// Checks a configuration and its lists, and writes all that is wrong, or what it means. For `clients` see [`Config::load_with`];
/// `now` is what the next runs come after.
///
/// # Errors
/// Where writing fails.
pub fn check(file: &Path, clients: &KnownClients, (out, now): (&mut impl Write, Timestamp)) -> io::Result<Exit> {
    let config = match Config::load_with(file, clients) {
        Ok(config) => config,
        Err(errors) => {
            writeln!(out, "{errors}")?;
            return Ok(Exit::Usage);
        }
    };
    writeln!(out, "{}: {}", file.display(), count(config.tenants.len(), "tenant", "tenants"))?;
    writeln!(out, "  database: {}", config.database.display())?;
    for (name, path) in [("clients file", &config.clients_file), ("endpoints file", &config.endpoints_file)] {
        if let Some(path) = path {
            writeln!(out, "  {name}: {}", path.display())?;
        }
    }
    if let Some(names) = &config.at_risk_clients {
        let named = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        writeln!(out, "  clients beside those that are audited: {named}")?;
    }
    let network = &config.network;
    if !network.dns_servers.is_empty() {
        let servers: Vec<String> = network.dns_servers.iter().map(ToString::to_string).collect();
        writeln!(out, "  DNS servers: {}", servers.join(", "))?;
    }
    if !network.allow_networks.is_empty() {
        let allowed: Vec<String> = network.allow_networks.iter().map(ToString::to_string).collect();
        writeln!(out, "  private networks that may be reached: {}", allowed.join(", "))?;
    }
    if !network.connect_to.is_empty() {
        writeln!(out, "  {} instead of what DNS says", count(network.connect_to.len(), "detour", "detours"))?;
    }
    let table = client_table(config.clients_file.as_deref()).map(|table| watching(table, &config)).ok();
    write_lookups((&config, table.as_ref()), out)?;
    let mut outcome = Exit::Clean;
    if !write_alerts(&config, out)? {
        outcome = Exit::Usage;
    }
    let known = clients(config.clients_file.as_deref()).unwrap_or_default();
    let by_default = table.map_or_else(Vec::new, |table| table.audited_by_default());
    for tenant in &config.tenants {
        if !write_tenant((&config, tenant), (&known, &by_default), (out, now))? {
            outcome = Exit::Usage;
        }
    }
    Ok(outcome)
}

/// What of the lookups is not as it is by default, and what follows from it.
fn write_lookups((config, clients): (&Config, Option<&ClientTable>), out: &mut impl Write) -> io::Result<()> {
    for (enabled, word) in [(false, "off"), (true, "on")] {
        let changed = |kind: &LookupKind| config.network.is_enabled(*kind) == enabled && Pace::of(*kind).enabled != enabled;
        let kinds: Vec<&str> = Paces::kinds().filter(changed).map(LookupKind::as_str).collect();
        if !kinds.is_empty() {
            writeln!(out, "  lookups switched {word}: {}", kinds.join(", "))?;
        }
    }
    if let Some(clients) = clients {
        let by_default = clients.audited_by_default();
        let tenants = config.tenants.iter().map(|entry| &entry.tenant.clients);
        let audited = tenants.flat_map(|named| if named.is_empty() { &by_default } else { named });
        let mut left_out: Vec<(LookupKind, Vec<&str>)> = Vec::new();
        for client in clients.watched(&audited.map(String::as_str).collect()) {
            let Some(kind) = switched_off(client, &config.network) else { continue };
            match left_out.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, names)) => names.push(&client.name),
                None => left_out.push((kind, vec![&client.name])),
            }
        }
        for (kind, names) in left_out {
            writeln!(out, "  note: not looked at, as the lookup `{kind}` is switched off:")?;
            for few in names.chunks(NAMES_A_LINE) {
                writeln!(out, "    {}", few.join(", "))?;
            }
        }
    }
    if let Some(source) = &config.bearer_token {
        writeln!(out, "  bearer token for Exchange Online: {source}")?;
        if let Err(problem) = read_secret(source) {
            writeln!(out, "  note: {source} {problem}, so `autodiscover-soap` is not asked")?;
        }
    }
    Ok(())
}

/// Names on one line.
const NAMES_A_LINE: usize = 6;

/// Whether every channel can be opened here.
fn write_alerts(config: &Config, out: &mut impl Write) -> io::Result<bool> {
    writeln!(out, "  listener: {}", config.listener.address)?;
    if config.channels.is_empty() {
        writeln!(out, "  channels: none, so nobody is told of incidents")?;
        return Ok(true);
    }
    let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    writeln!(out, "  channels: {}", names.join(", "))?;
    let told = destinations(&config.routes, &names);
    for name in names.iter().filter(|name| told.iter().all(|destination| destination.channel != **name)) {
        writeln!(out, "  note: no route sends anything to the channel `{name}`")?;
    }
    let (channels, faults) = open_channels(config);
    for channel in &channels {
        if let Some(warning) = channel.warning() {
            writeln!(out, "  note: the channel `{}`: {warning}", channel.name())?;
        }
    }
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    Ok(faults.is_empty())
}

/// The next times of a schedule, as its zone has them.
fn write_times(timetable: &Timetable, (out, mut at): (&mut impl Write, Timestamp)) -> io::Result<()> {
    let mut times = Vec::new();
    while times.len() < TIMES_SHOWN
        && let Some(due) = timetable.next(at)
    {
        at = due.at;
        times.push(timetable.schedule.local(at).strftime("%a %Y-%m-%d %H:%M").to_string());
    }
    writeln!(out, "  runs: {}; next: {}", timetable.schedule, times.join(", "))
}

/// Whether its list can be used.
fn write_tenant(
    (config, entry): (&Config, &TenantConfig),
    (clients, by_default): (&[String], &[String]),
    (out, now): (&mut impl Write, Timestamp),
) -> io::Result<bool> {
    let tenant = &entry.tenant;
    writeln!(out, "tenant {} ({})", tenant.id, tenant.name)?;
    writeln!(out, "  hosting: {} unless the list says otherwise", tenant.hosting)?;
    let (clients_audited, note) = if tenant.clients.is_empty() { (by_default, " (by default)") } else { (&*tenant.clients, "") };
    writeln!(out, "  clients: {}{note}", clients_audited.join(", "))?;
    if !tenant.allowed_hosts.is_empty() {
        writeln!(out, "  further hosts that are right: {}", tenant.allowed_hosts.join(", "))?;
    }
    for server in &tenant.manual_settings {
        writeln!(out, "  users type: {} {}:{}, {}", server.protocol.title(), server.host, server.port, server.security.title())?;
    }
    if matches!(tenant.hosting, Hosting::OnPremises | Hosting::Other) && tenant.manual_settings.is_empty() {
        writeln!(out, "  note: without `manual_settings` the report cannot say what users must type")?;
    }
    write_times(&entry.timetable, (out, now))?;
    match read_list(&entry.mailboxes, clients) {
        Ok(list) => {
            let mailboxes = count(list.mailboxes.len(), "mailbox", "mailboxes");
            writeln!(
                out,
                "  mailboxes: {}: {mailboxes} in {}",
                entry.mailboxes.display(),
                count(list.domain_count(), "domain", "domains")
            )?;
            if list.faulty_count() > 0 {
                let rows = count(list.faulty_count(), "row", "rows");
                writeln!(out, "  note: {rows} refused; `mailboxes check {}` names them", entry.mailboxes.display())?;
            }
            write_slow_lookups((config, &entry.timetable), list.mailboxes.len(), out)?;
            Ok(true)
        }
        Err(error) => {
            writeln!(out, "{}:{}: tenant.mailboxes: {error}", config.file.display(), entry.line)?;
            Ok(false)
        }
    }
}

/// Says which kinds of lookups, asked about each mailbox at their pace, take longer than a run may.
fn write_slow_lookups((config, timetable): (&Config, &Timetable), mailboxes: usize, out: &mut impl Write) -> io::Result<()> {
    for kind in [LookupKind::AutodiscoverV2, LookupKind::CredentialType] {
        let rate = config.network.paces.of(kind).requests_per_second;
        if !config.network.is_enabled(kind) || rate <= 0.0 {
            continue;
        }
        let seconds = u32::try_from(mailboxes).map_or(f64::INFINITY, f64::from) / rate;
        if seconds > timetable.deadline.as_secs_f64() {
            let (needed, allowed) = (in_words(seconds), in_words(timetable.deadline.as_secs_f64()));
            writeln!(
                out,
                "  note: `{kind}` asks about each mailbox, at {rate} a second for {needed}, and a run is ended after {allowed}: raise \
                 `lookups.{kind}.requests_per_second` or `schedule.deadline_minutes`"
            )?;
        }
    }
    Ok(())
}

/// `28 hours`, rounded up.
fn in_words(seconds: f64) -> String {
    let (amount, unit) = if seconds >= 2.0 * 3_600.0 { (seconds / 3_600.0, "hour") } else { (seconds / 60.0, "minute") };
    let amount = amount.ceil();
    format!("{amount} {unit}{}", if amount > 1.0 { "s" } else { "" })
}

const TIMES_SHOWN: usize = 5;

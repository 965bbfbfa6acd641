//! The configuration file: composes the settings of the rooms, checks across them, and names every fault at once by line.
//! TOML 1.1; `config/autodiscover-audit.toml` is the commented reference.

mod channel;
mod check;
mod content;
mod error;
mod listener;
mod lookup;
mod rule;
mod secret;
mod service;
mod suggest;
mod tenant;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    alert::{RouteSettings, SecretSource},
    audit::watched_by_default,
    model::{Domain, Tenant, TenantId},
    network,
    schedule::{ScheduleSettings, Timetable},
};

pub use channel::ChannelConfig;
pub use error::{ConfigError, ConfigErrors};
pub use listener::{ListenAddress, ListenerFault, ListenerSettings};
pub use secret::read_secret;
pub use service::{AlertSettings, ServiceSettings, StoreSettings};
pub use suggest::close;
pub(crate) use tenant::read_allowed_host;

use check::{Faults, entries_of, table_of};

/// The whole configuration; every path is complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it was read from.
    pub file: PathBuf,
    /// The database; `autodiscover-audit.db` beside the configuration file unless said otherwise.
    pub database: PathBuf,
    /// A file with further mail clients.
    pub clients_file: Option<PathBuf>,
    /// The mail clients that are looked at beside those that tenants audit; `None`: all that are not on request.
    pub at_risk_clients: Option<Vec<String>>,
    /// A file that replaces the table of endpoints.
    pub endpoints_file: Option<PathBuf>,
    /// `[network]`, with the paces and the bearer token of `[lookups]`.
    pub network: network::Settings,
    /// Where the bearer token for the SOAP interface of Exchange Online's Autodiscover is.
    pub bearer_token: Option<SecretSource>,
    /// `[audit]`.
    pub audit: AuditSettings,
    /// `[alerts]`.
    pub alerts: AlertSettings,
    /// `[channel.NAME]`, in the order of the file.
    pub channels: Vec<ChannelConfig>,
    /// `[[route]]`.
    pub routes: Vec<RouteSettings>,
    /// `[schedule]`.
    pub schedule: ScheduleSettings,
    /// `[service]`.
    pub service: ServiceSettings,
    /// `[listener]`.
    pub listener: ListenerSettings,
    /// `[store]`.
    pub store: StoreSettings,
    /// `[[tenant]]`; at least one.
    pub tenants: Vec<TenantConfig>,
}

/// `[audit]`: how a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Domains that are looked up at one time; 1 to 1024.
    pub domains_at_once: usize,
    /// Names whose entries in the ISP databases that clients ask are watched for changes; none: nothing is watched.
    pub watched_entries: Vec<Domain>,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { domains_at_once: 32, watched_entries: watched_by_default() }
    }
}

/// One `[[tenant]]`.
#[derive(Debug, Clone)]
pub struct TenantConfig {
    /// Who it is.
    pub tenant: Tenant,
    /// The list of its mailboxes.
    pub mailboxes: PathBuf,
    /// When its runs are due.
    pub timetable: Timetable,
    /// The line of the file in which it starts.
    pub line: usize,
}

impl Config {
    /// Reads and checks a configuration; `clients` are the names that `clients` keys may hold.
    ///
    /// # Errors
    /// [`ConfigErrors`], with everything that is wrong; a file that is no TOML has one error.
    pub fn load<S: AsRef<str>>(path: &Path, clients: &[S]) -> Result<Self, ConfigErrors> {
        let names: Vec<String> = clients.iter().map(|name| name.as_ref().to_owned()).collect();
        Self::load_with(path, &|_| Ok(names.clone()))
    }

    /// As [`Config::load`], where the known clients depend on `clients_file`: `clients` is given that path and answers with all names, or
    /// with what is wrong with the file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(path: &Path, clients: &KnownClients) -> Result<Self, ConfigErrors> {
        Self::load_as(path, clients, true)
    }

    /// As [`Config::load_with`], but the lists of mailboxes may be missing: whoever reads them says so, and the service, the other tenants
    /// and what was found before do not depend on it.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_without_lists(path: &Path, clients: &KnownClients) -> Result<Self, ConfigErrors> {
        Self::load_as(path, clients, false)
    }

    fn load_as(path: &Path, clients: &KnownClients, needs_lists: bool) -> Result<Self, ConfigErrors> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let advice =
                if error.kind() == std::io::ErrorKind::InvalidData { "save it as UTF-8" } else { "check the path and who may read it" };
            ConfigErrors::whole(path, format!("cannot be read: {error}; {advice}"))
        })?;
        let root = DeTable::parse(&text).map_err(|error| ConfigErrors::syntax(path, &text, &error))?;
        let mut faults = Faults::default();
        let config = read(&Source { path, text: &text, needs_lists }, root.into_inner(), clients, &mut faults);
        if faults.is_empty() { Ok(config) } else { Err(ConfigErrors::located(path, &text, faults.into_list())) }
    }
}

/// Gives the names of all mail clients, those of a `clients_file` included.
pub type KnownClients<'a> = dyn Fn(Option<&Path>) -> Result<Vec<String>, String> + 'a;

/// The keys outside tables.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Top {
    database: Option<PathBuf>,
    clients_file: Option<PathBuf>,
    at_risk_clients: Option<Vec<String>>,
    endpoints_file: Option<PathBuf>,
    // these are read by themselves
    #[serde(rename = "network")]
    _network: serde::de::IgnoredAny,
    #[serde(rename = "lookups")]
    _lookups: serde::de::IgnoredAny,
    #[serde(rename = "audit")]
    _audit: serde::de::IgnoredAny,
    #[serde(rename = "alerts")]
    _alerts: serde::de::IgnoredAny,
    #[serde(rename = "channel")]
    _channel: serde::de::IgnoredAny,
    #[serde(rename = "route")]
    _route: serde::de::IgnoredAny,
    #[serde(rename = "schedule")]
    _schedule: serde::de::IgnoredAny,
    #[serde(rename = "service")]
    _service: serde::de::IgnoredAny,
    #[serde(rename = "listener")]
    _listener: serde::de::IgnoredAny,
    #[serde(rename = "store")]
    _store: serde::de::IgnoredAny,
    #[serde(rename = "tenant")]
    _tenant: serde::de::IgnoredAny,
}

/// The file that is read.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    /// Whether the lists of mailboxes must be there.
    needs_lists: bool,
}

impl Source<'_> {
    /// The line of a place in the file, from 1.
    fn line(&self, at: usize) -> usize {
        error::position(self.text, at).0
    }

    /// A path of the file, which starts where the file is.
    fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

/// Takes the tables out that are read by themselves.
fn take<'i>(root: &mut DeTable<'i>, name: &str, faults: &mut Faults) -> DeTable<'i> {
    root.remove(name).and_then(|value| table_of(value, name, faults)).unwrap_or_default()
}

fn read(source: &Source, mut root: DeTable, known: &KnownClients, faults: &mut Faults) -> Config {
    let network_tables = ["network", "lookups"].map(|name| take(&mut root, name, faults));
    let audit = take(&mut root, "audit", faults);
    let [alerts, service, store] = ["alerts", "service", "store"].map(|name| take(&mut root, name, faults));
    let (schedule_table, listener_table) = (take(&mut root, "schedule", faults), take(&mut root, "listener", faults));
    let tenants = root.remove("tenant").map(|value| entries_of(value, "tenant", faults));
    let channels = root.remove("channel").map(|value| channel::read_channels(source, value, faults)).unwrap_or_default();
    let routes = root.remove("route").map(|value| entries_of(value, "route", faults)).unwrap_or_default();

    let spans = root.clone();
    let top: Top = faults.section("", root);
    let clients_file = top.clients_file.map(|file| source.resolve(file));
    let clients = known(clients_file.as_deref()).unwrap_or_else(|problem| {
        let span = spans.get("clients_file").map(Spanned::span);
        faults.add(span, "clients_file", format!("{problem}; correct that file"));
        Vec::new()
    });
    if let Some(named) = spans.get("at_risk_clients") {
        tenant::check_names(named, ("at_risk_clients", &clients), faults);
    }
    check_files(source, &spans, faults);
    let schedule = read_schedule(schedule_table, faults);
    let tenants = tenant::Reader { source, clients: &clients, schedule: &schedule }.read_all(tenants.unwrap_or_default(), faults);
    let (network, bearer_token) = read_network(source, network_tables, faults);
    let ids: Vec<&TenantId> = tenants.iter().map(|entry| &entry.tenant.id).collect();
    Config {
        file: source.path.to_owned(),
        database: source.resolve(top.database.unwrap_or_else(|| PathBuf::from(DATABASE))),
        clients_file,
        at_risk_clients: top.at_risk_clients,
        endpoints_file: top.endpoints_file.map(|file| source.resolve(file)),
        network,
        bearer_token,
        audit: faults.section("audit", audit),
        alerts: faults.section("alerts", alerts),
        routes: channel::read_routes(routes, (&channels, &ids), faults),
        channels,
        schedule,
        service: with_secret(source, faults.section("service", service), |service: &mut ServiceSettings| service.heartbeat_url.as_mut()),
        listener: read_listener(source, listener_table, faults),
        store: faults.section("store", store),
        tenants,
    }
}

fn check_files(source: &Source, spans: &DeTable, faults: &mut Faults) {
    for (file, span) in texts(spans.get("clients_file")) {
        faults.check_file(span, "clients_file", &source.resolve(file));
    }
    for (file, span) in texts(spans.get("endpoints_file")) {
        faults.check_content((span, "endpoints_file"), &source.resolve(file), content::check_endpoints);
    }
}

fn read_network(source: &Source, [table, lookups]: [DeTable; 2], faults: &mut Faults) -> (network::Settings, Option<SecretSource>) {
    for (file, span) in texts(table.get("ca_files")) {
        faults.check_content((span, "network.ca_files"), &source.resolve(file), content::check_certificates);
    }
    let mut network: network::Settings = faults.section("network", table);
    for file in &mut network.ca_files {
        *file = source.resolve(&file);
    }
    let lookups = with_secret(source, lookup::read_lookups(lookups, faults), |lookups| lookups.bearer_token.as_mut());
    network.paces = lookups.paces;
    network.soap_token = lookups.bearer_token.clone().map(|token| {
        let read = move || read_secret(&token).map_err(|problem| format!("{token} {problem}"));
        network::BearerToken::new(read)
    });
    (network, lookups.bearer_token)
}

fn read_schedule(table: DeTable, faults: &mut Faults) -> ScheduleSettings {
    let spans = ["cron", "zone"].map(|key| table.get(key).map(Spanned::span));
    let schedule: ScheduleSettings = faults.section("schedule", table);
    if let Err(error) = schedule.check() {
        let [cron, zone] = spans;
        let (span, key) = if error.is_zone() { (zone, "schedule.zone") } else { (cron, "schedule.cron") };
        faults.add(span, key, error.to_string());
        return ScheduleSettings::default();
    }
    schedule
}

fn read_listener(source: &Source, table: DeTable, faults: &mut Faults) -> ListenerSettings {
    let span = table.get("address").map(Spanned::span);
    let listener = with_secret(source, faults.section("listener", table), |listener: &mut ListenerSettings| listener.token.as_mut());
    if let Err(error) = listener.check() {
        faults.add(span, "listener", error.to_string());
    }
    listener
}

/// Settings whose secret's file starts where the configuration is.
fn with_secret<T>(source: &Source, mut settings: T, secret: impl FnOnce(&mut T) -> Option<&mut SecretSource>) -> T {
    if let Some(SecretSource::File(path)) = secret(&mut settings) {
        *path = source.resolve(&*path);
    }
    settings
}

/// The texts of a value, or of the list that it is, each with its place.
fn texts<'a>(value: Option<&'a Spanned<DeValue<'_>>>) -> Vec<(&'a str, std::ops::Range<usize>)> {
    let Some(value) = value else { return Vec::new() };
    match value.get_ref() {
        DeValue::String(text) => vec![(text, value.span())],
        DeValue::Array(values) => values.iter().flat_map(|value| texts(Some(value))).collect(),
        _ => Vec::new(),
    }
}

const DATABASE: &str = "autodiscover-audit.db";

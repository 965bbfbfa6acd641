//! The configuration file: composes the settings of the rooms, checks across them, and names every fault at once by line.
//! TOML 1.1; `config/autodiscover-audit.toml` is the commented reference.

mod check;
mod content;
mod error;
mod listener;
mod rule;
mod suggest;
mod tenant;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{model::Tenant, network};

pub use error::{ConfigError, ConfigErrors};
pub use listener::{ListenAddress, ListenerFault, ListenerSettings};
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
    /// A file that replaces the table of endpoints.
    pub endpoints_file: Option<PathBuf>,
    /// `[network]`.
    pub network: network::Settings,
    /// `[audit]`.
    pub audit: AuditSettings,
    /// `[[tenant]]`; at least one.
    pub tenants: Vec<TenantConfig>,
}

/// `[audit]`: how a run goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Domains that are looked up at one time; 1 to 1024.
    pub domains_at_once: usize,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { domains_at_once: 32 }
    }
}

/// One `[[tenant]]`.
#[derive(Debug, Clone)]
pub struct TenantConfig {
    /// Who it is.
    pub tenant: Tenant,
    /// The list of its mailboxes.
    pub mailboxes: PathBuf,
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
        let text = std::fs::read_to_string(path).map_err(|error| {
            let advice =
                if error.kind() == std::io::ErrorKind::InvalidData { "save it as UTF-8" } else { "check the path and who may read it" };
            ConfigErrors::whole(path, format!("cannot be read: {error}; {advice}"))
        })?;
        let root = DeTable::parse(&text).map_err(|error| ConfigErrors::syntax(path, &text, &error))?;
        let mut faults = Faults::default();
        let config = read(&Source { path, text: &text }, root.into_inner(), clients, &mut faults);
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
    endpoints_file: Option<PathBuf>,
    // these are read by themselves
    #[serde(rename = "network")]
    _network: serde::de::IgnoredAny,
    #[serde(rename = "audit")]
    _audit: serde::de::IgnoredAny,
    #[serde(rename = "tenant")]
    _tenant: serde::de::IgnoredAny,
}

/// The file that is read.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    /// A path of the file, which starts where the file is.
    fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn read(source: &Source, mut root: DeTable, known: &KnownClients, faults: &mut Faults) -> Config {
    let network_table = root.remove("network").and_then(|value| table_of(value, "network", faults)).unwrap_or_default();
    let audit_table = root.remove("audit").and_then(|value| table_of(value, "audit", faults)).unwrap_or_default();
    let tenants = root.remove("tenant").map(|value| entries_of(value, "tenant", faults));

    let spans = root.clone();
    let top: Top = faults.section("", root);
    let mut network: network::Settings = faults.section("network", network_table.clone());
    let audit = faults.section("audit", audit_table);

    for file in &mut network.ca_files {
        *file = source.resolve(&file);
    }
    for (file, span) in texts(network_table.get("ca_files")) {
        faults.check_content((span, "network.ca_files"), &source.resolve(file), content::check_certificates);
    }
    for (file, span) in texts(spans.get("clients_file")) {
        faults.check_file(span, "clients_file", &source.resolve(file));
    }
    for (file, span) in texts(spans.get("endpoints_file")) {
        faults.check_content((span, "endpoints_file"), &source.resolve(file), content::check_endpoints);
    }

    let clients_file = top.clients_file.map(|file| source.resolve(file));
    let clients = known(clients_file.as_deref()).unwrap_or_else(|problem| {
        let span = spans.get("clients_file").map(Spanned::span);
        faults.add(span, "clients_file", format!("{problem}; correct that file"));
        Vec::new()
    });
    let tenants = tenant::Reader { source, clients: &clients }.read_all(tenants.unwrap_or_default(), faults);
    Config {
        file: source.path.to_owned(),
        database: source.resolve(top.database.unwrap_or_else(|| PathBuf::from(DATABASE))),
        clients_file,
        endpoints_file: top.endpoints_file.map(|file| source.resolve(file)),
        network,
        audit,
        tenants,
    }
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

//! The site: the configuration with the tables of clients and endpoints that it names, and what is made of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::{Common, exit::UsageError, network::NetworkArgs};
use crate::{
    audit::{Auditor, BODIES, TenantJob},
    classify::EndpointTable,
    clients::{Client, ClientTable},
    clock::Clock,
    config::{Config, ListenerSettings},
    mailboxes,
    model::{Hosting, LookupKind, Tenant, TenantId},
    network::{Alias, Network, Parts, Settings},
    remedy::{Advisor, Remedies},
};

/// What a command works with.
#[derive(Debug)]
pub(super) struct Site {
    /// The configuration, where there is one.
    pub(super) config: Option<Config>,
    pub(super) clients: ClientTable,
    pub(super) endpoints: EndpointTable,
}

/// A tenant's mailboxes, and what of its list is not among them.
#[derive(Debug)]
pub(super) struct ListedJob {
    /// What the audit takes.
    pub(super) job: TenantJob,
    /// Where the list is; `-` for standard input.
    pub(super) list: PathBuf,
    /// Rows that someone should put right.
    pub(super) refused: u64,
}

impl Site {
    /// Reads the configuration: the one that is named, or the system's where it exists.
    pub(super) fn load(common: &Common) -> anyhow::Result<Self> {
        let Some(path) = config_path(common) else {
            return Ok(Self { config: None, clients: ClientTable::built_in()?, endpoints: EndpointTable::built_in()? });
        };
        Self::load_from(&path)
    }

    /// Reads the configuration in a file; not the lists that it names.
    pub(super) fn load_from(path: &Path) -> anyhow::Result<Self> {
        let config = Config::load_without_lists(path, &client_names).map_err(|errors| UsageError(errors.to_string()))?;
        let clients = watching(client_table(config.clients_file.as_deref()).map_err(UsageError)?, &config);
        let endpoints = match &config.endpoints_file {
            None => EndpointTable::built_in()?,
            Some(file) => EndpointTable::parse(&read(file).map_err(UsageError)?)
                .map_err(|error| UsageError(format!("{}: {error}", file.display())))?,
        };
        Ok(Self { config: Some(config), clients, endpoints })
    }

    /// The names of all clients.
    pub(super) fn client_names(&self) -> Vec<String> {
        self.clients.names()
    }

    /// Refuses names of clients that nobody knows.
    pub(super) fn require_clients(&self, names: &[String]) -> anyhow::Result<()> {
        let known = self.client_names();
        match names.iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => Err(UsageError(format!("`{name}` is no client: write one of {}", known.join(", "))).into()),
        }
    }

    /// Refuses names of clients that nobody knows, or that cannot be looked at.
    pub(super) fn require_watchable(&self, names: &[String]) -> anyhow::Result<()> {
        self.require_clients(names)?;
        for client in self.clients.iter().filter(|client| names.contains(&client.name)) {
            if let Some(kind) = self.config.as_ref().and_then(|config| switched_off(client, &config.network)) {
                let advice = format!("set `lookups.{kind}.enabled` to true in the configuration");
                return Err(UsageError(format!("`{}` cannot be looked at without its lookup `{kind}`: {advice}", client.name)).into());
            }
        }
        Ok(())
    }

    /// What helps against findings: what is typed, and what is published.
    pub(super) fn remedies(&self) -> anyhow::Result<Remedies> {
        Ok(Remedies::new(Advisor::new(self.clients.intakes()), self.tenants(&[])?)?)
    }

    /// The auditor, on the network of the configuration and of the command line.
    pub(super) fn auditor(&self, arguments: &NetworkArgs) -> anyhow::Result<Auditor> {
        self.auditor_with(arguments, Vec::new())
    }

    /// The same on a network that takes these names for aliases.
    pub(super) fn auditor_with(&self, arguments: &NetworkArgs, aliases: Vec<Alias>) -> anyhow::Result<Auditor> {
        let settings = arguments.apply(self.config.as_ref().map_or_else(Settings::default, |config| config.network.clone()));
        let settings = Settings { aliases, ..settings };
        let clock = Clock::system();
        let parts = Parts { settings: &settings, clock: clock.clone(), bodies: BODIES };
        let network = Network::new(parts).map_err(|error| {
            UsageError(
                anyhow::Error::new(error)
                    .context("the network cannot be set up")
                    .chain()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(": "),
            )
        })?;
        Ok(Auditor { network, clients: self.clients.clone(), endpoints: self.endpoints.clone(), clock })
    }

    /// The database: the one that is named, or the configuration's.
    pub(super) fn database(&self, named: Option<&PathBuf>) -> anyhow::Result<PathBuf> {
        let configured = self.config.as_ref().map(|config| &config.database);
        named
            .or(configured)
            .cloned()
            .ok_or_else(|| UsageError("which database? Name it, or a configuration with --config".to_owned()).into())
    }

    /// Where the service listens.
    pub(super) fn listener(&self) -> ListenerSettings {
        self.config.as_ref().map(|config| config.listener.clone()).unwrap_or_default()
    }

    /// The tenants of the configuration; those of these ids where some are named.
    pub(super) fn tenants(&self, ids: &[TenantId]) -> anyhow::Result<Vec<Tenant>> {
        let Some(config) = &self.config else { return Ok(Vec::new()) };
        if let Some(unknown) = ids.iter().find(|id| config.tenants.iter().all(|known| known.tenant.id != **id)) {
            let known: Vec<&str> = config.tenants.iter().map(|known| known.tenant.id.as_str()).collect();
            return Err(UsageError(format!("`{unknown}` is no tenant of the configuration: write one of {}", known.join(", "))).into());
        }
        let wanted = config.tenants.iter().filter(|known| ids.is_empty() || ids.contains(&known.tenant.id));
        Ok(wanted.map(|known| self.complete(known.tenant.clone())).collect())
    }

    /// The tenants with their lists.
    pub(super) fn jobs(&self, ids: &[TenantId]) -> anyhow::Result<Vec<ListedJob>> {
        let lists = self.config.iter().flat_map(|config| &config.tenants);
        let path_of = |id: &TenantId| lists.clone().find(|known| known.tenant.id == *id).map(|known| known.mailboxes.clone());
        let jobs = self.tenants(ids)?.into_iter().map(|tenant| {
            let path = path_of(&tenant.id).with_context(|| format!("tenant `{}` has no list", tenant.id))?;
            self.job(tenant, &path)
        });
        jobs.collect()
    }

    /// A tenant with the list in a file.
    pub(super) fn job(&self, tenant: Tenant, list: &Path) -> anyhow::Result<ListedJob> {
        let read = if list == Path::new("-") {
            mailboxes::read_from(std::io::stdin().lock(), "standard input", &self.client_names())?
        } else {
            mailboxes::read_list(list, &self.client_names())?
        };
        if read.faulty_count() > 0 || read.duplicates > 0 {
            tracing::warn!(
                tenant = %tenant.id, list = %list.display(), refused = read.faulty_count(), duplicates = read.duplicates,
                "the list has rows that were left out: see `autodiscover-audit mailboxes check`"
            );
        }
        Ok(ListedJob {
            list: list.to_owned(),
            refused: read.faulty_count(),
            job: TenantJob { tenant, mailboxes: read.mailboxes, only: None },
        })
    }

    /// The one tenant of a run without configuration.
    pub(super) fn only_tenant(&self, hosting: Hosting) -> anyhow::Result<Tenant> {
        let id = TenantId::try_from("default".to_owned())?;
        let tenant = Tenant {
            id,
            name: "Mailboxes".to_owned(),
            hosting,
            clients: Vec::new(),
            allowed_hosts: Vec::new(),
            manual_settings: Vec::new(),
        };
        Ok(self.complete(tenant))
    }

    pub(super) fn complete(&self, mut tenant: Tenant) -> Tenant {
        if tenant.clients.is_empty() {
            tenant.clients = self.clients.audited_by_default();
        }
        // what users are told to type is right where a client finds it by itself
        let own: Vec<String> = tenant.manual_settings.iter().map(|server| server.host.clone()).collect();
        tenant.allowed_hosts.extend(own);
        tenant
    }
}

/// A kind of lookup that a client needs and the settings switch off.
pub(super) fn switched_off(client: &Client, settings: &Settings) -> Option<LookupKind> {
    client.kinds().into_iter().find(|kind| !settings.is_enabled(*kind))
}

/// The configuration: the one that is named, or the system's where it exists.
pub(super) fn config_path(common: &Common) -> Option<PathBuf> {
    let system = Path::new(SYSTEM_CONFIG);
    common.config.clone().or_else(|| system.exists().then(|| system.to_owned()))
}

/// The names of all clients, those of a site's own file included.
pub(super) fn client_names(file: Option<&Path>) -> Result<Vec<String>, String> {
    client_table(file).map(|table| table.names())
}

/// The table of clients, a site's own file included.
pub(super) fn client_table(file: Option<&Path>) -> Result<ClientTable, String> {
    let table = ClientTable::built_in().map_err(|error| error.to_string())?;
    match file {
        None => Ok(table),
        Some(file) => table.with(&read(file)?).map_err(|error| format!("{}: {error}", file.display())),
    }
}

/// The table with what the configuration says of who is looked at.
pub(super) fn watching(clients: ClientTable, config: &Config) -> ClientTable {
    match &config.at_risk_clients {
        Some(names) => clients.with_at_risk(names),
        None => clients,
    }
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

const SYSTEM_CONFIG: &str = "/etc/autodiscover-audit/autodiscover-audit.toml";

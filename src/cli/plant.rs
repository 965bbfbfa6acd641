//! What alerts and the service work with, made of the configuration: secrets are read here, and every fault is told at once.

use std::sync::Arc;

use secrecy::SecretString;

use super::{exit::UsageError, site::Site};
use crate::{
    alert::{Channel, Opening, Wording, destinations},
    audit::Alerting,
    clock::Clock,
    config::{Config, read_secret},
    daemon::{
        Plant, Post,
        listener::{Basis, Token},
    },
    network::{Outbound, OutboundSettings},
    store::Destination,
};

impl Site {
    /// What becomes of the incidents; without a configuration nobody is told. Nothing is queued for channels without a queue.
    pub(super) fn alerting(&self) -> Alerting {
        let Some(config) = &self.config else { return Alerting::default() };
        let mut destinations = self.destinations();
        destinations.retain(|destination| {
            config.channels.iter().any(|channel| channel.name == destination.channel && channel.settings.has_queue())
        });
        Alerting { policy: config.alerts.policy(), destinations }
    }

    /// Which channel is told of what.
    pub(super) fn destinations(&self) -> Vec<Destination> {
        let Some(config) = &self.config else { return Vec::new() };
        let names: Vec<&str> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
        destinations(&config.routes, &names)
    }

    /// The words of notices.
    pub(super) fn wording(&self) -> Wording {
        Wording::new(&self.clients, self.config.as_ref().and_then(|config| config.alerts.report_url.clone()))
    }

    /// The channels of the configuration, their secrets read.
    pub(super) fn channels(&self) -> anyhow::Result<Vec<Channel>> {
        let Some(config) = &self.config else { return Ok(Vec::new()) };
        let (channels, faults) = open_channels(config);
        if faults.is_empty() { Ok(channels) } else { Err(UsageError(faults.join("\n")).into()) }
    }

    /// What a service of this configuration works with.
    pub(super) fn plant(&self) -> anyhow::Result<Plant> {
        let config = self.config.as_ref().ok_or_else(|| UsageError("a service needs a configuration: name it with --config".to_owned()))?;
        let (channels, mut faults) = open_channels(config);
        let mut noted = |found: Result<Option<SecretString>, String>| {
            found.unwrap_or_else(|fault| {
                faults.push(fault);
                None
            })
        };
        let heartbeat = noted(secret(config, "service.heartbeat_url", config.service.heartbeat_url.as_ref()));
        let token = noted(secret(config, "listener.token", config.listener.token.as_ref()));
        // the network reads it again where it needs it
        noted(secret(config, "lookups.autodiscover-soap.bearer_token", config.bearer_token.as_ref()));
        let token = match token.as_ref().map(Token::new).transpose() {
            Ok(token) => token,
            Err(error) => {
                faults.push(format!("{}: listener.token: {error}", config.file.display()));
                None
            }
        };
        if !faults.is_empty() {
            return Err(UsageError(faults.join("\n")).into());
        }
        let post = |entry: &crate::config::TenantConfig| Post {
            tenant: self.complete(entry.tenant.clone()),
            list: entry.mailboxes.clone(),
            timetable: entry.timetable.clone(),
        };
        let posts: Vec<Post> = config.tenants.iter().map(post).collect();
        let names = config.channels.iter().map(|channel| channel.name.clone()).collect();
        let basis = Basis { token, clients: self.client_names(), remedies: Arc::new(self.remedies()?), channels: names };
        let outbound = OutboundSettings { ca_files: config.network.ca_files.clone(), ..OutboundSettings::default() };
        Ok(Plant {
            database: config.database.clone(),
            posts,
            network: config.network.clone(),
            clients: self.clients.clone(),
            endpoints: self.endpoints.clone(),
            domains_at_once: config.audit.domains_at_once,
            watched_entries: config.audit.watched_entries.clone(),
            alerting: self.alerting(),
            destinations: self.destinations(),
            channels,
            wording: self.wording(),
            retention: config.store.retention(),
            heartbeat,
            outbound: Outbound::new(&outbound, Clock::system())?,
            listener: config.listener.clone(),
            basis: Arc::new(basis),
        })
    }
}

/// The channels that can be opened, and what is wrong with the others, by file and line.
pub(super) fn open_channels(config: &Config) -> (Vec<Channel>, Vec<String>) {
    let (mut channels, mut faults) = (Vec::new(), Vec::new());
    let clock = Clock::system();
    for channel in &config.channels {
        let opening = Opening { name: &channel.name, secrets: &read_secret, clock: &clock };
        match Channel::open(&channel.settings, opening) {
            Ok(open) => channels.push(open),
            Err(error) => faults.push(format!("{}:{}: {error}", config.file.display(), channel.line)),
        }
    }
    (channels, faults)
}

fn secret(config: &Config, key: &str, source: Option<&crate::alert::SecretSource>) -> Result<Option<SecretString>, String> {
    let Some(source) = source else { return Ok(None) };
    read_secret(source).map(Some).map_err(|problem| format!("{}: {key}: {source} {problem}", config.file.display()))
}

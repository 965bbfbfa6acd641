//! Routes: which channel is told of what. Pure.

use serde::Deserialize;

use crate::{
    model::{Concern, Severity, TenantId},
    store::Destination,
};

/// `[[route]]`: sends some of what happens to some channels. Without any route every channel is told of everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// The channels' names, one at least.
    pub channels: Vec<String>,
    /// Only incidents of these tenants, and none that is no tenant's; absent: all.
    #[serde(default)]
    pub tenants: Option<Vec<TenantId>>,
    /// Only incidents at least as grave: `info`, `warning`, `error` or `critical`.
    #[serde(default = "info")]
    pub least_severity: Severity,
    /// Only incidents of these kinds: `finding`, `outage`, `run`, `channel`, `store`, `drift`; absent: all.
    #[serde(default)]
    pub kinds: Option<Vec<String>>,
}

fn info() -> Severity {
    Severity::Info
}

/// What is wrong with a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It names no channel.
    #[error("names no channel; name one at least")]
    NoChannel,
    /// There is no such channel.
    #[error("names the channel `{0}`, which is not configured")]
    Channel(String),
    /// There is no such kind.
    #[error("names the kind `{0}`; kinds are finding, outage, run, channel, store and drift")]
    Kind(String),
    /// There is no such tenant.
    #[error("names the tenant `{0}`, which is not configured")]
    Tenant(TenantId),
}

impl RouteSettings {
    /// Checks it against what is configured.
    ///
    /// # Errors
    /// [`RouteError`] with the first that is wrong.
    pub fn check(&self, channels: &[&str], tenants: &[&TenantId]) -> Result<(), RouteError> {
        if self.channels.is_empty() {
            return Err(RouteError::NoChannel);
        }
        if let Some(channel) = self.channels.iter().find(|channel| !channels.contains(&channel.as_str())) {
            return Err(RouteError::Channel(channel.clone()));
        }
        if let Some(kind) = self.kinds.iter().flatten().find(|kind| !Concern::KINDS.contains(&kind.as_str())) {
            return Err(RouteError::Kind(kind.clone()));
        }
        match self.tenants.iter().flatten().find(|tenant| !tenants.contains(tenant)) {
            Some(tenant) => Err(RouteError::Tenant(tenant.clone())),
            None => Ok(()),
        }
    }
}

/// The destinations of these routes; without routes each of the channels is told of everything.
#[must_use]
pub fn destinations(routes: &[RouteSettings], channels: &[&str]) -> Vec<Destination> {
    if routes.is_empty() {
        let all = |channel: &&str| Destination { channel: (*channel).to_owned(), kinds: None, least: Severity::Info, tenants: None };
        return channels.iter().map(all).collect();
    }
    let of_route = |route: &RouteSettings| {
        let RouteSettings { channels, tenants, least_severity, kinds } = route.clone();
        channels.into_iter().map(move |channel| Destination {
            channel,
            kinds: kinds.clone(),
            least: least_severity,
            tenants: tenants.clone(),
        })
    };
    routes.iter().flat_map(of_route).collect()
}

/// Those that name another channel: what is wrong with a channel is told on the others.
pub(super) fn of_others(destinations: &[Destination], channel: &str) -> Vec<Destination> {
    destinations.iter().filter(|destination| destination.channel != channel).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(toml: &str) -> RouteSettings {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn without_routes_every_channel_is_told_of_everything() {
        let all = |channel: &str| Destination { channel: channel.into(), kinds: None, least: Severity::Info, tenants: None };
        assert_eq!(destinations(&[], &["ops", "team"]), [all("ops"), all("team")]);
        assert_eq!(of_others(&[all("ops"), all("team"), all("ops")], "ops"), [all("team")]);
    }

    #[test]
    fn a_route_is_a_destination_for_each_of_its_channels() {
        let routes = [
            route("channels = ['ops', 'team']\ntenants = ['contoso']\nleast_severity = 'error'"),
            route("channels = ['team']\nkinds = ['run', 'outage']"),
        ];
        let found = destinations(&routes, &["ops", "team", "unused"]);
        let shown: Vec<_> = found.iter().map(|to| (to.channel.as_str(), to.least, to.tenants.is_some(), to.kinds.is_some())).collect();
        assert_eq!(
            shown,
            [("ops", Severity::Error, true, false), ("team", Severity::Error, true, false), ("team", Severity::Info, false, true)]
        );
    }

    #[test]
    fn what_a_route_names_must_be_there() {
        let contoso = TenantId::try_from("contoso".to_owned()).unwrap();
        for (toml, problem) in [
            ("channels = ['ops']\ntenants = ['contoso']\nkinds = ['finding']", None),
            ("channels = []", Some("names no channel; name one at least")),
            ("channels = ['opps']", Some("names the channel `opps`, which is not configured")),
            (
                "channels = ['ops']\nkinds = ['mail']",
                Some("names the kind `mail`; kinds are finding, outage, run, channel, store and drift"),
            ),
            ("channels = ['ops']\ntenants = ['fabrikam']", Some("names the tenant `fabrikam`, which is not configured")),
        ] {
            let found = route(toml).check(&["ops"], &[&contoso]).err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), problem, "{toml}");
        }
    }
}

//! Which channel is told of what. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Concern, Event, Severity, TenantId};

/// What a channel wants to be told; several may name one channel, which then gets what any of them lets through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The channel's name.
    pub channel: String,
    /// Only incidents of these kinds ([`Concern::KINDS`]).
    pub kinds: Option<Vec<String>>,
    /// Only incidents that are, or were in the same episode, at least as grave.
    pub least: Severity,
    /// Only incidents of these tenants, and none about us.
    pub tenants: Option<Vec<TenantId>>,
}

impl Destination {
    /// Whether it lets an incident through that is this grave.
    #[must_use]
    pub fn takes(&self, concern: &Concern, gravest: Severity) -> bool {
        gravest >= self.least
            && self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == concern.kind()))
            && self.tenants.as_ref().is_none_or(|tenants| concern.tenant().is_some_and(|tenant| tenants.contains(tenant)))
    }
}

/// An event with what decides where it goes.
#[derive(Debug, Clone)]
pub(super) struct Routed {
    pub(super) event: Event,
    /// The highest severity of the episode so far.
    pub(super) gravest: Severity,
}

impl Routed {
    /// Whether one of these destinations takes it, whichever channel they name.
    pub(super) fn goes_to<'a>(&self, destinations: impl IntoIterator<Item = &'a Destination>) -> bool {
        !self.event.is_muted && destinations.into_iter().any(|destination| destination.takes(&self.event.concern, self.gravest))
    }
}

/// The channels that the destinations name, each once.
pub(super) fn channels(destinations: &[Destination]) -> BTreeSet<&str> {
    destinations.iter().map(|destination| destination.channel.as_str()).collect()
}

/// The destinations that name a channel.
pub(super) fn of_channel<'a>(destinations: &'a [Destination], channel: &'a str) -> impl Iterator<Item = &'a Destination> + Clone {
    destinations.iter().filter(move |destination| destination.channel == channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_takes_what_is_grave_enough_of_its_kinds_and_tenants() {
        let tenant = |id: &str| TenantId::try_from(id.to_owned()).unwrap();
        let all = Destination { channel: "ops".into(), kinds: None, least: Severity::Info, tenants: None };
        let runs = Destination { kinds: Some(vec!["run".into()]), ..all.clone() };
        let grave = Destination { least: Severity::Error, ..all.clone() };
        let theirs = Destination { tenants: Some(vec![tenant("fabrikam")]), ..all.clone() };
        let run = Concern::Run { tenant: tenant("contoso") };
        for (destination, concern, gravest, expected) in [
            (&all, &Concern::Outage, Severity::Info, true),
            (&runs, &run, Severity::Info, true),
            (&runs, &Concern::Outage, Severity::Critical, false),
            (&grave, &run, Severity::Warning, false),
            (&grave, &run, Severity::Error, true),
            (&theirs, &run, Severity::Critical, false),
            (&theirs, &Concern::Run { tenant: tenant("fabrikam") }, Severity::Info, true),
            (&theirs, &Concern::Outage, Severity::Critical, false),
        ] {
            assert_eq!(destination.takes(concern, gravest), expected, "{destination:?} {concern:?} {gravest}");
        }
    }
}

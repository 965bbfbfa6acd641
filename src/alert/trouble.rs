//! Incidents about channels: opened when one takes nothing or notices were given up, resolved by the first that goes through; told on the
//! other channels.

use super::{
    AlertError,
    deliver::{DeliveryParts, queued},
    incident::{Moment, Seen, Sighting, decide},
    route::of_others,
};
use crate::{
    model::{Account, Concern, IncidentState, Severity},
    store::IncidentChange,
};

/// What is wrong with a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It takes nothing as it is set up.
    Refuses(String),
    /// It has not taken something for so long that this is given up.
    GaveUp(String),
    /// It takes others, and not one notice, which is given up.
    Rejected(String),
}

impl Trouble {
    fn account(&self) -> Account {
        let (explanation, advice) = match self {
            Self::Refuses(reason) => (
                format!("It takes nothing as it is set up ({reason}). What is to be told waits, and it is tried again each hour."),
                "Correct the channel's URL, key, password or addresses, then reload; `alerts test` tells whether it works.",
            ),
            Self::GaveUp(reason) => (
                format!("What happened over 72 hours ago could not be delivered and was given up; last: {reason}."),
                "See why the channel cannot be reached; what was given up is in `incidents list`.",
            ),
            Self::Rejected(reason) => (
                format!("A notice was refused, a shorter one too, and was given up: {reason}."),
                "See what the channel says; what was given up is in `incidents list`.",
            ),
        };
        Account { explanation, advice: Some(advice.to_owned()), ..Account::default() }
    }
}

impl DeliveryParts {
    /// Whether an incident about the channel is open.
    pub(super) async fn is_troubled(&self, channel: &str) -> Result<bool, AlertError> {
        let concern = Concern::Channel { channel: channel.to_owned() };
        let ours = self.store.reader().incidents_of(None).await?;
        Ok(ours.iter().any(|incident| incident.concern == concern && incident.state == IncidentState::Open))
    }

    /// Writes down what is wrong with a channel, or that nothing is any more, and has it told on the others.
    pub(super) async fn report(&self, channel: &str, trouble: Option<&Trouble>) -> Result<(), AlertError> {
        let concern = Concern::Channel { channel: channel.to_owned() };
        let ours = self.store.reader().incidents_of(None).await?;
        let standing = ours.iter().find(|incident| incident.concern == concern);
        let seen = trouble.map_or(Seen::Absent, |trouble| {
            let account = trouble.account();
            Seen::Present(Sighting { verdict: None, severity: Severity::Critical, affected: 0, is_complete: true, account })
        });
        let at = self.clock.seconds();
        let moment = Moment { at, policy: &self.policy, is_exempt: false };
        let Some(decision) = decide(standing, &concern, &seen, moment) else { return Ok(()) };
        let change = IncidentChange { incident: decision.incident, change: decision.change, is_muted: decision.is_muted };
        let others = of_others(&queued(&self.destinations, &self.channels), channel);
        self.store.conclude_ours(&[change], &others, at).await?;
        if decision.change.is_some() {
            self.waker.wake();
        }
        Ok(())
    }
}

//! Notices: what is told to people about incidents. An event is one change of one incident, kept for ever; a notice is a range of
//! events on their way to one channel.

use serde::{Deserialize, Serialize};

use super::{Account, Concern, IncidentId, Severity, TenantId, Verdict};

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is confirmed, or its exemption ended while it is open.
    Opened,
    /// It is confirmed to be over.
    Resolved,
    /// Its verdict is another.
    Changed,
    /// It concerns at least twice as many mailboxes as when it was last announced.
    Grown,
    /// It is still open.
    Reminder,
    /// It goes to and fro; no single notices until it stands still.
    FlappingBegan,
    /// It stands still again.
    FlappingEnded,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Opened, Self::Resolved, Self::Changed, Self::Grown, Self::Reminder, Self::FlappingBegan, Self::FlappingEnded];

    /// The name in the database and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Resolved => "resolved",
            Self::Changed => "changed",
            Self::Grown => "grown",
            Self::Reminder => "reminder",
            Self::FlappingBegan => "flapping-began",
            Self::FlappingEnded => "flapping-ended",
        }
    }
}

/// One change of one incident, frozen when it happened. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; later events have higher ones. 0 until the database has given one.
    pub id: i64,
    /// The incident.
    pub incident: IncidentId,
    /// What that is about.
    pub concern: Concern,
    /// What happened.
    pub change: Change,
    /// When.
    pub at: i64,
    /// The run that found it out.
    pub run: Option<i64>,
    /// How grave the incident is.
    pub severity: Severity,
    /// The verdict; `None` for what is no finding.
    pub verdict: Option<Verdict>,
    /// Mailboxes that the incident concerns.
    pub affected: u64,
    /// When the episode was first seen.
    pub since: i64,
    /// Which time it has opened.
    pub episode: u32,
    /// Whether the incident was open after it.
    pub is_open: bool,
    /// Not announced: exempt or acknowledged.
    pub is_muted: bool,
    /// What a message says of it.
    pub account: Account,
}

/// The four numbers of a tenant, in mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// On the list, with an outcome.
    pub checked: u64,
    /// That need nothing.
    pub ok: u64,
    /// That need manual configuration.
    pub needs_manual: u64,
    /// That could not be told.
    pub undetermined: u64,
}

/// A message to one channel: all that happened to a tenant's incidents (or to ours) since the message before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id, the same on every attempt: letters and digits.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// Whose incidents; `None`: about us.
    pub tenant: Option<TenantId>,
    /// The tenant's name for people; ours where there is none.
    pub tenant_name: String,
    /// When it was first queued, seconds since 1970.
    pub created_at: i64,
    /// Attempts that were made before this one.
    pub attempts: u32,
    /// The tenant's numbers when it was queued; `None`: about us.
    pub numbers: Option<Numbers>,
    /// The events in their order, muted ones left out.
    pub events: Vec<Event>,
    /// Open incidents of every group (`Concern::group_key`) that the events touch, when it was taken from the queue.
    pub open_in_group: Vec<(String, u64)>,
}

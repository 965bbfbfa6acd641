//! The settings of what lives on between runs: alerts, the service itself, and how long what is past is kept.

use serde::Deserialize;

use crate::{
    alert::{Policy, SecretSource},
    store::Retention,
};

/// `[alerts]`: when incidents open, and what notices say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// Checks in a row that must agree before an incident opens, changes or resolves; 1 to 10.
    pub confirm: u32,
    /// Days after which an open incident is told of again; 0 to 365, 0 for never.
    pub remind_after_days: u32,
    /// An incident that comes or goes more often than this within a day is flapping: one notice until it stands still; 2 to 20.
    pub flapping_turns: u32,
    /// Where people find the report, for the notices; absent: they have no link.
    pub report_url: Option<String>,
}

/// `[service]`: what the service does beside runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// Where the URL of a dead-man switch is: `URL/start` is asked for when a run over whole lists begins, `URL` when it has come to its
    /// end, `URL/fail` when it has not.
    pub heartbeat_url: Option<SecretSource>,
}

/// `[store]`: how long what is past is kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Days for which history, answers and incidents that are over are kept; 7 to 36500.
    pub keep_days: u32,
    /// Megabytes (of 1,000,000 bytes) that the database may take before the oldest of what is past is dropped earlier; 10 to 1000000;
    /// absent: as many as it needs.
    pub keep_megabytes: Option<u64>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self { confirm: 2, remind_after_days: 7, flapping_turns: 4, report_url: None }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { keep_days: 400, keep_megabytes: None }
    }
}

impl AlertSettings {
    /// When incidents open and resolve.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            confirm: self.confirm,
            remind_after: (self.remind_after_days > 0).then(|| i64::from(self.remind_after_days) * DAY),
            flips: self.flapping_turns as usize,
        }
    }
}

impl StoreSettings {
    /// What is kept.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention { age: i64::from(self.keep_days) * DAY, size: self.keep_megabytes.map(|megabytes| megabytes * 1_000_000) }
    }
}

/// Seconds.
const DAY: i64 = 86_400;

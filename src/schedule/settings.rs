//! The schedule's settings, as the configuration has them.

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Schedule, ScheduleError, Timetable};
use crate::model::TenantId;

/// `[schedule]`: when runs are made, for every tenant that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSettings {
    /// Five fields as in crontab(5), or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    pub cron: String,
    /// The IANA name of the time zone that the fields are in.
    pub zone: String,
    /// Minutes over which the beginnings of the tenants' runs are spread, always the same for a tenant and an occurrence; 0 to 1440.
    pub jitter_minutes: u32,
    /// Minutes after which a run is ended, finished or not; 1 to 10080.
    pub deadline_minutes: u32,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self { cron: "30 2 * * *".to_owned(), zone: "UTC".to_owned(), jitter_minutes: 30, deadline_minutes: 360 }
    }
}

/// `[tenant.schedule]`: what is other for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantScheduleSettings {
    /// As in `[schedule]`.
    pub cron: Option<String>,
    /// As in `[schedule]`.
    pub zone: Option<String>,
    /// As in `[schedule]`; 0 to 1440.
    pub jitter_minutes: Option<u32>,
    /// As in `[schedule]`; 1 to 10080.
    pub deadline_minutes: Option<u32>,
}

impl ScheduleSettings {
    /// Checks the schedule that holds unless a tenant says otherwise.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn check(&self) -> Result<(), ScheduleError> {
        Schedule::parse(&self.cron, &self.zone).map(drop)
    }

    /// The timetable of a tenant.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn timetable(&self, tenant: &TenantId, own: &TenantScheduleSettings) -> Result<Timetable, ScheduleError> {
        let cron = own.cron.as_ref().unwrap_or(&self.cron);
        let zone = own.zone.as_ref().unwrap_or(&self.zone);
        Ok(Timetable {
            tenant: tenant.clone(),
            schedule: Schedule::parse(cron, zone)?,
            jitter: SignedDuration::from_mins(own.jitter_minutes.unwrap_or(self.jitter_minutes).into()),
            deadline: SignedDuration::from_mins(own.deadline_minutes.unwrap_or(self.deadline_minutes).into()),
        })
    }
}

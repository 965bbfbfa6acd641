//! When a run is due: crontab(5) in a time zone. Pure.
//!
//! The fields are matched on local time, without a zone, and each match is then made an instant: a local time that does not exist
//! stands for the next instant that does, so several can fall on one; a local time that exists twice stands for the first. Both
//! keep the order, so an occurrence is neither skipped nor doubled.

mod crontab;
mod settings;
#[cfg(test)]
mod tests;
mod timetable;

use std::fmt;

use chrono::{DateTime as ChronoDateTime, Datelike, TimeZone as _, Timelike, Utc};
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

pub use crontab::ScheduleError;
pub use settings::{ScheduleSettings, TenantScheduleSettings};
pub use timetable::{Due, Timetable};

use crontab::translate;

/// A schedule: five fields and a zone.
#[derive(Clone)]
pub struct Schedule {
    text: String,
    /// One of them is enough.
    parts: Vec<cron::Schedule>,
    zone: TimeZone,
}

impl Schedule {
    /// Reads five fields or a word such as `@daily`, and the IANA name of a zone.
    ///
    /// # Errors
    /// [`ScheduleError`], also for a schedule that never comes.
    pub fn parse(text: &str, zone: &str) -> Result<Self, ScheduleError> {
        let schedule = Self { text: text.trim().to_owned(), parts: translate(text)?.compile(text)?, zone: find_zone(zone)? };
        let has_any = schedule.next_after(Timestamp::UNIX_EPOCH).is_some();
        if has_any { Ok(schedule) } else { Err(ScheduleError::Never(schedule.text)) }
    }

    /// The first occurrence after an instant; `None` after the year 2099.
    #[must_use]
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let start = to_chrono(instant.to_zoned(self.zone.clone()).datetime())?;
        // in the second pass of an hour that comes twice, matches stand for instants that are past
        let next = |part: &cron::Schedule| {
            part.after(&start).map_while(|local| self.instant_of(local)).take(MOST_IN_A_FOLD).find(|found| *found > instant)
        };
        self.parts.iter().filter_map(next).min()
    }

    /// The last occurrence at an instant or before it; `None` before the year 1970.
    #[must_use]
    pub fn latest_at_or_before(&self, instant: Timestamp) -> Option<Timestamp> {
        let local = instant.to_zoned(self.zone.clone()).datetime();
        let is_doubled = matches!(self.zone.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Fold { .. });
        // in the second pass of an hour that comes twice, later local times have been, too
        let ahead = if is_doubled { LONGEST_FOLD } else { SignedDuration::ZERO };
        let start = to_chrono(local.checked_add(ahead + SignedDuration::from_secs(1)).ok()?)?;
        let latest = |part: &cron::Schedule| {
            let mut before = part.after(&start);
            std::iter::from_fn(|| before.next_back())
                .map_while(|local| self.instant_of(local))
                .take(MOST_IN_A_FOLD)
                .find(|found| *found <= instant)
        };
        self.parts.iter().filter_map(latest).max()
    }

    /// The zone's IANA name.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// An instant as people at that place read it, such as `2027-03-28 02:30`.
    #[must_use]
    pub fn local(&self, instant: Timestamp) -> DateTime {
        instant.to_zoned(self.zone.clone()).datetime()
    }

    fn instant_of(&self, local: ChronoDateTime<Utc>) -> Option<Timestamp> {
        let local = from_chrono(local)?;
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let AmbiguousOffset::Gap { after, .. } = ambiguous.offset() else { return ambiguous.earlier().ok() };
        let before_gap = ambiguous.earlier().ok()?;
        self.zone.following(before_gap).find(|transition| transition.offset() == after).map(|transition| transition.timestamp())
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.zone) == (&other.text, &other.zone)
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Schedule({self})")
    }
}

/// The fields and the zone.
impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.text, self.zone_name())
    }
}

fn find_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    if name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let database = jiff::tz::db();
    database.get(name).map_err(|_| {
        if database.is_definitively_empty() { ScheduleError::NoZones(name.to_owned()) } else { ScheduleError::Zone(name.to_owned()) }
    })
}

/// A local time, in the type that the `cron` crate takes; the zone says nothing.
fn to_chrono(local: DateTime) -> Option<ChronoDateTime<Utc>> {
    let (date, time) = (local.date(), local.time());
    let part = |number: i8| u32::try_from(number).ok();
    let (month, day) = (part(date.month())?, part(date.day())?);
    Utc.with_ymd_and_hms(i32::from(date.year()), month, day, part(time.hour())?, part(time.minute())?, part(time.second())?).single()
}

fn from_chrono(local: ChronoDateTime<Utc>) -> Option<DateTime> {
    let part = |number: u32| i8::try_from(number).ok();
    let (month, day) = (part(local.month())?, part(local.day())?);
    let (hour, minute, second) = (part(local.hour())?, part(local.minute())?, part(local.second())?);
    DateTime::new(i16::try_from(local.year()).ok()?, month, day, hour, minute, second, 0).ok()
}

/// A zone that went to the other side of the date line has had a day twice.
const LONGEST_FOLD: SignedDuration = SignedDuration::from_hours(24);
/// Each minute of two days.
const MOST_IN_A_FOLD: usize = 2_880;

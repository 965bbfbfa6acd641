//! Two simulated years in eight zones, beside `croner`.
//!
//! Known differences, and no others: in an hour that comes twice, croner runs a schedule with `*` or a step in its hours or minutes
//! in both passes, and we in the first; in an hour that does not come, croner leaves such a schedule out, and we run it once at the
//! next instant that there is. Where a whole day does not come
//! (Apia, 2011-12-30), croner loses days after it, too: that day is in a table beside this file.

use std::{collections::BTreeSet, str::FromStr};

use croner::Cron;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::civil::{at, occurrences, schedule};

/// A change of the zone's offset: when, and by how much the clock goes on.
fn changes(zone: &TimeZone, (from, to): (Timestamp, Timestamp)) -> Vec<(Timestamp, SignedDuration)> {
    let mut before = zone.to_offset(from);
    let mut found = Vec::new();
    for transition in zone.following(from).take_while(|transition| transition.timestamp() <= to) {
        let by = SignedDuration::from_secs(i64::from(transition.offset().seconds() - before.seconds()));
        before = transition.offset();
        if !by.is_zero() {
            found.push((transition.timestamp(), by));
        }
    }
    found
}

#[test]
fn two_years_in_eight_zones_are_as_another_implementation_has_them() {
    let years = [
        ("2026-12-31T12:00Z", "2028-12-31T12:00Z"),
        ("2016-12-31T12:00Z", "2018-12-31T12:00Z"),
        ("2009-12-31T12:00Z", "2011-12-29T12:00Z"),
    ];
    let zones = [
        ("Europe/Berlin", 0, 4),
        ("America/New_York", 0, 4),
        ("Australia/Lord_Howe", 0, 4),
        ("Asia/Kathmandu", 0, 0),
        ("Africa/Casablanca", 0, 4),
        ("America/Sao_Paulo", 1, 4),
        ("Pacific/Apia", 2, 3),
        ("UTC", 0, 0),
    ];
    let intervals = ["0 * * * *", "*/15 * * * *", "*/20 1-3 * * 1-5"];
    let fixed = [
        "0 0 * * *",
        "30 2 * * *",
        "15 2 * * *",
        "45 1 * * *",
        "0 3 * * *",
        "30 1,2 * * MON-FRI",
        "0 6 1 * *",
        "30 2 1,15 * SUN",
        "0 0 13 * 5",
        "0 12 29 2 *",
    ];
    for (zone, period, expected_changes) in zones {
        let period = (at(years[period].0), at(years[period].1));
        let tz = TimeZone::get(zone).unwrap();
        let changes = changes(&tz, period);
        assert_eq!(changes.len(), expected_changes, "{zone}: {changes:?}");
        // the many instants of a quarter of an hour only where clocks change
        let quarters = expected_changes > 0 && period.0 > at("2026-01-01T00:00Z");
        for text in intervals.into_iter().filter(|text| quarters || !text.starts_with("*/15")).chain(fixed) {
            let ours: BTreeSet<Timestamp> = occurrences(&schedule(text, zone), period).into_iter().collect();
            let cron = Cron::from_str(text).unwrap();
            let theirs: BTreeSet<Timestamp> = cron
                .iter_after(period.0.to_zoned(tz.clone()))
                .map(|found| found.timestamp())
                .take_while(|found| *found <= period.1)
                .collect();
            assert!(!ours.is_empty() || text.contains("29 2"), "{text} {zone}");
            for only in ours.difference(&theirs) {
                let is_after_gap = changes.iter().any(|(when, by)| when == only && by.is_positive());
                assert!(is_after_gap && intervals.contains(&text), "{text} {zone}: only we have {only}");
            }
            for only in theirs.difference(&ours) {
                let is_second_pass = changes.iter().any(|(when, by)| by.is_negative() && only >= when && *only < *when - *by);
                assert!(is_second_pass && intervals.contains(&text), "{text} {zone}: only croner has {only}");
            }
        }
    }
}

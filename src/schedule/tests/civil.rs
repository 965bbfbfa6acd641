//! Tables for the days on which clocks change.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::super::{Schedule, ScheduleError, Timetable};

pub(super) fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone).unwrap_or_else(|error| panic!("{text} {zone}: {error}"))
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Occurrences after an instant up to another one, with what a step backwards finds at each.
pub(super) fn occurrences(schedule: &Schedule, (after, through): (Timestamp, Timestamp)) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut last = after;
    while let Some(next) = schedule.next_after(last).filter(|next| *next <= through) {
        assert!(next > last, "{schedule}: {next} after {last}");
        found.push(next);
        last = next;
    }
    found
}

#[test]
fn the_days_on_which_clocks_change_have_each_run_once() {
    // schedule, zone, from (not included), to (included), what is due
    let table: &[(&str, &str, &str, &str, &[&str])] = &[
        // 02:00 to 03:00 is not there
        ("30 2 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-29T12:00Z", &["2027-03-28T01:00Z", "2027-03-29T00:30Z"]),
        ("0 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-28T12:00Z", &["2027-03-28T01:00Z"]),
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2027-03-28T00:00Z",
            "2027-03-28T02:00Z",
            &["2027-03-28T00:30Z", "2027-03-28T01:00Z", "2027-03-28T01:30Z", "2027-03-28T02:00Z"],
        ),
        // 02:00 to 03:00 is there twice
        ("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00Z", "2027-11-01T12:00Z", &["2027-10-31T00:30Z", "2027-11-01T01:30Z"]),
        ("0 3 * * *", "Europe/Berlin", "2027-10-30T12:00Z", "2027-10-31T12:00Z", &["2027-10-31T02:00Z"]),
        ("30 * * * *", "Europe/Berlin", "2027-10-31T00:00Z", "2027-10-31T03:00Z", &["2027-10-31T00:30Z", "2027-10-31T02:30Z"]),
        ("30 2 * * *", "America/New_York", "2027-03-13T12:00Z", "2027-03-14T12:00Z", &["2027-03-14T07:00Z"]),
        ("30 1 * * *", "America/New_York", "2027-11-06T12:00Z", "2027-11-07T12:00Z", &["2027-11-07T05:30Z"]),
        // half an hour: 02:00 to 02:30 is not there, 01:30 to 02:00 is there twice
        ("15 2 * * *", "Australia/Lord_Howe", "2027-10-02T00:00Z", "2027-10-03T00:00Z", &["2027-10-02T15:30Z"]),
        ("45 2 * * *", "Australia/Lord_Howe", "2027-10-02T00:00Z", "2027-10-03T00:00Z", &["2027-10-02T15:45Z"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2027-04-03T00:00Z", "2027-04-04T00:00Z", &["2027-04-03T14:45Z"]),
        // midnight itself is not there
        ("@daily", "America/Sao_Paulo", "2018-11-03T12:00Z", "2018-11-05T12:00Z", &["2018-11-04T03:00Z", "2018-11-05T02:00Z"]),
        // 23:00 to 24:00 is there twice
        ("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00Z", "2018-02-18T12:00Z", &["2018-02-18T01:30Z"]),
        // a day is not there: its run and the next day's fall on one instant
        (
            "@daily",
            "Pacific/Apia",
            "2011-12-29T00:00Z",
            "2011-12-31T12:00Z",
            &["2011-12-29T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"],
        ),
        ("@daily", "Asia/Kathmandu", "2027-03-27T12:00Z", "2027-03-28T20:00Z", &["2027-03-27T18:15Z", "2027-03-28T18:15Z"]),
    ];
    for (text, zone, from, to, expected) in table {
        let expected: Vec<Timestamp> = expected.iter().map(|text| at(text)).collect();
        assert_eq!(occurrences(&schedule(text, zone), (at(from), at(to))), expected, "{text} {zone}");
    }
}

#[test]
fn a_step_back_finds_what_a_step_forward_came_to() {
    for zone in ["Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Africa/Casablanca", "UTC"] {
        for (text, days) in
            [("7 */3 * * *", 320), ("30 2 * * *", 900), ("0 0 31 * *", 4_000), ("0 12 13 * FRI", 700), ("*/20 1-3 * * *", 320)]
        {
            let schedule = schedule(text, zone);
            let from = at("2011-06-01T00:00Z");
            let found = occurrences(&schedule, (from, from + SignedDuration::from_hours(24 * days)));
            assert!(found.len() > 60, "{text} {zone}: {}", found.len());
            for pair in found.windows(2) {
                assert_eq!(schedule.latest_at_or_before(pair[1]), Some(pair[1]), "{text} {zone}");
                assert_eq!(schedule.latest_at_or_before(pair[1] - SignedDuration::from_secs(1)), Some(pair[0]), "{text} {zone}");
                assert_eq!(schedule.next_after(pair[0] + SignedDuration::from_millis(500)), Some(pair[1]), "{text} {zone}");
            }
        }
    }
}

#[test]
fn a_schedule_that_never_comes_and_a_zone_that_is_none_are_refused() {
    for text in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 30 2 */2"] {
        assert_eq!(Schedule::parse(text, "UTC"), Err(ScheduleError::Never(text.to_owned())));
    }
    for text in ["0 0 29 2 *", "0 0 30 2 MON"] {
        assert!(Schedule::parse(text, "UTC").is_ok(), "{text}");
    }
    for zone in ["Europe/Bonn", "", "+02:00", "CET-1CEST"] {
        assert_eq!(Schedule::parse("@daily", zone), Err(ScheduleError::Zone(zone.to_owned())));
    }
    assert_eq!(schedule("@daily", "europe/berlin").to_string(), "@daily Europe/Berlin");
}

#[test]
fn leap_days_are_found_over_the_years() {
    let found = occurrences(&schedule("0 0 29 2 *", "UTC"), (at("2026-01-01T00:00Z"), at("2037-01-01T00:00Z")));
    assert_eq!(found, [at("2028-02-29T00:00Z"), at("2032-02-29T00:00Z"), at("2036-02-29T00:00Z")]);
}

#[test]
fn jitter_spreads_tenants_and_keeps_their_order() {
    let timetable = |tenant: &str, text: &str, minutes| Timetable {
        tenant: tenant.to_owned().try_into().unwrap(),
        schedule: schedule(text, "Europe/Berlin"),
        jitter: SignedDuration::from_mins(minutes),
        deadline: SignedDuration::from_hours(6),
    };
    let from = at("2027-03-01T00:00Z");
    let begun: HashSet<Timestamp> =
        (0..50).filter_map(|number| timetable(&format!("t{number}"), "@daily", 60).next(from)).map(|due| due.at).collect();
    assert!(begun.len() > 45, "{}", begun.len());
    // more jitter than there is between two occurrences
    for minutes in [0, 20, 600] {
        let table = timetable("contoso", "*/15 * * * *", minutes);
        let (mut now, mut taken) = (from, table.latest(from).unwrap().occurrence);
        for _ in 0..300 {
            let due = table.next(now).unwrap();
            assert!(due.at > now && due.at >= due.occurrence && due.at < table.schedule.next_after(due.occurrence).unwrap());
            assert_eq!(table.latest(due.at), Some(due));
            assert_eq!(table.latest(due.at - SignedDuration::from_secs(1)).unwrap().occurrence, taken);
            assert_eq!(table.following(taken), Some(due));
            (now, taken) = (due.at, due.occurrence);
        }
    }
    assert_eq!(timetable("contoso", "@daily", 60).next(from), timetable("contoso", "@daily", 60).next(from));
}

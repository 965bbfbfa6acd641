//! What is next, in situations that a service meets over the years.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::super::plan::{Job, Next, Request, Unfinished, View, decide, disbelieve, next_due, pause_after_outage};
use crate::{
    model::{Domain, TenantId},
    schedule::{Schedule, Timetable},
    store::RunId,
};

fn schedule(text: &str, zone: &str) -> Schedule {
    Schedule::parse(text, zone).unwrap_or_else(|error| panic!("{text} {zone}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A service without its doing.
struct Bench {
    timetables: Vec<Timetable>,
    taken: BTreeMap<TenantId, Timestamp>,
    wanted: BTreeMap<TenantId, Timestamp>,
    requests: Vec<Request>,
    unfinished: Option<Unfinished>,
    rechecks: Vec<(TenantId, Domain)>,
    changed: BTreeMap<TenantId, BTreeSet<Domain>>,
    held_until: Option<Timestamp>,
}

fn tenant(id: &str) -> TenantId {
    id.to_owned().try_into().unwrap()
}

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

fn bench(tenants: &[(&str, &str)]) -> Bench {
    let table = |(id, text): &(&str, &str)| Timetable {
        tenant: tenant(id),
        schedule: schedule(text, "Europe/Berlin"),
        jitter: SignedDuration::ZERO,
        deadline: SignedDuration::from_hours(6),
    };
    Bench {
        timetables: tenants.iter().map(table).collect(),
        taken: BTreeMap::new(),
        wanted: BTreeMap::new(),
        requests: Vec::new(),
        unfinished: None,
        rechecks: Vec::new(),
        changed: BTreeMap::new(),
        held_until: None,
    }
}

impl Bench {
    fn view(&self, now: &str) -> View<'_> {
        View {
            now: at(now),
            timetables: &self.timetables,
            taken: &self.taken,
            wanted: &self.wanted,
            requests: &self.requests,
            unfinished: self.unfinished.as_ref(),
            rechecks: &self.rechecks,
            next_recheck: None,
            changed: &self.changed,
            held_until: self.held_until,
        }
    }

    /// Decides, and does what a run would leave.
    fn step(&mut self, now: &str) -> Option<Job> {
        disbelieve(&mut self.taken, at(now));
        match decide(&self.view(now)) {
            Next::Wait(_) => None,
            Next::Run(job) => {
                self.taken.extend(job.takes.clone());
                self.unfinished = None;
                self.requests.retain(|request| !job.demands.contains(&request.id));
                if job.domains.is_some() {
                    self.rechecks.clear();
                    self.changed.clear();
                } else {
                    self.wanted.retain(|tenant, _| !job.tenants.contains(tenant));
                }
                Some(*job)
            }
        }
    }

    fn tenants_at(&mut self, now: &str) -> Vec<String> {
        self.step(now).map(|job| job.tenants.iter().map(ToString::to_string).collect()).unwrap_or_default()
    }
}

#[test]
fn a_new_tenant_runs_at_once_and_then_by_its_schedule() {
    let mut bench = bench(&[("contoso", "30 2 * * *"), ("fabrikam", "0 5 * * *")]);
    assert_eq!(bench.tenants_at("2027-05-04T10:00Z"), ["contoso", "fabrikam"]);
    assert_eq!(decide(&bench.view("2027-05-04T10:00Z")), Next::Wait(Some(at("2027-05-05T00:30Z"))));
    assert_eq!(
        next_due(&bench.view("2027-05-04T10:00Z")).map(|(table, at)| (table.tenant.as_str(), at)),
        Some(("contoso", at("2027-05-05T00:30Z")))
    );
    assert_eq!(bench.tenants_at("2027-05-05T00:29:59Z"), [""; 0]);
    assert_eq!(bench.tenants_at("2027-05-05T00:30Z"), ["contoso"]);
    assert_eq!(bench.tenants_at("2027-05-05T00:30:01Z"), [""; 0]);
    assert_eq!(bench.tenants_at("2027-05-05T03:00Z"), ["fabrikam"]);
}

#[test]
fn after_a_downtime_there_is_one_run_however_many_were_missed() {
    let mut bench = bench(&[("contoso", "30 2 * * *"), ("fabrikam", "0 * * * *")]);
    bench.tenants_at("2027-05-04T10:10Z");
    assert_eq!(bench.tenants_at("2027-05-19T07:20Z"), ["contoso", "fabrikam"]);
    assert_eq!(bench.tenants_at("2027-05-19T07:21Z"), [""; 0]);
    assert_eq!(bench.tenants_at("2027-05-19T08:00Z"), ["fabrikam"]);
}

#[test]
fn a_clock_that_jumps_neither_skips_nor_doubles() {
    // real time, what the clock shows, whether there is a run
    let cases: [&[(&str, bool)]; 4] = [
        // on by an hour over the due time, and back later
        &[
            ("2027-05-05T00:10Z", false),
            ("2027-05-05T01:11Z", true),
            ("2027-05-05T00:20Z", false),
            ("2027-05-05T00:30Z", false),
            ("2027-05-06T00:29Z", false),
            ("2027-05-06T00:30Z", true),
        ],
        // back by an hour after the run, over the due time again
        &[
            ("2027-05-05T00:31Z", true),
            ("2027-05-04T23:40Z", false),
            ("2027-05-05T00:30Z", false),
            ("2027-05-05T00:31Z", false),
            ("2027-05-06T00:30Z", true),
        ],
        // back by an hour before the run
        &[("2027-05-05T00:29Z", false), ("2027-05-04T23:30Z", false), ("2027-05-05T00:30Z", true), ("2027-05-05T00:31Z", false)],
        // wrong by years, then right: there is a run on the next day
        &[("2031-05-05T00:31Z", true), ("2027-05-05T00:40Z", false), ("2027-05-06T00:29Z", false), ("2027-05-06T00:30Z", true)],
    ];
    for case in cases {
        let mut bench = bench(&[("contoso", "30 2 * * *")]);
        bench.tenants_at("2027-05-04T10:00Z");
        for (shown, expected) in case {
            assert_eq!(!bench.tenants_at(shown).is_empty(), *expected, "{shown} in {case:?}");
        }
    }
}

#[test]
fn a_run_that_was_cut_short_is_gone_on_with_and_meets_what_has_become_due() {
    let mut bench = bench(&[("contoso", "30 2 * * *"), ("fabrikam", "30 2 * * *")]);
    bench.tenants_at("2027-05-04T10:00Z");
    bench.unfinished =
        Some(Unfinished { run: RunId(7), started_at: at("2027-05-04T23:00Z"), tenants: vec![tenant("contoso")], demands: vec![3] });
    let job = bench.step("2027-05-05T01:00Z").unwrap();
    assert_eq!((job.resumes, job.tenants, job.demands), (Some(RunId(7)), vec![tenant("contoso")], vec![3]));
    assert_eq!(job.deadline, SignedDuration::from_hours(4), "the time before the cut counts");
    assert_eq!(job.takes, [(tenant("contoso"), at("2027-05-05T00:30Z"))]);
    assert_eq!(bench.tenants_at("2027-05-05T01:10Z"), ["fabrikam"], "the other is due still, and the first not twice");
}

#[test]
fn a_run_that_was_cut_short_too_long_ago_is_left() {
    let mut bench = bench(&[("contoso", "30 2 * * *")]);
    bench.tenants_at("2027-05-04T10:00Z");
    let unfinished = |tenants: &[&str]| Unfinished {
        run: RunId(7),
        started_at: at("2027-05-04T11:00Z"),
        tenants: tenants.iter().map(|id| tenant(id)).collect(),
        demands: Vec::new(),
    };
    bench.unfinished = Some(unfinished(&["contoso"]));
    assert_eq!(bench.step("2027-05-04T17:00Z"), None);
    bench.unfinished = Some(unfinished(&["contoso", "gone"]));
    assert_eq!(bench.step("2027-05-04T12:00Z"), None, "one of its tenants is in the configuration no more");
    bench.unfinished = Some(unfinished(&["contoso"]));
    assert!(bench.step("2027-05-04T16:59Z").is_some_and(|job| job.resumes.is_some()));
}

#[test]
fn what_people_ask_for_and_what_is_due_are_one_run_before_single_domains() {
    let mut bench = bench(&[("contoso", "30 2 * * *"), ("fabrikam", "0 5 * * *"), ("tailspin", "0 6 * * *")]);
    bench.tenants_at("2027-05-04T10:00Z");
    bench.rechecks.push((tenant("tailspin"), domain("tailspin.example")));
    bench.requests = vec![Request { id: 1, tenants: vec![tenant("fabrikam")] }, Request { id: 2, tenants: vec![tenant("fabrikam")] }];
    let job = bench.step("2027-05-05T00:30Z").unwrap();
    assert_eq!((job.tenants, job.demands), (vec![tenant("contoso"), tenant("fabrikam")], vec![1, 2]));
    assert_eq!(job.takes, [(tenant("contoso"), at("2027-05-05T00:30Z"))], "a demand takes up no occurrence that is still ahead");
    assert_eq!((job.domains, bench.tenants_at("2027-05-05T00:31Z")), (None, vec!["tailspin".to_owned()]));
    bench.requests.push(Request { id: 3, tenants: Vec::new() });
    assert_eq!(bench.tenants_at("2027-05-05T00:32Z").len(), 3, "none named: all");
}

#[test]
fn domains_to_be_checked_again_and_changed_ones_are_one_run_of_a_bounded_size() {
    let mut bench = bench(&[("contoso", "30 2 * * *")]);
    bench.tenants_at("2027-05-04T10:00Z");
    bench.changed.insert(tenant("contoso"), BTreeSet::from([domain("new.example")]));
    bench.rechecks = (0..700).map(|number| (tenant("contoso"), domain(&format!("d{number}.example")))).collect();
    bench.rechecks.push((tenant("gone"), domain("gone.example")));
    let job = bench.step("2027-05-04T10:05Z").unwrap();
    let domains = &job.domains.unwrap()[&tenant("contoso")];
    assert!(domains.len() == 500 && domains.contains(&domain("new.example")), "{}", domains.len());
    bench.rechecks = vec![(tenant("gone"), domain("gone.example"))];
    assert_eq!(bench.step("2027-05-04T10:06Z"), None, "its tenant is in the configuration no more");
}

#[test]
fn while_we_are_cut_off_only_people_are_served() {
    let mut bench = bench(&[("contoso", "30 2 * * *"), ("fabrikam", "0 5 * * *")]);
    bench.tenants_at("2027-05-04T10:00Z");
    bench.held_until = Some(at("2027-05-05T00:35Z"));
    bench.wanted.insert(tenant("fabrikam"), at("2027-05-05T00:35Z"));
    bench.changed.insert(tenant("contoso"), BTreeSet::from([domain("new.example")]));
    assert_eq!(decide(&bench.view("2027-05-05T00:31Z")), Next::Wait(Some(at("2027-05-05T00:35Z"))));
    assert_eq!(bench.tenants_at("2027-05-05T00:35Z"), ["contoso", "fabrikam"]);
    bench.held_until = Some(at("2027-05-05T01:35Z"));
    bench.requests.push(Request { id: 1, tenants: vec![tenant("contoso")] });
    assert_eq!(bench.tenants_at("2027-05-05T00:36Z"), ["contoso"]);
    let pauses: Vec<i64> = (1..8).map(|times| pause_after_outage(times).as_mins()).collect();
    assert_eq!(pauses, [5, 10, 20, 40, 60, 60, 60]);
    assert_eq!(pause_after_outage(u32::MAX).as_mins(), 60);
}

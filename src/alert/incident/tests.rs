//! Stories of incidents, and whatever else can come.

use proptest::prelude::*;

use super::*;

fn concern() -> Concern {
    Concern::Finding {
        tenant: "contoso".to_owned().try_into().unwrap(),
        domain: crate::model::Domain::parse("contoso.com").unwrap(),
        client: "thunderbird".into(),
        cause: crate::model::Cause::OwnAutoconfigStale,
        mailbox: None,
    }
}

fn seen(verdict: Verdict, affected: u64) -> Seen {
    Seen::Present(Sighting {
        verdict: Some(verdict),
        severity: Severity::of(verdict),
        affected,
        is_complete: true,
        account: Account { explanation: format!("{verdict}"), ..Account::default() },
    })
}

const FOUND: fn() -> Seen = || seen(Verdict::Consumer, 10);
const HOUR: i64 = 3_600;

/// Checks one after the other, `pause` seconds apart; what was told at each.
struct Story {
    incident: Option<Incident>,
    at: i64,
    pause: i64,
    is_exempt: bool,
    concern: Concern,
}

impl Story {
    fn every(pause: i64) -> Self {
        Self { incident: None, at: 1_000_000, pause, is_exempt: false, concern: concern() }
    }

    fn check(&mut self, seen: &Seen) -> Option<Change> {
        self.at += self.pause;
        let moment = Moment { at: self.at, policy: &Policy::default(), is_exempt: self.is_exempt };
        let decision = decide(self.incident.as_ref(), &self.concern, seen, moment)?;
        self.incident = Some(decision.incident);
        decision.change.filter(|_| !decision.is_muted)
    }

    fn checks(&mut self, all: &[Seen]) -> Vec<Option<Change>> {
        all.iter().map(|seen| self.check(seen)).collect()
    }

    fn state(&self) -> IncidentState {
        self.incident.as_ref().unwrap().state
    }
}

#[test]
fn it_opens_and_resolves_when_two_checks_in_a_row_agree() {
    let mut story = Story::every(HOUR);
    let told = story.checks(&[FOUND(), FOUND(), FOUND(), Seen::Absent, Seen::Absent, Seen::Absent]);
    assert_eq!(told, [None, Some(Change::Opened), None, None, Some(Change::Resolved), None]);
    assert_eq!(story.state(), IncidentState::Resolved);
}

#[test]
fn a_single_sighting_is_dismissed_in_silence() {
    let mut story = Story::every(HOUR);
    assert_eq!(story.checks(&[FOUND(), Seen::Absent, Seen::Absent]), [None, None, None]);
    assert_eq!(story.state(), IncidentState::Dismissed);
}

#[test]
fn what_could_not_be_told_opens_changes_and_resolves_nothing() {
    let mut story = Story::every(HOUR);
    let unknown = || Seen::Unknown;
    assert_eq!(story.checks(&[FOUND(), unknown(), unknown(), FOUND()]), [None, None, None, Some(Change::Opened)]);
    let before = story.incident.clone();
    assert_eq!(story.checks(&[unknown(), unknown(), unknown()]), [None; 3]);
    assert_eq!(story.incident, before);
    assert_eq!(story.checks(&[Seen::Absent, unknown(), Seen::Absent]), [None, None, Some(Change::Resolved)]);
}

#[test]
fn another_verdict_is_told_once_it_is_confirmed() {
    let mut story = Story::every(HOUR);
    let foreign = || seen(Verdict::Foreign, 10);
    // not the same verdict twice: not confirmed
    assert_eq!(story.checks(&[FOUND(), foreign(), FOUND(), FOUND()]), [None, None, None, Some(Change::Opened)]);
    assert_eq!(story.checks(&[foreign(), FOUND(), foreign(), foreign()]), [None, None, None, Some(Change::Changed)]);
    assert_eq!(story.incident.as_ref().unwrap().verdict, Some(Verdict::Foreign));
    // an absence on the way begins the count anew
    assert_eq!(story.checks(&[FOUND(), Seen::Absent, FOUND()]), [None, None, None]);
}

#[test]
fn growth_is_told_when_it_has_doubled_since_it_was_last_told() {
    let mut story = Story::every(HOUR);
    story.checks(&[FOUND(), FOUND()]);
    let grown: Vec<Seen> = [15, 19, 20, 39, 12, 40].into_iter().map(|affected| seen(Verdict::Consumer, affected)).collect();
    assert_eq!(story.checks(&grown), [None, None, Some(Change::Grown), None, None, Some(Change::Grown)]);
}

#[test]
fn a_count_in_doubt_does_not_shrink() {
    let mut story = Story::every(HOUR);
    story.checks(&[FOUND(), FOUND()]);
    let Seen::Present(sighting) = FOUND() else { unreachable!() };
    story.check(&Seen::Present(Sighting { affected: 2, is_complete: false, ..sighting }));
    assert_eq!(story.incident.unwrap().affected, 10);
}

#[test]
fn a_reminder_comes_each_week_unless_it_is_acknowledged() {
    let mut story = Story::every(DAY);
    let count = |days: usize, story: &mut Story| (0..days).filter(|_| story.check(&FOUND()) == Some(Change::Reminder)).count();
    assert_eq!(count(16, &mut story), 2);
    let incident = story.incident.as_mut().unwrap();
    incident.acknowledgement =
        Some(crate::model::Acknowledgement { by: "anna".into(), reason: "on it".into(), at: 0, until: Some(story.at + 20 * DAY) });
    assert_eq!(count(19, &mut story), 0);
    assert_eq!(count(8, &mut story), 1 + 1);
}

#[test]
fn what_is_exempt_is_followed_in_silence_and_told_when_the_exemption_ends() {
    let mut story = Story::every(HOUR);
    story.is_exempt = true;
    assert_eq!(story.checks(&[FOUND(), FOUND(), FOUND()]), [None; 3]);
    assert_eq!(story.state(), IncidentState::Open);
    story.is_exempt = false;
    assert_eq!(story.checks(&[FOUND(), FOUND()]), [Some(Change::Opened), None]);
    // whoever was told that it opened is told that it is over
    story.is_exempt = true;
    assert_eq!(story.checks(&[Seen::Absent, Seen::Absent]), [None, Some(Change::Resolved)]);
    // never told, never taken back
    assert_eq!(story.checks(&[FOUND(), FOUND(), Seen::Absent, Seen::Absent]), [None; 4]);
}

#[test]
fn to_and_fro_is_told_once_at_its_beginning_and_once_at_its_end() {
    let mut story = Story::every(HOUR);
    let mut told = Vec::new();
    for _ in 0..10 {
        told.extend(story.checks(&[FOUND(), Seen::Absent]).into_iter().flatten());
    }
    assert_eq!(told, [Change::FlappingBegan]);
    assert!(story.incident.as_ref().unwrap().is_flapping);
    let quiet: Vec<Change> = (0..48).filter_map(|_| story.check(&FOUND())).collect();
    assert_eq!(quiet, [Change::FlappingEnded]);
    assert_eq!(story.checks(&[Seen::Absent, Seen::Absent]), [None, Some(Change::Resolved)]);
}

#[test]
fn what_began_to_flap_while_it_was_exempt_is_told_as_it_is_when_that_ends() {
    let mut story = Story::every(HOUR);
    story.is_exempt = true;
    for _ in 0..4 {
        story.checks(&[FOUND(), Seen::Absent]);
    }
    assert!(story.incident.as_ref().unwrap().is_flapping);
    (story.is_exempt, story.pause) = (false, DAY);
    assert_eq!(story.checks(&[FOUND(), FOUND()]), [Some(Change::Opened), None]);
}

#[test]
fn flapping_that_ends_well_is_resolved() {
    let mut story = Story::every(HOUR);
    for _ in 0..4 {
        story.checks(&[FOUND(), Seen::Absent]);
    }
    let told: Vec<Change> = (0..48).filter_map(|_| story.check(&Seen::Absent)).collect();
    assert_eq!(told, [Change::Resolved]);
}

#[test]
fn what_has_left_the_list_is_over_at_once_and_says_so() {
    let mut story = Story::every(HOUR);
    story.checks(&[FOUND(), FOUND()]);
    assert_eq!(story.check(&Seen::Gone("no longer on the list")), Some(Change::Resolved));
    assert_eq!(story.incident.unwrap().account.explanation, "no longer on the list");
}

#[test]
fn a_run_that_did_not_happen_needs_no_second_look() {
    let mut story = Story::every(HOUR);
    story.concern = Concern::Run { tenant: "contoso".to_owned().try_into().unwrap() };
    assert_eq!(story.checks(&[FOUND(), FOUND(), Seen::Absent]), [Some(Change::Opened), None, Some(Change::Resolved)]);
}

#[test]
fn a_check_that_finds_nothing_new_writes_nothing() {
    let mut story = Story::every(HOUR);
    story.checks(&[FOUND(), FOUND()]);
    let moment = Moment { at: story.at + HOUR, policy: &Policy::default(), is_exempt: false };
    assert_eq!(decide(story.incident.as_ref(), &concern(), &FOUND(), moment), None);
    story.checks(&[Seen::Absent, Seen::Absent]);
    assert_eq!(decide(story.incident.as_ref(), &concern(), &Seen::Absent, moment), None);
}

proptest! {
    #[test]
    fn what_is_told_always_makes_sense(
        checks in proptest::collection::vec((0_u8..5, 60_i64..90_000, any::<bool>()), 0..200),
    ) {
        let mut story = Story::every(0);
        let mut is_open_for_people = false;
        for (kind, pause, is_exempt) in checks {
            story.pause = pause;
            story.is_exempt = is_exempt;
            let seen = match kind {
                0 => FOUND(),
                1 => seen(Verdict::Foreign, 30),
                2 => Seen::Unknown,
                3 => Seen::Gone("gone"),
                _ => Seen::Absent,
            };
            let before = story.incident.as_ref().map(|incident| incident.state);
            let told = story.check(&seen);
            match told {
                // nobody is told twice that it opened, nor that it is over
                Some(Change::Opened) => {
                    prop_assert!(!is_open_for_people);
                    is_open_for_people = true;
                }
                Some(Change::FlappingBegan) => is_open_for_people = true,
                Some(Change::Resolved) => {
                    prop_assert!(is_open_for_people);
                    is_open_for_people = false;
                }
                Some(Change::FlappingEnded | Change::Changed | Change::Grown | Change::Reminder) => prop_assert!(is_open_for_people),
                None => {}
            }
            if kind == 2 {
                prop_assert_eq!(before, story.incident.as_ref().map(|incident| incident.state));
            }
            if let Some(incident) = &story.incident {
                let is_open = incident.state == IncidentState::Open;
                prop_assert!(!is_open_for_people || is_open);
                prop_assert!(!is_open || incident.opened_at.is_some());
                prop_assert!(incident.flips.len() <= FLIPS_KEPT);
            }
        }
    }
}

//! When an incident opens, changes and resolves (`semantics.md`, "Over time"). Pure: an incident, what a check saw, an instant.

use crate::model::{Account, Change, Concern, Incident, IncidentState, Severity, Verdict};

/// How incidents are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Checks in a row that must agree before a finding opens, changes or resolves; at least 1.
    pub confirm: u32,
    /// Seconds after which an open incident is told of again; `None`: never.
    pub remind_after: Option<i64>,
    /// Turns within a day beyond which an incident is flapping.
    pub flips: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self { confirm: 2, remind_after: Some(7 * DAY), flips: 4 }
    }
}

impl Policy {
    /// What we know for certain needs no second look.
    fn confirm_for(&self, concern: &Concern) -> u32 {
        match concern {
            Concern::Finding { .. } | Concern::Outage | Concern::Drift { .. } => self.confirm.max(1),
            Concern::Run { .. } | Concern::Channel { .. } | Concern::Store => 1,
        }
    }
}

/// What a check saw of a concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there.
    Present(Sighting),
    /// It is not.
    Absent,
    /// What it was about is not looked at any more; says why.
    Gone(&'static str),
    /// Could not tell.
    Unknown,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The verdict; `None` for what is no finding.
    pub verdict: Option<Verdict>,
    /// How grave it is.
    pub severity: Severity,
    /// Mailboxes that it concerns.
    pub affected: u64,
    /// Whether nothing about it was in doubt; otherwise it may concern more.
    pub is_complete: bool,
    /// What a message says of it.
    pub account: Account,
}

/// The circumstances of a decision.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Seconds since 1970.
    pub at: i64,
    /// How incidents are decided.
    pub policy: &'a Policy,
    /// Whether it is exempt now.
    pub is_exempt: bool,
}

/// An incident after a check, and what is to be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// As it stands now.
    pub incident: Incident,
    /// What happened to it; at most one thing a check.
    pub change: Option<Change>,
    /// Whether that is kept from the channels.
    pub is_muted: bool,
}

/// Decides what a check makes of an incident; `None` where there is nothing to write.
#[must_use]
pub fn decide(standing: Option<&Incident>, concern: &Concern, seen: &Seen, moment: Moment<'_>) -> Option<Decision> {
    let decision = match (seen, standing) {
        (Seen::Unknown, _) | (Seen::Absent | Seen::Gone(_), None) => return None,
        (Seen::Present(sighting), None) => appear(fresh(concern, sighting, moment.at), sighting, moment),
        (Seen::Present(sighting), Some(standing)) => appear(standing.clone(), sighting, moment),
        (Seen::Absent, Some(standing)) => vanish(standing.clone(), moment),
        (Seen::Gone(reason), Some(standing)) => leave(standing.clone(), reason, moment.at),
    };
    let is_news = decision.change.is_some() || standing != Some(&decision.incident);
    is_news.then_some(decision)
}

fn fresh(concern: &Concern, sighting: &Sighting, at: i64) -> Incident {
    Incident {
        id: None,
        concern: concern.clone(),
        state: IncidentState::Dismissed,
        severity: sighting.severity,
        verdict: sighting.verdict,
        candidate: None,
        streak: 0,
        is_seen: false,
        affected: sighting.affected,
        first_seen_at: at,
        opened_at: None,
        resolved_at: None,
        episode: 0,
        is_announced: false,
        notified_at: None,
        notified_affected: 0,
        flips: Vec::new(),
        is_flapping: false,
        account: sighting.account.clone(),
        acknowledgement: None,
    }
}

fn appear(mut incident: Incident, sighting: &Sighting, moment: Moment<'_>) -> Decision {
    turn(&mut incident, true, moment.at);
    let confirm = moment.policy.confirm_for(&incident.concern);
    let is_doubtful = !sighting.is_complete && incident.state == IncidentState::Open;
    incident.affected = if is_doubtful { incident.affected.max(sighting.affected) } else { sighting.affected };
    incident.account.clone_from(&sighting.account);
    let change = match incident.state {
        IncidentState::Open => return appear_again(incident, sighting, moment),
        IncidentState::Suspected => {
            incident.streak = if incident.verdict == sighting.verdict { incident.streak + 1 } else { 1 };
            None
        }
        IncidentState::Resolved | IncidentState::Dismissed => {
            incident.state = IncidentState::Suspected;
            incident.first_seen_at = moment.at;
            incident.streak = 1;
            incident.acknowledgement = None;
            None
        }
    };
    incident.verdict = sighting.verdict;
    incident.severity = sighting.severity;
    if is_restless(&incident, moment) {
        open(&mut incident, moment);
        incident.is_flapping = true;
        return tell(incident, Change::FlappingBegan, moment);
    }
    if incident.streak >= confirm {
        open(&mut incident, moment);
        return tell(incident, Change::Opened, moment);
    }
    Decision { incident, change, is_muted: false }
}

/// It was open, and is seen again.
fn appear_again(mut incident: Incident, sighting: &Sighting, moment: Moment<'_>) -> Decision {
    let mut has_changed = false;
    if incident.verdict == sighting.verdict {
        incident.candidate = None;
        incident.streak = 0;
        incident.severity = sighting.severity;
    } else {
        incident.streak = if incident.candidate == sighting.verdict { incident.streak + 1 } else { 1 };
        incident.candidate = sighting.verdict;
        if incident.streak >= moment.policy.confirm_for(&incident.concern) {
            incident.verdict = incident.candidate.take();
            incident.severity = sighting.severity;
            incident.streak = 0;
            has_changed = true;
        }
    }
    if let Some(decision) = flap(&mut incident, moment) {
        return decision;
    }
    if !incident.is_announced && !moment.is_exempt {
        return tell(incident, Change::Opened, moment);
    }
    if incident.is_flapping {
        return Decision { incident, change: None, is_muted: false };
    }
    if has_changed {
        return tell(incident, Change::Changed, moment);
    }
    if incident.is_announced && !moment.is_exempt {
        if incident.notified_affected > 0 && incident.affected >= 2 * incident.notified_affected {
            return tell(incident, Change::Grown, moment);
        }
        if is_reminder_due(&incident, moment) {
            return tell(incident, Change::Reminder, moment);
        }
    }
    Decision { incident, change: None, is_muted: false }
}

fn vanish(mut incident: Incident, moment: Moment<'_>) -> Decision {
    turn(&mut incident, false, moment.at);
    match incident.state {
        IncidentState::Resolved | IncidentState::Dismissed => {}
        IncidentState::Suspected => {
            incident.state = IncidentState::Dismissed;
            incident.streak = 0;
            if is_restless(&incident, moment) {
                open(&mut incident, moment);
                incident.is_flapping = true;
                return tell(incident, Change::FlappingBegan, moment);
            }
        }
        IncidentState::Open => {
            let confirm = moment.policy.confirm_for(&incident.concern);
            let was_resolving = incident.candidate.take().is_none();
            // more than enough says nothing more: a flapping incident waits for quiet
            incident.streak = if was_resolving { (incident.streak + 1).min(confirm) } else { 1 };
            if let Some(decision) = flap(&mut incident, moment) {
                return decision;
            }
            if !incident.is_flapping && incident.streak >= confirm {
                return resolve(incident, moment.at);
            }
        }
    }
    Decision { incident, change: None, is_muted: false }
}

/// What it was about is no longer looked at.
fn leave(mut incident: Incident, reason: &'static str, at: i64) -> Decision {
    incident.is_seen = false;
    match incident.state {
        IncidentState::Open => {
            reason.clone_into(&mut incident.account.explanation);
            incident.is_flapping = false;
            return resolve(incident, at);
        }
        IncidentState::Suspected => incident.state = IncidentState::Dismissed,
        IncidentState::Resolved | IncidentState::Dismissed => {}
    }
    incident.streak = 0;
    Decision { incident, change: None, is_muted: false }
}

/// Begins or ends flapping; `None` where neither.
fn flap(incident: &mut Incident, moment: Moment<'_>) -> Option<Decision> {
    if !incident.is_flapping && is_restless(incident, moment) {
        incident.is_flapping = true;
        return Some(tell(incident.clone(), Change::FlappingBegan, moment));
    }
    let is_quiet = recent(&incident.flips, moment.at).len() * 2 <= moment.policy.flips;
    if incident.is_flapping && is_quiet {
        incident.is_flapping = false;
        if !incident.is_seen && incident.streak >= moment.policy.confirm_for(&incident.concern) {
            return Some(resolve(incident.clone(), moment.at));
        }
        // whoever was not told that it began is told what is so now
        return incident.is_announced.then(|| tell(incident.clone(), Change::FlappingEnded, moment));
    }
    None
}

/// Notes whether it is seen; a turn is remembered for as long as flapping is judged.
fn turn(incident: &mut Incident, is_seen: bool, at: i64) {
    if incident.is_seen == is_seen {
        return;
    }
    incident.is_seen = is_seen;
    incident.flips = recent(&incident.flips, at).to_vec();
    incident.flips.push(at);
    let surplus = incident.flips.len().saturating_sub(FLIPS_KEPT);
    incident.flips.drain(..surplus);
}

fn recent(flips: &[i64], at: i64) -> &[i64] {
    let old = flips.iter().take_while(|flip| at - **flip >= FLAP_WINDOW).count();
    flips.get(old..).unwrap_or_default()
}

fn is_restless(incident: &Incident, moment: Moment<'_>) -> bool {
    recent(&incident.flips, moment.at).len() > moment.policy.flips
}

fn is_reminder_due(incident: &Incident, moment: Moment<'_>) -> bool {
    let is_acknowledged = incident.acknowledgement.as_ref().is_some_and(|acknowledgement| acknowledgement.holds(moment.at));
    let since = moment.at - incident.notified_at.unwrap_or(moment.at);
    !is_acknowledged && moment.policy.remind_after.is_some_and(|pause| since >= pause)
}

fn open(incident: &mut Incident, moment: Moment<'_>) {
    incident.state = IncidentState::Open;
    incident.opened_at = Some(moment.at);
    incident.resolved_at = None;
    incident.candidate = None;
    incident.streak = 0;
    incident.episode += 1;
    incident.is_announced = false;
}

/// Told to whoever was told that it opened, exempt or not.
fn resolve(mut incident: Incident, at: i64) -> Decision {
    incident.state = IncidentState::Resolved;
    incident.resolved_at = Some(at);
    incident.candidate = None;
    incident.streak = 0;
    incident.acknowledgement = None;
    let is_muted = !incident.is_announced;
    if !is_muted {
        incident.notified_at = Some(at);
    }
    Decision { incident, change: Some(Change::Resolved), is_muted }
}

fn tell(mut incident: Incident, change: Change, moment: Moment<'_>) -> Decision {
    if !moment.is_exempt {
        incident.is_announced = true;
        incident.notified_at = Some(moment.at);
        incident.notified_affected = incident.affected;
    }
    Decision { incident, change: Some(change), is_muted: moment.is_exempt }
}

const DAY: i64 = 86_400;
/// Seconds over which turns are counted.
const FLAP_WINDOW: i64 = DAY;
/// More turns than any policy asks for.
const FLIPS_KEPT: usize = 32;

#[cfg(test)]
mod tests;

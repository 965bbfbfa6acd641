//! What a notice says: its events folded by incident, the gravest first, in one headline. Pure.

use std::{cmp::Reverse, collections::BTreeMap};

use super::phrase::{Wording, capital, counted, grouped};
use crate::model::{Change, Concern, Event, IncidentId, Notice, Severity};

/// A notice as its readers need it.
#[derive(Debug, Clone)]
pub struct Digest<'a> {
    /// What it was made of.
    pub notice: &'a Notice,
    /// The words.
    pub wording: &'a Wording,
    /// An incident each: what is not over first, then the gravest, then the one with the most mailboxes.
    pub items: Vec<Item<'a>>,
    /// Whether it only tries the channel.
    pub is_test: bool,
}

/// What happened to one incident since the notice before.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    /// The newest event: where it stands.
    pub event: &'a Event,
    /// What happened, in one word.
    pub story: Story,
    /// All that happened, in order; the same twice in a row is there once.
    pub steps: Vec<Change>,
}

/// What happened to an incident, over all its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// It is new.
    Opened,
    /// It was over, and is open again.
    Returned,
    /// Its verdict is another.
    Changed,
    /// It concerns many more mailboxes.
    Grown,
    /// It goes to and fro.
    Flapping,
    /// It is still open.
    Reminder,
    /// It stands still again, open or not.
    Settled,
    /// It came and went before this notice.
    Passed,
    /// It is over.
    Resolved,
}

impl Story {
    /// The name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Returned => "returned",
            Self::Changed => "changed",
            Self::Grown => "grown",
            Self::Flapping => "flapping",
            Self::Reminder => "reminder",
            Self::Settled => "settled",
            Self::Passed => "opened-and-resolved",
            Self::Resolved => "resolved",
        }
    }

    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Opened => "new",
            Self::Returned => "resolved and back meanwhile",
            Self::Changed => "changed",
            Self::Grown => "grown",
            Self::Flapping => "coming and going",
            Self::Reminder => "still open",
            Self::Settled => "settled",
            Self::Passed => "opened and resolved meanwhile",
            Self::Resolved => "resolved",
        }
    }

    fn count(self, number: u64, noun: Option<(&str, &str)>) -> String {
        let words = self.words();
        match noun {
            None => format!("{} {words}", grouped(number)),
            Some((one, many)) if matches!(self, Self::Opened | Self::Changed | Self::Grown | Self::Resolved) => {
                counted(number, &format!("{words} {one}"), &format!("{words} {many}"))
            }
            Some((one, many)) => format!("{} {words}", counted(number, one, many)),
        }
    }
}

/// The incidents of one alert of a pager (`Concern::group_key`) that a notice touches.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// The group's key.
    pub key: String,
    /// Open incidents of it, those included that the notice does not touch.
    pub open: u64,
    /// The gravest that the notice touches.
    pub gravest: &'a Item<'a>,
    /// How many it touches.
    pub touched: u64,
}

impl<'a> Digest<'a> {
    /// Folds a notice.
    #[must_use]
    pub fn new(notice: &'a Notice, wording: &'a Wording) -> Self {
        let mut by_incident: BTreeMap<IncidentId, Vec<&Event>> = BTreeMap::new();
        for event in &notice.events {
            by_incident.entry(event.incident).or_default().push(event);
        }
        let mut items: Vec<Item<'a>> = by_incident.into_values().filter_map(|events| fold(&events)).collect();
        items.sort_by_key(|item| {
            let event = item.event;
            (!event.is_open, Reverse(event.severity), Reverse(event.affected), event.incident)
        });
        Self { notice, wording, items, is_test: false }
    }

    /// One sentence: what changed, and the gravest of it.
    #[must_use]
    pub fn headline(&self) -> String {
        let Some(top) = self.items.first() else { return "Nothing has changed".to_owned() };
        let sentence = self.sentence(top);
        if self.is_test {
            return "Test: this is how a notice looks here; nothing has happened".to_owned();
        }
        let is_finding = |item: &Item<'_>| matches!(item.event.concern, Concern::Finding { .. });
        let (any_findings, all_findings) = (self.items.iter().any(is_finding), self.items.iter().all(is_finding));
        if !any_findings && self.items.len() == 1 {
            return match top.story {
                Story::Opened | Story::Resolved => capital(&sentence),
                story => format!("{} ({})", capital(&sentence), story.words()),
            };
        }
        let start = if self.items.iter().all(|item| item.event.concern.is_ours()) { "About the audit itself: " } else { "" };
        format!("{start}{}: {sentence}", self.changes(if all_findings { FINDINGS } else { INCIDENTS }))
    }

    /// `3 new findings, 1 resolved`.
    fn changes(&self, noun: (&str, &str)) -> String {
        let counts = self.counts().into_iter().enumerate();
        let parts = counts.map(|(at, (story, number))| story.count(number, (at == 0).then_some(noun)));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// How many incidents have each story; none is zero.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Story, u64> {
        let mut counts = BTreeMap::new();
        for item in &self.items {
            *counts.entry(item.story).or_default() += 1;
        }
        counts
    }

    /// One sentence on an item, without a full stop.
    #[must_use]
    pub fn sentence(&self, item: &Item<'_>) -> String {
        self.wording.sentence(item.event, &self.notice.tenant_name)
    }

    /// The gravest of what is not over; `info` where all is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.items.iter().filter(|item| item.event.is_open).map(|item| item.event.severity).max().unwrap_or(Severity::Info)
    }

    /// Whether nothing in it is open.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.items.iter().all(|item| !item.event.is_open)
    }

    /// When the newest of it happened, seconds since 1970.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.items.iter().map(|item| item.event.at).max().unwrap_or(self.notice.created_at)
    }

    /// The groups that it touches, in the order of their gravest items.
    #[must_use]
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut groups: Vec<Group<'_>> = Vec::new();
        for item in &self.items {
            let key = item.event.concern.group_key();
            if let Some(group) = places.get(&key).and_then(|place| groups.get_mut(*place)) {
                group.touched += 1;
                continue;
            }
            let open = self.notice.open_in_group.iter().find(|(known, _)| *known == key).map_or(0, |(_, open)| *open);
            places.insert(key.clone(), groups.len());
            groups.push(Group { key, open, gravest: item, touched: 1 });
        }
        groups
    }
}

/// All that happened to one incident; `None` for no event.
fn fold<'a>(events: &[&'a Event]) -> Option<Item<'a>> {
    let (first, last) = (*events.first()?, *events.last()?);
    let mut steps: Vec<Change> = events.iter().map(|event| event.change).collect();
    let story = story(&steps, first.change != Change::Opened, last.is_open);
    steps.dedup();
    Some(Item { event: last, story, steps })
}

fn story(steps: &[Change], was_open: bool, is_open: bool) -> Story {
    let has = |change| steps.contains(&change);
    let flapping = steps.iter().rev().find(|step| matches!(step, Change::FlappingBegan | Change::FlappingEnded));
    if flapping == Some(&Change::FlappingBegan) && is_open {
        return Story::Flapping;
    }
    match (was_open, is_open) {
        (false, false) => Story::Passed,
        (false, true) => Story::Opened,
        (true, false) if steps.last() == Some(&Change::FlappingEnded) => Story::Settled,
        (true, false) => Story::Resolved,
        (true, true) if has(Change::Resolved) => Story::Returned,
        (true, true) if has(Change::Changed) => Story::Changed,
        (true, true) if has(Change::FlappingEnded) => Story::Settled,
        (true, true) if has(Change::Grown) => Story::Grown,
        (true, true) => Story::Reminder,
    }
}

const FINDINGS: (&str, &str) = ("finding", "findings");
const INCIDENTS: (&str, &str) = ("incident", "incidents");

#[cfg(test)]
mod tests {
    use super::{super::sample, *};
    use crate::model::Verdict;

    #[test]
    fn events_of_one_incident_are_told_once_with_their_story() {
        use Change::{Changed, FlappingBegan, FlappingEnded, Grown, Opened, Reminder, Resolved};
        for (steps, is_open, expected) in [
            (vec![Opened], true, Story::Opened),
            (vec![Opened, Resolved], false, Story::Passed),
            (vec![Opened, Grown, Changed], true, Story::Opened),
            (vec![Opened, Resolved, Opened], true, Story::Opened),
            (vec![Resolved], false, Story::Resolved),
            (vec![Grown, Resolved], false, Story::Resolved),
            (vec![Resolved, Opened], true, Story::Returned),
            (vec![Resolved, Opened, Resolved], false, Story::Resolved),
            (vec![Changed, Grown], true, Story::Changed),
            (vec![Reminder, Grown], true, Story::Grown),
            (vec![Reminder], true, Story::Reminder),
            (vec![FlappingBegan], true, Story::Flapping),
            (vec![Opened, FlappingBegan], true, Story::Flapping),
            (vec![FlappingEnded], true, Story::Settled),
            (vec![FlappingEnded], false, Story::Settled),
            (vec![FlappingBegan, FlappingEnded], false, Story::Settled),
            (vec![Opened, FlappingBegan, FlappingEnded], false, Story::Passed),
            (vec![FlappingEnded, Resolved], false, Story::Resolved),
        ] {
            assert_eq!(story(&steps, steps[0] != Opened, is_open), expected, "{steps:?}");
        }
    }

    #[test]
    fn the_gravest_comes_first_and_what_is_over_last() {
        let notice = sample::notice(vec![
            sample::event(1, "a.contoso.com", Change::Resolved, 9_000),
            sample::event(2, "b.contoso.com", Change::Opened, 12),
            sample::event(3, "c.contoso.com", Change::Opened, 3_120),
            sample::event_of(4, "d.contoso.com", Change::Opened, (Verdict::NotFound, 5_000)),
        ]);
        let wording = sample::wording();
        let digest = Digest::new(&notice, &wording);
        let order: Vec<i64> = digest.items.iter().map(|item| item.event.incident.0).collect();
        assert_eq!(order, [3, 2, 4, 1]);
        assert_eq!(
            digest.headline(),
            "3 new findings, 1 resolved: 3,120 mailboxes in c.contoso.com would be led to the consumer service by Thunderbird"
        );
        assert_eq!((digest.severity(), digest.is_over()), (Severity::Error, false));
    }

    #[test]
    fn headlines_say_what_changed() {
        let wording = sample::wording();
        let ours = |concern, change| sample::about_us(7, concern, change);
        let drift = |change| sample::drift(9, change, 3_120);
        for (events, headline) in [
            (vec![], "Nothing has changed"),
            (
                vec![sample::event(1, "contoso.com", Change::Opened, 1)],
                "1 new finding: 1 mailbox in contoso.com would be led to the consumer service by Thunderbird",
            ),
            (
                vec![sample::event(1, "contoso.com", Change::Opened, 9), sample::event(1, "contoso.com", Change::Resolved, 9)],
                "1 finding opened and resolved meanwhile: mailboxes in contoso.com are no longer led to the consumer service by Thunderbird",
            ),
            (
                vec![sample::event(1, "contoso.com", Change::Reminder, 9)],
                "1 finding still open: 9 mailboxes in contoso.com would be led to the consumer service by Thunderbird",
            ),
            (
                vec![ours(Concern::Outage, Change::Opened)],
                "The audit itself cannot tell: most of its lookups failed, for reasons of its own",
            ),
            (vec![ours(Concern::Channel { channel: "ops".into() }, Change::Resolved)], "The channel ops takes notices again"),
            (vec![ours(Concern::Store, Change::Reminder)], "The audit's own database takes no more (still open)"),
            (
                vec![drift(Change::Opened)],
                "The entry outlook.com of the ISP database live.thunderbird.net/autoconfig/v1.1 is not what it was, and changes what \
                 3,120 mailboxes would be set up with",
            ),
            (
                vec![drift(Change::Resolved)],
                "The entry outlook.com of the ISP database live.thunderbird.net/autoconfig/v1.1 is what is known",
            ),
            (
                vec![drift(Change::Opened), ours(Concern::Store, Change::Resolved)],
                "1 new incident, 1 resolved: the entry outlook.com of the ISP database live.thunderbird.net/autoconfig/v1.1 is not what it \
                 was, and changes what 3,120 mailboxes would be set up with",
            ),
            (
                vec![ours(Concern::Store, Change::Opened), sample::about_us(8, Concern::Outage, Change::Resolved)],
                "About the audit itself: 1 new incident, 1 resolved: the audit's own database takes no more",
            ),
        ] {
            assert_eq!(Digest::new(&sample::notice(events), &wording).headline(), headline);
        }
    }

    #[test]
    fn groups_tell_how_many_are_open_beside_those_that_are_told() {
        let mut notice = sample::notice(vec![
            sample::event(1, "a.contoso.com", Change::Resolved, 5),
            sample::event(2, "b.contoso.com", Change::Opened, 7),
            sample::about_us(3, Concern::Outage, Change::Resolved),
        ]);
        notice.open_in_group = vec![("finding/contoso/thunderbird/mx-base-domain".into(), 4)];
        let wording = sample::wording();
        let digest = Digest::new(&notice, &wording);
        let groups: Vec<_> =
            digest.groups().iter().map(|group| (group.key.clone(), group.open, group.touched, group.gravest.event.incident.0)).collect();
        assert_eq!(groups, [("finding/contoso/thunderbird/mx-base-domain".into(), 4, 2, 2), ("outage".into(), 0, 1, 3)]);
    }
}

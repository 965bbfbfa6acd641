//! What a batch changes: the mailboxes that it names against those that are known. Pure.

use std::cmp::Ordering;

use super::Recorded;

/// Address keys after the one and, unless the domain ends with the batch, up to the other.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) after: String,
    pub(super) through: String,
}

/// A mailbox of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) key: String,
    pub(super) address: String,
    pub(super) profile: i64,
    pub(super) person: Option<String>,
    pub(super) outcome: i64,
}

/// A mailbox of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: i64,
    pub(super) key: String,
    pub(super) address: String,
    pub(super) profile: i64,
    pub(super) person: Option<String>,
    pub(super) outcome: Option<i64>,
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes<'a> {
    /// Mailboxes that are not known yet.
    pub(super) new: Vec<&'a Entered>,
    /// Mailboxes by id whose spelling, profile or person changed.
    pub(super) edited: Vec<(i64, &'a Entered)>,
    /// Mailboxes by id with the outcome that they now have.
    pub(super) moved: Vec<(i64, Option<i64>)>,
    unchanged: u64,
}

impl Changes<'_> {
    pub(super) fn count(&self) -> Recorded {
        let moved = self.moved.len() as u64;
        let gone = self.moved.iter().filter(|(_, outcome)| outcome.is_none()).count() as u64;
        Recorded { new: self.new.len() as u64, changed: moved - gone, unchanged: self.unchanged, gone }
    }
}

/// Both in the order of their keys.
pub(super) fn compare(entered: &[Entered], found: Vec<Found>) -> Changes<'_> {
    let mut changes = Changes::default();
    let mut entered = entered.iter().peekable();
    for known in found {
        while let Some(new) = entered.next_if(|entry| entry.key < known.key) {
            changes.new.push(new);
        }
        match entered.peek().map(|entry| entry.key.cmp(&known.key)) {
            Some(Ordering::Equal) => {
                if let Some(entry) = entered.next() {
                    changes.meet(entry, &known);
                }
            }
            _ if known.outcome.is_some() => changes.moved.push((known.id, None)),
            _ => {}
        }
    }
    changes.new.extend(entered);
    changes
}

impl<'a> Changes<'a> {
    fn meet(&mut self, entry: &'a Entered, known: &Found) {
        if known.address != entry.address || known.profile != entry.profile || known.person != entry.person {
            self.edited.push((known.id, entry));
        }
        if known.outcome == Some(entry.outcome) {
            self.unchanged += 1;
        } else {
            self.moved.push((known.id, Some(entry.outcome)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(key: &str, outcome: i64) -> Entered {
        Entered { key: key.into(), address: key.into(), profile: 1, person: None, outcome }
    }

    fn found(id: i64, key: &str, outcome: Option<i64>) -> Found {
        Found { id, key: key.into(), address: key.into(), profile: 1, person: None, outcome }
    }

    #[test]
    fn a_batch_is_told_apart_into_new_moved_gone_and_unchanged() {
        let batch = [entered("a", 1), entered("c", 1), entered("d", 2), entered("e", 1), entered("g", 1)];
        let known = vec![found(1, "b", Some(1)), found(2, "c", Some(1)), found(3, "d", Some(1)), found(4, "e", None), found(5, "f", None)];
        let changes = compare(&batch, known);
        assert_eq!(changes.new, [&batch[0], &batch[4]]);
        assert_eq!(changes.moved, [(1, None), (3, Some(2)), (4, Some(1))]);
        assert_eq!(changes.edited, []);
        assert_eq!(changes.count(), Recorded { new: 2, changed: 2, unchanged: 1, gone: 1 });
    }

    #[test]
    fn a_new_department_is_an_edit_and_no_new_outcome() {
        let batch = [Entered { person: Some("{}".into()), ..entered("a", 1) }];
        let changes = compare(&batch, vec![found(9, "a", Some(1))]);
        assert_eq!(changes.edited, [(9, &batch[0])]);
        assert_eq!(changes.count(), Recorded { unchanged: 1, ..Recorded::default() });
    }
}

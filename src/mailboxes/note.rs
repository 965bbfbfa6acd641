//! Notes on rows that are kept all the same: counted, with the first of them.

use super::{column::Column, list::Warning};

/// What is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// The row is not UTF-8.
    NotUtf8,
    /// The sign-in name stands in for an address that is not there.
    SignInName,
    /// The value of a column is not understood.
    Unread(Column),
}

/// The notes on a list.
#[derive(Debug, Default)]
pub(super) struct Notes {
    titles: Vec<(Column, String)>,
    counts: Vec<(Note, Count)>,
}

#[derive(Debug)]
struct Count {
    rows: u64,
    first_line: u64,
    first_value: String,
}

impl Notes {
    /// How a column is called in this list; the first name stays.
    pub(super) fn name_column(&mut self, column: Column, title: &str) {
        if self.titles.iter().all(|(known, _)| *known != column) {
            self.titles.push((column, title.to_owned()));
        }
    }

    /// The name; empty where the list has no such column.
    pub(super) fn title(&self, column: Column) -> &str {
        self.titles.iter().find(|(known, _)| *known == column).map_or("", |(_, title)| title)
    }

    pub(super) fn add(&mut self, note: Note, line: u64, value: &str) {
        match self.counts.iter_mut().find(|(known, _)| *known == note) {
            Some((_, count)) => count.rows += 1,
            None => self.counts.push((note, Count { rows: 1, first_line: line, first_value: value.to_owned() })),
        }
    }

    pub(super) fn has(&self, note: Note) -> bool {
        self.counts.iter().any(|(known, _)| *known == note)
    }

    /// The notes as warnings, in the order in which they came up; `clients` are the names that rows may hold.
    pub(super) fn warnings(&self, clients: &[&str]) -> Vec<Warning> {
        let warning = |(note, count): &(Note, Count)| {
            let Count { rows, first_line, first_value } = count;
            let (rows, first_line) = (*rows, *first_line);
            match note {
                Note::NotUtf8 => Warning::NotUtf8 { rows, first_line },
                Note::SignInName => Warning::SignInNameStandsIn { rows, first_line },
                Note::Unread(column) => Warning::NotUnderstood {
                    column: self.title(*column).to_owned(),
                    rows,
                    first_line,
                    first_value: first_value.clone(),
                    allowed: if *column == Column::Clients { clients.join(", ") } else { "true, false".to_owned() },
                },
            }
        };
        self.counts.iter().map(warning).collect()
    }
}

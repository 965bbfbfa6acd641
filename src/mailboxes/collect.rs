//! Rows to a list: refuses, counts, shares what is equal, drops what repeats.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::HashSet,
    io::{self, BufRead},
    sync::Arc,
};

use encoding_rs::WINDOWS_1252;
use serde_json::{Map, Value};

use crate::model::{Address, Domain, Mailbox, Profile};

use super::{
    column::{Column, RANK_SIGN_IN_NAME, sign_in_name_stands_in},
    detect::{Shape, is_preamble},
    line::{Line, Lines, Row},
    list::{Duplicate, Format, List, MAX_NAMED, Refusal, RefusalReason, TextEncoding, Warning},
    note::{Note, Notes},
    row::{Fields, shorten},
    split::Splitter,
};

/// Gathers the rows of one list.
pub(super) struct Collector<'a> {
    clients: &'a [&'a str],
    entries: Vec<(Mailbox, u64)>,
    domains: HashSet<Domain>,
    profiles: HashSet<Arc<Profile>>,
    notes: Notes,
    list: List,
}

/// The columns of a list that has a header, or of a JSON object.
struct Header {
    columns: Vec<Option<Column>>,
    sign_in_name_stands_in: bool,
}

impl<'a> Collector<'a> {
    pub(super) fn new(clients: &'a [&'a str]) -> Self {
        Self {
            clients,
            entries: Vec::new(),
            domains: HashSet::new(),
            profiles: HashSet::new(),
            notes: Notes::default(),
            list: List::default(),
        }
    }

    /// An address a line; `#` starts a comment.
    pub(super) fn read_text<R: BufRead>(&mut self, lines: &mut Lines<R>) -> io::Result<()> {
        while let Some(line) = lines.next_line()? {
            let Some(text) = self.usable(&line, true) else { continue };
            let fields = Fields::of_line(&text);
            self.accept(line.number, &text, &fields);
        }
        Ok(())
    }

    /// A JSON object a line.
    pub(super) fn read_json<R: BufRead>(&mut self, lines: &mut Lines<R>) -> io::Result<()> {
        while let Some(line) = lines.next_line()? {
            let Some(text) = self.usable(&line, true) else { continue };
            match serde_json::from_str::<Map<String, Value>>(&text) {
                Err(error) => self.refuse(line.number, &text, RefusalReason::Json(shorten(&error.to_string(), 120))),
                Ok(object) => {
                    let header = self.assign(object.keys().map(String::as_str));
                    let mut fields = Fields::new(header.sign_in_name_stands_in);
                    for (column, value) in header.columns.into_iter().zip(object.values()) {
                        if let Some(column) = column {
                            fields.push(column, json_text(value));
                        }
                    }
                    self.accept(line.number, &text, &fields);
                }
            }
        }
        Ok(())
    }

    /// CSV with a header.
    pub(super) fn read_csv<R: BufRead>(&mut self, lines: &mut Lines<R>, shape: &Shape) -> io::Result<()> {
        let has_comments = shape.format == Format::Csv;
        let mut splitter = Splitter::new(shape.separator);
        let mut header: Option<Header> = None;
        while let Some(mut row) = lines.next_row(shape.separator)? {
            let stands_alone = row.first.cut || row.first.bytes.first() == Some(&b'#') && (has_comments || header.is_none());
            if stands_alone {
                lines.give_back(std::mem::take(&mut row.rest));
            }
            let bytes = row.bytes();
            let (number, cut) = (row.first.number, row.first.cut || row.rest.iter().any(|line| line.cut));
            let whole = Line { number, bytes, cut };
            let Some(text) = self.usable(&whole, has_comments) else { continue };
            let Some(known) = &header else {
                if is_preamble(&text) {
                    self.list.blanks += 1;
                } else {
                    header = Some(self.assign(splitter.split(&text).iter()));
                }
                continue;
            };
            if !row.closed {
                self.refuse(number, &text, RefusalReason::UnclosedQuote);
                continue;
            }
            let cells = splitter.split(&text);
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                self.list.blanks += 1;
            } else if cells.len() == known.columns.len() || cells.len() < known.columns.len() && row.rest.is_empty() {
                // spreadsheet programs leave empty cells at the end of a row out
                let mut fields = Fields::new(known.sign_in_name_stands_in);
                for (column, cell) in known.columns.iter().zip(cells.iter().chain(std::iter::repeat(""))) {
                    if let Some(column) = column {
                        fields.push(*column, cell);
                    }
                }
                self.accept(number, &text, &fields);
            } else {
                let reason = RefusalReason::FieldCount { expected: known.columns.len(), found: cells.len() };
                self.refuse_first_line(lines, &mut row, reason);
            }
        }
        Ok(())
    }

    /// Sorts, drops what repeats, and closes the list.
    pub(super) fn finish(self, format: Format, encoding: TextEncoding) -> List {
        let Self { clients, mut entries, mut list, notes, .. } = self;
        entries.sort_unstable_by(|(one, line), (other, other_line)| one.address.cmp_key(&other.address).then_with(|| line.cmp(other_line)));
        let mut repeated = Vec::new();
        entries.dedup_by(|(next, line), (kept, first_line)| {
            let repeats = next.address.cmp_key(&kept.address) == Ordering::Equal;
            if repeats {
                repeated.push(Duplicate { line: *line, first_line: *first_line });
            }
            repeats
        });
        repeated.sort_unstable();
        list.duplicates = repeated.len() as u64;
        repeated.truncate(MAX_NAMED);
        list.duplicate_lines = repeated;
        list.mailboxes = entries.into_iter().map(|(mailbox, _)| mailbox).collect();
        list.format = format;
        list.encoding = encoding;
        if notes.has(Note::NotUtf8) {
            list.encoding = TextEncoding::Windows1252;
        }
        list.warnings.extend(notes.warnings(clients));
        list
    }

    /// The text of a line that holds a row.
    fn usable<'t>(&mut self, line: &'t Line, has_comments: bool) -> Option<Cow<'t, str>> {
        let bytes = line.bytes.trim_ascii();
        if line.cut {
            self.refuse(line.number, &String::from_utf8_lossy(bytes.get(..MAX_TEXT * 4).unwrap_or(bytes)), RefusalReason::LineLength);
            return None;
        }
        if bytes.is_empty() || has_comments && bytes.first() == Some(&b'#') {
            self.list.blanks += 1;
            return None;
        }
        if let Ok(text) = std::str::from_utf8(&line.bytes) {
            return Some(text.into());
        }
        self.notes.add(Note::NotUtf8, line.number, "");
        Some(WINDOWS_1252.decode_without_bom_handling(&line.bytes).0)
    }

    fn accept(&mut self, line: u64, text: &str, fields: &Fields) {
        match fields.parse(self.clients) {
            Err(reason) => self.refuse(line, text, reason),
            Ok(mut parsed) => {
                if parsed.by_sign_in_name {
                    self.notes.add(Note::SignInName, line, "");
                }
                for (column, value) in &parsed.unread {
                    self.notes.add(Note::Unread(*column), line, value);
                }
                self.share_domain(&mut parsed.address);
                let profile = self.share_profile(parsed.profile);
                self.entries.push((Mailbox { address: parsed.address, profile, person: parsed.person }, line));
            }
        }
    }

    fn refuse(&mut self, line: u64, text: &str, reason: RefusalReason) {
        self.list.refused_count += 1;
        self.list.system_count += u64::from(matches!(reason, RefusalReason::System(_)));
        if self.list.refused.len() < MAX_NAMED {
            self.list.refused.push(Refusal { line, text: shorten(text, MAX_TEXT), reason });
        }
    }

    /// A stray quote may have made one row of several lines: those after the first get another chance.
    fn refuse_first_line<R: BufRead>(&mut self, lines: &mut Lines<R>, row: &mut Row, reason: RefusalReason) {
        let reason = if row.rest.is_empty() { reason } else { RefusalReason::UnclosedQuote };
        lines.give_back(std::mem::take(&mut row.rest));
        self.refuse(row.first.number, &String::from_utf8_lossy(&row.first.bytes), reason);
    }

    /// What the columns are; those that are not used are noted.
    fn assign<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Header {
        let names: Vec<&str> = names.map(str::trim).collect();
        let known: Vec<Option<Column>> = names.iter().map(|name| Column::parse(name)).collect();
        let best = known.iter().flatten().filter_map(|column| column.address_rank()).min();
        let mut used = "";
        let mut others = Vec::new();
        let mut columns: Vec<Option<Column>> = Vec::with_capacity(names.len());
        for (name, column) in names.into_iter().zip(known) {
            let assigned = match column {
                None => {
                    self.note_unknown(name);
                    None
                }
                Some(Column::Address(rank)) if best == Some(rank) => {
                    if used.is_empty() {
                        used = name;
                    }
                    Some(Column::Address(0))
                }
                Some(Column::Address(_)) => {
                    others.push(shorten(name, MAX_NAME));
                    None
                }
                other => other,
            };
            let repeats = assigned.is_some() && columns.contains(&assigned);
            if repeats {
                self.warn(Warning::RepeatedColumn(shorten(name, MAX_NAME)));
            }
            let assigned = assigned.filter(|_| !repeats);
            if let Some(column) = assigned {
                self.notes.name_column(column, &shorten(name, MAX_NAME));
            }
            columns.push(assigned);
        }
        if !others.is_empty() {
            self.warn(Warning::SeveralAddressColumns { used: shorten(used, MAX_NAME), others });
        }
        if best == Some(RANK_SIGN_IN_NAME) {
            let name = self.notes.title(Column::SignInName).to_owned();
            self.warn(Warning::SignInNames(name));
        }
        Header { columns, sign_in_name_stands_in: best.is_some_and(sign_in_name_stands_in) }
    }

    fn note_unknown(&mut self, name: &str) {
        let name = shorten(name, MAX_NAME);
        if !name.is_empty() && self.list.unknown_columns.len() < MAX_NAMED && !self.list.unknown_columns.contains(&name) {
            self.list.unknown_columns.push(name);
        }
    }

    fn warn(&mut self, warning: Warning) {
        if self.list.warnings.len() < MAX_WARNINGS && !self.list.warnings.contains(&warning) {
            self.list.warnings.push(warning);
        }
    }

    fn share_domain(&mut self, address: &mut Address) {
        match self.domains.get(address.domain()) {
            Some(shared) => address.share_domain(shared),
            None => drop(self.domains.insert(address.domain().clone())),
        }
    }

    fn share_profile(&mut self, profile: Profile) -> Arc<Profile> {
        if let Some(shared) = self.profiles.get(&profile) {
            return Arc::clone(shared);
        }
        let shared = Arc::new(profile);
        self.profiles.insert(Arc::clone(&shared));
        shared
    }
}

/// A value as a CSV cell would hold it.
fn json_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => "".into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => values.iter().map(json_text).collect::<Vec<_>>().join(" ").into(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string().into(),
    }
}

/// How much of a refused row is shown.
const MAX_TEXT: usize = 80;
/// Of a column, where it is shown.
const MAX_NAME: usize = 60;
const MAX_WARNINGS: usize = 20;

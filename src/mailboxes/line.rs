//! Lines, and the rows that quoted line ends make of several of them. Keeps the numbers of the lines in the file, and lets no
//! stray quote swallow the rows after it.

use std::{
    collections::VecDeque,
    io::{self, BufRead},
};

/// A line of the file.
#[derive(Debug, Default, Clone)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    /// Without its end.
    pub(super) bytes: Vec<u8>,
    /// Whether it was cut at the limit.
    pub(super) cut: bool,
}

/// The lines of a text, one after the other.
pub(super) struct Lines<R> {
    input: R,
    end: u8,
    number: u64,
    returned: VecDeque<Line>,
}

/// A row of a CSV file.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) first: Line,
    /// The further lines of a row with line ends in quotes.
    pub(super) rest: Vec<Line>,
    /// Whether its quotes are closed.
    pub(super) closed: bool,
}

impl Row {
    /// The whole row.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.first.bytes.clone();
        for line in &self.rest {
            bytes.push(b'\n');
            bytes.extend_from_slice(&line.bytes);
        }
        bytes
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R, end: u8) -> Self {
        Self { input, end, number: 0, returned: VecDeque::new() }
    }

    /// The next line.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.returned.pop_front() {
            return Ok(Some(line));
        }
        let mut line = Line { number: self.number + 1, ..Line::default() };
        if !self.fill(&mut line)? {
            return Ok(None);
        }
        self.number += 1;
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.pop();
        }
        Ok(Some(line))
    }

    /// The next row of a CSV file. Where quotes stay open too long, or close in the middle of a field of a later line, only the
    /// first line is taken.
    pub(super) fn next_row(&mut self, separator: u8) -> io::Result<Option<Row>> {
        let Some(first) = self.next_line()? else { return Ok(None) };
        let mut scan = Scan { separator, quoting: Quoting::FieldStart, strays: false };
        scan.read(&first.bytes);
        let mut row = Row { first, rest: Vec::new(), closed: true };
        let mut bytes = 0;
        while scan.quoting == Quoting::Quoted {
            let line = if row.rest.len() < MAX_ROW_LINES && bytes < MAX_ROW_BYTES { self.next_line()? } else { None };
            let Some(line) = line else {
                row.closed = false;
                break;
            };
            bytes += line.bytes.len();
            scan.read(&line.bytes);
            row.rest.push(line);
        }
        row.closed &= row.rest.is_empty() || !scan.strays;
        if !row.closed {
            self.give_back(std::mem::take(&mut row.rest));
        }
        Ok(Some(row))
    }

    /// Takes lines back that turned out not to belong to a row.
    pub(super) fn give_back(&mut self, lines: Vec<Line>) {
        for line in lines.into_iter().rev() {
            self.returned.push_front(line);
        }
    }

    fn fill(&mut self, line: &mut Line) -> io::Result<bool> {
        let mut any = false;
        loop {
            let block = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if block.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = block.iter().position(|byte| *byte == self.end);
            let part = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            let room = MAX_LINE_BYTES.saturating_sub(line.bytes.len());
            line.cut |= part.len() > room;
            line.bytes.extend(part.iter().take(room));
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// Follows the quotes of a row.
struct Scan {
    separator: u8,
    quoting: Quoting,
    /// Whether a field went on after its closing quote.
    strays: bool,
}

/// Where in a field the reader is; as the `csv` crate reads quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    FieldStart,
    Plain,
    Quoted,
    QuoteInQuoted,
}

impl Scan {
    fn read(&mut self, line: &[u8]) {
        for byte in line {
            self.quoting = match (self.quoting, *byte) {
                (Quoting::Quoted, b'"') => Quoting::QuoteInQuoted,
                (Quoting::FieldStart | Quoting::QuoteInQuoted, b'"') | (Quoting::Quoted, _) => Quoting::Quoted,
                (_, byte) if byte == self.separator => Quoting::FieldStart,
                (Quoting::QuoteInQuoted, _) => {
                    self.strays = true;
                    Quoting::Plain
                }
                _ => Quoting::Plain,
            };
        }
    }
}

const MAX_LINE_BYTES: usize = 1024 * 1024;
const MAX_ROW_LINES: usize = 100;
const MAX_ROW_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_the_line_in_which_they_start() -> io::Result<()> {
        let text = b"a,b\r\n\"x\ny\",2\n\nlast,\"open\nnext,3\n";
        let mut lines = Lines::new(&text[..], b'\n');
        let mut rows = Vec::new();
        while let Some(row) = lines.next_row(b',')? {
            rows.push((row.first.number, String::from_utf8_lossy(&row.bytes()).into_owned(), row.closed));
        }
        let expected = [(1, "a,b", true), (2, "\"x\ny\",2", true), (4, "", true), (5, "last,\"open", false), (6, "next,3", true)];
        assert_eq!(rows, expected.map(|(line, text, closed)| (line, text.to_owned(), closed)));
        Ok(())
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_is_read() -> io::Result<()> {
        let text = [vec![b'a'; MAX_LINE_BYTES + 5], b"\nb".to_vec()].concat();
        let mut lines = Lines::new(&text[..], b'\n');
        let first = lines.next_line()?.unwrap_or_default();
        assert!(first.cut);
        assert_eq!(first.bytes.len(), MAX_LINE_BYTES);
        assert_eq!(lines.next_line()?.map(|line| (line.number, line.bytes)), Some((2, b"b".to_vec())));
        Ok(())
    }
}

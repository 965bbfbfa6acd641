//! Splits one row into its fields (RFC 4180 by the `csv` crate), given a row at a time.

use std::io::{self, Cursor, Read};

use csv::{Reader, ReaderBuilder, StringRecord, Terminator};

/// Splits rows at one separator.
pub(super) struct Splitter {
    separator: u8,
    reader: Reader<Feed>,
    fields: StringRecord,
}

/// Gives the reader the bytes of one row.
struct Feed(Cursor<Vec<u8>>);

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Splitter {
    pub(super) fn new(separator: u8) -> Self {
        Self { separator, reader: reader(separator), fields: StringRecord::new() }
    }

    /// The fields of a row that [`super::line::Lines::next_row`] gave.
    pub(super) fn split(&mut self, row: &str) -> &StringRecord {
        let bytes = self.reader.get_mut().0.get_mut();
        bytes.clear();
        bytes.extend_from_slice(row.as_bytes());
        bytes.push(b'\n');
        self.reader.get_mut().0.set_position(0);
        if !self.reader.read_record(&mut self.fields).unwrap_or(false) {
            // the end of the row was taken for the end of the file: begin anew
            self.reader = reader(self.separator);
        }
        &self.fields
    }
}

fn reader(separator: u8) -> Reader<Feed> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(Feed(Cursor::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_one_by_one() {
        let mut splitter = Splitter::new(b';');
        for (row, fields) in [
            ("a;b", vec!["a", "b"]),
            ("\"a;\"\"x\"\"\";b;", vec!["a;\"x\"", "b", ""]),
            ("", vec![]),
            ("\"two\nlines\";c", vec!["two\nlines", "c"]),
            ("\"open", vec!["open\n"]),
            ("x", vec!["x"]),
            ("a\"b;\"c\"d", vec!["a\"b", "cd"]),
            ("last;\r", vec!["last", "\r"]),
        ] {
            assert_eq!(splitter.split(row).iter().collect::<Vec<_>>(), fields, "{row:?}");
        }
    }
}

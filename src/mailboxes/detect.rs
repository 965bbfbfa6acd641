//! Which format a list has, by its first lines.

use super::{
    column::{Column, is_exchange},
    error::ListProblem,
    list::Format,
    plain::PlainLine,
    split::Splitter,
};
use crate::model::Address;

/// How a list is laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) format: Format,
    /// Between the fields of a row.
    pub(super) separator: u8,
    /// Between lines: a line feed, or a lone carriage return as old spreadsheet programs write it.
    pub(super) line_end: u8,
}

/// The layout of a list that begins with `head`.
pub(super) fn detect(head: &[u8]) -> Result<Shape, ListProblem> {
    let line_end = if !head.contains(&b'\n') && head.contains(&b'\r') { b'\r' } else { b'\n' };
    let head = String::from_utf8_lossy(head);
    let shape = |format, separator| Shape { format, separator, line_end };
    let mut is_export = false;
    let mut separator = None;
    for line in head.split(char::from(line_end)) {
        is_export |= line.starts_with("#TYPE");
        separator = separator.or_else(|| excel_separator(line));
        if is_preamble(line) {
            continue;
        }
        let line = line.trim();
        if line.starts_with('[') || line == "{" {
            return Err(ListProblem::JsonDocument);
        }
        if line.starts_with('{') && line.contains('"') {
            return Ok(shape(Format::JsonLines, b','));
        }
        if Address::parse(PlainLine::read(line).address).is_ok() {
            break;
        }
        let separator = separator.unwrap_or_else(|| likely_separator(line));
        let mut splitter = Splitter::new(separator);
        let cells = splitter.split(line);
        if cells.iter().filter_map(Column::parse).any(|column| column.address_rank().is_some()) {
            is_export |= cells.iter().any(is_exchange);
            return Ok(shape(if is_export { Format::ExchangeExport } else { Format::Csv }, separator));
        }
        if cells.len() < 2 {
            break;
        }
        return Err(if cells.iter().any(|cell| cell.contains('@')) {
            ListProblem::NoHeader
        } else {
            ListProblem::NoAddressColumn { columns: cells.iter().map(|cell| super::row::shorten(cell, 40)).collect() }
        });
    }
    Ok(shape(Format::PlainText, b','))
}

/// Whether a line stands before the header without belonging to the list.
pub(super) fn is_preamble(line: &str) -> bool {
    let text = line.trim();
    text.is_empty() || text.starts_with('#') || excel_separator(line).is_some()
}

/// `sep=;`, by which spreadsheet programs are told the separator.
fn excel_separator(line: &str) -> Option<u8> {
    match line.trim_end_matches(['\r', '\n']).as_bytes() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] if SEPARATORS.contains(separator) => Some(*separator),
        _ => None,
    }
}

/// The separator that is most often outside quotes.
fn likely_separator(line: &str) -> u8 {
    let mut counts = SEPARATORS.map(|separator| (0_usize, separator));
    let mut quoted = false;
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        for (count, separator) in &mut counts {
            *count += usize::from(!quoted && byte == *separator);
        }
    }
    // of equals, `max_by_key` takes the last: the comma
    counts.into_iter().max_by_key(|(count, _)| *count).map_or(b',', |(_, separator)| separator)
}

const SEPARATORS: [u8; 3] = [b'\t', b';', b','];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_tell_the_format() {
        for (head, format, separator) in [
            ("anna@contoso.com\nbert@contoso.com\n", Format::PlainText, b','),
            ("# a comment\n\nanna@contoso.com", Format::PlainText, b','),
            ("\"anna, b\"@contoso.com", Format::PlainText, b','),
            ("{anna}@contoso.com", Format::PlainText, b','),
            ("anna@contoso.com;\n", Format::PlainText, b','),
            ("\"Meier, Anna\" <anna@contoso.com>,\n", Format::PlainText, b','),
            ("", Format::PlainText, b','),
            ("{\"address\": \"anna@contoso.com\"}", Format::JsonLines, b','),
            ("address\nanna@contoso.com", Format::Csv, b','),
            ("E-Mail;Display Name\n", Format::Csv, b';'),
            ("sep=\t\r\nmail\tdepartment\r\n", Format::Csv, b'\t'),
            ("\"PrimarySmtpAddress\",\"ImapEnabled\"\r\n", Format::ExchangeExport, b','),
            ("#TYPE Selected.System\r\n\"mail\"\r\n", Format::ExchangeExport, b','),
            ("DisplayName;UserPrincipalName\r\n", Format::ExchangeExport, b';'),
        ] {
            let shape = detect(head.as_bytes()).map(|shape| (shape.format, shape.separator));
            assert!(matches!(shape, Ok(found) if found == (format, separator)), "{head:?}: {shape:?}");
        }
        assert_eq!(detect(b"mail,x\ra@contoso.com,1\r").map(|shape| shape.line_end).ok(), Some(b'\r'));
    }

    #[test]
    fn what_is_no_list_is_told_apart() {
        assert!(matches!(detect(b"[\n{}]"), Err(ListProblem::JsonDocument)));
        assert!(matches!(detect(b"{\n\"mail\": 1}"), Err(ListProblem::JsonDocument)));
        assert!(matches!(detect(b"anna@contoso.com,Anna\n"), Err(ListProblem::NoHeader)));
        assert!(matches!(detect(b"name,city\n"), Err(ListProblem::NoAddressColumn { columns }) if columns == ["name", "city"]));
    }
}

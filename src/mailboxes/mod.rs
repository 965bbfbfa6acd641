//! Where the list of mailboxes comes from: CSV (RFC 4180, leniently), plain text, JSON lines, and what `Export-Csv` of the Exchange
//! cmdlets writes. Owns formats, encodings and the refusal of bad rows; knows nothing of tenants, alerts and the network.

mod collect;
mod column;
mod detect;
mod error;
mod line;
mod list;
mod note;
mod plain;
mod row;
mod source;
mod split;

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

pub use error::{ListError, ListProblem};
pub use list::{Duplicate, Format, List, MAX_NAMED, Refusal, RefusalReason, TextEncoding, Warning};

pub use plain::PlainLine;

use collect::Collector;
use line::Lines;

/// Reads a list from a file. `clients` are the names that a `clients` column may hold.
///
/// # Errors
/// [`ListError`] where the file cannot be read, is no list, or holds no mailbox. A bad row is no error: see [`List::refused`].
pub fn read_list<S: AsRef<str>>(path: &Path, clients: &[S]) -> Result<List, ListError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|source| ListError { name: name.clone(), problem: ListProblem::Open(source) })?;
    read_from(file, &name, clients)
}

/// Reads a list from anything that gives bytes; `name` is what errors call it, such as `standard input`.
///
/// # Errors
/// As [`read_list`].
pub fn read_from<S: AsRef<str>>(input: impl Read, name: &str, clients: &[S]) -> Result<List, ListError> {
    let clients: Vec<&str> = clients.iter().map(AsRef::as_ref).collect();
    read(input, &clients).map_err(|problem| ListError { name: name.to_owned(), problem })
}

fn read(input: impl Read, clients: &[&str]) -> Result<List, ListProblem> {
    let (text, encoding) = source::decode(input)?;
    let (head, text) = source::peek(text)?;
    let shape = detect::detect(&head)?;
    let mut lines = Lines::new(BufReader::new(text), shape.line_end);
    let mut collector = Collector::new(clients);
    match shape.format {
        Format::PlainText => collector.read_text(&mut lines),
        Format::JsonLines => collector.read_json(&mut lines),
        Format::Csv | Format::ExchangeExport => collector.read_csv(&mut lines, &shape),
    }
    .map_err(ListProblem::Read)?;
    let list = collector.finish(shape.format, encoding);
    if list.mailboxes.is_empty() { Err(ListProblem::NoMailbox(Box::new(list))) } else { Ok(list) }
}

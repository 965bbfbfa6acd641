//! Why a whole list cannot be used.

use std::io;

use super::list::List;

/// A list that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct ListError {
    /// The file, or what else the list came from.
    pub name: String,
    /// What is wrong.
    pub problem: ListProblem,
}

/// What is wrong with a whole list. The text goes on from the list's name and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListProblem {
    /// It cannot be opened.
    #[error("cannot be opened: {0}; check the path and who may read it")]
    Open(#[source] io::Error),
    /// Reading it broke off.
    #[error("cannot be read: {0}; check that it is a file and who may read it")]
    Read(#[source] io::Error),
    /// It is a workbook of a spreadsheet program.
    #[error("is a workbook of a spreadsheet program; save it as `CSV UTF-8`")]
    Workbook,
    /// It is no text.
    #[error("is not a text file; write one address a line, or export a CSV file")]
    NotText,
    /// It is one JSON document.
    #[error("is one JSON document over several lines; write one object a line, as `jq -c '.[]'` does")]
    JsonDocument,
    /// It has several columns without a header.
    #[error("has several columns but no header; let its first line name them, such as `address,display_name`, or write one address a line")]
    NoHeader,
    /// No column holds the address.
    #[error("has no column for the address among {}; name one `address`, `mail` or `PrimarySmtpAddress`", quoted(.columns))]
    NoAddressColumn {
        /// The columns that it has.
        columns: Vec<String>,
    },
    /// It holds no mailbox; what was refused is in the list.
    #[error("{}", no_mailbox(.0))]
    NoMailbox(Box<List>),
}

fn quoted(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().take(MAX_COLUMNS_NAMED).map(|name| format!("`{name}`")).collect();
    let more = if columns.len() > MAX_COLUMNS_NAMED { ", …" } else { "" };
    names.join(", ") + more
}

fn no_mailbox(list: &List) -> String {
    match list.refused.first() {
        None => "holds no mailbox; write one address a line, or export a CSV file with a header".to_owned(),
        Some(first) if list.refused_count == 1 => {
            format!("holds no mailbox: its one row was refused, in line {}: {}; correct the row", first.line, first.reason)
        }
        Some(first) => format!(
            "holds no mailbox: all {} rows were refused, the first in line {}: {}; correct the rows",
            list.refused_count, first.line, first.reason
        ),
    }
}

const MAX_COLUMNS_NAMED: usize = 12;

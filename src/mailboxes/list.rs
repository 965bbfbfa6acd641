//! What came out of a list.

use std::fmt;

use crate::model::{AddressError, HostingError, Mailbox, counted};

/// A list of mailboxes, and what was wrong with it.
#[derive(Debug, Default)]
pub struct List {
    /// The mailboxes, by domain and then by local part without regard to case; no two have one [`key`](crate::model::Address::key).
    pub mailboxes: Vec<Mailbox>,
    /// The rows that are not in it, by line; the first [`MAX_NAMED`].
    pub refused: Vec<Refusal>,
    /// How many rows were refused.
    pub refused_count: u64,
    /// How many of the refused rows are Exchange's own mailboxes or no mailboxes at all: expected in an export, nobody's mistake.
    pub system_count: u64,
    /// How many rows repeat a mailbox; the first row of each is kept.
    pub duplicates: u64,
    /// Where they are, by line; the first [`MAX_NAMED`].
    pub duplicate_lines: Vec<Duplicate>,
    /// Blank lines, rows of empty fields, and comments.
    pub blanks: u64,
    /// How the list is written.
    pub format: Format,
    /// How its characters are.
    pub encoding: TextEncoding,
    /// Columns that are not used, as they are written; at most 1,000.
    pub unknown_columns: Vec<String>,
    /// What a reader should know though no row was refused for it.
    pub warnings: Vec<Warning>,
}

/// How many refused rows and duplicates are kept to be named.
pub const MAX_NAMED: usize = 1_000;

impl List {
    /// How many domains the mailboxes are in.
    #[must_use]
    pub fn domain_count(&self) -> usize {
        self.mailboxes.chunk_by(|one, next| one.address.domain() == next.address.domain()).count()
    }

    /// How many rows were refused that someone should put right.
    #[must_use]
    pub fn faulty_count(&self) -> u64 {
        self.refused_count.saturating_sub(self.system_count)
    }
}

/// A row that is not in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file in which the row starts, from 1.
    pub line: u64,
    /// The row, shortened.
    pub text: String,
    /// What is wrong with it.
    pub reason: RefusalReason,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The address is longer than any can be.
    #[error("the address has {0} characters, 1000 are allowed")]
    AddressLength(usize),
    /// Characters were lost before the file came here.
    #[error("the address holds a character that could not be decoded; save the file as UTF-8")]
    Undecodable,
    /// `EmailAddresses` was all there is, and it holds no primary address.
    #[error("`EmailAddresses` names no primary address (`SMTP:`); export PrimarySmtpAddress as well")]
    NoPrimaryAddress,
    /// A JSON object without any of the fields that hold the address.
    #[error("there is no `address` field")]
    NoAddressField,
    /// The row has more fields than the header, which would shift the columns.
    #[error("the row has {} where the header has {expected}; put quotes around a field that holds the separator", counted(*.found, "field", "fields"))]
    FieldCount {
        /// How many the header has.
        expected: usize,
        /// How many the row has.
        found: usize,
    },
    /// A quote at the start of a field has no partner.
    #[error("a field begins with a quote that is not closed")]
    UnclosedQuote,
    /// The line is longer than 1 MiB.
    #[error("the line is longer than 1 MiB")]
    LineLength,
    /// The line is no JSON object.
    #[error("the line is not a JSON object: {0}")]
    Json(String),
    /// The hosting is none.
    #[error(transparent)]
    Hosting(#[from] HostingError),
    /// A mailbox of Exchange's own, or a recipient without a mailbox (`RecipientTypeDetails`).
    #[error("`{0}` is not a mailbox that a mail client is set up for")]
    System(String),
}

/// A row that repeats a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// Its line.
    pub line: u64,
    /// The line of the row that is kept.
    pub first_line: u64,
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// CSV with a header.
    Csv,
    /// An address a line.
    #[default]
    PlainText,
    /// A JSON object a line.
    JsonLines,
    /// `Export-Csv` of an Exchange cmdlet.
    ExchangeExport,
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Csv => "CSV with a header",
            Self::PlainText => "plain text, an address a line",
            Self::JsonLines => "JSON lines",
            Self::ExchangeExport => "PowerShell export of Exchange",
        })
    }
}

/// How the characters of a list are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
    /// Rows that are not UTF-8 were read as Windows-1252.
    Windows1252,
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 with byte order mark",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

/// What a reader of the list should know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// Some rows are not UTF-8.
    #[error("{} not UTF-8 and read as Windows-1252, the first in line {first_line}; save the file as UTF-8", counted(*.rows, "row is", "rows are"))]
    NotUtf8 {
        /// How many.
        rows: u64,
        /// The first of them.
        first_line: u64,
    },
    /// Several columns could hold the address.
    #[error("the addresses are taken from column `{used}`; not used for that: {}", .others.join(", "))]
    SeveralAddressColumns {
        /// The one that is used.
        used: String,
        /// The others.
        others: Vec<String>,
    },
    /// A column is there twice.
    #[error("column `{0}` repeats an earlier column and is not used")]
    RepeatedColumn(String),
    /// Only sign-in names are there.
    #[error("there is no column with the mail address: the sign-in names of `{0}` are taken for it")]
    SignInNames(String),
    /// Some rows have no mail address.
    #[error("{} no mail address, and the sign-in name stands in for it, the first in line {first_line}", counted(*.rows, "row has", "rows have"))]
    SignInNameStandsIn {
        /// How many.
        rows: u64,
        /// The first of them.
        first_line: u64,
    },
    /// A column holds what it cannot; it is as if these rows had nothing there.
    #[error(
        "column `{column}` is not understood in {}, the first in line {first_line}: `{first_value}` is none of {allowed}; these count as empty",
        counted(*.rows, "row", "rows")
    )]
    NotUnderstood {
        /// The column, as it is written.
        column: String,
        /// How many.
        rows: u64,
        /// The first of them.
        first_line: u64,
        /// What it holds there.
        first_value: String,
        /// What it can hold.
        allowed: String,
    },
}

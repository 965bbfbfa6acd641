//! The report: who needs manual configuration, why, since when, and what to type. Owns the view of a mailbox that people
//! and programs get, and the formats; knows no SQL and no sockets.

mod alike;
mod check;
mod client;
mod csv;
mod exempt;
mod group;
mod head;
mod incident;
mod json;
mod layout;
mod risk;
mod row;
mod selection;
mod setting;
mod story;
mod stream;
mod text;

use std::{io, ops::ControlFlow};

use crate::{
    remedy::Remedies,
    store::{ReportFilter, Snapshot, StoreError},
};

pub use check::{CheckView, ClientView, LookupView, Position};
pub use client::{write_client, write_clients};
pub use csv::CsvDialect;
pub use exempt::{AcknowledgementView, ExemptionView, InForce, IncidentRow};
pub use head::{Head, Numbers, TenantNumbers};
pub use incident::{IncidentFormat, write_exemptions, write_incident, write_incidents};
pub use row::{ClientRow, ReportRow};
pub use selection::Selection;
pub use setting::Setting;
pub use story::{Story, Tale};
pub use stream::{OwnedRequest, ReportStream};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Text {
        /// Name every mailbox of a group, not the first 20.
        all: bool,
    },
    /// One line a mailbox and client (RFC 4180).
    Csv(CsvDialect),
    /// One object, schema `autodiscover-audit/report/1`.
    Json,
    /// One object a mailbox, a line each.
    Jsonl,
}

/// What is to be reported, and how.
pub struct Request<'a> {
    /// Which tenant, as of which run.
    pub filter: ReportFilter,
    /// Which clients and verdicts.
    pub selection: Selection,
    /// How it is written.
    pub format: Format,
    /// The present, in seconds since 1970.
    pub generated_at: i64,
    /// What helps.
    pub remedies: &'a Remedies,
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The database.
    #[error("cannot read what is to be reported")]
    Read(#[from] StoreError),
    /// The file or the pipe.
    #[error("cannot write the report")]
    Write(#[from] io::Error),
}

/// A report that is being written, row by row.
pub enum Report<W: io::Write> {
    /// For a person.
    Text(Box<text::TextReport<W>>),
    /// A table.
    Csv(Box<csv::CsvReport<W>>),
    /// One object, or a line a mailbox.
    Json(json::JsonReport<W>),
}

impl<W: io::Write> Report<W> {
    /// Writes what comes before the first mailbox.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn begin(format: Format, head: &Head, out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Text { all } => Self::Text(Box::new(text::TextReport::begin(head, all, out)?)),
            Format::Csv(dialect) => Self::Csv(Box::new(csv::CsvReport::begin(dialect, out)?)),
            Format::Json => Self::Json(json::JsonReport::begin_object(head, out)?),
            Format::Jsonl => Self::Json(json::JsonReport::begin_lines(out)),
        })
    }

    /// Writes a mailbox, or keeps what the end needs of it. Rows come in the order of tenant and domain.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn add(&mut self, row: &ReportRow) -> io::Result<()> {
        match self {
            Self::Text(report) => report.add(row),
            Self::Csv(report) => report.add(row),
            Self::Json(report) => report.add(row),
        }
    }

    /// Whether the format has another part, for which all rows are to be added once more, from the first.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn wants_more(&mut self) -> io::Result<bool> {
        match self {
            Self::Text(report) => report.wants_more(),
            Self::Csv(_) | Self::Json(_) => Ok(false),
        }
    }

    /// Writes what comes after the last mailbox.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Text(report) => report.finish(),
            Self::Csv(report) => report.finish(),
            Self::Json(report) => report.finish(),
        }
    }
}

/// Reads the database and writes the report below a head that was read for the same request.
///
/// # Errors
/// [`ReportError`].
pub async fn write_report(snapshot: &mut Snapshot, (request, head): (&Request<'_>, &Head), out: impl io::Write) -> Result<(), ReportError> {
    let filter = ReportFilter { needs_manual: request.selection.needs_manual, ..request.filter.clone() };
    let mut report = Report::begin(request.format, head, out)?;
    loop {
        let mut written = Ok(());
        snapshot
            .read_mailboxes(&filter, |found| {
                let mut row = ReportRow::new(found, request.remedies, &head.in_force);
                if row.keep(&request.selection) {
                    written = report.add(&row);
                }
                if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await?;
        written?;
        if !report.wants_more()? {
            break;
        }
    }
    report.finish()?;
    Ok(())
}

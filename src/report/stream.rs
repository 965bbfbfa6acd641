//! A report piece by piece, at the pace of whoever reads it: between two pieces nothing of the database is held, and no more than a
//! page of mailboxes. So the rows can be newer than the numbers above them, where an audit goes on.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    vec,
};

use super::{Format, Head, InForce, Report, ReportError, ReportRow, Request, Selection};
use crate::{
    remedy::Remedies,
    store::{MailboxPages, MailboxRow, Reader, ReportFilter},
};

/// What is to be reported, and how; as [`super::Request`], for a report that outlives its caller.
pub struct OwnedRequest {
    /// Which tenant, as of which run.
    pub filter: ReportFilter,
    /// Which clients and verdicts.
    pub selection: Selection,
    /// How it is written.
    pub format: Format,
    /// The present, in seconds since 1970.
    pub generated_at: i64,
    /// What helps.
    pub remedies: Arc<Remedies>,
}

/// A report that is written as it is read.
pub struct ReportStream {
    reader: Reader,
    filter: ReportFilter,
    pages: MailboxPages,
    rows: vec::IntoIter<MailboxRow>,
    /// `None`: it has come to its end.
    report: Option<Report<Tray>>,
    tray: Tray,
    selection: Selection,
    remedies: Arc<Remedies>,
    in_force: InForce,
}

impl OwnedRequest {
    fn borrow(&self) -> Request<'_> {
        let Self { filter, selection, format, generated_at, remedies } = self;
        Request { filter: filter.clone(), selection: selection.clone(), format: *format, generated_at: *generated_at, remedies }
    }
}

impl ReportStream {
    /// Counts, and writes what comes before the first mailbox.
    ///
    /// # Errors
    /// [`ReportError::Read`].
    pub async fn begin(reader: &Reader, request: OwnedRequest) -> Result<Self, ReportError> {
        let head = Head::read(&mut reader.snapshot().await?, &request.borrow()).await?;
        let OwnedRequest { filter, selection, format, remedies, .. } = request;
        let filter = ReportFilter { needs_manual: selection.needs_manual, ..filter };
        let tray = Tray::default();
        let report = Some(Report::begin(format, &head, tray.clone())?);
        Ok(Self {
            reader: reader.clone(),
            pages: reader.mailbox_pages(filter.clone()),
            filter,
            rows: Vec::new().into_iter(),
            report,
            tray,
            selection,
            remedies,
            in_force: head.in_force,
        })
    }

    /// The next piece, never empty; `None` after the last.
    ///
    /// # Errors
    /// [`ReportError::Read`]; the report is then cut short.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ReportError> {
        while let Some(report) = &mut self.report {
            if let Some(found) = self.rows.next() {
                let mut row = ReportRow::new(found, &self.remedies, &self.in_force);
                if row.keep(&self.selection) {
                    report.add(&row)?;
                }
                if self.tray.len() >= PIECE {
                    break;
                }
            } else if let Some(rows) = self.pages.next().await? {
                self.rows = rows.into_iter();
            } else if report.wants_more()? {
                self.pages = self.reader.mailbox_pages(self.filter.clone());
            } else if let Some(report) = self.report.take() {
                report.finish()?;
            }
        }
        Ok(Some(self.tray.empty()).filter(|piece| !piece.is_empty()))
    }
}

/// What was written and not yet taken.
#[derive(Clone, Default)]
struct Tray(Arc<Mutex<Vec<u8>>>);

impl Tray {
    fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn empty(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Tray {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes of a piece, about.
const PIECE: usize = 64 * 1024;

//! The report that goes with a tenant's notices where a channel takes one. Knows no channel.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::{
    alert::{Attach, Attachment},
    clock::Clock,
    model::{TenantId, with_causes},
    remedy::Remedies,
    report::{CsvDialect, Format, Head, ReportError, Request, Selection, write_report},
    store::{Reader, ReportFilter},
};

/// Makes the table of those mailboxes of a tenant that need manual configuration, as `TENANT-YYYY-MM-DD.csv` (UTC); none where none
/// needs it, or where it cannot be read. What is longer than any channel takes is cut there, and so is attached by none.
#[must_use]
pub fn attach_report(reader: Reader, remedies: Arc<Remedies>, clock: Clock) -> Attach {
    let parts = Arc::new((reader, remedies, clock));
    Arc::new(move |tenant| {
        let parts = Arc::clone(&parts);
        Box::pin(async move {
            let (reader, remedies, clock) = &*parts;
            let now = clock.now();
            match read(reader, (&tenant, now), remedies).await {
                Ok(bytes) => bytes.map(|bytes| Attachment {
                    name: format!("{tenant}-{}.csv", now.strftime("%Y-%m-%d")),
                    content_type: "text/csv; charset=utf-8".to_owned(),
                    bytes: bytes.into(),
                }),
                Err(error) => {
                    tracing::error!(%tenant, error = with_causes(&error), "the report for a notice cannot be read: it goes without");
                    None
                }
            }
        })
    })
}

async fn read(reader: &Reader, (tenant, now): (&TenantId, Timestamp), remedies: &Remedies) -> Result<Option<Vec<u8>>, ReportError> {
    let request = Request {
        filter: ReportFilter { tenant: Some(tenant.clone()), run: None, needs_manual: true },
        selection: Selection { needs_manual: true, ..Selection::default() },
        format: Format::Csv(CsvDialect::Excel),
        generated_at: now.as_second(),
        remedies,
    };
    let mut snapshot = reader.snapshot().await?;
    let head = Head::read(&mut snapshot, &request).await?;
    if head.total.needs_manual_configuration == 0 {
        return Ok(None);
    }
    let sheet = Sheet::default();
    let written = write_report(&mut snapshot, (&request, &head), sheet.clone()).await;
    let bytes = sheet.take();
    if bytes.len() <= Attachment::MOST {
        written?;
    }
    Ok(Some(bytes))
}

/// Bytes in memory: once they are more than any channel takes, no more are written.
#[derive(Clone, Default)]
struct Sheet(Arc<Mutex<Vec<u8>>>);

impl Sheet {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut sheet = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sheet.len() > Attachment::MOST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        sheet.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

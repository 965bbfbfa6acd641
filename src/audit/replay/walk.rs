//! The way through the mailboxes of a run, domain by domain, with what is kept of each domain's answers.

use std::collections::VecDeque;

use crate::{
    model::{Domain, TenantId},
    store::{Dossier, MailboxPages, MailboxRow, Reader, ReportFilter, StoreError},
};

/// Mailboxes of one domain that follow each other, a page of them at most.
pub(in crate::audit) struct Part {
    /// One at least.
    pub(in crate::audit) rows: Vec<MailboxRow>,
    /// Whether the domain begins here.
    pub(in crate::audit) is_first: bool,
    /// Its answers, with the first part and where they are kept.
    pub(in crate::audit) dossier: Option<Dossier>,
}

/// The way.
pub(in crate::audit) struct Walk<'a> {
    reader: &'a Reader,
    filter: ReportFilter,
    pages: MailboxPages,
    rows: VecDeque<MailboxRow>,
    place: Option<(TenantId, Domain)>,
}

impl<'a> Walk<'a> {
    pub(in crate::audit) fn new(reader: &'a Reader, filter: ReportFilter) -> Self {
        Self { reader, pages: reader.mailbox_pages(filter.clone()), filter, rows: VecDeque::new(), place: None }
    }

    /// The next part; `None` after the last.
    pub(in crate::audit) async fn next(&mut self) -> Result<Option<Part>, StoreError> {
        while self.rows.is_empty() {
            match self.pages.next().await? {
                Some(rows) => self.rows = rows.into(),
                None => return Ok(None),
            }
        }
        let Some(first) = self.rows.front() else { return Ok(None) };
        let place = (first.tenant.clone(), first.mailbox.address.domain().clone());
        let is_same = |row: &MailboxRow| row.tenant == place.0 && *row.mailbox.address.domain() == place.1;
        let end = self.rows.iter().position(|row| !is_same(row)).unwrap_or(self.rows.len());
        let rows = self.rows.drain(..end).collect();
        if self.place.as_ref() == Some(&place) {
            return Ok(Some(Part { rows, is_first: false, dossier: None }));
        }
        let dossier = self.reader.read_dossier(&place.0, &place.1, self.filter.run).await?;
        self.place = Some(place);
        Ok(Some(Part { rows, is_first: true, dossier }))
    }
}

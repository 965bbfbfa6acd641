//! JSON: one object with all mailboxes (schema `autodiscover-audit/report/1`), or JSON Lines with one mailbox each.
//! Written as a stream: a report of a million mailboxes holds one.

use std::io;

use serde::Serialize;

use super::{ExemptionView, Head, Numbers, ReportRow, TenantNumbers};

/// The name and number of the contract. Additions are allowed; a change of meaning raises the number.
const SCHEMA: &str = "autodiscover-audit/report/1";

/// A report in JSON.
pub struct JsonReport<W> {
    out: W,
    /// Between the mailboxes of an object; `None`: lines.
    separator: Option<&'static str>,
}

#[derive(Serialize)]
struct Opening<'a> {
    schema: &'static str,
    #[serde(flatten)]
    head: &'a Head,
    summary: Summary<'a>,
    exemptions: Vec<ExemptionView>,
}

#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    total: Numbers,
    tenants: &'a [TenantNumbers],
}

impl<W: io::Write> JsonReport<W> {
    pub(super) fn begin_object(head: &Head, mut out: W) -> io::Result<Self> {
        let summary = Summary { total: head.total, tenants: &head.tenants };
        let opening = serde_json::to_string(&Opening { schema: SCHEMA, head, summary, exemptions: head.in_force.views() })?;
        // the object stays open for its last member
        let open = opening.strip_suffix('}').unwrap_or(&opening);
        write!(out, "{open},\n\"mailboxes\":[")?;
        Ok(Self { out, separator: Some("\n") })
    }

    pub(super) fn begin_lines(out: W) -> Self {
        Self { out, separator: None }
    }

    pub(super) fn add(&mut self, row: &ReportRow) -> io::Result<()> {
        if let Some(separator) = self.separator.as_mut() {
            self.out.write_all(separator.as_bytes())?;
            *separator = ",\n";
        }
        serde_json::to_writer(&mut self.out, row)?;
        if self.separator.is_none() { self.out.write_all(b"\n") } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        if self.separator.is_some() {
            self.out.write_all(b"\n]}\n")?;
        }
        self.out.flush()
    }
}

//! CSV (RFC 4180): UTF-8, CRLF, every cell quoted, the columns always the same. Cells with text that a spreadsheet would
//! take for a formula get a `'` before them: local parts may begin with `=`, and what a host redirects to is its choice.

use std::io;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::{ClientRow, ReportRow, Setting};
use crate::model::{Protocol, Server};

/// For whom the table is. Both guard against formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsvDialect {
    /// As the standard has it.
    #[default]
    Rfc4180,
    /// With a byte order mark, by which Excel knows UTF-8.
    Excel,
}

/// The columns.
const COLUMNS: [&str; 39] = [
    "tenant",
    "address",
    "display_name",
    "department",
    "manager",
    "hosting",
    "client",
    "audited",
    "verdict",
    "fragile",
    "inferred",
    "cause",
    "since",
    "explanation",
    "advice",
    "lookup",
    "asked",
    "found_incoming",
    "found_outgoing",
    "imap_host",
    "imap_port",
    "imap_security",
    "pop3_host",
    "pop3_port",
    "pop3_security",
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "user_name",
    "sign_in",
    "needs_manual_configuration",
    "checked_at",
    "incident",
    "acknowledged_by",
    "exempt_until",
    "hosting_authority",
    "hosting_conflict",
    "personal_account",
    "activesync_host",
];

/// A report as a table.
pub struct CsvReport<W: io::Write> {
    table: Writer<W>,
}

impl<W: io::Write> CsvReport<W> {
    pub(super) fn begin(dialect: CsvDialect, mut out: W) -> io::Result<Self> {
        if dialect == CsvDialect::Excel {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let mut table = WriterBuilder::new().quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS)?;
        Ok(Self { table })
    }

    pub(super) fn add(&mut self, row: &ReportRow) -> io::Result<()> {
        for client in &row.clients {
            self.table.write_record(cells(row, client))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.table.flush()
    }
}

fn cells(row: &ReportRow, client: &ClientRow) -> [String; COLUMNS.len()] {
    let optional = |text: &Option<String>| guard(text.as_deref().unwrap_or_default());
    let source = client.outcome.source.as_ref();
    let [imap, pop3, smtp, activesync] = [Protocol::Imap, Protocol::Pop3, Protocol::Smtp, Protocol::ActiveSync]
        .map(|protocol| client.to_type(&row.settings).find(|setting| setting.protocol == protocol));
    let any = imap.or(pop3).or(smtp).or(activesync);
    let incident = client.incident.as_ref();
    let acknowledgement = incident.and_then(|incident| incident.acknowledgement.as_ref());
    let exemption = incident.and_then(|incident| incident.exemption.as_ref());
    [
        guard(&row.tenant),
        guard(&row.address),
        optional(&row.display_name),
        optional(&row.department),
        optional(&row.manager),
        guard(&row.hosting),
        guard(&client.outcome.client),
        client.outcome.audited.to_string(),
        client.outcome.verdict.to_string(),
        client.outcome.fragile.to_string(),
        client.outcome.inferred.to_string(),
        client.outcome.cause.map(|cause| cause.to_string()).unwrap_or_default(),
        client.since.clone().unwrap_or_default(),
        guard(&client.outcome.explanation),
        optional(&client.advice),
        source.map(|source| source.lookup.to_string()).unwrap_or_default(),
        guard(source.map_or("", |source| &source.asked)),
        guard(&servers(&client.outcome.settings.incoming)),
        guard(&servers(&client.outcome.settings.outgoing)),
        host(imap),
        port(imap),
        security(imap),
        host(pop3),
        port(pop3),
        security(pop3),
        host(smtp),
        port(smtp),
        security(smtp),
        guard(any.map_or("", |setting| &setting.user_name)),
        guard(any.map_or("", |setting| &setting.sign_in)),
        row.needs_manual_configuration.to_string(),
        row.checked_at.clone(),
        incident.map(|incident| incident.id.to_string()).unwrap_or_default(),
        guard(acknowledgement.map_or("", |acknowledgement| &acknowledgement.by)),
        exemption.map(|exemption| exemption.expires_at.clone()).unwrap_or_default(),
        row.hosting_authority.to_string(),
        guard(&row.hosting_conflict.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        optional(&row.personal_account),
        host(activesync),
    ]
}

fn servers(servers: &[Server]) -> String {
    let each = servers.iter().map(|server| format!("{} {}:{} {}", server.protocol, server.host, server.port, server.security));
    each.collect::<Vec<_>>().join("; ")
}

fn host(setting: Option<&Setting>) -> String {
    guard(setting.map_or("", |setting| &setting.host))
}

fn port(setting: Option<&Setting>) -> String {
    setting.map(|setting| setting.port.to_string()).unwrap_or_default()
}

fn security(setting: Option<&Setting>) -> String {
    setting.map(|setting| setting.security.to_string()).unwrap_or_default()
}

/// Puts a `'` before text that a spreadsheet could take for a formula: one of `= + - @` first, also in full width and also
/// behind white space, or a tab or line break first.
fn guard(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}

fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(|character: char| character.is_whitespace() || character.is_control() || character == '\u{feff}');
    text.starts_with(['\t', '\r', '\n']) || bare.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_be_a_formula_is_guarded() {
        for (text, expected) in [
            ("=cmd+1@contoso.com", "'=cmd+1@contoso.com"),
            (" \t=1", "' \t=1"),
            ("\rx", "'\rx"),
            ("＠SUM", "'＠SUM"),
            ("\u{a0}-1", "'\u{a0}-1"),
            ("anna+1@contoso.com", "anna+1@contoso.com"),
            ("'=1", "'=1"),
            ("", ""),
        ] {
            assert_eq!(guard(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_cell_never_begins_like_a_formula_and_reads_back_as_written(texts in proptest::collection::vec("[ \\t\\r\\n=+@＝－\\-\",;'a-c]{0,8}|\\PC{0,12}", 5)) {
            let guarded: Vec<String> = texts.iter().map(|text| guard(text)).collect();
            let mut table = WriterBuilder::new().quote_style(QuoteStyle::Always).terminator(Terminator::CRLF).from_writer(Vec::new());
            table.write_record(&guarded).unwrap();
            let bytes = table.into_inner().unwrap();
            let read: Vec<String> = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice())
                .records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
            prop_assert_eq!(&read, &guarded);
            for (cell, text) in read.iter().zip(&texts) {
                prop_assert!(!is_formula(cell), "{cell:?}");
                prop_assert!(cell == text || cell.strip_prefix('\'') == Some(text));
            }
        }
    }
}

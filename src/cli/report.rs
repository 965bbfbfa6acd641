//! `report`: who needs manual configuration, from the database.

use std::{
    fs,
    io::BufWriter,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Common, Exit, exit::UsageError, output::Output, site::Site};
use crate::{
    clock::Clock,
    model::{TenantId, Verdict},
    report::{CsvDialect, Format, Head, Request, Selection, write_report},
    store::{ReportFilter, RunId, Snapshot, Store},
};

/// The report.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct ReportArgs {
    /// The database in place of the configuration's
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
    /// Text for a person, a table, one object, or one object a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
    /// Only mailboxes that need manual configuration
    #[arg(long)]
    needs_manual: bool,
    /// Only this tenant
    #[arg(long, value_name = "ID", value_parser = super::audit::parse_tenant)]
    tenant: Option<TenantId>,
    /// Only this verdict (repeatable; the head and the exit code then speak of what is shown): ok, undetermined, `not_found`, insecure, retired, `wrong_cloud`, foreign, consumer
    #[arg(long, value_name = "VERDICT", value_parser = parse_verdict)]
    verdict: Vec<Verdict>,
    /// Only this client (repeatable; the head and the exit code then speak of what is shown)
    #[arg(long, value_name = "NAME")]
    client: Vec<String>,
    /// As it was after this run; with the incidents and exemptions of now
    #[arg(long, value_name = "NUMBER")]
    run: Option<i64>,
    /// What the table is for. `excel` begins with a byte order mark: it opens by double click where the system's list separator is a
    /// comma; elsewhere import it as UTF-8, separated by commas
    #[arg(long, value_name = "DIALECT", default_value = "rfc4180")]
    csv_dialect: Dialect,
    /// Names every mailbox in the text, not the first 20 of a group
    #[arg(long)]
    all: bool,
    /// Writes into this file in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Text,
    Csv,
    Json,
    Jsonl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dialect {
    Rfc4180,
    Excel,
}

pub(super) async fn run(args: &ReportArgs, common: &Common, out: &mut Output) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    site.require_clients(&args.client)?;
    let reader = Store::open_read_only(&site.database(args.database.as_ref())?).await?;
    if let Some(run) = args.run
        && !reader.runs(u32::MAX).await?.iter().any(|known| known.id == RunId(run))
    {
        return Err(UsageError(format!("the database has no run {run}")).into());
    }
    let numbers = reader.summary(&ReportFilter { run: args.run.map(RunId), ..ReportFilter::default() }).await?;
    if let Some(tenant) = args.tenant.as_ref().filter(|tenant| numbers.iter().all(|known| known.tenant != **tenant)) {
        let known: Vec<&str> = numbers.iter().map(|known| known.tenant.as_str()).collect();
        return Err(UsageError(format!("the database has no tenant `{tenant}`; it has {}", known.join(", "))).into());
    }
    let remedies = site.remedies()?;
    let request = Request {
        filter: ReportFilter { tenant: args.tenant.clone(), run: args.run.map(RunId), needs_manual: args.needs_manual },
        selection: Selection { needs_manual: args.needs_manual, verdicts: args.verdict.clone(), clients: args.client.clone() },
        format: format(args),
        generated_at: Clock::system().seconds(),
        remedies: &remedies,
    };
    let mut snapshot = reader.snapshot().await?;
    let head = Head::read(&mut snapshot, &request).await?;
    match &args.output {
        None => {
            let written = write_report(&mut snapshot, (&request, &head), out.while_read()).await;
            if !out.has_gone() {
                written?;
            }
        }
        Some(path) => {
            let partial = path.with_added_extension("partial");
            let written = write_file(&mut snapshot, (&request, &head), &partial).await;
            let renamed = written.and_then(|()| fs::rename(&partial, path).map_err(anyhow::Error::from));
            if renamed.is_err() {
                // the first error is the one to tell
                drop(fs::remove_file(&partial));
            }
            renamed.with_context(|| format!("`{}` cannot be written", path.display()))?;
        }
    }
    Ok(exit(&head))
}

/// Readable to its owner only, as the database is: it holds personal data.
async fn write_file(snapshot: &mut Snapshot, (request, head): (&Request<'_>, &Head), path: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::new(fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?);
    write_report(snapshot, (request, head), &mut file).await?;
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(())
}

fn format(args: &ReportArgs) -> Format {
    match (args.format, args.csv_dialect) {
        (ReportFormat::Text, _) => Format::Text { all: args.all },
        (ReportFormat::Csv, Dialect::Rfc4180) => Format::Csv(CsvDialect::Rfc4180),
        (ReportFormat::Csv, Dialect::Excel) => Format::Csv(CsvDialect::Excel),
        (ReportFormat::Json, _) => Format::Json,
        (ReportFormat::Jsonl, _) => Format::Jsonl,
    }
}

fn exit(head: &Head) -> Exit {
    let numbers = head.total;
    if head.is_empty() {
        Exit::Undetermined
    } else if numbers.needs_manual_configuration > 0 {
        Exit::Findings
    } else if numbers.could_not_check > 0 {
        Exit::Undetermined
    } else {
        Exit::Clean
    }
}

const EXIT_CODES: &str = "Exit codes, for the mailboxes of --tenant, --client and --verdict: 0 none needs manual configuration, 1 some do, \
2 none is known to and some could not be told, or nothing has been checked yet; clients that are not audited are no findings";

fn parse_verdict(text: &str) -> Result<Verdict, String> {
    let known = Verdict::ALL.map(Verdict::as_str).join(", ");
    Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or_else(|| format!("write one of {known}"))
}

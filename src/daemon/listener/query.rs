//! The query of `/report`: the options of the subcommand `report`, under the same names. What is not understood is refused.

use url::form_urlencoded;

use crate::{
    model::{TenantId, Verdict},
    report::{CsvDialect, Format},
};

/// Which report is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) format: Format,
    pub(super) needs_manual: bool,
    pub(super) tenant: Option<TenantId>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) clients: Vec<String>,
    pub(super) run: Option<i64>,
}

impl Query {
    /// Reads a query; `clients` are the names that are known. The error says what to write.
    pub(super) fn parse(text: &str, clients: &[String]) -> Result<Self, String> {
        let mut query =
            Self { format: Format::Json, needs_manual: false, tenant: None, verdicts: Vec::new(), clients: Vec::new(), run: None };
        let mut dialect = None;
        let mut once = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !matches!(&*name, "verdict" | "client") {
                if once.contains(&name) {
                    return Err(format!("{name} stands there twice"));
                }
                once.push(name.clone());
            }
            match &*name {
                "format" => query.format = parse_format(&value)?,
                "needs_manual" => query.needs_manual = value.parse().map_err(|_| "needs_manual: write true or false".to_owned())?,
                "tenant" => query.tenant = Some(TenantId::try_from(value.into_owned()).map_err(|error| error.to_string())?),
                "verdict" => query.verdicts.push(parse_verdict(&value)?),
                "client" => query.clients.push(parse_client(&value, clients)?),
                "run" => query.run = Some(value.parse().map_err(|_| "run: write the number of a run".to_owned())?),
                "csv_dialect" => dialect = Some(parse_dialect(&value)?),
                other => return Err(format!("there is no `{other}`; {NAMES}")),
            }
        }
        match (&mut query.format, dialect) {
            (_, None) => {}
            (Format::Csv(own), Some(dialect)) => *own = dialect,
            _ => return Err("csv_dialect is for format=csv".to_owned()),
        }
        Ok(query)
    }
}

fn parse_format(text: &str) -> Result<Format, String> {
    match text {
        "csv" => Ok(Format::Csv(CsvDialect::default())),
        "json" => Ok(Format::Json),
        "jsonl" => Ok(Format::Jsonl),
        _ => Err("format: write csv, json or jsonl".to_owned()),
    }
}

fn parse_dialect(text: &str) -> Result<CsvDialect, String> {
    match text {
        "rfc4180" => Ok(CsvDialect::Rfc4180),
        "excel" => Ok(CsvDialect::Excel),
        _ => Err("csv_dialect: write rfc4180 or excel".to_owned()),
    }
}

fn parse_verdict(text: &str) -> Result<Verdict, String> {
    let known = || format!("verdict: write one of {}", Verdict::ALL.map(Verdict::as_str).join(", "));
    Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text).ok_or_else(known)
}

fn parse_client(text: &str, known: &[String]) -> Result<String, String> {
    known.iter().find(|client| *client == text).cloned().ok_or_else(|| format!("client: write one of {}", known.join(", ")))
}

const NAMES: &str = "the names are format, needs_manual, tenant, verdict, client, run and csv_dialect";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_whole_or_refused_with_what_to_write() {
        let clients = ["thunderbird".to_owned(), "srv".to_owned()];
        let whole = Query::parse(
            "format=csv&csv_dialect=excel&needs_manual=true&tenant=contoso&verdict=consumer&verdict=wrong_cloud&client=srv&run=7",
            &clients,
        );
        let expected = Query {
            format: Format::Csv(CsvDialect::Excel),
            needs_manual: true,
            tenant: TenantId::try_from("contoso".to_owned()).ok(),
            verdicts: vec![Verdict::Consumer, Verdict::WrongCloud],
            clients: vec!["srv".into()],
            run: Some(7),
        };
        assert_eq!(whole, Ok(expected));
        assert_eq!(Query::parse("", &clients).map(|query| query.format), Ok(Format::Json));
        for (text, problem) in [
            ("format=xml", "format: write csv, json or jsonl"),
            ("needs_manual", "needs_manual: write true or false"),
            ("needs-manual=true", "there is no `needs-manual`"),
            ("tenant=a%20b", "`a b` is not a tenant id"),
            ("verdict=bad", "verdict: write one of ok, "),
            ("client=eudora", "client: write one of thunderbird, srv"),
            ("run=last", "run: write the number"),
            ("format=json&csv_dialect=excel", "csv_dialect is for format=csv"),
            ("csv_dialect=tsv", "csv_dialect: write rfc4180 or excel"),
            ("run=1&run=2", "run stands there twice"),
        ] {
            let told = Query::parse(text, &clients).unwrap_err();
            assert!(told.starts_with(problem), "{text}: {told}");
        }
    }
}

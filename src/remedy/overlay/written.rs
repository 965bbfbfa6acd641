//! How an assumption is written: `TYPE NAME = RECORD, …` as in a zone file (RFC 1035 section 5.1), or `URL = FILE`. Pure.

use std::path::Path;

use url::Url;

use super::{Assumption, Fact, Page, RecordKind, Subject};
use crate::model::{Domain, MxRecord, Obstacle, Reply, SrvRecord};

/// Why a text is no assumption.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// It is not written as one.
    #[error("`{text}` cannot be assumed: {what}; write it as `{form}`")]
    Form {
        /// What was written.
        text: String,
        /// What is wrong.
        what: String,
        /// An example of how it is written.
        form: &'static str,
    },
    /// The same record or URL is assumed already.
    #[error("`{text}` is about what is assumed already; write several records in one, with `,` between them")]
    Twice {
        /// What was written.
        text: String,
    },
    /// The file that a URL is said to answer with cannot be read.
    #[error("`{text}` cannot be assumed: {why}")]
    File {
        /// What was written.
        text: String,
        /// Why.
        why: String,
    },
}

/// Hands in a file.
type Read<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

pub(super) fn parse(text: &str, read: Read<'_>) -> Result<Assumption, OverlayError> {
    let text = text.trim();
    let word = text.split_whitespace().next().unwrap_or_default();
    let (subject, fact) = if word.contains("://") { parse_page(text, read)? } else { parse_records(text, word)? };
    Ok(Assumption { text: text.split_whitespace().collect::<Vec<_>>().join(" "), subject, fact })
}

fn parse_records(text: &str, word: &str) -> Result<(Subject, Fact), OverlayError> {
    let Some(kind) = RecordKind::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word)) else {
        let what = format!("`{word}` is neither MX, TXT, SRV or CNAME nor a URL");
        return Err(OverlayError::Form { text: text.to_owned(), what, form: form_of(RecordKind::Mx) });
    };
    let wrong = |what: String| OverlayError::Form { text: text.to_owned(), what, form: form_of(kind) };
    let rest = text.get(word.len()..).unwrap_or_default();
    let (name, value) = rest.split_once('=').ok_or_else(|| wrong("it has no `=`".to_owned()))?;
    let name = read_name(name.trim()).ok_or_else(|| wrong(format!("`{}` is no name", name.trim())))?;
    let value = value.trim();
    let fact = match value.to_ascii_lowercase().as_str() {
        "nxdomain" => Fact::Gone,
        "" | "none" => Fact::Records(Reply::Obstacle(Obstacle::NoData)),
        _ => read_records(kind, value).map_err(wrong)?,
    };
    if matches!(&fact, Fact::Alias(target) if *target == name) {
        return Err(wrong("the name would be an alias of itself".to_owned()));
    }
    Ok((Subject::Record { kind, name }, fact))
}

fn read_records(kind: RecordKind, value: &str) -> Result<Fact, String> {
    let none = |text: &str| format!("`{text}` is no {} record", kind.as_str());
    match kind {
        RecordKind::Cname => read_name(value).map(Fact::Alias).ok_or_else(|| none(value)),
        RecordKind::Txt => read_texts(value).map(|texts| Fact::Records(Reply::Txt(texts))).ok_or_else(|| none(value)),
        RecordKind::Mx => {
            let records = value.split(',').map(|text| read_mx(text).ok_or_else(|| none(text.trim())));
            let mut records: Vec<MxRecord> = records.collect::<Result<_, _>>()?;
            records.retain(|record| !record.exchange.is_empty());
            records.sort();
            Ok(Fact::Records(offered(Reply::Mx, records, |_| true)))
        }
        RecordKind::Srv => {
            let records = value.split(',').map(|text| read_srv(text).ok_or_else(|| none(text.trim())));
            let mut records: Vec<SrvRecord> = records.collect::<Result<_, _>>()?;
            records.sort();
            Ok(Fact::Records(offered(Reply::Srv, records, |record| !record.target.is_empty())))
        }
    }
}

/// The records, or the explicit "not offered" (RFC 7505, RFC 2782) where that is all that they say.
fn offered<T>(reply: fn(Vec<T>) -> Reply, records: Vec<T>, offers: fn(&T) -> bool) -> Reply {
    if records.iter().any(offers) { reply(records) } else { Reply::Obstacle(Obstacle::NotOffered) }
}

fn read_mx(text: &str) -> Option<MxRecord> {
    let [preference, exchange] = words(text)?;
    Some(MxRecord { preference: preference.parse().ok()?, exchange: read_target(exchange)? })
}

fn read_srv(text: &str) -> Option<SrvRecord> {
    let [priority, weight, port, target] = words(text)?;
    let (priority, weight, port) = (priority.parse().ok()?, weight.parse().ok()?, port.parse().ok()?);
    Some(SrvRecord { priority, weight, port, target: read_target(target)? })
}

fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split_whitespace().collect::<Vec<_>>().try_into().ok()
}

/// A host name; `.` is the empty one.
fn read_target(text: &str) -> Option<String> {
    if text == "." { Some(String::new()) } else { read_name(text) }
}

/// A name as the model has them; labels that begin with `_` may stand before a domain (RFC 8552).
fn read_name(text: &str) -> Option<String> {
    match text.split_once('.') {
        Some((label, rest)) if label.starts_with('_') => {
            let is_label = label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            is_label.then(|| read_name(rest).map(|rest| format!("{}.{rest}", label.to_ascii_lowercase())))?
        }
        _ => Domain::parse(text).ok().map(|domain| domain.to_string()),
    }
}

/// The strings of TXT records: quoted ones that stand side by side are one record, `,` begins the next; without quotes it is one.
fn read_texts(value: &str) -> Option<Vec<String>> {
    if !value.starts_with('"') {
        return Some(vec![value.to_owned()]);
    }
    let mut texts = vec![String::new()];
    let (mut is_quoted, mut has_text, mut characters) = (false, false, value.chars());
    while let Some(character) = characters.next() {
        match character {
            '"' => (is_quoted, has_text) = (!is_quoted, true),
            '\\' if is_quoted => texts.last_mut()?.push(characters.next()?),
            _ if is_quoted => texts.last_mut()?.push(character),
            ',' if has_text => {
                texts.push(String::new());
                has_text = false;
            }
            ' ' => {}
            _ => return None,
        }
    }
    (!is_quoted && has_text).then_some(texts)
}

fn parse_page(text: &str, read: Read<'_>) -> Result<(Subject, Fact), OverlayError> {
    let wrong = |what: &str| OverlayError::Form { text: text.to_owned(), what: what.to_owned(), form: PAGE };
    let (url, value) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let value = value.trim_start().strip_prefix('=').ok_or_else(|| wrong("it has no `=` with a space before it"))?;
    let mut url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| wrong("that is no URL"))?;
    url.set_fragment(None);
    let value = value.trim();
    let number = value.parse::<u16>().ok().filter(|_| value.len() == 3);
    let page = match number {
        Some(status @ (200..=299 | 400..=599)) => Page { status, content_type: String::new(), body: Vec::new().into() },
        Some(300..=399) => return Err(wrong("a redirect cannot be assumed, only what its target answers")),
        Some(_) => return Err(wrong("that is no status")),
        None if value.is_empty() => return Err(wrong("nothing stands behind the `=`")),
        None => {
            let (file, content_type) = value.split_once(';').map_or((value, None), |(file, kind)| (file.trim(), Some(kind.trim())));
            let body = read(file).map_err(|why| OverlayError::File { text: text.to_owned(), why })?;
            let content_type = content_type.unwrap_or_else(|| content_type_of(file)).to_owned();
            Page { status: 200, content_type, body: body.into() }
        }
    };
    Ok((Subject::Page(url), Fact::Page(page)))
}

/// What a web server would say of a file, by its name.
fn content_type_of(file: &str) -> &'static str {
    let extension = Path::new(file).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "xml" => "text/xml",
        "json" => "application/json",
        "html" | "htm" => "text/html",
        "txt" => "text/plain",
        _ => "application/octet-stream",
    }
}

fn form_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Mx => "MX contoso.com = 0 mx.contoso.com, 10 mx2.contoso.com",
        RecordKind::Txt => "TXT contoso.com = \"text\"",
        RecordKind::Srv => "SRV _imaps._tcp.contoso.com = 0 1 993 imap.contoso.com",
        RecordKind::Cname => "CNAME autodiscover.contoso.com = autodiscover.outlook.com",
    }
}

const PAGE: &str = "https://autoconfig.contoso.com/mail/config-v1.1.xml = FILE; text/xml";

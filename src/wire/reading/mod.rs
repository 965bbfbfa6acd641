//! Answers to readings: what an answer comes to, in one line for a person and as a document.

mod greeting;
mod microsoft;
mod published;
mod sign_in;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use url::Url;

use super::{Fault, HttpAnswer, fault::clip, pacc::parse_pacc_digests, read_capabilities};
use crate::model::{
    Answer, AnswerOutcome, Capabilities, Document, HttpDocument, Lookup, LookupKind, Message, Obstacle, Reading, Reply, Request, SrvRecord,
};

/// Reads an answer for what its lookup asked. Never fails: what cannot be used has an outcome and a line that says why.
#[must_use]
pub fn read(lookup: &Lookup, answer: Arc<Answer>) -> Reading {
    let found = |detail| (AnswerOutcome::Found, detail, Document::Nothing);
    let (outcome, detail, document) = match &answer.reply {
        Reply::Mx(records) => found(list(records, |record| format!("{} {}", record.preference, record.exchange))),
        Reply::Srv(records) => {
            let target = |record: &SrvRecord| if record.target.is_empty() { ".".to_owned() } else { record.target.clone() };
            found(list(records, |record| format!("{} {} {} {}", record.priority, record.weight, record.port, target(record))))
        }
        Reply::Addresses(addresses) => found(list(addresses, ToString::to_string)),
        Reply::Txt(texts) if lookup.kind == LookupKind::Pacc => published::pacc_digests(parse_pacc_digests(texts)),
        Reply::Txt(texts) => found(list(texts, Clone::clone)),
        Reply::Greeting(line) => greeting::read(&lookup.request, line),
        Reply::Redirect(target) => found(format!("redirected to {target}")),
        Reply::Obstacle(obstacle) => read_obstacle(obstacle),
        Reply::Document(document) => read_document(lookup, document),
    };
    Reading { outcome, detail: one_line(&detail), document, answer }
}

/// What an answer comes to: its outcome, a line, the document.
type Finding = (AnswerOutcome, String, Document);

fn read_document(lookup: &Lookup, http: &HttpDocument) -> Finding {
    if http.status == 204 && lookup.kind != LookupKind::Autodetect {
        let nothing = Obstacle::Empty { status: 204, content_type: String::new() };
        return (nothing.outcome(), nothing.to_string(), Document::Nothing);
    }
    let headers = headers_of(&lookup.request, http);
    let answer = HttpAnswer { status: http.status, headers: &headers, body: &http.body };
    let read = match lookup.kind {
        LookupKind::OwnAutoconfig | LookupKind::Ispdb | LookupKind::MxAutoconfig | LookupKind::MxIspdb => published::autoconfig(http),
        LookupKind::AutodiscoverPox => published::pox(http),
        LookupKind::Pacc => published::pacc(http),
        LookupKind::Jmap => published::jmap(http),
        LookupKind::AutodiscoverMobilesync => microsoft::mobilesync(&answer),
        LookupKind::AutodiscoverV2 => microsoft::autodiscover_v2(&answer),
        LookupKind::AutodiscoverSoap => microsoft::user_settings(&answer, asked(&lookup.request)),
        LookupKind::Autodetect => microsoft::autodetect(&answer),
        LookupKind::Realm => sign_in::realm(&answer),
        LookupKind::Openid => sign_in::openid(&answer),
        LookupKind::CredentialType => sign_in::credential_type(&answer),
        LookupKind::Mx | LookupKind::AutodiscoverSrv | LookupKind::Srv | LookupKind::Wildcard | LookupKind::Guess | LookupKind::BuiltIn => {
            return (AnswerOutcome::Invalid, "a web document came where none was asked for".to_owned(), Document::Nothing);
        }
    };
    read.unwrap_or_else(|fault| {
        let is_other = published::is_well_formed(http, &fault);
        (outcome_of(&fault), fault.to_string(), if is_other { Document::Other } else { Document::Nothing })
    })
}

/// The headers of an answer, its content type among them, with a `Location` that is absolute (RFC 9110 section 10.2.2).
fn headers_of(request: &Request, http: &HttpDocument) -> Vec<(String, String)> {
    let base = if let Request::Http { url, .. } = request { Url::parse(url).ok() } else { None };
    let absolute = |(name, value): &(String, String)| {
        let target = base.as_ref().filter(|_| name.eq_ignore_ascii_case("Location")).and_then(|base| base.join(value).ok());
        (name.clone(), target.map_or_else(|| value.clone(), String::from))
    };
    let content_type = ("content-type".to_owned(), http.content_type.clone());
    http.headers.iter().map(absolute).chain([content_type]).collect()
}

/// How many addresses a request of the SOAP interface asks about.
fn asked(request: &Request) -> usize {
    if let Request::Http { message: Message::UserSettings { addresses }, .. } = request { addresses.len() } else { 0 }
}

/// An obstacle, with what an Autodiscover endpoint says of itself beside a 401.
fn read_obstacle(obstacle: &Obstacle) -> Finding {
    let said = if let Obstacle::CredentialsRequired { headers, .. } = obstacle { Some(read_capabilities(headers)) } else { None };
    let (detail, document) = match said.filter(Capabilities::is_exchange) {
        Some(said) if said.is_microsoft_online() => {
            (format!("{obstacle}; Exchange, joined to Microsoft's cloud"), Document::Capabilities(Box::new(said)))
        }
        Some(said) => (format!("{obstacle}; Exchange"), Document::Capabilities(Box::new(said))),
        None => (obstacle.to_string(), Document::Nothing),
    };
    (obstacle.outcome(), detail, document)
}

fn outcome_of(fault: &Fault) -> AnswerOutcome {
    match fault {
        Fault::TooLong | Fault::Status { status: 429 | 500.. } => AnswerOutcome::Failed,
        Fault::Status { status: 404 | 410 } => AnswerOutcome::Absent,
        _ => AnswerOutcome::Invalid,
    }
}

fn mark(strict: bool, detail: String) -> String {
    if strict { detail } else { format!("(not strict) {detail}") }
}

fn list<T>(items: &[T], describe: impl Fn(&T) -> String) -> String {
    items.iter().take(MAX_LISTED).map(describe).collect::<Vec<_>>().join(", ")
}

/// One line of at most 200 characters: white space becomes a space, what is not to be seen or turns the text around is dropped.
fn one_line(text: &str) -> String {
    let is_hidden = |character: char| {
        (character.is_control() && !character.is_whitespace())
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let visible: String = text.chars().filter(|character| !is_hidden(*character)).collect();
    let mut line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > MAX_DETAIL_CHARACTERS {
        line = clip(&line, MAX_DETAIL_CHARACTERS - 1);
        line.push('…');
    }
    line
}

const MAX_DETAIL_CHARACTERS: usize = 200;
/// More than fit into a line.
const MAX_LISTED: usize = 64;

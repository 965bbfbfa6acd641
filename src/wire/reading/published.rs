//! What a domain or a provider publishes: `config-v1.1.xml`, Autodiscover's XML, PACC, the JMAP session.

use std::fmt::Write as _;

use super::{Finding, list, mark, outcome_of};
use crate::{
    model::{
        AnswerOutcome, Autoconfig, AutoconfigServer, Document, HttpDocument, Pacc, PaccDigest, PaccDigests, Pox, PoxError, PoxProtocol,
    },
    wire::{Fault, autoconfig::read_autoconfig, parse_jmap, parse_pacc, pox::read_pox, xml::read_tree},
};

pub(super) fn autoconfig(http: &HttpDocument) -> Result<Finding, Fault> {
    read_autoconfig(&http.body, &http.content_type).map(|(document, flaw)| {
        let (outcome, detail) = judge(flaw, || (AnswerOutcome::Found, describe_autoconfig(&document)));
        (outcome, detail, Document::Autoconfig(Box::new(document)))
    })
}

pub(super) fn pox(http: &HttpDocument) -> Result<Finding, Fault> {
    read_pox(&http.body, &http.content_type).map(|(document, flaw)| {
        let (outcome, detail) = judge(flaw, || describe_pox(&document));
        (outcome, detail, Document::Pox(Box::new(document)))
    })
}

pub(super) fn pacc(http: &HttpDocument) -> Result<Finding, Fault> {
    parse_pacc(&http.body, &http.content_type).map(|pacc| {
        let detail = describe_pacc(&pacc);
        (AnswerOutcome::Found, detail, Document::Pacc(Box::new(pacc)))
    })
}

pub(super) fn pacc_digests(digests: PaccDigests) -> Finding {
    let describe = |digest: &PaccDigest| match digest {
        PaccDigest::Sha256(_, text) => format!("sha256 {text}"),
        PaccDigest::Other(name) => format!("a digest by {name}"),
        PaccDigest::Malformed => "a digest that cannot be read".to_owned(),
    };
    let (outcome, detail) = if digests.0.is_empty() {
        (AnswerOutcome::Absent, "there are TXT records, and none of PACC's".to_owned())
    } else {
        (AnswerOutcome::Found, list(&digests.0, describe))
    };
    (outcome, detail, Document::PaccDigests(Box::new(digests)))
}

pub(super) fn jmap(http: &HttpDocument) -> Result<Finding, Fault> {
    parse_jmap(&http.body, &http.content_type).map(|session| {
        let serves = match (session.serves_mail(), session.serves_submission()) {
            (true, true) => "mail and submission",
            (true, false) => "mail",
            (false, true) => "submission",
            (false, false) => "no mail without sign-in",
        };
        (AnswerOutcome::Found, format!("JMAP at {}: {serves}", session.host), Document::Jmap(Box::new(session)))
    })
}

/// Whether a body that is no document of the kind asked for is well-formed XML all the same.
pub(super) fn is_well_formed(http: &HttpDocument, fault: &Fault) -> bool {
    let root = match fault {
        Fault::WrongRoot { name } => name,
        Fault::Html => "html",
        Fault::NoEmailProvider => "clientConfig",
        Fault::NoResponse | Fault::NoAccount => "Autodiscover",
        _ => return false,
    };
    read_tree(&http.body, &http.content_type, root).is_ok_and(|tree| tree.well_formed && tree.broken.is_none())
}

fn judge(flaw: Option<Fault>, usable: impl FnOnce() -> (AnswerOutcome, String)) -> (AnswerOutcome, String) {
    flaw.map_or_else(usable, |fault| (outcome_of(&fault), fault.to_string()))
}

fn describe_autoconfig(document: &Autoconfig) -> String {
    let servers: Vec<&AutoconfigServer> = document.incoming.iter().chain(&document.outgoing).collect();
    let servers = list(&servers, |server| {
        let place = server.hostname.as_ref().or(server.url.as_ref());
        let mut text = format!("{} {}", server.kind, place.map_or("nowhere", String::as_str));
        if let Some(port) = &server.port {
            let _ = write!(text, ":{port}");
        }
        text
    });
    mark(document.strict, format!("{}: {servers}", document.provider_id.as_deref().unwrap_or("without id")))
}

fn describe_pox(pox: &Pox) -> (AnswerOutcome, String) {
    if let Some(error) = &pox.error {
        return (error_outcome(error), format!("the server says: {} {}", error.code, error.message));
    }
    let goes_on = pox.protocols.is_empty() || pox.action.as_deref().is_some_and(|action| action.starts_with("redirect"));
    let detail = match (&pox.redirect_url, &pox.redirect_address) {
        (_, Some(address)) if goes_on && pox.action.as_deref() == Some("redirectaddr") => format!("redirected to the address {address}"),
        (Some(url), _) if goes_on => format!("redirected to {url}"),
        (None, Some(address)) if goes_on => format!("redirected to the address {address}"),
        _ => list(&pox.protocols, |protocol: &PoxProtocol| {
            let owa = protocol.owa_url.as_ref().map(|owa| &owa.url);
            let web = [protocol.url.as_ref(), protocol.ews_url.as_ref(), protocol.as_url.as_ref(), owa];
            let place = protocol.server.as_ref().or_else(|| web.into_iter().flatten().next());
            let mut text = [protocol.kind.as_str(), place.map_or("", String::as_str)].join(" ").trim().to_owned();
            if let Some(port) = &protocol.port {
                let _ = write!(text, ":{port}");
            }
            text
        }),
    };
    (AnswerOutcome::Found, mark(pox.strict, detail))
}

/// What an error comes to (MS-OXDSCLI section 2.2.4.1.1.3.2): 600 and 601 are about the request, 603 about the server's own
/// state, everything else says that there is nothing for this mailbox.
fn error_outcome(error: &PoxError) -> AnswerOutcome {
    match error.code.as_str() {
        "600" | "601" => AnswerOutcome::Invalid,
        "603" => AnswerOutcome::Failed,
        _ => AnswerOutcome::Absent,
    }
}

fn describe_pacc(pacc: &Pacc) -> String {
    let endpoints = list(&pacc.endpoints, |endpoint| format!("{} {}", endpoint.protocol, endpoint.host));
    let text = match &pacc.provider {
        Some(provider) => format!("{provider}: {endpoints}"),
        None => endpoints,
    };
    if pacc.complete { text } else { format!("(incomplete) {text}") }
}

//! What Microsoft's discovery services and Exchange servers say: mobilesync, Autodiscover v2 and SOAP, AutoDetect.

use super::{Finding, list, mark};
use crate::{
    model::{
        AnswerOutcome, AutoDetect, AutoDetectAnswer, AutoDetectEvidence, AutoDetectProtocol, AutoDetectService, AutodiscoverV2, Document,
        MobileSync, MobileSyncAction, MobileSyncServer, SoapAnswer, SoapCode, SoapFault, UserAnswer, UserSettings, V2Code, counted,
    },
    wire::{
        Fault, HttpAnswer, http_answer::https_host, moved_activesync, parse_autodetect, parse_autodiscover_v2, parse_mobilesync,
        parse_user_settings,
    },
};

/// 301, 302, 307 and 308 are answers (MS-OXDISCO section 3.1.5), and so is a 451 (MS-ASHTTP section 3.1.5.2.2).
pub(super) fn mobilesync(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    let target = match answer.status {
        301 | 302 | 307 | 308 => Some(answer.header("Location").ok_or(Fault::NoTarget)?.to_owned()),
        _ => moved_activesync(answer)?,
    };
    if let Some(url) = target {
        let host = https_host(&url, "Location")?;
        return Ok((AnswerOutcome::Found, format!("sent on to {host}"), Document::Elsewhere(url)));
    }
    check_status(answer)?;
    let document = parse_mobilesync(answer.body, answer.content_type())?;
    let (outcome, detail) = describe_mobilesync(&document);
    Ok((outcome, mark(document.strict, detail), Document::MobileSync(Box::new(document))))
}

fn describe_mobilesync(document: &MobileSync) -> (AnswerOutcome, String) {
    match &document.action {
        MobileSyncAction::Error(error) => {
            let code = error.code.as_deref().or(error.status.as_deref()).unwrap_or_default();
            (error.outcome(), format!("the server says: {code} {}", error.message))
        }
        MobileSyncAction::Redirect(address) => (AnswerOutcome::Found, format!("redirected to the address {address}")),
        MobileSyncAction::Settings(_) if document.endpoint().is_none() => {
            (AnswerOutcome::Invalid, "it names no ActiveSync server".to_owned())
        }
        MobileSyncAction::Settings(servers) => (
            AnswerOutcome::Found,
            list(servers, |server: &MobileSyncServer| {
                let place = server.url.as_deref().or(server.name.as_deref()).unwrap_or("nowhere");
                format!("{} {place}", server.kind)
            }),
        ),
    }
}

pub(super) fn autodiscover_v2(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    let document = parse_autodiscover_v2(answer)?;
    let (outcome, detail) = match &document {
        AutodiscoverV2::Endpoint(endpoint) => {
            let detail = match &endpoint.protocol {
                Some(protocol) => format!("{protocol} {}", endpoint.url),
                None => endpoint.url.clone(),
            };
            (AnswerOutcome::Found, detail)
        }
        AutodiscoverV2::Redirect { host, .. } => (AnswerOutcome::Found, format!("sent on to {host}")),
        AutodiscoverV2::Refused(refusal) => {
            (refusal.outcome(), format!("the server says: {} {}", code_text(&refusal.code), refusal.message))
        }
    };
    Ok((outcome, detail, Document::AutodiscoverV2(Box::new(document))))
}

fn code_text(code: &V2Code) -> &str {
    match code {
        V2Code::ProtocolNotSupported => "ProtocolNotSupported",
        V2Code::InvalidProtocol => "InvalidProtocol",
        V2Code::MissingProtocol => "MissingProtocol",
        V2Code::MandatoryParameterMissing => "MandatoryParameterMissing",
        V2Code::UserNotFound => "UserNotFound",
        V2Code::Other(code) => code,
    }
}

/// The answer to a batch, whatever its status: faults come with a 500.
pub(super) fn user_settings(answer: &HttpAnswer<'_>, asked: usize) -> Result<Finding, Fault> {
    let document = match (parse_user_settings(answer.body, answer.content_type(), asked), check_status(answer)) {
        (Err(_), Err(of_status)) => return Err(of_status),
        (read, _) => read?,
    };
    let (outcome, detail) = match &document {
        SoapAnswer::Fault(fault) => describe_fault(fault),
        SoapAnswer::Settings(settings) => describe_settings(settings),
    };
    Ok((outcome, detail, Document::UserSettings(Box::new(document))))
}

/// A fault of the sender is about the request; every other one is about the server (SOAP 1.1 section 4.4.1).
fn describe_fault(fault: &SoapFault) -> (AnswerOutcome, String) {
    let is_of_sender = matches!(fault.code.as_str(), "Client" | "Sender") && fault.back_off_ms.is_none();
    let code = fault.response_code.as_deref().unwrap_or(&fault.code);
    (if is_of_sender { AnswerOutcome::Invalid } else { AnswerOutcome::Failed }, format!("the server says: {code} {}", fault.reason))
}

fn describe_settings(settings: &UserSettings) -> (AnswerOutcome, String) {
    if settings.code != SoapCode::NoError {
        let outcome = if settings.code.is_passing() { AnswerOutcome::Failed } else { AnswerOutcome::Invalid };
        return (outcome, format!("the server says: {} {}", settings.code.as_str(), settings.message));
    }
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for user in &settings.users {
        let group = describe_user(user.as_ref());
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, count)) => *count += 1,
            None => groups.push((group, 1)),
        }
    }
    let said = list(&groups, |(group, count)| format!("{count} {group}"));
    let detail = format!("{}: {said}", counted(settings.users.len(), "address", "addresses"));
    (if settings.users.iter().any(Option::is_some) { AnswerOutcome::Found } else { AnswerOutcome::Failed }, detail)
}

fn describe_user(user: Option<&UserAnswer>) -> &str {
    match user {
        None => "not answered",
        Some(user) if user.code != SoapCode::NoError => user.code.as_str(),
        Some(user) => match user.microsoft_online() {
            Some(true) => "in Exchange Online",
            Some(false) => "not in Exchange Online",
            None => "without a word on where",
        },
    }
}

pub(super) fn autodetect(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    let document = parse_autodetect(answer)?;
    let (outcome, detail) = match &document {
        AutoDetectAnswer::Found(found) => (AnswerOutcome::Found, describe_autodetect(found)),
        AutoDetectAnswer::Nothing(evidence) => (AnswerOutcome::Absent, format!("AutoDetect knows nothing{}", reasons(evidence))),
        AutoDetectAnswer::Searching { .. } => (AnswerOutcome::Failed, "AutoDetect is still searching".to_owned()),
        AutoDetectAnswer::Unavailable { .. } => (AnswerOutcome::Failed, format!("AutoDetect is not available ({})", answer.status)),
    };
    Ok((outcome, detail, Document::AutoDetect(Box::new(document))))
}

/// Services first, as they decide; what is known of the reasons before the servers, which may be many.
fn describe_autodetect(found: &AutoDetect) -> String {
    let services = found.services.iter().map(describe_service);
    let protocols = found.protocols.iter().map(describe_protocol);
    let said: Vec<String> = services.chain(protocols).collect();
    format!("{} {}", reasons(&found.evidence), list(&said, Clone::clone))
}

fn describe_service(service: &AutoDetectService) -> String {
    let name = service.service.as_deref().unwrap_or("a service without a name");
    let own = service.on_premises_url.as_deref().or(if service.on_premises == Some(true) { Some("on the own server") } else { None });
    match own.or(service.hostname.as_deref()) {
        Some(place) => format!("service {name} ({place})"),
        None => format!("service {name}"),
    }
}

fn describe_protocol(protocol: &AutoDetectProtocol) -> String {
    let [kind, host] = [&protocol.protocol, &protocol.hostname].map(|text| text.as_deref().unwrap_or("?"));
    let port = protocol.port.map(|port| format!(":{port}")).unwrap_or_default();
    let tried = if protocol.validated == Some(true) { "" } else { " (never tried)" };
    format!("{kind} {host}{port}{tried}")
}

/// ` (row X of 2020-02-03, changed 2024-05-06, crowdsourced; Autodiscover v2: ENOTFOUND)`; empty where nothing is known.
fn reasons(evidence: &AutoDetectEvidence) -> String {
    let row = evidence.row.as_ref();
    let day = |text: &String| text.split('T').next().unwrap_or_default().to_owned();
    let id = row.and_then(|row| row.id.as_ref()).or(evidence.provider_id.as_ref());
    let mut of_row: Vec<String> = id.map(|id| format!("row {id}")).into_iter().collect();
    of_row.extend(row.and_then(|row| row.created_at.as_ref()).map(|date| format!("written {}", day(date))));
    of_row.extend(row.and_then(|row| row.updated_at.as_ref()).map(|date| format!("changed {}", day(date))));
    of_row.extend(row.and_then(|row| row.crowdsourced).map(|crowd| if crowd { "crowdsourced" } else { "not crowdsourced" }.to_owned()));
    let of_v2 = evidence.v2_error.as_ref().map(|error| format!("Autodiscover v2: {error}"));
    let parts: Vec<String> = Some(of_row.join(", ")).filter(|text| !text.is_empty()).into_iter().chain(of_v2).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

/// # Errors
/// [`Fault::Status`] for what is no success.
pub(super) fn check_status(answer: &HttpAnswer<'_>) -> Result<(), Fault> {
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(Fault::Status { status: answer.status }) }
}

//! What Microsoft's sign-in service says of a domain or an address.

use super::{Finding, microsoft::check_status};
use crate::{
    model::{AnswerOutcome, CredentialType, Directory, Document, Existence, Namespace, OpenIdAnswer, OpenIdRefusal, Realm},
    wire::{Fault, HttpAnswer, parse_credential_type, parse_openid, parse_realm},
};

pub(super) fn realm(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    check_status(answer)?;
    let realm = parse_realm(answer.body, answer.content_type())?;
    let (outcome, detail) = describe_realm(&realm);
    Ok((outcome, detail, Document::Realm(Box::new(realm))))
}

fn describe_realm(realm: &Realm) -> (AnswerOutcome, String) {
    let mut text = match &realm.namespace {
        Namespace::Managed => "managed".to_owned(),
        Namespace::Federated => "federated".to_owned(),
        Namespace::Unknown => "in no tenant of this cloud".to_owned(),
        Namespace::Other(name) => name.clone(),
    };
    if realm.consumer == Some(true) {
        text.push_str(", a domain of the consumer service");
    }
    if let Some(instance) = &realm.cloud_instance {
        text = format!("{text}, {instance}");
    }
    (if realm.namespace == Namespace::Unknown { AnswerOutcome::Absent } else { AnswerOutcome::Found }, text)
}

pub(super) fn openid(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    let document = parse_openid(answer)?;
    let (outcome, detail) = match &document {
        OpenIdAnswer::Directory(directory) => (AnswerOutcome::Found, describe_directory(directory)),
        OpenIdAnswer::Refused(refusal) if refusal.is_no_tenant() => (AnswerOutcome::Absent, "no tenant has the domain".to_owned()),
        OpenIdAnswer::Refused(refusal) => (refusal_outcome(refusal), format!("the server says: {} {}", refusal.error, refusal.description)),
    };
    Ok((outcome, detail, Document::OpenId(Box::new(document))))
}

fn describe_directory(directory: &Directory) -> String {
    if directory.is_consumer() {
        return "the directory of all personal accounts".to_owned();
    }
    let cloud = directory.cloud.map(|cloud| cloud.to_string()).or_else(|| directory.cloud_instance.clone());
    match (cloud, &directory.sub_region) {
        (Some(cloud), Some(region)) => format!("tenant {}, cloud {cloud} ({region})", directory.id),
        (Some(cloud), None) => format!("tenant {}, cloud {cloud}", directory.id),
        (None, _) => format!("tenant {}", directory.id),
    }
}

fn refusal_outcome(refusal: &OpenIdRefusal) -> AnswerOutcome {
    if matches!(refusal.status, 429 | 500..) { AnswerOutcome::Failed } else { AnswerOutcome::Invalid }
}

pub(super) fn credential_type(answer: &HttpAnswer<'_>) -> Result<Finding, Fault> {
    check_status(answer)?;
    let document = parse_credential_type(answer.body, answer.content_type())?;
    let (outcome, detail) = describe_existence(&document);
    Ok((outcome, detail, Document::CredentialType(Box::new(document))))
}

fn describe_existence(document: &CredentialType) -> (AnswerOutcome, String) {
    let (outcome, text) = match document.existence {
        Existence::Work => (AnswerOutcome::Found, "a work account"),
        Existence::Personal => (AnswerOutcome::Found, "a personal account alone"),
        Existence::Both => (AnswerOutcome::Found, "a work account and a personal account"),
        Existence::Nowhere => (AnswerOutcome::Absent, "no account"),
        Existence::Throttled => (AnswerOutcome::Failed, "throttled: the answer says nothing"),
        Existence::Failed => (AnswerOutcome::Failed, "the service failed"),
        Existence::Unknown(number) => return (AnswerOutcome::Failed, format!("a result without a meaning here ({number})")),
    };
    (outcome, text.to_owned())
}

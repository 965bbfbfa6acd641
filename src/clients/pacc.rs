//! PACC (draft-ietf-mailmaint-pacc): a document at a name of its own, which a client takes where a TXT record has its digest.

use super::search::Trail;
use crate::model::{
    AnswerOutcome, DigestCheck, Document, Lookup, LookupKind, PaccDigests, Protocol, Request, Settings, Subject, Way, Win,
    pacc_digest_name, pacc_url,
};

pub(super) fn search(trail: &mut Trail<'_>, subject: &Subject) {
    let domain = subject.address.domain();
    let lookup = |request: Request| Lookup { kind: LookupKind::Pacc, asked: request.asked(), request };
    let document = lookup(Request::Get { url: pacc_url(domain), address: None });
    let record = lookup(Request::Txt { name: pacc_digest_name(domain) });
    let of_record = trail.ask(&record);
    let Some(of_document) = trail.ask(&document) else { return };
    let Document::Pacc(pacc) = &of_document.document else { return trail.record(&document, of_document.outcome, &of_document.detail) };
    let Some(of_record) = of_record else { return };
    let nothing = PaccDigests::default();
    let digests = match &of_record.document {
        Document::PaccDigests(digests) => digests.as_ref(),
        _ if of_record.outcome == AnswerOutcome::Failed => return trail.record(&record, of_record.outcome, &of_record.detail),
        _ => &nothing,
    };
    let check = pacc.check(digests);
    if check != DigestCheck::Matches {
        return trail.record(&document, AnswerOutcome::Invalid, &check.to_string());
    }
    let (outgoing, incoming) = pacc.servers().into_iter().partition(|server| server.protocol == Protocol::Smtp);
    let settings = Settings { incoming, outgoing };
    if settings.incoming.is_empty() {
        return trail.record(&document, AnswerOutcome::Invalid, "it names no server to read mail with");
    }
    let requests = vec![document.request.clone(), record.request];
    trail.win(Win { lookup: document, requests, way: Way::Pacc, settings, provider_id: None, beside: None, guarded: None });
}

//! A notice as a JSON document for machines, schema `autodiscover-audit/notice/1` (`deploy/notice.schema.json`): what the webhook sends as
//! `data`, and other channels as details. Additions are allowed; a change of meaning raises the number.

use serde_json::{Map, Value, json};

use super::super::{
    budget::Share,
    digest::{Digest, Item},
    lines,
    phrase::{clip, instant, plain},
};
use crate::model::{Concern, LookupKind, TenantId};

/// The whole notice.
pub(super) fn notice(digest: &Digest<'_>, share: Share) -> Value {
    let shown = share.items.min(digest.items.len());
    let counts: Map<String, Value> =
        digest.counts().into_iter().map(|(story, number)| (story.as_str().to_owned(), number.into())).collect();
    json!({
        "schema": "autodiscover-audit/notice/1",
        "id": digest.notice.id,
        "is_test": digest.is_test,
        "tenant": digest.notice.tenant.as_ref().map(TenantId::as_str),
        "tenant_name": lines::owner(digest, share),
        "headline": lines::headline(digest, share),
        "severity": digest.severity().as_str(),
        "is_over": digest.is_over(),
        "at": instant(digest.at()),
        "counts": counts,
        "numbers": digest.notice.numbers,
        "report_url": digest.wording.report_url,
        "incidents": digest.items.iter().take(shown).map(|item| incident(digest, item, share.text)).collect::<Vec<_>>(),
        "incidents_left_out": digest.items.len() - shown,
    })
}

/// One incident.
pub(super) fn incident(digest: &Digest<'_>, item: &Item<'_>, text: usize) -> Value {
    let event = item.event;
    let account = &event.account;
    let line = |line: &str| clip(&plain(line), text);
    let all = |texts: &[String]| texts.iter().take(LINES).map(|text| line(text)).collect::<Vec<_>>();
    let mailbox = if let Concern::Finding { mailbox, .. } = &event.concern { mailbox.as_deref() } else { None };
    let mut document = json!({
        "incident": event.incident,
        "event": event.id,
        "key": event.concern.key(),
        "group": event.concern.group_key(),
        "story": item.story.as_str(),
        "changes": item.steps,
        "is_open": event.is_open,
        "severity": event.severity,
        "verdict": event.verdict,
        "mailbox": mailbox,
        "affected": event.affected,
        "episode": event.episode,
        "since": instant(event.since),
        "at": instant(event.at),
        "sentence": line(&digest.sentence(item)),
        "explanation": line(&account.explanation),
        "lookup": account.lookup.map(LookupKind::as_str),
        "asked": account.asked.as_deref().map(line),
        "servers": all(&account.servers),
        "evidence": all(&account.evidence),
        "advice": account.advice.as_deref().map(line),
    });
    if let Some(fields) = document.as_object_mut() {
        for (name, value) in lines::parts(&event.concern) {
            fields.insert(name.to_owned(), value.into());
        }
    }
    document
}

/// Lines of evidence and servers that are told.
const LINES: usize = 20;

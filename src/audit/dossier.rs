//! A domain's answers as the store keeps them: enough to judge again without the network.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Answers;
use crate::{
    model::{Domain, Hop, Lookup, MxRecord, Obstacle, Reply, SrvRecord},
    store::DossierRecord,
};

#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    lookup: &'a Lookup,
    outcome: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hops: &'a [Hop],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cnames: &'a [String],
    reply: Said<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Said<'a> {
    Mx(&'a [MxRecord]),
    Srv(&'a [SrvRecord]),
    Addresses(&'a [std::net::IpAddr]),
    Txt(&'a [String]),
    Greeting(&'a str),
    Document {
        status: u16,
        content_type: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        headers: &'a [(String, String)],
        body: String,
    },
    Redirect(&'a str),
    Obstacle(&'a Obstacle),
}

/// The record of a domain's answers; `None` where there are none. Times are left out, so that equal answers are stored once.
pub(super) fn record(domain: &Domain, answers: &Answers) -> Option<DossierRecord> {
    let mut bodies = BTreeMap::new();
    let mut entries = Vec::new();
    for lookup in &answers.lookups {
        let Some(reading) = answers.readings.get(&lookup.request) else { continue };
        let reply = match &reading.answer.reply {
            Reply::Mx(records) => Said::Mx(records),
            Reply::Srv(records) => Said::Srv(records),
            Reply::Addresses(addresses) => Said::Addresses(addresses),
            Reply::Txt(texts) => Said::Txt(texts),
            Reply::Greeting(line) => Said::Greeting(line),
            Reply::Redirect(target) => Said::Redirect(target),
            Reply::Obstacle(obstacle) => Said::Obstacle(obstacle),
            Reply::Document(document) => {
                let digest: [u8; 32] = Sha256::digest(&document.body).into();
                bodies.insert(digest, document.body.clone());
                Said::Document {
                    status: document.status,
                    content_type: &document.content_type,
                    headers: &document.headers,
                    body: hex(&digest),
                }
            }
        };
        let answer = &reading.answer;
        entries.push(Entry {
            lookup,
            outcome: reading.outcome.as_str(),
            detail: &reading.detail,
            hops: &answer.hops,
            cnames: &answer.cnames,
            reply,
        });
    }
    entries.sort_by(|one, other| one.lookup.request.cmp(&other.lookup.request));
    match serde_json::to_string(&entries) {
        Ok(json) if !entries.is_empty() => Some(DossierRecord { json, bodies: bodies.into_iter().collect() }),
        Ok(_) => None,
        Err(error) => {
            tracing::error!(%domain, %error, "the answers cannot be written down");
            None
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

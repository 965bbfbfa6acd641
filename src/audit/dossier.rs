//! A domain's answers as the store keeps them, written down and read back: enough to judge again without the network.
//!
//! An object: `answers`, those for the domain's first mailbox; `variants`, by name, those of groups of mailboxes that were told something
//! else, as far as it is something else; `one_by_one`, where every mailbox was asked about by itself and what it was told is not
//! kept. Before there were variants it was the list of answers alone.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Answers,
    facts::{is_canary, stored_canary},
};
use crate::{
    model::{
        Answer, AnswerOutcome, Domain, Hop, HttpDocument, Lookup, LookupKind, Message, MxRecord, Obstacle, Reading, Reply, Request,
        SrvRecord,
    },
    store::{Dossier, DossierRecord},
    wire,
};

/// What is written down of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Written {
    answers: Vec<Entry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    variants: BTreeMap<String, Vec<Entry>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_by_one: bool,
}

/// An answer to a lookup. Outcome and detail are for people: they are read anew from the reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    lookup: Lookup,
    outcome: AnswerOutcome,
    detail: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hops: Vec<Hop>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cnames: Vec<String>,
    /// It was not asked: an answer about another mailbox stands for it, or nothing does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    stands_in: bool,
    reply: Said,
}

/// A reply, with the body apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Said {
    Mx(Vec<MxRecord>),
    Srv(Vec<SrvRecord>),
    Addresses(Vec<std::net::IpAddr>),
    Txt(Vec<String>),
    Greeting(String),
    Document {
        status: u16,
        content_type: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
        /// The SHA-256, in hex.
        body: String,
    },
    Redirect(String),
    Obstacle(Obstacle),
}

/// What is kept of a domain's answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// For its first mailbox, and for all that were told the same.
    pub(super) answers: Answers,
    /// By the name of the group: the same, with what it was told in its place.
    pub(super) variants: BTreeMap<String, Answers>,
    /// Whether what each mailbox was told is kept; `None`: nobody wrote that down.
    pub(super) is_whole: Option<bool>,
}

/// Why what is kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum DossierError {
    /// It is none.
    #[error("the answers are not written as this program knows it")]
    Form(#[from] serde_json::Error),
    /// A body is not there.
    #[error("the answers name the body {0}, which the database has not")]
    Body(String),
}

/// How a domain's mailboxes were asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// One of them for all.
    Once,
    /// Each by itself.
    OneByOne,
}

/// The record of a domain's answers; `None` where there are none. Times are left out, so that equal answers are stored once.
pub(super) fn record(domain: &Domain, answers: &Answers, asked: Asked) -> Option<DossierRecord> {
    record_all(domain, (answers, &BTreeMap::new()), asked)
}

/// The same, with what groups of its mailboxes were told beyond it, by the name of the group.
pub(super) fn record_all(
    domain: &Domain,
    (answers, variants): (&Answers, &BTreeMap<&str, &Answers>),
    asked: Asked,
) -> Option<DossierRecord> {
    let mut bodies = Bodies::new();
    let answers = write(answers, &mut bodies);
    if answers.is_empty() {
        return None;
    }
    let variants = variants.iter().map(|(name, answers)| ((*name).to_owned(), write(answers, &mut bodies))).collect();
    let written = Written { answers, variants, one_by_one: asked == Asked::OneByOne };
    match serde_json::to_string(&written) {
        Ok(json) => Some(DossierRecord { json, bodies: bodies.into_iter().collect() }),
        Err(error) => {
            tracing::error!(%domain, %error, "the answers cannot be written down");
            None
        }
    }
}

/// Reads what is kept, by the present rules.
///
/// # Errors
/// [`DossierError`].
pub(super) fn read(dossier: &Dossier) -> Result<Kept, DossierError> {
    // the form of before
    let is_bare = dossier.json.trim_start().starts_with('[');
    let written = if is_bare {
        Written { answers: serde_json::from_str(&dossier.json)?, ..Written::default() }
    } else {
        serde_json::from_str(&dossier.json)?
    };
    let bodies = dossier.bodies.iter().map(|(digest, body)| (hex(digest), body)).collect();
    let answers = read_entries(Answers::default(), written.answers, &bodies)?;
    let variants = written.variants.into_iter().map(|(name, entries)| Ok((name, read_entries(answers.clone(), entries, &bodies)?)));
    let variants = variants.collect::<Result<_, DossierError>>()?;
    Ok(Kept { variants, answers, is_whole: (!is_bare).then_some(!written.one_by_one) })
}

type Bodies = BTreeMap<[u8; 32], Arc<[u8]>>;

fn write(answers: &Answers, bodies: &mut Bodies) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for lookup in &answers.lookups {
        let Some(reading) = answers.readings.get(&lookup.request) else { continue };
        entries.push(Entry {
            lookup: as_stored(lookup),
            outcome: reading.outcome,
            detail: reading.detail.clone(),
            hops: reading.answer.hops.clone(),
            cnames: reading.answer.cnames.clone(),
            stands_in: reading.answer.attempts == 0,
            reply: say(&reading.answer.reply, bodies),
        });
    }
    entries.sort_by(|one, other| one.lookup.request.cmp(&other.lookup.request));
    entries
}

fn say(reply: &Reply, bodies: &mut Bodies) -> Said {
    match reply {
        Reply::Mx(records) => Said::Mx(records.clone()),
        Reply::Srv(records) => Said::Srv(records.clone()),
        Reply::Addresses(addresses) => Said::Addresses(addresses.clone()),
        Reply::Txt(texts) => Said::Txt(texts.clone()),
        Reply::Greeting(line) => Said::Greeting(line.clone()),
        Reply::Redirect(target) => Said::Redirect(target.clone()),
        Reply::Obstacle(obstacle) => Said::Obstacle(obstacle.clone()),
        Reply::Document(HttpDocument { status, content_type, headers, body }) => {
            let digest: [u8; 32] = Sha256::digest(body).into();
            bodies.insert(digest, body.clone());
            Said::Document { status: *status, content_type: content_type.clone(), headers: headers.clone(), body: hex(&digest) }
        }
    }
}

/// Lays entries over what is known.
fn read_entries(mut known: Answers, entries: Vec<Entry>, bodies: &HashMap<String, &Arc<[u8]>>) -> Result<Answers, DossierError> {
    for Entry { lookup, detail, hops, cnames, stands_in, reply, .. } in entries {
        let answer = Answer { reply: hear(reply, bodies)?, hops, cnames, attempts: u8::from(!stands_in), took_ms: 0 };
        if stands_in {
            // why it was not asked is not in the reply
            let reading = Reading { detail, ..wire::read(&lookup, Arc::new(answer)) };
            known.insert(lookup, reading);
        } else {
            known.put(lookup, Arc::new(answer));
        }
    }
    Ok(known)
}

/// A canary has another name in every run.
fn as_stored(lookup: &Lookup) -> Lookup {
    let canary = match &lookup.request {
        Request::Http { url, message: Message::CredentialType { address } } if is_canary(address) => {
            stored_canary(address.domain()).map(|address| Request::Http { url: url.clone(), message: Message::CredentialType { address } })
        }
        _ => None,
    };
    canary.map_or_else(|| lookup.clone(), |request| Lookup { request, ..lookup.clone() })
}

fn hear(said: Said, bodies: &HashMap<String, &Arc<[u8]>>) -> Result<Reply, DossierError> {
    Ok(match said {
        Said::Mx(records) => Reply::Mx(records),
        Said::Srv(records) => Reply::Srv(records),
        Said::Addresses(addresses) => Reply::Addresses(addresses),
        Said::Txt(texts) => Reply::Txt(texts),
        Said::Greeting(line) => Reply::Greeting(line),
        Said::Redirect(target) => Reply::Redirect(target),
        Said::Obstacle(obstacle) => Reply::Obstacle(obstacle),
        Said::Document { status, content_type, headers, body } => {
            let body = Arc::clone(bodies.get(&body).ok_or(DossierError::Body(body))?);
            Reply::Document(HttpDocument { status, content_type, headers, body })
        }
    })
}

impl Kept {
    /// The same with another answer to these lookups; `None` where nobody asked any of them.
    pub(super) fn with(&self, lookups: &[Lookup], answer: &Arc<Answer>) -> Option<Self> {
        let mut kept = self.clone();
        let mut has_asked = false;
        for answers in std::iter::once(&mut kept.answers).chain(kept.variants.values_mut()) {
            for lookup in lookups {
                if answers.readings.get(&lookup.request).is_some() {
                    answers.put(lookup.clone(), answer.clone());
                    has_asked = true;
                }
            }
        }
        has_asked.then_some(kept)
    }
}

impl Answers {
    /// Puts an answer in the place of the one that there was, if any, and reads it by the present rules.
    pub(super) fn put(&mut self, lookup: Lookup, answer: Arc<Answer>) {
        let reading = wire::read(&lookup, answer);
        if lookup.kind == LookupKind::Wildcard {
            self.wildcard = matches!(reading.answer.reply, Reply::Addresses(_));
        }
        self.insert(lookup, reading);
    }
}

/// In lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, mem::discriminant};

    use super::*;
    use crate::{
        model::{Address, AnswerOutcome, Message, Request, Security},
        store::RunId,
    };

    fn domain() -> Domain {
        Domain::parse("contoso.com").unwrap()
    }

    fn anna() -> Address {
        "anna@contoso.com".parse().unwrap()
    }

    fn answer(reply: Reply) -> Answer {
        let hop = |url: &str, status, location: Option<&str>| Hop { url: url.into(), status, location: location.map(str::to_owned) };
        let hops = vec![hop("https://a.example/", Some(302), Some("/b")), hop("https://a.example/b", None, None)];
        Answer { reply, hops, cnames: vec!["b.example".into()], attempts: 1, took_ms: 0 }
    }

    fn document(content_type: &str, body: &str) -> Reply {
        let headers = vec![("x-soap-enabled".into(), "True".into())];
        Reply::Document(HttpDocument { status: 200, content_type: content_type.into(), headers, body: body.as_bytes().into() })
    }

    /// A reply of each kind, with a request that it may come for.
    fn replies() -> Vec<(LookupKind, Request, Reply)> {
        let name = |text: &str| text.to_owned();
        let srv = SrvRecord { priority: 0, weight: 1, port: 993, target: name("imap.contoso.com") };
        let url = |path: &str| format!("https://autoconfig.contoso.com/{path}");
        let http = |path: &str, message| Request::Http { url: url(path), message };
        let required = Obstacle::CredentialsRequired { schemes: name("bearer"), headers: vec![(name("x-soap-enabled"), name("True"))] };
        let greeting = Request::Greeting { host: name("imap.contoso.com"), port: 993, security: Security::Tls };
        vec![
            (
                LookupKind::Mx,
                Request::Mx { domain: domain() },
                Reply::Mx(vec![MxRecord { preference: 10, exchange: name("mx.contoso.com") }]),
            ),
            (LookupKind::Srv, Request::Srv { name: name("_imaps._tcp.contoso.com") }, Reply::Srv(vec![srv])),
            (
                LookupKind::Wildcard,
                Request::Addresses { name: name("nobody.contoso.com") },
                Reply::Addresses(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]),
            ),
            (
                LookupKind::Pacc,
                Request::Txt { name: name("_ua-auto-config.contoso.com") },
                Reply::Txt(vec![name("v=UAAC1"), name("\u{fc}")]),
            ),
            (
                LookupKind::OwnAutoconfig,
                Request::Get { url: url("mail/config-v1.1.xml"), address: Some(anna()) },
                document("text/xml", "<clientConfig version='1.1'/>"),
            ),
            (LookupKind::AutodiscoverMobilesync, http("m", Message::Mobilesync { address: anna() }), document("", "")),
            (LookupKind::AutodiscoverSoap, http("s", Message::UserSettings { addresses: vec![anna()] }), document("text/xml", "<x/>")),
            (LookupKind::Guess, greeting, Reply::Greeting(name("* OK ready"))),
            (LookupKind::AutodiscoverPox, Request::Redirect { url: name("http://autodiscover.contoso.com/") }, Reply::Redirect(url("x"))),
            (LookupKind::AutodiscoverPox, Request::Pox { url: url("y"), address: anna() }, Reply::Obstacle(required)),
            (LookupKind::BuiltIn, Request::BuiltIn { row: name("MSN") }, Reply::Obstacle(Obstacle::NotThere { status: 410 })),
        ]
    }

    fn answers(replies: Vec<(LookupKind, Request, Reply)>) -> Answers {
        let mut answers = Answers::default();
        for (kind, request, reply) in replies {
            answers.put(Lookup { kind, asked: request.asked(), request }, Arc::new(answer(reply)));
        }
        answers
    }

    fn stored(record: DossierRecord) -> Dossier {
        Dossier { run: RunId(1), at: 0, json: record.json, bodies: record.bodies.into_iter().collect() }
    }

    #[test]
    fn every_reply_comes_back_as_it_was() {
        let before = answers(replies());
        let kinds: HashSet<_> = replies().iter().map(|(_, _, reply)| discriminant(reply)).collect();
        assert_eq!(kinds.len(), 8, "one of each kind");
        let dossier = stored(record(&domain(), &before, Asked::Once).unwrap());
        let after = read(&dossier).unwrap();
        assert_eq!((after.is_whole, after.answers.wildcard, after.variants.len()), (Some(true), true, 0));
        assert_eq!(after.answers.readings.len(), before.readings.len());
        for lookup in &before.lookups {
            let [was, is] = [&before, &after.answers].map(|answers| answers.readings.get(&lookup.request).unwrap());
            assert_eq!((&*was.answer, was.outcome, &was.detail, &was.document), (&*is.answer, is.outcome, &is.detail, &is.document));
            assert!(after.answers.lookups.contains(lookup));
        }
        // and a second time nothing differs
        assert_eq!(record(&domain(), &after.answers, Asked::Once).unwrap().json, dossier.json);
    }

    #[test]
    fn the_list_of_before_is_read_too_and_says_nothing_of_each_mailbox() {
        let record = record(&domain(), &answers(replies()), Asked::OneByOne).unwrap();
        let mut dossier = stored(record);
        assert_eq!(read(&dossier).unwrap().is_whole, Some(false));
        let written: serde_json::Value = serde_json::from_str(&dossier.json).unwrap();
        dossier.json = written["answers"].to_string();
        let kept = read(&dossier).unwrap();
        assert_eq!((kept.is_whole, kept.answers.readings.len()), (None, replies().len()));
    }

    #[test]
    fn a_variant_is_what_its_mailboxes_were_told_instead() {
        let mx = |host: &str| {
            let record = MxRecord { preference: 0, exchange: host.into() };
            (LookupKind::Mx, Request::Mx { domain: domain() }, Reply::Mx(vec![record]))
        };
        let mut bodies = Bodies::new();
        let base = answers(vec![mx("one.example"), replies().remove(1)]);
        let written = Written {
            answers: write(&base, &mut bodies),
            variants: BTreeMap::from([("0123456789ab".to_owned(), write(&answers(vec![mx("two.example")]), &mut bodies))]),
            one_by_one: false,
        };
        let json = serde_json::to_string(&written).unwrap();
        assert_eq!(serde_json::from_str::<Written>(&json).unwrap(), written);
        let kept = read(&Dossier { run: RunId(1), at: 0, json, bodies: HashMap::new() }).unwrap();
        let told = |answers: &Answers| answers.readings.get(&Request::Mx { domain: domain() }).unwrap().detail.clone();
        let variant = &kept.variants["0123456789ab"];
        assert_eq!((told(&kept.answers), told(variant)), ("0 one.example".to_owned(), "0 two.example".to_owned()));
        assert_eq!(variant.readings.len(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_no_answer() {
        let mut dossier = stored(record(&domain(), &answers(replies()), Asked::Once).unwrap());
        let bodies = std::mem::take(&mut dossier.bodies);
        assert!(matches!(read(&dossier), Err(DossierError::Body(_))));
        (dossier.bodies, dossier.json) = (bodies, dossier.json.replace("\"greeting\"", "\"farewell\""));
        assert!(matches!(read(&dossier), Err(DossierError::Form(_))));
        assert_eq!(record(&domain(), &Answers::default(), Asked::Once).map(|record| record.json), None);
        assert_eq!(AnswerOutcome::Found.as_str(), serde_json::to_value(AnswerOutcome::Found).unwrap());
    }
}

//! What is said of an entry that is not what is known. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    super::dossier::hex,
    effect::{Effect, Many, Shift},
};
use crate::{
    model::{Account, Autoconfig, AutoconfigServer, Lookup, LookupKind, counted, grouped, visible},
    store::{EntryVersion, KeptEntry},
    wire,
};

/// An entry as it is known, and as it is.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) known: &'a KeptEntry,
    pub(super) now: &'a EntryVersion,
    /// When the difference was first seen, seconds since 1970.
    pub(super) since: i64,
}

impl Comparison<'_> {
    pub(super) fn account(&self, lookup: &Lookup, effect: &Effect) -> Account {
        let KeptEntry { version, first_seen_at, last_seen_at, .. } = self.known;
        let (from, to, since) = (instant(*first_seen_at), instant(*last_seen_at), instant(self.since));
        let was = |digits| format!("From {from} to {to} the entry was {}", in_words(version, digits));
        let is = |digits| format!("Since {since} it is {}", in_words(self.now, digits));
        Account {
            explanation: format!("{} {}. {}.", consequence(effect), was(DIGITS), is(DIGITS)),
            lookup: Some(LookupKind::Ispdb),
            asked: Some(lookup.asked.clone()),
            evidence: vec![was(usize::MAX), is(usize::MAX)],
            servers: Vec::new(),
            advice: Some(ADVICE.to_owned()),
        }
    }
}

/// Whom it would lead elsewhere, in a sentence or some.
fn consequence(effect: &Effect) -> String {
    let mut sentences = vec![match shifts(&effect.audited) {
        Some(shifts) => format!("If this lands, {shifts}."),
        None => "It changes the verdict of no client that is audited.".to_owned(),
    }];
    sentences.extend(shifts(&effect.at_risk).map(|shifts| format!("Beside that, for clients that nobody audits, {shifts}.")));
    if !effect.is_complete() {
        sentences.push(format!("Of {} it could not be told.", many(effect.untold)));
    }
    sentences.join(" ")
}

/// The largest first.
fn shifts(shifts: &BTreeMap<Shift, Many>) -> Option<String> {
    let mut sorted: Vec<(&Shift, &Many)> = shifts.iter().collect();
    sorted.sort_by_key(|(_, many)| std::cmp::Reverse(many.mailboxes));
    let in_words = |(Shift { client, before, now }, mailboxes): &(&Shift, &Many)| {
        let verb = if mailboxes.mailboxes == 1 { "changes" } else { "change" };
        format!("{} {verb} from {before} to {now} in {client}", many(**mailboxes))
    };
    let mut told: Vec<String> = sorted.iter().take(SHIFTS_TOLD).map(in_words).collect();
    if sorted.len() > SHIFTS_TOLD {
        told.push(format!("and {} like these", counted(sorted.len() - SHIFTS_TOLD, "change", "changes")));
    }
    (!told.is_empty()).then(|| told.join(", "))
}

/// `3,120 mailboxes in 12 domains`.
fn many(many: Many) -> String {
    let mailboxes = if many.mailboxes == 1 { "mailbox" } else { "mailboxes" };
    format!("{} {mailboxes} in {}", grouped(many.mailboxes), counted(many.domains, "domain", "domains"))
}

/// The servers of a version, and so many digits of its digest.
fn in_words(version: &EntryVersion, digits: usize) -> String {
    match version {
        EntryVersion::Absent => "none".to_owned(),
        EntryVersion::Document { content_type, digest, body } => {
            let digest: String = hex(digest).chars().take(digits).collect();
            let servers = wire::parse_autoconfig(body, content_type).map_or_else(|fault| fault.to_string(), |document| servers(&document));
            format!("{servers} (sha256 {digest})")
        }
    }
}

/// The id and the hosts; web addresses are left out, as hardly a client takes them, and they would hide the rest.
fn servers(document: &Autoconfig) -> String {
    let host = |server: &AutoconfigServer| {
        let port = server.port.as_ref().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{} {}{port}", server.kind.to_uppercase(), server.hostname.as_ref()?))
    };
    let hosts: Vec<String> = document.incoming.iter().chain(&document.outgoing).filter_map(host).take(HOSTS_TOLD).collect();
    let text = format!("{}: {}", document.provider_id.as_deref().unwrap_or("without id"), hosts.join(", "));
    visible(&text).chars().take(CHARACTERS).collect()
}

fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

const HOSTS_TOLD: usize = 8;
/// Of an entry's servers.
const CHARACTERS: usize = 300;
const SHIFTS_TOLD: usize = 3;
/// Enough of a digest to tell two versions apart, in a sentence.
const DIGITS: usize = 12;
const ADVICE: &str = "Ask whoever keeps the database whether this is meant. A domain with a config-v1.1.xml of its own does not depend on \
                      it. What is meant is taken as known with `incidents ack`, and in any case a week after this was opened.";

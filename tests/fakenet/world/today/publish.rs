//! What domains publish for clients to come.

use autodiscover_audit::model::{
    Cause,
    Protocol::{Imap, Jmap, Smtp},
};

use super::super::{
    builder::Builder,
    client::{JMAP, PACC},
    documents,
    expected::{EXO_PAIR, Servers, foreign, nothing, ok},
    shape::STANDARD,
};
use crate::fakenet::site::Act;

/// PACC: a document, and a TXT record that vouches for it.
pub fn pacc(world: &mut Builder) {
    let old = documents::pacc("imap.old-isp.example", "smtp.old-isp.example");
    world.domain("pacc-stale.example").exo_mx().outlook().pacc(&old).shape(STANDARD).by(&[PACC], foreign(Cause::PaccStale, OLD));
    let right = documents::pacc("outlook.office365.com", "smtp.office365.com");
    world.domain("pacc-right.example").exo_mx().outlook().pacc(&right).shape(STANDARD).by(&[PACC], ok(EXO_PAIR));
    // The record is for another document: no client may use this one.
    let record = "v=UAAC1; a=sha256; d=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let domain = world.domain("pacc-tampered.example").exo_mx().outlook().pacc_with(&old, record).shape(STANDARD);
    domain.by(&[PACC], nothing(Cause::UnusableDocument));
}

/// JMAP: Exchange Online has none.
pub fn jmap(world: &mut Builder) {
    let session = Act::json(documents::jmap_session("jmap.hoster.example"));
    world
        .domain("jmap-foreign.example")
        .exo_mx()
        .outlook()
        .jmap("jmap.hoster.example", session)
        .shape(STANDARD)
        .by(&[JMAP], foreign(Cause::JmapForeign, HOSTER_JMAP));
}

const OLD: Servers = (&[(Imap, "imap.old-isp.example")], &[(Smtp, "smtp.old-isp.example")]);
const HOSTER_JMAP: Servers = (&[(Jmap, "jmap.hoster.example")], &[]);

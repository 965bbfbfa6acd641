//! What domains publish for clients to come.

use super::super::{builder::Builder, documents, shape::STANDARD};
use crate::fakenet::site::Act;

/// PACC: a document, and a TXT record that vouches for it.
pub fn pacc(world: &mut Builder) {
    let old = documents::pacc("imap.old-isp.example", "smtp.old-isp.example");
    world.domain("pacc-stale.example").exo_mx().outlook().pacc(&old).shape(STANDARD);
    let right = documents::pacc("outlook.office365.com", "smtp.office365.com");
    world.domain("pacc-right.example").exo_mx().outlook().pacc(&right).shape(STANDARD);
    // The record is for another document: no client may use this one.
    let record = "v=UAAC1; a=sha256; d=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    world.domain("pacc-tampered.example").exo_mx().outlook().pacc_with(&old, record).shape(STANDARD);
}

/// JMAP: Exchange Online has none.
pub fn jmap(world: &mut Builder) {
    let session = Act::json(documents::jmap_session("jmap.hoster.example"));
    world.domain("jmap-foreign.example").exo_mx().outlook().jmap("jmap.hoster.example", session).shape(STANDARD);
}

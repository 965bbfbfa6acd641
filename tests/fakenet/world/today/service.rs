//! What Microsoft's services say that is odd.

use super::super::{builder::Builder, shape::STANDARD};
use crate::fakenet::microsoft::{Detected, Row};

/// `AutoDetect`: what the new Outlook is told.
pub fn detected(world: &mut Builder) {
    // A row of its provider database from before the move, as example.com had one from 2020 to 2026.
    let row = |protocol, host, port, encryption| Row { protocol, host, port, encryption };
    let rows = vec![row("imap", "imap.old-isp.example", 993, "ssl"), row("smtp", "smtp.old-isp.example", 587, "starttls")];
    let detected = Detected::Found { services: Vec::new(), rows };
    world.domain("detected-row.example").exo_mx().outlook().known_as(|tenancy| tenancy.detected = detected).shape(STANDARD);
}

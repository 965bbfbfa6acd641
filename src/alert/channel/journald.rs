//! The journal of systemd, by its native protocol (systemd's `JOURNAL_NATIVE_PROTOCOL.md`): one datagram an incident, with fields that others
//! can match. Works without a network. Names no mailbox.

use std::path::PathBuf;

use serde::Deserialize;
use tokio::net::UnixDatagram;

use super::{
    super::{
        budget::{Budget, Share},
        digest::{Digest, Item},
        fate::Attempt,
        lines,
        phrase::{capital, clip, plain},
    },
    Opening,
};
use crate::{
    alert::AlertError,
    model::{Change, Concern, Severity},
};

/// `kind = "journald"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournaldSettings {
    /// The journal's socket.
    pub socket: PathBuf,
}

impl Default for JournaldSettings {
    fn default() -> Self {
        Self { socket: "/run/systemd/journal/socket".into() }
    }
}

/// The journal.
#[derive(Clone)]
pub(super) struct Journald {
    socket: PathBuf,
}

impl Journald {
    pub(super) fn open(settings: &JournaldSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        if settings.socket.is_relative() {
            return Err(opening.wrong("socket", "is no whole path; begin it with `/`".to_owned()));
        }
        Ok(Self { socket: settings.socket.clone() })
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget) -> Attempt {
        let socket = match UnixDatagram::unbound() {
            Ok(socket) => socket,
            Err(error) => return Attempt::definite(format!("no socket for the journal can be made: {error}")),
        };
        for datagram in render(digest, budget) {
            if let Err(error) = socket.send_to(&datagram, &self.socket).await {
                return Attempt::definite(format!("the journal at {} cannot be reached: {error}", self.socket.display()));
            }
        }
        Attempt::Delivered
    }
}

/// A datagram an incident, and one for those that are left out.
pub(super) fn render(digest: &Digest<'_>, budget: Budget) -> Vec<Vec<u8>> {
    let shown = digest.items.iter().take(budget.items);
    let mut datagrams: Vec<Vec<u8>> = shown.map(|item| budget.fit(1, Vec::len, |share| entry(digest, item, share))).collect();
    if let Some(more) = lines::more(digest, budget.items) {
        let mut datagram = Vec::new();
        put(&mut datagram, "MESSAGE", &format!("{}: {more}", plain(&digest.notice.tenant_name)));
        put(&mut datagram, "PRIORITY", priority(digest.severity()));
        put(&mut datagram, "SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
        datagrams.push(datagram);
    }
    datagrams
}

fn entry(digest: &Digest<'_>, item: &Item<'_>, share: Share) -> Vec<u8> {
    let event = item.event;
    let sentence = if let Concern::Finding { mailbox: Some(_), domain, .. } = &event.concern {
        format!("one mailbox in {domain} has an incident of its own")
    } else {
        digest.sentence(item)
    };
    let test = if digest.is_test { "Test: " } else { "" };
    let message = format!("{test}{}: {}: {sentence}", digest.notice.tenant_name, item.story.words());
    let mut datagram = Vec::new();
    put(&mut datagram, "MESSAGE", &clip(&plain(&capital(&message)), share.text));
    let severity = if event.is_open && !digest.is_test { event.severity } else { Severity::Info };
    put(&mut datagram, "PRIORITY", priority(severity));
    put(&mut datagram, "MESSAGE_ID", message_id(&event.concern, event.is_open));
    put(&mut datagram, "SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"));
    for (name, value) in lines::parts(&event.concern) {
        put(&mut datagram, &format!("AUTODISCOVER_AUDIT_{}", name.to_ascii_uppercase()), &clip(&plain(value), share.text));
    }
    let changes: Vec<&str> = item.steps.iter().copied().map(Change::as_str).collect();
    for (name, value) in [
        ("NOTICE", digest.notice.id.clone()),
        ("INCIDENT", event.incident.to_string()),
        ("EVENT", event.id.to_string()),
        ("STORY", item.story.as_str().to_owned()),
        ("CHANGES", changes.join(",")),
        ("STATE", if event.is_open { "open" } else { "over" }.to_owned()),
        ("SEVERITY", event.severity.to_string()),
        ("AFFECTED", event.affected.to_string()),
        ("VERDICT", event.verdict.map(|verdict| verdict.to_string()).unwrap_or_default()),
        ("EXPLANATION", clip(&plain(&event.account.explanation), share.text)),
    ] {
        if !value.is_empty() {
            put(&mut datagram, &format!("AUTODISCOVER_AUDIT_{name}"), &value);
        }
    }
    datagram
}

/// `NAME=value`; a value with a line break has its length before it.
fn put(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

/// The levels of syslog (RFC 5424 section 6.2.1).
fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "6",
        Severity::Warning => "4",
        Severity::Error => "3",
        Severity::Critical => "2",
    }
}

/// One for each kind of entry, for `journalctl MESSAGE_ID=` and for catalogues.
fn message_id(concern: &Concern, is_open: bool) -> &'static str {
    match (concern, is_open) {
        (Concern::Finding { .. }, true) => "3e95d8dc7b2b43d89f5adc5fff281e4a",
        (Concern::Finding { .. }, false) => "6bd3c350faf54588959632ec6ce61cf2",
        (Concern::Outage, true) => "cebd11dd66b245d7a4cd0e0aade2fef3",
        (Concern::Outage, false) => "b55985e1aa454f7eb3ad0c06ddd90de0",
        (Concern::Run { .. }, true) => "103d0f5a36a04688b936edf9856049fd",
        (Concern::Run { .. }, false) => "a721a1a4a06e41c7b2a2f9c6222685ed",
        (Concern::Channel { .. }, true) => "c70fa5691ec3479084418cac12dc4dd5",
        (Concern::Channel { .. }, false) => "f30a6ff56d15407f8f3de41566bc573c",
        (Concern::Store, true) => "84c1f1b01e484f329c8d9e7b63022ae6",
        (Concern::Store, false) => "807257a68ffb4a0cac4afbd2f3d4b698",
        (Concern::Drift { .. }, true) => "0e612990aaef4219a0387875f5fa5e97",
        (Concern::Drift { .. }, false) => "3841ef7b49814aab9f25fa78cf0b5031",
    }
}

/// A datagram is taken whole below the socket's buffer of 208 KiB; entries are far smaller.
pub(super) const BUDGET: Budget = Budget { size: 48 * 1024, items: 1_000 };

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    fn fields(datagram: &[u8]) -> Vec<(String, String)> {
        let text = std::str::from_utf8(datagram).unwrap();
        text.lines().map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_entry_has_fields_that_others_can_match() {
        let (notice, wording) = (sample::notice(vec![sample::event(1, "contoso.com", Change::Opened, 12)]), sample::wording());
        let datagrams = render(&Digest::new(&notice, &wording), BUDGET);
        let fields = fields(&datagrams[0]);
        for (name, value) in [
            ("MESSAGE", "Contoso Ltd: new: 12 mailboxes in contoso.com would be led to the consumer service by Thunderbird"),
            ("PRIORITY", "3"),
            ("AUTODISCOVER_AUDIT_TENANT", "contoso"),
            ("AUTODISCOVER_AUDIT_CAUSE", "mx-base-domain"),
            ("AUTODISCOVER_AUDIT_AFFECTED", "12"),
            ("AUTODISCOVER_AUDIT_VERDICT", "consumer"),
        ] {
            assert!(fields.contains(&(name.to_owned(), value.to_owned())), "{name} in {fields:?}");
        }
    }

    #[test]
    fn a_value_of_several_lines_has_its_length_before_it() {
        let mut datagram = Vec::new();
        put(&mut datagram, "A", "x=y");
        put(&mut datagram, "B", "x\nPRIORITY=0");
        assert_eq!(datagram, b"A=x=y\nB\n\x0c\0\0\0\0\0\0\0x\nPRIORITY=0\n");
    }

    #[test]
    fn entries_are_small_and_few_for_any_number_of_items_and_name_no_mailbox() {
        let wording = sample::wording();
        for count in sample::CROWDS {
            let mut notice = sample::crowd(count);
            for event in &mut notice.events {
                if let Concern::Finding { mailbox, .. } = &mut event.concern {
                    *mailbox = Some("anna@contoso.com".into());
                }
            }
            let datagrams = render(&Digest::new(&notice, &wording), BUDGET);
            assert_eq!(datagrams.len(), (count as usize).min(1_000) + usize::from(count > 1_000));
            for datagram in datagrams {
                assert!(datagram.len() <= BUDGET.size);
                assert!(!String::from_utf8_lossy(&datagram).contains("anna"));
                fields(&datagram);
            }
        }
    }
}

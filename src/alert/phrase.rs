//! The words of notices: numbers, times, and what a concern means in one sentence. Pure. Words of `semantics.md`.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(super) use crate::model::grouped;
use crate::{
    clients::ClientTable,
    model::{Concern, Event, Numbers, Verdict},
};

/// What notices say beyond their events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wording {
    /// Names of mail clients for people, by their names in `clients.toml`.
    pub clients: BTreeMap<String, String>,
    /// Where people find the report; absent: notices have no link.
    pub report_url: Option<String>,
}

impl Wording {
    /// With the titles of a table of clients.
    #[must_use]
    pub fn new(clients: &ClientTable, report_url: Option<String>) -> Self {
        Self { clients: clients.iter().map(|client| (client.name.clone(), client.title.clone())).collect(), report_url }
    }

    /// A client's name for people.
    #[must_use]
    pub fn client<'a>(&'a self, name: &'a str) -> &'a str {
        self.clients.get(name).map_or(name, String::as_str)
    }

    /// One sentence on where an incident stands after an event, without a full stop.
    pub(super) fn sentence(&self, event: &Event, tenant_name: &str) -> String {
        match &event.concern {
            Concern::Finding { domain, client, mailbox, .. } => {
                let fate = fate(event.verdict, self.client(client));
                match (mailbox, event.is_open) {
                    (Some(mailbox), true) => format!("{mailbox} would be {fate}"),
                    (Some(mailbox), false) => format!("{mailbox} is no longer {fate}"),
                    (None, true) => format!("{} in {domain} would be {fate}", counted(event.affected, "mailbox", "mailboxes")),
                    (None, false) => format!("mailboxes in {domain} are no longer {fate}"),
                }
            }
            Concern::Outage if event.is_open => {
                "the audit itself cannot tell: most of its lookups failed, for reasons of its own".to_owned()
            }
            Concern::Outage => "the audit itself can tell again: its lookups are answered".to_owned(),
            Concern::Run { .. } if event.is_open => format!("the audit of {tenant_name} did not happen, or did not come to its end"),
            Concern::Run { .. } => format!("the audit of {tenant_name} came to its end again"),
            Concern::Channel { channel } if event.is_open => format!("the channel {channel} takes no notices"),
            Concern::Channel { channel } => format!("the channel {channel} takes notices again"),
            Concern::Store if event.is_open => "the audit's own database takes no more".to_owned(),
            Concern::Store => "the audit's own database takes what is found again".to_owned(),
            Concern::Drift { database, entry } if event.is_open => {
                let entry = format!("the entry {entry} of the ISP database {database} is not what it was");
                match event.affected {
                    0 => entry,
                    affected => format!("{entry}, and changes what {} would be set up with", counted(affected, "mailbox", "mailboxes")),
                }
            }
            Concern::Drift { database, entry } => format!("the entry {entry} of the ISP database {database} is what is known"),
        }
    }
}

/// What happens to a mailbox of a verdict, after "would be".
fn fate(verdict: Option<Verdict>, client: &str) -> String {
    match verdict {
        Some(Verdict::Consumer) => format!("led to the consumer service by {client}"),
        Some(Verdict::Foreign) => format!("led to servers of another provider by {client}"),
        Some(Verdict::WrongCloud) => format!("led to another Microsoft cloud by {client}"),
        Some(Verdict::Retired) => format!("led to servers that are switched off by {client}"),
        Some(Verdict::Insecure) => format!("made to send passwords in clear by {client}"),
        Some(Verdict::NotFound) => format!("left without settings by {client}"),
        Some(Verdict::Ok | Verdict::Undetermined) | None => format!("set up wrongly by {client}"),
    }
}

/// `1 mailbox`, `3,120 mailboxes`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// The four numbers of a tenant in a line.
pub(super) fn numbers(numbers: &Numbers) -> String {
    format!(
        "{} checked: {} ok, {} {} manual configuration, {} could not be told",
        counted(numbers.checked, "mailbox", "mailboxes"),
        grouped(numbers.ok),
        grouped(numbers.needs_manual),
        if numbers.needs_manual == 1 { "needs" } else { "need" },
        grouped(numbers.undetermined),
    )
}

/// Seconds since 1970 as RFC 3339, UTC.
pub(super) fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

/// A text that others may have a hand in, for one line: no control characters, none that turn the direction of writing, and the
/// placeholders of an address as dots.
pub(super) fn plain(text: &str) -> String {
    let shown = PLACEHOLDERS.iter().fold(text.to_owned(), |text, placeholder| text.replace(placeholder, "…"));
    shown
        .chars()
        .map(|character| match character {
            character if character.is_control() => ' ',
            '\u{2028}' | '\u{2029}' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// At most so many characters; what is cut ends in dots.
pub(super) fn clip(text: &str, characters: usize) -> String {
    if text.chars().nth(characters).is_none() {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(characters.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

const PLACEHOLDERS: [&str; 4] = ["%EMAILADDRESS:URL%", "%EMAILADDRESS%", "%EMAILLOCALPART%", "%EMAILDOMAIN%"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_one_is_no_plural() {
        for (number, text) in [(0, "0 mailboxes"), (1, "1 mailbox"), (999, "999 mailboxes"), (3_120, "3,120 mailboxes")] {
            assert_eq!(counted(number, "mailbox", "mailboxes"), text);
        }
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(instant(1_795_341_600), "2026-11-22T10:00:00Z");
        assert_eq!(
            super::numbers(&Numbers { checked: 9_800, ok: 6_599, needs_manual: 1, undetermined: 3_200 }),
            "9,800 mailboxes checked: 6,599 ok, 1 needs manual configuration, 3,200 could not be told"
        );
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(clip("größer", 6), "größer");
        assert_eq!(clip("größer", 4), "grö…");
        assert_eq!(clip("😀😀😀", 2), "😀…");
        assert_eq!(clip("abc", 0), "…");
        assert_eq!(capital("ärger"), "Ärger");
    }

    #[test]
    fn texts_of_others_steer_nothing() {
        assert_eq!(plain("a\r\nb\x1b[31m\u{202e}c"), "a  b [31m\u{fffd}c");
        assert_eq!(plain("https://x/?e=%EMAILADDRESS:URL%"), "https://x/?e=…");
    }
}

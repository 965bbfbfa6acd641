//! A notice in lines of plain text: what every format is made of. Pure.

use super::{
    budget::Share,
    digest::{Digest, Item},
    phrase::{capital, clip, counted, instant, numbers, plain},
};
use crate::model::{Change, Concern};

/// An item in words, each clipped.
pub(super) struct Lines {
    /// What happened, in a sentence without a full stop.
    pub(super) heading: String,
    /// Why, what it would be set up with, what was asked: a sentence or line each.
    pub(super) reasons: Vec<String>,
    /// What to do; absent where it is over.
    pub(super) advice: Option<String>,
    /// Since when, and what has happened meanwhile.
    pub(super) history: String,
}

/// An item in words.
pub(super) fn of(digest: &Digest<'_>, item: &Item<'_>, text: usize) -> Lines {
    let event = item.event;
    let account = &event.account;
    let line = |line: &str| clip(&plain(line), text);
    let mut reasons: Vec<String> = Vec::new();
    if !account.explanation.is_empty() {
        reasons.push(line(&account.explanation));
    }
    if !account.servers.is_empty() && event.is_open {
        reasons.push(line(&format!("Would be set up: {}", account.servers.join(", "))));
    }
    if let Some(asked) = &account.asked {
        reasons.push(line(&format!("Asked: {asked}")));
    }
    let again = if event.episode > 1 { format!(", the {} time", ordinal(event.episode)) } else { String::new() };
    let steps: Vec<&str> = item.steps.iter().map(|step| words(*step)).collect();
    let steps = if steps.len() > 1 { format!(" ({})", steps.join(", then ")) } else { String::new() };
    let history = format!("{}, since {}{again}{steps}", event.severity, instant(event.since));
    Lines {
        heading: line(&capital(&format!("{}: {}", item.story.words(), digest.sentence(item)))),
        reasons,
        advice: account.advice.as_ref().filter(|_| event.is_open).map(|advice| line(advice)),
        history: line(&history),
    }
}

/// What a line says of the items that are not shown.
pub(super) fn more(digest: &Digest<'_>, shown: usize) -> Option<String> {
    let left = u64::try_from(digest.items.len().saturating_sub(shown)).unwrap_or(u64::MAX);
    (left > 0).then(|| format!("… and {}", counted(left, "more incident", "more incidents")))
}

/// The headline, clipped.
pub(super) fn headline(digest: &Digest<'_>, share: Share) -> String {
    clip(&plain(&digest.headline()), share.text)
}

/// Whose it is; about us where it is nobody's.
pub(super) fn owner(digest: &Digest<'_>, share: Share) -> String {
    clip(&plain(&digest.notice.tenant_name), share.text)
}

/// The tenant's numbers, where there are some.
pub(super) fn summary(digest: &Digest<'_>) -> Option<String> {
    digest.notice.numbers.as_ref().map(numbers)
}

/// The whole notice as plain text; without the headline where that stands elsewhere.
pub(super) fn whole(digest: &Digest<'_>, share: Share, with_headline: bool) -> String {
    let mut blocks: Vec<String> = Vec::new();
    if with_headline {
        blocks.push(headline(digest, share));
    }
    blocks.extend(summary(digest));
    for item in digest.items.iter().take(share.items) {
        let lines = of(digest, item, share.text);
        let mut block = vec![lines.heading];
        block.extend(lines.reasons.into_iter().map(|reason| format!("  {reason}")));
        block.extend(lines.advice.map(|advice| format!("  To do: {advice}")));
        block.push(format!("  {}", capital(&lines.history)));
        blocks.push(block.join("\n"));
    }
    blocks.extend(more(digest, share.items));
    if let Some(url) = &digest.wording.report_url {
        blocks.push(format!("Report: {url}"));
    }
    blocks.join("\n\n")
}

/// What an item is about, as fields for machines, in this order.
pub(super) fn parts(concern: &Concern) -> Vec<(&'static str, &str)> {
    let mut parts = vec![("kind", concern.kind())];
    match concern {
        Concern::Finding { tenant, domain, client, cause, .. } => {
            parts.extend([("tenant", tenant.as_str()), ("domain", domain.as_str()), ("client", client), ("cause", cause.as_str())]);
        }
        Concern::Run { tenant } => parts.push(("tenant", tenant.as_str())),
        Concern::Channel { channel } => parts.push(("channel", channel)),
        Concern::Drift { database, entry } => parts.extend([("database", database.as_str()), ("entry", entry.as_str())]),
        Concern::Outage | Concern::Store => {}
    }
    parts
}

fn words(change: Change) -> &'static str {
    match change {
        Change::Opened => "opened",
        Change::Resolved => "resolved",
        Change::Changed => "changed",
        Change::Grown => "grown",
        Change::Reminder => "still open",
        Change::FlappingBegan => "coming and going",
        Change::FlappingEnded => "settled",
    }
}

fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{phrase::Wording, sample},
        *,
    };

    #[test]
    fn a_notice_reads_as_plain_text() {
        let mut again = sample::event(2, "fabrikam.com", Change::Resolved, 4);
        again.episode = 22;
        let events = vec![
            sample::event(1, "contoso.com", Change::Opened, 3_120),
            sample::event(2, "fabrikam.com", Change::Grown, 4),
            again,
            sample::event(3, "adatum.com", Change::Opened, 1),
        ];
        let (notice, wording) = (sample::notice(events), sample::wording());
        let digest = Digest::new(&notice, &wording);
        assert_eq!(
            whole(&digest, Share { items: 1, text: 600 }, true),
            "2 new findings, 1 resolved: 3,120 mailboxes in contoso.com would be led to the consumer service by Thunderbird\n\n\
             9,800 mailboxes checked: 6,600 ok, 3,120 need manual configuration, 80 could not be told\n\n\
             New: 3,120 mailboxes in contoso.com would be led to the consumer service by Thunderbird\n  \
             The MX contoso.com is reduced to outlook.com, whose entry names imap-mail.outlook.com, of the consumer service.\n  \
             Would be set up: IMAP imap-mail.outlook.com:993, SMTP smtp-mail.outlook.com:587\n  \
             Asked: https://autoconfig.thunderbird.net/v1.1/outlook.com\n  \
             To do: Publish the right config-v1.1.xml at https://autoconfig.contoso.com/mail/config-v1.1.xml.\n  \
             Error, since 2026-11-22T09:50:00Z\n\n\
             … and 2 more incidents\n\nReport: https://audit.contoso.com/"
        );
        let last = of(&digest, &digest.items[2], 600);
        assert_eq!(last.heading, "Resolved: mailboxes in fabrikam.com are no longer led to the consumer service by Thunderbird");
        assert_eq!(last.history, "error, since 2026-11-22T09:50:00Z, the 22nd time (grown, then resolved)");
        assert_eq!(last.advice, None);
    }

    #[test]
    fn what_is_about_us_says_so() {
        let (notice, wording) = (sample::notice(vec![sample::about_us(1, Concern::Outage, Change::Opened)]), Wording::default());
        let digest = Digest::new(&notice, &wording);
        let text = whole(&digest, Share { items: 9, text: 600 }, true);
        assert!(text.starts_with("The audit itself cannot tell"), "{text}");
        assert!(text.contains("Of 120 lookups, 118 failed."), "{text}");
    }

    #[test]
    fn what_has_drifted_is_told_with_whom_it_leads_elsewhere() {
        let mut notice = sample::notice(vec![sample::drift(1, Change::Opened, 3_120)]);
        (notice.tenant, notice.numbers) = (None, None);
        let wording = Wording::default();
        assert_eq!(
            whole(&Digest::new(&notice, &wording), Share { items: 9, text: 600 }, true),
            "The entry outlook.com of the ISP database live.thunderbird.net/autoconfig/v1.1 is not what it was, and changes what 3,120 \
             mailboxes would be set up with\n\n\
             New: the entry outlook.com of the ISP database live.thunderbird.net/autoconfig/v1.1 is not what it was, and changes what 3,120 \
             mailboxes would be set up with\n  \
             If this lands, 3,120 mailboxes in 12 domains change from ok to consumer in thunderbird. From \
             2026-11-01T09:50:00Z to 2026-11-21T09:50:00Z the entry was office365.com: SMTP smtp.office365.com:587 (sha256 6f1c1b2a3d4e). \
             Since 2026-11-22T09:50:00Z it is hotmail.com: SMTP smtp-mail.outlook.com:587 (sha256 0d7b1b2a3d4e).\n  \
             Asked: https://live.thunderbird.net/autoconfig/v1.1/outlook.com\n  \
             Critical, since 2026-11-22T09:50:00Z"
        );
    }

    #[test]
    fn ordinals() {
        let found: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].into_iter().map(ordinal).collect();
        assert_eq!(found, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    }
}

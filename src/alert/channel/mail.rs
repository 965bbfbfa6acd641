//! A notice as a mail: text and HTML, the report beside them. The same notice makes the same bytes. Threads by incident: every mail refers
//! to the identifiers of the incidents that it tells of, so that the end of one is shown under its beginning.

use std::time::{Duration, UNIX_EPOCH};

use lettre::{
    Message,
    message::{
        Attachment as Part, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use sha2::{Digest as _, Sha256};

use super::{
    super::{
        budget::{Budget, Share},
        digest::Digest,
        lines,
        phrase::{capital, clip, counted, grouped, plain},
    },
    Attachment, Terms,
};
use crate::model::Severity;

/// Who writes to whom.
#[derive(Debug, Clone)]
pub(super) struct Letterhead {
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    /// Bytes of an attachment at most.
    pub(super) attachment_limit: usize,
}

/// The mail; the error is that of a header or a part that cannot be.
pub(super) fn render(digest: &Digest<'_>, letterhead: &Letterhead, (budget, terms): (Budget, Terms<'_>)) -> Result<Message, String> {
    let host = letterhead.from.email.domain();
    let references: Vec<String> = digest
        .items
        .iter()
        .take(REFERENCES)
        .map(|item| format!("<incident-{}-{}-{}@{host}>", item.event.incident, item.event.episode, short_hash(&item.event.concern.key())))
        .collect();
    let created = u64::try_from(digest.notice.created_at).unwrap_or(0);
    let mut builder = Message::builder()
        .from(letterhead.from.clone())
        .subject(subject(digest))
        .message_id(Some(format!("<{}@{host}>", digest.notice.id)))
        .date(UNIX_EPOCH + Duration::from_secs(created));
    for to in &letterhead.to {
        builder = builder.to(to.clone());
    }
    if let Some(first) = references.first() {
        builder = builder.in_reply_to(first.clone()).references(references.join(" "));
    }
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")] {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    let attached = terms.attachment.filter(|attachment| attachment.bytes.len() <= letterhead.attachment_limit && !terms.is_small);
    let note = terms.attachment.and_then(|attachment| note(attachment, attached.is_some()));
    let (text, html) = budget.fit(
        digest.items.len(),
        |(text, html): &(String, String)| text.len() + html.len(),
        |share| (as_text(digest, share, note.as_deref()), as_html(digest, share, note.as_deref())),
    );
    let bodies = MultiPart::alternative()
        .boundary(boundary(digest, "bodies"))
        .singlepart(SinglePart::plain(text))
        .singlepart(SinglePart::html(html));
    let message = match attached {
        None => builder.multipart(bodies),
        Some(attachment) => {
            let kind = ContentType::parse(&attachment.content_type).map_err(|_| "the report's media type cannot be sent".to_owned())?;
            let part = Part::new(attachment.name.clone()).body(attachment.bytes.to_vec(), kind);
            builder.multipart(MultiPart::mixed().boundary(boundary(digest, "all")).multipart(bodies).singlepart(part))
        }
    };
    message.map_err(|error| format!("the mail cannot be made: {error}"))
}

fn subject(digest: &Digest<'_>) -> String {
    clip(&plain(&format!("[{}] {}", digest.notice.tenant_name, digest.headline())), SUBJECT)
}

fn note(attachment: &Attachment, is_attached: bool) -> Option<String> {
    let size = u64::try_from(attachment.bytes.len()).unwrap_or(u64::MAX);
    let (size, more) = if attachment.bytes.len() > Attachment::MOST { (Attachment::MOST as u64, "more than ") } else { (size, "") };
    (!is_attached).then(|| format!("The report ({more}{}) is too large to be attached.", counted(size, "byte", "bytes")))
}

/// The same for one notice, unlike any line of a text.
fn boundary(digest: &Digest<'_>, part: &str) -> String {
    format!("=_{part}_{}", short_hash(&digest.notice.id))
}

fn short_hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes())).chars().take(16).collect()
}

fn as_text(digest: &Digest<'_>, share: Share, note: Option<&str>) -> String {
    let text = lines::whole(digest, share, true);
    note.map_or_else(|| format!("{text}\n"), |note| format!("{text}\n\n{note}\n"))
}

fn as_html(digest: &Digest<'_>, share: Share, note: Option<&str>) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>\n", escape(text));
    let mut html = vec![format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n<body style=\"font-family:sans-serif;font-size:14px\">\n\
         <h2 style=\"font-size:18px;color:{}\">{}</h2>\n",
        colour(digest),
        escape(&lines::headline(digest, share)),
    )];
    html.extend(lines::summary(digest).as_deref().map(paragraph));
    let counts: Vec<String> = digest.counts().into_iter().map(|(story, number)| format!("{} {}", grouped(number), story.words())).collect();
    html.push(paragraph(&counts.join(" · ")));
    for item in digest.items.iter().take(share.items) {
        let lines = lines::of(digest, item, share.text);
        let advice = lines.advice.map(|advice| format!("To do: {advice}"));
        let texts: Vec<String> =
            lines.reasons.into_iter().chain(advice).chain([capital(&lines.history)]).map(|line| escape(&line)).collect();
        html.push(format!("<h3 style=\"font-size:15px\">{}</h3>\n<p>{}</p>\n", escape(&lines.heading), texts.join("<br>\n")));
    }
    html.extend(lines::more(digest, share.items).as_deref().into_iter().chain(note).map(paragraph));
    html.extend(digest.wording.report_url.as_ref().map(|url| format!("<p><a href=\"{}\">Report</a></p>\n", escape(url))));
    html.push("</body></html>\n".to_owned());
    html.concat()
}

fn colour(digest: &Digest<'_>) -> &'static str {
    match digest.severity() {
        _ if digest.is_over() => "#1a7f37",
        Severity::Info => "#0969da",
        Severity::Warning => "#9a6700",
        Severity::Error | Severity::Critical => "#cf222e",
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// Both bodies together.
pub(super) const BUDGET: Budget = Budget { size: 400_000, items: 200 };
/// Characters of a subject.
const SUBJECT: usize = 200;
/// Incidents that a mail refers to.
const REFERENCES: usize = 20;

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};
    use crate::model::{Change, Notice};

    fn letterhead() -> Letterhead {
        Letterhead {
            from: "Audit <audit@contoso.com>".parse().unwrap(),
            to: vec!["ops@contoso.com".parse().unwrap()],
            attachment_limit: 1_000,
        }
    }

    fn mail(notice: &Notice, attachment: Option<&Attachment>) -> String {
        let wording = sample::wording();
        let terms = Terms { now: 0, is_small: false, attachment };
        let message = render(&Digest::new(notice, &wording), &letterhead(), (BUDGET, terms)).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    fn report(size: usize) -> Attachment {
        Attachment { name: "contoso.csv".into(), content_type: "text/csv; charset=utf-8".into(), bytes: vec![b'x'; size].into() }
    }

    #[test]
    fn the_end_of_an_incident_is_in_the_thread_of_its_beginning() {
        let opened = mail(&sample::notice(vec![sample::event(1, "contoso.com", Change::Opened, 12)]), None);
        let resolved = mail(&sample::notice(vec![sample::event(1, "contoso.com", Change::Resolved, 12)]), None);
        let header = |mail: &str, name: &str| mail.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap();
        assert_eq!(header(&opened, "In-Reply-To:"), header(&resolved, "In-Reply-To:"));
        assert!(header(&opened, "References:").contains("<incident-1-1-"));
        assert_eq!(header(&opened, "Message-ID:"), "Message-ID: <01j9zw3v5m@contoso.com>");
        assert_eq!(header(&opened, "Auto-Submitted:"), "Auto-Submitted: auto-generated");
        assert_eq!(header(&opened, "Date:"), "Date: Sun, 22 Nov 2026 10:01:00 +0000");
    }

    #[test]
    fn the_same_notice_makes_the_same_bytes() {
        let notice = sample::crowd(10);
        assert_eq!(mail(&notice, Some(&report(100))), mail(&notice, Some(&report(100))));
    }

    #[test]
    fn a_report_over_the_cap_is_named_and_not_attached() {
        let notice = sample::notice(vec![sample::event(1, "contoso.com", Change::Opened, 12)]);
        let with = mail(&notice, Some(&report(1_000)));
        assert!(with.contains("filename=\"contoso.csv\"") && !with.contains("too large"), "{with}");
        let without = mail(&notice, Some(&report(1_001)));
        assert!(!without.contains("contoso.csv") && without.contains("The report (1,001 bytes) is too large"), "{without}");
        // it was cut there
        let beyond = mail(&notice, Some(&report(Attachment::MOST + 1)));
        assert!(beyond.contains("The report (more than 20,000,000 bytes) is too large"), "{beyond}");
    }

    #[test]
    fn a_mail_is_under_its_budget_for_any_number_of_items_and_holds_no_markup_of_others() {
        for count in sample::CROWDS {
            let mail = mail(&sample::crowd(count), None);
            // what is no ASCII takes up to three bytes each in quoted-printable, or a third more in base64
            assert!(mail.len() < 3 * BUDGET.size + 10_000, "{count}: {}", mail.len());
            let html = mail.split("Content-Type: text/html").nth(1).unwrap();
            assert!(!html.contains("<script>"));
            assert!(mail.lines().all(|line| line.len() <= 998));
        }
    }
}

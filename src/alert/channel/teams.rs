//! Microsoft Teams through Workflows (Power Automate, "When a Teams webhook request is received"): an Adaptive Card 1.4 in the envelope of
//! the connectors. Microsoft counts its 28,672 bytes after encoding the card anew (msteams-docs issue 11274: 24,453 bytes sent were 28,897),
//! so the budget is 18,000 with every other character than ASCII written as an escape. 202 says only that the flow was started.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        budget::{Budget, Share},
        digest::Digest,
        fate::Attempt,
        lines,
        phrase::{capital, grouped, instant},
    },
    Opening,
    post::{Heard, Post},
};
use crate::{
    alert::{AlertError, SecretSource},
    model::Severity,
    network::OutboundSettings,
};

/// `kind = "teams"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamsSettings {
    /// The URL that the flow shows; whoever has it can write to the channel.
    pub url: SecretSource,
    /// Take only 200 for delivered: for a flow that ends with a Response action, which tells that the card was posted. Without such an
    /// action Teams answers 202 before it tries.
    #[serde(default)]
    pub require_ok: bool,
    /// How it is reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

/// A flow of Power Automate.
#[derive(Clone)]
pub(super) struct Teams {
    post: Post,
    require_ok: bool,
}

impl Teams {
    pub(super) fn open(settings: &TeamsSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        Ok(Self { post: Post::to_secret(opening, &settings.url, &settings.http)?, require_ok: settings.require_ok })
    }

    pub(super) fn warning(&self) -> Option<String> {
        let host = self.post.host();
        let is_retired = host == "webhook.office.com" || host.ends_with(".webhook.office.com") || host == "outlook.office.com";
        is_retired.then(|| {
            format!("{host} belongs to the connectors of Microsoft 365, which are retired; make a flow of Workflows and take its URL")
        })
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget) -> Attempt {
        match self.post.send_json(&render(digest, budget)).await {
            Heard::Answer { status, body, attempt: Attempt::Delivered } => self.judge(status, &body),
            heard => heard.attempt(),
        }
    }

    /// A success may hide a failure in its body, as the connectors did ("Webhook message delivery failed with error: Microsoft Teams endpoint
    /// returned HTTP error 429").
    fn judge(&self, status: u16, body: &[u8]) -> Attempt {
        let text = String::from_utf8_lossy(body).to_lowercase();
        let said = self.post.excerpt(body);
        if TOO_LARGE.iter().any(|known| text.contains(known)) {
            return Attempt::Unacceptable { reason: format!("the channel answered {status}, and that the card is too large: {said}") };
        }
        if FAILED.iter().any(|known| text.contains(known)) {
            return Attempt::definite(format!("the channel answered {status}, and that delivery failed: {said}"));
        }
        if self.require_ok && status != 200 {
            let reason = format!("the channel answered {status}, not 200: its flow has no Response action, or did not reach it");
            return Attempt::Refused { reason };
        }
        Attempt::Delivered
    }
}

pub(super) fn render(digest: &Digest<'_>, budget: Budget) -> Value {
    budget.fit(digest.items.len(), escaped_size, |share| card(digest, share))
}

fn card(digest: &Digest<'_>, share: Share) -> Value {
    let headline = lines::headline(digest, share);
    let mut body = vec![json!({
        "type": "TextBlock", "text": escape(&headline), "weight": "Bolder", "size": "Medium", "wrap": true, "style": "heading",
        "color": colour(digest),
    })];
    let mut facts = vec![json!({"title": "About", "value": escape(&lines::owner(digest, share))})];
    facts.extend(digest.counts().into_iter().map(|(story, number)| json!({"title": capital(story.words()), "value": grouped(number)})));
    if let Some(numbers) = lines::summary(digest) {
        facts.push(json!({"title": "In all", "value": numbers}));
    }
    facts.push(json!({"title": "Time", "value": instant(digest.at())}));
    body.push(json!({"type": "FactSet", "facts": facts}));
    for item in digest.items.iter().take(share.items) {
        let lines = lines::of(digest, item, share.text);
        let detail: Vec<String> = lines
            .reasons
            .into_iter()
            .chain(lines.advice.map(|advice| format!("To do: {advice}")))
            .chain([capital(&lines.history)])
            .collect();
        body.push(json!({
            "type": "Container", "separator": true, "items": [
                {"type": "TextBlock", "text": escape(&lines.heading), "weight": "Bolder", "wrap": true},
                {"type": "TextBlock", "text": detail.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n\n"), "wrap": true, "isSubtle": true},
            ],
        }));
    }
    if let Some(more) = lines::more(digest, share.items) {
        body.push(json!({"type": "TextBlock", "text": more, "wrap": true, "separator": true}));
    }
    let mut content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "fallbackText": headline, "msteams": {"width": "Full"}, "body": body,
    });
    if let (Some(url), Some(content)) = (&digest.wording.report_url, content.as_object_mut()) {
        content.insert("actions".into(), json!([{"type": "Action.OpenUrl", "title": "Report", "url": url}]));
    }
    json!({
        "type": "message", "summary": headline,
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": content}],
    })
}

fn colour(digest: &Digest<'_>) -> &'static str {
    match digest.severity() {
        _ if digest.is_over() => "Good",
        Severity::Info => "Accent",
        Severity::Warning => "Warning",
        Severity::Error | Severity::Critical => "Attention",
    }
}

/// As text that Markdown leaves alone. A host, a path or a mailbox may hold any of these.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let starts_a_list = at == 0 && matches!(character, '-' | '+' | '#' | '>');
        if starts_a_list || matches!(character, '\\' | '*' | '_' | '[' | ']' | '~' | '`' | '<') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Bytes of the JSON where every character but ASCII is an escape (`\u00e4`, two of them beyond the first plane).
fn escaped_size(value: &Value) -> usize {
    value.to_string().chars().map(|character| if character.is_ascii() { 1 } else { 6 * character.len_utf16() }).sum()
}

/// What a card may weigh.
pub(super) const BUDGET: Budget = Budget { size: 18_000, items: 30 };
const TOO_LARGE: [&str; 3] = ["http error 413", "request entity too large", "message size too large"];
const FAILED: [&str; 4] = ["delivery failed", "returned http error", "summary or text is required", "bad payload received"];

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};
    use crate::{alert::Wording, model::Change};

    #[test]
    fn a_card_is_under_its_budget_for_any_number_of_items() {
        let wording = sample::wording();
        for count in sample::CROWDS {
            let notice = sample::crowd(count);
            let digest = Digest::new(&notice, &wording);
            for budget in [BUDGET, BUDGET.halved()] {
                let card = render(&digest, budget);
                assert!(escaped_size(&card) <= budget.size, "{count}: {}", escaped_size(&card));
                let body = card["attachments"][0]["content"]["body"].as_array().unwrap();
                assert!(body.len() >= 2 + usize::from(count > 0), "{count}: {} blocks", body.len());
                let says_more = card.to_string().contains("more incident");
                assert_eq!(says_more, body.len() - 2 - usize::from(says_more) < count as usize, "{count}");
            }
        }
    }

    #[test]
    fn a_card_has_what_teams_shows() {
        let (notice, wording) = (sample::notice(vec![sample::event(1, "contoso.com", Change::Opened, 12)]), sample::wording());
        let card = render(&Digest::new(&notice, &wording), BUDGET);
        let content = &card["attachments"][0]["content"];
        assert_eq!(
            (&content["version"], &content["msteams"]["width"], &content["body"][0]["color"]),
            (&json!("1.4"), &json!("Full"), &json!("Attention"))
        );
        assert_eq!(content["actions"][0]["url"], "https://audit.contoso.com/");
        assert_eq!(content["fallbackText"], card["summary"]);
        let wording = Wording::default();
        assert!(render(&Digest::new(&notice, &wording), BUDGET)["attachments"][0]["content"].get("actions").is_none());
    }

    #[test]
    fn markdown_of_others_stays_text() {
        for (text, escaped) in [
            ("a_b*c", "a\\_b\\*c"),
            ("[x](https://evil.example)", "\\[x\\](https://evil.example)"),
            ("# x", "\\# x"),
            ("- x - y", "\\- x - y"),
            ("<at>x</at>", "\\<at>x\\</at>"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }

    #[test]
    fn what_every_character_may_become_is_counted() {
        assert_eq!(escaped_size(&json!("aä😀")), 2 + 1 + 6 + 12);
    }
}

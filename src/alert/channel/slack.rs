//! Slack's incoming webhooks: blocks, and a text for notifications. Slack documents 40,000 characters and refuses messages from about
//! 13,200 (bolt-js issue 2509), so the budget is 10,000 in all; 50 blocks, 3,000 characters a section.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::{
        budget::{Budget, Share},
        digest::Digest,
        fate::Attempt,
        lines,
        phrase::{capital, clip, instant},
    },
    Opening,
    post::Post,
};
use crate::{
    alert::{AlertError, SecretSource},
    model::Severity,
    network::OutboundSettings,
};

/// `kind = "slack"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackSettings {
    /// The URL of the incoming webhook; whoever has it can write to the channel.
    pub url: SecretSource,
    /// How it is reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

/// An incoming webhook.
#[derive(Clone)]
pub(super) struct Slack {
    post: Post,
}

impl Slack {
    pub(super) fn open(settings: &SlackSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        Ok(Self { post: Post::to_secret(opening, &settings.url, &settings.http)? })
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget) -> Attempt {
        self.post.send_json(&render(digest, budget)).await.attempt()
    }
}

pub(super) fn render(digest: &Digest<'_>, budget: Budget) -> Value {
    budget.fit(digest.items.len(), |message: &Value| message.to_string().chars().count(), |share| message(digest, share))
}

fn message(digest: &Digest<'_>, share: Share) -> Value {
    let headline = lines::headline(digest, share);
    let about = format!("{} *{}*", mark(digest), escape(&headline));
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": clip(&lines::owner(digest, share), HEADER)}}),
        section(&about),
    ];
    if let Some(numbers) = lines::summary(digest) {
        blocks.push(section(&escape(&numbers)));
    }
    for item in digest.items.iter().take(share.items) {
        let lines = lines::of(digest, item, share.text);
        let advice = lines.advice.map(|advice| format!("To do: {advice}"));
        let rest = lines.reasons.into_iter().chain(advice).chain([capital(&lines.history)]).map(|line| escape(&line));
        let text: Vec<String> = std::iter::once(format!("*{}*", escape(&lines.heading))).chain(rest).collect();
        blocks.push(section(&text.join("\n")));
    }
    if let Some(more) = lines::more(digest, share.items) {
        blocks.push(section(&more));
    }
    let link = digest.wording.report_url.as_ref().map(|url| format!(" · <{}|Report>", escape(url))).unwrap_or_default();
    let footer = format!("{}{link}", instant(digest.at()));
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": footer}]}));
    json!({"text": escape(&headline), "blocks": blocks})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": clip(text, SECTION), "verbatim": true}})
}

fn mark(digest: &Digest<'_>) -> &'static str {
    match digest.severity() {
        _ if digest.is_over() => ":white_check_mark:",
        Severity::Info => ":information_source:",
        Severity::Warning => ":warning:",
        Severity::Error | Severity::Critical => ":red_circle:",
    }
}

/// Slack's three control characters: without them nothing is a link, and nobody is called.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What a message may weigh, in characters. Blocks beside items: header, headline, numbers, "more", footer.
pub(super) const BUDGET: Budget = Budget { size: 10_000, items: 45 };
/// Characters of a header.
const HEADER: usize = 150;
/// Characters of a section.
const SECTION: usize = 3_000;

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};
    use crate::model::Change;

    #[test]
    fn a_message_is_under_its_limits_for_any_number_of_items() {
        let wording = sample::wording();
        for count in sample::CROWDS {
            let notice = sample::crowd(count);
            let digest = Digest::new(&notice, &wording);
            for budget in [BUDGET, BUDGET.halved()] {
                let message = render(&digest, budget);
                assert!(message.to_string().chars().count() <= budget.size, "{count}");
                let blocks = message["blocks"].as_array().unwrap();
                assert!(blocks.len() <= 50 && blocks.len() >= 4 + usize::from(count > 0), "{count}: {}", blocks.len());
                for block in blocks {
                    assert!(block["text"]["text"].as_str().unwrap_or_default().chars().count() <= SECTION);
                }
            }
        }
    }

    #[test]
    fn nobody_is_called_by_a_text_of_others() {
        let mut event = sample::event(1, "contoso.com", Change::Opened, 12);
        event.account.explanation = "<!channel> & <https://evil.example|click>".into();
        let (notice, wording) = (sample::notice(vec![event]), sample::wording());
        let text = render(&Digest::new(&notice, &wording), BUDGET).to_string();
        assert!(text.contains("&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"), "{text}");
        assert!(text.contains("<https://audit.contoso.com/|Report>"));
    }
}

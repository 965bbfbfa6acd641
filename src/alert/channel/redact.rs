//! What a channel says back, fit for a log: short, one line, and without the secrets that it may repeat.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::super::phrase::{clip, plain};

/// The secrets of one channel, and all parts of them that tell them.
#[derive(Clone, Default)]
pub(super) struct Redactor(Vec<SecretString>);

impl Redactor {
    /// Hides a token, key or password.
    pub(super) fn hide(&mut self, secret: &SecretString) {
        self.hide_text(secret.expose_secret().trim());
        // `Authorization: Bearer TOKEN`
        for word in secret.expose_secret().split_whitespace() {
            self.hide_text(word);
        }
    }

    /// Hides a URL but for its scheme and host: path, query, and each part of them.
    pub(super) fn hide_url(&mut self, url: &SecretString) {
        let text = url.expose_secret().trim();
        self.hide_text(text);
        let Ok(url) = Url::parse(text) else { return };
        let query = url.query().unwrap_or_default();
        self.hide_text(&format!("{}?{query}", url.path()));
        for part in [url.path(), query, url.username(), url.password().unwrap_or_default()] {
            self.hide_text(part);
        }
        for part in url.path().split('/').chain(query.split(['&', '='])) {
            self.hide_text(part);
        }
        for (_, value) in url.query_pairs() {
            self.hide_text(&value);
        }
    }

    fn hide_text(&mut self, text: &str) {
        if text.len() >= LEAST {
            self.0.push(text.into());
            // the longest first, so that no tail of one is left
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        }
    }

    /// The beginning of a body, or of another text of theirs.
    pub(super) fn excerpt(&self, body: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in &self.0 {
            text = text.replace(secret.expose_secret(), HIDDEN);
        }
        let words: Vec<String> = plain(&text).split_whitespace().map(str::to_owned).collect();
        clip(&words.join(" "), EXCERPT)
    }
}

const HIDDEN: &str = "[secret]";
/// Characters that an error shows.
const EXCERPT: usize = 200;
/// Shorter texts are no secrets, and would leave holes everywhere.
const LEAST: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_channel_repeats_is_hidden() {
        let mut redactor = Redactor::default();
        redactor.hide_url(&"https://hooks.contoso.com/services/T00000000/B00000000/sesame123?sig=open%2Bsesame&v=1".into());
        redactor.hide(&"Bearer token-of-ours".into());
        for said in [
            "no such hook: https://hooks.contoso.com/services/T00000000/B00000000/sesame123?sig=open%2Bsesame&v=1",
            "POST /services/T00000000/B00000000/sesame123 failed",
            "unknown token sesame123",
            "signature open+sesame is wrong",
            "signature open%2Bsesame is wrong",
            "authorization: Bearer token-of-ours; token token-of-ours",
        ] {
            let shown = redactor.excerpt(said.as_bytes());
            for secret in ["sesame", "T00000000", "token-of-ours"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        let shown = Redactor::default().excerpt("a\r\n\tb \x1b[31m\u{0}".repeat(100).as_bytes());
        assert_eq!(shown.chars().count(), 200);
        assert!(!shown.contains(char::is_control), "{shown}");
        assert_eq!(Redactor::default().excerpt(&[0xff, b'x']), "\u{fffd}x");
    }
}

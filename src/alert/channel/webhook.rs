//! The generic webhook, signed by Standard Webhooks 1.0.0: `webhook-id` is the same on every attempt, `webhook-timestamp` is the attempt's
//! own, `webhook-signature` has an entry for each secret, so that secrets can be changed without a gap.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretBox};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{
    super::{
        budget::{Budget, Share},
        digest::Digest,
        fate::Attempt,
        phrase::instant,
    },
    Opening, document,
    post::Post,
};
use crate::{
    alert::{AlertError, MaybeSecret, SecretSource},
    network::OutboundSettings,
};

/// `kind = "webhook"`. The body is `{type, timestamp, data}`; `data` is described by `deploy/notice.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Where to: a URL, or the place of one that is secret.
    pub url: MaybeSecret,
    /// Secrets that sign, `whsec_` and 24 to 64 bytes in base64, at least one; the receiver takes either of two while they are changed.
    pub secrets: Vec<SecretSource>,
    /// Further headers, such as `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, MaybeSecret>,
    /// How it is reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

/// A receiver of Standard Webhooks.
#[derive(Clone)]
pub(super) struct Webhook {
    post: Post,
    keys: std::sync::Arc<Vec<SecretBox<Vec<u8>>>>,
}

impl Webhook {
    pub(super) fn open(settings: &WebhookSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        let mut post = Post::to(opening, &settings.url, &settings.http)?;
        for (name, value) in &settings.headers {
            post = post.with_header(name, &opening.maybe_secret("headers", value)?);
        }
        let mut keys = Vec::new();
        for source in &settings.secrets {
            let secret = opening.secret("secrets", source)?;
            keys.push(read_key(secret.expose_secret()).ok_or_else(|| {
                opening.wrong(
                    "secrets",
                    format!("{source} is not `whsec_` with 24 to 64 bytes in base64; make one with `openssl rand -base64 32`"),
                )
            })?);
            post = post.hiding(&secret);
        }
        if keys.is_empty() {
            return Err(opening.wrong("secrets", "names no secret; name one at least".to_owned()));
        }
        Ok(Self { post, keys: keys.into() })
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget, now: i64) -> Attempt {
        let id = &digest.notice.id;
        let body = render(digest, budget).to_string();
        let signature: Vec<String> = self.keys.iter().filter_map(|key| sign(key.expose_secret(), id, now, &body)).collect();
        let headers = [
            ("Content-Type", "application/json".to_owned()),
            ("webhook-id", id.clone()),
            ("webhook-timestamp", now.to_string()),
            ("webhook-signature", signature.join(" ")),
            ("Idempotency-Key", id.clone()),
        ];
        self.post.send(&headers, body.into_bytes()).await.attempt()
    }
}

/// The key of a secret: 24 to 64 bytes, in base64 after `whsec_`.
fn read_key(secret: &str) -> Option<SecretBox<Vec<u8>>> {
    let key = STANDARD.decode(secret.trim().strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&key.len()).then(|| SecretBox::new(Box::new(key)))
}

/// `v1,` and the HMAC-SHA256 of `id.timestamp.body`.
fn sign(key: &[u8], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

pub(super) fn render(digest: &Digest<'_>, budget: Budget) -> Value {
    budget.fit(digest.items.len(), |body: &Value| body.to_string().len(), |share| body(digest, share))
}

fn body(digest: &Digest<'_>, share: Share) -> Value {
    let kind = if digest.is_test { "notice.test" } else { "notice" };
    json!({"type": kind, "timestamp": instant(digest.notice.created_at), "data": document::notice(digest, share)})
}

/// Standard Webhooks recommends less than 20 KB.
pub(super) const BUDGET: Budget = Budget { size: 20_000, items: 100 };

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};

    #[test]
    fn a_body_is_under_its_budget_for_any_number_of_items() {
        let wording = sample::wording();
        for count in sample::CROWDS {
            let notice = sample::crowd(count);
            let digest = Digest::new(&notice, &wording);
            for budget in [BUDGET, BUDGET.halved()] {
                let body = render(&digest, budget);
                assert!(body.to_string().len() <= budget.size, "{count}");
                let shown = body["data"]["incidents"].as_array().unwrap().len();
                assert!(shown >= usize::from(count > 0));
                assert_eq!(body["data"]["incidents_left_out"], count as usize - shown);
            }
        }
    }

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // the example of the Standard Webhooks specification's reference libraries
        let key = read_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(key.expose_secret(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_are_of_the_standards_form() {
        let of_bytes = |count| format!("whsec_{}", STANDARD.encode(vec![7_u8; count]));
        for (secret, is_fine) in [
            (of_bytes(24), true),
            (of_bytes(64), true),
            (format!("{}\n", of_bytes(32)), true),
            (of_bytes(23), false),
            (of_bytes(65), false),
            (STANDARD.encode([7_u8; 32]), false),
            ("whsec_???".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(read_key(&secret).is_some(), is_fine, "{secret}");
        }
    }
}

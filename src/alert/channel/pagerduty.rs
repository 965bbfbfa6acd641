//! PagerDuty, Events API v2. Speaks of groups (`Concern::group_key`): an alert stands for a tenant's findings of one client and cause, and
//! is resolved when none of them is open. The key by which PagerDuty knows an alert is ours, so every attempt may be repeated.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    super::{
        budget::{Budget, Share},
        digest::{Digest, Group},
        fate::Attempt,
        lines,
        phrase::{capital, clip, counted, instant, plain},
    },
    Opening, document,
    post::Post,
};
use crate::{
    alert::{AlertError, SecretSource},
    model::{Concern, Severity},
    network::OutboundSettings,
};

/// `kind = "pagerduty"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerdutySettings {
    /// The integration key of an Events API v2 integration: 32 characters.
    pub routing_key: SecretSource,
    /// The service region of the account: `us` or `eu`.
    #[serde(default)]
    pub region: Region,
    /// How it is reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

/// A service region of PagerDuty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// events.pagerduty.com.
    #[default]
    Us,
    /// events.eu.pagerduty.com.
    Eu,
}

impl Region {
    fn url(self) -> &'static str {
        match self {
            Self::Us => "https://events.pagerduty.com/v2/enqueue",
            Self::Eu => "https://events.eu.pagerduty.com/v2/enqueue",
        }
    }
}

/// An integration of PagerDuty.
#[derive(Clone)]
pub(super) struct Pagerduty {
    post: Post,
    routing_key: secrecy::SecretString,
}

impl Pagerduty {
    pub(super) fn open(settings: &PagerdutySettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        let routing_key = opening.secret("routing_key", &settings.routing_key)?;
        let post = Post::new(opening, settings.region.url().into(), &settings.http)?.hiding(&routing_key);
        Ok(Self { post, routing_key })
    }

    /// Sends an event a group, in order, and stops at the first that does not go through: all of them are sent again then, which changes
    /// nothing about those that were taken.
    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget) -> Attempt {
        for mut event in render(digest, budget) {
            if let Some(fields) = event.as_object_mut() {
                let key = secrecy::ExposeSecret::expose_secret(&self.routing_key).trim();
                fields.insert("routing_key".into(), key.into());
            }
            let attempt = self.post.send_json(&event).await.attempt();
            if attempt != Attempt::Delivered {
                return attempt;
            }
        }
        Attempt::Delivered
    }
}

/// The events of a notice, without the key.
pub(super) fn render(digest: &Digest<'_>, budget: Budget) -> Vec<Value> {
    let groups = digest.groups();
    if digest.is_test {
        // an alert that is over at once
        let trigger = groups.iter().map(|group| trigger(digest, group, budget));
        return trigger.chain(groups.iter().map(|group| resolve(digest, group))).collect();
    }
    let event = |group| if group_is_open(group) { trigger(digest, group, budget) } else { resolve(digest, group) };
    groups.iter().map(event).collect()
}

fn group_is_open(group: &Group<'_>) -> bool {
    group.open > 0
}

fn resolve(digest: &Digest<'_>, group: &Group<'_>) -> Value {
    json!({"event_action": "resolve", "dedup_key": dedup_key(digest, group)})
}

fn trigger(digest: &Digest<'_>, group: &Group<'_>, budget: Budget) -> Value {
    let key = dedup_key(digest, group);
    let touched = digest.items.iter().filter(|item| item.event.concern.group_key() == group.key).count();
    budget.fit(touched, |event: &Value| event.to_string().len(), |share| event(digest, group, (&key, share)))
}

fn event(digest: &Digest<'_>, group: &Group<'_>, (key, share): (&str, Share)) -> Value {
    let gravest = group.gravest;
    let concern = &gravest.event.concern;
    let sentence = if digest.is_test { digest.headline() } else { capital(&digest.sentence(gravest)) };
    let others = group.open.saturating_sub(1);
    let beside = if others > 0 { format!(", and {} like it", counted(others, "open incident", "open incidents")) } else { String::new() };
    let (class, component) = match concern {
        Concern::Finding { client, cause, .. } => (cause.as_str(), client.as_str()),
        Concern::Drift { entry, .. } => (concern.kind(), entry.as_str()),
        other => (other.kind(), env!("CARGO_PKG_NAME")),
    };
    let source = match concern {
        Concern::Finding { domain, .. } => domain.as_str(),
        Concern::Drift { database, .. } => database.as_str(),
        _ => env!("CARGO_PKG_NAME"),
    };
    let incidents = digest.items.iter().filter(|item| item.event.concern.group_key() == group.key).take(share.items);
    let mut event = json!({
        "event_action": "trigger",
        "dedup_key": key,
        "client": env!("CARGO_PKG_NAME"),
        "payload": {
            "summary": clip(&plain(&format!("{}: {sentence}{beside}", digest.notice.tenant_name)), SUMMARY),
            "source": source,
            "severity": severity(if digest.is_test { Severity::Info } else { gravest.event.severity }),
            "timestamp": instant(digest.at()),
            "class": class,
            "component": component,
            "group": digest.notice.tenant.as_ref().map_or(env!("CARGO_PKG_NAME"), |tenant| tenant.as_str()),
            "custom_details": {
                "notice": digest.notice.id,
                "open_incidents": group.open,
                "changed_incidents": group.touched,
                "numbers": lines::summary(digest),
                "incidents": incidents.map(|item| document::incident(digest, item, share.text)).collect::<Vec<_>>(),
            },
        },
    });
    if let (Some(url), Some(fields)) = (&digest.wording.report_url, event.as_object_mut()) {
        fields.insert("client_url".into(), url.as_str().into());
    }
    event
}

fn severity(severity: Severity) -> &'static str {
    severity.as_str()
}

/// The same for ever for one group; hashed where it is longer than the 255 characters that PagerDuty takes.
fn dedup_key(digest: &Digest<'_>, group: &Group<'_>) -> String {
    let key =
        if digest.is_test { format!("autodiscover-audit/test/{}", digest.notice.id) } else { format!("autodiscover-audit/{}", group.key) };
    if key.chars().count() <= DEDUP_KEY {
        return key;
    }
    format!("autodiscover-audit/sha256/{:x}", Sha256::digest(key.as_bytes()))
}

/// PagerDuty takes 512 KB an event; this leaves room for the key.
pub(super) const BUDGET: Budget = Budget { size: 500_000, items: 100 };
/// Characters of a summary.
const SUMMARY: usize = 1_024;
/// Characters of a key.
const DEDUP_KEY: usize = 255;

#[cfg(test)]
mod tests {
    use super::{super::super::sample, *};
    use crate::model::{Change, Event};

    fn rendered(events: Vec<Event>, open: &[(&str, u64)]) -> Vec<Value> {
        let mut notice = sample::notice(events);
        notice.open_in_group = open.iter().map(|(key, open)| ((*key).to_owned(), *open)).collect();
        let wording = sample::wording();
        render(&Digest::new(&notice, &wording), BUDGET)
    }

    #[test]
    fn a_group_is_triggered_while_one_of_it_is_open() {
        let key = "finding/contoso/thunderbird/mx-base-domain";
        let events = || vec![sample::event(1, "a.contoso.com", Change::Resolved, 5)];
        let still = rendered(events(), &[(key, 2)]);
        assert_eq!((&still[0]["event_action"], &still[0]["dedup_key"]), (&json!("trigger"), &json!(format!("autodiscover-audit/{key}"))));
        assert_eq!(still[0]["payload"]["severity"], "error");
        let over = rendered(events(), &[(key, 0)]);
        assert_eq!(over, [json!({"event_action": "resolve", "dedup_key": format!("autodiscover-audit/{key}")})]);
    }

    #[test]
    fn a_test_is_over_at_once() {
        let (notice, wording) = (sample::notice(vec![sample::event(1, "a.contoso.com", Change::Opened, 5)]), sample::wording());
        let digest = Digest { is_test: true, ..Digest::new(&notice, &wording) };
        let events = render(&digest, BUDGET);
        let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
        assert_eq!(actions, ["trigger", "resolve"]);
        assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
        assert_eq!(events[0]["payload"]["severity"], "info");
    }

    #[test]
    fn an_event_is_under_its_limits_for_any_number_of_items() {
        let wording = sample::wording();
        for count in sample::CROWDS {
            let notice = sample::crowd(count);
            let digest = Digest::new(&notice, &wording);
            for budget in [BUDGET, BUDGET.halved()] {
                let events = render(&digest, budget);
                assert_eq!(events.len(), usize::from(count > 0));
                for event in events {
                    assert!(event.to_string().len() <= budget.size, "{count}");
                    assert!(event["payload"]["summary"].as_str().unwrap().chars().count() <= SUMMARY);
                    assert!(!event["payload"]["custom_details"]["incidents"].as_array().unwrap().is_empty());
                }
            }
        }
    }

    #[test]
    fn a_long_key_is_hashed() {
        let mut event = sample::event(1, "a.contoso.com", Change::Opened, 5);
        if let Concern::Finding { client, .. } = &mut event.concern {
            *client = "x".repeat(300);
        }
        let events = rendered(vec![event], &[]);
        let key = events[0]["dedup_key"].as_str().unwrap();
        assert_eq!(key.len(), "autodiscover-audit/sha256/".len() + 64);
    }
}

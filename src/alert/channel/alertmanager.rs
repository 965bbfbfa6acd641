//! Prometheus Alertmanager, API v2. It keeps no queue for us and forgets what is not repeated: all open groups are told again and again,
//! with an end that is moved on each time, and those that are over for five minutes. Labels are the identity, so they hold no numbers.
//! Every Alertmanager of a cluster is told.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    super::{
        digest::Digest,
        fate::Attempt,
        lines,
        phrase::{Wording, capital, clip, counted, instant, plain},
    },
    Opening,
    post::Post,
};
use crate::{
    alert::{AlertError, MaybeSecret},
    model::{Account, Concern, Event, IncidentId, Severity},
    network::OutboundSettings,
    store::GroupState,
};

/// `kind = "alertmanager"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerSettings {
    /// Where each Alertmanager of the cluster is, such as `http://alertmanager:9093`, with its prefix where it has one; never a load balancer.
    pub urls: Vec<MaybeSecret>,
    /// Further labels of every alert.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Further headers, such as `Authorization`.
    #[serde(default)]
    pub headers: BTreeMap<String, MaybeSecret>,
    /// How they are reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

/// The Alertmanagers of a cluster.
#[derive(Clone)]
pub(super) struct Alertmanager {
    posts: Vec<Post>,
    labels: BTreeMap<String, String>,
}

impl Alertmanager {
    pub(super) fn open(settings: &AlertmanagerSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        if let Some(name) = settings.labels.keys().find(|name| !is_label(name)) {
            return Err(opening.wrong("labels", format!("has `{name}`; a label is letters, digits and `_`, and begins with no digit")));
        }
        let mut posts = Vec::new();
        for url in &settings.urls {
            let base = opening.maybe_secret("urls", url)?;
            let url = format!("{}/api/v2/alerts", secrecy::ExposeSecret::expose_secret(&base).trim().trim_end_matches('/'));
            let mut post = Post::new(opening, url.into(), &settings.http)?;
            for (name, value) in &settings.headers {
                post = post.with_header(name, &opening.maybe_secret("headers", value)?);
            }
            posts.push(post);
        }
        if posts.is_empty() {
            return Err(opening.wrong("urls", "names no Alertmanager; name one at least".to_owned()));
        }
        Ok(Self { posts, labels: settings.labels.clone() })
    }

    /// Tells all of these groups to every Alertmanager; the worst of their answers.
    pub(super) async fn tell(&self, groups: &[GroupState], wording: &Wording, now: i64) -> Attempt {
        let alerts: Vec<Value> = groups.iter().map(|group| self.alert(group, wording, now)).collect();
        self.post(&alerts).await
    }

    /// Tells the groups of one notice: for a test, and for whoever has no service that repeats it.
    pub(super) async fn send_digest(&self, digest: &Digest<'_>, now: i64) -> Attempt {
        let groups = digest.groups();
        let alerts = groups.iter().map(|group| {
            let event = group.gravest.event;
            let state = GroupState {
                group_key: group.key.clone(),
                concern: event.concern.clone(),
                severity: event.severity,
                open: group.open,
                affected: event.affected,
                opened_at: event.since,
                resolved_at: (group.open == 0).then_some(event.at),
                account: event.account.clone(),
            };
            let mut alert = self.alert(&state, digest.wording, now);
            if digest.is_test {
                mark_test(&mut alert, (&digest.headline(), now));
            }
            alert
        });
        self.post(&alerts.collect::<Vec<_>>()).await
    }

    async fn post(&self, alerts: &[Value]) -> Attempt {
        let mut worst = Attempt::Delivered;
        for post in &self.posts {
            for batch in alerts.chunks(BATCH) {
                let attempt = post.send_json(&Value::from(batch)).await.attempt();
                if rank(&attempt) > rank(&worst) {
                    worst = attempt;
                }
            }
        }
        worst
    }

    fn alert(&self, group: &GroupState, wording: &Wording, now: i64) -> Value {
        let mut labels: Map<String, Value> = self.labels.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        labels.insert("alertname".into(), alert_name(&group.concern).into());
        labels.insert("severity".into(), group.severity.as_str().into());
        for (name, value) in lines::parts(&group.concern).into_iter().filter(|(name, _)| !matches!(*name, "domain" | "kind")) {
            labels.insert(name.to_owned(), value.into());
        }
        let ends_at = group.resolved_at.unwrap_or(now + LIFE);
        let mut alert = json!({
            "labels": labels,
            "annotations": annotations(group, wording),
            "startsAt": instant(group.opened_at),
            "endsAt": instant(ends_at.max(group.opened_at)),
        });
        if let (Some(url), Some(fields)) = (&wording.report_url, alert.as_object_mut()) {
            fields.insert("generatorURL".into(), url.as_str().into());
        }
        alert
    }
}

fn annotations(group: &GroupState, wording: &Wording) -> Value {
    let sentence = sentence(group, wording);
    let mut annotations = json!({
        "summary": clip(&plain(&sentence), TEXT),
        "description": clip(&plain(&group.account.explanation), TEXT),
        "incidents": counted(group.open, "open incident", "open incidents"),
        "mailboxes": counted(group.affected, "mailbox", "mailboxes"),
    });
    if let (Some(advice), Some(fields)) = (&group.account.advice, annotations.as_object_mut()) {
        fields.insert("advice".into(), clip(&plain(advice), TEXT).into());
    }
    annotations
}

fn sentence(group: &GroupState, wording: &Wording) -> String {
    if let Concern::Finding { tenant, client, cause, .. } = &group.concern {
        let client = wording.client(client);
        return if group.open > 0 {
            format!("{} of {tenant} would be set up wrongly by {client} ({cause})", counted(group.affected, "mailbox", "mailboxes"))
        } else {
            format!("mailboxes of {tenant} are no longer set up wrongly by {client} ({cause})")
        };
    }
    let tenant = group.concern.tenant().map(ToString::to_string).unwrap_or_default();
    let event = Event {
        id: 0,
        incident: IncidentId(0),
        concern: group.concern.clone(),
        change: crate::model::Change::Reminder,
        at: group.opened_at,
        run: None,
        severity: group.severity,
        verdict: None,
        affected: group.affected,
        since: group.opened_at,
        episode: 1,
        is_open: group.open > 0,
        is_muted: false,
        account: Account::default(),
    };
    capital(&wording.sentence(&event, &tenant))
}

/// An alert of its own that nobody is paged for, and that is over in a minute.
fn mark_test(alert: &mut Value, (headline, now): (&str, i64)) {
    let Some(fields) = alert.as_object_mut() else { return };
    if let Some(labels) = fields.get_mut("labels").and_then(Value::as_object_mut) {
        labels.insert("alertname".into(), "AutodiscoverAuditTest".into());
        labels.insert("severity".into(), Severity::Info.as_str().into());
    }
    fields.insert("annotations".into(), json!({"summary": headline}));
    fields.insert("startsAt".into(), instant(now).into());
    fields.insert("endsAt".into(), instant(now + 60).into());
}

fn alert_name(concern: &Concern) -> &'static str {
    match concern {
        Concern::Finding { .. } => "AutodiscoverAuditFinding",
        Concern::Outage => "AutodiscoverAuditOutage",
        Concern::Run { .. } => "AutodiscoverAuditRun",
        Concern::Channel { .. } => "AutodiscoverAuditChannel",
        Concern::Store => "AutodiscoverAuditStore",
        Concern::Drift { .. } => "AutodiscoverAuditDrift",
    }
}

fn rank(attempt: &Attempt) -> u8 {
    match attempt {
        Attempt::Delivered => 0,
        Attempt::Retry { .. } => 1,
        Attempt::Unacceptable { .. } => 2,
        Attempt::Refused { .. } => 3,
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`.
fn is_label(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_word && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Alerts a request: a bad one among them has the whole request answered with 400, and the others taken.
const BATCH: usize = 64;
/// Seconds that an alert lives unless it is told again: four times the pause between two tellings.
const LIFE: i64 = 240;
/// Characters of an annotation.
const TEXT: usize = 600;

#[cfg(test)]
mod tests {
    use super::{
        super::{super::sample, tests::opened},
        *,
    };
    use crate::model::Change;

    fn channel(labels: &str) -> Result<Alertmanager, String> {
        let settings: AlertmanagerSettings = toml::from_str(&format!("urls = ['http://127.0.0.1:9093/']\nlabels = {labels}")).unwrap();
        opened(|opening| Alertmanager::open(&settings, opening)).map_err(|error| error.to_string())
    }

    fn group(open: u64) -> GroupState {
        let event = sample::event(1, "contoso.com", Change::Opened, 12);
        GroupState {
            group_key: event.concern.group_key(),
            concern: event.concern,
            severity: event.severity,
            open,
            affected: 12,
            opened_at: 1_795_341_600,
            resolved_at: (open == 0).then_some(1_795_341_900),
            account: event.account,
        }
    }

    #[test]
    fn labels_are_the_same_whatever_the_numbers_are() {
        let alertmanager = channel("{ team = 'mail' }").unwrap();
        let wording = sample::wording();
        let first = alertmanager.alert(&group(1), &wording, 1_795_341_660);
        let more = alertmanager.alert(&GroupState { affected: 99, ..group(7) }, &wording, 1_795_341_720);
        assert_eq!(first["labels"], more["labels"]);
        assert_eq!(
            first["labels"],
            json!({
                "team": "mail", "alertname": "AutodiscoverAuditFinding", "severity": "error", "tenant": "contoso", "client": "thunderbird",
                "cause": "mx-base-domain",
            })
        );
        assert_ne!(first["annotations"], more["annotations"]);
    }

    #[test]
    fn what_is_open_lives_on_and_what_is_over_has_its_end() {
        let (alertmanager, wording) = (channel("{}").unwrap(), sample::wording());
        let open = alertmanager.alert(&group(1), &wording, 1_795_341_660);
        assert_eq!((&open["startsAt"], &open["endsAt"]), (&json!("2026-11-22T10:00:00Z"), &json!("2026-11-22T10:05:00Z")));
        let over = alertmanager.alert(&group(0), &wording, 1_795_342_000);
        assert_eq!(over["endsAt"], "2026-11-22T10:05:00Z");
        assert_eq!(over["annotations"]["summary"], "mailboxes of contoso are no longer set up wrongly by Thunderbird (mx-base-domain)");
    }

    #[test]
    fn labels_that_no_alertmanager_takes_are_refused() {
        for (labels, is_fine) in [("{ a_1 = 'x' }", true), ("{ '1a' = 'x' }", false), ("{ 'a-b' = 'x' }", false), ("{ '' = 'x' }", false)] {
            assert_eq!(channel(labels).is_ok(), is_fine, "{labels}");
        }
    }
}

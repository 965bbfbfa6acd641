//! A request by template, for whatever takes HTTP and has no channel of its own. Placeholders are escaped as the content type asks, so that
//! no text of others changes the request.
//!
//! Ready for use (each is `[channel.NAME]` with `kind = "template"`; `config/channels.toml` has them in full):
//!
//! * Mattermost: `body = '{"text": "**{headline}**\n```\n{text}\n```"}'`, `limit_bytes = 15000` (it splits from 16,383 characters).
//! * ntfy: `content_type = "text/plain"`, `body = "{text}"`, `limit_bytes = 4000` (it makes a file of more than 4,096 bytes), headers `Title`,
//!   `Priority`, `Click`, `priority = { info = "2", warning = "3", error = "4", critical = "5" }`.
//! * Google Chat: `body = '{"text": "*{headline}*\n{text}"}'`, `limit_bytes = 30000`.
//! * Jira Service Management: `body` with `message` (130 characters), `alias`, `description`, `priority` P1 to P5, header `Authorization`.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Deserialize;

use super::{
    super::{
        budget::{Budget, Share},
        digest::Digest,
        fate::Attempt,
        lines,
        phrase::{clip, grouped, instant},
    },
    Opening,
    post::Post,
};
use crate::{
    alert::{AlertError, MaybeSecret},
    model::{Severity, TenantId},
    network::{OutboundSettings, Verb},
};

/// `kind = "template"`. Placeholders of `body` and of the values in `headers`, each also as `{name:CHARACTERS}`: `{headline}`, `{text}` (all
/// the rest, in lines), `{severity}` (`info`, `warning`, `error`, `critical`), `{priority}`, `{state}` (`open` or `over`), `{tenant}`,
/// `{tenant_id}`, `{incidents}` (how many), `{id}` (the same on every attempt), `{at}`, `{report_url}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateSettings {
    /// Where to: a URL, or the place of one that is secret.
    pub url: MaybeSecret,
    /// `POST` or `PUT`.
    #[serde(default)]
    pub method: Verb,
    /// Tells how placeholders are escaped: JSON, `application/x-www-form-urlencoded`, and all others as they are.
    #[serde(default = "json_type")]
    pub content_type: String,
    /// Headers; one whose value comes out empty is not sent. Values that are secret hold no placeholders.
    #[serde(default)]
    pub headers: BTreeMap<String, MaybeSecret>,
    /// The body.
    pub body: String,
    /// Bytes of a body at most, 500 to 500000: what does not fit becomes "… and 12 more incidents".
    #[serde(default = "limit")]
    pub limit_bytes: usize,
    /// What `{priority}` says for each severity.
    #[serde(default)]
    pub priority: Priorities,
    /// How it is reached.
    #[serde(default)]
    pub http: OutboundSettings,
}

fn json_type() -> String {
    "application/json".to_owned()
}

fn limit() -> usize {
    4_000
}

/// What `{priority}` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Priorities {
    /// For `info`, and for what is over.
    pub info: String,
    /// For `warning`.
    pub warning: String,
    /// For `error`.
    pub error: String,
    /// For `critical`.
    pub critical: String,
}

impl Default for Priorities {
    fn default() -> Self {
        let [info, warning, error, critical] = Severity::ALL.map(|severity| severity.as_str().to_owned());
        Self { info, warning, error, critical }
    }
}

impl Priorities {
    fn of(&self, severity: Severity) -> &str {
        match severity {
            Severity::Info => &self.info,
            Severity::Warning => &self.warning,
            Severity::Error => &self.error,
            Severity::Critical => &self.critical,
        }
    }
}

/// A request with placeholders.
#[derive(Clone)]
pub(super) struct Template {
    post: Post,
    content_type: String,
    escape: Escape,
    body: Vec<Piece>,
    headers: Vec<(String, Vec<Piece>)>,
    priority: Priorities,
    limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Field, Option<usize>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Headline,
    Text,
    Severity,
    Priority,
    State,
    Tenant,
    TenantId,
    Incidents,
    Id,
    At,
    ReportUrl,
}

const FIELDS: [(&str, Field); 11] = [
    ("headline", Field::Headline),
    ("text", Field::Text),
    ("severity", Field::Severity),
    ("priority", Field::Priority),
    ("state", Field::State),
    ("tenant", Field::Tenant),
    ("tenant_id", Field::TenantId),
    ("incidents", Field::Incidents),
    ("id", Field::Id),
    ("at", Field::At),
    ("report_url", Field::ReportUrl),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    Json,
    Form,
    Header,
    None,
}

impl Template {
    pub(super) fn open(settings: &TemplateSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        if !(LEAST_LIMIT..=MOST_LIMIT).contains(&settings.limit_bytes) {
            return Err(opening.wrong("limit_bytes", format!("is {}; set it to {LEAST_LIMIT} to {MOST_LIMIT}", settings.limit_bytes)));
        }
        if settings.method == Verb::Get {
            return Err(opening.wrong("method", "is GET, which has no body; use POST or PUT".to_owned()));
        }
        let mut post = Post::to(opening, &settings.url, &settings.http)?.with_verb(settings.method);
        let mut headers = Vec::new();
        for (name, value) in &settings.headers {
            match value {
                MaybeSecret::Open(text) => headers.push((name.clone(), parse(text).map_err(|problem| opening.wrong("headers", problem))?)),
                MaybeSecret::Secret(source) => post = post.with_header(name, &opening.secret("headers", source)?),
            }
        }
        let body = parse(&settings.body).map_err(|problem| opening.wrong("body", problem))?;
        let escape = Escape::of(&settings.content_type);
        if escape == Escape::Json && serde_json::from_str::<serde_json::Value>(&fill(&body, escape, |_| "x".into())).is_err() {
            return Err(opening.wrong("body", format!("is not {}: placeholders belong between double quotes", settings.content_type)));
        }
        let priority = settings.priority.clone();
        Ok(Self { post, content_type: settings.content_type.clone(), escape, body, headers, priority, limit: settings.limit_bytes })
    }

    pub(super) fn budget(&self) -> Budget {
        Budget { size: self.limit, items: ITEMS }
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget) -> Attempt {
        let (body, share) = self.render(digest, budget);
        let values = self.headers.iter().map(|(name, pieces)| {
            (name.as_str(), fill(pieces, Escape::Header, |field| self.value(digest, field, share)).trim().to_owned())
        });
        let mut headers: Vec<(&str, String)> = values.filter(|(_, value)| !value.is_empty()).collect();
        headers.push(("Content-Type", self.content_type.clone()));
        self.post.send(&headers, body.into_bytes()).await.attempt()
    }

    fn render(&self, digest: &Digest<'_>, budget: Budget) -> (String, Share) {
        let render = |share| (fill(&self.body, self.escape, |field| self.value(digest, field, share)), share);
        budget.fit(digest.items.len(), |(body, _): &(String, Share)| body.len(), render)
    }

    fn value<'a>(&'a self, digest: &'a Digest<'_>, field: Field, share: Share) -> Cow<'a, str> {
        match field {
            Field::Headline => lines::headline(digest, share).into(),
            Field::Text => lines::whole(digest, share, false).into(),
            Field::Severity => digest.severity().as_str().into(),
            Field::Priority => self.priority.of(digest.severity()).into(),
            Field::State => if digest.is_over() { "over" } else { "open" }.into(),
            Field::Tenant => lines::owner(digest, share).into(),
            Field::TenantId => digest.notice.tenant.as_ref().map_or("", TenantId::as_str).into(),
            Field::Incidents => grouped(u64::try_from(digest.items.len()).unwrap_or(u64::MAX)).into(),
            Field::Id => digest.notice.id.as_str().into(),
            Field::At => instant(digest.at()).into(),
            Field::ReportUrl => digest.wording.report_url.as_deref().unwrap_or_default().into(),
        }
    }
}

impl Escape {
    fn of(content_type: &str) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            kind if kind.ends_with("+json") => Self::Json,
            _ => Self::None,
        }
    }

    fn apply(self, text: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(text).to_string();
                quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
            }
            Self::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            Self::Header => text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect(),
            Self::None => text.to_owned(),
        }
    }
}

fn fill<'a>(pieces: &[Piece], escape: Escape, value: impl Fn(Field) -> Cow<'a, str>) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(field, None) => escape.apply(&value(*field)),
            Piece::Field(field, Some(characters)) => escape.apply(&clip(&value(*field), *characters)),
        })
        .collect()
}

/// Splits at the placeholders. Braces that hold anything but a word are text, as JSON is full of them.
fn parse(template: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let inner = after.split_once('}').map(|(inner, _)| inner).filter(|inner| is_placeholder(inner));
        let Some(inner) = inner else {
            text.push('{');
            rest = after;
            continue;
        };
        let (name, characters) = inner.split_once(':').map_or((inner, None), |(name, number)| (name, number.parse().ok()));
        let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
            return Err(format!("has the unknown placeholder `{{{inner}}}`; known are {}", known.join(", ")));
        };
        pieces.extend([Piece::Text(std::mem::take(&mut text)), Piece::Field(*field, characters)]);
        rest = after.get(inner.len() + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

fn is_placeholder(inner: &str) -> bool {
    let (name, number) = inner.split_once(':').unwrap_or((inner, "1"));
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name && !number.is_empty() && number.len() < 7 && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// More than anyone reads.
const ITEMS: usize = 100;
const LEAST_LIMIT: usize = 500;
const MOST_LIMIT: usize = 500_000;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{super::sample, tests::opened},
        *,
    };
    use crate::model::Change;

    fn template(toml: &str) -> Result<Template, String> {
        let settings: TemplateSettings = toml::from_str(&format!("url = 'https://chat.contoso.com/hook'\n{toml}")).unwrap();
        opened(|opening| Template::open(&settings, opening)).map_err(|error| error.to_string())
    }

    #[test]
    fn placeholders_are_escaped_as_the_content_type_asks() {
        let mut event = sample::event(1, "contoso.com", Change::Opened, 12);
        event.account.explanation = "\"quoted\" & \\ {id}".into();
        let (notice, wording) = (sample::notice(vec![event]), sample::wording());
        let digest = Digest::new(&notice, &wording);
        let rendered = |toml: &str| {
            let template = template(toml).unwrap();
            template.render(&digest, template.budget()).0
        };
        let json: Value = serde_json::from_str(&rendered(r#"body = '{"a": {"b": "{text}"}, "c": "{headline:5}", "d": "{id}"}'"#)).unwrap();
        assert!(json["a"]["b"].as_str().unwrap().contains("\"quoted\" & \\ {id}"));
        assert_eq!((&json["c"], &json["d"]), (&Value::from("1 ne…"), &Value::from("01j9zw3v5m")));
        assert_eq!(
            rendered("content_type = 'application/x-www-form-urlencoded'\nbody = 'm={headline:9}&t={tenant}'"),
            "m=1+new+fi%E2%80%A6&t=Contoso+Ltd"
        );
        assert!(rendered("content_type = 'text/plain'\nbody = '{text}'").contains("\"quoted\" & \\ {id}"));
        assert_eq!(
            rendered(
                "content_type = 'text/plain'\nbody = '{severity} {priority} {state} {tenant_id} {incidents} {at} {report_url}'\npriority = { error = 'P2' }"
            ),
            "error P2 open contoso 1 2026-11-22T10:00:00Z https://audit.contoso.com/"
        );
    }

    #[test]
    fn a_body_is_under_its_limit_for_any_number_of_items() {
        let wording = sample::wording();
        for limit in [500, 4_000, 30_000] {
            let template = template(&format!("limit_bytes = {limit}\nbody = '{{\"text\": \"{{headline}} {{text}}\"}}'")).unwrap();
            for count in sample::CROWDS {
                let notice = sample::crowd(count);
                let (body, share) = template.render(&Digest::new(&notice, &wording), template.budget());
                assert!(body.len() <= limit, "{limit} {count}: {}", body.len());
                assert!(share.items >= usize::from(count > 0 && limit > 500), "{limit} {count}");
                serde_json::from_str::<Value>(&body).unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_what_to_do() {
        for (toml, problem) in [
            ("body = '{\"text\": \"{headlin}\"}'", "`channel.ops.body` has the unknown placeholder `{headlin}`; known are headline, text"),
            ("body = '{\"text\": {headline}}'", "`channel.ops.body` is not application/json: placeholders belong between double quotes"),
            ("body = '{\"text\": \"{headline}'", "`channel.ops.body` is not application/json"),
            ("body = 'x'\ncontent_type = 'text/plain'\nlimit_bytes = 20", "`channel.ops.limit_bytes` is 20; set it to 500 to 500000"),
            ("body = 'x'\ncontent_type = 'text/plain'\nmethod = 'GET'", "`channel.ops.method` is GET"),
        ] {
            let error = template(toml).err().unwrap();
            assert!(error.starts_with(problem), "{toml}: {error}");
        }
    }
}

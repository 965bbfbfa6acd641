//! Published documents: the schema of a notice, and the reference of channels.

use std::{collections::BTreeMap, path::Path};

use autodiscover_audit::{
    alert::{ChannelSettings, RouteSettings},
    model::{Change, Concern},
};
use serde::Deserialize;
use serde_json::Value;

use super::{super::fakenet::sink::Sink, Site, finding, open, open_as, tenant, try_out, webhook};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What of a document its schema forbids; knows the keywords that ours uses.
fn faults(value: &Value, schema: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let names = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    if schema.get("type").is_some_and(|allowed| !names(allowed).contains(&kind.into())) {
        found.push(format!("{at} is {kind}"));
    }
    if schema.get("enum").is_some_and(|allowed| !names(allowed).contains(value)) {
        found.push(format!("{at} is {value}"));
    }
    if let Value::Object(fields) = value {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        found.extend(required.iter().filter(|name| !fields.contains_key(name.as_str().unwrap())).map(|name| format!("{at} lacks {name}")));
        for (name, value) in fields {
            match schema["properties"].get(name) {
                Some(schema) => found.extend(faults(value, schema, &format!("{at}.{name}"))),
                None if schema["additionalProperties"] == false => found.push(format!("{at} has {name}")),
                None => {}
            }
        }
    }
    if let (Value::Array(items), Some(schema)) = (value, schema.get("items")) {
        found.extend(items.iter().flat_map(|item| faults(item, schema, &format!("{at}[]"))));
    }
    found
}

#[tokio::test]
async fn what_the_webhook_sends_is_what_its_schema_says() {
    let schema: Value = serde_json::from_str(&read("deploy/notice.schema.json")).unwrap();
    let (site, sink) = (Site::new().await, Sink::start().await);
    assert_eq!(try_out(&webhook("ops", &sink.url("/"))).await.to_string(), "delivered");
    let delivery = site.delivery(vec![webhook("ops", &sink.url("/"))]);
    for concern in [
        finding("contoso.com"),
        Concern::Run { tenant: tenant() },
        Concern::Outage,
        Concern::Store,
        Concern::Channel { channel: "x".into() },
        Concern::Drift { database: "ispdb.example/v1.1".into(), entry: "outlook.com".into() },
    ] {
        for change in [Change::Opened, Change::Grown, Change::Resolved] {
            site.happen(&concern, change, &["ops"]).await;
            site.hand.pass(60);
            delivery.deliver_due().await;
        }
    }
    assert_eq!(sink.posts().len(), 19);
    for post in sink.posts() {
        let body = serde_json::from_str(&post.body).unwrap();
        assert_eq!(faults(&body, &schema, "body"), Vec::<String>::new());
        let mut broken: Value = body;
        broken["data"]["severity"] = "grave".into();
        broken["data"]["other"] = 1.into();
        assert_eq!(faults(&broken, &schema, "body").len(), 2);
    }
}

/// The channels and routes of `config/autodiscover-audit.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    channel: BTreeMap<String, ChannelSettings>,
    route: Vec<RouteSettings>,
}

/// From the first channel on, with every key; a sentence has a blank after its mark.
fn channels_of_the_example() -> String {
    let text = read("config/autodiscover-audit.toml");
    let channels = &text[text.find("#[channel.").unwrap()..];
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|first: char| first == '[' || first.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    channels.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_channel_of_the_reference_can_be_opened() {
    let text = channels_of_the_example();
    let reference: Reference = toml::from_str(&text).unwrap();
    let secrets = [
        ("webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("teams-url", "https://teams.contoso.com/1"),
        ("slack-url", "https://slack.contoso.com/1"),
        ("mattermost-url", "https://chat.contoso.com/hooks/1"),
        ("google-chat-url", "https://chat.contoso.com/1"),
        ("smtp-password", "1"),
        ("pagerduty-key", "1"),
        ("ntfy-token", "Bearer 1"),
        ("jsm-key", "GenieKey 1"),
        ("webhook-token", "Bearer 1"),
        ("alertmanager-token", "Bearer 1"),
    ];
    let mut table: toml::Table = toml::from_str(&text).unwrap();
    // there is no such file here
    assert!(table["channel"]["mail"].as_table_mut().unwrap().remove("ca_files").is_some());
    for (name, mut settings) in reference.channel {
        let toml = toml::to_string(table["channel"][&name].as_table().unwrap()).unwrap();
        let opened = open_as(&name, &toml, &secrets);
        assert!(opened.is_ok(), "{name}: {opened:?}");
        assert!(settings.secrets().iter().all(|(_, source)| source.to_string().starts_with("the credential `")));
        assert_eq!(settings.paths_mut().len(), usize::from(name == "journal" || name == "mail"));
    }
    let channels: Vec<&str> = table["channel"].as_table().unwrap().keys().map(String::as_str).collect();
    let contoso = "contoso".to_owned().try_into().unwrap();
    for route in reference.route {
        assert_eq!(route.check(&channels, &[&contoso]), Ok(()));
    }
    let kinds: Vec<&str> = table["channel"].as_table().unwrap().values().map(|channel| channel["kind"].as_str().unwrap()).collect();
    assert!(ChannelSettings::KINDS.iter().all(|kind| kinds.contains(kind)));
}

#[test]
fn every_file_that_settings_name_can_be_given_its_place() {
    let toml = "kind = 'webhook'\nurl = { file = 'url' }\nsecrets = [{ file = 'a' }, { file = 'b' }]\nheaders = { A = { file = 'c' } }\nhttp = { ca_files = ['d'] }";
    let mut settings: ChannelSettings = toml::from_str(toml).unwrap();
    for path in settings.paths_mut() {
        *path = Path::new("/etc/audit").join(&*path);
    }
    let found: Vec<String> = settings.secrets().iter().map(|(key, source)| format!("{key}: {source}")).collect();
    assert_eq!(
        found,
        [
            "url: the file `/etc/audit/url`",
            "secrets: the file `/etc/audit/a`",
            "secrets: the file `/etc/audit/b`",
            "headers: the file `/etc/audit/c`"
        ]
    );
    assert!(open(toml, &[]).err().unwrap().contains("`channel.ops.url` names the file `url`, which cannot be read"));
}

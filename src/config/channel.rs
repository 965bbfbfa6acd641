//! `[channel.NAME]` and `[[route]]`: who is told of what.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use crate::{
    alert::{
        AlertmanagerSettings, ChannelSettings, JournaldSettings, PagerdutySettings, RouteSettings, SlackSettings, SmtpSettings,
        TeamsSettings, TemplateSettings, WebhookSettings,
    },
    model::TenantId,
    network::OutboundSettings,
};

use super::{
    Source,
    check::{Faults, table_of},
    content::check_certificates,
    rule::field_names,
    suggest::nearest,
    texts,
};

/// A channel of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Its name.
    pub name: String,
    /// What it is.
    pub settings: ChannelSettings,
    /// The line of the file in which it starts.
    pub line: usize,
}

/// Reads the channels of a file, in its order.
pub(super) fn read_channels(source: &Source<'_>, value: Spanned<DeValue<'_>>, faults: &mut Faults) -> Vec<ChannelConfig> {
    let Some(table) = table_of(value, "channel", faults) else { return Vec::new() };
    let mut channels = Vec::new();
    for (name, value) in table {
        let key = format!("channel.{}", name.get_ref());
        if !is_name(name.get_ref()) {
            faults.add(Some(name.span()), &key, "a channel's name has 1 to 64 letters, digits, `-` and `_`".to_owned());
        }
        let Some(table) = table_of(value, &key, faults) else { continue };
        let certificates = table.get("http").and_then(|http| http.get_ref().as_table()).and_then(|http| http.get("ca_files"));
        for (file, span) in texts(certificates.or(table.get("ca_files"))) {
            faults.check_content((span, &key), &source.resolve(file), check_certificates);
        }
        if let Some(mut settings) = read_settings(table, (&key, name.span()), faults) {
            for path in settings.paths_mut() {
                *path = source.resolve(&*path);
            }
            channels.push(ChannelConfig { name: name.get_ref().to_string(), settings, line: source.line(name.span().start) });
        }
    }
    channels.sort_by_key(|channel| channel.line);
    channels
}

/// The kinds of channels, each with the keys that it has beside `kind`.
pub(super) fn keys_by_kind() -> [(&'static str, &'static [&'static str]); 8] {
    [
        ("teams", field_names::<TeamsSettings>()),
        ("slack", field_names::<SlackSettings>()),
        ("webhook", field_names::<WebhookSettings>()),
        ("smtp", field_names::<SmtpSettings>()),
        ("pagerduty", field_names::<PagerdutySettings>()),
        ("alertmanager", field_names::<AlertmanagerSettings>()),
        ("journald", field_names::<JournaldSettings>()),
        ("template", field_names::<TemplateSettings>()),
    ]
}

fn read_settings(mut table: DeTable, (key, span): (&str, Range<usize>), faults: &mut Faults) -> Option<ChannelSettings> {
    let kinds = keys_by_kind();
    let known = || kinds.iter().map(|(kind, _)| *kind);
    let Some(kind) = table.remove("kind") else {
        let all = known().collect::<Vec<_>>().join(", ");
        faults.add(Some(span), key, format!("`kind` is missing; write one of {all}"));
        return None;
    };
    let name = kind.get_ref().as_str().unwrap_or_default();
    let Some((kind, keys)) = kinds.iter().find(|(kind, _)| *kind == name) else {
        let advice = nearest(name, known())
            .map_or_else(|| format!("write one of {}", known().collect::<Vec<_>>().join(", ")), |word| format!("did you mean `{word}`?"));
        faults.add(Some(kind.span()), &format!("{key}.kind"), format!("`{name}` is no kind of channel; {advice}"));
        return None;
    };
    keep_known(&mut table, (key, keys), faults);
    if let Some(DeValue::Table(http)) = table.get_mut("http").map(Spanned::get_mut) {
        keep_known(http, (&format!("{key}.http"), field_names::<OutboundSettings>()), faults);
    }
    let place = (key, span);
    match *kind {
        "teams" => whole(table, place, faults).map(ChannelSettings::Teams),
        "slack" => whole(table, place, faults).map(ChannelSettings::Slack),
        "webhook" => whole(table, place, faults).map(ChannelSettings::Webhook),
        "smtp" => whole(table, place, faults).map(ChannelSettings::Smtp),
        "pagerduty" => whole(table, place, faults).map(ChannelSettings::Pagerduty),
        "alertmanager" => whole(table, place, faults).map(ChannelSettings::Alertmanager),
        "journald" => whole(table, place, faults).map(ChannelSettings::Journald),
        _ => whole(table, place, faults).map(ChannelSettings::Template),
    }
}

/// Reads the routes of a file, and checks them against what else is configured.
pub(super) fn read_routes(
    entries: Vec<(DeTable<'_>, Range<usize>)>,
    (channels, tenants): (&[ChannelConfig], &[&TenantId]),
    faults: &mut Faults,
) -> Vec<RouteSettings> {
    let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    let mut routes = Vec::new();
    for (mut table, span) in entries {
        keep_known(&mut table, ("route", field_names::<RouteSettings>()), faults);
        if let Some(route) = whole::<RouteSettings>(table, ("route", span.clone()), faults) {
            if let Err(error) = route.check(&names, tenants) {
                faults.add(Some(span), "route", error.to_string());
            }
            routes.push(route);
        }
    }
    routes
}

/// Takes out the keys that nobody knows, each with a fault.
fn keep_known(table: &mut DeTable, (name, keys): (&str, &[&str]), faults: &mut Faults) {
    let unknown: Vec<Spanned<DeString<'_>>> = table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())).cloned().collect();
    for key in unknown {
        table.remove(&key);
        let advice = nearest(key.get_ref(), keys.iter().copied())
            .map_or_else(|| format!("the keys here are {}", keys.join(", ")), |word| format!("did you mean `{word}`?"));
        faults.add(Some(key.span()), &format!("{name}.{}", key.get_ref()), format!("there is no such key; {advice}"));
    }
}

/// Reads a table whose keys are known; its first fault is noted.
fn whole<T: DeserializeOwned>(table: DeTable, (key, span): (&str, Range<usize>), faults: &mut Faults) -> Option<T> {
    match super::check::deserialize(table) {
        Ok(read) => Some(read),
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            faults.add(Some(error.span().filter(|at| !at.is_empty()).unwrap_or(span)), key, message);
            None
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character))
}

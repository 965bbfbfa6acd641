//! Channels: where notices go. A closed set; one file each, with its settings, its limits and its quirks. A channel is handed a digest and
//! says what became of it; when, how often and in which order is the worker's. Secrets are in no text that a channel gives out.

mod alertmanager;
mod document;
mod journald;
mod mail;
mod pagerduty;
mod post;
mod redact;
mod slack;
mod smtp;
mod teams;
mod template;
mod webhook;

use std::{fmt, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

pub use self::{
    alertmanager::AlertmanagerSettings,
    journald::JournaldSettings,
    pagerduty::{PagerdutySettings, Region},
    slack::SlackSettings,
    smtp::{Encryption, SmtpSettings},
    teams::TeamsSettings,
    template::{Priorities, TemplateSettings},
    webhook::WebhookSettings,
};
use super::{
    AlertError, MaybeSecret, SecretSource, Secrets,
    budget::Budget,
    digest::Digest,
    fate::Attempt,
    pace::{Limit, Pace},
};
use crate::{clock::Clock, network::OutboundSettings, store::GroupState};

/// `[channel.NAME]`: the settings of one channel; `kind` says which.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChannelSettings {
    /// Microsoft Teams through Workflows.
    Teams(TeamsSettings),
    /// Slack's incoming webhooks.
    Slack(SlackSettings),
    /// A webhook signed by Standard Webhooks.
    Webhook(WebhookSettings),
    /// Mail.
    Smtp(SmtpSettings),
    /// PagerDuty, Events API v2.
    Pagerduty(PagerdutySettings),
    /// Prometheus Alertmanager, API v2.
    Alertmanager(AlertmanagerSettings),
    /// The journal of systemd.
    Journald(JournaldSettings),
    /// A request by template.
    Template(TemplateSettings),
}

impl ChannelSettings {
    /// The kinds, as `kind` names them.
    pub const KINDS: [&'static str; 8] = ["teams", "slack", "webhook", "smtp", "pagerduty", "alertmanager", "journald", "template"];

    /// Whether notices wait for it in a queue. Alertmanager has none: it is told what is open, again and again.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        !matches!(self, Self::Alertmanager(_))
    }

    /// Every secret that is named, with its key.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&'static str, &SecretSource)> {
        fn of<'a>(key: &'static str, text: &'a MaybeSecret) -> Option<(&'static str, &'a SecretSource)> {
            if let MaybeSecret::Secret(source) = text { Some((key, source)) } else { None }
        }
        match self {
            Self::Teams(settings) => vec![("url", &settings.url)],
            Self::Slack(settings) => vec![("url", &settings.url)],
            Self::Webhook(settings) => {
                let own = of("url", &settings.url).into_iter().chain(settings.secrets.iter().map(|source| ("secrets", source)));
                own.chain(settings.headers.values().filter_map(|value| of("headers", value))).collect()
            }
            Self::Smtp(settings) => settings.password.iter().map(|source| ("password", source)).collect(),
            Self::Pagerduty(settings) => vec![("routing_key", &settings.routing_key)],
            Self::Alertmanager(settings) => {
                let urls = settings.urls.iter().filter_map(|url| of("urls", url));
                urls.chain(settings.headers.values().filter_map(|value| of("headers", value))).collect()
            }
            Self::Journald(_) => Vec::new(),
            Self::Template(settings) => {
                of("url", &settings.url).into_iter().chain(settings.headers.values().filter_map(|value| of("headers", value))).collect()
            }
        }
    }

    /// Every path that it names, for whoever knows where relative ones start.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        fn of(text: &mut MaybeSecret) -> Option<&mut PathBuf> {
            if let MaybeSecret::Secret(source) = text { file(source) } else { None }
        }
        fn file(source: &mut SecretSource) -> Option<&mut PathBuf> {
            if let SecretSource::File(path) = source { Some(path) } else { None }
        }
        fn with<'a>(http: &'a mut OutboundSettings, files: impl Iterator<Item = &'a mut PathBuf>) -> Vec<&'a mut PathBuf> {
            http.ca_files.iter_mut().chain(files).collect()
        }
        match self {
            Self::Teams(settings) => with(&mut settings.http, file(&mut settings.url).into_iter()),
            Self::Slack(settings) => with(&mut settings.http, file(&mut settings.url).into_iter()),
            Self::Webhook(settings) => {
                let files = of(&mut settings.url).into_iter().chain(settings.secrets.iter_mut().filter_map(file));
                with(&mut settings.http, files.chain(settings.headers.values_mut().filter_map(of)))
            }
            Self::Smtp(settings) => settings.ca_files.iter_mut().chain(settings.password.as_mut().and_then(file)).collect(),
            Self::Pagerduty(settings) => with(&mut settings.http, file(&mut settings.routing_key).into_iter()),
            Self::Alertmanager(settings) => {
                let files = settings.urls.iter_mut().filter_map(of);
                with(&mut settings.http, files.chain(settings.headers.values_mut().filter_map(of)))
            }
            Self::Journald(settings) => vec![&mut settings.socket],
            Self::Template(settings) => {
                with(&mut settings.http, of(&mut settings.url).into_iter().chain(settings.headers.values_mut().filter_map(of)))
            }
        }
    }
}

/// What a channel is opened with.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// Its name.
    pub name: &'a str,
    /// Reads secrets.
    pub secrets: &'a Secrets<'a>,
    /// Tells how long a `Retry-After` with a date still lasts.
    pub clock: &'a Clock,
}

impl Opening<'_> {
    fn wrong(&self, setting: &'static str, problem: String) -> AlertError {
        AlertError::Setting { channel: self.name.to_owned(), setting, problem }
    }

    fn secret(&self, setting: &'static str, source: &SecretSource) -> Result<SecretString, AlertError> {
        (self.secrets)(source).map_err(|problem| self.wrong(setting, format!("names {source}, which {problem}")))
    }

    fn maybe_secret(&self, setting: &'static str, text: &MaybeSecret) -> Result<SecretString, AlertError> {
        match text {
            MaybeSecret::Open(text) => Ok(text.as_str().into()),
            MaybeSecret::Secret(source) => self.secret(setting, source),
        }
    }
}

/// A file that goes with a notice where the channel takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, such as `contoso.csv`.
    pub name: String,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub content_type: String,
    /// What is in it.
    pub bytes: std::sync::Arc<[u8]>,
}

impl Attachment {
    /// Bytes that any channel takes at most. What is longer is not attached, whole or not.
    pub const MOST: usize = 20_000_000;
}

/// The circumstances of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// Seconds since 1970.
    pub(super) now: i64,
    /// Whether the channel found the first rendering too large.
    pub(super) is_small: bool,
    /// What goes with it.
    pub(super) attachment: Option<&'a Attachment>,
}

/// A channel that can be sent to. Cloned freely; its `Debug` shows its name alone.
#[derive(Clone)]
pub struct Channel {
    name: String,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Teams(teams::Teams),
    Slack(slack::Slack),
    Webhook(webhook::Webhook),
    Smtp(smtp::Smtp),
    Pagerduty(pagerduty::Pagerduty),
    Alertmanager(alertmanager::Alertmanager),
    Journald(journald::Journald),
    Template(template::Template),
}

impl fmt::Debug for Channel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Channel").field(&self.name).finish()
    }
}

impl Channel {
    /// Reads the secrets and checks the settings; opens no connection.
    ///
    /// # Errors
    /// [`AlertError`], with the setting that is wrong and what to do.
    pub fn open(settings: &ChannelSettings, opening: Opening<'_>) -> Result<Self, AlertError> {
        let way = match settings {
            ChannelSettings::Teams(settings) => Way::Teams(teams::Teams::open(settings, &opening)?),
            ChannelSettings::Slack(settings) => Way::Slack(slack::Slack::open(settings, &opening)?),
            ChannelSettings::Webhook(settings) => Way::Webhook(webhook::Webhook::open(settings, &opening)?),
            ChannelSettings::Smtp(settings) => Way::Smtp(smtp::Smtp::open(settings, &opening)?),
            ChannelSettings::Pagerduty(settings) => Way::Pagerduty(pagerduty::Pagerduty::open(settings, &opening)?),
            ChannelSettings::Alertmanager(settings) => Way::Alertmanager(alertmanager::Alertmanager::open(settings, &opening)?),
            ChannelSettings::Journald(settings) => Way::Journald(journald::Journald::open(settings, &opening)?),
            ChannelSettings::Template(settings) => Way::Template(template::Template::open(settings, &opening)?),
        };
        Ok(Self { name: opening.name.to_owned(), way })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether notices wait for it in a queue. Alertmanager has none: it is told what is open, again and again.
    #[must_use]
    pub fn has_queue(&self) -> bool {
        !matches!(self.way, Way::Alertmanager(_))
    }

    /// Whether reports go with its notices.
    #[must_use]
    pub fn takes_attachments(&self) -> bool {
        if let Way::Smtp(smtp) = &self.way { smtp.takes_attachments() } else { false }
    }

    /// What is likely to go wrong with it one day.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        if let Way::Teams(teams) = &self.way { teams.warning() } else { None }
    }

    /// How fast it may be sent to.
    pub(super) fn pace(&self) -> Pace {
        let limit = |count, seconds| Limit { count, seconds };
        match &self.way {
            // the connectors' table; those of Workflows are not published
            Way::Teams(_) => Pace::new(vec![limit(1, 2), limit(60, 3_600)]),
            Way::Slack(_) => Pace::new(vec![limit(1, 1)]),
            Way::Pagerduty(_) => Pace::new(vec![limit(120, 60)]),
            Way::Smtp(_) => Pace::new(vec![limit(1, 1), limit(120, 3_600)]),
            Way::Webhook(_) | Way::Template(_) => Pace::new(vec![limit(1, 1), limit(60, 60)]),
            Way::Journald(_) | Way::Alertmanager(_) => Pace::new(Vec::new()),
        }
    }

    /// Sends a notice once.
    pub(super) async fn send(&self, digest: &Digest<'_>, terms: Terms<'_>) -> Attempt {
        let budget = |budget: Budget| if terms.is_small { budget.halved() } else { budget };
        match &self.way {
            Way::Teams(workflow) => workflow.send(digest, budget(teams::BUDGET)).await,
            Way::Slack(slack) => slack.send(digest, budget(slack::BUDGET)).await,
            Way::Webhook(webhook) => webhook.send(digest, budget(webhook::BUDGET), terms.now).await,
            Way::Smtp(smtp) => smtp.send(digest, budget(mail::BUDGET), terms).await,
            Way::Pagerduty(pagerduty) => pagerduty.send(digest, budget(pagerduty::BUDGET)).await,
            Way::Alertmanager(alertmanager) => alertmanager.send_digest(digest, terms.now).await,
            Way::Journald(journald) => journald.send(digest, budget(journald::BUDGET)).await,
            Way::Template(template) => template.send(digest, budget(template.budget())).await,
        }
    }

    /// Tells what is open, where the channel wants to know that; `None` where it has a queue.
    pub(super) async fn tell(&self, groups: &[GroupState], wording: &super::Wording, now: i64) -> Option<Attempt> {
        if let Way::Alertmanager(alertmanager) = &self.way { Some(alertmanager.tell(groups, wording, now).await) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens something as the channel `ops`; every secret is its own name.
    pub(super) fn opened<T>(open: impl Fn(&Opening<'_>) -> T) -> T {
        let secrets = |source: &SecretSource| match source {
            SecretSource::Credential(name) => Ok(name.as_str().into()),
            _ => Err("cannot be read".to_owned()),
        };
        open(&Opening { name: "ops", secrets: &secrets, clock: &Clock::system() })
    }

    #[test]
    fn every_kind_is_read_by_its_name() {
        for kind in ChannelSettings::KINDS {
            let error = toml::from_str::<ChannelSettings>(&format!("kind = '{kind}'\nno_such_key = 1")).unwrap_err();
            assert!(error.message().contains("no_such_key"), "{kind}: {error}");
        }
        assert!(toml::from_str::<ChannelSettings>("kind = 'fax'").is_err());
    }
}

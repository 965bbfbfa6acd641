//! The books: what the database says happened to incidents and was sent, against what the receivers of notices say they were sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::fakenet::sink::Post;

/// One connection for looking at a database, beside whoever works with it.
pub(crate) struct Ledger(SqliteConnection);

/// What was found; a line for each thing that must not be.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    pub(crate) runs: usize,
    /// Changes of incidents.
    pub(crate) changes: usize,
    /// Notices that were delivered.
    pub(crate) notices: usize,
    pub(crate) lost: Vec<String>,
    pub(crate) out_of_order: Vec<String>,
    pub(crate) contradictions: Vec<String>,
}

impl Proof {
    pub(crate) fn faults(&self) -> impl Iterator<Item = &String> {
        self.lost.iter().chain(&self.out_of_order).chain(&self.contradictions)
    }
}

/// A row of the event log.
#[derive(Debug)]
struct Event {
    id: i64,
    incident: i64,
    stream: String,
    at: i64,
    change: String,
    episode: i64,
    is_open: bool,
    is_muted: bool,
}

type EventRow = (i64, i64, String, i64, String, i64, bool, bool);

/// A row of the outbox.
#[derive(Debug)]
struct Notice {
    id: String,
    channel: String,
    stream: String,
    after: i64,
    through: i64,
    state: String,
}

/// A row of the incidents.
#[derive(Debug)]
struct Incident {
    id: i64,
    key: String,
    state: String,
    episode: i64,
    opened_at: Option<i64>,
    resolved_at: Option<i64>,
}

type IncidentRow = (i64, String, String, i64, Option<i64>, Option<i64>);

impl Ledger {
    pub(crate) async fn open(database: &Path) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new().filename(database).read_only(true);
        SqliteConnection::connect_with(&options).await.map(Self)
    }

    /// Notices of a channel whose delivery is committed.
    pub(crate) async fn delivered(&mut self, channel: &str) -> sqlx::Result<BTreeSet<String>> {
        let ids = sqlx::query_scalar("SELECT id FROM notice WHERE channel = $1 AND state = 'delivered'").bind(channel);
        Ok(ids.fetch_all(&mut self.0).await?.into_iter().collect())
    }

    /// SQLite's own short check.
    pub(crate) async fn is_undamaged(&mut self) -> sqlx::Result<bool> {
        let said: Vec<String> = sqlx::query_scalar("PRAGMA quick_check").fetch_all(&mut self.0).await?;
        Ok(said == ["ok"])
    }

    /// Compares the log with the incidents, and what each channel acknowledged with the log. Everything goes to every channel.
    pub(crate) async fn prove(&mut self, channels: &[(&str, Vec<Post>)]) -> sqlx::Result<Proof> {
        let runs: i64 = sqlx::query_scalar("SELECT count(*) FROM run").fetch_one(&mut self.0).await?;
        let (events, notices, incidents) = (self.events().await?, self.notices().await?, self.incidents().await?);
        let mut proof = Proof {
            runs: usize::try_from(runs).unwrap(),
            changes: events.len(),
            notices: notices.iter().filter(|notice| notice.state == "delivered").count(),
            ..Proof::default()
        };
        for incident in &incidents {
            let own: Vec<&Event> = events.iter().filter(|event| event.incident == incident.id).collect();
            if let Some(fault) = contradiction(incident, &own) {
                proof.contradictions.push(format!("{}: {fault}", incident.key));
            }
        }
        for notice in notices.iter().filter(|notice| notice.state != "delivered") {
            proof.lost.push(format!("notice {} to {} is {}", notice.id, notice.channel, notice.state));
        }
        for (channel, posts) in channels {
            let account = Account { channel, events: &events, notices: &notices };
            let keys: BTreeMap<i64, &str> = incidents.iter().map(|incident| (incident.id, incident.key.as_str())).collect();
            account.settle(posts, &keys, &mut proof);
        }
        Ok(proof)
    }

    async fn events(&mut self) -> sqlx::Result<Vec<Event>> {
        let rows: Vec<EventRow> =
            sqlx::query_as("SELECT id, incident, stream, at, change, episode, is_open, is_muted FROM event ORDER BY id")
                .fetch_all(&mut self.0)
                .await?;
        let event = |(id, incident, stream, at, change, episode, is_open, is_muted)| Event {
            id,
            incident,
            stream,
            at,
            change,
            episode,
            is_open,
            is_muted,
        };
        Ok(rows.into_iter().map(event).collect())
    }

    async fn notices(&mut self) -> sqlx::Result<Vec<Notice>> {
        let rows: Vec<(String, String, String, i64, i64, String)> =
            sqlx::query_as("SELECT id, channel, stream, after, through, state FROM notice ORDER BY after, through")
                .fetch_all(&mut self.0)
                .await?;
        let notice = |(id, channel, stream, after, through, state)| Notice { id, channel, stream, after, through, state };
        Ok(rows.into_iter().map(notice).collect())
    }

    async fn incidents(&mut self) -> sqlx::Result<Vec<Incident>> {
        let rows: Vec<IncidentRow> = sqlx::query_as("SELECT id, key, state, episode, opened_at, resolved_at FROM incident ORDER BY id")
            .fetch_all(&mut self.0)
            .await?;
        let incident = |(id, key, state, episode, opened_at, resolved_at)| Incident { id, key, state, episode, opened_at, resolved_at };
        Ok(rows.into_iter().map(incident).collect())
    }
}

/// What contradicts itself between an incident and its part of the log.
fn contradiction(incident: &Incident, events: &[&Event]) -> Option<String> {
    let Some(last) = events.last() else {
        return (incident.episode > 0 || incident.state == "open").then(|| format!("{} without any change in the log", incident.state));
    };
    if last.is_open != (incident.state == "open") || last.episode != incident.episode {
        return Some(format!("is {} in episode {}, and the log ends with {last:?}", incident.state, incident.episode));
    }
    let of_episode: Vec<&&Event> = events.iter().filter(|event| event.episode == incident.episode).collect();
    let began = of_episode.first().map(|event| event.at);
    if began != incident.opened_at {
        return Some(format!("opened at {:?}, by the log at {began:?}", incident.opened_at));
    }
    let ended = of_episode.iter().find(|event| !event.is_open).map(|event| event.at);
    if incident.state == "resolved" && ended != incident.resolved_at {
        return Some(format!("resolved at {:?}, by the log at {ended:?}", incident.resolved_at));
    }
    let episodes: BTreeSet<i64> = events.iter().map(|event| event.episode).collect();
    let expected: BTreeSet<i64> = (1..=incident.episode).collect();
    (episodes != expected).then(|| format!("has {} episodes, by the log {episodes:?}", incident.episode))
}

/// A channel's part.
struct Account<'a> {
    channel: &'a str,
    events: &'a [Event],
    notices: &'a [Notice],
}

impl Account<'_> {
    fn settle(&self, posts: &[Post], keys: &BTreeMap<i64, &str>, proof: &mut Proof) {
        let (mut told, mut reached) = (BTreeSet::new(), BTreeMap::<&str, i64>::new());
        for post in posts.iter().filter(|post| post.is_acknowledged()) {
            let id = post.header("webhook-id");
            let Some(notice) = self.notices.iter().find(|notice| notice.id == id && notice.channel == self.channel) else {
                proof.contradictions.push(format!("{} took {id}, which the database does not know", self.channel));
                continue;
            };
            let before = reached.insert(&notice.stream, notice.through).unwrap_or_default();
            // the same may come again, as it was
            if notice.through < before || (notice.after < before && notice.through != before) {
                proof.out_of_order.push(format!("{} took {notice:?} after what ends at {before}", self.channel));
            }
            let ((said, left_out), meant) = (said(post), self.meant(notice));
            let is_so = said.iter().all(|(incident, changes)| meant.get(incident) == Some(changes));
            if !is_so || said.len() + left_out != meant.len() {
                proof.contradictions.push(format!("{} was told {said:?} and {left_out} more by {id}, not {meant:?}", self.channel));
            }
            let range = self.events.iter().filter(|event| event.stream == notice.stream && is_in(notice, event));
            told.extend(range.filter(|event| left_out > 0 || said.contains_key(&event.incident)).map(|event| event.id));
        }
        let own = format!("channel/{}", self.channel);
        let untold = self.events.iter().filter(|event| !event.is_muted && !told.contains(&event.id));
        for event in untold.filter(|event| keys.get(&event.incident) != Some(&own.as_str())) {
            proof.lost.push(format!("{} was not told of {event:?}", self.channel));
        }
    }

    /// What a notice has to tell: of each incident the changes, the same in a row once.
    fn meant(&self, notice: &Notice) -> BTreeMap<i64, Vec<String>> {
        let mut meant = BTreeMap::<i64, Vec<String>>::new();
        let range = self.events.iter().filter(|event| event.stream == notice.stream && is_in(notice, event) && !event.is_muted);
        for event in range {
            let changes = meant.entry(event.incident).or_default();
            if changes.last() != Some(&event.change) {
                changes.push(event.change.clone());
            }
        }
        meant
    }
}

fn is_in(notice: &Notice, event: &Event) -> bool {
    event.id > notice.after && event.id <= notice.through
}

/// What a body tells, and how many incidents it counts without naming them.
fn said(post: &Post) -> (BTreeMap<i64, Vec<String>>, usize) {
    let body: Value = serde_json::from_str(&post.body).unwrap();
    let incidents = body["data"]["incidents"].as_array().unwrap();
    let changes = |incident: &Value| serde_json::from_value(incident["changes"].clone()).unwrap();
    let named = incidents.iter().map(|incident| (incident["incident"].as_i64().unwrap(), changes(incident))).collect();
    (named, serde_json::from_value(body["data"]["incidents_left_out"].clone()).unwrap())
}

/// Notices that a channel was sent after their delivery had been committed; by looks at the database, each with the number of posts that
/// had come in when it was over.
pub(crate) fn duplicates(looks: &[(usize, BTreeSet<String>)], posts: &[Post]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (count, delivered) in looks {
        let later = posts.get(*count..).unwrap_or_default().iter().map(|post| post.header("webhook-id"));
        found.extend(later.filter(|id| delivered.contains(*id)).map(str::to_owned));
    }
    found.into_iter().collect()
}

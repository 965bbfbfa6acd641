//! What the servers saw.

use std::{collections::HashMap, sync::Mutex};

/// A request that came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub https: bool,
    pub host: String,
    pub method: String,
    pub path: String,
    /// Without the `?`; empty where there is none.
    pub query: String,
    pub user_agent: String,
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    pub body: String,
}

impl Seen {
    /// `https://host/path?query`.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{scheme}://{}{}{mark}{}", self.host, self.path, self.query)
    }

    /// The address that is asked about: `emailaddress` of the query, or `EMailAddress` of the body.
    pub fn address(&self) -> Option<String> {
        let query = url::form_urlencoded::parse(self.query.as_bytes());
        let asked = query.into_owned().find(|(key, _)| key == "emailaddress").map(|(_, value)| value);
        asked.or_else(|| {
            let (_, rest) = self.body.split_once("<EMailAddress>")?;
            Some(rest.split_once("</EMailAddress>")?.0.trim().replace("&amp;", "&"))
        })
    }
}

/// The requests, at most 20,000; the counts by host, scheme and path.
#[derive(Default)]
pub struct Log {
    seen: Mutex<Vec<Seen>>,
    counts: Mutex<HashMap<(bool, String, String), usize>>,
}

impl Log {
    pub fn push(&self, seen: &Seen) {
        let mut kept = self.seen.lock().unwrap();
        if kept.len() < LIMIT {
            kept.push(seen.clone());
        }
    }

    pub fn all(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn clear(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// How often this was called for the same host, scheme and path before.
    pub fn count(&self, seen: &Seen) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry((seen.https, seen.host.clone(), seen.path.clone())).or_default();
        *count += 1;
        *count - 1
    }
}

const LIMIT: usize = 20_000;

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
    /// The header by which AutoDetect is told the address.
    pub email: Option<String>,
    pub body: String,
}

impl Seen {
    /// `https://host/path?query`.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{scheme}://{}{}{mark}{}", self.host, self.path, self.query)
    }

    /// The address that is asked about: of the query (`emailaddress`, `Email`), of the path, of the header `X-Email`, or
    /// `EMailAddress` of the body.
    pub fn address(&self) -> Option<String> {
        let asked = self.parameter("emailaddress").or_else(|| self.parameter("Email"));
        let in_path = || self.path.split('/').map(decoded).find(|part| part.contains('@'));
        let in_body = || {
            let (_, rest) = self.body.split_once("<EMailAddress>")?;
            Some(rest.split_once("</EMailAddress>")?.0.trim().replace("&amp;", "&"))
        };
        asked.or_else(in_path).or_else(|| self.email.clone()).or_else(in_body)
    }

    /// A parameter of the query, whatever the case of its name.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let query = url::form_urlencoded::parse(self.query.as_bytes());
        query.into_owned().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The requests, at most 20,000; the counts by URL and matter.
#[derive(Default)]
pub struct Log {
    seen: Mutex<Vec<Seen>>,
    counts: Mutex<HashMap<(String, String), usize>>,
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

    /// How often this was called for the same URL and matter before.
    pub fn count(&self, seen: &Seen, matter: &str) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry((seen.url(), matter.to_owned())).or_default();
        *count += 1;
        *count - 1
    }
}

/// A part of a path without percent-encoding.
fn decoded(part: &str) -> String {
    // the form's `+` is no space in a path
    let key = part.replace('+', "%2B");
    url::form_urlencoded::parse(key.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

const LIMIT: usize = 20_000;

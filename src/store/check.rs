//! Whether the database is sound: SQLite's own checks, and what must hold beyond its constraints.

use sqlx::SqliteConnection;

use super::{
    Reader, StoreError,
    content::digest_of,
    error::doing,
    seal::{Broken, find_broken},
    sqlite::{integrity, orphans},
};

/// What the check found, a line each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// What SQLite says of its file.
    pub integrity: Vec<String>,
    /// Rows whose parent is missing.
    pub orphans: Vec<String>,
    /// What contradicts itself.
    pub contradictions: Vec<String>,
    /// Domains whose mailboxes something else than an audit has changed, which audits would not notice.
    pub seals: Vec<String>,
}

impl Check {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems().next().is_none()
    }

    /// Everything that was found.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.integrity.iter().chain(&self.orphans).chain(&self.contradictions).chain(&self.seals).map(String::as_str)
    }

    /// Whether nothing but seals is wrong: [`super::Store::break_wrong_seals`] then mends it, and no backup is needed.
    #[must_use]
    pub fn is_mendable(&self) -> bool {
        self.integrity.is_empty() && self.orphans.is_empty() && self.contradictions.is_empty() && !self.seals.is_empty()
    }
}

impl Reader {
    /// Reads the whole database and checks it. Damage is the result, not an error.
    ///
    /// # Errors
    /// [`StoreError::Query`] where the check itself cannot be made.
    pub async fn check(&self) -> Result<Check, StoreError> {
        // one state of the database, though an audit goes on
        let mut tx = self.pool.begin().await.map_err(doing("begin the check"))?;
        let mut check = Check { integrity: integrity(&mut tx).await?, ..Check::default() };
        // a broken file makes the others fail or lie
        if check.integrity.is_empty() {
            check.orphans = orphans(&mut tx).await?;
            check.contradictions = contradictions(&mut tx).await?;
            let broken = find_broken(&mut tx).await.map_err(doing("compare the seals"))?;
            check.seals = broken.iter().map(in_words).collect();
        }
        tx.rollback().await.map_err(doing("end the check"))?;
        Ok(check)
    }
}

fn in_words(Broken { tenant, domain }: &Broken) -> String {
    format!("the mailboxes of {domain} (tenant {tenant}) are not as the last audit left them, and the next one would not notice")
}

async fn contradictions(connection: &mut SqliteConnection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    for (what, query) in COUNTS {
        let count: i64 = sqlx::query_scalar(*query).fetch_one(&mut *connection).await.map_err(doing("check the contents"))?;
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    }
    for (what, query) in CONTENTS {
        let wrong = wrong_digests(connection, query).await.map_err(doing("check the contents"))?;
        if wrong > 0 {
            found.push(format!("{wrong} {what} that do not match their digest"));
        }
    }
    Ok(found)
}

/// Reads a page at a time, so that the bodies are never in memory together.
async fn wrong_digests(connection: &mut SqliteConnection, query: &'static str) -> sqlx::Result<u64> {
    let (mut wrong, mut after) = (0, Vec::new());
    loop {
        let page: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(query).bind(after.as_slice()).fetch_all(&mut *connection).await?;
        let Some((last, _)) = page.last() else { return Ok(wrong) };
        after.clone_from(last);
        wrong += page.iter().filter(|(digest, bytes)| digest_of(bytes).as_slice() != digest.as_slice()).count() as u64;
    }
}

const COUNTS: &[(&str, &str)] = &[
    (
        "mailboxes whose outcome is not the newest of their history",
        "SELECT count(*) FROM mailbox m WHERE m.outcome IS DISTINCT FROM
           (SELECT h.outcome FROM history h WHERE h.mailbox = m.id ORDER BY h.run DESC LIMIT 1)",
    ),
    ("mailboxes without history", "SELECT count(*) FROM mailbox m WHERE NOT EXISTS (SELECT 1 FROM history h WHERE h.mailbox = m.id)"),
    (
        "history rows before their mailbox was first met",
        "SELECT count(*) FROM history h JOIN mailbox m ON m.id = h.mailbox WHERE h.run < m.first_run",
    ),
    ("runs under way at once, beyond the newest", "SELECT count(*) FROM run WHERE state = 'running' AND id < (SELECT max(id) FROM run)"),
];

const CONTENTS: &[(&str, &str)] = &[
    ("outcomes", "SELECT digest, CAST(body AS BLOB) FROM outcome WHERE digest > $1 ORDER BY digest LIMIT 100"),
    ("answers", "SELECT digest, CAST(json AS BLOB) FROM dossier WHERE digest > $1 ORDER BY digest LIMIT 100"),
    ("bodies", "SELECT digest, bytes FROM body WHERE digest > $1 ORDER BY digest LIMIT 100"),
];

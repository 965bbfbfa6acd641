//! Stored texts by id, read once and kept from page to page, within a bound of bytes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::de::DeserializeOwned;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    StoreError,
    error::{doing, stored},
};

/// Stored texts by id, each read once. Once they are too large, what the page at hand does not need is forgotten.
pub(super) struct Bodies<T> {
    table: &'static str,
    read: HashMap<i64, Body<T>>,
    /// Of all texts.
    bytes: usize,
}

struct Body<T> {
    value: Arc<T>,
    /// Of its text; the value takes a few times as much.
    bytes: usize,
}

impl<T: DeserializeOwned> Bodies<T> {
    pub(super) fn new(table: &'static str) -> Self {
        Self { table, read: HashMap::new(), bytes: 0 }
    }

    pub(super) fn find(&self, id: i64) -> Option<Arc<T>> {
        self.read.get(&id).map(|body| body.value.clone())
    }

    /// Reads what is wanted and not there.
    pub(super) async fn load(&mut self, connection: &mut SqliteConnection, wanted: impl Iterator<Item = i64>) -> Result<(), StoreError> {
        let wanted: HashSet<i64> = wanted.collect();
        if self.bytes > BYTES {
            self.read.retain(|id, _| wanted.contains(id));
            self.bytes = self.read.values().map(|body| body.bytes).sum();
        }
        let missing: Vec<i64> = wanted.into_iter().filter(|id| !self.read.contains_key(id)).collect();
        for chunk in missing.chunks(500) {
            let mut select = QueryBuilder::<Sqlite>::new(format!("SELECT id, body FROM {} WHERE id IN (", self.table));
            let mut ids = select.separated(", ");
            for id in chunk {
                ids.push_bind(*id);
            }
            ids.push_unseparated(")");
            let rows: Vec<(i64, String)> =
                select.build_query_as().persistent(false).fetch_all(&mut *connection).await.map_err(doing("read the outcomes"))?;
            for (id, text) in rows {
                let value = Arc::new(serde_json::from_str(&text).map_err(stored(self.table))?);
                self.read.insert(id, Body { value, bytes: text.len() });
                self.bytes += text.len();
            }
        }
        Ok(())
    }
}

/// Bytes of text that are kept, beside those of the page at hand.
const BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn large_texts_are_forgotten_and_those_at_hand_are_kept() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql("CREATE TABLE outcome (id INTEGER PRIMARY KEY, body TEXT)").execute(&mut connection).await.unwrap();
        let text = serde_json::to_string(&"x".repeat(1024 * 1024)).unwrap();
        for id in 0..40 {
            sqlx::query("INSERT INTO outcome VALUES ($1, $2)").bind(id).bind(&text).execute(&mut connection).await.unwrap();
        }
        let mut bodies = Bodies::<String>::new("outcome");
        let mut most = 0;
        for page in (0..40).collect::<Vec<i64>>().chunks(4) {
            bodies.load(&mut connection, page.iter().copied().chain([0])).await.unwrap();
            assert!(page.iter().chain(&[0]).all(|id| bodies.find(*id).is_some()));
            most = most.max(bodies.bytes);
            assert_eq!(bodies.bytes, bodies.read.len() * text.len());
        }
        assert!(most <= BYTES + 5 * text.len(), "{most}");
    }
}

//! Dropping rows that nobody needs, a page at a time: readers look for them, and only where there are some is anybody kept from
//! writing, for a page.

use std::collections::HashSet;

use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use super::{Store, StoreError, error::doing, retention::Cut, sqlite};

/// A table whose old rows are looked for in the order of a number.
struct Table {
    /// Takes `$1`, after which number, `$2`, how many rows are looked at, and `$3`; the number of the last of them, and whether any is old.
    look: &'static str,
    /// Each takes `$1`, after which number, `$2`, up to which, and `$3`.
    delete: &'static [&'static str],
    /// Rows that are looked at together.
    page: i64,
}

impl Store {
    /// Drops what lies before the cut, in the order in which one thing refers to the other. Returns how many rows.
    pub(super) async fn sweep(&self, cut: Cut) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for (table, bound) in [(&HISTORY, cut.run), (&MAILBOX, cut.run)] {
            dropped += self.sweep_table(table, bound).await?;
        }
        dropped += self.sweep_domains(cut.run).await?;
        for (table, bound) in [(&DOSSIER, 0), (&BODY, 0)] {
            dropped += self.sweep_table(table, bound).await?;
        }
        dropped += self.drop_outcomes(&self.find_outcomes().await?).await?;
        dropped += self.sweep_ended(cut).await?;
        for (table, bound) in [(&EVENT, cut.event), (&RESOLVED, cut.event), (&DISMISSED, cut.dismissed)] {
            dropped += self.sweep_table(table, bound).await?;
        }
        dropped += self.sweep_runs(cut.run).await?;
        Ok(dropped)
    }

    async fn sweep_table(&self, table: &Table, bound: i64) -> Result<u64, StoreError> {
        let (mut after, mut dropped) = (0, 0);
        loop {
            let (last, is_old): (Option<i64>, bool) = sqlx::query_as(table.look)
                .bind(after)
                .bind(table.page)
                .bind(bound)
                .fetch_one(&self.reader.pool)
                .await
                .map_err(doing("look for what is old"))?;
            let Some(last) = last else { return Ok(dropped) };
            if is_old {
                dropped += self.attempt(|| self.sweep_page(table, (after, last), bound)).await?;
            }
            after = last;
        }
    }

    async fn sweep_page(&self, table: &Table, (after, last): (i64, i64), bound: i64) -> Result<u64, StoreError> {
        let (mut tx, mut dropped) = (self.begin().await?, 0);
        for delete in table.delete {
            let deleted =
                sqlx::query(*delete).bind(after).bind(last).bind(bound).execute(&mut *tx).await.map_err(doing("drop what is old"))?;
            dropped += deleted.rows_affected();
        }
        tx.commit().await.map_err(doing("drop what is old"))?;
        Ok(dropped)
    }

    /// Older answers about domains, and domains without mailboxes.
    async fn sweep_domains(&self, run: i64) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for (look, delete) in [(OLD_ANSWERS, ANSWERS), (EMPTY_DOMAINS, DOMAIN)] {
            let (mut after, mut page) = ((String::new(), String::new()), Vec::<(String, String)>::new());
            loop {
                page.clear();
                page.extend(
                    sqlx::query_as::<_, (String, String)>(look)
                        .bind(&after.0)
                        .bind(&after.1)
                        .bind(run)
                        .fetch_all(&self.reader.pool)
                        .await
                        .map_err(doing("look for what is old"))?,
                );
                let Some(last) = page.last() else { break };
                after.clone_from(last);
                dropped += self.attempt(|| self.sweep_these(delete, &page, run)).await?;
            }
        }
        Ok(dropped)
    }

    async fn sweep_these(&self, delete: &[&'static str], domains: &[(String, String)], run: i64) -> Result<u64, StoreError> {
        let (mut tx, mut dropped) = (self.begin().await?, 0);
        for (tenant, domain) in domains {
            for delete in delete {
                let deleted =
                    sqlx::query(*delete).bind(tenant).bind(domain).bind(run).execute(&mut *tx).await.map_err(doing("drop what is old"))?;
                dropped += deleted.rows_affected();
            }
        }
        tx.commit().await.map_err(doing("drop what is old"))?;
        Ok(dropped)
    }

    /// What is over, and of which there is never much.
    async fn sweep_ended(&self, cut: Cut) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for (delete, before) in
            [(ENDED_NOTICES, cut.notice), (ENDED_DEMANDS, cut.demand), (ENDED_EXEMPTIONS, cut.event), (OLD_ENTRIES, cut.event)]
        {
            loop {
                let deleted = self
                    .attempt(|| async { sqlx::query(delete).bind(before).execute(&self.writer).await.map_err(doing("drop what is over")) });
                match deleted.await?.rows_affected() {
                    0 => break,
                    some => dropped += some,
                }
            }
        }
        Ok(dropped)
    }

    /// Outcomes that no mailbox has or had. What mailboxes get from now on is watched.
    async fn find_outcomes(&self) -> Result<Vec<i64>, StoreError> {
        {
            let _turn = self.writer.acquire().await.map_err(doing("begin to write"))?;
            self.known.watch();
        }
        sqlx::query_scalar(OUTCOMES_OF_NOBODY).fetch_all(&self.reader.pool).await.map_err(doing("look for what is old"))
    }

    async fn drop_outcomes(&self, old: &[i64]) -> Result<u64, StoreError> {
        let dropped = self.drop_unchecked(old, &["DELETE FROM outcome WHERE id IN ("], |outcome| !self.known.is_in_use(outcome)).await;
        self.known.end_watch();
        dropped
    }

    /// Runs that nothing refers to. Nothing new ever refers to an old run.
    async fn sweep_runs(&self, run: i64) -> Result<u64, StoreError> {
        let used: Vec<i64> =
            sqlx::query_scalar(RUNS_IN_USE).bind(run).fetch_all(&self.reader.pool).await.map_err(doing("look for old runs"))?;
        let used: HashSet<i64> = used.into_iter().collect();
        let known: Vec<i64> = sqlx::query_scalar("SELECT id FROM run WHERE id <= $1 AND id < (SELECT max(id) FROM run)")
            .bind(run)
            .fetch_all(&self.reader.pool)
            .await
            .map_err(doing("look for old runs"))?;
        let old: Vec<i64> = known.into_iter().filter(|id| !used.contains(id)).collect();
        self.drop_unchecked(&old, &["DELETE FROM run_tenant WHERE run IN (", "DELETE FROM run WHERE id IN ("], |_| true).await
    }

    /// Drops rows that were found to be of no use, without SQLite's own search for what refers to them: for each of them it would read
    /// all mailboxes and their history, which have no index for that, as it would cost more than all that is gained.
    async fn drop_unchecked(
        &self,
        rows: &[i64],
        statements: &[&'static str],
        is_still_old: impl Fn(i64) -> bool,
    ) -> Result<u64, StoreError> {
        let mut dropped = 0;
        for chunk in rows.chunks(CHUNK) {
            dropped += self
                .attempt(|| async {
                    // nobody of ours writes meanwhile
                    let _turn = self.writer.acquire().await.map_err(doing("begin to write"))?;
                    self.known.forget();
                    let mut own = sqlite::connect_unchecked(&self.reader.path).await?;
                    drop_rows(&mut own, statements, chunk.iter().copied().filter(|row| is_still_old(*row)))
                        .await
                        .map_err(doing("drop what is old"))
                })
                .await?;
        }
        Ok(dropped)
    }
}

async fn drop_rows(
    connection: &mut SqliteConnection,
    statements: &[&'static str],
    rows: impl Iterator<Item = i64> + Clone,
) -> sqlx::Result<u64> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut dropped = 0;
    for statement in statements {
        let mut delete = QueryBuilder::<Sqlite>::new(*statement);
        let mut ids = delete.separated(", ");
        for row in rows.clone() {
            ids.push_bind(row);
        }
        ids.push_unseparated(")");
        dropped += delete.build().persistent(false).execute(&mut *tx).await?.rows_affected();
    }
    tx.commit().await?;
    Ok(dropped)
}

/// Of each mailbox: all but the newest row up to the run.
const HISTORY: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT m.id, (SELECT count(*) FROM history h WHERE h.mailbox = m.id AND h.run <= $3) > 1 AS is_old
              FROM mailbox m WHERE m.id > $1 ORDER BY m.id LIMIT $2)",
    delete: &["DELETE FROM history WHERE mailbox > $1 AND mailbox <= $2
                 AND run < (SELECT max(h.run) FROM history h WHERE h.mailbox = history.mailbox AND h.run <= $3)"],
    page: 200,
};
/// Mailboxes that left the list up to the run.
const MAILBOX: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT m.id, m.outcome IS NULL AND NOT EXISTS (SELECT 1 FROM history h WHERE h.mailbox = m.id AND h.run > $3) AS is_old
              FROM mailbox m WHERE m.id > $1 ORDER BY m.id LIMIT $2)",
    delete: &[
        "DELETE FROM history WHERE mailbox IN (SELECT m.id FROM mailbox m WHERE m.outcome IS NULL AND m.id > $1 AND m.id <= $2
           AND NOT EXISTS (SELECT 1 FROM history h WHERE h.mailbox = m.id AND h.run > $3))",
        "DELETE FROM mailbox WHERE outcome IS NULL AND id > $1 AND id <= $2
           AND NOT EXISTS (SELECT 1 FROM history h WHERE h.mailbox = mailbox.id) AND $3 = $3",
    ],
    page: 500,
};
/// Answers that no domain has or had.
const DOSSIER: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT d.id, NOT EXISTS (SELECT 1 FROM domain_dossier c WHERE c.dossier = d.id) AS is_old
              FROM dossier d WHERE d.id > $1 AND $3 = $3 ORDER BY d.id LIMIT $2)",
    delete: &[
        "DELETE FROM dossier_body WHERE dossier > $1 AND dossier <= $2
           AND NOT EXISTS (SELECT 1 FROM domain_dossier c WHERE c.dossier = dossier_body.dossier) AND $3 = $3",
        "DELETE FROM dossier WHERE id > $1 AND id <= $2 AND NOT EXISTS (SELECT 1 FROM domain_dossier c WHERE c.dossier = dossier.id)
           AND $3 = $3",
    ],
    page: 200,
};
const BODY: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT b.rowid AS id, NOT EXISTS (SELECT 1 FROM dossier_body d WHERE d.body = b.digest) AS is_old
              FROM body b WHERE b.rowid > $1 AND $3 = $3 ORDER BY b.rowid LIMIT $2)",
    delete: &["DELETE FROM body WHERE rowid > $1 AND rowid <= $2
                 AND NOT EXISTS (SELECT 1 FROM dossier_body d WHERE d.body = body.digest) AND $3 = $3"],
    page: 100,
};
/// Events that every channel has been told of.
const EVENT: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT e.id, NOT EXISTS (SELECT 1 FROM notice n WHERE n.stream = e.stream AND n.after < e.id AND n.through >= e.id
                AND n.state IN ('queued', 'leased')) AS is_old
              FROM event e WHERE e.id > $1 AND e.at < $3 ORDER BY e.id LIMIT $2)",
    delete: &["DELETE FROM event WHERE id > $1 AND id <= $2 AND at < $3
                 AND NOT EXISTS (SELECT 1 FROM notice n WHERE n.stream = event.stream AND n.after < event.id AND n.through >= event.id
                   AND n.state IN ('queued', 'leased'))"],
    page: 500,
};
const RESOLVED: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT i.id, NOT EXISTS (SELECT 1 FROM event e WHERE e.incident = i.id) AS is_old
              FROM incident i WHERE i.id > $1 AND i.state = 'resolved' AND i.resolved_at < $3 ORDER BY i.id LIMIT $2)",
    delete: &["DELETE FROM incident WHERE id > $1 AND id <= $2 AND state = 'resolved' AND resolved_at < $3
                 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.incident = incident.id)"],
    page: 500,
};
const DISMISSED: Table = Table {
    look: "SELECT max(id), coalesce(max(is_old), 0) FROM
             (SELECT i.id, NOT EXISTS (SELECT 1 FROM event e WHERE e.incident = i.id) AS is_old
              FROM incident i WHERE i.id > $1 AND i.state = 'dismissed' AND i.written_at < $3 ORDER BY i.id LIMIT $2)",
    delete: &["DELETE FROM incident WHERE id > $1 AND id <= $2 AND state = 'dismissed' AND written_at < $3
                 AND NOT EXISTS (SELECT 1 FROM event e WHERE e.incident = incident.id)"],
    page: 500,
};

/// `$1`, `$2`: after which tenant and domain; `$3`: the run.
const OLD_ANSWERS: &str = "SELECT tenant, domain FROM domain_dossier WHERE (tenant, domain) > ($1, $2) AND run <= $3
  GROUP BY tenant, domain HAVING count(*) > 1 ORDER BY tenant, domain LIMIT 100";
/// Of each domain: all but the newest up to the run.
const ANSWERS: &[&str] = &["DELETE FROM domain_dossier WHERE tenant = $1 AND domain = $2
  AND run < (SELECT max(run) FROM domain_dossier WHERE tenant = $1 AND domain = $2 AND run <= $3)"];
const EMPTY_DOMAINS: &str = "SELECT tenant, name FROM domain d WHERE (tenant, name) > ($1, $2) AND run <= $3
  AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.tenant = d.tenant AND m.domain = d.name) ORDER BY tenant, name LIMIT 100";
const DOMAIN: &[&str] = &[
    "DELETE FROM seal WHERE tenant = $1 AND domain = $2 AND EXISTS (SELECT 1 FROM domain WHERE tenant = $1 AND name = $2 AND run <= $3)
       AND NOT EXISTS (SELECT 1 FROM mailbox WHERE tenant = $1 AND domain = $2)",
    "DELETE FROM domain_dossier WHERE tenant = $1 AND domain = $2
       AND EXISTS (SELECT 1 FROM domain WHERE tenant = $1 AND name = $2 AND run <= $3)
       AND NOT EXISTS (SELECT 1 FROM mailbox WHERE tenant = $1 AND domain = $2)",
    "DELETE FROM domain WHERE tenant = $1 AND name = $2 AND run <= $3
       AND NOT EXISTS (SELECT 1 FROM mailbox WHERE tenant = $1 AND domain = $2)",
];

const ENDED_NOTICES: &str = "DELETE FROM notice WHERE id IN
  (SELECT id FROM notice WHERE state IN ('delivered', 'dead') AND ended_at < $1 LIMIT 1000)";
const ENDED_DEMANDS: &str = "DELETE FROM demand WHERE id IN (SELECT id FROM demand WHERE ended_at < $1 LIMIT 1000)";
const ENDED_EXEMPTIONS: &str = "DELETE FROM exemption WHERE id IN (SELECT id FROM exemption WHERE expires_at < $1 LIMIT 1000)";

/// Versions of entries that nobody has seen since; of an entry that is looked at, the present one stays.
const OLD_ENTRIES: &str = "DELETE FROM ispdb_entry WHERE id IN (SELECT id FROM ispdb_entry WHERE last_seen_at < $1 LIMIT 1000)";

const OUTCOMES_OF_NOBODY: &str = "SELECT id FROM outcome WHERE id NOT IN
  (SELECT outcome FROM mailbox WHERE outcome IS NOT NULL UNION SELECT outcome FROM history WHERE outcome IS NOT NULL)";

/// `$1`: the run up to which the question is. Also those by which the next list of a tenant is judged.
const RUNS_IN_USE: &str = "SELECT run FROM history WHERE run <= $1
  UNION SELECT first_run FROM mailbox WHERE first_run <= $1
  UNION SELECT run FROM domain WHERE run <= $1
  UNION SELECT run FROM domain_dossier WHERE run <= $1
  UNION SELECT run FROM event WHERE run <= $1
  UNION SELECT run FROM demand WHERE run <= $1
  UNION SELECT max(p.run) FROM run_tenant p JOIN run r ON r.id = p.run WHERE p.state = 'finished' AND r.is_part = 0 GROUP BY p.tenant";

/// Rows that are dropped together.
const CHUNK: usize = 500;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        model::{Address, Domain, Hosting, Mailbox, Outcome, Profile, TenantId},
        store::{DomainBatch, Entry},
    };

    async fn give(store: &Store, hosting: Hosting) {
        let tenant = TenantId::try_from("contoso".to_owned()).unwrap();
        let run = store.begin_run(&[(tenant.clone(), "Contoso Ltd".into(), 1)], 1).await.unwrap();
        let mailbox = Mailbox { address: Address::parse("anna@contoso.com").unwrap(), profile: Arc::new(Profile::default()), person: None };
        let outcome = Arc::new(Outcome { hosting, ..Outcome::default() });
        let (domain, entries) = (Domain::parse("contoso.com").unwrap(), [Entry { mailbox: &mailbox, outcome: &outcome }]);
        let batch =
            DomainBatch { run, tenant: &tenant, domain: &domain, list: [0; 32], entries: &entries, dossier: None, done: true, at: 1 };
        store.record(batch).await.unwrap();
    }

    #[tokio::test]
    async fn an_outcome_that_comes_back_while_it_is_looked_for_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("audit.db")).await.unwrap();
        for (comes_back, dropped) in [(false, 1), (true, 0)] {
            give(&store, Hosting::OnPremises).await;
            give(&store, Hosting::default()).await;
            // nobody has or had it
            sqlx::query("DELETE FROM history WHERE run % 2 = 1").execute(&store.writer).await.unwrap();
            let old = store.find_outcomes().await.unwrap();
            assert_eq!(old.len(), 1);
            if comes_back {
                give(&store, Hosting::OnPremises).await;
            }
            assert_eq!(store.drop_outcomes(&old).await.unwrap(), dropped, "{comes_back}");
            assert_eq!(store.reader().check().await.unwrap().orphans, Vec::<String>::new());
        }
    }
}

//! Reading what was found, a page at a time: a report of a million rows holds one page. All pages, and what is counted beside
//! them, are of one moment.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{
    Reader, RunId, StoreError,
    body::Bodies,
    error::{doing, stored},
    history::{Past, since},
    standing::{Incidents, Standing},
};
use crate::model::{Address, Mailbox, Outcome, Person, Profile, TenantId};

/// Which mailboxes are read.
#[derive(Debug, Clone, Default)]
pub struct ReportFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// As they were after this run; `None`: as they are.
    pub run: Option<RunId>,
    /// Only those that need manual configuration.
    pub needs_manual: bool,
}

/// A mailbox with its outcome.
#[derive(Debug, Clone)]
pub struct MailboxRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Its outcome; one value for all mailboxes of a page that share it.
    pub outcome: Arc<Outcome>,
    /// For each client of the outcome: when its finding was first made; `None` where its verdict is `ok`.
    pub since: Vec<Option<i64>>,
    /// For each client of the outcome: the incident that its finding belongs to, as it stands now.
    pub incidents: Vec<Option<Arc<Standing>>>,
    /// When the outcome was last confirmed.
    pub checked_at: i64,
}

/// The database as it was at one moment, though an audit goes on. As long as it lives, the write-ahead log cannot be written back.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) tx: Transaction<'static, Sqlite>,
}

impl Reader {
    /// The database as it is now.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot { tx: self.pool.begin().await.map_err(doing("begin to read"))? })
    }

    /// As [`Snapshot::read_mailboxes`], of the database as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_mailboxes(&self, filter: &ReportFilter, each: impl FnMut(MailboxRow) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.snapshot().await?.read_mailboxes(filter, each).await
    }
}

impl Snapshot {
    /// Reads the mailboxes of the list in the order of tenant, domain and address key, until `each` breaks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_mailboxes(
        &mut self,
        filter: &ReportFilter,
        mut each: impl FnMut(MailboxRow) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut pages = Pages::new(filter.clone());
        while let Some(rows) = pages.next(&mut self.tx).await? {
            for row in rows {
                if each(row).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

impl Reader {
    /// The mailboxes of the list in the same order, for whoever takes them at a pace of their own.
    #[must_use]
    pub fn mailbox_pages(&self, filter: ReportFilter) -> MailboxPages {
        MailboxPages { reader: self.clone(), pages: Pages::new(filter) }
    }
}

/// Mailboxes page by page; between two pages nothing of the database is held.
pub struct MailboxPages {
    reader: Reader,
    pages: Pages,
}

impl MailboxPages {
    /// The next page; `None` after the last. A page can be empty where the filter leaves nothing of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self) -> Result<Option<Vec<MailboxRow>>, StoreError> {
        let mut tx = self.reader.pool.begin().await.map_err(doing("begin to read"))?;
        let rows = self.pages.next(&mut tx).await?;
        tx.rollback().await.map_err(doing("end reading"))?;
        Ok(rows)
    }
}

/// Where in the order of mailboxes; the tuple that the index has.
type Position = (String, String, String);

/// id, tenant, domain, address key, address, profile, person, when its domain was last recorded.
type PageRow = (i64, String, String, String, String, i64, Option<String>, i64);

struct Pages {
    filter: ReportFilter,
    after: Position,
    last_tenant: String,
    run_at: Option<i64>,
    outcomes: Bodies<Outcome>,
    profiles: Bodies<Profile>,
    /// Of the page at hand.
    incidents: Incidents,
}

impl Pages {
    fn new(filter: ReportFilter) -> Self {
        let tenant = filter.tenant.as_ref().map(TenantId::as_str);
        Self {
            after: (tenant.unwrap_or_default().to_owned(), String::new(), String::new()),
            last_tenant: tenant.unwrap_or(AFTER_EVERY_TENANT).to_owned(),
            filter,
            run_at: None,
            outcomes: Bodies::new("outcome"),
            profiles: Bodies::new("profile"),
            incidents: Incidents::default(),
        }
    }

    /// The next page; `None` after the last. A page can be empty where the filter leaves nothing of it.
    async fn next(&mut self, connection: &mut SqliteConnection) -> Result<Option<Vec<MailboxRow>>, StoreError> {
        if let (Some(run), None) = (self.filter.run, self.run_at) {
            self.run_at = Some(run_at(connection, run).await?);
        }
        let page = read_page(connection, &self.after, &self.last_tenant).await?;
        let Some((_, tenant, domain, key, ..)) = page.last() else { return Ok(None) };
        let through = (tenant.clone(), domain.clone(), key.clone());
        let mut pointers = read_pointers(connection, &self.after, &through, self.filter.run).await?;
        self.after = through;
        self.outcomes.load(connection, pointers.values().flatten().filter_map(|(outcome, _)| *outcome)).await?;
        self.profiles.load(connection, page.iter().map(|row| row.5)).await?;
        if let (Some(first), Some(last)) = (page.first(), page.last()) {
            self.incidents = Incidents::read(connection, (&first.1, &first.2), (&last.1, &last.2)).await?;
        }
        let mut rows = Vec::with_capacity(page.len());
        for row in page {
            let pasts = pointers.remove(&row.0).unwrap_or_default();
            rows.extend(self.row(row, &pasts)?);
        }
        Ok(Some(rows))
    }

    fn row(&self, row: PageRow, pasts: &[(Option<i64>, i64)]) -> Result<Option<MailboxRow>, StoreError> {
        let (_, tenant, _, _, address, profile, person, checked_at) = row;
        let pasts: Vec<Past> =
            pasts.iter().map(|(outcome, at)| Past { outcome: outcome.and_then(|id| self.outcomes.find(id)), at: *at }).collect();
        let Some(outcome) = pasts.first().and_then(|past| past.outcome.clone()) else { return Ok(None) };
        let Some(profile) = self.profiles.find(profile) else { return Ok(None) };
        if self.filter.needs_manual && !outcome.needs_manual_configuration {
            return Ok(None);
        }
        let address = Address::parse(&address).map_err(stored("address"))?;
        let person: Option<Person> = person.as_deref().map(serde_json::from_str).transpose().map_err(stored("person"))?;
        let tenant = TenantId::try_from(tenant).map_err(stored("tenant"))?;
        Ok(Some(MailboxRow {
            incidents: self.incidents.of((&tenant, &address), &outcome),
            tenant,
            mailbox: Mailbox { address, profile, person: person.map(Box::new) },
            since: since(&outcome, &pasts),
            outcome,
            checked_at: self.run_at.map_or(checked_at, |run_at| run_at.min(checked_at)),
        }))
    }
}

async fn read_page(connection: &mut SqliteConnection, after: &Position, last_tenant: &str) -> Result<Vec<PageRow>, StoreError> {
    sqlx::query_as(
        "SELECT m.id, m.tenant, m.domain, m.address_key, m.address, m.profile, m.person, d.at
         FROM mailbox m JOIN domain d ON d.tenant = m.tenant AND d.name = m.domain
         WHERE (m.tenant, m.domain, m.address_key) > ($1, $2, $3) AND m.tenant <= $4
         ORDER BY m.tenant, m.domain, m.address_key LIMIT $5",
    )
    .bind(&after.0)
    .bind(&after.1)
    .bind(&after.2)
    .bind(last_tenant)
    .bind(PAGE)
    .fetch_all(connection)
    .await
    .map_err(doing("read the mailboxes"))
}

/// By mailbox: the outcomes that it pointed at and since when, newest first.
type Pointers = HashMap<i64, Vec<(Option<i64>, i64)>>;

async fn read_pointers(
    connection: &mut SqliteConnection,
    after: &Position,
    through: &Position,
    run: Option<RunId>,
) -> Result<Pointers, StoreError> {
    // CROSS JOIN: SQLite then reads the mailboxes first
    let rows: Vec<(i64, Option<i64>, i64)> = sqlx::query_as(
        "SELECT h.mailbox, h.outcome, h.at FROM mailbox m CROSS JOIN history h
         WHERE (m.tenant, m.domain, m.address_key) > ($1, $2, $3) AND (m.tenant, m.domain, m.address_key) <= ($4, $5, $6)
           AND h.mailbox = m.id AND h.run <= $7
         ORDER BY m.tenant, m.domain, m.address_key, h.run DESC",
    )
    .bind(&after.0)
    .bind(&after.1)
    .bind(&after.2)
    .bind(&through.0)
    .bind(&through.1)
    .bind(&through.2)
    .bind(run.map_or(i64::MAX, |run| run.0))
    .fetch_all(connection)
    .await
    .map_err(doing("read the history"))?;
    let mut pointers = Pointers::with_capacity(rows.len());
    for (mailbox, outcome, at) in rows {
        pointers.entry(mailbox).or_default().push((outcome, at));
    }
    Ok(pointers)
}

/// When a run ended; of one that goes on, the end of all times.
async fn run_at(connection: &mut SqliteConnection, run: RunId) -> Result<i64, StoreError> {
    let found: Option<Option<i64>> = sqlx::query_scalar("SELECT finished_at FROM run WHERE id = $1")
        .bind(run.0)
        .fetch_optional(connection)
        .await
        .map_err(doing("read a run"))?;
    let at = found.ok_or_else(|| doing("find the run")(sqlx::Error::RowNotFound))?;
    Ok(at.unwrap_or(i64::MAX))
}

/// Rows a page.
const PAGE: i64 = 2_000;
/// Sorts after every tenant's id, which is ASCII.
const AFTER_EVERY_TENANT: &str = "~";

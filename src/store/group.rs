//! The outcomes of a tenant by domain: mailboxes with the same profile and outcome are one group.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc};

use sqlx::{QueryBuilder, Sqlite};

use super::{
    Reader, StoreError,
    body::Bodies,
    error::{doing, stored},
};
use crate::model::{Address, Domain, Outcome, TenantId};

/// Mailboxes of a domain with the same profile and outcome.
#[derive(Debug, Clone)]
pub struct DomainGroup {
    /// The domain.
    pub domain: Domain,
    /// The number of their profile. Groups of one profile with different outcomes: the answers depend on the address.
    pub profile: i64,
    /// Their outcome.
    pub outcome: Arc<Outcome>,
    /// How many they are.
    pub mailboxes: u64,
    /// The first of them.
    pub example: Address,
    /// Its address key.
    pub example_key: String,
}

impl Reader {
    /// Hands over the groups of a tenant's mailboxes, all of a domain at once, in the order of the domains, until `each` breaks; only of
    /// these domains where some are named. Memory: a few hundred domains at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read_groups(
        &self,
        tenant: &TenantId,
        domains: Option<&BTreeSet<Domain>>,
        mut each: impl FnMut(&Domain, &[DomainGroup]) -> ControlFlow<()> + Send,
    ) -> Result<(), StoreError> {
        let mut outcomes = Bodies::<Outcome>::new("outcome");
        let mut after = String::new();
        loop {
            let page = match domains {
                None => self.domains_after(tenant, &after).await?,
                Some(named) => {
                    named.iter().map(Domain::as_str).filter(|name| *name > after.as_str()).take(PAGE as usize).map(str::to_owned).collect()
                }
            };
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(last);
            let groups = self.read_page(tenant, &page, &mut outcomes).await?;
            for groups in groups.chunk_by(|one, next| one.domain == next.domain) {
                if let Some(first) = groups.first()
                    && each(&first.domain, groups).is_break()
                {
                    return Ok(());
                }
            }
        }
    }

    async fn domains_after(&self, tenant: &TenantId, after: &str) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT name FROM domain WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3")
            .bind(tenant.as_str())
            .bind(after)
            .bind(i64::from(PAGE))
            .fetch_all(&self.pool)
            .await
            .map_err(doing("read the domains of a tenant"))
    }

    async fn read_page(&self, tenant: &TenantId, page: &[String], outcomes: &mut Bodies<Outcome>) -> Result<Vec<DomainGroup>, StoreError> {
        // one state of the database: an outcome that nobody has any more may be dropped in between
        let mut tx = self.pool.begin().await.map_err(doing("begin to read"))?;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT g.domain, g.profile, g.outcome, g.mailboxes, g.key, m.address
             FROM (SELECT domain, profile, outcome, count(*) AS mailboxes, min(address_key) AS key FROM mailbox WHERE tenant = ",
        );
        select.push_bind(tenant.as_str()).push(" AND outcome IS NOT NULL AND domain IN (");
        let mut names = select.separated(", ");
        for name in page {
            names.push_bind(name);
        }
        select.push(") GROUP BY domain, profile, outcome) g CROSS JOIN mailbox m WHERE m.tenant = ").push_bind(tenant.as_str());
        select.push(" AND m.domain = g.domain AND m.address_key = g.key ORDER BY g.domain, g.profile, g.key");
        let rows: Vec<GroupRow> = select
            .build_query_as()
            .persistent(page.len() == PAGE as usize)
            .fetch_all(&mut *tx)
            .await
            .map_err(doing("read the outcomes by domain"))?;
        outcomes.load(&mut tx, rows.iter().map(|row| row.2)).await?;
        tx.rollback().await.map_err(doing("end reading"))?;
        let group = |(domain, profile, outcome, mailboxes, example_key, address): GroupRow| {
            let Some(outcome) = outcomes.find(outcome) else { return Ok(None) };
            Ok(Some(DomainGroup {
                domain: Domain::parse(&domain).map_err(stored("domain"))?,
                profile,
                outcome,
                mailboxes: mailboxes.unsigned_abs(),
                example: Address::parse(&address).map_err(stored("address"))?,
                example_key,
            }))
        };
        rows.into_iter().map(group).filter_map(Result::transpose).collect()
    }
}

/// domain, profile, outcome, mailboxes, the example's key, its address.
type GroupRow = (String, i64, i64, i64, String, String);

/// Domains that are read together.
const PAGE: u32 = 200;

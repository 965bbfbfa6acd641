//! Seals: a digest of what a batch came to. A batch that comes again under its seal changes nothing, and no mailbox of it is read.
//! So whatever else changes mailboxes goes unnoticed under a seal: `Reader::check` compares them all, and what a run that died has
//! touched loses its seals.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{
    DomainBatch, Store, StoreError,
    compare::{Entered, Range},
    content::Digest,
    error::doing,
    record::AFTER_EVERY_KEY,
    run::Progress,
};

/// The digest of a batch's rows; its range is what it is stored under.
pub(super) fn seal_of(entered: &[Entered]) -> Digest {
    let mut hash = Sha256::new();
    hash.update([FORMAT]);
    for Entered { key, address, profile, person, outcome } in entered {
        for text in [key.as_str(), address, person.as_deref().unwrap_or_default()] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        hash.update([u8::from(person.is_some())]);
        hash.update(profile.to_le_bytes());
        hash.update(outcome.to_le_bytes());
    }
    hash.finalize().into()
}

/// Breaks the seals of the domains that runs met which died: they are marked as under way, and are not.
pub(super) async fn break_seals_of_the_dead(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query(
        "DELETE FROM seal WHERE (tenant, domain) IN
           (SELECT d.tenant, d.name FROM run r JOIN domain d ON d.run = r.id WHERE r.state = 'running')",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A domain whose mailboxes are not what a seal says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) tenant: String,
    pub(super) domain: String,
}

/// Compares every seal with its mailboxes, one range at a time. To be called in a transaction.
pub(super) async fn find_broken(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Broken>> {
    let (mut broken, mut last) = (Vec::<Broken>::new(), (String::new(), String::new(), String::new()));
    loop {
        let page: Vec<SealRow> = sqlx::query_as(
            "SELECT tenant, domain, after, through, done, digest FROM seal WHERE (tenant, domain, after) > ($1, $2, $3)
             ORDER BY tenant, domain, after LIMIT 500",
        )
        .bind(&last.0)
        .bind(&last.1)
        .bind(&last.2)
        .fetch_all(&mut *connection)
        .await?;
        let Some((tenant, domain, after, ..)) = page.last() else { return Ok(broken) };
        last = (tenant.clone(), domain.clone(), after.clone());
        for (tenant, domain, after, through, done, digest) in page {
            let end = if done { AFTER_EVERY_KEY } else { &through };
            let listed = read_listed(connection, (&tenant, &domain), (&after, end)).await?;
            let found = Broken { tenant, domain };
            if seal_of(&listed).as_slice() != digest.as_slice() && broken.last() != Some(&found) {
                broken.push(found);
            }
        }
    }
}

async fn read_listed(
    connection: &mut SqliteConnection,
    (tenant, domain): (&str, &str),
    (after, end): (&str, &str),
) -> sqlx::Result<Vec<Entered>> {
    let rows: Vec<(String, String, i64, Option<String>, i64)> = sqlx::query_as(
        "SELECT address_key, address, profile, person, outcome FROM mailbox
         WHERE tenant = $1 AND domain = $2 AND address_key > $3 AND address_key <= $4 AND outcome IS NOT NULL ORDER BY address_key",
    )
    .bind(tenant)
    .bind(domain)
    .bind(after)
    .bind(end)
    .fetch_all(connection)
    .await?;
    let entered = rows.into_iter().map(|(key, address, profile, person, outcome)| Entered { key, address, profile, person, outcome });
    Ok(entered.collect())
}

/// Tenant, domain, after, through, done, digest.
type SealRow = (String, String, String, String, bool, Vec<u8>);

/// Raised where the digest is made of other things: seals of an earlier program then fit nothing.
const FORMAT: u8 = 1;

impl Store {
    /// Breaks the seals that do not fit their mailboxes, so that the next audit compares and writes those anew. Returns the number
    /// of domains.
    ///
    /// # Errors
    /// [`StoreError::Query`].
    pub async fn break_wrong_seals(&self) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let broken = find_broken(&mut tx).await.map_err(doing("compare the seals"))?;
        for Broken { tenant, domain } in &broken {
            sqlx::query("DELETE FROM seal WHERE tenant = $1 AND domain = $2")
                .bind(tenant)
                .bind(domain)
                .execute(&mut *tx)
                .await
                .map_err(doing("break a seal"))?;
        }
        tx.commit().await.map_err(doing("break the seals"))?;
        Ok(broken.len() as u64)
    }
}

/// What is known of a domain before a batch: one question, as most batches of a run change nothing.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// How far this run came over this list.
    pub(super) progress: Progress,
    /// The seal of the range that begins there: its end, whether the domain ends with it, and the digest.
    seal: Option<(String, bool, Vec<u8>)>,
    /// The digest of the newest answers.
    pub(super) dossier: Option<Vec<u8>>,
}

impl Standing {
    /// Whether the range was last left with these rows.
    pub(super) fn is_sealed(&self, batch: &DomainBatch<'_>, range: &Range, seal: &Digest) -> bool {
        let known = self.seal.as_ref();
        known.is_some_and(|(through, done, digest)| *through == range.through && *done == batch.done && digest == seal)
    }
}

pub(super) async fn read_standing(connection: &mut SqliteConnection, batch: &DomainBatch<'_>) -> sqlx::Result<Standing> {
    let row: Option<StandingRow> = sqlx::query_as(
        "SELECT d.run = $3 AND d.list = $4, d.through, d.done, s.through, s.done, s.digest, e.digest
         FROM domain d
         LEFT JOIN seal s ON s.tenant = d.tenant AND s.domain = d.name
           AND s.after = CASE WHEN d.run = $3 AND d.list = $4 THEN coalesce(d.through, '') ELSE '' END
         LEFT JOIN dossier e ON e.id =
           (SELECT dossier FROM domain_dossier WHERE tenant = d.tenant AND domain = d.name ORDER BY run DESC LIMIT 1)
         WHERE d.tenant = $1 AND d.name = $2",
    )
    .bind(batch.tenant.as_str())
    .bind(batch.domain.as_str())
    .bind(batch.run.0)
    .bind(batch.list.as_slice())
    .fetch_optional(connection)
    .await?;
    let Some((current, through, done, sealed_through, sealed_done, digest, dossier)) = row else { return Ok(Standing::default()) };
    let progress = if current { Progress::of(through, done) } else { Progress::NotStarted };
    let seal = sealed_through.zip(sealed_done).zip(digest).map(|((through, done), digest)| (through, done, digest));
    Ok(Standing { progress, seal, dossier })
}

/// Of this run and list, through, done; the seal's through, done, digest; the dossier's digest.
type StandingRow = (bool, Option<String>, bool, Option<String>, Option<bool>, Option<Vec<u8>>, Option<Vec<u8>>);

/// Seals the range, and breaks the seals behind it: their ranges may have moved.
pub(super) async fn put_seal(connection: &mut SqliteConnection, batch: &DomainBatch<'_>, range: &Range, seal: &Digest) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM seal WHERE tenant = $1 AND domain = $2 AND after >= $3")
        .bind(batch.tenant.as_str())
        .bind(batch.domain.as_str())
        .bind(&range.after)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO seal (tenant, domain, after, through, done, digest) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(batch.tenant.as_str())
        .bind(batch.domain.as_str())
        .bind(&range.after)
        .bind(&range.through)
        .bind(batch.done)
        .bind(seal.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

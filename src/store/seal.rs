//! Seals: a digest of what a batch came to. A batch that comes again under its seal changes nothing, and no mailbox of it is read.

use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{
    DomainBatch,
    compare::{Entered, Range},
    content::Digest,
    run::Progress,
};

/// The digest of a batch's rows; its range is what it is stored under.
pub(super) fn seal_of(entered: &[Entered]) -> Digest {
    let mut hash = Sha256::new();
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

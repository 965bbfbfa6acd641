//! The words of closed sets, as the database keeps them.

use super::{StoreError, error::stored};

/// A stored word that is none of its set.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is none of the known words")]
struct UnknownWord(String);

/// Reads a word of a set back.
pub(super) fn read_word<T: Copy>(what: &'static str, (all, word): (&[T], fn(T) -> &'static str), text: &str) -> Result<T, StoreError> {
    all.iter().copied().find(|known| word(*known) == text).ok_or_else(|| stored(what)(UnknownWord(text.to_owned())))
}

/// A count as SQLite keeps it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

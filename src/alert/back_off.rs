//! How long to wait before the next attempt: twice as long each time, with full jitter. Pure: the jitter is that of the notice's id.

use sha2::{Digest as _, Sha256};

/// Seconds from an attempt that failed to the next; `attempts` were made before it. 1 to 5 after the first, 1 to 3,600 in the end.
pub(super) fn pause(id: &str, attempts: u32) -> i64 {
    let ceiling = SHORTEST.saturating_mul(1_i64.checked_shl(attempts.min(20)).unwrap_or(i64::MAX)).min(LONGEST);
    let hash = Sha256::digest(format!("{id}/{attempts}").as_bytes());
    let number = hash.iter().take(7).fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    1 + number % ceiling
}

const SHORTEST: i64 = 5;
const LONGEST: i64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_are_spread_over_all_of_it() {
        for (attempts, ceiling) in [(0, 5), (1, 10), (5, 160), (9, 2_560), (10, 3_600), (500, 3_600), (u32::MAX, 3_600)] {
            let pauses: Vec<i64> = (0..400).map(|number| pause(&format!("n{number}"), attempts)).collect();
            assert!(pauses.iter().all(|pause| (1..=ceiling).contains(pause)), "{attempts}");
            assert!(
                pauses.iter().any(|pause| *pause > ceiling * 9 / 10) && pauses.iter().any(|pause| *pause <= ceiling / 5 + 1),
                "{attempts}"
            );
        }
    }
}

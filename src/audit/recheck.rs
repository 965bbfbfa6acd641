//! When a domain is checked again before the next whole run: soon after something began, ever later while it stays as it is. Pure.

use sha2::{Digest, Sha256};

use crate::model::Domain;

/// Why a domain is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attention {
    /// Something stands that everybody concerned knows of: acknowledged or exempt.
    Known,
    /// Something stands, or could not be told.
    Standing,
    /// Something is on the way to being confirmed, or has just changed.
    Moving,
}

/// Seconds to wait for the next check of a domain with so many mailboxes; `before` is the pause that led to the present one. A check
/// goes through all mailboxes, a tenth of a second each where every one of them is asked about: it shall not be what we do all day.
pub(super) fn pause(attention: Attention, mailboxes: u64, before: Option<i64>) -> i64 {
    let shortest = match attention {
        Attention::Moving => SHORTEST,
        Attention::Standing | Attention::Known => i64::try_from(mailboxes).unwrap_or(DAY).clamp(SHORTEST, DAY),
    };
    let longest = match attention {
        Attention::Moving => SHORTEST,
        Attention::Standing => LONGEST,
        Attention::Known => LONGEST_KNOWN,
    };
    let doubled = before.map_or(SHORTEST, |before| before.saturating_mul(2));
    doubled.clamp(shortest, longest.max(shortest))
}

/// The pause with a spread of a tenth, always the same for a domain: what began together does not go on together.
pub(super) fn spread(domain: &Domain, pause: i64) -> i64 {
    let hash = Sha256::digest(domain.as_str());
    let share = i64::from(hash.first().copied().unwrap_or_default()) - 128;
    pause + pause * share / 1_280
}

/// Seconds.
const SHORTEST: i64 = 300;
const LONGEST: i64 = 3_600;
const LONGEST_KNOWN: i64 = 6 * 3_600;
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_up_to_its_limit_and_starts_again_when_something_moves() {
        let follow = |attention, mut before: Option<i64>| {
            (0..8)
                .map(|_| {
                    before = Some(pause(attention, 40, before));
                    before.unwrap()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(follow(Attention::Standing, None), [300, 600, 1200, 2400, 3600, 3600, 3600, 3600]);
        assert_eq!(follow(Attention::Known, Some(2400))[..4], [4800, 9600, 19200, 21600]);
        assert_eq!(follow(Attention::Moving, Some(3600))[..2], [300, 300]);
    }

    #[test]
    fn a_large_domain_is_gone_through_again_less_often_unless_something_moves() {
        for (mailboxes, first, last) in [(299, 300, 3_600), (2_000, 2_000, 3_600), (50_000, 50_000, 50_000), (1_000_000, DAY, DAY)] {
            assert_eq!(pause(Attention::Standing, mailboxes, None), first);
            assert_eq!(pause(Attention::Standing, mailboxes, Some(DAY)), last);
            assert_eq!(pause(Attention::Moving, mailboxes, None), SHORTEST);
        }
    }

    #[test]
    fn the_spread_is_a_tenth_and_always_the_same() {
        for number in 0..200 {
            let domain = Domain::parse(&format!("d{number}.example")).unwrap();
            let spread = spread(&domain, 3_600);
            assert!((3_240..=3_960).contains(&spread), "{spread}");
            assert_eq!(spread, super::spread(&domain, 3_600));
        }
    }
}

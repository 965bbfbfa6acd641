//! How fast a channel may be sent to: so many in so many seconds, by what was sent since the start. Pure.

use std::collections::VecDeque;

/// So many in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// How many.
    pub(super) count: usize,
    /// In how long.
    pub(super) seconds: i64,
}

/// What was sent lately, and the limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pace {
    limits: Vec<Limit>,
    /// In milliseconds since 1970, the newest last.
    sent: VecDeque<i64>,
}

impl Pace {
    pub(super) fn new(limits: Vec<Limit>) -> Self {
        Self { limits, sent: VecDeque::new() }
    }

    /// Notes an attempt, by the time in milliseconds since 1970.
    pub(super) fn note(&mut self, now: i64) {
        // a clock that was set back must not hold the channel for ever
        self.sent.retain(|sent| *sent <= now);
        self.sent.push_back(now);
        let most = self.limits.iter().map(|limit| limit.count).max().unwrap_or(0);
        while self.sent.len() > most {
            self.sent.pop_front();
        }
    }

    /// The earliest instant, in milliseconds since 1970, at which another may go.
    pub(super) fn free_at(&self, now: i64) -> i64 {
        let sent: Vec<i64> = self.sent.iter().copied().filter(|sent| *sent <= now).collect();
        let free = |limit: &Limit| {
            let earliest = sent.len().checked_sub(limit.count).and_then(|at| sent.get(at));
            earliest.map_or(now, |sent| sent + limit.seconds * 1_000)
        };
        self.limits.iter().map(free).fold(now, i64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_holds() {
        let mut pace = Pace::new(vec![Limit { count: 1, seconds: 2 }, Limit { count: 3, seconds: 60 }]);
        let mut now = 1_000_000;
        let mut sent = Vec::new();
        for _ in 0..7 {
            now = pace.free_at(now);
            pace.note(now);
            sent.push((now - 1_000_000) / 1_000);
        }
        assert_eq!(sent, [0, 2, 4, 60, 62, 64, 120]);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing() {
        let mut pace = Pace::new(vec![Limit { count: 1, seconds: 3_600 }]);
        pace.note(10_000_000);
        assert_eq!(pace.free_at(10_000_500), 13_600_000);
        assert_eq!(pace.free_at(5_000_000), 5_000_000);
        assert_eq!(Pace::new(Vec::new()).free_at(7), 7);
    }
}

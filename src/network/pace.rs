//! `[lookups.NAME]`: which kinds of lookups are asked, and how fast. Knows nothing of how that is kept to.

use std::collections::BTreeMap;

use super::NetworkError;
use crate::model::LookupKind;

/// Whether and how fast one kind of lookup is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Whether it is asked at all. A client that needs a kind which is not is not looked at.
    pub enabled: bool,
    /// Requests in flight at most; 0 to 64, 0 for no limit beside the network's.
    pub concurrency: usize,
    /// Requests that begin within a second, with bursts of half a second's share; 0 to 1000, 0 for as fast as may be.
    pub requests_per_second: f64,
}

impl Pace {
    /// The pace of a kind that the settings do not name.
    #[must_use]
    pub fn of(kind: LookupKind) -> Self {
        let (enabled, concurrency, requests_per_second) = match kind {
            LookupKind::AutodiscoverV2 | LookupKind::AutodiscoverSoap => (true, 6, 10.0),
            LookupKind::Autodetect => (true, 1, 1.0),
            LookupKind::CredentialType | LookupKind::Realm => (false, 1, 2.5),
            LookupKind::Openid => (true, 4, 0.0),
            LookupKind::Ispdb | LookupKind::MxIspdb => (true, 2, 0.0),
            _ => (true, 0, 0.0),
        };
        Self { enabled, concurrency, requests_per_second }
    }
}

/// The pace of every kind of lookup.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Paces(BTreeMap<LookupKind, Pace>);

impl Paces {
    /// The kinds that go to the network, and so have a pace.
    pub fn kinds() -> impl Iterator<Item = LookupKind> {
        LookupKind::ALL.into_iter().filter(|kind| *kind != LookupKind::BuiltIn)
    }

    /// The pace of a kind.
    #[must_use]
    pub fn of(&self, kind: LookupKind) -> Pace {
        self.0.get(&kind).copied().unwrap_or_else(|| Pace::of(kind))
    }

    /// Gives a kind another pace.
    pub fn set(&mut self, kind: LookupKind, pace: Pace) {
        self.0.insert(kind, pace);
    }

    /// Checks the ranges that the fields name.
    ///
    /// # Errors
    /// [`NetworkError::PaceOutOfRange`] with the first that is out of its range.
    pub(super) fn check(&self) -> Result<(), NetworkError> {
        for (kind, pace) in &self.0 {
            let wrong = |setting, value: String, most| Err(NetworkError::PaceOutOfRange { lookup: *kind, setting, value, most });
            if pace.concurrency > MOST_IN_FLIGHT {
                return wrong("concurrency", pace.concurrency.to_string(), 64);
            }
            if !(0.0..=MOST_PER_SECOND).contains(&pace.requests_per_second) {
                return wrong("requests_per_second", pace.requests_per_second.to_string(), 1000);
            }
        }
        Ok(())
    }
}

const MOST_IN_FLIGHT: usize = 64;
const MOST_PER_SECOND: f64 = 1000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_about_accounts_is_off_until_somebody_switches_it_on() {
        let paces = Paces::default();
        let off: Vec<LookupKind> = Paces::kinds().filter(|kind| !paces.of(*kind).enabled).collect();
        assert_eq!(off, [LookupKind::Realm, LookupKind::CredentialType]);
        assert_eq!(Paces::kinds().count(), LookupKind::ALL.len() - 1);
    }

    #[test]
    fn a_pace_out_of_its_range_is_named() {
        for (concurrency, requests_per_second, words) in [
            (65, 1.0, "`lookups.ispdb.concurrency` is 65; set it to 0 to 64"),
            (1, 1000.5, "`lookups.ispdb.requests_per_second` is 1000.5; set it to 0 to 1000"),
            (1, -1.0, "`lookups.ispdb.requests_per_second` is -1; set it to 0 to 1000"),
            (1, f64::NAN, "`lookups.ispdb.requests_per_second` is NaN; set it to 0 to 1000"),
        ] {
            let mut paces = Paces::default();
            paces.set(LookupKind::Ispdb, Pace { enabled: true, concurrency, requests_per_second });
            assert_eq!(paces.check().unwrap_err().to_string(), words);
        }
        let mut paces = Paces::default();
        paces.set(LookupKind::Ispdb, Pace { enabled: false, concurrency: 64, requests_per_second: 1000.0 });
        assert!(paces.check().is_ok());
    }
}

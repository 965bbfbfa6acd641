//! `[lookups.NAME]`: which kinds of lookups are asked, and how fast.

use serde::Deserialize;
use toml::de::DeTable;

use super::{
    check::{Faults, table_of},
    suggest::nearest,
};
use crate::{
    alert::SecretSource,
    model::LookupKind,
    network::{Pace, Paces},
};

/// The keys of a kind of lookup; what is absent is as [`Pace::of`] says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PaceKeys {
    /// Whether it is asked.
    enabled: Option<bool>,
    /// Requests in flight at most; 0 to 64, 0 for no limit beside the network's.
    concurrency: Option<usize>,
    /// Requests that begin within a second; 0 to 1000, 0 for as fast as may be.
    requests_per_second: Option<f64>,
}

/// The keys of `[lookups.autodiscover-soap]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SoapKeys {
    /// As of every kind.
    enabled: Option<bool>,
    /// As of every kind.
    concurrency: Option<usize>,
    /// As of every kind.
    requests_per_second: Option<f64>,
    /// Where the bearer token for Exchange Online is.
    bearer_token: Option<SecretSource>,
}

/// What `[lookups]` says.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    pub(super) paces: Paces,
    pub(super) bearer_token: Option<SecretSource>,
}

impl PaceKeys {
    fn over(&self, pace: Pace) -> Pace {
        Pace {
            enabled: self.enabled.unwrap_or(pace.enabled),
            concurrency: self.concurrency.unwrap_or(pace.concurrency),
            requests_per_second: self.requests_per_second.unwrap_or(pace.requests_per_second),
        }
    }
}

/// Reads `[lookups]`, table by table.
pub(super) fn read_lookups(table: DeTable<'_>, faults: &mut Faults) -> Lookups {
    let mut read = Lookups::default();
    for (name, value) in table {
        let key = format!("lookups.{}", name.get_ref());
        let Some(kind) = Paces::kinds().find(|kind| kind.as_str() == name.get_ref().as_ref()) else {
            let known = || Paces::kinds().map(LookupKind::as_str);
            let advice = nearest(name.get_ref(), known()).map_or_else(
                || format!("the kinds are {}", known().collect::<Vec<_>>().join(", ")),
                |word| format!("did you mean `{word}`?"),
            );
            faults.add(Some(name.span()), &key, format!("there is no such kind of lookup; {advice}"));
            continue;
        };
        let Some(table) = table_of(value, &key, faults) else { continue };
        let keys = if kind == LookupKind::AutodiscoverSoap {
            let SoapKeys { enabled, concurrency, requests_per_second, bearer_token } = faults.section(&key, table);
            read.bearer_token = bearer_token;
            PaceKeys { enabled, concurrency, requests_per_second }
        } else {
            faults.section(&key, table)
        };
        read.paces.set(kind, keys.over(Pace::of(kind)));
    }
    read
}

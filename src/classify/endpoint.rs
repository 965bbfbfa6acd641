//! `config/endpoints.toml`: which service a host name belongs to.

use std::collections::HashMap;

use serde::Deserialize;

use crate::model::{Class, Protocol, normalise_host};

/// A row of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A host name; a leading `*.` stands for one label or more, `#` for one digit.
    pub host: String,
    /// Which service it belongs to.
    pub class: Class,
    /// What it is used for; empty: anything.
    #[serde(default)]
    pub uses: Vec<Use>,
    /// The Exchange host that an Autodiscover endpoint names to a client that signs in.
    #[serde(default)]
    pub implies: Option<String>,
    /// Where the claim comes from.
    pub source: String,
    /// Date of the source or of its reading, `YYYY-MM-DD`.
    pub date: String,
}

impl Endpoint {
    /// Whether `host` is one that can be matched.
    #[must_use]
    pub fn has_host_name(&self) -> bool {
        let body = self.host.strip_prefix("*.").unwrap_or(&self.host);
        body.contains('.')
            && body.chars().all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || "-.#".contains(character))
    }
}

/// What a host is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Use {
    /// A client configures it.
    Protocol(Protocol),
    /// Mail exchanger.
    Mx,
    /// Autodiscover entry point.
    Autodiscover,
}

impl TryFrom<String> for Use {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "mx" => Ok(Self::Mx),
            "autodiscover" => Ok(Self::Autodiscover),
            protocol => protocol.parse().map(Self::Protocol),
        }
    }
}

/// The table, with an index of the exact names.
#[derive(Debug, Clone)]
pub struct EndpointTable {
    exact: HashMap<String, Vec<Endpoint>>,
    patterns: Vec<Endpoint>,
}

/// Why a table of endpoints cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EndpointTableError {
    /// The TOML is wrong.
    #[error("the table of endpoints cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// A host is no host name or pattern.
    #[error("the table of endpoints: `{0}` is no host name; a leading `*.` and `#` for a digit are allowed")]
    Host(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "endpoint")]
    endpoints: Vec<Endpoint>,
}

impl EndpointTable {
    /// The table that is compiled in.
    ///
    /// # Errors
    /// None, as a test loads it.
    pub fn built_in() -> Result<Self, EndpointTableError> {
        Self::parse(include_str!("../../config/endpoints.toml"))
    }

    /// Reads a table that stands in for the built-in one.
    ///
    /// # Errors
    /// [`EndpointTableError`] where the text is no table of endpoints.
    pub fn parse(text: &str) -> Result<Self, EndpointTableError> {
        let file: File = toml::from_str(text)?;
        let mut table = Self { exact: HashMap::new(), patterns: Vec::new() };
        for endpoint in file.endpoints {
            if !endpoint.has_host_name() {
                return Err(EndpointTableError::Host(endpoint.host));
            }
            if endpoint.host.contains(['*', '#']) {
                table.patterns.push(endpoint);
            } else {
                table.exact.entry(endpoint.host.clone()).or_default().push(endpoint);
            }
        }
        Ok(table)
    }

    /// All rows: those of whole names by name, then the patterns in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        let mut exact: Vec<(&String, &Vec<Endpoint>)> = self.exact.iter().collect();
        exact.sort_by_key(|(host, _)| *host);
        exact.into_iter().flat_map(|(_, rows)| rows).chain(&self.patterns)
    }

    /// The row for a host in a use; a row for the exact name wins over a pattern.
    #[must_use]
    pub fn find(&self, host: &str, used: Use) -> Option<&Endpoint> {
        let host = normalise_host(host);
        let fits = |endpoint: &&Endpoint| endpoint.uses.is_empty() || endpoint.uses.contains(&used);
        let exact = self.exact.get(&host).and_then(|rows| rows.iter().find(fits));
        exact.or_else(|| self.patterns.iter().filter(|endpoint| matches(&endpoint.host, &host)).find(fits))
    }
}

/// Whether a host fits a pattern: `*.` for one label or more at the start, `#` for one digit.
pub(super) fn matches(pattern: &str, host: &str) -> bool {
    if let Some(suffix) = pattern.strip_prefix("*.") {
        let Some(start) = host.len().checked_sub(suffix.len() + 1).filter(|start| *start > 0) else { return false };
        return host.get(start..).is_some_and(|end| end.strip_prefix('.').is_some_and(|end| matches(suffix, end)));
    }
    pattern.len() == host.len()
        && pattern.bytes().zip(host.bytes()).all(|(pattern, host)| pattern == host || (pattern == b'#' && host.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_fall_into_their_classes() {
        let table = EndpointTable::built_in().unwrap();
        let [imap, smtp, graph] = [Protocol::Imap, Protocol::Smtp, Protocol::Graph].map(Use::Protocol);
        for (host, used, class) in [
            ("imap-mail.outlook.com", imap, Some(Class::Consumer)),
            ("SMTP-MAIL.outlook.com.", smtp, Some(Class::Consumer)),
            ("outlook.office365.com", imap, Some(Class::Shared)),
            ("outlook.office365.com", smtp, Some(Class::ExchangeOnline)),
            ("outlook.office365.com", graph, None),
            ("smtp.office365.com", smtp, Some(Class::ExchangeOnline)),
            ("smtp.office365.com", imap, None),
            ("pod51036.outlook.com", imap, Some(Class::Retired)),
            ("pod5103.outlook.com", imap, None),
            ("evil-outlook.com", imap, None),
            ("smtp-mail.outlook.com.evil.example", smtp, None),
            ("contoso-com.mail.protection.outlook.com", Use::Mx, Some(Class::ExchangeOnline)),
            ("mail.protection.outlook.com", Use::Mx, None),
            ("evilmail.protection.outlook.com", Use::Mx, None),
            ("contoso-com.olc.protection.outlook.com", Use::Mx, Some(Class::Consumer)),
            ("0123.pamx1.hotmail.com", Use::Mx, Some(Class::Consumer)),
            ("contoso-com.o-v1.mx.microsoft", Use::Mx, Some(Class::ExchangeOnline)),
            ("smtp.hve.mx.microsoft", smtp, Some(Class::ExchangeOnline)),
            ("outlook.office365.us", imap, Some(Class::UsGovernment)),
            ("smtp-namwest.outlook.com", smtp, Some(Class::Retired)),
        ] {
            assert_eq!(table.find(host, used).map(|endpoint| endpoint.class), class, "{host} {used:?}");
        }
    }

    #[test]
    fn every_row_has_a_source_and_a_date() {
        let table = EndpointTable::built_in().unwrap();
        for endpoint in table.exact.values().flatten().chain(&table.patterns) {
            assert!(!endpoint.source.is_empty() && endpoint.date.len() == 10, "{}", endpoint.host);
        }
    }

    #[test]
    fn a_table_with_a_wrong_host_is_refused() {
        for host in ["https://outlook.com", "*outlook.com", "Outlook.com", "localhost"] {
            let text = format!("[[endpoint]]\nhost='{host}'\nclass='consumer'\nsource='x'\ndate='2026-01-01'");
            assert!(matches!(EndpointTable::parse(&text), Err(EndpointTableError::Host(_))), "{host}");
        }
    }
}

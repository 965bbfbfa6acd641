//! Domain names: A-labels, lower case, without the final dot (RFC 1034, RFC 5891), and where a registrable domain begins
//! (Public Suffix List, ICANN and PRIVATE sections). The only room that names `psl` and `idna`.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

use super::visible;

/// A mail domain or host name in A-labels, lower case, without the final dot; at most 253 octets, labels at most 63.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Arc<str>);

/// Why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Nothing is there.
    #[error("the domain is empty")]
    Empty,
    /// An address literal such as `[192.0.2.1]` has no discovery.
    #[error("`{0}` is an IP address, not a domain")]
    AddressLiteral(String),
    /// A single label such as `localhost` cannot be discovered.
    #[error("`{0}` has no dot: write the whole domain")]
    SingleLabel(String),
    /// A label or the whole breaks the rules of DNS or IDNA.
    #[error("`{0}` is not a valid domain name")]
    Invalid(String),
}

impl Domain {
    /// Reads a domain with at least two labels; Unicode labels become A-labels (UTS 46, non-transitional).
    ///
    /// # Errors
    /// [`DomainError`] where the text is no domain name that a mailbox can have.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        let trimmed = text.trim();
        let bare = trimmed.strip_suffix('.').unwrap_or(trimmed);
        if bare.is_empty() {
            return Err(DomainError::Empty);
        }
        if bare.starts_with('[') || bare.parse::<std::net::IpAddr>().is_ok() {
            return Err(DomainError::AddressLiteral(bare.to_owned()));
        }
        let ascii = idna::domain_to_ascii_strict(bare).map_err(|_| DomainError::Invalid(bare.to_owned()))?;
        if !ascii.contains('.') {
            return Err(DomainError::SingleLabel(ascii));
        }
        let last = ascii.rsplit('.').next().unwrap_or_default();
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DomainError::Invalid(ascii));
        }
        Ok(Self(ascii.into()))
    }

    /// As people read it: `münster.example [xn--mnster-3ya.example]`. U-labels stand only where they come back as the same name and
    /// show all that they hold.
    #[must_use]
    pub fn for_people(&self) -> String {
        match self.unicode() {
            Some(unicode) => format!("{unicode} [{self}]"),
            None => self.to_string(),
        }
    }

    fn unicode(&self) -> Option<String> {
        if !self.0.contains("xn--") {
            return None;
        }
        let (unicode, valid) = idna::domain_to_unicode(&self.0);
        let is_true = valid.is_ok() && Self::parse(&unicode).as_ref() == Ok(self) && visible(&unicode) == unicode;
        (is_true && unicode != *self.0).then_some(unicode)
    }

    /// The name in A-labels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A host name as DNS compares it: lower case, without the final dot. Does not check the name.
#[must_use]
pub fn normalise_host(host: &str) -> String {
    let trimmed = host.trim();
    trimmed.strip_suffix('.').unwrap_or(trimmed).to_ascii_lowercase()
}

/// The registrable domain of a host: one label below its public suffix. An unknown top level counts as a suffix.
/// `None` where the host is itself a public suffix or has one label.
#[must_use]
pub fn registrable(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Whether the name is itself a public suffix, such as `co.uk` or `gov.scot`. It may have mailboxes, but the names below it
/// belong to others.
#[must_use]
pub fn is_public_suffix(host: &str) -> bool {
    psl::suffix_str(host).is_some_and(|suffix| suffix == host)
}

/// Whether `host` is `domain` or ends with it at a dot.
#[must_use]
pub fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl FromStr for Domain {
    type Err = DomainError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_upper_case_and_a_final_dot_come_to_one_name() {
        for text in ["Münster.Example", "xn--mnster-3ya.example.", "MÜNSTER.example"] {
            assert_eq!(Domain::parse(text).map(|domain| domain.to_string()), Ok("xn--mnster-3ya.example".to_owned()), "{text}");
        }
    }

    #[test]
    fn people_read_u_labels_that_are_what_they_seem() {
        for (name, shown) in [
            ("münster.example", "münster.example [xn--mnster-3ya.example]"),
            ("contoso.com", "contoso.com"),
            // no U-label comes back as these
            ("xn--a.example", "xn--a.example"),
            ("xn--contoso-.example", "xn--contoso-.example"),
        ] {
            let domain = Domain::parse(name).unwrap_or_else(|_| Domain(name.into()));
            assert_eq!(domain.for_people(), shown);
        }
    }

    #[test]
    fn what_is_no_mail_domain_is_refused_by_name() {
        for (text, error) in [
            ("", DomainError::Empty),
            (".", DomainError::Empty),
            ("[192.0.2.1]", DomainError::AddressLiteral("[192.0.2.1]".into())),
            ("192.0.2.1", DomainError::AddressLiteral("192.0.2.1".into())),
            ("localhost", DomainError::SingleLabel("localhost".into())),
            ("a..example", DomainError::Invalid("a..example".into())),
            ("under_score.example", DomainError::Invalid("under_score.example".into())),
            ("-a.example", DomainError::Invalid("-a.example".into())),
        ] {
            assert_eq!(Domain::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn the_registrable_domain_follows_the_public_suffix_list() {
        for (host, expected) in [
            ("contoso-com.mail.protection.outlook.com", Some("outlook.com")),
            ("x.o-v1.mx.microsoft", Some("mx.microsoft")),
            ("mail.contoso.co.uk", Some("contoso.co.uk")),
            ("contoso.onmicrosoft.com", Some("onmicrosoft.com")),
            ("co.uk", None),
        ] {
            assert_eq!(registrable(host), expected, "{host}");
        }
        assert!(is_public_suffix("co.uk"));
        assert!(!is_public_suffix("outlook.com"));
    }

    #[test]
    fn a_suffix_counts_only_at_a_dot() {
        assert!(is_within("smtp.outlook.com", "outlook.com"));
        assert!(is_within("outlook.com", "outlook.com"));
        assert!(!is_within("evil-outlook.com", "outlook.com"));
        assert!(!is_within("outlook.com.evil.example", "outlook.com"));
    }
}

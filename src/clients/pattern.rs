//! Patterns of domains and MX hosts, as the tables of providers inside mail clients have them. Anchored at both ends, in lower case:
//! `*` stands for one or more characters of one label, `**` for any characters, dots included, or none, `?` for one character of a
//! label, `#` for a digit.

use serde::{Deserialize, Deserializer};

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-_.*?#".contains(character);
        if text.is_empty() || !text.chars().all(known) || text.contains("***") {
            let advice = "write a domain in lower case, with `*`, `**`, `?` and `#` where something stands for others";
            return Err(serde::de::Error::custom(format!("`{text}` is no pattern: {advice}")));
        }
        Ok(Self(text))
    }
}

impl Pattern {
    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a name fits, whatever its letter case.
    pub(super) fn fits(&self, name: &str) -> bool {
        fits(self.0.as_bytes(), name.to_ascii_lowercase().as_bytes())
    }
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], rest) => rest.is_empty(),
        ([b'*', b'*', after @ ..], _) => (0..=name.len()).any(|at| name.get(at..).is_some_and(|rest| fits(after, rest))),
        ([b'*', after @ ..], [first, rest @ ..]) => *first != b'.' && (fits(pattern, rest) || fits(after, rest)),
        ([b'?', after @ ..], [first, rest @ ..]) => *first != b'.' && fits(after, rest),
        ([b'#', after @ ..], [first, rest @ ..]) => first.is_ascii_digit() && fits(after, rest),
        ([wanted, after @ ..], [first, rest @ ..]) => wanted == first && fits(after, rest),
        (_, []) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_and_a_star_keeps_to_its_label() {
        for (pattern, name, expected) in [
            ("hotmail.*", "hotmail.com", true),
            ("hotmail.*", "HOTMAIL.com", true),
            ("hotmail.*", "hotmail.co.uk", false),
            ("hotmail.*", "myhotmail.com", false),
            ("hotmail.*", "hotmail.", false),
            ("live.*.*", "live.contoso.com", true),
            ("*.live.*", "mail.live.com", true),
            ("*.live.*", "live.com", false),
            ("outlook.**", "outlook.contoso.co.uk", true),
            ("outlook.**", "outlook.", true),
            ("outlook.**", "outlook", false),
            ("**.mail.outlook.com", "contoso.mail.outlook.com", true),
            ("**.mail.outlook.com", "a.b.mail.outlook.com", true),
            ("**.mail.outlook.com", "mail.outlook.com", false),
            ("**.mail.outlook.com", "contoso-com.mail.protection.outlook.com", false),
            ("**your-server.de", "mail.my-your-server.de", true),
            ("yahoo.com.??", "yahoo.com.br", true),
            ("yahoo.com.??", "yahoo.com.b", false),
            ("mx#.zoho.com", "mx2.zoho.com", true),
            ("mx#.zoho.com", "mx.zoho.com", false),
        ] {
            assert_eq!(Pattern(pattern.to_owned()).fits(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "Hotmail.com", "hotmail\\..*", "a***b"] {
            let read = toml::from_str::<std::collections::HashMap<String, Pattern>>(&format!("x = '{text}'"));
            assert!(read.unwrap_err().to_string().contains("is no pattern"), "{text}");
        }
    }
}

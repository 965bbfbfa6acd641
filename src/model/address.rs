//! Mail addresses (RFC 5321 section 4.1.2, RFC 6531): local part as given, domain in A-labels.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::domain::{Domain, DomainError};
use serde::{Deserialize, Deserializer, Serialize};

/// A mailbox address: a local part as it was written (without its quotes) and a domain in A-labels.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    domain: Domain,
    local: Box<str>,
}

/// Why a text is not a mailbox address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing is there.
    #[error("the address is empty")]
    Empty,
    /// There is no `@`.
    #[error("`{0}` has no `@`")]
    NoAt(String),
    /// Nothing stands before the `@`.
    #[error("`{0}` has nothing before the `@`")]
    NoLocalPart(String),
    /// The local part is longer than 64 octets (RFC 5321 section 4.5.3.1.1).
    #[error("the part before the `@` has {0} octets, 64 are allowed")]
    LocalPartTooLong(usize),
    /// A character that needs quotes stands outside them, or a control character stands anywhere.
    #[error("`{0}` is not allowed before the `@` outside quotes")]
    Character(char),
    /// A dot at the start or the end of the local part, or two in a row.
    #[error("the part before the `@` has a dot at its start, at its end, or twice in a row")]
    Dots,
    /// The quotes of a quoted local part are not closed before the `@`.
    #[error("the quotes before the `@` are not closed")]
    Quotes,
    /// The domain is not one.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

impl Address {
    /// Reads an address. White space around it is dropped, quotes around the local part are taken off.
    ///
    /// # Errors
    /// [`AddressError`], with the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let (local, domain) = if let Some(rest) = text.strip_prefix('"') { split_quoted(rest)? } else { split_atom(text)? };
        if local.len() > MAX_LOCAL_OCTETS {
            return Err(AddressError::LocalPartTooLong(local.len()));
        }
        Ok(Self { domain: Domain::parse(domain)?, local: local.into() })
    }

    /// The address that stands for a domain where no mailbox's own may be shown: `postmaster` (RFC 5321 section 4.5.1).
    #[must_use]
    pub fn postmaster(domain: &Domain) -> Self {
        Self { domain: domain.clone(), local: "postmaster".into() }
    }

    /// The address as JavaScript's `encodeURIComponent` writes it, which is what mail clients put into URLs.
    #[must_use]
    pub fn percent_encoded(&self) -> String {
        let mut out = String::new();
        for byte in self.to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let digit = |half: u8| char::from_digit(u32::from(half), 16).map(|digit| digit.to_ascii_uppercase());
                out.push('%');
                out.extend([byte >> 4, byte & 15].into_iter().filter_map(digit));
            }
        }
        out
    }

    /// The part before the `@`, without quotes.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Keeps an equal domain's text only once in memory: a list has a million addresses in a few domains.
    pub fn share_domain(&mut self, shared: &Domain) {
        if self.domain == *shared {
            self.domain = shared.clone();
        }
    }

    /// The form by which two spellings are one mailbox: lower case (Exchange compares local parts so).
    #[must_use]
    pub fn key(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// The order of lists and of the database: by domain, then by [`Address::key`].
    #[must_use]
    pub fn cmp_key(&self, other: &Self) -> Ordering {
        self.domain.cmp(&other.domain).then_with(|| {
            if self.is_plain() && other.is_plain() && self.local.is_ascii() && other.local.is_ascii() {
                return plain_key(&self.local).cmp(plain_key(&other.local));
            }
            self.key().cmp(&other.key())
        })
    }
}

impl Address {
    /// Whether the local part needs no quotes.
    fn is_plain(&self) -> bool {
        let dots = self.local.starts_with('.') || self.local.ends_with('.') || self.local.contains("..");
        !dots && self.local.chars().all(|character| is_atom(character) || character == '.')
    }
}

/// The octets of a key up to the domain, for a local part in ASCII that needs no quotes.
fn plain_key(local: &str) -> impl Iterator<Item = u8> {
    local.bytes().map(|byte| byte.to_ascii_lowercase()).chain(*b"@")
}

fn split_quoted(rest: &str) -> Result<(String, &str), AddressError> {
    let mut local = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            character if character.is_control() => return Err(AddressError::Character(character)),
            '\\' => {
                let quoted = characters.next().ok_or(AddressError::Quotes)?.1;
                if quoted.is_control() {
                    return Err(AddressError::Character(quoted));
                }
                local.push(quoted);
            }
            '"' => {
                let after = rest.get(at + 1..).unwrap_or_default();
                let domain = after.strip_prefix('@').ok_or(AddressError::Quotes)?;
                return if local.is_empty() { Err(AddressError::NoLocalPart(format!("\"{rest}"))) } else { Ok((local, domain)) };
            }
            character => local.push(character),
        }
    }
    Err(AddressError::Quotes)
}

fn split_atom(text: &str) -> Result<(String, &str), AddressError> {
    let (local, domain) = text.rsplit_once('@').ok_or_else(|| AddressError::NoAt(text.to_owned()))?;
    if local.is_empty() {
        return Err(AddressError::NoLocalPart(text.to_owned()));
    }
    if let Some(character) = local.chars().find(|character| !is_atom(*character) && *character != '.') {
        return Err(AddressError::Character(character));
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(AddressError::Dots);
    }
    Ok((local.to_owned(), domain))
}

/// `atext` of RFC 5322 section 3.2.3, widened by RFC 6531 section 3.3 to all of Unicode but controls and white space.
fn is_atom(character: char) -> bool {
    if character.is_ascii() {
        character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character)
    } else {
        !character.is_control() && !character.is_whitespace()
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Writes the address as SMTP has it: with quotes where the local part needs them.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = &self.local;
        if self.is_plain() {
            return write!(out, "{local}@{}", self.domain);
        }
        out.write_str("\"")?;
        for character in local.chars() {
            if character == '"' || character == '\\' {
                out.write_str("\\")?;
            }
            write!(out, "{character}")?;
        }
        write!(out, "\"@{}", self.domain)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

const MAX_LOCAL_OCTETS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_out_as_smtp_writes_them() {
        for (text, written) in [
            (" anna@Contoso.COM ", "anna@contoso.com"),
            ("\"anna\"@contoso.com", "anna@contoso.com"),
            ("\"anna b\"@contoso.com", "\"anna b\"@contoso.com"),
            ("\"a\\\"b@c\"@contoso.com", "\"a\\\"b@c\"@contoso.com"),
            ("=cmd+1@contoso.com", "=cmd+1@contoso.com"),
            ("jürgen@münster.example", "jürgen@xn--mnster-3ya.example"),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()), Ok(written.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for (text, error) in [
            ("", AddressError::Empty),
            ("anna", AddressError::NoAt("anna".into())),
            ("@contoso.com", AddressError::NoLocalPart("@contoso.com".into())),
            ("an na@contoso.com", AddressError::Character(' ')),
            ("a@b@contoso.com", AddressError::Character('@')),
            (".a@contoso.com", AddressError::Dots),
            ("a..b@contoso.com", AddressError::Dots),
            ("\"anna@contoso.com", AddressError::Quotes),
            ("\"a\\\u{1b}b\"@contoso.com", AddressError::Character('\u{1b}')),
            ("anna@com", AddressError::Domain(DomainError::SingleLabel("com".into()))),
            ("anna@localhost", AddressError::Domain(DomainError::SingleLabel("localhost".into()))),
        ] {
            assert_eq!(Address::parse(text), Err(error), "{text}");
        }
        assert!(matches!(Address::parse(&format!("{}@contoso.com", "a".repeat(65))), Err(AddressError::LocalPartTooLong(65))));
    }

    /// Governments give out names under domains that they also have mailboxes in.
    #[test]
    fn a_public_suffix_may_be_a_mail_domain() {
        for text in ["anna@gov.scot", "anna@gov.in", "anna@nic.in", "anna@gov.ie", "anna@foo.ck"] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn the_order_of_lists_is_the_order_of_keys() {
        let written = [
            "m1@a.example",
            "m10@a.example",
            "M1.x@a.example",
            "m1_@a.example",
            "\"m 1\"@a.example",
            "ärger@a.example",
            "m@b.example",
            "zz@a.example",
        ];
        let mut addresses: Vec<Address> = written.iter().map(|text| Address::parse(text).unwrap()).collect();
        addresses.sort_by(Address::cmp_key);
        let mut by_key = addresses.clone();
        by_key.sort_by_key(|address| (address.domain().clone(), address.key()));
        assert_eq!(addresses, by_key);
        assert_eq!(addresses.first().unwrap().to_string(), "\"m 1\"@a.example");
    }

    #[test]
    fn two_spellings_of_one_mailbox_have_one_key() {
        let keys: Vec<String> = ["Anna@contoso.com", "anna@CONTOSO.com", "\"anna\"@contoso.com"]
            .iter()
            .filter_map(|text| Address::parse(text).ok())
            .map(|address| address.key())
            .collect();
        assert_eq!(keys, ["anna@contoso.com", "anna@contoso.com", "anna@contoso.com"]);
    }
}

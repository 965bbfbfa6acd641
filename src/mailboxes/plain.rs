//! An address as people write it on a line: `anna@contoso.com;`, `Anna Meier <anna@contoso.com>,`, with what copying leaves around it.

use crate::model::is_hidden;

/// An address on a line, not parsed, and the name before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainLine<'a> {
    /// What should be the address.
    pub address: &'a str,
    /// The name; empty where there is none.
    pub name: &'a str,
}

impl<'a> PlainLine<'a> {
    /// Takes a line apart.
    #[must_use]
    pub fn read(line: &'a str) -> Self {
        let text = line.trim_end_matches(|character| is_blank(character) || matches!(character, ',' | ';'));
        let bracketed = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
        let (name, address) = bracketed.unwrap_or(("", text));
        Self { address: trim(address), name: trim(trim(name).trim_matches('"')) }
    }
}

/// Without white space, no-break spaces and characters without width around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || (is_hidden(character) && !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_on_a_line_as_people_write_it() {
        for (line, address, name) in [
            ("anna@contoso.com", "anna@contoso.com", ""),
            (" anna@contoso.com; ", "anna@contoso.com", ""),
            ("Anna <anna@contoso.com>,", "anna@contoso.com", "Anna"),
            ("\"Meier, Anna\" < anna@contoso.com >;", "anna@contoso.com", "Meier, Anna"),
            ("<anna@contoso.com>", "anna@contoso.com", ""),
            ("\u{feff}\u{a0}anna@contoso.com\u{200b}\u{2060}", "anna@contoso.com", ""),
            ("\"a,b\"@contoso.com", "\"a,b\"@contoso.com", ""),
            ("\u{1b}anna@contoso.com", "\u{1b}anna@contoso.com", ""),
            ("anna@contoso.com,Anna", "anna@contoso.com,Anna", ""),
            (";", "", ""),
        ] {
            assert_eq!(PlainLine::read(line), PlainLine { address, name }, "{line:?}");
        }
    }
}

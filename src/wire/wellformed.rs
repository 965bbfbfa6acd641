//! What quick-xml passes and XML 1.0 (fifth edition) with namespaces forbids: the rules that tell a strict parser's document
//! from a tolerant one's. Whatever is not well-formed here is still read, and marked.

use std::{borrow::Cow, collections::BTreeSet};

/// `Char` (XML 1.0 section 2.2).
pub(super) fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// White space of XML; narrower than Unicode's.
pub(super) fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// A qualified name (Namespaces in XML 1.0 section 4); outside ASCII somewhat wider than the standard.
pub(super) fn is_name(name: &str) -> bool {
    let (prefix, local) = name.split_once(':').map_or((None, name), |(prefix, local)| (Some(prefix), local));
    prefix.is_none_or(is_plain_name) && is_plain_name(local)
}

fn is_plain_name(name: &str) -> bool {
    let starts = |character: char| character == '_' || character.is_alphabetic();
    let goes_on = |character: char| {
        starts(character)
            || character.is_numeric()
            || matches!(character, '-' | '.' | '·' | '\u{300}'..='\u{36F}' | '\u{203F}' | '\u{2040}')
    };
    name.chars().next().is_some_and(starts) && name.chars().all(goes_on)
}

/// The attributes of a start tag, everything after its name, where they are well-formed (section 3.1): white space before each,
/// quotes, no `<`, no name twice.
pub(super) fn attributes(raw: &str) -> Option<Vec<(&str, &str)>> {
    let mut list = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = raw;
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if trimmed.is_empty() {
            return Some(list);
        }
        if trimmed.len() == rest.len() {
            return None;
        }
        let (name, after) = trimmed.split_once('=')?;
        let name = name.trim_end_matches(is_space);
        let after = after.trim_start_matches(is_space);
        let quote = after.chars().next().filter(|character| matches!(character, '"' | '\''))?;
        let (value, tail) = after.get(1..)?.split_once(quote)?;
        if !is_name(name) || value.contains('<') || !names.insert(name) {
            return None;
        }
        list.push((name, value));
        rest = tail;
    }
}

/// Whether a prefix may be bound to a name (Namespaces in XML 1.0 section 3); the empty prefix is the default namespace.
pub(super) fn is_binding(prefix: &str, namespace: &str) -> bool {
    let is_reserved = namespace == XML_NAMESPACE || namespace == XMLNS_NAMESPACE;
    match prefix {
        "xml" => namespace == XML_NAMESPACE,
        "xmlns" => false,
        "" => !is_reserved,
        _ => !is_reserved && !namespace.is_empty(),
    }
}

/// A whole XML declaration (section 2.8).
pub(super) fn is_declaration(raw: &str) -> bool {
    let Some(list) = raw.strip_prefix("<?xml").and_then(|raw| raw.strip_suffix("?>")).and_then(attributes) else {
        return false;
    };
    let mut rest = list.as_slice();
    let Some((("version", version), after)) = rest.split_first() else {
        return false;
    };
    if !version.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    rest = after;
    if let Some((("encoding", name), after)) = rest.split_first() {
        if !name.starts_with(|first: char| first.is_ascii_alphabetic())
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        {
            return false;
        }
        rest = after;
    }
    if let Some((("standalone", "yes" | "no"), after)) = rest.split_first() {
        rest = after;
    }
    rest.is_empty()
}

/// A whole document type declaration that leaves the document as it stands (section 2.8): a name, perhaps an external
/// identifier, which nobody fetches. An internal subset is not read here, so nothing can be said for it.
pub(super) fn is_harmless_doctype(raw: &str) -> bool {
    let Some(rest) = raw.strip_prefix("<!DOCTYPE").and_then(|raw| raw.strip_suffix('>')).and_then(after_space) else {
        return false;
    };
    let name = rest.split(is_space).next().unwrap_or_default();
    let rest = rest.get(name.len()..).unwrap_or_default().trim_matches(is_space);
    let literals = if rest.is_empty() {
        Some(rest)
    } else if let Some(rest) = rest.strip_prefix("PUBLIC") {
        after_space(rest).and_then(after_literal).and_then(after_space).and_then(after_literal)
    } else {
        rest.strip_prefix("SYSTEM").and_then(after_space).and_then(after_literal)
    };
    is_name(name) && literals == Some("")
}

fn after_space(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(is_space);
    (rest.len() < text.len()).then_some(rest)
}

fn after_literal(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|character| matches!(character, '"' | '\''))?;
    text.get(1..)?.split_once(quote).map(|(_, rest)| rest)
}

/// The target of a processing instruction (Namespaces in XML 1.0 section 7: without a colon).
pub(super) fn is_instruction_target(target: &str) -> bool {
    is_plain_name(target) && !target.eq_ignore_ascii_case("xml")
}

/// The character that a reference stands for: one of the five predefined entities, or by number (section 4.1). Nothing else
/// is ever expanded.
pub(super) fn resolve(reference: &str) -> Option<char> {
    match reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => {
            let number = reference.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            let code = digits.chars().all(|digit| digit.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())??;
            char::from_u32(code).filter(|character| is_character(*character))
        }
    }
}

/// Expands the references of an attribute value; what cannot be resolved stays as written, and is told.
pub(super) fn expand(value: &str) -> (Cow<'_, str>, bool) {
    if !value.contains('&') {
        return (Cow::Borrowed(value), true);
    }
    let mut out = String::with_capacity(value.len());
    let mut complete = true;
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        // Up to the next `&` at most, so that a text of nothing else is not searched again and again.
        let name = after.split(['&', ';']).next().unwrap_or_default();
        let tail = after.get(name.len()..).and_then(|tail| tail.strip_prefix(';'));
        if let (Some(character), Some(tail)) = (resolve(name), tail) {
            out.push(character);
            rest = tail;
        } else {
            complete = false;
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    (Cow::Owned(out), complete)
}

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_only_where_they_are_well_formed() {
        for (raw, expected) in [
            ("", Some(vec![])),
            (" type=\"imap\" id = 'a>b' ", Some(vec![("type", "imap"), ("id", "a>b")])),
            (" type='imap'id='b'", None),
            (" type='imap' type='pop3'", None),
            (" type=imap", None),
            (" type", None),
            (" type='im<ap'", None),
            (" 1type='imap'", None),
            (" a:b:c='imap'", None),
            (" type='imap", None),
        ] {
            assert_eq!(attributes(raw), expected, "{raw}");
        }
    }

    #[test]
    fn declarations_follow_the_grammar() {
        for (raw, valid) in [
            ("<?xml version=\"1.0\"?>", true),
            ("<?xml version='1.1' encoding='utf-8' standalone='yes' ?>", true),
            ("<?xml?>", false),
            ("<?xml encoding='utf-8'?>", false),
            ("<?xml encoding='utf-8' version='1.0'?>", false),
            ("<?xml version='1.0' standalone='maybe'?>", false),
            ("<?xml version='2.0'?>", false),
            ("<?xml version='1.0' encoding=''?>", false),
            ("<?XML version='1.0'?>", false),
        ] {
            assert_eq!(is_declaration(raw), valid, "{raw}");
        }
    }

    #[test]
    fn a_doctype_is_harmless_where_it_only_names_itself() {
        for (raw, harmless) in [
            ("<!DOCTYPE clientConfig>", true),
            ("<!DOCTYPE clientConfig SYSTEM 'a.dtd' >", true),
            ("<!DOCTYPE html PUBLIC \"-//W3C//DTD\"\n'a.dtd'>", true),
            ("<!DOCTYPE clientConfig [<!ENTITY a 'b'>]>", false),
            ("<!DOCTYPE clientConfig []>", false),
            ("<!DOCTYPE clientConfig SYSTEM>", false),
            ("<!DOCTYPE clientConfig PUBLIC 'a'>", false),
            ("<!DOCTYPE clientConfig NEITHER 'a'>", false),
            ("<!DOCTYPE 1>", false),
            ("<!DOCTYPEclientConfig>", false),
            ("<!doctype clientConfig>", false),
        ] {
            assert_eq!(is_harmless_doctype(raw), harmless, "{raw}");
        }
    }

    #[test]
    fn references_are_resolved_and_nothing_else_is() {
        for (reference, character) in [
            ("amp", Some('&')),
            ("#252", Some('ü')),
            ("#xFC", Some('ü')),
            ("#x1F600", Some('😀')),
            ("#0", None),
            ("#xD800", None),
            ("#x110000", None),
            ("#xFFFE", None),
            ("#99999999999", None),
            ("#+5", None),
            ("#", None),
            ("#x", None),
            ("nbsp", None),
        ] {
            assert_eq!(resolve(reference), character, "{reference}");
        }
        assert_eq!(expand("a&amp;b&nbsp;c & d&lt;"), (Cow::Borrowed("a&b&nbsp;c & d<"), false));
        assert_eq!(expand("&quot;x&#39;"), (Cow::Borrowed("\"x'"), true));
    }
}

//! JSON (RFC 8259) under caps, and how its members are found: by name, whatever the letter case.
//!
//! Read strictly, as every client does: one value, white space and a byte order mark aside.

use serde_json::{Map, Value};

use super::{Fault, charset, fault::clip, xml::read_tree};

/// An object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'a>(pub(super) &'a Map<String, Value>);

/// Reads a body that is one JSON object.
///
/// # Errors
/// Every [`Fault`] that leaves no such object.
pub(super) fn read_json(body: &[u8], content_type: &str) -> Result<Map<String, Value>, Fault> {
    let decoded = charset::decode(body, content_type)?;
    let text = decoded.text.trim();
    check_size(text)?;
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::NoObject),
        Err(error) if text.starts_with(['{', '[']) => Err(if error.is_eof() {
            Fault::JsonCutOff
        } else {
            Fault::JsonBroken { line: error.line(), reason: clip(&error.to_string(), 120) }
        }),
        Err(_) if text.starts_with('<') => Err(match read_tree(body, content_type, "") {
            Err(Fault::Html) => Fault::Html,
            _ => Fault::Xml,
        }),
        Err(_) => Err(Fault::NotJson),
    }
}

/// Counts what opens and what separates outside of texts, before anything is allocated.
fn check_size(text: &str) -> Result<(), Fault> {
    if !text.starts_with(['{', '[']) {
        return Ok(());
    }
    let (mut depth, mut values, mut is_text, mut is_escaped) = (0_usize, 0_usize, false, false);
    for octet in text.bytes() {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'{' | b'[' => (depth, values) = (depth + 1, values + 1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        if values > MAX_VALUES {
            return Err(Fault::TooManyElements);
        }
    }
    Ok(())
}

impl<'a> Object<'a> {
    /// A member by its name, else by its name in other letter case; `null` counts as missing.
    fn get(self, name: &str) -> Option<&'a Value> {
        let loose = || self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.0.get(name).or_else(loose).filter(|value| !value.is_null())
    }

    /// The trimmed text of a member; a number or a boolean as it is written. `None` where it is missing, empty or no scalar.
    pub(super) fn text(self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// A boolean, also where it is written as a text or as 0 or 1.
    pub(super) fn flag(self, name: &str) -> Option<bool> {
        flag(&self.text(name)?)
    }

    /// A whole number, also where it is written as a text.
    pub(super) fn number(self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A member that is an object.
    pub(super) fn object(self, name: &str) -> Option<Object<'a>> {
        self.get(name)?.as_object().map(Object)
    }

    /// The objects of a member that is an array. `None` where there is no such array.
    pub(super) fn objects(self, name: &str) -> Option<Vec<Object<'a>>> {
        Some(self.get(name)?.as_array()?.iter().filter_map(Value::as_object).map(Object).collect())
    }

    /// The names of all members, in order.
    pub(super) fn names(self) -> Vec<String> {
        self.0.keys().map(|key| clip(key, MAX_NAME_CHARACTERS)).collect()
    }
}

/// A scalar as text.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let end = text.floor_char_boundary(MAX_TEXT_OCTETS);
    text.get(..end).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// `true`, `1`, `false`, `0` in any letter case.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

const MAX_DEPTH: usize = 64;
const MAX_VALUES: usize = 20_000;
const MAX_TEXT_OCTETS: usize = 16 * 1024;
const MAX_NAME_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused_by_name() {
        let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
        let wide = format!("[{}1]", "1,".repeat(20_000));
        let bracket_in_text = format!("{{\"a\":\"{}\"}}", "[".repeat(70));
        for (body, fault) in [
            ("", Fault::Empty),
            (" \r\n", Fault::Empty),
            ("null", Fault::NoObject),
            ("12", Fault::NoObject),
            ("[{}]", Fault::NoObject),
            ("\"{\"", Fault::NoObject),
            ("Not found", Fault::NotJson),
            ("[[[[ not json", Fault::JsonBroken { line: 1, reason: "expected ident at line 1 column 7".into() }),
            ("<html><body>{}</body></html>", Fault::Html),
            ("<!DOCTYPE html><p>", Fault::Html),
            ("<?xml version='1.0'?><a>{}</a>", Fault::Xml),
            ("<", Fault::Xml),
            ("{\"a\":", Fault::JsonCutOff),
            ("{\"a\":\"b", Fault::JsonCutOff),
            ("{\"a\":1}\n{", Fault::JsonBroken { line: 2, reason: "trailing characters at line 2 column 1".into() }),
            ("{'a':1}", Fault::JsonBroken { line: 1, reason: "key must be a string at line 1 column 2".into() }),
            (deep.as_str(), Fault::TooDeep),
            (wide.as_str(), Fault::TooManyElements),
        ] {
            assert_eq!(read_json(body.as_bytes(), "application/json").err(), Some(fault), "{}", clip(body, 40));
        }
        assert!(read_json(bracket_in_text.as_bytes(), "").is_ok());
        assert_eq!(read_json(&vec![b' '; 256 * 1024 + 1], "").err(), Some(Fault::TooLong));
    }

    #[test]
    fn a_mark_and_utf_16_are_read() {
        assert!(read_json(b"\xEF\xBB\xBF{\"a\":1}", "application/json").is_ok());
        assert!(read_json(b"\xFF\xFE{\0}\0", "application/json").is_ok());
    }

    #[test]
    fn members_are_found_and_converted() {
        let root = read_json(
            br#"{"URL":"loose","Url":" exact ","no":null,"on":"True","one":1,"off":0,"n":"12","x":[1],"o":{"a":1},"l":[{"b":2},3,{}]}"#,
            "",
        )
        .unwrap();
        let root = Object(&root);
        assert_eq!((root.text("Url").as_deref(), root.text("url").as_deref()), (Some("exact"), Some("loose")));
        assert_eq!((root.text("no"), root.text("x"), root.text("missing")), (None, None, None));
        assert_eq!([root.flag("on"), root.flag("one"), root.flag("off"), root.flag("n")], [Some(true), Some(true), Some(false), None]);
        assert_eq!((root.number("n"), root.number("one"), root.number("on")), (Some(12), Some(1), None));
        assert_eq!(root.object("o").and_then(|object| object.number("a")), Some(1));
        let count = |name| root.objects(name).map(|objects| objects.len());
        assert_eq!((count("l"), count("x"), count("o"), count("missing")), (Some(2), Some(0), None, None));
    }
}

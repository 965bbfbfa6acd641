//! Bytes to text, by byte order mark, charset label and XML declaration (XML 1.0 appendix F, RFC 7303 section 3).
//!
//! Markup and host names are ASCII; so a single-byte label on what is plainly UTF-8 is passed over without a mark.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Fault;

/// A decoded body.
pub(super) struct Decoded {
    /// Without its byte order mark.
    pub(super) text: String,
    /// Whether the bytes are what their labels say.
    pub(super) faithful: bool,
}

/// Decodes a body.
///
/// # Errors
/// [`Fault::TooLong`], [`Fault::Empty`], [`Fault::Encoding`].
pub(super) fn decode(body: &[u8], content_type: &str) -> Result<Decoded, Fault> {
    if body.len() > MAX_BODY_OCTETS {
        return Err(Fault::TooLong);
    }
    if body.is_empty() {
        return Err(Fault::Empty);
    }
    if is_utf_32(body) {
        return Err(Fault::Encoding);
    }
    let label = label(content_type).and_then(known);
    let decoded = if let Some((encoding, length)) = Encoding::for_bom(body) {
        let rest = body.get(length..).unwrap_or_default();
        decode_as(rest, encoding)
    } else if let Some(encoding) = utf_16_without_mark(body) {
        let decoded = decode_as(body, encoding);
        Decoded { faithful: decoded.faithful && label == Some(encoding), ..decoded }
    } else {
        decode_octets(body, label)
    };
    if decoded.text.chars().all(|character| character.is_whitespace() || character == BYTE_ORDER_MARK) {
        return Err(Fault::Empty);
    }
    Ok(decoded)
}

/// What is neither marked nor shaped as UTF-16.
fn decode_octets(body: &[u8], label: Option<&'static Encoding>) -> Decoded {
    let is_wide = |encoding: &Encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    if label.is_some_and(is_wide) {
        return Decoded { faithful: false, ..decode_as(body, UTF_8) };
    }
    // A declaration that can be read as octets and says UTF-16 is wrong about itself: web servers convert, and do not edit it.
    let encoding = label.or_else(|| declared(body).and_then(|name| known(&name)).filter(|encoding| !is_wide(encoding)));
    match encoding {
        Some(encoding) if encoding.is_single_byte() && !body.is_ascii() && std::str::from_utf8(body).is_ok() => decode_as(body, UTF_8),
        Some(encoding) => decode_as(body, encoding),
        None => decode_as(body, UTF_8),
    }
}

fn decode_as(body: &[u8], encoding: &'static Encoding) -> Decoded {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(body) {
        return Decoded { text: text.into_owned(), faithful: true };
    }
    let text = if encoding == UTF_16LE || encoding == UTF_16BE {
        encoding.decode_without_bom_handling(body).0
    } else {
        std::str::from_utf8(body).map_or_else(|_| WINDOWS_1252.decode_without_bom_handling(body).0, Cow::Borrowed)
    };
    Decoded { text: text.into_owned(), faithful: false }
}

fn known(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT)
}

/// The `charset` parameter of a content type.
fn label(content_type: &str) -> Option<&str> {
    content_type
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']))
}

/// The encoding that the XML declaration names.
fn declared(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(body.get(..MAX_DECLARATION_OCTETS).unwrap_or(body)).into_owned();
    let (_, rest) = head.split_once("<?xml")?;
    let (declaration, _) = rest.split_once("?>")?;
    let (_, rest) = declaration.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|character| matches!(character, '"' | '\''))?;
    value.get(1..)?.split_once(quote).map(|(name, _)| name.to_owned())
}

fn utf_16_without_mark(body: &[u8]) -> Option<&'static Encoding> {
    match body {
        [0, second, ..] if *second != 0 => Some(UTF_16BE),
        [first, 0, ..] if *first != 0 => Some(UTF_16LE),
        _ => None,
    }
}

fn is_utf_32(body: &[u8]) -> bool {
    matches!(body, [0, 0, ..] | [0xFF, 0xFE, 0, 0, ..] | [_, 0, 0, 0, ..])
}

const MAX_BODY_OCTETS: usize = 256 * 1024;
const MAX_DECLARATION_OCTETS: usize = 512;
const BYTE_ORDER_MARK: char = '\u{FEFF}';

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED_LATIN: &[u8] = b"<?xml version='1.0' encoding = 'iso-8859-1'?><a>\xFC</a>";

    #[test]
    fn the_mark_wins_over_the_label_and_the_label_over_the_declaration() {
        for (body, content_type, text, faithful) in [
            (&b"<a>\xC3\xBC</a>"[..], "", "<a>ü</a>", true),
            (b"\xEF\xBB\xBF<a>\xC3\xBC</a>", "text/xml; charset=windows-1252", "<a>ü</a>", true),
            (b"\xFF\xFE<\0a\0/\0>\0", "text/xml; charset=utf-8", "<a/>", true),
            (b"\xFE\xFF\0<\0a\0/\0>", "text/xml", "<a/>", true),
            (b"<\0a\0/\0>\0", "text/xml; charset=\"UTF-16\"", "<a/>", true),
            (b"<\0a\0/\0>\0", "text/xml", "<a/>", false),
            (b"\0<\0a\0/\0>", "text/xml", "<a/>", false),
            (b"\xFF\xFE<\0a\0/\0>", "", "<a/\u{FFFD}", false),
            (b"<a>\xFC</a>", "text/xml; charset=ISO-8859-1", "<a>ü</a>", true),
            (b"<a>\xFC</a>", "text/xml", "<a>ü</a>", false),
            (b"\xEF\xBB\xBF<a>\xFC</a>", "text/xml", "<a>ü</a>", false),
            (b"<a>\xC3\xBC</a>", "text/xml; charset=us-ascii", "<a>ü</a>", true),
            (b"<a>\xC3\xBC</a>", "text/xml; charset=utf-16", "<a>ü</a>", false),
            (b"<a/>", "text/xml; charset=klingon", "<a/>", true),
            (b"<?xml version='1.0' encoding='utf-16'?><a/>", "", "<?xml version='1.0' encoding='utf-16'?><a/>", true),
            (DECLARED_LATIN, "", "<?xml version='1.0' encoding = 'iso-8859-1'?><a>ü</a>", true),
            (DECLARED_LATIN, "text/xml;charset=utf-8", "<?xml version='1.0' encoding = 'iso-8859-1'?><a>ü</a>", false),
        ] {
            let decoded = decode(body, content_type).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.faithful), (text, faithful), "{:?} {content_type}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_by_name() {
        for (body, fault) in [
            (&b""[..], Fault::Empty),
            (b" \r\n\t", Fault::Empty),
            (b"\xEF\xBB\xBF", Fault::Empty),
            (b"\xFF\xFE\0\0<\0\0\0", Fault::Encoding),
            (b"<\0\0\0a\0\0\0", Fault::Encoding),
            (b"\0\0\0<", Fault::Encoding),
        ] {
            assert_eq!(decode(body, "text/xml").err(), Some(fault), "{body:?}");
        }
        assert!(decode(&vec![b'a'; MAX_BODY_OCTETS], "").is_ok());
        assert_eq!(decode(&vec![b'a'; MAX_BODY_OCTETS + 1], "").err(), Some(Fault::TooLong));
    }
}

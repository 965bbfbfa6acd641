//! Base64 (RFC 4648): read in the standard and in the URL-safe alphabet, with or without padding.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Decodes a text; white space in it is left out. `None` where it is not base64.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let standard = |octet: u8| match octet {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).map(standard).collect();
    let padding = if digits.contains(&b'=') { DecodePaddingMode::RequireCanonical } else { DecodePaddingMode::RequireNone };
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(padding);
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_and_both_alphabets_are_read() {
        for (text, octets) in [
            ("", &b""[..]),
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmE=", b"fooba"),
            ("Zm9vYmFy", b"foobar"),
            ("Zg", b"f"),
            ("Zm9v\r\n Yg", b"foob"),
            ("+/-_", b"\xFB\xFF\xBF"),
        ] {
            assert_eq!(decode_base64(text).as_deref(), Some(octets), "{text}");
        }
        for text in ["Z", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm9v!", "{}", "Zü"] {
            assert_eq!(decode_base64(text), None, "{text}");
        }
    }
}

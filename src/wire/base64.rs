//! Base64 (RFC 4648): read in the standard and in the URL-safe alphabet, with or without padding.

/// Decodes a text; white space in it is left out. `None` where it is not base64.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let padding = digits.iter().rev().take_while(|octet| **octet == b'=').count();
    let digits = digits.get(..digits.len() - padding)?;
    let is_whole = (digits.len() + padding).is_multiple_of(4) || padding == 0;
    if padding > 2 || !is_whole || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for digit in digits {
        bits = (bits << 6) | u32::from(value(*digit)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(((bits >> held) & 0xFF) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(out)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
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

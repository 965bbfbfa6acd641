//! The bearer token (RFC 6750): compared in constant time, and not kept in clear.

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Who may read the report.
#[derive(Clone)]
pub struct Token {
    mac: Hmac<Sha256>,
    tag: Vec<u8>,
}

/// Why a token cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It could be guessed.
    #[error("the listener's token has fewer than {SHORTEST} characters; `openssl rand -hex 32` writes one")]
    Short,
    /// It does not fit into a header.
    #[error("the listener's token may hold letters, digits and -._~+/= only")]
    Characters,
}

impl Token {
    /// Takes a secret, without the white space at its ends.
    ///
    /// # Errors
    /// [`TokenError`] where it is too short, or cannot stand in a header.
    pub fn new(secret: &SecretString) -> Result<Self, TokenError> {
        let secret = secret.expose_secret().trim();
        if !secret.chars().all(|character| character.is_ascii_alphanumeric() || "-._~+/=".contains(character)) {
            return Err(TokenError::Characters);
        }
        if secret.len() < SHORTEST {
            return Err(TokenError::Short);
        }
        let mac = Hmac::new_from_slice(b"autodiscover-audit listener token").map_err(|_| TokenError::Short)?;
        let tag = mac.clone().chain_update(secret).finalize().into_bytes().to_vec();
        Ok(Self { mac, tag })
    }

    /// Whether the value of an `Authorization` header holds it.
    pub(super) fn is_in(&self, authorization: &[u8]) -> bool {
        let Some((scheme, presented)) = authorization.split_at_checked(SCHEME.len()) else { return false };
        scheme.eq_ignore_ascii_case(SCHEME) && self.mac.clone().chain_update(presented.trim_ascii()).verify_slice(&self.tag).is_ok()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token")
    }
}

const SCHEME: &[u8] = b"bearer ";
const SHORTEST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_with_its_scheme_is_taken() {
        let token = Token::new(&"0123456789abcdef\n".into()).unwrap();
        for (header, is_right) in [
            ("Bearer 0123456789abcdef", true),
            ("bearer  0123456789abcdef", true),
            ("Bearer 0123456789abcde", false),
            ("Bearer 0123456789abcdeg", false),
            ("Bearer 0123456789abcdef0", false),
            ("Basic 0123456789abcdef", false),
            ("0123456789abcdef", false),
            ("Bearer ", false),
            ("", false),
        ] {
            assert_eq!(token.is_in(header.as_bytes()), is_right, "{header:?}");
        }
        assert_eq!(format!("{token:?}"), "Token");
    }

    #[test]
    fn what_could_be_guessed_or_not_be_sent_is_refused() {
        for (secret, problem) in [
            ("", TokenError::Short),
            ("0123456789abcde", TokenError::Short),
            ("0123456789abcde\u{e9}", TokenError::Characters),
            ("0123456789 abcdef", TokenError::Characters),
        ] {
            assert_eq!(Token::new(&secret.into()).err(), Some(problem), "{secret}");
        }
    }
}

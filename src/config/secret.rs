//! Secrets: read where the settings say, and never written anywhere.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::{SecretString, zeroize::Zeroizing};

use crate::alert::SecretSource;

/// Reads a secret; line ends behind it are no part of it.
///
/// # Errors
/// A fragment for a person that says what is wrong and what to do, without the secret.
pub fn read_secret(source: &SecretSource) -> Result<SecretString, String> {
    let text = match source {
        SecretSource::File(path) => read_file(path)?,
        SecretSource::Credential(name) => read_file(&credential_path(name)?)?,
        SecretSource::Env(name) => Zeroizing::new(variable(name).ok_or("is not set, or is no UTF-8")?),
    };
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err("is empty".to_owned());
    }
    if secret.chars().any(char::is_control) {
        return Err("has more than one line, or control characters".to_owned());
    }
    Ok(secret.into())
}

fn credential_path(name: &str) -> Result<PathBuf, String> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err("is no name of a credential".to_owned());
    }
    let directory = variable("CREDENTIALS_DIRECTORY")
        .ok_or("is only there in a service that systemd starts: give the unit LoadCredential= and start it that way")?;
    Ok(Path::new(&directory).join(name))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let read = || {
        let mut text = Zeroizing::new(String::new());
        File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
        io::Result::Ok(text)
    };
    let text = read().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::InvalidData => "is no UTF-8".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if text.len() as u64 > LONGEST { Err(format!("has more than {LONGEST} bytes")) } else { Ok(text) }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place where settings name variables")]
    std::env::var(name).ok()
}

/// Bytes.
const LONGEST: u64 = 65_536;

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_file_holds_one_line_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (content, expected) in [
            (b"abc\n".as_slice(), Ok("abc")),
            (b"abc\r\n", Ok("abc")),
            (b" abc", Ok(" abc")),
            (b"\n", Err("is empty")),
            (b"a\nb\n", Err("has more than one line, or control characters")),
            (b"\xff", Err("is no UTF-8")),
        ] {
            std::fs::write(&path, content).unwrap();
            let found = read_secret(&SecretSource::File(path.clone()));
            assert_eq!(found.as_ref().map(SecretString::expose_secret).map_err(String::as_str), expected);
        }
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        assert_eq!(read_secret(&SecretSource::File(path)).unwrap_err(), "has more than 65536 bytes");
        assert_eq!(read_secret(&SecretSource::File(folder.path().join("none"))).unwrap_err(), "does not exist");
    }

    #[test]
    fn a_credential_is_a_name_and_not_a_path() {
        for name in ["", "../x", "a/b", ".x"] {
            assert_eq!(read_secret(&SecretSource::Credential(name.into())).unwrap_err(), "is no name of a credential");
        }
        assert!(read_secret(&SecretSource::Env("AUTODISCOVER_AUDIT_NO_SUCH_VARIABLE".into())).is_err());
    }
}

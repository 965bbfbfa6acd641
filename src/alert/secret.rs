//! Where secrets are. Settings name a place, and never hold a secret; `config` reads it.

use std::{fmt, path::PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

/// Where a secret is: `{ file = "…" }`, `{ credential = "…" }` or `{ env = "…" }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretSource {
    /// A file that holds nothing else.
    File(PathBuf),
    /// A credential of systemd: a file in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
    /// A variable of the environment.
    Env(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "the file `{}`", path.display()),
            Self::Credential(name) => write!(out, "the credential `{name}`"),
            Self::Env(name) => write!(out, "the environment variable `{name}`"),
        }
    }
}

/// A text that may be a secret: written out where it is none, else the place of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum MaybeSecret {
    /// No secret.
    Open(String),
    /// The place of one.
    Secret(SecretSource),
}

/// Reads a secret; what is wrong is a lowercase fragment for a person, such as `cannot be read`.
pub type Secrets<'a> = dyn Fn(&SecretSource) -> Result<SecretString, String> + 'a;

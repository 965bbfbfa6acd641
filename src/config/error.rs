//! What is wrong with a configuration file, by line.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

/// Everything that is wrong with a configuration file, by line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file.
    pub file: PathBuf,
    /// At least one.
    pub errors: Vec<ConfigError>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, from 1; `None` where it is about the whole file.
    pub line: Option<usize>,
    /// The key with its tables, such as `network.timeout_seconds`; empty where there is none.
    pub key: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// A fault before its line is known.
pub(super) type Fault = (Option<Range<usize>>, String, String);

impl ConfigErrors {
    pub(super) fn whole(file: &Path, problem: String) -> Self {
        Self { file: file.to_owned(), errors: vec![ConfigError { line: None, key: String::new(), problem }] }
    }

    pub(super) fn syntax(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let (line, column) = position(text, at);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let problem = format!("column {column}: {message}; correct the TOML");
        Self { file: file.to_owned(), errors: vec![ConfigError { line: Some(line), key: String::new(), problem }] }
    }

    pub(super) fn located(file: &Path, text: &str, faults: Vec<Fault>) -> Self {
        let locate = |(span, key, problem): Fault| ConfigError { line: span.map(|span| position(text, span.start).0), key, problem };
        let mut errors: Vec<ConfigError> = faults.into_iter().map(locate).collect();
        errors.sort_by_key(|error| error.line);
        errors.dedup();
        Self { file: file.to_owned(), errors }
    }
}

/// Line and column, both from 1.
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or_default().chars().count() + 1)
}

impl std::error::Error for ConfigErrors {}

/// A line an error: `file:line: key: what is wrong; what to do`.
impl fmt::Display for ConfigErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.errors.iter().enumerate() {
            if number > 0 {
                writeln!(out)?;
            }
            write!(out, "{}:", self.file.display())?;
            if let Some(line) = error.line {
                write!(out, "{line}:")?;
            }
            if !error.key.is_empty() {
                write!(out, " {}:", error.key)?;
            }
            write!(out, " {}", error.problem)?;
        }
        Ok(())
    }
}

//! What a check assumes: `--assume`, and the lines of `--assume-file`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{cli::exit::UsageError, remedy::Overlay};

/// What is assumed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Assumptions")]
pub(super) struct AssumeArgs {
    /// Tells what every client would do if this were so (repeatable), and what that changes: `MX contoso.com = 0 mx.contoso.com`, TXT,
    /// SRV and CNAME alike, or `URL = FILE`
    ///
    /// Several records stand with `,` between them; `= none`: there is no such record; `= nxdomain`: there is no such name, nor one
    /// below it. A URL answers GET and POST with the file, whatever the query where RECORD has none; `= FILE; CONTENT-TYPE` says its
    /// type, and `= 404` is a status in its place. What is assumed is not asked. Behind a CNAME the host is reached where the target is,
    /// under its own name: https fails on the certificate where it really would. The exit code is that of the assumed world.
    #[arg(long, value_name = "RECORD")]
    assume: Vec<String>,
    /// The same, a line each; empty lines and such that begin with `#` say nothing, and files are named from this one's folder
    #[arg(long, value_name = "FILE")]
    assume_file: Vec<PathBuf>,
}

impl AssumeArgs {
    /// Reads what is assumed, and the files that it names.
    pub(super) fn read(&self) -> anyhow::Result<Overlay> {
        let mut overlay = Overlay::default();
        for text in &self.assume {
            let read = |file: &str| read(Path::new(file));
            overlay.assume(text, &read).map_err(|error| UsageError(format!("--assume: {error}")))?;
        }
        for path in &self.assume_file {
            let text = read(path).map_err(|why| UsageError(format!("--assume-file: {why}")))?;
            let folder = path.parent().unwrap_or(Path::new(""));
            let text = String::from_utf8_lossy(&text);
            for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
                if line.trim().is_empty() || line.trim_start().starts_with('#') {
                    continue;
                }
                let read = |file: &str| read(&folder.join(file));
                let wrong = |error| UsageError(format!("{} line {}: {error}", path.display(), at + 1));
                overlay.assume(line, &read).map_err(wrong)?;
            }
        }
        Ok(overlay)
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

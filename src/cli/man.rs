//! `man [DIR]`: the manual pages, made of the command line's own help and of the commented example configuration.

mod reference;

use std::{fs, io::Write, path::PathBuf};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_mangen::{Man, roff::Roff};

use super::{Cli, Exit};

/// Manual pages.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Writes all pages into this folder, in place of the first one to standard output
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    // the subcommand `help` would get pages of its own
    let command = Cli::command().disable_help_subcommand(true);
    let mut first = Vec::new();
    Man::new(command.clone()).manual(MANUAL).render(&mut first)?;
    first.extend(further().to_roff().into_bytes());
    let Some(folder) = &args.folder else {
        out.write_all(&first)?;
        return Ok(Exit::Clean);
    };
    let write = |name: &str, page: &[u8]| fs::write(folder.join(name), page);
    clap_mangen::generate_to(command, folder)
        .and_then(|()| write("autodiscover-audit.1", &first))
        .and_then(|()| write("autodiscover-audit.toml.5", reference::page().as_bytes()))
        .with_context(|| format!("the pages cannot be written into `{}`", folder.display()))?;
    Ok(Exit::Clean)
}

/// What the help does not say.
fn further() -> Roff {
    let mut roff = Roff::default();
    roff.control("SH", ["FILES"]);
    for (path, what) in FILES {
        roff.control("TP", []);
        roff.text([clap_mangen::roff::italic(path)]);
        roff.text([what.into()]);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text(["autodiscover-audit.toml(5), systemctl(1), journalctl(1)".into()]);
    roff
}

const MANUAL: &str = "autodiscover-audit";

const FILES: [(&str, &str); 3] = [
    ("/etc/autodiscover-audit/autodiscover-audit.toml", "The configuration, where --config names no other."),
    ("/etc/autodiscover-audit/credentials/", "Secrets that systemd hands to the service as credentials; readable to root only."),
    ("/var/lib/autodiscover-audit/", "The database of the service."),
];

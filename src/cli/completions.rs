//! `completions SHELL`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::aot;

use super::{Cli, Exit};

/// Completions.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// For this shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(args: &CompletionsArgs, out: &mut impl Write) -> io::Result<Exit> {
    let shell = match args.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    // written whole: the generator takes a closed pipe for a reason to panic
    let mut script = Vec::new();
    aot::generate(shell, &mut Cli::command(), env!("CARGO_PKG_NAME"), &mut script);
    out.write_all(&script)?;
    Ok(Exit::Clean)
}

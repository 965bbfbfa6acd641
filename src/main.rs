//! `autodiscover-audit`: turns what a subcommand came to into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    autodiscover_audit::cli::main().into()
}

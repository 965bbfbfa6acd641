//! Exit codes, and the one place where errors are printed.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{
    audit::RunError,
    mailboxes::ListError,
    model::{visible_lines, with_causes},
    store::StoreError,
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to do.
    Clean,
    /// Findings.
    Findings,
    /// No findings, and some could not be told; or the run was interrupted.
    Undetermined,
    /// The configuration, a list or the command line is wrong.
    Usage,
    /// We failed.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Undetermined => 2,
            Exit::Usage => 3,
            Exit::Failed => 4,
        })
    }
}

/// What the user has to mend: printed as it is, ends with 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// Prints what clap says; help and version are no errors.
pub(super) fn of_usage(error: &clap::Error) -> Exit {
    // a closed standard output leaves nobody to tell
    drop(error.print());
    if error.use_stderr() { Exit::Usage } else { Exit::Clean }
}

/// Prints an error, once, with its causes.
pub(super) fn of_result(result: anyhow::Result<Exit>) -> Exit {
    let error = match result {
        Ok(exit) => return exit,
        Err(error) => error,
    };
    // a closed standard error leaves nobody to tell
    drop(writeln!(io::stderr(), "error: {}", visible_lines(&with_causes(error.as_ref()))));
    if is_usage(&error) { Exit::Usage } else { Exit::Failed }
}

fn is_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<UsageError>()
            || cause.is::<ListError>()
            || cause.downcast_ref::<StoreError>().is_some_and(StoreError::is_usage)
            || matches!(cause.downcast_ref(), Some(RunError::ShrunkList { .. } | RunError::NothingToResume))
    })
}

//! `db migrate|check|backup`: care of the database.

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};

use super::{Common, Exit, site::Site};
use crate::store::Store;

/// The database.
#[derive(Debug, Args)]
pub(super) struct DbArgs {
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Brings the schema up to date
    Migrate {
        /// The database [default: the configuration's]
        #[arg(value_name = "DATABASE")]
        database: Option<PathBuf>,
    },
    /// Reads the whole database and says whether it is sound
    Check {
        /// The database [default: the configuration's]
        #[arg(value_name = "DATABASE")]
        database: Option<PathBuf>,
    },
    /// Copies the database, also while an audit goes on, and checks the copy
    Backup {
        /// The copy; it must not exist
        #[arg(value_name = "FILE")]
        to: PathBuf,
        /// The database [default: the configuration's]
        #[arg(long, value_name = "DATABASE")]
        database: Option<PathBuf>,
    },
}

pub(super) async fn run(args: &DbArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    match &args.command {
        DbCommand::Migrate { database } => {
            let path = Site::load(common)?.database(database.as_ref())?;
            let migrated = Store::migrate(&path).await?;
            writeln!(out, "{}: {migrated}", path.display())?;
            Ok(Exit::Clean)
        }
        DbCommand::Check { database } => {
            let path = Site::load(common)?.database(database.as_ref())?;
            let check = Store::open_read_only(&path).await?.check().await?;
            for problem in check.problems() {
                writeln!(out, "{problem}")?;
            }
            let sound = check.is_sound();
            writeln!(out, "{}: {}", path.display(), if sound { "sound" } else { "damaged: restore a backup" })?;
            Ok(if sound { Exit::Clean } else { Exit::Findings })
        }
        DbCommand::Backup { to, database } => {
            let path = Site::load(common)?.database(database.as_ref())?;
            Store::open_read_only(&path).await?.backup(to).await?;
            writeln!(out, "{}: copied to {}, and the copy is sound", path.display(), to.display())?;
            Ok(Exit::Clean)
        }
    }
}

//! `db migrate|check|backup|restore`: care of the database.

use std::{io::Write, path::PathBuf};

use clap::{Args, Subcommand};

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::{clock::Clock, model::counted, store::Store};

/// The database.
#[derive(Debug, Args)]
pub(super) struct DbArgs {
    /// The database [default: the configuration's]
    #[arg(long, global = true, value_name = "DATABASE")]
    database: Option<PathBuf>,
    #[command(subcommand)]
    command: DbCommand,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Brings the schema up to date
    Migrate {
        /// The database, as with --database
        #[arg(value_name = "DATABASE")]
        file: Option<PathBuf>,
    },
    /// Reads the whole database and says whether it is sound
    Check {
        /// Where mailboxes were changed by something else than an audit: makes the next audit write them anew
        #[arg(long)]
        mend: bool,
        /// The database, as with --database
        #[arg(value_name = "DATABASE")]
        file: Option<PathBuf>,
    },
    /// Copies the database, also while an audit goes on, and checks the copy
    Backup {
        /// The copy; it must not exist
        #[arg(value_name = "COPY")]
        to: PathBuf,
    },
    /// Puts a backup in the place of the database, which is kept beside it under another name; the service must not run
    Restore {
        /// The backup; it stays where it is
        #[arg(value_name = "COPY")]
        from: PathBuf,
    },
}

pub(super) async fn run(args: &DbArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let named = match (&args.command, &args.database) {
        (DbCommand::Migrate { file: Some(_) } | DbCommand::Check { file: Some(_), .. }, Some(_)) => {
            return Err(UsageError("the database is named twice: leave --database out".to_owned()).into());
        }
        (DbCommand::Migrate { file } | DbCommand::Check { file, .. }, None) => file.as_ref(),
        (_, database) => database.as_ref(),
    };
    let path = Site::load(common)?.database(named)?;
    match &args.command {
        DbCommand::Migrate { .. } => {
            let migrated = Store::migrate(&path).await?;
            writeln!(out, "{}: {migrated}", path.display())?;
            Ok(Exit::Clean)
        }
        DbCommand::Check { mend, .. } => {
            if *mend {
                let store = Store::open(&path).await?;
                let domains = store.break_wrong_seals().await?;
                writeln!(out, "{}: the next audit writes anew what it finds in {}", path.display(), counted(domains, "domain", "domains"))?;
                store.close().await?;
            }
            let check = Store::open_read_only(&path).await?.check().await?;
            for problem in check.problems() {
                writeln!(out, "{problem}")?;
            }
            let state = match (check.is_sound(), check.is_mendable()) {
                (true, _) => "sound",
                (false, true) => "changed by something else than an audit: restore a backup, or give --mend and audit again",
                (false, false) => "damaged: restore a backup",
            };
            writeln!(out, "{}: {state}", path.display())?;
            Ok(if check.is_sound() { Exit::Clean } else { Exit::Findings })
        }
        DbCommand::Backup { to } => {
            Store::open_read_only(&path).await?.backup(to).await?;
            writeln!(out, "{}: copied to {}, and the copy is sound", path.display(), to.display())?;
            Ok(Exit::Clean)
        }
        DbCommand::Restore { from } => {
            let restored = Store::restore(&path, from, Clock::system().seconds()).await?;
            writeln!(out, "{}: restored from {}", path.display(), from.display())?;
            match restored.replaced {
                Some(replaced) => writeln!(out, "the database that was there is now {}", replaced.display())?,
                None => writeln!(out, "there was no database before")?,
            }
            Ok(Exit::Clean)
        }
    }
}

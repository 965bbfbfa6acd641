//! `clients list|show`: the mail clients that are known, and each one's way.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::{
    clients::Description,
    config::close,
    model::Address,
    report::{write_client, write_clients},
};

/// The mail clients.
#[derive(Debug, Args)]
pub(super) struct ClientsArgs {
    #[command(subcommand)]
    command: ClientsCommand,
}

#[derive(Debug, Subcommand)]
enum ClientsCommand {
    /// Lists all clients, those of the site's own file included
    List {
        /// A table, or one object
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: ClientsFormat,
    },
    /// Shows what one client asks, in which order, what stops it, and where that is known from
    Show {
        /// Its name
        name: String,
        /// An account for a person, or one object
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: ClientsFormat,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClientsFormat {
    Text,
    Json,
}

pub(super) fn run(args: &ClientsArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    match &args.command {
        ClientsCommand::List { format } => write_clients(out, &site.clients, *format == ClientsFormat::Json)?,
        ClientsCommand::Show { name, format } => {
            let Some(client) = site.clients.iter().find(|client| client.name == *name) else {
                return Err(unknown(&site, name).into());
            };
            let mut description = Description::of(client, &Address::parse(EXAMPLE_ADDRESS)?, EXAMPLE_MX);
            description.standing = site.clients.standing(client);
            write_client(out, &description, *format == ClientsFormat::Json)?;
        }
    }
    Ok(Exit::Clean)
}

fn unknown(site: &Site, name: &str) -> UsageError {
    let known: Vec<&str> = site.clients.iter().map(|client| client.name.as_str()).collect();
    let close = close(name, &known);
    let advice =
        if close.is_empty() { format!("write one of {}", known.join(", ")) } else { format!("did you mean {}?", close.join(", ")) };
    UsageError(format!("`{name}` is no client: {advice}"))
}

const EXAMPLE_ADDRESS: &str = "anna@contoso.com";
const EXAMPLE_MX: &str = "contoso-com.mail.protection.outlook.com";

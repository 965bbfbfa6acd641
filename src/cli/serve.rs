//! `serve`: the service, in the foreground, as a service manager wants it.

use std::{path::Path, sync::Arc};

use clap::Args;

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::{
    clock::Clock,
    daemon::{Load, Plant, ServeError, serve},
};

/// The service.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {}

pub(super) async fn run(common: &Common) -> anyhow::Result<Exit> {
    let config = super::site::config_path(common);
    let config = config.ok_or_else(|| UsageError("which configuration? Name it with --config".to_owned()))?;
    let load: Arc<Load> = Arc::new(move || plant(&config).map_err(|error| format!("{error:#}")));
    match serve(load, Clock::system()).await {
        Ok(()) => Ok(Exit::Clean),
        Err(ServeError::Config(faults)) => Err(UsageError(faults).into()),
        // whatever is wrong with the database, it may be right at the next attempt of the service manager
        Err(error) => Err(anyhow::anyhow!(crate::model::with_causes(&error))),
    }
}

fn plant(config: &Path) -> anyhow::Result<Plant> {
    Site::load_from(config)?.plant()
}

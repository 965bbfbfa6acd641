//! What the tasks of the service share.

use std::{path::Path, sync::Arc};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{Pulse, heartbeat::Beat, plant::Plant, systemd::Manager};
use crate::{
    clock::Clock,
    mailboxes::{List, ListError, read_list},
    store::Store,
};

/// What the tasks of the service share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) pulse: Arc<Pulse>,
    pub(super) manager: Manager,
    pub(super) plant: watch::Sender<Arc<Plant>>,
    pub(super) beats: mpsc::Sender<Beat>,
    /// The lists are to be looked at now.
    pub(super) look: Notify,
    /// The service comes to its end.
    pub(super) stop: CancellationToken,
}

impl Service {
    /// What the service works with now.
    pub(super) fn plant(&self) -> Arc<Plant> {
        self.plant.borrow().clone()
    }

    /// Tells the dead-man switch; drops what it is too slow for.
    pub(super) fn tell(&self, beat: Beat) {
        if self.beats.try_send(beat).is_err() {
            tracing::warn!(?beat, "the dead-man switch is too slow, and is not told");
        }
    }

    /// Reads a list, beside the runtime's threads.
    pub(super) async fn read(&self, path: &Path, clients: Vec<String>) -> Result<List, ListTrouble> {
        let path = path.to_owned();
        Ok(tokio::task::spawn_blocking(move || read_list(&path, &clients)).await??)
    }
}

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListTrouble {
    /// The list.
    #[error("the list {0}")]
    List(#[from] ListError),
    /// The task that read it died.
    #[error("reading the list broke off")]
    Broken(#[from] tokio::task::JoinError),
}

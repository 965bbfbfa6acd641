//! House-keeping: what is past is dropped once a day, and room is kept on the disk.

use std::{sync::Arc, time::Duration};

use super::service::Service;
use crate::model::with_causes;

/// Keeps house until the service is to stop.
pub(super) async fn keep_house(service: Arc<Service>) {
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = DAY;
        // what is cut off here is done on the next day
        tokio::select! {
            () = service.stop.cancelled() => return,
            () = clear(&service) => {}
        }
    }
}

async fn clear(service: &Service) {
    let keep = service.plant().retention;
    match service.store.clear_old(&keep, service.clock.seconds()).await {
        Ok(cleared) => {
            tracing::info!(rows = cleared.rows, released = cleared.released, "what is past was dropped");
            if cleared.is_too_large {
                tracing::warn!("the database takes more room than it may, and all that is left in it is needed");
            }
        }
        Err(error) => tracing::error!(error = with_causes(&error), "what is past cannot be dropped"),
    }
}

impl Service {
    /// Keeps room on the disk for a bad day; tells where there is not enough.
    pub(super) async fn keep_room(&self) {
        match self.store.keep_ballast(BALLAST).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("the disk of the database has little room left"),
            Err(error) => tracing::warn!(error = with_causes(&error), "no room can be kept on the disk of the database"),
        }
    }
}

/// The start has enough to do.
const FIRST: Duration = Duration::from_mins(10);
const DAY: Duration = Duration::from_hours(24);
/// Bytes: enough for what a run under way and the incidents about it still write.
const BALLAST: u64 = 16 * 1024 * 1024;

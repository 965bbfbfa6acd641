//! What the tasks of the service share.

use std::{path::Path, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::{
    Pulse,
    heartbeat::Beat,
    plant::Plant,
    systemd::{self, Status},
};
use crate::{
    alert::Waker,
    clock::Clock,
    mailboxes::{List, ListError, read_list},
    model::with_causes,
    store::Store,
};

/// What the tasks of the service share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) pulse: Arc<Pulse>,
    pub(super) status: Status,
    pub(super) plant: watch::Sender<Arc<Plant>>,
    pub(super) beats: mpsc::Sender<Beat>,
    /// Has the channels look whether they have something to tell.
    pub(super) waker: Waker,
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

    /// Says that the scheduler goes round; and, once the connection that writes has answered, that the service lives.
    pub(super) async fn give_signs_of_life(&self) {
        self.pulse.beat();
        match tokio::time::timeout(ANSWER_WITHIN, self.store.ping()).await {
            Ok(Ok(())) => {
                self.pulse.ping_store();
                systemd::alive();
            }
            Ok(Err(error)) if self.pulse.note_silent_store() => tracing::warn!(error = with_causes(&error), "the database does not answer"),
            Ok(Err(error)) => tracing::debug!(error = with_causes(&error), "the database still does not answer"),
            Err(_) => tracing::debug!("the connection that writes is busy"),
        }
    }

    /// Says what is going on, and what comes next.
    pub(super) fn say(&self, words: &str) {
        let refused = self.pulse.reload().is_some_and(|reload| !reload.is_successful);
        let refused = if refused { "; the configuration was refused, the one before it stays" } else { "" };
        let next = self.pulse.next_due().and_then(|at| self.in_words(at)).map(|next| format!("; next {next}")).unwrap_or_default();
        self.status.say(format!("{words}{next}{refused}"));
    }

    /// When a run is due, as people there read it: `02:13 Europe/Berlin`, with the day where it is not within a day.
    fn in_words(&self, at: i64) -> Option<String> {
        let at = Timestamp::from_second(at).ok()?;
        let plant = self.plant();
        let tables = plant.posts.iter().map(|post| &post.timetable);
        let table = tables.min_by_key(|table| table.next(at - SignedDuration::from_secs(1)).map(|due| due.at))?;
        let local = table.schedule.local(at);
        let is_soon = at.duration_since(self.clock.now()) < SignedDuration::from_hours(24);
        let form = if is_soon { "%H:%M" } else { "%Y-%m-%d %H:%M" };
        Some(format!("{} {}", local.strftime(form), table.schedule.zone_name()))
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
    /// It has become much shorter.
    #[error(
        "the list has {now} mailboxes, and had {before} in the last run: if that is right, stop the service, run `audit \
         --accept-shrunk-list`, and start it again"
    )]
    Shrunk {
        /// Mailboxes in the last run.
        before: u64,
        /// Mailboxes now.
        now: u64,
    },
    /// The task that read it died.
    #[error("reading the list broke off")]
    Broken(#[from] tokio::task::JoinError),
}

/// Less than the service manager waits for.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

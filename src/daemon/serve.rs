//! The life of the service: start, signals, reload, end. Every task is in one set; one that ends by itself ends the service.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{
    Pulse, heartbeat, keeper,
    listener::{Basis, Listener, ListenerError, State},
    outbox,
    plant::{Load, Plant},
    presence::Presence,
    scheduler::Scheduler,
    service::Service,
    systemd::{self, Status},
    watch::Watcher,
};
use crate::{
    alert::Waker,
    clock::Clock,
    model::with_causes,
    store::{Store, StoreError},
};

/// Why the service could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration, a line for each fault.
    #[error("{0}")]
    Config(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another service works with the database.
    #[error("cannot say beside the database that a service works with it")]
    Presence(#[source] io::Error),
    /// The listener.
    #[error(transparent)]
    Listener(#[from] ListenerError),
    /// Signals cannot be heard.
    #[error("cannot listen to signals")]
    Signals(#[source] io::Error),
    /// A part of the service died.
    #[error("a part of the service died: {0}")]
    Died(String),
    /// It was asked to end twice, or did not end in time.
    #[error("the service was ended before all was put in order: {0}")]
    Hurried(&'static str),
}

/// Serves until it is told to end (SIGTERM, SIGINT). `load` reads the configuration, at the start and at each SIGHUP.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(load: Arc<Load>, clock: Clock) -> Result<(), ServeError> {
    let mut signals = Signals::new()?;
    let status = Status::default();
    status.say("starting".to_owned());
    let plant = read(&load).await.map_err(ServeError::Config)?;
    let Some(store) = open(&status, &plant, &mut signals).await? else { return Ok(()) };
    let presence = Presence::claim(&plant.database).map_err(ServeError::Presence)?;
    let listener = Listener::bind(&plant.listener)?;
    let (service, beats) = service(store, (status, clock, plant));
    let (news, heard) = mpsc::channel(NEWS_WAITING);
    let (seen, shown) = mpsc::channel(NEWS_WAITING);
    let mut scheduler = Scheduler::new(service.clone(), heard, seen).await?;
    service.keep_room().await;
    scheduler.look().await?;
    let mut tasks = JoinSet::new();
    let basis = watch::Sender::new(service.plant().basis.clone());
    if let Some(listener) = listener {
        let state = State {
            reader: service.store.reader().clone(),
            pulse: service.pulse.clone(),
            clock: service.clock.clone(),
            basis: basis.subscribe(),
        };
        let stop = service.stop.clone();
        tasks.spawn(async move {
            listener.serve(state, stop).await;
            "the listener"
        });
    }
    let watcher = Watcher::new(service.clone(), news, shown);
    tasks.spawn(async move {
        watcher.watch().await;
        "the watcher of the lists"
    });
    let (stop, quiet, told) = (service.stop.clone(), CancellationToken::new(), service.plant.subscribe());
    let hush = quiet.clone().drop_guard();
    tasks.spawn(async move {
        heartbeat::tell_all(beats, told, (stop, quiet)).await;
        "the dead-man switch"
    });
    let delivered = outbox::deliver_all(service.clone());
    tasks.spawn(async move {
        delivered.await;
        "the delivery of notices"
    });
    let kept = keeper::keep_house(service.clone());
    tasks.spawn(async move {
        kept.await;
        "the house-keeping"
    });
    tasks.spawn(async move {
        scheduler.go_round().await;
        drop(hush);
        "the scheduler"
    });
    service.pulse.note_reload(true);
    service.give_signs_of_life().await;
    systemd::ready();
    tracing::info!(tenants = service.plant().posts.len(), "the service is ready");
    let lived = live(&service, (&load, &basis), (&mut signals, &mut tasks)).await;
    let ended = end(&service, (&mut signals, &mut tasks)).await;
    drop((tasks, presence));
    let closed = match Arc::try_unwrap(service) {
        Ok(service) => match Arc::try_unwrap(service.store) {
            Ok(store) => store.close().await,
            Err(_) => Ok(()),
        },
        Err(_) => Ok(()),
    };
    tracing::info!("the service has ended");
    lived.and(ended).and(closed.map_err(ServeError::Store))
}

/// What the tasks share, and what the dead-man switch is to be told.
fn service(store: Store, (status, clock, plant): (Status, Clock, Plant)) -> (Arc<Service>, mpsc::Receiver<heartbeat::Beat>) {
    let (sender, beats) = mpsc::channel(BEATS_WAITING);
    let service = Service {
        store: Arc::new(store),
        pulse: Arc::new(Pulse::new(clock.clone())),
        clock,
        status,
        plant: watch::Sender::new(Arc::new(plant)),
        beats: sender,
        waker: Waker::default(),
        look: Notify::new(),
        stop: CancellationToken::new(),
    };
    (Arc::new(service), beats)
}

/// Goes on until the service is told to end, or a part of it does.
async fn live(
    service: &Service,
    (load, basis): (&Arc<Load>, &watch::Sender<Arc<Basis>>),
    (signals, tasks): (&mut Signals, &mut JoinSet<&'static str>),
) -> Result<(), ServeError> {
    loop {
        tokio::select! {
            Some(ended) = tasks.join_next() => {
                return Err(ServeError::Died(ended.map_or_else(|error| error.to_string(), str::to_owned)));
            }
            asked = signals.next() => match asked {
                Asked::Reload => reload(service, (load, basis)).await,
                Asked::End => return Ok(()),
            }
        }
    }
}

/// Stops all parts, and waits for them.
async fn end(service: &Service, (signals, tasks): (&mut Signals, &mut JoinSet<&'static str>)) -> Result<(), ServeError> {
    tracing::info!("the service comes to its end");
    systemd::stopping();
    service.status.say("ending: what is under way is put in order".to_owned());
    service.stop.cancel();
    let deadline = tokio::time::sleep(DRAIN);
    tokio::pin!(deadline);
    loop {
        tokio::select! {
            ended = tasks.join_next() => match ended {
                None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(error)) => tracing::error!(%error, "a part of the service died at its end"),
            },
            Asked::End = signals.next() => {
                tasks.shutdown().await;
                return Err(ServeError::Hurried("it was told twice"));
            }
            () = &mut deadline => {
                tasks.shutdown().await;
                return Err(ServeError::Hurried("it took too long"));
            }
        }
    }
}

/// Reads the configuration anew; a bad one leaves the one before it in its place.
async fn reload(service: &Service, (load, basis): (&Arc<Load>, &watch::Sender<Arc<Basis>>)) {
    systemd::reloading();
    match read(load).await {
        Ok(mut plant) => {
            let now = service.plant();
            if plant.database != now.database || plant.listener != now.listener {
                tracing::warn!("another database or listener needs a restart of the service: the present ones stay");
                plant.database.clone_from(&now.database);
                plant.listener = now.listener.clone();
            }
            basis.send_replace(plant.basis.clone());
            service.plant.send_replace(Arc::new(plant));
            service.pulse.note_reload(true);
            tracing::info!("the configuration was read anew");
        }
        Err(faults) => {
            service.pulse.note_reload(false);
            for fault in faults.lines() {
                tracing::error!(fault, "the configuration is refused, and the one before it stays");
            }
        }
    }
    service.look.notify_one();
    service.say("reloaded");
    systemd::ready();
}

async fn read(load: &Arc<Load>) -> Result<Plant, String> {
    let load = load.clone();
    tokio::task::spawn_blocking(move || load()).await.map_err(|error| format!("reading the configuration broke off: {error}"))?
}

/// Opens the database; waits for an audit that has it, and tells that a long migration goes on. `None`: told to end before.
async fn open(status: &Status, plant: &Plant, signals: &mut Signals) -> Result<Option<Store>, StoreError> {
    let opened = async {
        let mut has_told = false;
        loop {
            match Store::open(&plant.database).await {
                Err(error @ StoreError::Locked { .. }) => {
                    if !std::mem::replace(&mut has_told, true) {
                        tracing::warn!(error = with_causes(&error), "waiting for it");
                        status.say("waiting for an audit that has the database".to_owned());
                    }
                    tokio::time::sleep(LOCK_PAUSE).await;
                }
                opened => return opened,
            }
        }
    };
    tokio::pin!(opened);
    let mut pace = tokio::time::interval(EXTEND_EVERY);
    loop {
        tokio::select! {
            store = &mut opened => return store.map(Some),
            _ = pace.tick() => systemd::extend(EXTEND_EVERY * 3),
            Asked::End = signals.next() => return Ok(None),
        }
    }
}

/// What a signal asks for.
enum Asked {
    Reload,
    End,
}

struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, ServeError> {
        let hear = |kind| signal(kind).map_err(ServeError::Signals);
        Ok(Self {
            hang_up: hear(SignalKind::hangup())?,
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.hang_up.recv() => Asked::Reload,
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
        }
    }
}

const NEWS_WAITING: usize = 1_024;
const BEATS_WAITING: usize = 16;
/// How long the parts may take to end.
const DRAIN: Duration = Duration::from_secs(30);
const LOCK_PAUSE: Duration = Duration::from_secs(1);
const EXTEND_EVERY: Duration = Duration::from_secs(10);

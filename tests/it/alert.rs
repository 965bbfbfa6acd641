//! Alerts: channels over real sockets, and delivery from a real database.

mod channel;
mod delivery;
mod document;
mod mail;
mod secret;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use autodiscover_audit::{
    alert::{
        Attempt, Channel, ChannelSettings, Delivery, DeliveryParts, Opening, Policy, SecretSource, Waker, Wording, destinations,
        test_channel,
    },
    clock::Clock,
    model::{Account, Cause, Change, Concern, Domain, Incident, IncidentState, Severity, TenantId, Verdict},
    store::{IncidentChange, Queue, Store},
};
use jiff::Timestamp;

/// A text that no error and no log may ever show.
pub(super) const SESAME: &str = "sesame-sesame";

/// Sunday 22 November 2026, 10:00 UTC.
pub(super) const NOW: i64 = 1_795_341_600;

/// A clock that is set by hand.
#[derive(Clone)]
pub(super) struct Hand {
    seconds: Arc<AtomicI64>,
    /// Seconds that each look at the clock takes.
    haste: Arc<AtomicI64>,
}

impl Hand {
    pub(super) fn new() -> Self {
        Self { seconds: Arc::new(AtomicI64::new(NOW)), haste: Arc::default() }
    }

    pub(super) fn clock(&self) -> Clock {
        let Self { seconds, haste } = self.clone();
        Clock::from_fn(move || Timestamp::from_second(seconds.fetch_add(haste.load(Ordering::SeqCst), Ordering::SeqCst)).unwrap())
    }

    pub(super) fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// From now on every look at the clock takes a second.
    pub(super) fn hurry(&self) {
        self.haste.store(1, Ordering::SeqCst);
    }
}

/// Opens the channel `ops`; credentials come from the pairs.
pub(super) fn open(toml: &str, secrets: &[(&str, &str)]) -> Result<Channel, String> {
    open_as("ops", toml, secrets)
}

pub(super) fn open_as(name: &str, toml: &str, secrets: &[(&str, &str)]) -> Result<Channel, String> {
    let secrets: BTreeMap<String, String> = secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let read = |source: &SecretSource| match source {
        SecretSource::Credential(name) => secrets.get(name).map(|value| value.as_str().into()).ok_or("is not there".to_owned()),
        _ => Err("cannot be read".to_owned()),
    };
    let settings: ChannelSettings = toml::from_str(toml).map_err(|error| error.to_string())?;
    let opened = Channel::open(&settings, Opening { name, secrets: &read, clock: &Hand::new().clock() });
    opened.map_err(|error| format!("{error}; {:?}", std::error::Error::source(&error).map(ToString::to_string)))
}

pub(super) fn wording() -> Wording {
    Wording {
        clients: BTreeMap::from([("thunderbird".into(), "Thunderbird".into())]),
        report_url: Some("https://audit.contoso.com/".into()),
    }
}

/// Sends the test of a channel.
pub(super) async fn try_out(channel: &Channel) -> Attempt {
    test_channel(channel, &wording(), &Hand::new().clock()).await
}

pub(super) fn tenant() -> TenantId {
    "contoso".to_owned().try_into().unwrap()
}

pub(super) fn finding(domain: &str) -> Concern {
    Concern::Finding {
        tenant: tenant(),
        domain: Domain::parse(domain).unwrap(),
        client: "thunderbird".into(),
        cause: Cause::MxBaseDomain,
        mailbox: None,
    }
}

/// A database, a clock, and the channels that are told.
pub(super) struct Site {
    _folder: tempfile::TempDir,
    pub(super) store: Arc<Store>,
    pub(super) hand: Hand,
    pub(super) waker: Waker,
}

impl Site {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("audit.db")).await.unwrap());
        Self { _folder: folder, store, hand: Hand::new(), waker: Waker::default() }
    }

    pub(super) fn delivery(&self, channels: Vec<Channel>) -> Delivery {
        let names: Vec<&str> = channels.iter().map(Channel::name).collect();
        Delivery::new(DeliveryParts {
            store: Arc::clone(&self.store),
            destinations: destinations(&[], &names),
            channels,
            wording: wording(),
            policy: Policy::default(),
            clock: self.hand.clock(),
            attach: None,
            observe: Arc::new(|_, _| {}),
            waker: self.waker.clone(),
        })
    }

    /// Something happens to the incident of a concern, and is queued for these channels.
    pub(super) async fn happen(&self, concern: &Concern, change: Change, channels: &[&str]) {
        let at = self.hand.clock().seconds();
        let known = self.store.reader().incidents_of(concern.tenant()).await.unwrap();
        let standing = known.into_iter().find(|incident| incident.concern == *concern);
        let is_open = change != Change::Resolved;
        let incident = Incident {
            id: standing.as_ref().and_then(|incident| incident.id),
            concern: concern.clone(),
            state: if is_open { IncidentState::Open } else { IncidentState::Resolved },
            severity: Severity::Error,
            verdict: concern.tenant().map(|_| Verdict::Consumer),
            candidate: None,
            streak: 0,
            is_seen: is_open,
            affected: 12,
            first_seen_at: at,
            opened_at: Some(at),
            resolved_at: (!is_open).then_some(at),
            episode: 1,
            is_announced: true,
            notified_at: Some(at),
            notified_affected: 12,
            flips: Vec::new(),
            is_flapping: false,
            account: Account { explanation: "The MX is reduced to outlook.com.".into(), ..Account::default() },
            acknowledgement: None,
        };
        let change = IncidentChange { incident, change: Some(change), is_muted: false };
        self.store.conclude_ours(&[change], &destinations(&[], channels), at).await.unwrap();
    }

    pub(super) async fn queue(&self, channel: &str) -> Queue {
        let queues = self.store.reader().outbox().await.unwrap();
        queues.into_iter().find(|queue| queue.channel == channel).unwrap_or_default()
    }

    /// Whether an incident about the channel is open; `None` where there never was one.
    pub(super) async fn trouble(&self, channel: &str) -> Option<bool> {
        let ours = self.store.reader().incidents_of(None).await.unwrap();
        let concern = Concern::Channel { channel: channel.into() };
        ours.iter().find(|incident| incident.concern == concern).map(|incident| incident.state == IncidentState::Open)
    }
}

/// A signed webhook, the channel that tests look into most easily.
pub(super) fn webhook(name: &str, url: &str) -> Channel {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let toml = format!("kind = 'webhook'\nurl = '{url}'\nsecrets = [{{ credential = 'key' }}]\nhttp = {{ proxy = 'none' }}");
    open_as(name, &toml, &[("key", secret)]).unwrap()
}

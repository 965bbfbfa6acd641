//! `alerts test|status|send`: the channels, what waits for them, and whether they take what they are sent.

use std::{io::Write, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, Subcommand};

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::{
    alert::{Attempt, Channel, Delivery, DeliveryParts, Waker, test_channel},
    clock::Clock,
    daemon::attach_report,
    model::{counted, visible},
    store::{Queue, Store},
};

/// Alerts.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct AlertsArgs {
    #[command(subcommand)]
    command: AlertsCommand,
}

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// Sends a notice that is marked as a test, past the queue
    Test {
        /// Only to this channel (repeatable)
        #[arg(long, value_name = "NAME")]
        channel: Vec<String>,
    },
    /// Shows what waits for each channel, and which of them take nothing
    Status {
        /// The database in place of the configuration's
        #[arg(long, value_name = "FILE")]
        database: Option<PathBuf>,
    },
    /// Sends what waits, where no service does it
    Send {
        /// The database in place of the configuration's
        #[arg(long, value_name = "FILE")]
        database: Option<PathBuf>,
    },
}

pub(super) async fn run(args: &AlertsArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let site = Site::load(common)?;
    match &args.command {
        AlertsCommand::Test { channel } => test(&site, channel, out).await,
        AlertsCommand::Status { database } => {
            let reader = Store::open_read_only(&site.database(database.as_ref())?).await?;
            write_queues(out, &reader.outbox().await?, Clock::system().seconds())
        }
        AlertsCommand::Send { database } => {
            let store = Arc::new(Store::open(&site.database(database.as_ref())?).await?);
            let queues = send(&site, &store).await?;
            if let Some(store) = Arc::into_inner(store) {
                store.close().await?;
            }
            write_queues(out, &queues, Clock::system().seconds())
        }
    }
}

async fn test(site: &Site, named: &[String], out: &mut impl Write) -> anyhow::Result<Exit> {
    let channels = site.channels()?;
    if channels.is_empty() {
        return Err(UsageError("the configuration has no channel: add a `[channel.NAME]`".to_owned()).into());
    }
    if let Some(unknown) = named.iter().find(|name| channels.iter().all(|channel| channel.name() != name.as_str())) {
        let known: Vec<&str> = channels.iter().map(Channel::name).collect();
        return Err(UsageError(format!("`{unknown}` is no channel of the configuration: write one of {}", known.join(", "))).into());
    }
    let (wording, clock) = (site.wording(), Clock::system());
    let mut exit = Exit::Clean;
    for channel in channels.iter().filter(|channel| named.is_empty() || named.iter().any(|name| name == channel.name())) {
        let said = match test_channel(channel, &wording, &clock).await {
            Attempt::Delivered => "it was taken".to_owned(),
            Attempt::Retry { reason, .. } | Attempt::Refused { reason } | Attempt::Unacceptable { reason } => {
                exit = Exit::Findings;
                format!("it was not taken: {}", visible(&reason))
            }
        };
        writeln!(out, "{}: {said}", channel.name())?;
        if let Some(warning) = channel.warning() {
            writeln!(out, "{}: note: {warning}", channel.name())?;
        }
    }
    Ok(exit)
}

/// Delivers what waits, for a minute at most; nothing where there is no channel.
pub(super) async fn send(site: &Site, store: &Arc<Store>) -> anyhow::Result<Vec<Queue>> {
    let channels = site.channels()?;
    if channels.is_empty() {
        return Ok(Vec::new());
    }
    let alerting = site.alerting();
    let delivery = Delivery::new(DeliveryParts {
        store: Arc::clone(store),
        channels,
        destinations: site.destinations(),
        wording: site.wording(),
        policy: alerting.policy,
        clock: Clock::system(),
        attach: Some(attach_report(store.reader().clone(), Arc::new(site.remedies()?), Clock::system())),
        observe: Arc::new(|_, _| {}),
        waker: Waker::default(),
    });
    delivery.prepare().await?;
    Ok(delivery.drain(SEND_FOR).await?)
}

fn write_queues(out: &mut impl Write, queues: &[Queue], now: i64) -> anyhow::Result<Exit> {
    if queues.is_empty() {
        writeln!(out, "Nothing was or is to be told.")?;
    }
    let mut exit = Exit::Clean;
    for queue in queues {
        let waiting = match queue.oldest_at {
            None => "nothing waits".to_owned(),
            Some(oldest) => format!("{} for {}", counted(queue.waiting, "notice waits", "notices wait"), age(now - oldest)),
        };
        writeln!(out, "{}: {waiting}", visible(&queue.channel))?;
        if queue.dead > 0 {
            writeln!(out, "  {}", counted(queue.dead, "notice was given up", "notices were given up"))?;
        }
        if let Some(error) = &queue.last_error {
            writeln!(out, "  the last attempt: {}", visible(error))?;
        }
        if let (Some(_), Some(reason)) = (queue.paused_at, &queue.pause_reason) {
            writeln!(out, "  it takes nothing: {}", visible(reason))?;
        }
        if queue.waiting > 0 || queue.dead > 0 || queue.paused_at.is_some() {
            exit = Exit::Findings;
        }
    }
    Ok(exit)
}

fn age(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

const EXIT_CODES: &str = "Exit codes: 1 where a channel did not take the test, where something waits or was given up, or where a channel takes \
nothing, else 0; 3 where the configuration or the command line is wrong";
/// How long a command sends.
const SEND_FOR: Duration = Duration::from_mins(1);

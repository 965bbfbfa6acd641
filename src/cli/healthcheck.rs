//! `healthcheck`: asks the service how it is, for containers and people.

use std::{io::Write, time::Duration};

use anyhow::Context;
use clap::Args;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{Common, Exit, exit::UsageError, site::Site};
use crate::config::ListenAddress;

/// The service's health.
#[derive(Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// Where the service listens: ADDRESS:PORT or unix:PATH [default: the configuration's]
    #[arg(long, value_name = "ADDRESS")]
    address: Option<ListenAddress>,
}

pub(super) async fn run(args: &HealthcheckArgs, common: &Common, out: &mut impl Write) -> anyhow::Result<Exit> {
    let address = match &args.address {
        Some(address) => address.clone(),
        None => Site::load(common)?.listener().address,
    };
    let address = address.to_connect().ok_or_else(|| UsageError("the service listens nowhere: see `[listener]`".to_owned()))?;
    let answer = timeout(ANSWER_WITHIN, ask(&address)).await.map_err(|_| anyhow::anyhow!("no answer within {} s", ANSWER_WITHIN.as_secs()));
    let answer = answer.and_then(|answer| answer).with_context(|| format!("the service does not answer on {address}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").with_context(|| format!("what answers on {address} speaks no HTTP"))?;
    write!(out, "{body}")?;
    Ok(if head.starts_with("HTTP/1.1 200 ") { Exit::Clean } else { Exit::Findings })
}

async fn ask(address: &ListenAddress) -> anyhow::Result<String> {
    match address {
        ListenAddress::Tcp(socket) => exchange(TcpStream::connect(socket).await?, &address.to_string()).await,
        ListenAddress::Unix(path) => exchange(UnixStream::connect(path).await?, "localhost").await,
        ListenAddress::Off => Err(anyhow::anyhow!("there is no address")),
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, host: &str) -> anyhow::Result<String> {
    let request = format!("GET /readyz?verbose HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).await?;
    Ok(answer)
}

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer.
const MOST: u64 = 64 * 1024;

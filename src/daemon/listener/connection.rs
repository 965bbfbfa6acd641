//! Connections: how many, how long, how much of a head.

use std::{io, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::Semaphore,
    task::{JoinError, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Shared, route, socket::Socket, stall::Stall};

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Takes connections until it is stopped, and waits for those that it has taken.
pub(super) async fn serve(socket: &Socket, shared: &Arc<Shared>, stop: &CancellationToken) {
    let routes = route::routes(shared);
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // whoever comes when all are taken waits in the queue of the system
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = slots.clone().acquire_owned() => slot,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(socket) => accepted,
        };
        while let Some(ended) = connections.try_join_next() {
            note(ended);
        }
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "the listener cannot take a connection");
                sleep(PAUSE).await;
                continue;
            }
        };
        let (routes, stop) = (routes.clone(), stop.clone());
        connections.spawn(async move {
            match stream {
                Stream::Tcp(stream) => answer(stream, routes, &stop).await,
                Stream::Unix(stream) => answer(stream, routes, &stop).await,
            }
            drop(slot);
        });
    }
    while let Some(ended) = connections.join_next().await {
        note(ended);
    }
}

async fn accept(socket: &Socket) -> io::Result<Stream> {
    match socket {
        Socket::Tcp(listener) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
        Socket::Unix { listener, .. } => listener.accept().await.map(|(stream, _)| Stream::Unix(stream)),
    }
}

/// Answers the requests of one connection, one after the other.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, routes: Router, stop: &CancellationToken) {
    let stream = TokioIo::new(Stall::new(stream, WRITE_WITHIN));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_headers(HEADERS)
            .max_header_size(HEAD_BYTES)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(stream, TowerToHyperService::new(routes))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop.cancelled() => None,
        () = sleep(LIFETIME) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        timeout(GRACE, connection).await.unwrap_or(Ok(()))
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the listener broke off");
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a request to the listener died; report this fault");
    }
}

/// At one time.
const CONNECTIONS: usize = 32;
/// Also how long a connection may be idle.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 16 * 1024;
const BUFFER_BYTES: usize = 64 * 1024;
/// Without a single byte that the other side takes.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// However slowly it reads.
const LIFETIME: Duration = Duration::from_mins(30);
/// For what is under way when its time is over.
const GRACE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

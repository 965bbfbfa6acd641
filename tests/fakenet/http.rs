//! HTTP/1.1 by hand (RFC 9112), over TCP and over TLS, so that it can go wrong in every way.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{LazyConfigAcceptor, server::TlsStream};

use super::{Shared, act, seen::Seen, site::Tls};

/// Answers connections until it is dropped.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, https: bool) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    let _ = if https { serve_tls(stream, &shared).await } else { serve_requests(stream, &shared, false).await };
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_tls(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let acceptor = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
    tokio::pin!(acceptor);
    let start = acceptor.as_mut().await?;
    let name = start.client_hello().server_name().unwrap_or("localhost").to_ascii_lowercase();
    let (_, site) = shared.net.net().site(&name);
    match site.tls {
        Tls::PlainHttp => return say(start.io, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await,
        Tls::OldVersion => return say(start.io, PROTOCOL_VERSION_ALERT).await,
        Tls::Silent => std::future::pending::<()>().await,
        Tls::Reset => return start.io.set_zero_linger(),
        _ => {}
    }
    let stream = start.into_stream(Arc::clone(&shared.tls)).await?;
    serve_requests(stream, shared, true).await
}

/// Says something in place of a handshake, and waits for the other side to close.
async fn say(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

async fn serve_requests<S: Wire>(stream: S, shared: &Shared, https: bool) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read_request(&mut stream, https).await? {
        shared.http_requests.fetch_add(1, Ordering::Relaxed);
        if seen.path.starts_with("/autodiscover/autodiscover.json") {
            shared.v2_requests.fetch_add(1, Ordering::Relaxed);
        }
        if shared.keeps_seen.load(Ordering::Relaxed) {
            shared.log.push(&seen);
        }
        let net = shared.net.net();
        let (_, site) = net.site(&seen.host);
        let routes = if https { &site.https } else { &site.http };
        let what = act::resolve(routes.find(&seen.path), &seen, (&net, &shared.log));
        if !act::perform(what, &seen, &mut stream).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// The next request of a connection; `None` where it ends.
async fn read_request<S: Wire>(stream: &mut BufReader<S>, https: bool) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut seen = Seen { https, method, path: path.to_owned(), query: query.to_owned(), ..Seen::default() };
    let mut length = 0_usize;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => value.split(':').next().unwrap_or_default().to_ascii_lowercase().clone_into(&mut seen.host),
            "user-agent" => value.clone_into(&mut seen.user_agent),
            "authorization" => seen.authorization = Some(value.to_owned()),
            "x-email" => seen.email = Some(value.to_owned()),
            "content-type" => seen.content_type = Some(value.to_owned()),
            "content-length" => length = value.parse().map_err(io::Error::other)?,
            _ => {}
        }
    }
    if length > MAX_BODY {
        return Err(io::Error::other("the request is too large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    seen.body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(seen))
}

/// A connection whose TCP can be reached.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {
    fn tcp(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A fatal alert, `protocol_version` (RFC 5246 section 7.2), as a server of TLS 1.0 sends it.
const PROTOCOL_VERSION_ALERT: &[u8] = &[21, 3, 1, 0, 2, 2, 70];
const MAX_BODY: usize = 1 << 20;

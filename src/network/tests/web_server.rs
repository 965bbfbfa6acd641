//! A web server that says, word for word, what a script tells it.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_rustls::TlsAcceptor;

/// One request that came.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) text: String,
    /// 1 for the first request.
    pub(super) number: usize,
    pub(super) is_secure: bool,
    pub(super) at: Instant,
    /// Requests that this server had at hand then, this one included.
    pub(super) in_flight: usize,
}

impl Seen {
    pub(super) fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    pub(super) fn path(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name))).map(|(_, value)| value)
    }
}

/// What the server does about it.
pub(super) enum Act {
    /// Writes, and closes.
    Say(Vec<u8>),
    /// Writes, and cuts the connection (RST).
    Cut(Vec<u8>),
    /// Writes, and then nothing more.
    Stall(Vec<u8>),
    /// Takes its time, writes, and closes.
    Late(Duration, Vec<u8>),
}

pub(super) type Script = Arc<dyn Fn(&Seen) -> Act + Send + Sync>;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    in_flight: AtomicUsize,
}

pub(super) struct WebServer {
    pub(super) address: SocketAddr,
    log: Arc<Log>,
    _tasks: JoinSet<()>,
}

impl WebServer {
    pub(super) async fn start(tls: Option<Arc<rustls::ServerConfig>>, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, log) = (listener.local_addr().unwrap(), Arc::<Log>::default());
        let (kept, mut tasks) = (Arc::clone(&log), JoinSet::new());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, tls.clone(), Arc::clone(&script), Arc::clone(&log)));
            }
        });
        Self { address, log: kept, _tasks: tasks }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, script: Script, log: Arc<Log>) {
    let Some(config) = tls else { return converse(stream, false, &script, &log, TcpStream::set_zero_linger).await };
    if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
        converse(stream, true, &script, &log, |stream| stream.get_ref().0.set_zero_linger()).await;
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    is_secure: bool,
    script: &Script,
    log: &Log,
    cut: impl Fn(&S) -> std::io::Result<()>,
) {
    let Some(text) = read_request(&mut stream).await else { return };
    let seen = {
        let mut all = log.seen.lock().unwrap();
        let in_flight = log.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        let seen = Seen { text, number: all.len() + 1, is_secure, at: Instant::now(), in_flight };
        all.push(seen.clone());
        seen
    };
    // The client may be gone already, which is what some tests are about.
    let act = match script(&seen) {
        Act::Late(time, bytes) => {
            sleep(time).await;
            Act::Say(bytes)
        }
        act => act,
    };
    log.in_flight.fetch_sub(1, Ordering::SeqCst);
    match act {
        Act::Say(bytes) | Act::Late(_, bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::Cut(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            cut(&stream).unwrap();
        }
        Act::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            std::future::pending::<()>().await;
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// An answer with a length, after which the connection ends.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\nConnection: close\r\n", body.len()).into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

pub(super) fn xml(body: &str) -> Act {
    Act::Say(answer(200, &[("Content-Type", "text/xml")], body.as_bytes()))
}

pub(super) fn say(status: u16) -> Act {
    Act::Say(answer(status, &[], b""))
}

pub(super) fn redirect(status: u16, location: &str) -> Act {
    Act::Say(answer(status, &[("Location", location)], b""))
}

pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

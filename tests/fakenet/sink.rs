//! Receivers of notices: a web server that answers by script and keeps what it was sent, also behind a proxy of its own (CONNECT), and a mail
//! server.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{net::Present, tls};

/// What a sink does with a request.
#[derive(Debug, Clone)]
pub enum Say {
    /// A status, headers, and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// 200, and a body without end.
    Huge,
    /// Nothing, for ever.
    Silence,
    /// A reset in place of an answer.
    Reset,
}

impl Say {
    pub fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub fn body(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.to_owned())
    }

    /// With `Retry-After`: seconds or a date.
    pub fn later(status: u16, retry_after: &str) -> Self {
        Self::Answer(status, vec![("Retry-After", retry_after.to_owned())], String::new())
    }

    pub fn redirect(to: &str) -> Self {
        Self::Answer(307, vec![("Location", to.to_owned())], String::new())
    }

    fn answer(&self) -> Option<u16> {
        match self {
            Self::Answer(status, ..) => Some(*status),
            Self::Huge => Some(200),
            Self::Silence | Self::Reset => None,
        }
    }
}

/// What a sink was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Post {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// The status that it was answered with; `None`: it was not.
    pub answer: Option<u16>,
}

impl Post {
    /// Whether the sink said that it has it.
    pub fn is_acknowledged(&self) -> bool {
        self.answer.is_some_and(|status| (200..300).contains(&status))
    }

    /// The first of a name; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// A web server that takes notices; it stops when it is dropped.
pub struct Sink {
    address: SocketAddr,
    directory: tempfile::TempDir,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

struct Shared {
    script: Mutex<VecDeque<Say>>,
    posts: Mutex<Vec<Post>>,
    count: watch::Sender<usize>,
    tls: Arc<rustls::ServerConfig>,
    is_secure: bool,
}

impl Sink {
    /// Speaks plain HTTP.
    pub async fn start() -> Self {
        Self::start_with(false).await
    }

    /// Speaks HTTPS, with a certificate for whatever name is asked for.
    pub async fn start_secure() -> Self {
        Self::start_with(true).await
    }

    async fn start_with(is_secure: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (config, directory) = certificates();
        let shared =
            Arc::new(Shared { script: Mutex::default(), posts: Mutex::default(), count: watch::Sender::new(0), tls: config, is_secure });
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { address, directory, shared, _tasks: tasks }
    }

    /// What it does with the next requests, one each; afterwards it answers 200.
    pub fn script(&self, says: impl IntoIterator<Item = Say>) {
        self.shared.script.lock().unwrap().extend(says);
    }

    /// `http://127.0.0.1:PORT` or `https://localhost:PORT`, and the path.
    pub fn url(&self, path: &str) -> String {
        let start = if self.shared.is_secure { "https://localhost" } else { "http://127.0.0.1" };
        format!("{start}:{}{path}", self.address.port())
    }

    /// A channel of the kind `webhook` that leads here, for a configuration; its secret is in `secret` beside it.
    pub fn channel_toml(&self, name: &str) -> String {
        let url = self.url("/in");
        format!("[channel.{name}]\nkind = \"webhook\"\nurl = {url:?}\nsecrets = [{{ file = \"secret\" }}]\nhttp = {{ proxy = \"none\" }}\n")
    }

    /// The authority's certificate, PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// All that it was sent.
    pub fn posts(&self) -> Vec<Post> {
        self.shared.posts.lock().unwrap().clone()
    }

    /// Waits until it has been sent so many.
    pub async fn wait_for(&self, count: usize) {
        self.shared.count.subscribe().wait_for(|seen| *seen >= count).await.unwrap();
    }
}

fn certificates() -> (Arc<rustls::ServerConfig>, tempfile::TempDir) {
    let authority = Arc::new(tls::Authority::new());
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
    (tls::server_config(authority, Present::of(&Arc::default())), directory)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _ = serve(stream, &shared).await;
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.tls));
    if shared.is_secure {
        return answer(acceptor.accept(stream).await?, shared).await;
    }
    let mut start = [0; 7];
    let is_tunnel = stream.peek(&mut start).await? == start.len() && &start == b"CONNECT";
    if !is_tunnel {
        return answer(stream, shared).await;
    }
    let mut tunnel = BufReader::new(&mut stream);
    read_head(&mut tunnel).await?;
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    answer(acceptor.accept(stream).await?, shared).await
}

/// A stream whose TCP can be reset.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn reset(&self) -> io::Result<()>;
}

impl Wire for TcpStream {
    fn reset(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn reset(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

async fn answer<S: Wire>(stream: S, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut post = read_head(&mut stream).await?;
    let mut body = vec![0; post.header("content-length").parse().unwrap_or(0)];
    stream.read_exact(&mut body).await?;
    post.body = String::from_utf8(body).unwrap();
    let say = shared.script.lock().unwrap().pop_front().unwrap_or(Say::status(200));
    post.answer = say.answer();
    shared.posts.lock().unwrap().push(post);
    shared.count.send_modify(|count| *count += 1);
    match say {
        Say::Answer(status, headers, body) => {
            let mut lines = vec![format!("HTTP/1.1 {status} Status")];
            lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
            let head = format!("{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", lines.join("\r\n"), body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await?;
            stream.flush().await?;
            stream.get_mut().shutdown().await
        }
        Say::Huge => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 4096]).await?;
            }
        }
        Say::Silence => std::future::pending().await,
        Say::Reset => stream.get_ref().reset(),
    }
}

async fn read_head<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Post> {
    let line = read_line(stream).await?;
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_default().to_owned();
    let mut post = Post { method: word(), path: word(), ..Post::default() };
    loop {
        let header = read_line(stream).await?;
        let Some((name, value)) = header.trim_end().split_once(':') else { return Ok(post) };
        post.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// A line with its end: a request that is cut off is none.
async fn read_line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    if line.ends_with('\n') { Ok(line) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A mail that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub readers: Vec<String>,
    pub text: String,
}

/// What a mail server does at a command (`CONNECT`, `EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, and `.` for the end of the mail).
pub type Refusals = Vec<(&'static str, &'static str)>;

/// A mail server; it stops when it is dropped.
pub struct MailSink {
    pub address: SocketAddr,
    directory: tempfile::TempDir,
    letters: Arc<Mutex<Vec<Letter>>>,
    refusals: Arc<Mutex<Refusals>>,
    _tasks: JoinSet<()>,
}

impl MailSink {
    /// In clear, or with TLS from the first byte for `localhost`.
    pub async fn start(is_secure: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (config, directory) = certificates();
        let letters: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let refusals: Arc<Mutex<Refusals>> = Arc::default();
        let mut tasks = JoinSet::new();
        let (kept, replies) = (Arc::clone(&letters), Arc::clone(&refusals));
        tasks.spawn(async move {
            let acceptor = TlsAcceptor::from(config);
            while let Ok((stream, _)) = listener.accept().await {
                let _ = if is_secure {
                    match acceptor.accept(stream).await {
                        Ok(stream) => take_mail(stream, &kept, &replies).await,
                        Err(error) => Err(error),
                    }
                } else {
                    take_mail(stream, &kept, &replies).await
                };
            }
        });
        Self { address, directory, letters, refusals, _tasks: tasks }
    }

    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The replies that it gives in place of its own from now on; `""` resets the connection.
    pub fn refuse(&self, refusals: Refusals) {
        *self.refusals.lock().unwrap() = refusals;
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }
}

async fn take_mail<S: Wire>(stream: S, letters: &Mutex<Vec<Letter>>, refusals: &Mutex<Refusals>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut letter = Letter { readers: Vec::new(), text: String::new() };
    let mut line = "CONNECT".to_owned();
    loop {
        let command = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let refusal = refusals.lock().unwrap().iter().find(|(known, _)| *known == command).map(|(_, reply)| *reply);
        let reply = match (refusal, command.as_str()) {
            (Some(""), _) => return stream.get_ref().reset(),
            (Some(reply), _) => reply,
            (None, "CONNECT") => "220 mail.contoso.com ESMTP",
            (None, "EHLO") => "250-mail.contoso.com\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
            (None, "AUTH") => "235 2.7.0 welcome",
            (None, "DATA") => "354 go on",
            (None, "QUIT") => "221 bye",
            (None, _) => "250 2.0.0 ok",
        };
        let is_taken = reply.starts_with('2') || reply.starts_with('3');
        match command.as_str() {
            "RCPT" if is_taken => letter.readers.push(line.trim().to_owned()),
            "." if is_taken => letters.lock().unwrap().push(letter.clone()),
            _ => {}
        }
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        stream.flush().await?;
        line.clear();
        if command == "DATA" && is_taken {
            letter.text.clear();
            loop {
                let mut text = String::new();
                if stream.read_line(&mut text).await? == 0 {
                    return Ok(());
                }
                if text == ".\r\n" {
                    break;
                }
                letter.text.push_str(&text);
            }
            ".".clone_into(&mut line);
        } else if command == "QUIT" || stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
    }
}

/// The secret of the Standard Webhooks specification's example.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

//! A mail server that is told what to say, and remembers what it was told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// How the server behaves.
#[derive(Clone)]
pub(super) struct Manners {
    /// What it says first.
    pub(super) greeting: Vec<u8>,
    /// TLS from the first byte.
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
    /// What it answers to `STARTTLS` and `STLS`, and the TLS that follows.
    pub(super) upgrade: (&'static str, Option<Arc<rustls::ServerConfig>>),
    /// What it does after the greeting.
    pub(super) then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Answers.
    Answers,
    /// Closes the connection.
    Closes,
    /// Cuts the connection (RST).
    Cuts,
    /// Says nothing more.
    Waits,
}

impl Manners {
    pub(super) fn greets(greeting: &str) -> Self {
        Self { greeting: format!("{greeting}\r\n").into_bytes(), tls: None, upgrade: ("502 no", None), then: Then::Answers }
    }
}

pub(super) struct MailServer {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl MailServer {
    pub(super) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let (log, mut tasks) = (Arc::clone(&heard), JoinSet::new());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, manners.clone(), Arc::clone(&log)));
            }
        });
        Self { address, heard, _tasks: tasks }
    }

    /// The lines that clients sent, in order; what came by TLS begins with `tls: `.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, manners: Manners, heard: Arc<Mutex<Vec<String>>>) {
    let Some(config) = manners.tls.clone() else {
        let Some(stream) = converse(stream, &manners, ("", &heard), TcpStream::set_zero_linger).await else { return };
        let Some(config) = manners.upgrade.1.clone() else { return };
        if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
            let silent = Manners { greeting: Vec::new(), ..manners };
            converse(stream, &silent, ("tls: ", &heard), |_| Ok(())).await;
        }
        return;
    };
    if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
        converse(stream, &manners, ("tls: ", &heard), |stream| stream.get_ref().0.set_zero_linger()).await;
    }
}

/// Greets and answers; the stream where TLS is next.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    manners: &Manners,
    (mark, heard): (&str, &Mutex<Vec<String>>),
    cut: impl Fn(&S) -> std::io::Result<()>,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    stream.write_all(&manners.greeting).await.ok()?;
    stream.flush().await.ok()?;
    match manners.then {
        Then::Answers => {}
        Then::Closes => {
            let _ = stream.shutdown().await;
            return None;
        }
        Then::Cuts => {
            cut(stream.get_ref()).unwrap();
            return None;
        }
        Then::Waits => std::future::pending().await,
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        heard.lock().unwrap().push(format!("{mark}{line}"));
        let answer = match line {
            "QUIT" => "221 bye",
            "a LOGOUT" => "* BYE\r\na OK",
            "STARTTLS" | "STLS" | "a STARTTLS" => manners.upgrade.0,
            line if line.starts_with("EHLO ") => "250-mail.contoso.com\r\n250 STARTTLS",
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        if line.ends_with("TLS") || line == "STLS" {
            return Some(stream.into_inner());
        }
        if answer.starts_with("221") || answer.starts_with("* BYE") {
            let _ = stream.shutdown().await;
            return None;
        }
    }
}

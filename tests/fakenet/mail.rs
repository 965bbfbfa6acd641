//! Mail servers that greet. Nobody says which host is meant before TLS, so each has a port of its own, to which `connect_to` leads.

use std::{io, sync::Arc};

use autodiscover_audit::model::Security;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::Shared;

/// A service of a mail host. Its certificate is as the web host of the same name has it (`Site::tls`), and good where there is none.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `Tls`: from the first byte. `StartTls`: it upgrades. `Plain`: it does not.
    pub security: Security,
    /// What it says first, without the end of the line.
    pub greeting: String,
}

impl Mail {
    pub fn new(security: Security, greeting: &str) -> Self {
        Self { security, greeting: greeting.to_owned() }
    }
}

/// Answers connections until it is dropped.
pub(super) async fn serve(listener: TcpListener, mail: Mail, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (mail, shared) = (mail.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    let _ = serve_connection(stream, &mail, &shared).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, mail: &Mail, shared: &Shared) -> io::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.tls));
    if mail.security == Security::Tls {
        converse(acceptor.accept(stream).await?, mail, Some(&mail.greeting)).await?;
        return Ok(());
    }
    if let Some(stream) = converse(stream, mail, Some(&mail.greeting)).await? {
        converse(acceptor.accept(stream).await?, mail, None).await?;
    }
    Ok(())
}

/// Greets and answers; the stream where TLS is next.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, mail: &Mail, greeting: Option<&str>) -> io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    let upgrades = mail.security == Security::StartTls;
    let mut next = greeting;
    loop {
        if let Some(line) = next {
            stream.write_all(format!("{line}\r\n").as_bytes()).await?;
            stream.flush().await?;
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let (answer, ends) = match line.trim_end() {
            "STARTTLS" if upgrades => ("220 go on", true),
            "STLS" if upgrades => ("+OK", true),
            "a STARTTLS" if upgrades => ("a OK", true),
            "QUIT" | "a LOGOUT" => ("221 bye", true),
            line if line.starts_with("EHLO ") => ("250 mail.example", false),
            line if line.starts_with("a ") => ("a BAD", false),
            "STLS" => ("-ERR", false),
            _ => ("502 no", false),
        };
        if ends {
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            stream.flush().await?;
            return Ok((line.contains("TLS") || line.starts_with("STLS")).then(|| stream.into_inner()));
        }
        next = Some(answer);
    }
}

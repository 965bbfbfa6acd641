//! What mail servers say first: IMAP (RFC 9051 section 7.1), POP3 (RFC 1939 section 4), SMTP (RFC 5321 section 4.2), before and after TLS
//! (RFC 8314 section 3, RFC 3207, RFC 2595). Connects, listens, takes leave; never signs in.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Settings,
    failure::obstacle_of_connection,
    journey::Journey,
    lane::Broken,
    limit::OnHold,
    record::Told,
    talk::{Greeting, Talk},
};
use crate::model::{Obstacle, Protocol, Reply, Security, normalise_host};

/// Listens to greetings.
pub(super) struct Greeter {
    tls: TlsConnector,
    connect_timeout: Duration,
    timeout: Duration,
}

/// Which service of a host is asked.
#[derive(Debug, Clone, Copy)]
struct Service<'a> {
    host: &'a str,
    port: u16,
    security: Security,
}

impl Journey<'_> {
    /// The greeting of a mail server.
    pub(super) async fn greet(&mut self, host: &str, (port, security): (u16, Security)) -> Told {
        let reply = match self.listen(Service { host: &normalise_host(host), port, security }).await {
            Ok(line) => Reply::Greeting(line),
            Err(obstacle) => Reply::Obstacle(obstacle),
        };
        (reply, self.core.dialer.cnames_of(host).await)
    }

    async fn listen(&mut self, service: Service<'_>) -> Result<String, Obstacle> {
        let core = self.core;
        let start = Instant::now();
        let way = core.dialer.way_to_mail(service.host, service.port).await;
        self.took += start.elapsed();
        let way = way?;
        let _pass = core.lanes.enter(self.kind).await.map_err(|Broken| Obstacle::Held)?;
        let _turn = core.limits.turn(service.host, self.patience).await.map_err(|OnHold| Obstacle::Held)?;
        let start = Instant::now();
        let heard = core.greeter.listen(&way, service).await;
        self.took += start.elapsed();
        heard
    }
}

impl Greeter {
    pub(super) fn new(settings: &Settings, tls: ClientConfig) -> Self {
        Self {
            tls: TlsConnector::from(Arc::new(tls)),
            connect_timeout: Duration::from_secs(settings.connect_timeout_seconds),
            timeout: Duration::from_secs(settings.timeout_seconds),
        }
    }

    async fn listen(&self, way: &[SocketAddr], service: Service<'_>) -> Result<String, Obstacle> {
        let visit = async {
            match service.security {
                Security::Tls => {
                    let connected = async {
                        let stream = self.connect(way).await?;
                        self.shake_hands(stream, service.host).await
                    };
                    let mut talk = Talk::new(timeout(self.connect_timeout, connected).await.unwrap_or(Err(Obstacle::Timeout))?);
                    let greeting = expect(talk.hear_greeting().await?, service)?;
                    Ok((greeting, Open::Secure(Box::new(talk))))
                }
                Security::Plain => {
                    let mut talk = Talk::new(self.connect(way).await?);
                    let greeting = expect(talk.hear_greeting().await?, service)?;
                    Ok((greeting, Open::Clear(talk)))
                }
                Security::StartTls => {
                    let mut talk = Talk::new(self.connect(way).await?);
                    let greeting = expect(talk.hear_greeting().await?, service)?;
                    talk.ask_for_tls(greeting.protocol).await?;
                    let stream = self.shake_hands(talk.into_inner(), service.host).await?;
                    Ok((greeting, Open::Secure(Box::new(Talk::new(stream)))))
                }
            }
        };
        let (greeting, open) = timeout(self.timeout, visit).await.unwrap_or(Err(Obstacle::Timeout))?;
        open.take_leave(greeting.protocol).await;
        Ok(greeting.told_to(service.host))
    }

    /// Tries the addresses in their order, each for its share of the time.
    async fn connect(&self, way: &[SocketAddr]) -> Result<TcpStream, Obstacle> {
        let share = self.connect_timeout / u32::try_from(way.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = Obstacle::Unreachable;
        for socket in way {
            match timeout(share, TcpStream::connect(socket)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failure = obstacle_of_connection(&error, false),
                Err(_) => failure = Obstacle::Timeout,
            }
        }
        Err(failure)
    }

    async fn shake_hands(&self, stream: TcpStream, host: &str) -> Result<TlsStream<TcpStream>, Obstacle> {
        // what TLS cannot name has no certificate
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Obstacle::CertificateName)?;
        self.tls.connect(name, stream).await.map_err(|error: io::Error| obstacle_of_connection(&error, true))
    }
}

/// A conversation that is still open.
enum Open {
    Clear(Talk<TcpStream>),
    Secure(Box<Talk<TlsStream<TcpStream>>>),
}

impl Open {
    async fn take_leave(self, protocol: Protocol) {
        match self {
            Self::Clear(talk) => talk.take_leave(protocol).await,
            Self::Secure(talk) => talk.take_leave(protocol).await,
        }
    }
}

/// Another service than the port is for is not what was asked for.
fn expect(greeting: Greeting, service: Service<'_>) -> Result<Greeting, Obstacle> {
    let meant = match service.port {
        25 | 465 | 587 => Protocol::Smtp,
        110 | 995 => Protocol::Pop3,
        143 | 993 => Protocol::Imap,
        _ => return Ok(greeting),
    };
    if greeting.protocol == meant { Ok(greeting) } else { Err(Obstacle::NotMail) }
}

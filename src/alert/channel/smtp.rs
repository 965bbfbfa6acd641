//! Mail over SMTP (RFC 5321), by implicit TLS, STARTTLS or, on loopback alone, in clear. The session is led by hand, so that its fate is
//! known: until the message itself is sent, nothing is in doubt.

use std::{error::Error as _, net::IpAddr, path::PathBuf, time::Duration};

use lettre::{
    message::Mailbox,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::timeout;

use super::{
    super::{
        budget::Budget,
        digest::Digest,
        fate::{Attempt, Phase, of_smtp},
    },
    Attachment, Opening, Terms, mail,
    redact::Redactor,
};
use crate::{
    alert::{AlertError, SecretSource},
    network::read_authorities,
};

/// `kind = "smtp"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// The mail server's host name; its certificate is for it.
    pub host: String,
    /// Its port; absent: 465 for `tls`, 587 for `starttls`, 25 for `none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// `tls` (from the first byte), `starttls` (and never without), or `none`, which is for loopback alone.
    #[serde(default)]
    pub encryption: Encryption,
    /// The user; absent: the server takes mail without.
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password.
    #[serde(default)]
    pub password: Option<SecretSource>,
    /// Who writes: `audit@contoso.com` or `Audit <audit@contoso.com>`.
    pub from: String,
    /// Who reads, one at least.
    pub to: Vec<String>,
    /// PEM files with further certificate authorities, beside those of the system.
    #[serde(default)]
    pub ca_files: Vec<PathBuf>,
    /// Whether the tenant's report goes with each mail.
    #[serde(default = "yes")]
    pub attach_report: bool,
    /// Bytes of a report at most; a larger one is not attached, and the mail says so; 0 to 20000000.
    #[serde(default = "attachment_limit")]
    pub attachment_limit_bytes: usize,
}

fn yes() -> bool {
    true
}

fn attachment_limit() -> usize {
    5_000_000
}

/// How a session is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Implicit TLS (RFC 8314 section 3.3).
    #[default]
    Tls,
    /// STARTTLS (RFC 3207), or nothing is sent.
    Starttls,
    /// None: for loopback alone.
    None,
}

/// A mail server.
#[derive(Clone)]
pub(super) struct Smtp {
    host: String,
    port: u16,
    encryption: Encryption,
    tls: Option<TlsParameters>,
    login: Option<(String, SecretString)>,
    letterhead: mail::Letterhead,
    takes_attachments: bool,
    redactor: Redactor,
}

/// How far a session has come.
struct Progress {
    phase: Phase,
    is_sent: bool,
}

impl Smtp {
    pub(super) fn open(settings: &SmtpSettings, opening: &Opening<'_>) -> Result<Self, AlertError> {
        let address = |setting: &'static str, text: &str| {
            let wrong = |_| opening.wrong(setting, format!("has `{text}`, which is no mail address"));
            text.parse::<Mailbox>().map_err(wrong)
        };
        let from = address("from", &settings.from)?;
        let to = settings.to.iter().map(|text| address("to", text)).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(opening.wrong("to", "names nobody; name one address at least".to_owned()));
        }
        if settings.attachment_limit_bytes > Attachment::MOST {
            return Err(opening.wrong("attachment_limit_bytes", format!("is over {0}; set it to 0 to {0}", Attachment::MOST)));
        }
        if settings.encryption == Encryption::None && !is_loopback(&settings.host) {
            return Err(opening.wrong("encryption", "is `none`, which is for loopback alone; use `tls` or `starttls`".to_owned()));
        }
        let mut redactor = Redactor::default();
        let login = match (&settings.username, &settings.password) {
            (None, None) => None,
            (Some(name), Some(source)) => {
                let password = opening.secret("password", source)?;
                redactor.hide(&password);
                Some((name.clone(), password))
            }
            (Some(_), None) => {
                return Err(opening.wrong("password", "is missing, and `username` is there; give both, or neither".to_owned()));
            }
            (None, Some(_)) => {
                return Err(opening.wrong("username", "is missing, and `password` is there; give both, or neither".to_owned()));
            }
        };
        let tls = if settings.encryption == Encryption::None { None } else { Some(tls_parameters(settings, opening)?) };
        let port = settings.port.unwrap_or(match settings.encryption {
            Encryption::Tls => 465,
            Encryption::Starttls => 587,
            Encryption::None => 25,
        });
        let letterhead = mail::Letterhead { from, to, attachment_limit: settings.attachment_limit_bytes };
        let (host, encryption, takes_attachments) = (settings.host.clone(), settings.encryption, settings.attach_report);
        Ok(Self { host, port, encryption, tls, login, letterhead, takes_attachments, redactor })
    }

    pub(super) fn takes_attachments(&self) -> bool {
        self.takes_attachments
    }

    pub(super) async fn send(&self, digest: &Digest<'_>, budget: Budget, terms: Terms<'_>) -> Attempt {
        let message = match mail::render(digest, &self.letterhead, (budget, terms)) {
            Ok(message) => message.formatted(),
            Err(reason) => return Attempt::Unacceptable { reason },
        };
        let mut progress = Progress { phase: Phase::Session, is_sent: false };
        let deadline = SESSION_TIMEOUT + Duration::from_secs(message.len() as u64 / SLOWEST);
        match timeout(deadline, self.deliver(&message, &mut progress)).await {
            Ok(Ok(())) => Attempt::Delivered,
            Ok(Err(error)) => self.judge(&error, &progress),
            Err(_) if progress.is_sent => Attempt::unknown("no answer of the mail server in time, after the mail was sent"),
            Err(_) => Attempt::definite("no answer of the mail server in time"),
        }
    }

    async fn deliver(&self, message: &[u8], progress: &mut Progress) -> Result<(), Failure> {
        let hello = ClientId::default();
        let implicit = self.tls.clone().filter(|_| self.encryption == Encryption::Tls);
        let mut session =
            AsyncSmtpConnection::connect_tokio1((self.host.as_str(), self.port), Some(CONNECT_TIMEOUT), &hello, implicit, None).await?;
        if let (Encryption::Starttls, Some(tls)) = (self.encryption, &self.tls) {
            if !session.can_starttls() {
                return Err(Failure::NoTls);
            }
            session.starttls(tls.clone(), &hello).await?;
        }
        if let Some((name, password)) = &self.login {
            let credentials = Credentials::new(name.clone(), password.expose_secret().trim_end_matches(['\r', '\n']).to_owned());
            session.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
        }
        progress.phase = Phase::Envelope;
        let mut parameters = Vec::new();
        if session.server_info().supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        session.command(Mail::new(Some(self.letterhead.from.email.clone()), parameters)).await?;
        self.name_readers(&mut session).await?;
        progress.phase = Phase::Content;
        session.command(Data).await?;
        progress.is_sent = true;
        session.message(message).await?;
        // it is taken: what becomes of the session changes nothing
        drop(timeout(QUIT_TIMEOUT, session.quit()).await);
        Ok(())
    }

    /// One reader that the server does not know keeps the others from nothing.
    async fn name_readers(&self, session: &mut AsyncSmtpConnection) -> Result<(), Failure> {
        let mut refused = None;
        let mut taken = 0;
        for reader in &self.letterhead.to {
            match session.command(Rcpt::new(reader.email.clone(), Vec::new())).await {
                Ok(_) => taken += 1,
                Err(error) if error.is_permanent() => {
                    tracing::warn!(code = code_of(&error), "the mail server refuses one of the addresses in `to`");
                    refused = Some(error);
                }
                Err(error) => return Err(error.into()),
            }
        }
        match refused {
            Some(error) if taken == 0 => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn judge(&self, failure: &Failure, progress: &Progress) -> Attempt {
        let error = match failure {
            Failure::NoTls => {
                return Attempt::Refused { reason: "the mail server offers no STARTTLS, and nothing is sent in clear".into() };
            }
            Failure::Session(error) => error,
        };
        let said = error.source().map(ToString::to_string).unwrap_or_default();
        let said = self.redactor.excerpt(said.as_bytes());
        if let Some(code) = code_of(error) {
            return of_smtp(progress.phase, code, &said);
        }
        if progress.is_sent {
            return Attempt::unknown(format!("the session broke off after the mail was sent: {said}"));
        }
        if error.is_client() {
            return Attempt::Refused { reason: format!("the mail server does not offer what is needed: {said}") };
        }
        Attempt::definite(format!("the mail server cannot be reached: {said}"))
    }
}

/// Why a session came to nothing.
enum Failure {
    NoTls,
    Session(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

fn code_of(error: &Error) -> Option<u16> {
    error.status().and_then(|code| code.to_string().parse().ok())
}

fn tls_parameters(settings: &SmtpSettings, opening: &Opening<'_>) -> Result<TlsParameters, AlertError> {
    // Fails where one is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut builder = TlsParameters::builder(settings.host.clone());
    for path in &settings.ca_files {
        let found = read_authorities(path).map_err(|source| AlertError::Client { channel: opening.name.to_owned(), source })?;
        for der in found {
            let root = Certificate::from_der(der.to_vec());
            builder = builder.add_root_certificate(root.map_err(|error| opening.wrong("ca_files", format!("cannot be used: {error}")))?);
        }
    }
    builder.build_rustls().map_err(|error| opening.wrong("host", format!("cannot be reached by TLS: {error}")))
}

fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>().map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a whole session; servers that hold their greeting back against spam take up to half a minute.
const SESSION_TIMEOUT: Duration = Duration::from_mins(1);
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bytes a second that a mail is sent at least.
const SLOWEST: u64 = 100_000;

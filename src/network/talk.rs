//! A conversation with a mail server, line by line: its greeting, the upgrade to TLS, the leave. Knows the three protocols, and neither
//! hosts nor certificates.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

use super::failure::obstacle_of_connection;
use crate::model::{Obstacle, Protocol, normalise_host};

/// An open conversation.
pub(super) struct Talk<S>(BufReader<S>);

/// What a mail server says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) protocol: Protocol,
    line: String,
}

impl Greeting {
    /// Reads a line.
    fn read(line: &str) -> Result<Self, Obstacle> {
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_ascii_uppercase());
        let turned_away = |code: &str| Err(Obstacle::TurnedAway { code: code.to_owned() });
        let protocol = match (first, second.as_str()) {
            ("*", "OK") => Protocol::Imap,
            ("*", "BYE") => return turned_away("BYE"),
            ("+OK", _) => Protocol::Pop3,
            ("-ERR", _) => return turned_away("-ERR"),
            _ => match reply_code(line) {
                Some("220") => Protocol::Smtp,
                Some(code) if code.starts_with(['4', '5']) => return turned_away(code),
                _ => return Err(Obstacle::NotMail),
            },
        };
        Ok(Self { protocol, line: line.to_owned() })
    }

    /// The line up to what is new each time: dates, ids and names of machines hold digits. The name that was asked for may.
    pub(super) fn told_to(&self, host: &str) -> String {
        let is_steady =
            |(at, word): &(usize, &str)| *at == 0 || !word.contains(|c: char| c.is_ascii_digit()) || normalise_host(word) == host;
        let mut told =
            self.line.split_ascii_whitespace().enumerate().take_while(is_steady).map(|(_, word)| word).collect::<Vec<_>>().join(" ");
        told.truncate(told.floor_char_boundary(LONGEST_TOLD));
        told
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    /// The stream; what was sent ahead of TLS is dropped (RFC 3207 section 4.2).
    pub(super) fn into_inner(self) -> S {
        self.0.into_inner()
    }

    /// Reads the greeting, to its last line.
    pub(super) async fn hear_greeting(&mut self) -> Result<Greeting, Obstacle> {
        let line = self.line().await?;
        let greeting = Greeting::read(&line)?;
        if greeting.protocol == Protocol::Smtp {
            self.end_of_reply(line).await?;
        }
        Ok(greeting)
    }

    /// Asks for the upgrade to TLS, so that the handshake is next.
    pub(super) async fn ask_for_tls(&mut self, protocol: Protocol) -> Result<(), Obstacle> {
        match protocol {
            Protocol::Imap => {
                self.say("a STARTTLS").await?;
                // what is untagged may come at any time (RFC 9051 section 2.2.2)
                for _ in 0..MOST_LINES {
                    let line = self.line().await?;
                    let mut words = line.split_ascii_whitespace();
                    match (words.next(), words.next().map(str::to_ascii_uppercase).as_deref()) {
                        (Some("*"), Some("BYE")) => return Err(Obstacle::TurnedAway { code: "BYE".to_owned() }),
                        (Some("*"), _) => {}
                        (Some("a"), Some("OK")) => return Ok(()),
                        (Some("a"), Some("NO" | "BAD")) => return Err(Obstacle::NoStartTls),
                        _ => return Err(Obstacle::NotMail),
                    }
                }
                Err(Obstacle::NotMail)
            }
            Protocol::Pop3 => {
                self.say("STLS").await?;
                let line = self.line().await?;
                match line.split_ascii_whitespace().next() {
                    Some("+OK") => Ok(()),
                    Some("-ERR") => Err(Obstacle::NoStartTls),
                    _ => Err(Obstacle::NotMail),
                }
            }
            _ => {
                self.command_smtp("EHLO [127.0.0.1]").await?;
                self.command_smtp("STARTTLS").await
            }
        }
    }

    /// Takes leave, and waits a moment for the answer, so that the other side sees an orderly end. Nothing depends on it.
    pub(super) async fn take_leave(mut self, protocol: Protocol) {
        let word = if protocol == Protocol::Imap { "a LOGOUT" } else { "QUIT" };
        let leave = async {
            self.say(word).await.ok()?;
            self.line().await.ok()?;
            self.0.shutdown().await.ok()
        };
        // the greeting has been heard: what goes wrong now changes nothing
        let _ = timeout(FAREWELL, leave).await;
    }

    /// A command that must be answered by success.
    async fn command_smtp(&mut self, command: &str) -> Result<(), Obstacle> {
        self.say(command).await?;
        let line = self.line().await?;
        let code = reply_code(&line).ok_or(Obstacle::NotMail)?.to_owned();
        self.end_of_reply(line).await?;
        match code.as_bytes().first() {
            Some(b'2') => Ok(()),
            Some(b'4') => Err(Obstacle::TurnedAway { code }),
            _ => Err(Obstacle::NoStartTls),
        }
    }

    /// Reads the further lines of a reply of SMTP (RFC 5321 section 4.2.1).
    async fn end_of_reply(&mut self, first: String) -> Result<(), Obstacle> {
        let mut line = first;
        for _ in 0..MOST_LINES {
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
            line = self.line().await?;
            reply_code(&line).ok_or(Obstacle::NotMail)?;
        }
        Err(Obstacle::NotMail)
    }

    async fn say(&mut self, command: &str) -> Result<(), Obstacle> {
        let line = format!("{command}\r\n");
        let said = async {
            self.0.write_all(line.as_bytes()).await?;
            self.0.flush().await
        };
        said.await.map_err(|error| obstacle_of_connection(&error, false))
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<String, Obstacle> {
        let mut bytes = Vec::new();
        let read = (&mut self.0).take(LONGEST_LINE).read_until(b'\n', &mut bytes).await;
        read.map_err(|error| obstacle_of_connection(&error, false))?;
        if bytes.last() != Some(&b'\n') {
            let is_endless = u64::try_from(bytes.len()).is_ok_and(|length| length == LONGEST_LINE);
            return Err(if is_endless { Obstacle::NotMail } else { Obstacle::ConnectionCut });
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }
}

/// The three digits that a line of SMTP begins with.
fn reply_code(line: &str) -> Option<&str> {
    let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()))?;
    matches!(line.as_bytes().get(3), None | Some(b' ' | b'-')).then_some(code)
}

/// Bytes of a line that are read; RFC 5321 section 4.5.3.1.5 allows 512, and the capabilities of IMAP may take more.
const LONGEST_LINE: u64 = 8 * 1024;
/// Bytes of a greeting that are kept.
const LONGEST_TOLD: usize = 512;
/// Lines of one answer.
const MOST_LINES: usize = 100;
const FAREWELL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_told_by_its_first_words() {
        let turned_away = |code: &str| Err(Obstacle::TurnedAway { code: code.to_owned() });
        for (line, expected) in [
            ("220 mail.contoso.com ESMTP", Ok(Protocol::Smtp)),
            ("220-mail.contoso.com", Ok(Protocol::Smtp)),
            ("220", Ok(Protocol::Smtp)),
            ("* OK ready", Ok(Protocol::Imap)),
            ("* ok", Ok(Protocol::Imap)),
            ("+OK", Ok(Protocol::Pop3)),
            ("421 too many connections", turned_away("421")),
            ("554-no service for you", turned_away("554")),
            ("* BYE full", turned_away("BYE")),
            ("-ERR [SYS/TEMP] later", turned_away("-ERR")),
            ("* PREAUTH you are known", Err(Obstacle::NotMail)),
            ("250 mail.contoso.com", Err(Obstacle::NotMail)),
            ("2200 x", Err(Obstacle::NotMail)),
            ("22€ x", Err(Obstacle::NotMail)),
            ("HTTP/1.1 400 Bad Request", Err(Obstacle::NotMail)),
            ("SSH-2.0-OpenSSH_9.9", Err(Obstacle::NotMail)),
            ("+OKAY", Err(Obstacle::NotMail)),
            ("", Err(Obstacle::NotMail)),
        ] {
            assert_eq!(Greeting::read(line).map(|greeting| greeting.protocol), expected, "{line}");
        }
    }

    #[test]
    fn what_is_new_each_time_is_left_out() {
        for (line, told) in [
            ("220 mx1.contoso.com ESMTP Postfix", "220 mx1.contoso.com ESMTP Postfix"),
            ("220 AM0PR02CA0123.outlook.office365.com Microsoft ESMTP MAIL Service ready at Mon, 23 Nov 2026 10:00:00 +0000", "220"),
            ("220 mx.google.com ESMTP 5b1f17b1804b1-477b - gsmtp", "220 mx.google.com ESMTP"),
            ("* OK The Microsoft Exchange IMAP4 service is ready. [QQBTADQA]", "* OK The Microsoft Exchange"),
            ("+OK Dovecot ready. <1896.697170952@contoso.com>", "+OK Dovecot ready."),
            ("220", "220"),
        ] {
            assert_eq!(Greeting::read(line).unwrap().told_to("mx1.contoso.com"), told, "{line}");
        }
        let long = format!("* OK {}", "é".repeat(400));
        assert_eq!(Greeting::read(&long).unwrap().told_to("x").len(), 511);
    }
}

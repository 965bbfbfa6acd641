//! What became of an attempt to deliver, told by status and failure. Pure. RFC 9110 section 15 for HTTP, RFC 5321 section 4.2 for SMTP.

use std::time::Duration;

use crate::model::Obstacle;

/// What became of one attempt. Reasons are lowercase fragments that hold no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It is acknowledged.
    Delivered,
    /// It may go through later.
    Retry {
        /// Why.
        reason: String,
        /// The pause that the channel asks for.
        floor: Option<Duration>,
        /// Whether the channel certainly did not take it.
        is_definite: bool,
    },
    /// The channel takes nothing as it is set up: its queue waits until someone has seen to it.
    Refused {
        /// Why.
        reason: String,
    },
    /// The channel takes others, and not this one.
    Unacceptable {
        /// Why.
        reason: String,
    },
}

impl Attempt {
    /// The word for it in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry { is_definite: true, .. } => "failed",
            Self::Retry { is_definite: false, .. } => "unknown",
            Self::Refused { .. } => "refused",
            Self::Unacceptable { .. } => "unacceptable",
        }
    }

    /// A failure that leaves no doubt, and may pass.
    pub(super) fn definite(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), floor: None, is_definite: true }
    }

    /// A failure after sending.
    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Self::Retry { reason: reason.into(), floor: None, is_definite: false }
    }

    /// Why; `None` where it is delivered.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Retry { reason, .. } | Self::Refused { reason } | Self::Unacceptable { reason } => Some(reason),
        }
    }
}

/// For a person who tests a channel.
impl std::fmt::Display for Attempt {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Delivered => write!(out, "delivered"),
            Self::Retry { reason, is_definite: true, .. } => write!(out, "not delivered: {reason}; it may go through later"),
            Self::Retry { reason, is_definite: false, .. } => write!(out, "perhaps delivered: {reason}"),
            Self::Refused { reason } => write!(out, "refused: {reason}; correct the channel's settings"),
            Self::Unacceptable { reason } => write!(out, "not accepted: {reason}"),
        }
    }
}

/// What an HTTP status says; `said` is what the answer's body adds, free of secrets, and empty where it adds nothing.
pub(super) fn of_status(status: u16, retry_after: Option<Duration>, said: &str) -> Attempt {
    let colon = if said.is_empty() { "" } else { ": " };
    let reason = format!("the channel answered {status}{colon}{said}");
    match status {
        200..=299 => Attempt::Delivered,
        408 | 425 | 429 | 500..=599 => {
            Attempt::Retry { reason, floor: retry_after.map(|pause| pause.min(LONGEST_PAUSE)), is_definite: true }
        }
        400 | 413 | 422 => Attempt::Unacceptable { reason },
        300..=399 => Attempt::Refused { reason: format!("the channel answered {status}, a redirect, and redirects are not followed") },
        _ => Attempt::Refused { reason },
    }
}

/// What a failure without an answer says.
pub(super) fn of_failure(obstacle: &Obstacle, is_sent: bool) -> Attempt {
    if is_sent { Attempt::unknown(format!("{obstacle}, after the notice was sent")) } else { Attempt::definite(obstacle.to_string()) }
}

/// How far an SMTP session had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Greeting, EHLO, STARTTLS, AUTH.
    Session,
    /// MAIL FROM, RCPT TO.
    Envelope,
    /// DATA and the message.
    Content,
}

/// What an SMTP reply code of 4xx or 5xx says. 5xx to the session or the envelope is about the channel: name, password, sender,
/// recipients; 5xx to the content is about the notice.
pub(super) fn of_smtp(phase: Phase, code: u16, said: &str) -> Attempt {
    let reason = format!("the mail server answered {code}{}{said}", if said.is_empty() { "" } else { " " });
    match (phase, code) {
        (_, 400..=499) => Attempt::definite(reason),
        // authentication (RFC 4954 section 6) may be asked for as late as here
        (Phase::Content, 530 | 534 | 535 | 538 | 550) | (Phase::Session | Phase::Envelope, _) => Attempt::Refused { reason },
        (Phase::Content, _) => Attempt::Unacceptable { reason },
    }
}

/// Longer pauses than this are not believed.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_fate() {
        for (statuses, expected) in [
            (vec![200, 202, 204, 299], "delivered"),
            (vec![408, 425, 429, 500, 502, 503, 504, 599], "retry"),
            (vec![400, 413, 422], "unacceptable"),
            (vec![301, 302, 307, 401, 402, 403, 404, 405, 407, 410, 415, 431, 451, 100, 999], "refused"),
        ] {
            for status in statuses {
                let found = match of_status(status, None, "") {
                    Attempt::Delivered => "delivered",
                    Attempt::Retry { is_definite, .. } => {
                        assert!(is_definite, "{status}");
                        "retry"
                    }
                    Attempt::Refused { .. } => "refused",
                    Attempt::Unacceptable { .. } => "unacceptable",
                };
                assert_eq!(found, expected, "{status}");
            }
        }
        assert_eq!(of_status(503, None, "busy").reason(), Some("the channel answered 503: busy"));
    }

    #[test]
    fn a_pause_that_is_asked_for_is_a_floor_of_a_day_at_most() {
        for (asked, floor) in [(0, 0), (120, 120), (86_400, 86_400), (u64::MAX, 86_400)] {
            let attempt = of_status(429, Some(Duration::from_secs(asked)), "");
            let Attempt::Retry { floor: Some(found), .. } = attempt else { panic!("{attempt:?}") };
            assert_eq!(found.as_secs(), floor);
        }
    }

    #[test]
    fn only_what_was_sent_has_an_unknown_fate() {
        for (is_sent, expected) in [(true, false), (false, true)] {
            assert!(matches!(of_failure(&Obstacle::Timeout, is_sent), Attempt::Retry { is_definite, .. } if is_definite == expected));
        }
    }

    #[test]
    fn a_mail_server_refuses_us_or_the_message() {
        for (phase, code, expected) in [
            (Phase::Session, 421, "retry"),
            (Phase::Session, 535, "refused"),
            (Phase::Session, 554, "refused"),
            (Phase::Envelope, 450, "retry"),
            (Phase::Envelope, 550, "refused"),
            (Phase::Content, 451, "retry"),
            (Phase::Content, 530, "refused"),
            (Phase::Content, 552, "unacceptable"),
            (Phase::Content, 554, "unacceptable"),
        ] {
            let found = match of_smtp(phase, code, "") {
                Attempt::Delivered => "delivered",
                Attempt::Retry { .. } => "retry",
                Attempt::Refused { .. } => "refused",
                Attempt::Unacceptable { .. } => "unacceptable",
            };
            assert_eq!(found, expected, "{phase:?} {code}");
        }
    }
}

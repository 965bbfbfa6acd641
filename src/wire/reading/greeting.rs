//! The first line of a mail server: whether a mail service answers at a guessed name (RFC 9051 section 7.1, RFC 1939 section 3,
//! RFC 5321 sections 3.1 and 4.3.2).

use super::Finding;
use crate::model::{AnswerOutcome, Document, Request};

/// A line of the protocol of the port that was asked.
pub(super) fn read(request: &Request, line: &str) -> Finding {
    let port = if let Request::Greeting { port, .. } = request { *port } else { 0 };
    let (welcomes, refuses): (&[&str], &[&str]) = match port {
        143 | 993 => (&["* OK", "* PREAUTH"], &["* BYE"]),
        110 | 995 => (&["+OK"], &["-ERR"]),
        25 | 465 | 587 | 2525 => (&["220"], &["421"]),
        _ => (&["* OK", "* PREAUTH", "+OK", "220"], &["* BYE", "-ERR", "421"]),
    };
    let begins = |words: &[&str]| words.iter().any(|word| line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    let (outcome, detail) = if begins(welcomes) {
        (AnswerOutcome::Found, line.to_owned())
    } else if begins(refuses) {
        (AnswerOutcome::Failed, format!("the server greets with a refusal: {line}"))
    } else {
        (AnswerOutcome::Invalid, format!("what answers is no mail server: {line}"))
    };
    (outcome, detail, Document::Nothing)
}

//! Mail over real sockets.

use autodiscover_audit::alert::{Attempt, Channel};

use super::{super::fakenet::sink::MailSink, SESAME, open, try_out};

fn smtp(sink: &MailSink, more: &str) -> Channel {
    let port = sink.address.port();
    let toml =
        format!("kind = 'smtp'\nport = {port}\nfrom = 'Audit <audit@contoso.com>'\nto = ['ops@contoso.com', 'team@contoso.com']\n{more}");
    open(&toml, &[("password", SESAME)]).unwrap()
}

const PLAIN: &str = "host = '127.0.0.1'\nencryption = 'none'\nusername = 'audit'\npassword = { credential = 'password' }";

#[tokio::test]
async fn a_mail_arrives_over_tls_with_an_own_authority() {
    let sink = MailSink::start(true).await;
    let with = format!("host = 'localhost'\nca_files = ['{}']", sink.ca_file().display());
    assert_eq!(try_out(&smtp(&sink, &with)).await, Attempt::Delivered);
    let letter = &sink.letters()[0];
    assert_eq!(letter.readers.len(), 2);
    for header in [
        "Subject: [Test] Test: this is how a notice looks here",
        "Auto-Submitted: auto-generated",
        "Message-ID: <test",
        "References: <incident-",
    ] {
        assert!(letter.text.contains(header), "{header} in {}", letter.text);
    }
    let attempt = try_out(&smtp(&sink, "host = 'localhost'")).await;
    assert!(matches!(attempt, Attempt::Retry { is_definite: true, .. }), "an authority that nobody knows: {attempt:?}");
}

#[tokio::test]
async fn every_reply_of_a_mail_server_has_its_fate() {
    let sink = MailSink::start(false).await;
    for (refusals, expected) in [
        (vec![], "delivered"),
        (vec![("CONNECT", "421 4.3.2 busy")], "not delivered: the mail server answered 421 4.3.2 busy"),
        (vec![("AUTH", "535 5.7.8 wrong password")], "refused: the mail server answered 535 5.7.8 wrong password"),
        (vec![("MAIL", "550 5.1.8 sender refused")], "refused: the mail server answered 550"),
        (vec![("RCPT", "550 5.1.1 nobody here")], "refused: the mail server answered 550"),
        (vec![("RCPT", "451 4.7.1 greylisted")], "not delivered: the mail server answered 451"),
        (vec![("DATA", "452 4.3.1 no room")], "not delivered: the mail server answered 452"),
        (vec![(".", "552 5.3.4 too large")], "not accepted: the mail server answered 552"),
        (vec![("DATA", "")], "not delivered: the mail server cannot be reached"),
        (vec![(".", "")], "perhaps delivered: the session broke off after the mail was sent"),
    ] {
        sink.refuse(refusals.clone());
        let attempt = try_out(&smtp(&sink, PLAIN)).await;
        assert!(attempt.to_string().starts_with(expected), "{refusals:?}: {attempt}");
    }
    assert_eq!(sink.letters().len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_in_clear_where_tls_was_asked_for() {
    let sink = MailSink::start(false).await;
    let attempt = try_out(&smtp(&sink, "host = 'localhost'\nencryption = 'starttls'")).await;
    assert_eq!(
        attempt.to_string(),
        "refused: the mail server offers no STARTTLS, and nothing is sent in clear; correct the channel's settings"
    );
    assert_eq!(sink.letters(), []);
}

#[test]
fn settings_that_cannot_be_are_refused_with_what_to_do() {
    let base = "kind = 'smtp'\nhost = 'mail.contoso.com'\nfrom = 'audit@contoso.com'\nto = ['ops@contoso.com']\n";
    for (toml, problem) in [
        (format!("{base}encryption = 'none'"), "`channel.ops.encryption` is `none`, which is for loopback alone"),
        (base.replace("['ops@contoso.com']", "[]"), "`channel.ops.to` names nobody"),
        (base.replace("'audit@contoso.com'", "'audit'"), "`channel.ops.from` has `audit`, which is no mail address"),
        (format!("{base}username = 'audit'"), "`channel.ops.password` is missing"),
        (format!("{base}password = {{ credential = 'password' }}"), "`channel.ops.username` is missing"),
        (
            format!("{base}username = 'a'\npassword = {{ credential = 'other' }}"),
            "`channel.ops.password` names the credential `other`, which is not there",
        ),
        (format!("{base}attachment_limit_bytes = 99000000"), "`channel.ops.attachment_limit_bytes` is over"),
    ] {
        let error = open(&toml, &[("password", SESAME)]).err().unwrap();
        assert!(error.starts_with(problem), "{error}");
    }
}

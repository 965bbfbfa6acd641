//! Secrets: what is printed, logged and kept shows none of them, whatever a channel answers.

use autodiscover_audit::alert::Channel;

use super::{
    super::fakenet::sink::{MailSink, Say, Sink},
    SESAME, open, try_out,
};

/// Every kind of channel that has a secret, with a secret everywhere where one can be.
fn channels(sink: &Sink, mail: &MailSink) -> Vec<Channel> {
    let url = sink.url(&format!("/hooks/{SESAME}?sig={SESAME}"));
    let signing = "whsec_c2VzYW1lLXNlc2FtZS1zZXNhbWUtc2VzYW1l";
    let key = [
        ("url", url.as_str()),
        ("base", &sink.url(&format!("/{SESAME}"))),
        ("token", &format!("Bearer {SESAME}")),
        ("signing", signing),
        ("key", SESAME),
    ];
    let headers = "headers = { Authorization = { credential = 'token' } }";
    [
        "kind = 'teams'\nurl = { credential = 'url' }".to_owned(),
        "kind = 'slack'\nurl = { credential = 'url' }".to_owned(),
        format!("kind = 'webhook'\nurl = {{ credential = 'url' }}\nsecrets = [{{ credential = 'signing' }}]\n{headers}"),
        format!("kind = 'alertmanager'\nurls = [{{ credential = 'base' }}]\n{headers}"),
        format!("kind = 'template'\nurl = {{ credential = 'url' }}\nbody = '{{\"a\": \"{{id}}\"}}'\n{headers}"),
        format!(
            "kind = 'pagerduty'\nrouting_key = {{ credential = 'key' }}\nhttp = {{ proxy = '{}', ca_files = ['{}'] }}",
            sink.url(""),
            sink.ca_file().display()
        ),
        format!(
            "kind = 'smtp'\nhost = '127.0.0.1'\nport = {}\nencryption = 'none'\nusername = 'a'\npassword = {{ credential = 'key' }}\nfrom = 'a@contoso.com'\nto = ['b@contoso.com']",
            mail.address.port()
        ),
    ]
    .iter()
    .map(|toml| open(toml, &key).unwrap())
    .collect()
}

#[tokio::test]
async fn no_answer_brings_a_secret_to_light() {
    let (sink, mail) = (Sink::start().await, MailSink::start(false).await);
    let echo = format!("POST /hooks/{SESAME}?sig={SESAME} Authorization: Bearer {SESAME} key {SESAME}");
    let reply: &'static str = Box::leak(format!("535 {echo}").into_boxed_str());
    for channel in channels(&sink, &mail) {
        for say in [Say::body(400, &echo), Say::body(401, &echo), Say::body(500, &echo), Say::Reset, Say::redirect(&echo)] {
            sink.script([say]);
            mail.refuse(vec![("AUTH", reply)]);
            let attempt = try_out(&channel).await;
            assert!(attempt.reason().is_some(), "{channel:?}");
            let shown = format!("{attempt} {attempt:?} {channel:?}");
            assert!(!shown.contains(SESAME), "{shown}");
        }
    }
}

#[tokio::test]
async fn the_secret_that_signs_is_shown_by_no_answer() {
    let sink = Sink::start().await;
    let signing = "whsec_c2VzYW1lLXNlc2FtZS1zZXNhbWUtc2VzYW1l";
    let toml = format!("kind = 'webhook'\nurl = '{}'\nsecrets = [{{ credential = 'signing' }}]", sink.url("/"));
    let channel = open(&toml, &[("signing", signing)]).unwrap();
    sink.script([Say::body(401, &format!("the secret is {signing}"))]);
    assert_eq!(try_out(&channel).await.reason(), Some("the channel answered 401: the secret is [secret]"));
}

#[test]
fn no_setting_that_is_wrong_brings_a_secret_to_light() {
    for (toml, value) in [
        ("kind = 'teams'\nurl = { credential = 'key' }", SESAME.to_owned()),
        ("kind = 'teams'\nurl = { credential = 'key' }", format!("http://hooks.contoso.com/{SESAME}")),
        ("kind = 'teams'\nurl = { credential = 'key' }", format!("ftp://{SESAME}")),
        ("kind = 'webhook'\nurl = 'https://contoso.com'\nsecrets = [{ credential = 'key' }]", SESAME.to_owned()),
        ("kind = 'webhook'\nurl = 'https://contoso.com'\nsecrets = [{ credential = 'key' }]", format!("whsec_{SESAME}")),
        ("kind = 'slack'\nurl = { credential = 'other' }", SESAME.to_owned()),
        ("kind = 'slack'\nurl = { file = '/nowhere' }", SESAME.to_owned()),
        (
            "kind = 'slack'\nurl = { credential = 'key' }\nhttp = { proxy = 'http://a:sesame-sesame@proxy' }",
            "https://contoso.com".to_owned(),
        ),
    ] {
        let error = open(toml, &[("key", &value)]).err().unwrap();
        assert!(!error.contains(SESAME), "{error}");
    }
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_named_without_its_value() {
    let sink = Sink::start().await;
    let toml = format!(
        "kind = 'template'\nurl = '{}'\nbody = '{{\"a\": \"1\"}}'\nheaders = {{ Authorization = {{ credential = 'key' }} }}",
        sink.url("/")
    );
    let attempt = try_out(&open(&toml, &[("key", &format!("{SESAME}\n{SESAME}"))]).unwrap()).await;
    assert_eq!(attempt.reason(), Some("the header `Authorization` has a name or a value that cannot be sent"));
}

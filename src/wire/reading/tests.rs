//! What answers come to: own documents of every kind, and what chance makes of them.

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/documents/", $name)).as_slice()
    };
}

mod chance;

use super::*;
use crate::model::{Address, Existence, MxRecord, Security};

/// A lookup as somebody would make it for that kind.
fn lookup(kind: LookupKind) -> Lookup {
    let anna = || Address::parse("anna@contoso.com").unwrap();
    let message = match kind {
        LookupKind::AutodiscoverSoap => Some(Message::UserSettings { addresses: vec![anna(); 6] }),
        LookupKind::AutodiscoverMobilesync => Some(Message::Mobilesync { address: anna() }),
        LookupKind::Autodetect => Some(Message::Detect { address: anna() }),
        LookupKind::CredentialType => Some(Message::CredentialType { address: anna() }),
        LookupKind::AutodiscoverV2 | LookupKind::Realm | LookupKind::Openid => Some(Message::Get { address: None }),
        _ => None,
    };
    let url = "https://a.example/autodiscover/x?y".to_owned();
    let request = match message {
        Some(message) => Request::Http { url, message },
        None => Request::Get { url, address: None },
    };
    Lookup { kind, asked: request.asked(), request }
}

fn reading(kind: LookupKind, reply: Reply) -> Reading {
    read(&lookup(kind), Arc::new(Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 }))
}

fn document(kind: LookupKind, body: &[u8]) -> Reading {
    answer(kind, 200, &[], body)
}

fn answer(kind: LookupKind, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Reading {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    reading(kind, Reply::Document(HttpDocument { status, content_type: "text/xml".into(), body: body.into(), headers }))
}

#[test]
fn answers_without_a_body_are_told_in_a_line() {
    let mx = |preference, exchange: &str| MxRecord { preference, exchange: exchange.into() };
    let srv = SrvRecord { priority: 0, weight: 1, port: 443, target: "mail.contoso.com".into() };
    let none = SrvRecord { priority: 0, weight: 0, port: 0, target: String::new() };
    let records = vec![mx(0, "contoso-com.mail.protection.outlook.com"), mx(10, "mail.contoso.com")];
    for (kind, reply, outcome, detail) in [
        (LookupKind::Mx, Reply::Mx(records), AnswerOutcome::Found, "0 contoso-com.mail.protection.outlook.com, 10 mail.contoso.com"),
        (LookupKind::AutodiscoverSrv, Reply::Srv(vec![none, srv]), AnswerOutcome::Found, "0 0 0 ., 0 1 443 mail.contoso.com"),
        (
            LookupKind::Wildcard,
            Reply::Addresses(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()]),
            AnswerOutcome::Found,
            "192.0.2.1, 2001:db8::1",
        ),
        (
            LookupKind::AutodiscoverPox,
            Reply::Redirect("https://a.example/".into()),
            AnswerOutcome::Found,
            "redirected to https://a.example/",
        ),
        (LookupKind::Mx, Reply::Obstacle(Obstacle::NxDomain), AnswerOutcome::Absent, "the name does not exist (NXDOMAIN)"),
        (LookupKind::Ispdb, Reply::Obstacle(Obstacle::ServerError { status: 503 }), AnswerOutcome::Failed, "the server answered 503"),
    ] {
        let reading = reading(kind, reply);
        assert_eq!((reading.outcome, reading.detail.as_str(), &reading.document), (outcome, detail, &Document::Nothing));
    }
}

#[test]
fn documents_come_to_what_they_say() {
    use AnswerOutcome::{Absent, Failed, Found, Invalid};
    use LookupKind::{AutodiscoverPox, Ispdb, OwnAutoconfig, Wildcard};
    for (kind, body, outcome, detail, has_document) in [
        (OwnAutoconfig, fixture!("config-good.xml"), Found, "contoso.com: imap imap.contoso.com:993, smtp smtp.contoso.com:587", true),
        (
            Ispdb,
            fixture!("config-leading-newline.xml"),
            Found,
            "(not strict) contoso.com: imap imap.contoso.com:993, smtp smtp.contoso.com:587",
            true,
        ),
        (OwnAutoconfig, fixture!("config-truncated.xml"), Invalid, "the document ends inside `hostname`", true),
        (OwnAutoconfig, fixture!("config-no-server.xml"), Invalid, "the document has no usable server", true),
        (OwnAutoconfig, fixture!("config-no-email-provider.xml"), Invalid, "the document has no emailProvider", false),
        (OwnAutoconfig, fixture!("page.html"), Invalid, "the body is an HTML page", false),
        (OwnAutoconfig, fixture!("pox-exchange.xml"), Invalid, "the root element is `Autodiscover`", false),
        (
            AutodiscoverPox,
            fixture!("pox-ssl-off-encryption-tls.xml"),
            Found,
            "IMAP imap.contoso.com:993, POP3 pop.contoso.com:995, SMTP smtp.contoso.com:587",
            true,
        ),
        (
            AutodiscoverPox,
            fixture!("pox-mobilesync.xml"),
            Found,
            "MOBILESYNC https://eas.contoso.com/Microsoft-Server-ActiveSync, CERTENROLL https://cert.contoso.com/",
            true,
        ),
        (
            AutodiscoverPox,
            fixture!("pox-redirect-url.xml"),
            Found,
            "redirected to https://autodiscover.fabrikam.com/autodiscover/autodiscover.xml",
            true,
        ),
        (AutodiscoverPox, fixture!("pox-redirect-addr.xml"), Found, "redirected to the address anna@contoso.mail.onmicrosoft.com", true),
        (AutodiscoverPox, fixture!("pox-redirect-without-target.xml"), Invalid, "the redirect has no target", true),
        (
            AutodiscoverPox,
            fixture!("pox-error-outer-namespace.xml"),
            Absent,
            "the server says: 500 The email address can't be found.",
            true,
        ),
        (AutodiscoverPox, fixture!("pox-error-in-account.xml"), Absent, "the server says: 501", true),
        (AutodiscoverPox, fixture!("pox-mobilesync-error.xml"), Absent, "the server says: 2 Protocol error", true),
        (AutodiscoverPox, fixture!("pox-error-invalid-request.xml"), Invalid, "the server says: 600 Invalid Request", true),
        (AutodiscoverPox, fixture!("pox-error-internal.xml"), Failed, "the server says: 603 Internal error", true),
        (AutodiscoverPox, fixture!("pox-request.xml"), Invalid, "the document has no Response", false),
        (Wildcard, fixture!("config-good.xml"), Invalid, "a web document came where none was asked for", false),
    ] {
        let reading = document(kind, body);
        let is_read = !matches!(reading.document, Document::Nothing | Document::Other);
        assert_eq!((reading.outcome, reading.detail.as_str(), is_read), (outcome, detail, has_document));
    }
}

#[test]
fn a_body_over_the_cap_is_no_verdict_about_the_server() {
    let reading = document(LookupKind::Ispdb, &vec![b' '; 256 * 1024 + 1]);
    assert_eq!((reading.outcome, reading.detail.as_str()), (AnswerOutcome::Failed, "the body is larger than 256 KiB"));
}

#[test]
fn well_formed_xml_of_another_kind_is_told_from_what_is_broken() {
    use LookupKind::{AutodiscoverPox, OwnAutoconfig};
    for (kind, body, expected) in [
        (OwnAutoconfig, fixture!("page.html"), Document::Nothing),
        (OwnAutoconfig, fixture!("page-strict.html"), Document::Other),
        (OwnAutoconfig, fixture!("pox-exchange.xml"), Document::Other),
        (OwnAutoconfig, fixture!("config-no-email-provider.xml"), Document::Other),
        (OwnAutoconfig, b"<feed><entry></feed>".as_slice(), Document::Nothing),
        (OwnAutoconfig, fixture!("text.txt"), Document::Nothing),
        (OwnAutoconfig, b"".as_slice(), Document::Nothing),
        (AutodiscoverPox, fixture!("pox-no-account.xml"), Document::Other),
        (AutodiscoverPox, fixture!("config-good.xml"), Document::Other),
    ] {
        assert_eq!(document(kind, body).document, expected, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn a_detail_is_one_line_that_cannot_paint_the_terminal() {
    assert_eq!(one_line(" a\r\n  b\tc\u{1b}[31m\u{202e}d\u{2028}\0 "), "a b c[31md");
    let line = one_line(&"ü".repeat(201));
    assert_eq!((line.chars().count(), line.ends_with('…')), (200, true));
    assert_eq!(one_line(&"ü".repeat(200)), "ü".repeat(200));
}

#[test]
fn phones_are_told_where_to_go_in_four_ways() {
    use AnswerOutcome::{Absent, Failed, Found, Invalid};
    let elsewhere = |url: &str| Document::Elsewhere(url.to_owned());
    for (status, headers, body, outcome, detail, document) in [
        (
            302,
            vec![("location", "/other/path?Email=anna%40contoso.com")],
            fixture!("page.html"),
            Found,
            "sent on to a.example",
            elsewhere("https://a.example/other/path?Email=anna%40contoso.com"),
        ),
        (
            308,
            vec![("location", "https://eas.contoso.com/a")],
            b"",
            Found,
            "sent on to eas.contoso.com",
            elsewhere("https://eas.contoso.com/a"),
        ),
        (
            451,
            vec![("x-ms-location", "https://eas.contoso.com/a")],
            b"",
            Found,
            "sent on to eas.contoso.com",
            elsewhere("https://eas.contoso.com/a"),
        ),
        (302, vec![("location", "http://eas.contoso.com/a")], b"", Invalid, "`Location` is no https URL", Document::Nothing),
        (302, vec![], b"", Invalid, "the redirect has no target", Document::Nothing),
        (451, vec![], b"", Invalid, "the redirect has no target", Document::Nothing),
        (303, vec![("location", "https://eas.contoso.com/a")], b"", Invalid, "the server answered 303", Document::Nothing),
        (404, vec![], fixture!("page.html"), Absent, "the server answered 404", Document::Nothing),
        (403, vec![], fixture!("pox-mobilesync.xml"), Invalid, "the server answered 403", Document::Nothing),
        (204, vec![], b"", Absent, "the server answered 204 without a body", Document::Nothing),
        (503, vec![], b"", Failed, "the server answered 503", Document::Nothing),
    ] {
        let reading = answer(LookupKind::AutodiscoverMobilesync, status, &headers, body);
        assert_eq!((reading.outcome, reading.detail.as_str(), reading.document), (outcome, detail, document), "{status} {headers:?}");
    }
    for (body, outcome, detail) in [
        (
            fixture!("pox-mobilesync.xml"),
            Found,
            "MOBILESYNC https://eas.contoso.com/Microsoft-Server-ActiveSync, CERTENROLL https://cert.contoso.com/",
        ),
        (
            fixture!("pox-mobilesync-leading-newline.xml"),
            Found,
            "(not strict) MOBILESYNC https://eas.contoso.com/Microsoft-Server-ActiveSync, CERTENROLL https://cert.contoso.com/",
        ),
        (fixture!("pox-mobilesync-redirect.xml"), Found, "redirected to the address anna@fabrikam.com"),
        (fixture!("pox-mobilesync-error.xml"), Invalid, "the server says: 2 Protocol error"),
        (fixture!("pox-mobilesync-directory-error.xml"), Failed, "the server says: 1 The directory service could not be reached"),
        (fixture!("pox-exchange.xml"), Invalid, "the Response has neither action nor error"),
    ] {
        let reading = document(LookupKind::AutodiscoverMobilesync, body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail));
    }
}

#[test]
fn the_second_autodiscover_names_a_place_another_host_or_a_reason() {
    use AnswerOutcome::{Absent, Failed, Found, Invalid};
    for (status, headers, body, outcome, detail) in [
        (200, vec![], fixture!("v2-endpoint.json"), Found, "ActiveSync https://outlook.office365.com/Microsoft-Server-ActiveSync"),
        (302, vec![("location", "https://mail.contoso.com/x?Email=anna")], b"", Found, "sent on to mail.contoso.com"),
        (302, vec![("location", "http://mail.contoso.com/")], b"", Invalid, "`Location` is no https URL"),
        (404, vec![], fixture!("v2-user-not-found.json"), Absent, "the server says: UserNotFound The given user is not found."),
        (
            400,
            vec![],
            fixture!("v2-protocol-not-supported.json"),
            Invalid,
            "the server says: ProtocolNotSupported Protocol: The protocol 'Imap' is not supported. Supported protocols are 'ActiveSync,AutodiscoverV1,Ews,Rest'.",
        ),
        (500, vec![], fixture!("v2-unknown-error.json"), Failed, "the server says: InternalServerError An internal server error occurred."),
        (404, vec![], fixture!("page.html"), Absent, "the server answered 404"),
        (403, vec![], b"", Invalid, "the server answered 403"),
        (200, vec![], fixture!("page.html"), Invalid, "the body is an HTML page"),
        (204, vec![], b"", Absent, "the server answered 204 without a body"),
    ] {
        let reading = answer(LookupKind::AutodiscoverV2, status, &headers, body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail), "{status} {headers:?}");
    }
    let reading = answer(LookupKind::AutodiscoverV2, 302, &[("location", "/autodiscover/autodiscover.json?RedirectCount=2")], b"");
    let url = "https://a.example/autodiscover/autodiscover.json?RedirectCount=2".to_owned();
    let redirect = crate::model::AutodiscoverV2::Redirect { url, host: "a.example".to_owned() };
    assert_eq!(reading.document, Document::AutodiscoverV2(Box::new(redirect)));
}

#[test]
fn autodetect_says_what_it_found_and_out_of_which_row() {
    use AnswerOutcome::{Absent, Failed, Found, Invalid};
    // {"db":{"provider":{"Id":"row1","CreatedAt":"2020-02-03T05:31:23","UpdatedAt":"2024-05-06","IsCrowdsourced":true}}}
    let debug = "eyJkYiI6eyJwcm92aWRlciI6eyJJZCI6InJvdzEiLCJDcmVhdGVkQXQiOiIyMDIwLTAyLTAzVDA1OjMxOjIzIiwiVXBkYXRlZEF0IjoiMjAyNC0wNS0wNiIsIklzQ3Jvd2Rzb3VyY2VkIjp0cnVlfX19";
    for (status, headers, body, outcome, detail) in [
        (200, vec![], fixture!("autodetect-office365.json"), Found, "service office365 (outlook.office.com)"),
        (
            200,
            vec![],
            fixture!("autodetect-consumer.json"),
            Found,
            "service outlook (outlook.office.com), imap outlook.office365.com:993 (never tried)",
        ),
        (
            200,
            vec![("x-debug-support", debug), ("x-autodv2-error", "ENOTFOUND")],
            fixture!("autodetect-provider-row.json"),
            Found,
            "(row row1, written 2020-02-03, changed 2024-05-06, crowdsourced; Autodiscover v2: ENOTFOUND) imap imap.fabrikam.com:993 (never tried), smtp smtp.fabrikam.com:465 (never tried)",
        ),
        (200, vec![("x-provider-id", "row2")], fixture!("autodetect-empty-lists.json"), Absent, "AutoDetect knows nothing (row row2)"),
        (204, vec![], b"", Absent, "AutoDetect knows nothing"),
        (202, vec![], b"", Failed, "AutoDetect is still searching"),
        (503, vec![], b"", Failed, "AutoDetect is not available (503)"),
        (401, vec![], b"", Invalid, "the server answered 401"),
        (200, vec![], fixture!("page.html"), Invalid, "the body is an HTML page"),
    ] {
        let reading = answer(LookupKind::Autodetect, status, &headers, body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail), "{status} {headers:?}");
    }
}

#[test]
fn a_batch_is_told_in_numbers() {
    use AnswerOutcome::{Failed, Found, Invalid};
    for (status, body, outcome, detail) in [
        (200, fixture!("soap-settings.xml"), Found, "6 addresses: 1 in Exchange Online, 5 not answered"),
        (
            200,
            fixture!("soap-mixed-batch.xml"),
            Found,
            "6 addresses: 1 without a word on where, 1 RedirectAddress, 1 RedirectUrl, 1 InvalidUser, 1 ServerBusy, 1 ErrorOfTomorrow",
        ),
        (200, fixture!("soap-server-busy.xml"), Failed, "the server says: ServerBusy The server is busy."),
        (200, fixture!("soap-invalid-request.xml"), Invalid, "the server says: InvalidRequest The request has too many users."),
        (500, fixture!("soap-fault.xml"), Invalid, "the server says: Client"),
        (
            500,
            fixture!("soap-fault-busy.xml"),
            Failed,
            "the server says: ErrorServerBusy The server cannot service this request right now. Try again later.",
        ),
        (500, fixture!("page.html"), Failed, "the server answered 500"),
        (200, fixture!("page.html"), Invalid, "the body is an HTML page"),
    ] {
        let reading = answer(LookupKind::AutodiscoverSoap, status, &[], body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail), "{status}");
    }
}

#[test]
fn a_domain_says_where_user_agents_go() {
    use AnswerOutcome::{Absent, Found, Invalid};
    use LookupKind::{Jmap, Pacc, Srv};
    for (kind, body, outcome, detail) in [
        (
            Pacc,
            fixture!("pacc-good.json"),
            Found,
            "Contoso Mail: imap imap.contoso.com, submit smtp.contoso.com, jmap jmap.contoso.com, managesieve sieve.contoso.com",
        ),
        (Pacc, fixture!("pacc-incomplete.json"), Found, "(incomplete) imap imap.contoso.com"),
        (Pacc, fixture!("pacc-no-place.json"), Invalid, "the document has no usable server"),
        (Jmap, fixture!("jmap-session.json"), Found, "JMAP at jmap.contoso.com: mail"),
        (Jmap, fixture!("page.html"), Invalid, "the body is an HTML page"),
    ] {
        let reading = document(kind, body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail));
    }
    for (kind, record, outcome, detail, is_digest) in [
        (
            Pacc,
            "v=UAAC1; a=sha256; d=MOA19C2fw1LnfpriQEArPk+FRkxoE7UVaunADBmu7G8=",
            Found,
            "sha256 MOA19C2fw1LnfpriQEArPk+FRkxoE7UVaunADBmu7G8=",
            true,
        ),
        (Pacc, "v=UAAC1; a=md5; d=AA==", Found, "a digest by md5", true),
        (Pacc, "v=UAAC1; a=sha256", Found, "a digest that cannot be read", true),
        (Pacc, "v=spf1 -all", Absent, "there are TXT records, and none of PACC's", true),
        (Srv, "v=spf1 -all", Found, "v=spf1 -all", false),
    ] {
        let reading = reading(kind, Reply::Txt(vec![record.to_owned()]));
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail));
        assert_eq!(matches!(reading.document, Document::PaccDigests(_)), is_digest, "{record}");
    }
}

#[test]
fn the_sign_in_service_knows_domains_and_accounts() {
    use AnswerOutcome::{Absent, Failed, Found, Invalid};
    use LookupKind::{CredentialType, Openid, Realm};
    for (kind, status, body, outcome, detail) in [
        (Realm, 200, fixture!("realm-managed.json"), Found, "managed, microsoftonline.com"),
        (Realm, 200, fixture!("realm-unknown.json"), Absent, "in no tenant of this cloud"),
        (Realm, 403, fixture!("realm-managed.json"), Invalid, "the server answered 403"),
        (Openid, 200, fixture!("openid-gcc-high.json"), Found, "tenant 1b5e5c0a-7d1e-4c8b-9a52-0f2f6d3c9e11, cloud us-government (DODCON)"),
        (Openid, 200, fixture!("openid-consumer.json"), Found, "the directory of all personal accounts"),
        (Openid, 400, fixture!("openid-no-tenant.json"), Absent, "no tenant has the domain"),
        (
            Openid,
            400,
            br#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: later"}"#,
            Invalid,
            "the server says: temporarily_unavailable AADSTS90033: later",
        ),
        (Openid, 500, fixture!("page.html"), Failed, "the server answered 500"),
        (CredentialType, 200, fixture!("credential-type-federated.json"), Found, "a work account and a personal account"),
        (CredentialType, 200, br#"{"IfExistsResult":0}"#, Found, "a work account"),
        (CredentialType, 200, br#"{"IfExistsResult":1}"#, Absent, "no account"),
        (CredentialType, 200, br#"{"IfExistsResult":0,"ThrottleStatus":1}"#, Failed, "throttled: the answer says nothing"),
        (CredentialType, 200, br#"{"IfExistsResult":-1}"#, Failed, "a result without a meaning here (-1)"),
    ] {
        let reading = answer(kind, status, &[], body);
        assert_eq!((reading.outcome, reading.detail.as_str()), (outcome, detail));
    }
    let Document::CredentialType(found) = document(CredentialType, br#"{"IfExistsResult":5}"#).document else { panic!() };
    assert_eq!(found.existence, Existence::Personal);
}

#[test]
fn a_greeting_is_that_of_the_port_s_own_protocol() {
    use AnswerOutcome::{Failed, Found, Invalid};
    for (port, line, outcome) in [
        (993, "* OK [CAPABILITY IMAP4rev1] ready", Found),
        (143, "* PREAUTH hello", Found),
        (993, "* BYE not today", Failed),
        (995, "+OK", Found),
        (110, "-ERR [SYS/TEMP] later", Failed),
        (587, "220 smtp.contoso.com ESMTP", Found),
        (25, "421 too busy", Failed),
        (25, "554 no SMTP service here", Invalid),
        (993, "220 ftp.contoso.com FTP", Invalid),
        (993, "HTTP/1.1 400 Bad Request", Invalid),
        (2000, "* ok", Found),
        (993, "", Invalid),
    ] {
        let request = Request::Greeting { host: "imap.contoso.com".into(), port, security: Security::Tls };
        let lookup = Lookup { kind: LookupKind::Guess, asked: request.asked(), request };
        let reply = Reply::Greeting(line.to_owned());
        let reading = read(&lookup, Arc::new(Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 }));
        assert_eq!(reading.outcome, outcome, "{port} {line}");
        assert!(reading.detail.contains(line) && !reading.detail.is_empty() || line.is_empty(), "{}", reading.detail);
    }
}

#[test]
fn a_guarded_answer_tells_what_its_headers_tell() {
    for (headers, detail, joined) in [
        (vec![], "the server asks for credentials (basic)", None),
        (vec![("x-soap-enabled", "True")], "the server asks for credentials (basic); Exchange", Some(false)),
        (
            vec![("x-soap-enabled", "True"), ("x-federationtrusttokenissueruri", "urn:federation:MicrosoftOnline")],
            "the server asks for credentials (basic); Exchange, joined to Microsoft's cloud",
            Some(true),
        ),
    ] {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let obstacle = Obstacle::CredentialsRequired { schemes: "basic".to_owned(), headers };
        let reading = reading(LookupKind::AutodiscoverPox, Reply::Obstacle(obstacle));
        assert_eq!((reading.outcome, reading.detail.as_str()), (AnswerOutcome::Guarded, detail));
        let said = if let Document::Capabilities(said) = &reading.document { Some(said.is_microsoft_online()) } else { None };
        assert_eq!(said, joined);
    }
}

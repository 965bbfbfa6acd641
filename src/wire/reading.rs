//! Answers to readings: what an answer comes to, in one line for a person and as a document.

use std::{fmt::Write as _, sync::Arc};

use super::{Fault, autoconfig::read_autoconfig, fault::clip, pox::read_pox, xml::read_tree};
use crate::model::{
    Answer, AnswerOutcome, Autoconfig, AutoconfigServer, Document, HttpDocument, LookupKind, Pox, PoxError, PoxProtocol, Reading, Reply,
    SrvRecord,
};

/// Reads an answer for what its lookup asked. Never fails: what cannot be used has an outcome and a line that says why.
#[must_use]
pub fn read(kind: LookupKind, answer: Arc<Answer>) -> Reading {
    let found = |detail| (AnswerOutcome::Found, detail, Document::Nothing);
    let (outcome, detail, document) = match &answer.reply {
        Reply::Mx(records) => found(list(records, |record| format!("{} {}", record.preference, record.exchange))),
        Reply::Srv(records) => {
            let target = |record: &SrvRecord| if record.target.is_empty() { ".".to_owned() } else { record.target.clone() };
            found(list(records, |record| format!("{} {} {} {}", record.priority, record.weight, record.port, target(record))))
        }
        Reply::Addresses(addresses) => found(list(addresses, ToString::to_string)),
        Reply::Txt(texts) => found(list(texts, Clone::clone)),
        Reply::Greeting(line) => found(line.clone()),
        Reply::Redirect(target) => found(format!("redirected to {target}")),
        Reply::Obstacle(obstacle) => (obstacle.outcome(), obstacle.to_string(), Document::Nothing),
        Reply::Document(document) => read_document(kind, document),
    };
    Reading { outcome, detail: one_line(&detail), document, answer }
}

fn read_document(kind: LookupKind, http: &HttpDocument) -> (AnswerOutcome, String, Document) {
    let read = match kind {
        LookupKind::OwnAutoconfig | LookupKind::Ispdb | LookupKind::MxAutoconfig | LookupKind::MxIspdb => {
            read_autoconfig(&http.body, &http.content_type).map(|(document, flaw)| {
                let (outcome, detail) = judge(flaw, || (AnswerOutcome::Found, describe_autoconfig(&document)));
                (outcome, detail, Document::Autoconfig(Box::new(document)))
            })
        }
        LookupKind::AutodiscoverPox => read_pox(&http.body, &http.content_type).map(|(document, flaw)| {
            let (outcome, detail) = judge(flaw, || describe_pox(&document));
            (outcome, detail, Document::Pox(Box::new(document)))
        }),
        _ => {
            let detail = "a web document came where DNS records were asked for".to_owned();
            return (AnswerOutcome::Invalid, detail, Document::Nothing);
        }
    };
    read.unwrap_or_else(|fault| {
        let document = if is_well_formed(&http.body, &http.content_type, &fault) { Document::Other } else { Document::Nothing };
        (outcome_of(&fault), fault.to_string(), document)
    })
}

/// Whether a body that is no document of the kind asked for is well-formed XML all the same.
fn is_well_formed(body: &[u8], content_type: &str, fault: &Fault) -> bool {
    let root = match fault {
        Fault::WrongRoot { name } => name,
        Fault::Html => "html",
        Fault::NoEmailProvider => "clientConfig",
        Fault::NoResponse | Fault::NoAccount => "Autodiscover",
        _ => return false,
    };
    read_tree(body, content_type, root).is_ok_and(|tree| tree.well_formed && tree.broken.is_none())
}

fn judge(flaw: Option<Fault>, usable: impl FnOnce() -> (AnswerOutcome, String)) -> (AnswerOutcome, String) {
    flaw.map_or_else(usable, |fault| (outcome_of(&fault), fault.to_string()))
}

fn outcome_of(fault: &Fault) -> AnswerOutcome {
    if *fault == Fault::TooLong { AnswerOutcome::Failed } else { AnswerOutcome::Invalid }
}

fn describe_autoconfig(document: &Autoconfig) -> String {
    let servers: Vec<&AutoconfigServer> = document.incoming.iter().chain(&document.outgoing).collect();
    let servers = list(&servers, |server| {
        let place = server.hostname.as_ref().or(server.url.as_ref());
        let mut text = format!("{} {}", server.kind, place.map_or("nowhere", String::as_str));
        if let Some(port) = &server.port {
            let _ = write!(text, ":{port}");
        }
        text
    });
    mark(document.strict, format!("{}: {servers}", document.provider_id.as_deref().unwrap_or("without id")))
}

fn describe_pox(pox: &Pox) -> (AnswerOutcome, String) {
    if let Some(error) = &pox.error {
        return (error_outcome(error), format!("the server says: {} {}", error.code, error.message));
    }
    let goes_on = pox.protocols.is_empty() || pox.action.as_deref().is_some_and(|action| action.starts_with("redirect"));
    let detail = match (&pox.redirect_url, &pox.redirect_address) {
        (_, Some(address)) if goes_on && pox.action.as_deref() == Some("redirectaddr") => format!("redirected to the address {address}"),
        (Some(url), _) if goes_on => format!("redirected to {url}"),
        (None, Some(address)) if goes_on => format!("redirected to the address {address}"),
        _ => list(&pox.protocols, |protocol: &PoxProtocol| {
            let owa = protocol.owa_url.as_ref().map(|owa| &owa.url);
            let web = [protocol.url.as_ref(), protocol.ews_url.as_ref(), protocol.as_url.as_ref(), owa];
            let place = protocol.server.as_ref().or_else(|| web.into_iter().flatten().next());
            let mut text = [protocol.kind.as_str(), place.map_or("", String::as_str)].join(" ").trim().to_owned();
            if let Some(port) = &protocol.port {
                let _ = write!(text, ":{port}");
            }
            text
        }),
    };
    (AnswerOutcome::Found, mark(pox.strict, detail))
}

/// What an error comes to (MS-OXDSCLI section 2.2.4.1.1.3.2): 600 and 601 are about the request, 603 about the server's own
/// state, everything else says that there is nothing for this mailbox.
fn error_outcome(error: &PoxError) -> AnswerOutcome {
    match error.code.as_str() {
        "600" | "601" => AnswerOutcome::Invalid,
        "603" => AnswerOutcome::Failed,
        _ => AnswerOutcome::Absent,
    }
}

fn mark(strict: bool, detail: String) -> String {
    if strict { detail } else { format!("(not strict) {detail}") }
}

fn list<T>(items: &[T], describe: impl Fn(&T) -> String) -> String {
    items.iter().take(MAX_LISTED).map(describe).collect::<Vec<_>>().join(", ")
}

/// One line of at most 200 characters: white space becomes a space, what is not to be seen or turns the text around is dropped.
fn one_line(text: &str) -> String {
    let is_hidden = |character: char| {
        (character.is_control() && !character.is_whitespace())
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
    };
    let visible: String = text.chars().filter(|character| !is_hidden(*character)).collect();
    let mut line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() > MAX_DETAIL_CHARACTERS {
        line = clip(&line, MAX_DETAIL_CHARACTERS - 1);
        line.push('…');
    }
    line
}

const MAX_DETAIL_CHARACTERS: usize = 200;
/// More than fit into a line.
const MAX_LISTED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MxRecord, Obstacle};
    use proptest::{collection::vec, prelude::*, sample::select};

    const KINDS: [LookupKind; 9] = [
        LookupKind::OwnAutoconfig,
        LookupKind::Ispdb,
        LookupKind::MxAutoconfig,
        LookupKind::MxIspdb,
        LookupKind::Mx,
        LookupKind::AutodiscoverPox,
        LookupKind::AutodiscoverSrv,
        LookupKind::Srv,
        LookupKind::Wildcard,
    ];

    macro_rules! fixture {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/fixtures/documents/", $name)).as_slice()
        };
    }

    fn reading(kind: LookupKind, reply: Reply) -> Reading {
        read(kind, Arc::new(Answer { reply, hops: Vec::new(), cnames: Vec::new(), attempts: 1, took_ms: 0 }))
    }

    fn document(kind: LookupKind, body: &[u8]) -> Reading {
        reading(
            kind,
            Reply::Document(HttpDocument { status: 200, content_type: "text/xml".into(), body: body.into(), headers: Vec::new() }),
        )
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
            (
                AutodiscoverPox,
                fixture!("pox-redirect-addr.xml"),
                Found,
                "redirected to the address anna@contoso.mail.onmicrosoft.com",
                true,
            ),
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
            (Wildcard, fixture!("config-good.xml"), Invalid, "a web document came where DNS records were asked for", false),
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

    /// Octets of every text that a document holds, and of the longest.
    fn sizes(document: &Document) -> (usize, usize) {
        let texts = match document {
            Document::Nothing | Document::Other => Vec::new(),
            Document::Autoconfig(document) => {
                let servers = document.incoming.iter().chain(&document.outgoing).flat_map(|server| {
                    let single = [&server.hostname, &server.url, &server.port, &server.username, &server.ews_url].into_iter().flatten();
                    single.chain(&server.socket_types).chain(&server.authentications).chain([&server.kind])
                });
                servers.chain(&document.domains).chain(&document.provider_id).chain(&document.display_name).map(String::len).collect()
            }
            Document::Pox(pox) => {
                let protocols = pox.protocols.iter().flat_map(|protocol| {
                    let first = [&protocol.server, &protocol.port, &protocol.login_name, &protocol.ssl, &protocol.encryption];
                    let second = [&protocol.spa, &protocol.auth_package, &protocol.ews_url, &protocol.as_url, &protocol.url];
                    let owa = protocol.owa_url.iter().map(|owa| &owa.url);
                    first.into_iter().chain(second).flatten().chain(owa).chain([&protocol.kind])
                });
                let error = pox.error.iter().flat_map(|error| [&error.code, &error.message]);
                let account = [&pox.action, &pox.redirect_url, &pox.redirect_address, &pox.smtp_address].into_iter().flatten();
                protocols.chain(error).chain(account).map(String::len).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        (texts.iter().sum(), texts.iter().copied().max().unwrap_or_default())
    }

    /// Whatever comes, there is a reading, and it is not larger than it may be.
    fn check(kind: LookupKind, content_type: &str, body: &[u8]) {
        let reading = reading(
            kind,
            Reply::Document(HttpDocument { status: 200, content_type: content_type.into(), body: body.into(), headers: Vec::new() }),
        );
        let detail = &reading.detail;
        assert!(detail.chars().count() <= 200 && !detail.is_empty() && !detail.chars().any(char::is_control), "{detail:?}");
        // An octet becomes three at most: windows-1252 to UTF-8, or a replacement character. `MOBILESYNC` may be put in.
        let (total, longest) = sizes(&reading.document);
        assert!(total <= 3 * body.len() + 16 && longest <= 16 * 1024, "{total} {longest} {}", body.len());
        let is_found = reading.outcome == AnswerOutcome::Found;
        assert!(!is_found || !matches!(reading.document, Document::Nothing | Document::Other), "{detail}");
    }

    #[derive(Debug, Clone)]
    enum Edit {
        Replace(u8),
        Insert(Vec<u8>),
        Delete(usize),
        Repeat(usize),
        Cut,
    }

    fn edit() -> impl Strategy<Value = (prop::sample::Index, Edit)> {
        let markup: &[&[u8]] = &[
            b"<",
            b">",
            b"/",
            b"&",
            b";",
            b"\"",
            b"'",
            b"]]>",
            b"<![CDATA[",
            b"<!--",
            b"-->",
            b"<?xml ",
            b"?>",
            b"<!DOCTYPE x [",
            b"xmlns:a='b' ",
            b"a:",
            b"&#x",
            b"\0",
            b"\xFF\xFE",
            b"<a>",
            b"</a>",
            b"<a/>",
            b"</Server>",
            b"<hostname>",
            b"\xC3",
        ];
        let edits = prop_oneof![
            any::<u8>().prop_map(Edit::Replace),
            select(markup).prop_map(|markup| Edit::Insert(markup.to_vec())),
            vec(any::<u8>(), 1..8).prop_map(Edit::Insert),
            (1..40_usize).prop_map(Edit::Delete),
            (1..400_usize).prop_map(Edit::Repeat),
            Just(Edit::Cut),
        ];
        (any::<prop::sample::Index>(), edits)
    }

    fn apply(body: &mut Vec<u8>, at: prop::sample::Index, edit: Edit) {
        if body.is_empty() {
            return;
        }
        let at = at.index(body.len());
        let upto = |length: usize| at..(at + length).min(body.len());
        match edit {
            Edit::Replace(byte) => body[at] = byte,
            Edit::Insert(bytes) => drop(body.splice(at..at, bytes)),
            Edit::Delete(length) => drop(body.drain(upto(length))),
            Edit::Repeat(length) => {
                let range = upto(length);
                let copy = body[range].to_vec();
                drop(body.splice(at..at, copy));
            }
            Edit::Cut => body.truncate(at),
        }
    }

    const DOCUMENTS: [&[u8]; 10] = [
        fixture!("config-good.xml"),
        fixture!("config-utf-16le.xml"),
        fixture!("config-prefixed.xml"),
        fixture!("config-entity-bomb.xml"),
        fixture!("config-cdata-and-comments.xml"),
        fixture!("pox-ssl-off-encryption-tls.xml"),
        fixture!("pox-exchange.xml"),
        fixture!("pox-mobilesync.xml"),
        fixture!("pox-error-outer-namespace.xml"),
        fixture!("page.html"),
    ];
    const CONTENT_TYPES: [&str; 6] = [
        "text/xml",
        "text/xml; charset=utf-8",
        "text/xml; charset=windows-1252",
        "text/xml; charset=utf-16",
        "text/html; charset=shift_jis",
        "",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        #[test]
        fn no_bytes_make_it_panic(kind in select(&KINDS[..]), content_type in select(&CONTENT_TYPES[..]), body in vec(any::<u8>(), 0..2_000)) {
            check(kind, content_type, &body);
        }

        #[test]
        fn no_change_of_a_document_makes_it_panic(
            kind in select(&[LookupKind::Ispdb, LookupKind::AutodiscoverPox][..]),
            content_type in select(&CONTENT_TYPES[..]),
            body in select(&DOCUMENTS[..]),
            edits in vec(edit(), 1..6),
        ) {
            let mut body = body.to_vec();
            for (at, edit) in edits {
                apply(&mut body, at, edit);
            }
            check(kind, content_type, &body);
        }

        #[test]
        fn no_markup_makes_it_panic(kind in select(&[LookupKind::Ispdb, LookupKind::AutodiscoverPox][..]), body in "(<[/!?a-c&;:='\"\\[\\]<> -]{0,6}>|&[a-z#;]{0,4}|<clientConfig>|<emailProvider>|<Response>|<Autodiscover>|<Account>|x){0,40}") {
            check(kind, "text/xml", body.as_bytes());
        }
    }
}

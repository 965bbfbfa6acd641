//! What chance makes of bodies.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

/// Octets of every text that a document holds, and of the longest; `None` for those whose texts are counted by their debugger's form.
fn sizes(document: &Document) -> Option<(usize, usize)> {
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
        Document::Elsewhere(url) => vec![url.len()],
        Document::Capabilities(_)
        | Document::MobileSync(_)
        | Document::AutodiscoverV2(_)
        | Document::UserSettings(_)
        | Document::AutoDetect(_)
        | Document::Pacc(_)
        | Document::PaccDigests(_)
        | Document::Jmap(_)
        | Document::Realm(_)
        | Document::OpenId(_)
        | Document::CredentialType(_) => return None,
    };
    Some((texts.iter().sum(), texts.iter().copied().max().unwrap_or_default()))
}

/// Whatever comes, there is a reading, and it is not larger than it may be.
fn check(kind: LookupKind, (status, content_type): (u16, &str), body: &[u8]) {
    let headers = vec![("location".to_owned(), "https://b.example/x".to_owned())];
    let reply = Reply::Document(HttpDocument { status, content_type: content_type.into(), body: body.into(), headers });
    let reading = reading(kind, reply);
    let detail = &reading.detail;
    assert!(detail.chars().count() <= 200 && !detail.is_empty() && !detail.chars().any(char::is_control), "{detail:?}");
    match sizes(&reading.document) {
        // An octet becomes three at most: windows-1252 to UTF-8, or a replacement character. `MOBILESYNC` may be put in.
        Some((total, longest)) => assert!(total <= 3 * body.len() + 32 && longest <= 16 * 1024, "{total} {longest} {}", body.len()),
        // A control character becomes five in the text of a debugger; rows have names of their own.
        None => assert!(format!("{:?}", reading.document).len() <= 200 * body.len() + 4_000),
    }
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

const DOCUMENTS: [&[u8]; 23] = [
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
    fixture!("v2-endpoint.json"),
    fixture!("v2-user-not-found.json"),
    fixture!("autodetect-consumer.json"),
    fixture!("autodetect-on-premises-url.json"),
    fixture!("soap-mixed-batch.xml"),
    fixture!("soap-fault-busy.xml"),
    fixture!("pacc-good.json"),
    fixture!("jmap-session.json"),
    fixture!("realm-federated.json"),
    fixture!("realm-managed-srf.xml"),
    fixture!("openid-gcc.json"),
    fixture!("openid-no-tenant.json"),
    fixture!("credential-type-federated.json"),
];
const STATUSES: [u16; 7] = [200, 202, 204, 302, 400, 451, 500];
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
    fn no_bytes_make_it_panic(kind in select(&LookupKind::ALL[..]), status in select(&STATUSES[..]), content_type in select(&CONTENT_TYPES[..]), body in vec(any::<u8>(), 0..2_000)) {
        check(kind, (status, content_type), &body);
    }

    #[test]
    fn no_change_of_a_document_makes_it_panic(
        kind in select(&LookupKind::ALL[..]),
        status in select(&STATUSES[..]),
        content_type in select(&CONTENT_TYPES[..]),
        body in select(&DOCUMENTS[..]),
        edits in vec(edit(), 1..6),
    ) {
        let mut body = body.to_vec();
        for (at, edit) in edits {
            apply(&mut body, at, edit);
        }
        check(kind, (status, content_type), &body);
    }

    #[test]
    fn no_markup_makes_it_panic(kind in select(&[LookupKind::Ispdb, LookupKind::AutodiscoverPox][..]), body in "(<[/!?a-c&;:='\"\\[\\]<> -]{0,6}>|&[a-z#;]{0,4}|<clientConfig>|<emailProvider>|<Response>|<Autodiscover>|<Account>|x){0,40}") {
        check(kind, (200, "text/xml"), body.as_bytes());
    }
}

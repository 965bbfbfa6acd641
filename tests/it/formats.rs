//! The parsers of the discovery services beside `config-v1.1` and the Outlook schema, over whole folders of documents and over what
//! chance makes of them: each body is read or refused with a named reason, and what is read is not larger than it may be.

use std::{
    collections::BTreeSet,
    fmt::Debug,
    fs,
    path::{Path, PathBuf},
};

use autodiscover_audit::{
    model::{Class, Cloud, DigestCheck, SoapAnswer, SoapCode, exchange_cloud},
    wire::{
        Fault, HttpAnswer, moved_activesync, parse_autodetect, parse_autodiscover_v2, parse_credential_type, parse_jmap, parse_mobilesync,
        parse_openid, parse_pacc, parse_pacc_digests, parse_realm, parse_user_settings, read_capabilities,
    },
};
use proptest::{collection::vec, prelude::*, sample::select};

/// What each format makes of a body: the text of what was read, or why it was refused.
fn read_all(status: u16, headers: &[(String, String)], body: &[u8]) -> Vec<(&'static str, Result<String, Fault>)> {
    fn text<T: Debug>(read: Result<T, Fault>) -> Result<String, Fault> {
        read.map(|read| format!("{read:?}"))
    }
    let answer = HttpAnswer { status, headers, body };
    let content_type = answer.header("Content-Type").unwrap_or_default();
    vec![
        ("autodiscover-v2", text(parse_autodiscover_v2(&answer))),
        ("autodetect", text(parse_autodetect(&answer))),
        ("mobilesync", text(parse_mobilesync(body, content_type))),
        ("soap", text(parse_user_settings(body, content_type, 6))),
        ("pacc", text(parse_pacc(body, content_type))),
        ("jmap", text(parse_jmap(body, content_type))),
        ("realm", text(parse_realm(body, content_type))),
        ("openid", text(parse_openid(&answer))),
        ("credential-type", text(parse_credential_type(body, content_type))),
    ]
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The formats that read a file, and the text of every refusal.
fn readers(path: &Path) -> (Vec<&'static str>, Vec<String>) {
    let body = fs::read(path).unwrap();
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    for (format, result) in read_all(200, &[], &body) {
        match result {
            Ok(_) => read.push(format),
            Err(fault) => refused.push(fault.to_string()),
        }
    }
    (read, refused)
}

fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

#[test]
fn every_own_document_is_read_by_its_own_format_alone() {
    // By the first word of a name; those that their format refuses are named for it.
    const PREFIXES: [(&str, &str); 8] = [
        ("v2-", "autodiscover-v2"),
        ("autodetect-", "autodetect"),
        ("soap-", "soap"),
        ("pacc-", "pacc"),
        ("jmap-", "jmap"),
        ("realm-", "realm"),
        ("openid-", "openid"),
        ("credential-type-", "credential-type"),
    ];
    const REFUSED: [&str; 16] = [
        "v2-no-url.json",
        "v2-plain-http.json",
        "v2-truncated.json",
        "soap-no-body.xml",
        "soap-no-response.xml",
        "soap-request.xml",
        "soap-truncated.xml",
        "pacc-no-place.json",
        "pacc-no-protocols.json",
        "jmap-no-core.json",
        "jmap-relative-url.json",
        "openid-common.json",
        "pox-mobilesync-empty-action.xml",
        "pox-mobilesync-empty-redirect.xml",
        "pox-mobilesync-no-place.xml",
        "pox-mobilesync-truncated.xml",
    ];
    let mut read = 0;
    for path in files(&folder("tests/fixtures/documents")) {
        let (name, (formats, refused)) = (name(&path), readers(&path));
        assert!(refused.iter().all(|reason| !reason.is_empty()), "{name}");
        let expected = PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, format)| *format);
        let expected = if name.starts_with("pox-mobilesync") || name.starts_with("pox-error-") { Some("mobilesync") } else { expected };
        let expected = expected.filter(|_| !REFUSED.contains(&name.as_str()) && name != "pox-error-in-account.xml");
        // The project's one JSON document for XML parsers is an answer of v2.
        let expected = if name == "answer.json" { vec!["autodiscover-v2"] } else { expected.into_iter().collect() };
        assert_eq!(formats, expected, "{name}: {refused:?}");
        read += formats.len();
    }
    assert!(read > 40, "{read} read");
}

#[test]
fn every_real_document_is_read_or_refused_by_name() {
    let paths = files(&folder("../shared/fixtures"));
    if paths.is_empty() {
        println!("corpus: not at hand, the project's own documents stand in for it");
        assert!(!files(&folder("tests/fixtures/documents")).is_empty());
        return;
    }
    let mut read = Vec::new();
    for path in &paths {
        let (formats, refused) = readers(path);
        assert!(refused.iter().all(|reason| !reason.is_empty()), "{}", name(path));
        for format in formats {
            read.push(format!("{} {format}", name(path)));
        }
        let mut reasons = refused;
        reasons.sort();
        reasons.dedup();
        println!("  {}: {}", name(path), reasons.join("; "));
    }
    println!("corpus: {} documents, {} read", paths.len(), read.len());
    let expected = [
        "getusersettings-operation-soap-2.xml soap",
        "handling-autodiscover-error-messages-1.xml soap",
        "how-to-use-autodiscover-to-find-connection-points-3.xml soap",
        "how-to-use-autodiscover-to-find-connection-points-5.xml soap",
        "pox-autodiscover-response-for-exchange-2.xml mobilesync",
        "soap-get_user_settings-case1.xml soap",
        "soap-get_user_settings-case2.xml soap",
        "soap-redirect_address_xml.xml soap",
        "soap-redirect_url_xml.xml soap",
        "soap-settings_xml.xml soap",
        "goodActivesyncAutodiscoverXML.xml mobilesync",
    ];
    assert_eq!(read, expected);
    real_documents_hold_what_a_person_reads_in_them(&paths);
}

fn real_documents_hold_what_a_person_reads_in_them(paths: &[PathBuf]) {
    let body = |wanted: &str| fs::read(paths.iter().find(|path| name(path) == wanted).unwrap_or_else(|| panic!("{wanted}"))).unwrap();
    let settings = |name: &str| match parse_user_settings(&body(name), "text/xml", 1) {
        Ok(SoapAnswer::Settings(settings)) => settings,
        other => panic!("{name}: {other:?}"),
    };
    let user = |name: &str| settings(name).users.remove(0).unwrap_or_else(|| panic!("{name}: not answered"));
    assert_eq!(user("soap-settings_xml.xml").text("ExternalEwsUrl"), Some("https://expr.example.com/EWS/Exchange.asmx"));
    assert_eq!(user("getusersettings-operation-soap-2.xml").text("CasVersion"), Some("14.00.0478.000"));
    for (name, code, target) in [
        ("soap-redirect_address_xml.xml", SoapCode::RedirectAddress, "user@example.com"),
        ("soap-redirect_url_xml.xml", SoapCode::RedirectUrl, "https://example.org/autodiscover/autodiscover.svc"),
    ] {
        let user = user(name);
        assert_eq!((user.code, user.redirect.as_deref()), (code, Some(target)));
    }
    for (name, code) in [
        ("soap-get_user_settings-case1.xml", SoapCode::InvalidSetting),
        ("soap-get_user_settings-case2.xml", SoapCode::InternalServerError),
    ] {
        let settings = settings(name);
        assert_eq!((settings.code, settings.users.as_slice()), (code, &[None][..]), "{name}");
    }
    let phone = parse_mobilesync(&body("goodActivesyncAutodiscoverXML.xml"), "text/xml").unwrap();
    assert_eq!((phone.strict, phone.endpoint()), (true, Some("https://m.xampl.tld/")));
    let broken = parse_user_settings(&body("how-to-get-user-settings-from-exchange-by-using-autodiscover-5.xml"), "text/xml", 1);
    assert!(matches!(broken, Err(Fault::Broken { line: 93, .. })), "{broken:?}");
}

#[test]
fn the_clouds_of_hosts_are_those_of_the_endpoint_table() {
    let table: toml::Table = include_str!("../../config/endpoints.toml").parse().unwrap();
    let mut seen = BTreeSet::new();
    for row in table["endpoint"].as_array().unwrap() {
        let class: Class = row["class"].clone().try_into().unwrap();
        let host = row["host"].as_str().unwrap();
        if let Some(cloud) = exchange_cloud(host) {
            assert!(class == Class::Shared || class.cloud() == Some(cloud), "{host}: {class} {cloud}");
            seen.insert(cloud.as_str());
        }
    }
    assert_eq!(seen.len(), Cloud::ALL.len(), "{seen:?}");
}

/// Whatever comes, every format has an answer, and it is not larger than it may be.
fn check(status: u16, headers: &[(String, String)], body: &[u8]) {
    let size: usize = body.len() + headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    for (format, result) in read_all(status, headers, body) {
        let text = result.unwrap_or_else(|fault| fault.to_string());
        // A control character becomes five in the text of a debugger; rows have names of their own.
        assert!(!text.is_empty() && text.len() <= 200 * size + 4_000, "{format}: {} of {size}", text.len());
    }
    let answer = HttpAnswer { status, headers, body };
    let _ = (moved_activesync(&answer), read_capabilities(headers));
    let records: Vec<String> = headers.iter().map(|(_, value)| value.clone()).collect();
    let pacc = parse_pacc(body, "").unwrap_or_default();
    assert_ne!(pacc.check(&parse_pacc_digests(&records)), DigestCheck::Matches);
}

fn documents() -> Vec<Vec<u8>> {
    let of_interest = |path: &PathBuf| !name(path).starts_with("config-");
    files(&folder("tests/fixtures/documents")).iter().filter(|path| of_interest(path)).map(|path| fs::read(path).unwrap()).collect()
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    const NAMES: [&str; 7] =
        ["Content-Type", "Location", "Retry-After", "X-Debug-Support", "X-MS-Location", "X-SOAP-Enabled", "X-AutoDv2-Error"];
    let values = prop_oneof![
        Just("application/json".to_owned()),
        Just("text/xml; charset=utf-16".to_owned()),
        Just("https://a.example/\u{202e}".to_owned()),
        Just("eyJkYiI6eyJwcm92aWRlciI6eyJJZCI6MX19fQ==".to_owned()),
        Just("v=UAAC1; a=sha256; d=AA==".to_owned()),
        "[ -~]{0,60}",
    ];
    vec((select(&NAMES[..]).prop_map(ToOwned::to_owned), values), 0..4)
}

fn edit() -> impl Strategy<Value = (prop::sample::Index, usize, Vec<u8>)> {
    let markup: &[&[u8]] = &[
        b"",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"\\",
        b"\\u0000",
        b"null",
        b"1e999",
        b"-1",
        b"<",
        b">",
        b"</",
        b"<Url>",
        b"&#x",
        b"\0",
        b"\xC3",
        b"\xFF\xFE",
        b"[[[[[[[[",
        b"<a><b>",
    ];
    let inserted = prop_oneof![select(markup).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..8)];
    (any::<prop::sample::Index>(), 0..60_usize, inserted)
}

const STATUSES: [u16; 9] = [200, 202, 204, 302, 400, 404, 451, 500, 503];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn no_bytes_make_a_parser_panic(status in select(&STATUSES[..]), headers in headers(), body in vec(any::<u8>(), 0..1_000)) {
        check(status, &headers, &body);
    }

    #[test]
    fn no_change_of_a_document_makes_a_parser_panic(
        status in select(&STATUSES[..]),
        headers in headers(),
        body in select(documents()),
        edits in vec(edit(), 1..6),
    ) {
        let mut body = body;
        for (at, deleted, inserted) in edits {
            let at = at.index(body.len() + 1);
            let end = (at + deleted).min(body.len());
            drop(body.splice(at..end, inserted));
        }
        check(status, &headers, &body);
    }

    #[test]
    fn no_json_makes_a_parser_panic(body in "(\\{|\\}|\\[|\\]|,|:|\"(protocols|services|Url|issuer|error|db|a)\"|null|true|-?[0-9]{1,3}| ){0,60}") {
        check(200, &[], body.as_bytes());
    }
}

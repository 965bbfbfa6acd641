//! Both parsers over whole folders of documents: the project's own, and the corpus of real ones where it is at hand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use autodiscover_audit::{
    model::{Autoconfig, AutoconfigServer, Pox},
    wire::{Fault, parse_autoconfig, parse_pox},
};

/// What became of one file.
struct Document {
    name: String,
    autoconfig: Result<Autoconfig, Fault>,
    pox: Result<Pox, Fault>,
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

fn read(folder: &Path) -> Vec<Document> {
    let read_file = |path: &PathBuf| {
        let body = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Document {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            autoconfig: parse_autoconfig(&body, "text/xml"),
            pox: parse_pox(&body, "text/xml"),
        }
    };
    files(folder).iter().map(read_file).collect()
}

fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Asserts that no file is both formats at once and that every refusal has a text, and counts them.
fn summary(documents: &[Document]) -> String {
    let mut parsed = 0;
    for document in documents {
        match (&document.autoconfig, &document.pox) {
            (Ok(_), Ok(_)) => panic!("{} is read as both formats", document.name),
            (Ok(_), Err(fault)) | (Err(fault), Ok(_)) => {
                parsed += 1;
                assert!(matches!(fault, Fault::WrongRoot { .. }), "{}: {fault}", document.name);
            }
            (Err(first), Err(second)) => assert!(!first.to_string().is_empty() && !second.to_string().is_empty(), "{}", document.name),
        }
    }
    format!("corpus: {} documents, {parsed} parsed, {} refused", documents.len(), documents.len() - parsed)
}

fn autoconfig<'a>(documents: &'a [Document], name: &str) -> &'a Autoconfig {
    let document = documents.iter().find(|document| document.name == name).unwrap_or_else(|| panic!("{name} is missing"));
    document.autoconfig.as_ref().unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn pox<'a>(documents: &'a [Document], name: &str) -> &'a Pox {
    let document = documents.iter().find(|document| document.name == name).unwrap_or_else(|| panic!("{name} is missing"));
    document.pox.as_ref().unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// `type host port socketType,… authentication,… username`, as a person would note it.
fn server(server: &AutoconfigServer) -> String {
    let place = server.hostname.as_ref().or(server.url.as_ref()).map_or("-", String::as_str);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let parts = [
        &server.kind,
        place,
        &text(&server.port),
        &server.socket_types.join(","),
        &server.authentications.join(","),
        &text(&server.username),
    ];
    parts.join(" ")
}

fn servers(document: &Autoconfig) -> Vec<String> {
    document.incoming.iter().chain(&document.outgoing).map(server).collect()
}

/// `Type Server Port SSL Encryption`, as a person would note it.
fn protocols(document: &Pox) -> Vec<String> {
    let noted = document.protocols.iter().map(|protocol| {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let place = protocol.server.as_ref().or(protocol.url.as_ref()).map_or("-", String::as_str);
        format!("{} {place} {} {} {}", protocol.kind, text(&protocol.port), text(&protocol.ssl), text(&protocol.encryption))
    });
    noted.collect()
}

#[test]
fn every_own_document_is_read_or_refused_as_its_name_says() {
    const REFUSED: [&str; 3] = ["config-no-email-provider.xml", "pox-no-account.xml", "pox-request.xml"];
    let documents = read(&folder("tests/fixtures/documents"));
    println!("{}", summary(&documents));
    assert!(documents.len() > 50, "{} documents", documents.len());
    for Document { name, autoconfig, pox } in &documents {
        let is_read = !REFUSED.contains(&name.as_str());
        assert_eq!(autoconfig.is_ok(), is_read && name.starts_with("config-"), "{name}: {autoconfig:?}");
        assert_eq!(pox.is_ok(), is_read && name.starts_with("pox-"), "{name}: {pox:?}");
        let is_nameless = matches!((autoconfig, pox), (Err(Fault::NotXml), Err(Fault::NotXml)));
        assert_eq!(is_nameless, name == "text.txt", "{name}");
    }
}

#[test]
fn every_real_document_is_read_or_refused_by_name() {
    let documents = read(&folder("../shared/fixtures"));
    if documents.is_empty() {
        println!("corpus: not at hand, the project's own documents stand in for it");
        assert!(!read(&folder("tests/fixtures/documents")).is_empty());
        return;
    }
    println!("{}", summary(&documents));
    for Document { name, autoconfig, pox } in &documents {
        if let (Err(first), Err(second)) = (autoconfig, pox) {
            println!("  {name}: {first}; {second}");
        }
    }
    autoconfig_documents_hold_what_a_person_reads_in_them(&documents);
    pox_documents_hold_what_a_person_reads_in_them(&documents);
}

fn autoconfig_documents_hold_what_a_person_reads_in_them(documents: &[Document]) {
    let automx2 = autoconfig(documents, "automx2-2026.2-autoconfig.xml");
    assert_eq!(
        (automx2.strict, automx2.provider_id.as_deref(), automx2.display_name.as_deref()),
        (true, Some("automx2-1"), Some("AMX Lab"))
    );
    assert_eq!(automx2.domains, ["amx.test"]);
    let expected = [
        "imap imap.amx.test 993 SSL plain %EMAILADDRESS%",
        "pop3 pop.amx.test 995 SSL plain %EMAILADDRESS%",
        "smtp smtp.amx.test 587 STARTTLS plain %EMAILADDRESS%",
    ];
    assert_eq!(servers(automx2), expected);

    let lakenet = autoconfig(documents, "lakenet.ch.xml");
    assert_eq!((lakenet.strict, lakenet.provider_id.as_deref(), lakenet.incoming.len()), (true, Some("lakenet.ch"), 4));
    assert_eq!(lakenet.domains, ["%EMAILDOMAIN%"]);
    let expected = [
        "imap mail.lakenet.ch 993 SSL password-cleartext %EMAILADDRESS%",
        "imap mail.lakenet.ch 143 STARTTLS password-cleartext %EMAILADDRESS%",
        "pop3 mail.lakenet.ch 995 SSL password-cleartext %EMAILADDRESS%",
        "pop3 mail.lakenet.ch 110 STARTTLS password-cleartext %EMAILADDRESS%",
        "smtp mail.lakenet.ch 587 STARTTLS password-cleartext %EMAILADDRESS%",
    ];
    assert_eq!(servers(lakenet), expected);

    // `";` stands after the root element of this one.
    let outlook = autoconfig(documents, "outlook.com.xml");
    assert_eq!((outlook.strict, outlook.provider_id.as_deref(), outlook.domains.len()), (false, Some("outlook.com"), 17));
    let expected = [
        "exchange outlook.office365.com 443 SSL OAuth2 %EMAILADDRESS%",
        "imap outlook.office365.com 993 SSL password-cleartext %EMAILADDRESS%",
        "pop3 outlook.office365.com 995 SSL password-cleartext %EMAILADDRESS%",
        "smtp smtp.office365.com 587 STARTTLS password-cleartext %EMAILADDRESS%",
    ];
    assert_eq!(servers(outlook), expected);

    let sample = autoconfig(documents, "autoconfig-sample.xml");
    assert_eq!((sample.strict, sample.domains.as_slice()), (true, &["example.com".to_owned(), "example.net".to_owned()][..]));
    let expected = [
        "imap imap.example.com 993 SSL password-cleartext %EMAILADDRESS%",
        "pop3 pop.example.com 995 SSL password-cleartext %EMAILADDRESS%",
        "jmap https://jmap.example.com -  OAuth2,http-basic %EMAILADDRESS%",
        "ews https://mail.example.com/EWS/Exchange.asmx -  http-basic %EMAILADDRESS%",
        "activesync https://mail.example.com/Microsoft-Server-ActiveSync -  OAuth2 %EMAILADDRESS%",
        "smtp smtp.googlemail.com 587 STARTTLS password-cleartext %EMAILADDRESS%",
    ];
    assert_eq!(servers(sample), expected);

    let activesync = autoconfig(documents, "goodActivesyncXML.xml");
    assert_eq!(servers(activesync), ["activesync https://m.xampl.tld/ -   %EMAILADDRESS%"]);
}

fn pox_documents_hold_what_a_person_reads_in_them(documents: &[Document]) {
    let automx2 = pox(documents, "automx2-2026.2-pox.xml");
    assert_eq!((automx2.strict, automx2.action.as_deref(), automx2.microsoft_online), (true, Some("settings"), None));
    let expected = [
        "IMAP imap.amx.test 993 on ssl",
        "POP3 pop.amx.test 995 on ssl",
        "SMTP smtp.amx.test 587 off tls",
        "CALDAV https://dav.amx.test/cal/%EMAILADDRESS%/ 443 on -",
    ];
    assert_eq!(protocols(automx2), expected);
    assert!(automx2.protocols.iter().all(|protocol| protocol.login_name.as_deref() == Some("user@amx.test")));

    let online = pox(documents, "pox_response.xml");
    assert_eq!(
        (online.strict, online.microsoft_online, online.smtp_address.as_deref()),
        (true, Some(true), Some("blumbergh@initech.local"))
    );
    let expected = ["EXCH 22222222-2222-2222-2222-222222222222@initech.local - - -", "EXPR outlook.office365.com - on -", "WEB - - - -"];
    assert_eq!(protocols(online), expected);
    let ews: Vec<Option<&str>> = online.protocols.iter().map(|protocol| protocol.ews_url.as_deref()).collect();
    let url = Some("https://outlook.office365.com/EWS/Exchange.asmx");
    assert_eq!(ews, [url, url, None]);
    assert_eq!(online.protocols.get(1).and_then(|protocol| protocol.auth_package.as_deref()), Some("basic"));

    let on_premises = pox(documents, "how-to-get-user-settings-from-exchange-by-using-autodiscover-7.xml");
    assert_eq!((on_premises.microsoft_online, on_premises.smtp_address.as_deref()), (Some(false), Some("mara@contoso.com")));
    let expected = ["EXCH 5f76be3c-9138-4f66-85e0-21bc23ca35f0@contoso.com - - -", "EXPR mail.contoso.com - off -", "WEB - - - -"];
    assert_eq!(protocols(on_premises), expected);
    let sample = pox(documents, "pox-autodiscover-response-for-exchange-1.xml");
    assert_eq!(protocols(sample), ["EXCH MBX-SERVER.mail.internal.contoso.com - - -", "EXPR Exchange.contoso.com - - -", "WEB - - - -"]);
    let error = pox(documents, "pox-autodiscover-response-for-exchange-2.xml").error.as_ref();
    assert_eq!(error.map(|error| (error.code.as_str(), error.message.as_str())), Some(("600", "Invalid Request")));
    let redirect = pox(documents, "handling-autodiscover-error-messages-2.xml");
    assert_eq!((redirect.action.as_deref(), redirect.redirect_address.as_deref()), (Some("redirectaddr"), Some("elvin@mail.contoso.com")));

    let redirect = pox(documents, "pox-redirecturl-leading-newline.xml");
    let url = Some("https://mail.example.com/autodiscover/autodiscover.xml");
    assert_eq!((redirect.strict, redirect.action.as_deref(), redirect.redirect_url.as_deref()), (false, Some("redirecturl"), url));
    let delta = pox(documents, "pox-imap-smtp-ssl-off.xml");
    assert_eq!(protocols(delta), ["IMAP example.com 993 on -", "SMTP smtp.example.com 25 off -"]);
    let mobilesync = pox(documents, "goodActivesyncAutodiscoverXML.xml");
    assert_eq!((mobilesync.strict, protocols(mobilesync)), (true, vec!["MOBILESYNC https://m.xampl.tld/ - - -".to_owned()]));
}

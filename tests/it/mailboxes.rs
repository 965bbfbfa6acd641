//! Lists of mailboxes, from bytes to the list.

use autodiscover_audit::{
    cli::{Exit, mailboxes::check as check_list},
    mailboxes::{Duplicate, Format, List, ListError, ListProblem, RefusalReason, TextEncoding, Warning, read_from, read_list},
    model::{Hosting, Person, Protocols},
};
use proptest::prelude::*;

const CLIENTS: [&str; 2] = ["thunderbird", "srv"];

fn read(bytes: &[u8]) -> Result<List, ListError> {
    read_from(bytes, "the list", &CLIENTS)
}

fn list(text: &str) -> List {
    read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn addresses(list: &List) -> Vec<String> {
    list.mailboxes.iter().map(|mailbox| mailbox.address.to_string()).collect()
}

fn refused_lines(list: &List) -> Vec<u64> {
    list.refused.iter().map(|refusal| refusal.line).collect()
}

fn utf16(text: &str, big_end: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big_end { unit.to_be_bytes() } else { unit.to_le_bytes() };
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(bytes).collect()
}

/// As `Get-EXOCasMailbox | Export-Csv -NoTypeInformation` of Windows PowerShell writes it, joined with columns of `Get-EXOMailbox`.
const EXPORT: &str = "#TYPE Selected.Microsoft.Exchange.Data\r\n\
    \"DisplayName\",\"PrimarySmtpAddress\",\"UserPrincipalName\",\"ImapEnabled\",\"PopEnabled\",\"ActiveSyncEnabled\",\
    \"SmtpClientAuthenticationDisabled\",\"RecipientTypeDetails\",\"EmailAddresses\",\"EwsEnabled\"\r\n\
    \"Meier, Anna\",\"anna@contoso.com\",\"a.meier@contoso.com\",\"True\",\"False\",\"True\",\"\",\"UserMailbox\",\"System.Collections.ArrayList\",\"\"\r\n\
    \"Jürgen\",\"juergen@fabrikam.com\",\"Juergen@fabrikam.com\",\"True\",\"True\",\"True\",\"True\",\"SharedMailbox\",\"\",\"\"\r\n\
    \"Discovery\",\"ds@contoso.com\",\"ds@contoso.com\",\"True\",\"True\",\"True\",\"\",\"DiscoveryMailbox\",\"\",\"\"\r\n";

#[test]
fn an_export_is_read_in_every_encoding_and_with_every_separator() {
    let with_mark = format!("\u{FEFF}{EXPORT}");
    let semicolons = EXPORT.replace("\",\"", "\";\"");
    let tabs = EXPORT.replace("\",\"", "\"\t\"");
    for (name, bytes, encoding) in [
        ("utf-8", EXPORT.as_bytes().to_vec(), TextEncoding::Utf8),
        ("utf-8 with mark", with_mark.into_bytes(), TextEncoding::Utf8Bom),
        ("utf-16le", utf16(EXPORT, false), TextEncoding::Utf16Le),
        ("utf-16be", utf16(EXPORT, true), TextEncoding::Utf16Be),
        ("utf-16le without mark", utf16(EXPORT, false)[2..].to_vec(), TextEncoding::Utf16Le),
        ("windows-1252", encoding_rs::WINDOWS_1252.encode(EXPORT).0.into_owned(), TextEncoding::Windows1252),
        ("semicolons", semicolons.into_bytes(), TextEncoding::Utf8),
        ("tabs", tabs.into_bytes(), TextEncoding::Utf8),
        ("without types", EXPORT.split_once("\r\n").expect("two lines").1.as_bytes().to_vec(), TextEncoding::Utf8),
    ] {
        let list = read(&bytes).expect(name);
        assert_eq!((list.format, list.encoding), (Format::ExchangeExport, encoding), "{name}");
        assert_eq!(addresses(&list), ["anna@contoso.com", "juergen@fabrikam.com"], "{name}");
        assert_eq!((list.refused_count, list.system_count, list.faulty_count()), (1, 1, 0), "{name}");
        let line = if name == "without types" { 4 } else { 5 };
        assert_eq!(refused_lines(&list), [line], "{name}");
        assert_eq!(list.unknown_columns, ["EwsEnabled"], "{name}");
        let [anna, juergen] = list.mailboxes.as_slice() else { panic!("{name}") };
        assert_eq!(anna.profile.protocols, Protocols { pop3: false, ..Protocols::default() }, "{name}");
        assert_eq!(juergen.profile.protocols, Protocols { smtp: false, ..Protocols::default() }, "{name}");
        let person =
            Person { display_name: Some("Meier, Anna".into()), sign_in_name: Some("a.meier@contoso.com".into()), ..Person::default() };
        assert_eq!(anna.person.as_deref(), Some(&person), "{name}");
        let person = Person { display_name: Some("Jürgen".into()), ..Person::default() };
        assert_eq!(juergen.person.as_deref(), Some(&person), "{name}");
    }
}

#[test]
fn plain_text_has_an_address_a_line_and_comments() {
    let list = list("# the pilot\nanna@contoso.com\n\n  bert@Contoso.com\r\nbad\n#x@contoso.com\n\"c d\"@münster.example\n");
    assert_eq!(list.format, Format::PlainText);
    assert_eq!(addresses(&list), ["anna@contoso.com", "bert@contoso.com", "\"c d\"@xn--mnster-3ya.example"]);
    assert_eq!(list.blanks, 3);
    assert_eq!(refused_lines(&list), [5]);
    assert_eq!(list.domain_count(), 2);
}

#[test]
fn json_lines_have_the_same_fields_as_csv() {
    let list = list(concat!(
        "{\"mail\": \"anna@contoso.com\", \"displayName\": \"Anna\", \"imap_enabled\": false, \"clients\": [\"srv\", \"Thunderbird\"], \"jobTitle\": 1}\n",
        "{\"PrimarySmtpAddress\": \"bert@contoso.com\", \"mail\": \"old@contoso.com\", \"hosting\": \"on-premises\", \"manager\": null}\n",
        "{\"displayName\": \"no address\"}\n",
        "{broken\n",
        "[1]\n",
    ));
    assert_eq!(list.format, Format::JsonLines);
    let [anna, bert] = list.mailboxes.as_slice() else { panic!("{:?}", addresses(&list)) };
    assert!(!anna.profile.protocols.imap);
    assert_eq!(anna.profile.clients.as_deref(), Some(["srv".to_owned(), "thunderbird".to_owned()].as_slice()));
    assert_eq!(bert.profile.hosting, Some(Hosting::OnPremises));
    assert_eq!(bert.person, None);
    assert_eq!(refused_lines(&list), [3, 4, 5]);
    assert!(matches!(list.refused[0].reason, RefusalReason::NoAddressField));
    assert_eq!(list.unknown_columns, ["jobTitle"]);
    let used = "PrimarySmtpAddress".to_owned();
    assert_eq!(list.warnings, [Warning::SeveralAddressColumns { used, others: vec!["mail".into()] }]);
}

#[test]
fn a_bad_row_is_refused_by_its_line_and_the_rest_is_read() {
    let list = list(concat!(
        "address,display_name,hosting,clients\n",     // 1
        "a@contoso.com,\"Anna\nMeier\",,\n",          // 2, 3
        "\n",                                         // 4
        "b@contoso.com,B,nowhere,\n",                 // 5
        "c@contoso.com,C,,outlook\n",                 // 6: kept, with a warning
        "d@contoso.com,Meier, D,,\n",                 // 7: too many
        "e@contoso.com,E\n",                          // 8: the cells at the end left out
        "f@contoso.com,\"stray,,\n",                  // 9
        "g@contoso.com,\"G, the first\",,srv\n",      // 10
        ",,,\n",                                      // 11
        "# he said, \"no\n",                          // 12
        "h@contoso.com,H,consumer,srv|thunderbird\n", // 13
        "i@contoso.com,I,other,\n",                   // 14
    ));
    assert_eq!(addresses(&list), ["a", "c", "e", "g", "h", "i"].map(|local| format!("{local}@contoso.com")));
    assert_eq!(refused_lines(&list), [5, 7, 9]);
    assert_eq!(list.refused[1].reason, RefusalReason::FieldCount { expected: 4, found: 5 });
    assert_eq!(list.refused[2].reason, RefusalReason::UnclosedQuote);
    let told: Vec<String> = list.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        ["column `clients` is not understood in 1 row, the first in line 6: `outlook` is none of thunderbird, srv; these count as empty"]
    );
    assert_eq!(list.blanks, 3);
    let anna = list.mailboxes[0].person.as_deref().and_then(|person| person.display_name.as_deref());
    assert_eq!(anna, Some("Anna Meier"));
}

#[test]
fn the_first_of_equal_mailboxes_is_kept_and_profiles_are_shared() {
    let list = list("mail,imap\nb@contoso.com,no\nAnna@contoso.com,no\nanna@CONTOSO.com,yes\nANNA@contoso.com,\na@adatum.com,no\n");
    assert_eq!(addresses(&list), ["a@adatum.com", "Anna@contoso.com", "b@contoso.com"]);
    assert_eq!(list.duplicates, 2);
    assert_eq!(list.duplicate_lines, [Duplicate { line: 4, first_line: 3 }, Duplicate { line: 5, first_line: 3 }]);
    assert!(list.mailboxes.iter().all(|mailbox| std::sync::Arc::ptr_eq(&mailbox.profile, &list.mailboxes[0].profile)));
}

#[test]
fn long_fields_are_cut_for_people_and_refused_for_addresses() {
    let long = "x".repeat(5_000);
    let list = list(&format!("address,department\n{long}@contoso.com,a\nanna@contoso.com,{long}\n"));
    assert_eq!(list.refused[0].reason, RefusalReason::AddressLength(5_012));
    assert_eq!(list.refused[0].text.chars().count(), 80);
    let department = list.mailboxes[0].person.as_deref().and_then(|person| person.department.as_deref());
    assert_eq!(department.map(|text| text.chars().count()), Some(1_000));
}

#[test]
fn one_row_is_no_plural() {
    let list = read(b"ma\xefl@contoso.com\nanna@contoso.com\n").unwrap_or_else(|error| panic!("{error}"));
    let told: Vec<String> = list.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1 row is not UTF-8 and read as Windows-1252, the first in line 1; save the file as UTF-8"]);
}

#[test]
fn only_the_first_thousand_refused_rows_are_kept() {
    let list = list(&format!("anna@contoso.com\n{}", "bad\n".repeat(2_500)));
    assert_eq!((list.refused.len(), list.refused_count), (1_000, 2_500));
}

#[test]
fn sign_in_names_stand_in_for_addresses_with_a_warning() {
    let list = list("UserPrincipalName,DisplayName\nanna@contoso.com,Anna\n");
    assert_eq!(list.warnings, [Warning::SignInNames("UserPrincipalName".into())]);
    assert_eq!(list.mailboxes[0].person.as_deref().and_then(|person| person.sign_in_name.as_deref()), None);
}

#[test]
fn an_empty_cell_of_the_address_column_is_not_filled_from_the_sign_in_name() {
    let list = list("mail,userPrincipalName\n,guest@contoso.com\nanna@contoso.com,anna@contoso.com\n");
    assert_eq!(addresses(&list), ["anna@contoso.com"]);
    assert_eq!(refused_lines(&list), [2]);
}

#[test]
fn in_an_export_of_exchange_another_column_stands_in_for_an_empty_address() {
    let list = list(concat!(
        "PrimarySmtpAddress,WindowsEmailAddress,EmailAddresses,UserPrincipalName\n",
        "a@contoso.com,x@contoso.com,SMTP:y@contoso.com,z@contoso.com\n",
        ",b@contoso.com,SMTP:y@contoso.com,z@contoso.com\n",
        ",,smtp:y@contoso.com SMTP:c@contoso.com,z@contoso.com\n",
        ",,System.Collections.ArrayList,d@contoso.com\n",
        ",,,e@contoso.com\n",
        ",,,\n",
    ));
    assert_eq!(list.format, Format::ExchangeExport);
    assert_eq!(addresses(&list), ["a", "b", "c", "d", "e"].map(|local| format!("{local}@contoso.com")));
    assert_eq!(list.warnings, [Warning::SignInNameStandsIn { rows: 2, first_line: 5 }]);
    assert_eq!(list.blanks, 1);
}

#[test]
fn every_column_with_the_address_is_enough() {
    for text in [
        "WindowsEmailAddress\nanna@contoso.com\n",
        "ProxyAddresses,Name\nsmtp:x@contoso.com;SMTP:anna@contoso.com,Anna\n".replace(';', " ").as_str(),
    ] {
        assert_eq!(addresses(&list(text)), ["anna@contoso.com"], "{text}");
    }
}

#[test]
fn columns_of_other_systems_do_not_refuse_every_row() {
    let list = list(
        "Mail,Client,SMTP,Hosting\na@contoso.com,Outlook 2016,a@contoso.com,ExchangeOnline\nb@contoso.com,Apple,b@contoso.com,Exchange Online\n",
    );
    assert_eq!(addresses(&list), ["a@contoso.com", "b@contoso.com"]);
    assert!(list.mailboxes.iter().all(|mailbox| mailbox.profile.hosting == Some(Hosting::default()) && mailbox.profile.clients.is_none()));
    let columns = list.warnings.iter().filter_map(|warning| match warning {
        Warning::NotUnderstood { column, rows, .. } => Some((column.as_str(), *rows)),
        _ => None,
    });
    assert_eq!(columns.collect::<Vec<_>>(), [("SMTP", 2), ("Client", 2)]);
}

#[test]
fn addresses_are_read_as_people_write_them() {
    let list = list("anna@contoso.com;\nBert Meier <bert@contoso.com>,\n\u{a0}carla@contoso.com\u{200b}\n\u{200b}CARLA@contoso.com\n");
    assert_eq!(list.format, Format::PlainText);
    assert_eq!(addresses(&list), ["anna@contoso.com", "bert@contoso.com", "carla@contoso.com"]);
    assert_eq!(list.duplicates, 1);
    let bert = list.mailboxes[1].person.as_deref().and_then(|person| person.display_name.as_deref());
    assert_eq!(bert, Some("Bert Meier"));
}

#[test]
fn a_list_that_cannot_be_used_says_what_to_do() {
    for (bytes, message) in [
        (&b""[..], "the list holds no mailbox; write one address a line, or export a CSV file with a header"),
        (b"# nothing\n", "the list holds no mailbox; write one address a line, or export a CSV file with a header"),
        (b"address\nbad\n", "the list holds no mailbox: its one row was refused, in line 2: `bad` has no `@`; correct the row"),
        (b"PK\x03\x04....", "the list is a workbook of a spreadsheet program; save it as `CSV UTF-8`"),
        (b"\x00\x01\x02\x03", "the list is not a text file; write one address a line, or export a CSV file"),
        (b"[\n", "the list is one JSON document over several lines; write one object a line, as `jq -c '.[]'` does"),
        (b"name;city\n", "the list has no column for the address among `name`, `city`; name one `address`, `mail` or `PrimarySmtpAddress`"),
        (
            b"anna@contoso.com;Anna\n",
            "the list has several columns but no header; let its first line name them, such as `address,display_name`, or write one address a line",
        ),
    ] {
        assert_eq!(read(bytes).err().map(|error| error.to_string()).as_deref(), Some(message));
    }
    let missing = read_list(std::path::Path::new("no/such/list.csv"), &CLIENTS);
    assert!(matches!(missing, Err(ListError { problem: ListProblem::Open(_), .. })));
    assert!(matches!(read_list(std::path::Path::new("tests"), &CLIENTS), Err(ListError { problem: ListProblem::Read(_), .. })));
}

/// Pieces that make lists awkward.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "address",
        "mail",
        "imap",
        "clients",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "\"",
        "#",
        "@contoso.com",
        "anna",
        "{\"mail\":",
        "}",
        "é",
        " ",
        "True",
        "sep=;",
        "SMTP:",
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..3);
    prop::collection::vec(prop_oneof![9 => piece.prop_map(|text| text.as_bytes().to_vec()), 1 => noise], 0..80)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[&b"\xFF\xFE"[..], &bytes].concat());
        let _ = read(&[&b"address,imap\n"[..], &bytes].concat());
    }

    #[test]
    fn every_line_of_an_awkward_list_is_accounted_for(body in pieces()) {
        let bytes = [&b"address,display_name\nfirst@contoso.com,x\n"[..], &body].concat();
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        if let Ok(list) = read(&bytes) {
            prop_assert!(list.mailboxes.iter().any(|mailbox| mailbox.address.to_string() == "first@contoso.com"));
            prop_assert!(list.mailboxes.len() as u64 + list.refused_count + list.duplicates + list.blanks < lines);
            prop_assert!(list.refused.iter().all(|refusal| refusal.line >= 3 && refusal.line <= lines));
            prop_assert!(list.refused.is_sorted_by_key(|refusal| refusal.line));
        }
    }

    #[test]
    fn a_good_row_survives_whatever_stands_before_it(body in pieces()) {
        let body: Vec<u8> = body.into_iter().filter(|byte| *byte != 0).collect();
        let bytes = [&b"address,display_name\n"[..], &body, &b"\n"[..], &b"x,y\n".repeat(3), b"last@contoso.com,\"L\"\n"].concat();
        if let Ok(list) = read(&bytes) {
            prop_assert!(list.mailboxes.iter().any(|mailbox| mailbox.address.to_string() == "last@contoso.com"));
        }
    }
}

fn assert_told(name: &str, told: &str) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, { insta::assert_snapshot!(name, told) });
}

/// What `mailboxes check` writes about a list, and what becomes of it.
fn check(text: &str, all: bool) -> std::io::Result<(String, Exit)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("list.csv");
    std::fs::write(&path, text)?;
    let mut out = Vec::new();
    let outcome = check_list(&path, &CLIENTS, all, &mut out)?;
    Ok((String::from_utf8_lossy(&out).replace(&format!("{}/", folder.path().display()), ""), outcome))
}

#[test]
fn a_check_names_what_the_list_holds_and_what_it_refuses() -> std::io::Result<()> {
    let rows = concat!(
        "anna@contoso.com,Anna,no,on-premises,srv,x\nanna@contoso.com,,,,,\n\nbert@contoso.com,B,yes,,,\nc@fabrikam.com,,off,,,\n",
        "d@contoso.com,D\nbad\u{1b}[31m@,,,,,\nbad,,,,,\n"
    );
    let (told, outcome) = check(&format!("mail,name,imap,hosting,clients,phone\n{rows}"), false)?;
    assert_eq!(outcome, Exit::Findings);
    assert_told("mailboxes-check", &told);
    let (told, outcome) = check(EXPORT, false)?;
    assert_eq!(outcome, Exit::Clean);
    assert_told("mailboxes-check-export", &told);
    let (told, outcome) = check("address\nbad\nworse\n", false)?;
    assert_eq!(outcome, Exit::Usage);
    assert_told("mailboxes-check-unusable", &told);
    Ok(())
}

#[test]
fn a_check_names_twenty_refused_rows_or_all() -> std::io::Result<()> {
    let text = format!("anna@contoso.com\n{}", "bad\n".repeat(30));
    assert!(check(&text, false)?.0.ends_with("line 21: `bad` has no `@`: bad\n    and 10 more\n"));
    assert!(check(&text, true)?.0.ends_with("line 31: `bad` has no `@`: bad\n"));
    Ok(())
}

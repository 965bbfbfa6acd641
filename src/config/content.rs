//! The contents of the files that a configuration names: what is wrong in them, by their own lines.

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue, Deserializer},
};

use crate::{classify::Endpoint, network::holds_certificates};

use super::{check::LineFault, error::position, rule::field_names, suggest::nearest};

/// The certificates of a PEM file (RFC 7468).
pub(super) fn check_certificates(pem: &[u8]) -> Vec<LineFault> {
    if holds_certificates(pem) {
        return Vec::new();
    }
    let lines: Vec<&[u8]> = pem.split_inclusive(|byte| *byte == b'\n').collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines.get(*at).is_some_and(|line| line.starts_with(BEGIN))).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let broken = starts.iter().zip(ends).filter(|(start, end)| {
        let block = lines.get(**start..*end).unwrap_or_default().concat();
        !holds_certificates(&block)
    });
    let mut faults: Vec<LineFault> = broken
        .map(|(start, _)| (Some(start + 1), "the certificate that begins here is broken; export it again as PEM".to_owned()))
        .collect();
    if faults.is_empty() {
        faults.push((None, "it holds no certificate; name a PEM file with `-----BEGIN CERTIFICATE-----`".to_owned()));
    }
    faults
}

/// The rows of a table of endpoints, key by key, so that one wrong value hides no other.
pub(super) fn check_endpoints(content: &[u8]) -> Vec<LineFault> {
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            let line = content.get(..error.valid_up_to()).unwrap_or_default().split(|byte| *byte == b'\n').count();
            return vec![(Some(line), "this is not UTF-8; save the file as UTF-8".to_owned())];
        }
    };
    let line = |at: usize| Some(position(text, at).0);
    let mut root = match DeTable::parse(text) {
        Ok(root) => root.into_inner(),
        Err(error) => {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            return vec![(error.span().and_then(|span| line(span.start)), format!("{message}; correct the TOML"))];
        }
    };
    let rows = root.remove("endpoint");
    let mut faults: Vec<LineFault> = root
        .iter()
        .map(|(key, _)| (line(key.span().start), format!("`{}`: there is no such key; the rows are `[[endpoint]]`", key.get_ref())))
        .collect();
    match rows.map(|rows| (rows.span(), rows.into_inner())) {
        Some((_, DeValue::Array(rows))) => {
            faults.extend(rows.into_iter().flat_map(|row| check_endpoint(&row)).map(|(at, problem)| (line(at), problem)));
        }
        Some((span, _)) => faults.push((line(span.start), "there can be several; write the heading as `[[endpoint]]`".to_owned())),
        None => faults.push((None, "it holds no endpoint; write at least one `[[endpoint]]`, or leave `endpoints_file` out".to_owned())),
    }
    faults.sort_by_key(|(line, _)| *line);
    faults
}

/// What is wrong with a row, each with its place.
fn check_endpoint(row: &Spanned<DeValue>) -> Vec<(usize, String)> {
    let DeValue::Table(table) = row.get_ref() else {
        return vec![(row.span().start, "this is no endpoint; write its heading as `[[endpoint]]`".to_owned())];
    };
    let keys = field_names::<Endpoint>();
    let mut faults = Vec::new();
    for (key, value) in table {
        let name = key.get_ref();
        let good = MODEL.into_iter().filter(|(other, _)| other != name);
        let mut model: DeTable = good.map(|(key, value)| (spanned(DeString::from(key)), spanned(DeValue::String(value.into())))).collect();
        model.insert(key.clone(), value.clone());
        match Endpoint::deserialize(Deserializer::from(spanned(model))) {
            Ok(endpoint) if endpoint.has_host_name() => {}
            Ok(endpoint) => {
                let advice = "write it in lower case and without scheme and port; a leading `*.` and `#` for a digit are allowed";
                faults.push((value.span().start, format!("host: `{}` is no host name; {advice}", endpoint.host)));
            }
            Err(_) if !keys.contains(&name.as_ref()) => {
                let advice = nearest(name, keys.iter().copied())
                    .map_or_else(|| format!("the keys here are {}", keys.join(", ")), |word| format!("did you mean `{word}`?"));
                faults.push((key.span().start, format!("{name}: there is no such key; {advice}")));
            }
            Err(error) => faults.push((error.span().unwrap_or(value.span()).start, format!("{name}: {}", error.message()))),
        }
    }
    let missing: Vec<&str> = MODEL.into_iter().map(|(key, _)| key).filter(|key| !table.contains_key(*key)).collect();
    if !missing.is_empty() {
        faults.push((row.span().start, format!("missing: `{}`; every row needs them", missing.join("`, `"))));
    }
    faults
}

fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// A row as it should be, with the keys that every row needs.
const MODEL: [(&str, &str); 4] = [("host", "mail.example"), ("class", "consumer"), ("source", "example"), ("date", "2026-01-01")];
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_certificate_is_named_by_its_line() {
        let good = include_str!("../../tests/fixtures/config/files/good.pem");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        let lines = good.lines().count();
        for (pem, expected) in [
            (good.to_owned(), vec![]),
            (format!("a note\n{good}{good}"), vec![]),
            (format!("{good}{broken}{good}{cut}"), vec![Some(lines + 1), Some(2 * lines + 4)]),
            (format!("{cut}{good}"), vec![Some(1)]),
            (good.replace('\n', "\r\n") + broken, vec![Some(lines + 1)]),
            ("nothing".to_owned(), vec![None]),
            (String::new(), vec![None]),
        ] {
            let found: Vec<Option<usize>> = check_certificates(pem.as_bytes()).into_iter().map(|(line, _)| line).collect();
            assert_eq!(found, expected, "{pem}");
        }
    }

    #[test]
    fn a_table_of_endpoints_is_told_all_its_faults() {
        let row = "[[endpoint]]\nhost = 'a.example'\nclass = 'consumer'\nsource = 'x'\ndate = '2026-01-01'\n";
        for (text, expected) in [
            (row.to_owned(), vec![]),
            (include_str!("../../config/endpoints.toml").to_owned(), vec![]),
            (
                format!("{row}uses = ['imap', 'smpt']\nhosts = 'x'\n"),
                vec![(Some(6), "uses: `smpt` is not a protocol"), (Some(7), "did you mean `host`?")],
            ),
            (
                format!("{row}{}", row.replace("'a.", "'A.").replace("sumer'", "sumr'")),
                vec![(Some(7), "host: `A.example`"), (Some(8), "class: unknown variant")],
            ),
            (row.replace("source = 'x'\n", ""), vec![(Some(1), "missing: `source`")]),
            (row.replace("'x'", "1"), vec![(Some(4), "source: invalid type")]),
            (row.replace("[[endpoint]]", "[endpoint]"), vec![(Some(1), "[[endpoint]]")]),
            (format!("version = 1\n{row}"), vec![(Some(1), "`version`")]),
            ("endpoint = [1]".to_owned(), vec![(Some(1), "[[endpoint]]")]),
            (String::new(), vec![(None, "no endpoint")]),
            ("\n[[endpoint".to_owned(), vec![(Some(2), "correct the TOML")]),
        ] {
            let found = check_endpoints(text.as_bytes());
            let fits =
                |((line, problem), (expected, words)): (&LineFault, &(Option<usize>, &str))| line == expected && problem.contains(words);
            assert!(found.len() == expected.len() && found.iter().zip(&expected).all(fits), "{text}\n{found:#?}");
        }
        assert_eq!(check_endpoints(b"# \n# \xff")[0].0, Some(2));
    }
}

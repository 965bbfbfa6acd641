//! The contents of the files that a configuration names: what is wrong in them, by their own lines.

use crate::network::holds_certificates;

use super::check::LineFault;

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
}

//! Which word was meant.

/// The word that is nearest to `text`, where one is near enough.
pub(super) fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase().replace('-', "_");
    let near = |word: &&'a str| distance(&text, &word.replace('-', "_"));
    let found = words.into_iter().map(|word| (near(&word), word)).min_by_key(|(steps, _)| *steps);
    found.filter(|(steps, word)| *steps <= 1 + word.len() / 5).map(|(_, word)| word)
}

/// The words that may have been meant: those that hold `text`, or else the one that is nearest.
#[must_use]
pub fn close<'a>(text: &str, words: &[&'a str]) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let holding: Vec<&str> = words.iter().copied().filter(|word| text.len() >= 3 && word.contains(&text)).collect();
    if holding.is_empty() { nearest(&text, words.iter().copied()).into_iter().collect() } else { holding }
}

/// Levenshtein's distance, with one row kept.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, character) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), at + 1);
        let mut left = at + 1;
        for (cell, wanted) in row.iter_mut().skip(1).zip(&other) {
            let steps = (diagonal + usize::from(character != *wanted)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, steps);
            left = steps;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_another_word_none() {
        let words = ["timeout_seconds", "concurrency", "id", "clients", "hosting"];
        for (text, expected) in [
            ("timeout_second", Some("timeout_seconds")),
            ("time-out-seconds", Some("timeout_seconds")),
            ("Clients", Some("clients")),
            ("client", Some("clients")),
            ("hostign", Some("hosting")),
            ("colour", None),
            ("interval", None),
        ] {
            assert_eq!(nearest(text, words), expected, "{text}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_part_of_a_word_finds_all_that_hold_it() {
        let words = ["thunderbird", "thunderbird-72", "kmail", "srv"];
        for (text, expected) in [
            ("Thunder", &["thunderbird", "thunderbird-72"][..]),
            ("thunderbrid", &["thunderbird"]),
            ("k-mail", &["kmail"]),
            ("s", &[]),
            ("pine", &[]),
        ] {
            assert_eq!(close(text, &words), expected, "{text}");
        }
    }
}

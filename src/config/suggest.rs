//! Which word was meant.

/// The word that is nearest to `text`, where one is near enough.
pub(super) fn nearest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_lowercase().replace('-', "_");
    let near = |word: &&'a str| distance(&text, &word.replace('-', "_"));
    let found = words.into_iter().map(|word| (near(&word), word)).min_by_key(|(steps, _)| *steps);
    found.filter(|(steps, word)| *steps <= 1 + word.len() / 5).map(|(_, word)| word)
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
}

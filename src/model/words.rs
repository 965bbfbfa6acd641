//! How texts are worded and shown: a number with its noun, and what others wrote made visible. Pure.

use std::borrow::Cow;

/// A number with its noun.
#[must_use]
pub fn counted(number: impl TryInto<u64>, one: &str, many: &str) -> String {
    let number: u64 = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `3,120`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An error with its causes, on one line; a cause whose words stand there already is left out.
#[must_use]
pub fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// What others wrote, on one line and fit for a terminal: whatever could steer it, turn the direction of the text or not be seen
/// stands as `\u{..}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) { shown.extend(character.escape_unicode()) } else { shown.push(character) }
    }
    Cow::Owned(shown)
}

/// The same for a text of ours that quotes others: its own line ends stay.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Controls (C0, C1), separators of lines, controls of direction, and what has no width or no ink.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_or_hide_is_escaped() {
        for (text, shown) in [
            ("a\u{1b}[2Jb\rc\n", "a\\u{1b}[2Jb\\u{d}c\\u{a}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("x\u{202e}y\u{2066}z\u{200f}", "x\\u{202e}y\\u{2066}z\\u{200f}"),
            ("an\u{200b}na\u{feff}\u{ad}\u{e0041}", "an\\u{200b}na\\u{feff}\\u{ad}\\u{e0041}"),
            ("Jürgen 日本 café", "Jürgen 日本 café"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_lines("one\r\ntwo\u{1b}"), "one\\u{d}\ntwo\\u{1b}");
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!(
            [counted(0_u8, "row", "rows"), counted(1_u64, "row", "rows"), counted(2_usize, "row", "rows")],
            ["0 rows", "1 row", "2 rows"]
        );
    }
}

//! Plain text at 80 columns: wrapping and columns. Pure.

use crate::model::visible;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// A label and a text beside it, wrapped at words; a word that is too long stands alone and whole.
pub(super) fn labelled(indent: usize, label: &str, text: &str) -> String {
    flow(format!("{:indent$}{label:<LABEL$}", ""), indent + LABEL, text)
}

/// A text wrapped at words, its first line and those below it from these columns on.
pub(super) fn paragraph((first, hanging): (usize, usize), text: &str) -> String {
    flow(" ".repeat(first), hanging, text)
}

/// A text behind the head of its first line, wrapped at words; the lines below it are indented by `hanging`.
pub(super) fn flow(head: String, hanging: usize, text: &str) -> String {
    let begin = head.chars().count();
    let (mut out, mut column) = (head, begin);
    let mut empty = true;
    for word in text.split_whitespace().map(visible) {
        let length = word.chars().count();
        if !empty && column + 1 + length > WIDTH {
            out = out.trim_end().to_owned();
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hanging));
            (column, empty) = (hanging, true);
        }
        if !empty {
            out.push(' ');
            column += 1;
        }
        empty = false;
        out.push_str(&word);
        column += length;
    }
    out.push('\n');
    out
}

/// Rows in columns as wide as their widest cell, two spaces between; `right` names the columns that stand to the right.
pub(super) fn table(indent: usize, rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths = Vec::<usize>::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            let padded = if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            line.push_str(gap);
            line.push_str(&padded);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Columns of a label.
const LABEL: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_wraps_at_words_and_a_long_word_stays_whole() {
        let long = "x".repeat(90);
        let out = labelled(2, "why", &format!("{} {long} end", "word ".repeat(20)));
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH || line.trim() == long), "{out}");
        assert!(lines[1..].iter().all(|line| line.starts_with("              ")), "{out}");
    }
}

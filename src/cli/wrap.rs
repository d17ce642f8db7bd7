//! Paragraphs for a terminal.

use unicode_width::UnicodeWidthStr as _;

/// Widest line, in cells: longer ones are hard to read.
const WIDTH: usize = 80;

/// The text with a capital at its start, in lines of at most [`WIDTH`] cells, each behind `indent`.
pub(super) fn paragraph(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for (at, word) in text.split_whitespace().enumerate() {
        let word = if at == 0 { capital(word) } else { word.to_owned() };
        if !line.is_empty() && indent.width() + line.width() + 1 + word.width() > WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines.iter().flat_map(|line| [indent, line, "\n"]).collect()
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_nothing_is_lost() {
        let text = "a word that is here, and ".repeat(20);
        let shown = paragraph(&text, "  ");
        assert!(shown.lines().all(|line| line.width() <= WIDTH && line.starts_with("  ")));
        assert_eq!(shown.split_whitespace().count(), text.split_whitespace().count());
        assert!(shown.starts_with("  A word"));
        assert_eq!(paragraph("", ""), "");
    }
}

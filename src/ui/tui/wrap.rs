//! Breaking text into lines by what a terminal's cells hold.

use unicode_width::UnicodeWidthStr as _;

/// Cells that a text takes. Most of what is shown is ASCII, whose bytes need not be looked up one by one.
pub(super) fn cells(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Lines of at most `width` cells, broken at spaces; a longer word is cut. At least one line.
///
/// Whole pieces are measured, not characters: a sign and its variation selector are wider
/// together than apart.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![];
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.is_empty() {
            line = cut(word, width, &mut lines);
            continue;
        }
        let before = line.len();
        line.push(' ');
        line.push_str(word);
        if cells(&line) > width {
            line.truncate(before);
            lines.push(std::mem::take(&mut line));
            line = cut(word, width, &mut lines);
        }
    }
    lines.push(line);
    lines
}

/// Moves whole lines of a word that is too long to `lines`; gives the rest.
fn cut(word: &str, width: usize, lines: &mut Vec<String>) -> String {
    if cells(word) <= width {
        return word.to_owned();
    }
    let mut line = String::new();
    for c in word.chars() {
        line.push(c);
        if cells(&line) > width && line.len() > c.len_utf8() {
            line.pop();
            lines.push(std::mem::replace(&mut line, c.to_string()));
        }
    }
    line
}

/// Text in at most `width` cells; when cut, it ends in `mark`.
pub(super) fn clip(text: &str, width: usize, mark: &str) -> String {
    if cells(text) <= width {
        return text.to_owned();
    }
    if cells(mark) > width {
        return String::new();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if cells(&out) + cells(mark) > width {
            out.pop();
            break;
        }
    }
    // A cut may leave a sign without what made it narrow.
    while cells(&out) + cells(mark) > width && out.pop().is_some() {}
    out.push_str(mark);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn breaks_at_spaces_and_cuts_long_words() {
        assert_eq!(wrap("open TCP 1935 outbound", 9), ["open TCP", "1935", "outbound"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn clips_with_a_mark() {
        assert_eq!(clip("ingest.primary", 8, "…"), "ingest.…");
        assert_eq!(clip("short", 8, "…"), "short");
        assert_eq!(clip("字字字", 4, "…"), "字…");
    }

    proptest! {
        #[test]
        fn lines_fit(text in "\\PC{0,200}", width in 2usize..80) {
            for line in wrap(&text, width) {
                prop_assert!(cells(&line) <= width, "{line:?}");
            }
            prop_assert!(cells(&clip(&text, width, "…")) <= width);
        }
    }
}

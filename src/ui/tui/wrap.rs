//! Breaking text into lines by what a terminal's cells hold.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Cells that a text takes.
pub(super) fn cells(text: &str) -> usize {
    text.width()
}

/// Lines of at most `width` cells, broken at spaces; a longer word is cut. At least one line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let wide = cells(word);
        let gap = usize::from(used > 0);
        if used + gap + wide <= width {
            push(&mut lines, if gap == 1 { " " } else { "" });
            push(&mut lines, word);
            used += gap + wide;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width && used > 0 {
                lines.push(String::new());
                used = 0;
            }
            let mut utf8 = [0; 4];
            push(&mut lines, c.encode_utf8(&mut utf8));
            used += wide;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// Text in at most `width` cells; when cut, it ends in `mark`.
pub(super) fn clip(text: &str, width: usize, mark: &str) -> String {
    if cells(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(cells(mark));
    let mut used = 0;
    let mut out = String::new();
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > room {
            break;
        }
        out.push(c);
    }
    if cells(mark) <= width {
        out.push_str(mark);
    }
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
        fn lines_fit(text in ".{0,200}", width in 2usize..80) {
            for line in wrap(&text, width) {
                prop_assert!(cells(&line) <= width, "{line:?}");
            }
            prop_assert!(cells(&clip(&text, width, "…")) <= width);
        }
    }
}

//! Cuts a text that is too long for a ticket's field, at the end of a sentence.

/// Largest field, in UTF-16 units as ServiceNow counts characters.
pub const MAX: usize = 4000;

/// The text, or its first whole sentences and where the rest is. At most [`MAX`] units.
pub(super) fn fit(text: &str, pointer: &str) -> String {
    let text = text.trim();
    if units(text) <= MAX {
        return text.to_owned();
    }
    let room = MAX.saturating_sub(units(pointer) + 1);
    let kept = text.get(..end_of_sentence(text, longest(text, room))).unwrap_or_default();
    format!("{}\n{pointer}", kept.trim_end())
}

/// Its length as ServiceNow counts.
pub(super) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Bytes of the longest beginning that has at most `room` units.
fn longest(text: &str, room: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > room {
            return at;
        }
    }
    text.len()
}

/// Bytes up to the last sentence or line that ends before `most`; failing that the last word,
/// failing that all.
fn end_of_sentence(text: &str, most: usize) -> usize {
    let head = text.get(..most).unwrap_or_default();
    let rest = text.get(most..).unwrap_or_default();
    if rest.is_empty() || rest.starts_with('\n') {
        return most;
    }
    let line = head.rfind('\n');
    let sentence = [". ", "! ", "? "].into_iter().filter_map(|end| head.rfind(end)).max().map(|at| at + 1);
    // `e.g. ` ends no sentence worth keeping; a sentence that starts the field is not cut to nothing
    let best = line.max(sentence).filter(|at| *at > most / 2);
    best.or_else(|| head.rfind(' ')).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POINTER: &str = "[cut] The whole is in the attached report.";

    #[test]
    fn what_fits_is_not_touched() {
        let text = "é".repeat(MAX);
        assert_eq!(fit(&text, POINTER), text);
    }

    #[test]
    fn a_long_text_ends_with_a_sentence_and_says_where_the_rest_is() {
        let shown = fit(&"One sentence of it. ".repeat(400), POINTER);
        assert!(shown.ends_with(&format!("One sentence of it.\n{POINTER}")), "{shown}");
        assert!(units(&shown) <= MAX && units(&shown) > MAX - 60);
        let lines = fit(&"- a line without a stop\n".repeat(400), POINTER);
        assert!(lines.ends_with(&format!("- a line without a stop\n{POINTER}")), "{lines}");
    }

    proptest! {
        #[test]
        fn any_text_fits_and_is_a_beginning(text in "[a-zäß🎥 .\n]{0,6000}") {
            let shown = fit(&text, POINTER);
            prop_assert!(units(&shown) <= MAX);
            let kept = shown.strip_suffix(POINTER).unwrap_or(&shown).trim_end();
            prop_assert!(text.trim().starts_with(kept));
        }
    }
}

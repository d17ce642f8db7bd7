//! The nearest right word for a wrong one.

/// The known word that was most likely meant, if any is near enough.
pub(super) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let wrong = plain(&wrong.chars().take(crate::model::id::MAX_NAME).collect::<String>());
    let score = |word: &str| {
        let word = plain(word);
        let slips = strsim::damerau_levenshtein(&wrong, &word);
        let long = wrong.chars().count().max(word.chars().count());
        let near = slips <= (long / 3).max(1) && slips < long;
        let part =
            wrong.len() >= 3 && word.len() >= 3 && (word.starts_with(&wrong) || wrong.starts_with(&word));
        (near || part).then_some(slips)
    };
    known.into_iter().filter_map(|word| Some((score(word)?, word))).min().map(|(_, word)| word)
}

/// "did you mean `x`?", or the known words, for the end of a message.
pub(crate) fn hint<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    if let Some(word) = nearest(wrong, known.iter().copied()) {
        return Some(format!("did you mean `{word}`?"));
    }
    match known.as_slice() {
        [only] => Some(format!("the only one known here is `{only}`")),
        [first @ .., last] if known.len() <= MAX_LISTED => {
            let first: Vec<String> = first.iter().map(|word| format!("`{word}`")).collect();
            Some(format!("known here: {} and `{last}`", first.join(", ")))
        }
        _ => None,
    }
}

/// More words than this are no help in one line.
const MAX_LISTED: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_keyboard_are_understood() {
        let known = ["target", "limits", "enforcement", "owner", "why"];
        for (wrong, right) in [
            ("tarrget", Some("target")),
            ("limit", Some("limits")),
            ("enforcment", Some("enforcement")),
            ("Owner", Some("owner")),
            ("wyh", Some("why")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known), right, "{wrong}");
        }
    }

    #[test]
    fn words_are_listed_when_none_is_near() {
        assert_eq!(hint("banana", ["tls", "dns"]).unwrap(), "known here: `dns` and `tls`");
        assert_eq!(hint("banana", ["tls"]).unwrap(), "the only one known here is `tls`");
        assert_eq!(hint("banana", []), None);
    }
}

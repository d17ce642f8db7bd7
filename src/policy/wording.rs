//! What serde says of a policy, in the words of the person who wrote it.

use super::nearest::hint;
use super::shape::{Meaning, SHAPE};

/// What to write where a secret belongs.
const SECRET_HELP: &str = "a secret is { env = \"NAME\" } or { file = \"PATH\" }, never the value itself";

/// What is wrong and what would be right. Never the value of a secret, nor of a key that is
/// not known (it may be a secret that is misspelt).
pub(super) fn explain(message: &str, path: &[String], at_key: bool) -> (String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (first, known) = quoted.split_first().map_or(("", [].as_slice()), |(first, rest)| (*first, rest));
    if message.starts_with("unknown field") || (message.starts_with("unknown variant") && at_key) {
        let parent = path.split_last().map_or(path, |(_, parent)| parent);
        return unknown_key(first, known, parent);
    }
    let meaning = SHAPE.meaning(path);
    if matches!(meaning, Meaning::Secret) && !at_key {
        return (format!("{} is not given as a secret is", subject(path)), Some(SECRET_HELP.to_owned()));
    }
    if message.starts_with("unknown variant") {
        return (format!("`{first}` is no value of {}", subject(path)), hint(first, known.iter().copied()));
    }
    if message.starts_with("missing field") {
        return (format!("`{first}` is missing in {}", table(path)), None);
    }
    if let Some(rest) = message.strip_prefix("wanted exactly 1 element, ") {
        return (format!("{} takes exactly one key, {rest}", subject(path)), None);
    }
    let mismatch = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        return type_mismatch(found, expected, path);
    }
    if message == "wanted string or table" {
        return (format!("{} must be text in quotes or a table", subject(path)), None);
    }
    (message.to_owned(), None)
}

fn unknown_key(word: &str, known: &[&str], parent: &[String]) -> (String, Option<String>) {
    let what = match parent {
        [section] if section == "check" || section == "every" => format!("there is no probe `{word}`"),
        _ => format!("unknown key `{word}` in {}", table(parent)),
    };
    (what, hint(word, known.iter().copied()))
}

fn type_mismatch(found: &str, expected: &str, path: &[String]) -> (String, Option<String>) {
    let expected = expected_words(expected);
    let help = match (expected.as_str(), found) {
        ("a list", "map") if matches!(path, [section, _] if section == "check") => {
            Some(format!("write [[{}]] with two brackets", path.join(".")))
        }
        ("a list", "map") if path == ["waiver"] => Some("write [[waiver]] with two brackets".to_owned()),
        _ => None,
    };
    (format!("{} must be {expected}, not {}", subject(path), found_words(found)), help)
}

/// serde's words for what stands there; text is not repeated.
fn found_words(found: &str) -> String {
    let words = match found {
        "map" => "a table",
        "sequence" => "a list",
        found if found.starts_with("string") => "text in quotes",
        found => {
            return found
                .replace('`', "")
                .replace("integer", "the number")
                .replace("floating point", "the number")
                .replace("boolean", "the word");
        }
    };
    words.to_owned()
}

/// serde's words for what belongs there.
fn expected_words(expected: &str) -> String {
    let words = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" | "nonzero u64" => "a whole number from 0 up",
        "f64" | "f32" => "a number",
        "a string" | "a borrowed string" | "string" => "text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        "IP address" => "an IP address in quotes",
        expected if expected.starts_with("struct ") => "a table",
        expected => return expected.to_owned(),
    };
    words.to_owned()
}

/// The value at a place, for the beginning of a sentence.
fn subject(path: &[String]) -> String {
    path.iter()
        .rev()
        .find(|key| key.parse::<usize>().is_err())
        .map_or_else(|| "the file".to_owned(), |key| format!("`{key}`"))
}

/// A table as it is written: `[people.it]`, `[[check.dns]]`, `limits` of `[[check.dns]]`.
pub(super) fn table(path: &[String]) -> String {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    match keys.as_slice() {
        [] => "the file".to_owned(),
        ["check", probe, index] if index.parse::<usize>().is_ok() => format!("[[check.{probe}]]"),
        ["waiver", _] => "[[waiver]]".to_owned(),
        ["check", probe, _, inner @ ..] => format!("`{}` of [[check.{probe}]]", inner.join(".")),
        keys => format!("[{}]", keys.join(".")),
    }
}

//! A file of people's answers: `[[answer]]` tables.

use serde::{Deserialize, Deserializer, de};

use super::dates::advice;
use crate::model::{Answer, CheckId, Role, When};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    answer: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: CheckId,
    yes: bool,
    role: Role,
    name: String,
    #[serde(deserialize_with = "instant")]
    at: When,
    #[serde(default)]
    evidence: String,
    #[serde(default, deserialize_with = "maybe")]
    expires: Option<When>,
}

fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    if written.offset.is_none() {
        return Err(de::Error::custom(advice(&written)));
    }
    When::try_from(written.to_string()).map_err(de::Error::custom)
}

fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<When>, D::Error> {
    instant(deserializer).map(Some)
}

/// Reads the answers; the error names line and column.
pub fn answers(text: &str) -> Result<Vec<Answer>, toml::de::Error> {
    let file: File = toml::from_str(text)?;
    let answer = |entry: Entry| Answer {
        check: entry.check,
        yes: entry.yes,
        role: entry.role,
        name: entry.name,
        at: entry.at.at(),
        evidence: entry.evidence,
        expires: entry.expires.map(|until| until.at()),
    };
    Ok(file.answer.into_iter().map(answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_strict() {
        let good =
            "[[answer]]\ncheck = \"a\"\nyes = true\nrole = \"it\"\nname = \"N\"\nat = 2026-11-22T10:00:00Z\n";
        assert_eq!(answers(good).unwrap().len(), 1);
        let misspelt = good.replace("yes", "yess");
        assert!(answers(&misspelt).unwrap_err().to_string().contains("line 3"), "the line is named");
        let local = good.replace("00Z", "00");
        assert!(answers(&local).unwrap_err().to_string().contains("offset"));
    }
}

//! A file of people's answers: `[[answer]]` tables.

use serde::{Deserialize, Deserializer, de};

use super::Policy;
use super::dates::advice;
use super::nearest::hint;
use crate::model::text::escape;
use crate::model::{Answer, CheckId, Role, When};
use crate::probe::Question;

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

/// Why an answer is none to this policy, if so: it would be passed over in silence, or count for
/// somebody who did not give it.
pub fn misfit(answers: &[Answer], policy: &Policy) -> Option<String> {
    answers.iter().enumerate().find_map(|(index, answer)| {
        let earlier = answers.get(..index).unwrap_or_default();
        let why =
            unasked(answer, policy).or_else(|| misnamed(answer, policy)).or_else(|| twice(answer, earlier));
        why.map(|why| format!("[[answer]] {}, check = \"{}\": {why}", index + 1, answer.check))
    })
}

fn unasked(answer: &Answer, policy: &Policy) -> Option<String> {
    let asks = |question: &Question| matches!(question, Question::Attest { .. });
    match policy.check(&answer.check) {
        Some(check) if asks(&check.question) => None,
        Some(_) => Some("this check is no question to people".to_owned()),
        None => {
            let asked = policy.checks.iter().filter(|check| asks(&check.question));
            let near = hint(answer.check.as_str(), asked.map(|check| check.id.as_str()));
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            Some(format!("the policy asks no such question{near}"))
        }
    }
}

/// An answer is a person's: the one whom the policy names for that role.
fn misnamed(answer: &Answer, policy: &Policy) -> Option<String> {
    let named = &policy.people.get(&answer.role)?.name;
    let (given, role) = (answer.name.trim(), &answer.role);
    let (given_shown, named_shown) = (escape(given), escape(named));
    (given != named.trim())
        .then(|| format!("{role} is {named_shown} in the policy, and this answer is {given_shown}'s"))
}

fn twice(answer: &Answer, earlier: &[Answer]) -> Option<String> {
    let same = |one: &&Answer| one.check == answer.check && one.at == answer.at;
    earlier
        .iter()
        .find(same)
        .map(|_| format!("it is answered twice at {}, and nobody can tell which one counts", answer.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"schema = "golive-policy/1"
[event]
title = "Launch"
[people.it]
name = "I. T."
[people.marketing]
name = "M. Keller"
[accountable]
network = "it"
brand = "marketing"
production = "it"
[[check.attest]]
id = "people.stop"
target = { question = "May somebody stop the stream?", of = "marketing" }
enforcement = "hard"
owner = "brand"
why = "w"
[[check.clock]]
id = "clock.ours"
target = { servers = ["127.0.0.1"] }
enforcement = "advisory"
owner = "network"
why = "w"
"#;

    fn said(check: &str, role: &str, name: &str, seconds: u8) -> String {
        format!(
            "[[answer]]\ncheck = \"{check}\"\nyes = true\nrole = \"{role}\"\nname = \"{name}\"\nat = 2026-11-22T10:00:0{seconds}Z\n"
        )
    }

    fn misfit_of(answered: &[String]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.toml");
        std::fs::write(&file, POLICY).unwrap();
        let policy = crate::policy::load(&file).unwrap();
        misfit(&answers(&answered.concat()).unwrap(), &policy).unwrap_or_default()
    }

    #[test]
    fn an_answer_is_one_to_the_policy_and_by_whom_it_names() {
        let good = || said("people.stop", "marketing", "M. Keller", 0);
        assert_eq!(misfit_of(&[good(), said("people.stop", "marketing", "M. Keller", 1)]), "");
        // the other role's word is judged: it is no answer of who was asked
        assert_eq!(misfit_of(&[said("people.stop", "it", "I. T.", 0)]), "");
        let mallory = misfit_of(&[good(), said("people.stop", "marketing", "Mallory Nobody", 1)]);
        assert!(
            mallory.starts_with("[[answer]] 2, check = \"people.stop\": marketing is M. Keller"),
            "{mallory}"
        );
        let misspelt = misfit_of(&[said("people.stopp", "marketing", "M. Keller", 0)]);
        assert!(
            misspelt.contains("asks no such question") && misspelt.contains("people.stop`"),
            "{misspelt}"
        );
        assert!(misfit_of(&[said("clock.ours", "it", "I. T.", 0)]).contains("no question to people"));
        let torn = misfit_of(&[good(), good().replace("yes = true", "yes = false")]);
        assert!(torn.contains("answered twice at 2026-11-22T10:00:00Z"), "{torn}");
    }

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

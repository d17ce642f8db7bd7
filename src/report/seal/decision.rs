//! The decision: what a signer says of a report's verdict. Written once, never altered.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{parts, sha256};
use crate::judge::Word;
use crate::model::{Role, text};
use crate::policy::Level;
use crate::report::{Document, json};

/// Value of [`Decision::schema`].
const SCHEMA: &str = "golive-decision/1";

/// Largest decision that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// What a signer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Go live.
    Go,
    /// Go live, if the conditions are kept.
    GoWithConditions,
    /// Do not go live.
    NoGo,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Go => "go",
            Self::GoWithConditions => "go with conditions",
            Self::NoGo => "no-go",
        })
    }
}

/// Why a choice is not what the verdict says; such a choice needs its reasons (the dissent).
pub fn objection(verdict: Word, choice: Choice) -> Option<String> {
    let follows = match verdict {
        Word::Go => choice != Choice::NoGo,
        Word::ConditionalGo => choice == Choice::GoWithConditions,
        Word::NoGo | Word::Inconclusive => choice == Choice::NoGo,
    };
    (!follows).then(|| format!("the verdict is {verdict}, and the decision is \"{choice}\""))
}

/// What a signer says of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `golive-decision/1`.
    pub schema: String,
    /// SHA-256 of the report's file, hexadecimal.
    pub report_sha256: String,
    /// The run that the report comes from.
    pub run: String,
    /// The event's title.
    pub event: String,
    /// The verdict that the signer had before them.
    pub verdict: Word,
    /// In which role.
    pub role: Role,
    /// By whom.
    pub name: String,
    /// What was decided.
    pub decision: Choice,
    /// Conditions of the signer's own, beside those of the report.
    pub conditions: Vec<String>,
    /// Why the signer decides otherwise than the verdict, or what they want on record.
    pub dissent: Option<String>,
    /// When, UTC.
    pub at: Timestamp,
    /// How it is tied to its person.
    pub level: Level,
    /// Approval in a ticket system.
    pub ticket: Option<String>,
    /// Fingerprint of the key that signs.
    pub key: Option<String>,
    /// The machine that it was made on, as a digest; equal for two roles = the same machine.
    pub machine: Option<String>,
    /// Short digests of the report's parts: if the report changes, they say where.
    pub parts: BTreeMap<String, String>,
    /// SHA-256 of this decision without this line; tells a changed decision from a changed signature.
    pub checksum: String,
}

/// Bytes that are no decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDecision {
    /// Larger than any.
    #[error("it is larger than any decision")]
    TooLarge,
    /// Not one, or damaged.
    #[error("it is no golive decision any more: {0}")]
    Shape(String),
    /// A later format.
    #[error("it is of a newer format ({0}); use a newer golive")]
    Newer(String),
    /// It was altered.
    #[error("it was changed after it was written: {0}")]
    Changed(&'static str),
}

impl Decision {
    /// A decision of a report, not yet about anything else than its bytes.
    pub fn about(document: &Document, report: &[u8], role: Role, name: String, decision: Choice) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            report_sha256: sha256(report),
            run: document.run.id.clone(),
            event: document.event.title.clone(),
            verdict: document.verdict.word,
            role,
            name,
            decision,
            conditions: Vec::new(),
            dissent: None,
            at: Timestamp::UNIX_EPOCH,
            level: Level::Named,
            ticket: None,
            key: None,
            machine: None,
            parts: parts::parts(report),
            checksum: String::new(),
        }
    }

    /// The file's bytes, with the checksum that belongs to them.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let sealed = Self { checksum: self.sum()?, ..self.clone() };
        Ok(json::inert(&sealed)?.into_bytes())
    }

    fn sum(&self) -> serde_json::Result<String> {
        let bare = Self { checksum: String::new(), ..self.clone() };
        Ok(sha256(json::inert(&bare)?.as_bytes()))
    }

    /// Reads a decision; only the very bytes that golive wrote are one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadDecision> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(BadDecision::TooLarge);
        }
        let shape = |error: serde_json::Error| {
            BadDecision::Shape(text::escape(&error.to_string()).chars().take(200).collect())
        };
        let decision: Self = serde_json::from_slice(bytes)
            .map_err(|error| newer(bytes).map_or_else(|| shape(error), BadDecision::Newer))?;
        if decision.schema != SCHEMA {
            return Err(BadDecision::Shape("its schema is another".to_owned()));
        }
        if decision.sum().map_err(shape)? != decision.checksum {
            return Err(BadDecision::Changed("its contents do not have the checksum that it states"));
        }
        if decision.to_bytes().map_err(shape)? != bytes {
            return Err(BadDecision::Changed("its layout is not the one that golive writes"));
        }
        Ok(decision)
    }
}

fn newer(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let version: u32 = value["schema"].as_str()?.strip_prefix("golive-decision/")?.parse().ok()?;
    (version > 1).then(|| format!("golive-decision/{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_from_the_verdict_needs_no_dissent() {
        use Choice::{Go, GoWithConditions, NoGo};
        for (verdict, free) in [
            (Word::Go, &[Go, GoWithConditions][..]),
            (Word::ConditionalGo, &[GoWithConditions]),
            (Word::Inconclusive, &[NoGo]),
            (Word::NoGo, &[NoGo]),
        ] {
            for choice in [Go, GoWithConditions, NoGo] {
                assert_eq!(
                    objection(verdict, choice).is_none(),
                    free.contains(&choice),
                    "{verdict} {choice}"
                );
            }
        }
    }
}

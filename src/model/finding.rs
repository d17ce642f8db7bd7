//! Findings: what judging one reading against one limit says.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;

/// What a finding does to its check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// As it should be; shown as evidence.
    Pass,
    /// Within limits, but worth a warning.
    Warn,
    /// The reading does not allow an answer (its positive control failed, too little data).
    Unknown,
    /// Outside its limit.
    Fail,
}

impl From<Effect> for Outcome {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Pass => Self::Pass,
            Effect::Warn => Self::Warn,
            Effect::Unknown => Self::Unknown,
            Effect::Fail => Self::Fail,
        }
    }
}

/// A stable finding code with its meaning. Each probe lists its own; a test holds them unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// `probe.what`, such as `rtmp.not_rtmp`. Never changes its meaning.
    pub id: &'static str,
    /// What it means, in one sentence for a person.
    pub means: &'static str,
}

/// Declares a probe's codes, each `NAME = "probe.what", "What it means.";`, and `CODES`, all of them.
#[macro_export]
macro_rules! codes {
    ($($NAME:ident = $id:literal, $means:literal;)*) => {
        $(pub(crate) const $NAME: $crate::model::Code = $crate::model::Code { id: $id, means: $means };)*
        /// All of them.
        pub(crate) const CODES: &[$crate::model::Code] = &[$($NAME),*];
    };
}

/// One comparison of a reading with a limit: also made when all is well, so that
/// the measurement can stand beside its limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable code ([`Code::id`]).
    pub code: String,
    /// What it does to the check.
    pub effect: Effect,
    /// What the policy asks, with units.
    pub expected: String,
    /// What was seen, with units. Text from the network is escaped already.
    pub observed: String,
    /// What to do, in the words of the person who must do it; empty when all is well.
    pub remedy: String,
}

impl Finding {
    fn new(code: Code, effect: Effect, expected: String, observed: String, remedy: String) -> Self {
        Self { code: code.id.to_owned(), effect, expected, observed, remedy }
    }

    /// As it should be.
    pub fn pass(code: Code, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self::new(code, Effect::Pass, expected.into(), observed.into(), String::new())
    }

    /// Worth a warning.
    pub fn warn(
        code: Code,
        expected: impl Into<String>,
        observed: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, Effect::Warn, expected.into(), observed.into(), remedy.into())
    }

    /// The reading does not allow an answer.
    pub fn unknown(
        code: Code,
        expected: impl Into<String>,
        observed: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, Effect::Unknown, expected.into(), observed.into(), remedy.into())
    }

    /// Findings with the addresses that they are about: each finding once, its addresses behind what was
    /// seen.
    pub fn at_places(findings: impl Iterator<Item = (Self, SocketAddr)>) -> Vec<Self> {
        let mut said: Vec<(Self, Vec<String>)> = Vec::new();
        for (finding, at) in findings {
            match said.iter_mut().find(|(known, _)| *known == finding) {
                Some((_, places)) => places.push(at.to_string()),
                None => said.push((finding, vec![at.to_string()])),
            }
        }
        let with_places = said.into_iter().map(|(finding, places)| {
            let observed = format!("{} (at {})", finding.observed, places.join(", "));
            Self { observed, ..finding }
        });
        with_places.collect()
    }

    /// Outside its limit.
    pub fn fail(
        code: Code,
        expected: impl Into<String>,
        observed: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, Effect::Fail, expected.into(), observed.into(), remedy.into())
    }
}

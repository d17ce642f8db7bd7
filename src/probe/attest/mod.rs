//! `attest`: what no probe can see, asked of a named role.
//!
//! # Asks
//! One yes-or-no question of a person in a role: who moderates, who may stop the stream, …
//! # Why it matters
//! Most of what ruins a live stream is not on the network.
//! # How it can mislead
//! A yes is a statement, not a measurement: name, time and evidence are what it is worth.
//! # Needs
//! An answer (in the terminal UI, `--answers FILE`, or afterwards `golive attest`). No answer is unknown, never a pass.

mod judge;
mod run;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Env, Light, Probe};
use crate::model::{Answer, Code, Demand, Exactly, FarEnd, FarEndName, Finding, Lane, NotMeasured, Role};

/// The probe.
#[derive(Debug)]
pub struct Attest;

/// One question and who must answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The question, so that "yes" is the good answer.
    pub question: String,
    /// The role that must answer.
    pub of: Role,
    /// What supports a yes: a document, a ticket, a name. An answer without it is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The table of the policy that answers, when nobody does: `"provider"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
}

/// A table of the policy that answers a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredBy {
    /// `[provider]`.
    Provider,
}

crate::limits! {
    /// What the answer must be.
    pub struct Limits {
        /// The answer that is asked for (default: yes).
        pub answer: Exactly<bool>,
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The question, as asked.
    pub question: String,
    /// The role that was asked.
    pub asked: Role,
    /// What was asked to support a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// The answer.
    pub answer: Answer,
}

impl Reading {
    /// An answer to what was asked.
    pub fn of(target: &Target, answer: Answer) -> Self {
        Self {
            question: target.question.clone(),
            asked: target.of.clone(),
            wanted: target.evidence.clone(),
            answer,
        }
    }
}

impl Probe for Attest {
    const NAME: &'static str = "attest";
    const LANE: Lane = Lane::Person;
    const ABOUT: About = About {
        asks: "One yes-or-no question of a person in a named role",
        why: "most of what ruins a live stream is not on the network: who moderates, who may stop it, who pays for a backup",
        misleads: "a yes is a statement, not a measurement; its worth is the name, the time and the evidence beside it",
        needs: "an answer: in the terminal UI (`a`), `--answers FILE`, or afterwards `golive attest`",
    };
    const CODES: &'static [Code] = judge::CODES;
    const PAGES: &str = include_str!("pages.toml");
    type Target = Target;
    type Limits = Limits;
    type Reading = Reading;

    fn light(_: &Target) -> Result<Light<Target>, &'static str> {
        Err("it asks a person")
    }

    fn demand(_: &Target, _: &BTreeMap<FarEndName, FarEnd>) -> Demand {
        Demand::default()
    }

    async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
        run::measure(target, env)
    }

    fn judge(limits: &Limits, reading: &Reading) -> Vec<Finding> {
        judge::judge(limits, reading)
    }

    fn as_of(reading: &Reading) -> Option<jiff::Timestamp> {
        Some(reading.answer.at)
    }

    fn until(reading: &Reading) -> Option<jiff::Timestamp> {
        reading.answer.expires
    }
}

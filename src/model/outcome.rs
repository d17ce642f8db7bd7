//! Outcomes of a check, and how binding it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a check came to. Ordered from best to worst, so that `max` is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The question does not arise here.
    NotApplicable,
    /// Within its limits.
    Pass,
    /// Within its limits, but close enough to say so.
    Warn,
    /// Not measured, stale or unattested: never a pass.
    Unknown,
    /// Outside its limits.
    Fail,
}

impl Outcome {
    /// The word shown to people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// How binding a check is. Ordered from loosest to tightest: a layer may only raise it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Reported, never blocks.
    Advisory,
    /// Blocks unless a named person accepts it in a waiver.
    Waivable,
    /// Blocks; cannot be waived.
    Hard,
}

impl Enforcement {
    /// Required checks decide between GO and NO-GO; advisory ones only warn.
    pub const fn required(self) -> bool {
        matches!(self, Self::Waivable | Self::Hard)
    }

    /// The word used in policies.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Waivable => "waivable",
            Self::Hard => "hard",
        }
    }
}

//! The verdict and what it rests on.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CheckId, Finding, Outcome};

/// The four words. Computed, never typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Word {
    /// Everything required was measured and is within its limits.
    #[serde(rename = "GO")]
    Go,
    /// As GO, with warnings, advisory failures or waivers.
    #[serde(rename = "CONDITIONAL GO")]
    ConditionalGo,
    /// Something required could not be established.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
    /// A required check failed.
    #[serde(rename = "NO-GO")]
    NoGo,
}

impl Word {
    /// As printed.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::ConditionalGo => "CONDITIONAL GO",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::NoGo => "NO-GO",
        }
    }

    /// The process exit code (design, section 7).
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Go => 0,
            Self::ConditionalGo => 1,
            Self::NoGo => 2,
            Self::Inconclusive => 3,
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// How much a reason weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Stands between GO and NO-GO.
    Blocks,
    /// Leaves the question open.
    Unknown,
    /// A condition of a CONDITIONAL GO.
    Condition,
}

/// Why the verdict is not GO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// How much it weighs.
    pub rank: Rank,
    /// The check that it comes from; `None` for the run as a whole.
    pub check: Option<CheckId>,
    /// For people.
    pub text: String,
}

/// What one check came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judged {
    /// The check.
    pub check: CheckId,
    /// Its outcome; a waiver never changes it.
    pub outcome: Outcome,
    /// Each comparison that led there.
    pub findings: Vec<Finding>,
    /// Index into the policy's waivers of the one that covers it.
    pub waived: Option<usize>,
    /// When its evidence stops counting.
    pub expires: Option<Timestamp>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The word.
    pub word: Word,
    /// Why it is not GO, worst first, then in the policy's order.
    pub reasons: Vec<Reason>,
    /// Each check of the policy, in its order.
    pub checks: Vec<Judged>,
    /// When it was computed.
    pub evaluated_at: Timestamp,
    /// When it stops counting: the earliest expiry of what it rests on.
    pub expires: Option<Timestamp>,
}

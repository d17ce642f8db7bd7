//! `evaluate`: policy and evidence to verdict. Pure and total.

mod evaluate;
#[cfg(test)]
mod tests;
mod verdict;
pub mod watch;

pub use evaluate::{evaluate, judge_one, weight};
pub use verdict::{Judged, Rank, Reason, Verdict, Word};

use crate::model::Code;

/// The evidence is older than the policy lets it count.
pub const STALE: Code =
    Code { id: "judge.stale", means: "The reading is older than the policy lets it count." };
/// The evidence is dated later than now.
pub const FUTURE: Code =
    Code { id: "judge.future", means: "The reading is dated in the future: a clock is wrong somewhere." };
/// The reading is of another kind than the check.
pub const MISMATCH: Code =
    Code { id: "judge.mismatch", means: "The stored reading does not belong to this kind of check." };
/// Judging gave no finding at all.
pub const EMPTY: Code = Code { id: "judge.empty", means: "The reading holds nothing that could be judged." };

/// The check asks for the event's weekday and hour, and was measured at another time.
pub const OTHER_SLOT: Code =
    Code { id: "judge.other_slot", means: "It was measured at another weekday or hour than the event's." };

/// Codes that judging itself can give, whatever the probe.
pub const CODES: &[Code] = &[STALE, FUTURE, MISMATCH, EMPTY, OTHER_SLOT];

/// The pages of these codes ([`crate::model::Page::all`]).
pub const PAGES: &str = include_str!("pages.toml");

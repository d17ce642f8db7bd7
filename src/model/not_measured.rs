//! "Could not ask": a value of its own, never a pass and never 0.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a question could not be asked. The words are stable: reports and tests rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The operating system does not let this user ask.
    NoPrivilege,
    /// The run was cancelled before or while asking.
    Cancelled,
    /// The instrument could not be trusted (this machine was too slow, a clock jumped).
    InstrumentSuspect,
    /// A person has not answered.
    Unattested,
    /// The path's interface or address is not there.
    NoPath,
    /// The far end could not be reached or refused, so nothing was measured through it.
    FarEnd,
    /// A secret that the policy names is not there.
    NoSecret,
    /// This platform or build cannot ask this question.
    Unsupported,
    /// The probe itself broke: a defect of golive.
    Broken,
    /// The check took longer than its plan allowed.
    TimedOut,
}

/// The question could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
pub struct NotMeasured {
    /// Stable cause.
    pub cause: Cause,
    /// What happened, for a person. Text from the network is escaped already.
    pub detail: String,
    /// What to do so that it can be asked next time.
    pub remedy: String,
}

impl NotMeasured {
    /// Puts cause, detail and remedy together.
    pub fn new(cause: Cause, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { cause, detail: detail.into(), remedy: remedy.into() }
    }

    /// The run was cancelled.
    pub fn cancelled() -> Self {
        Self::new(Cause::Cancelled, "the run was stopped before this was measured", "run the check again")
    }
}

impl Cause {
    /// The stable word, as in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoPrivilege => "no_privilege",
            Self::Cancelled => "cancelled",
            Self::InstrumentSuspect => "instrument_suspect",
            Self::Unattested => "unattested",
            Self::NoPath => "no_path",
            Self::FarEnd => "far_end",
            Self::NoSecret => "no_secret",
            Self::Unsupported => "unsupported",
            Self::Broken => "broken",
            Self::TimedOut => "timed_out",
        }
    }
}

impl fmt::Display for NotMeasured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not measured ({}): {}", self.cause.word(), self.detail)
    }
}

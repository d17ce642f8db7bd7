//! The one event stream that tells a run's whole story. The terminal UI, the plain log,
//! the JSON lines, the journal and a replay are readers of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::Measurement;
use crate::judge::{Judged, Verdict};
use crate::model::{Answer, Area, CheckId, Enforcement, Lane, LimitRow, PathName, Role, Vantage};
use crate::policy::Policy;
use crate::probe::{Kind, Sample};
use crate::report::AgainDoc;

/// Version of the event stream, in [`Started::format`].
pub const FORMAT: &str = "golive-events/1";

/// What happened. One JSON object a line, tagged by `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// First of every run.
    RunStarted(Box<Started>),
    /// A run that had died goes on; what is measured already is kept.
    RunResumed {
        /// When.
        at: Timestamp,
        /// How many measurements were found in the journal and are kept.
        kept: usize,
        /// Those that are too old to go on with: measured anew.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        old: Vec<CheckId>,
        /// From where it goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vantage: Option<Vantage>,
    },
    /// A check begins.
    CheckStarted {
        /// The check.
        check: CheckId,
        /// Milliseconds since the run started (or was resumed).
        offset_ms: f64,
    },
    /// A live point, for the eye only.
    Sample {
        /// The check.
        check: CheckId,
        /// The point.
        sample: Sample,
    },
    /// A check was measured, or could not be: the journal's truth.
    Measured {
        /// What it came to.
        measurement: Box<Measurement>,
    },
    /// A measurement of an earlier run is taken over; the journal's truth, too.
    Carried {
        /// What it came to then.
        measurement: Box<Measurement>,
        /// The run that measured it.
        run: String,
    },
    /// What judging that measurement says.
    Judged {
        /// Outcome and findings.
        judged: Judged,
    },
    /// All is measured; the report waits for people who may answer what is still open.
    Asking {
        /// When.
        at: Timestamp,
        /// The questions.
        checks: Vec<CheckId>,
    },
    /// Somebody answered a question at the screen; its measurement follows.
    Answered {
        /// Who said what, and when.
        answer: Answer,
    },
    /// The run is being stopped.
    Interrupted {
        /// When.
        at: Timestamp,
        /// By what: `SIGINT`, `q`.
        by: String,
    },
    /// Last of every run that ended.
    RunFinished {
        /// When.
        at: Timestamp,
        /// The answer.
        verdict: Box<Verdict>,
        /// Where the report was written, as shown to the user.
        report: Option<String>,
        /// What the report says of checks that were measured again, if any were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<String>,
    },
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// [`FORMAT`].
    pub format: String,
    /// The run's id, unique enough to name a folder.
    pub run: String,
    /// golive's version.
    pub golive: String,
    /// When, UTC.
    pub at: Timestamp,
    /// The policy, secrets left out.
    pub policy: Policy,
    /// Policy file to load again on resume; `builtin:demo` for the demo.
    pub policy_source: String,
    /// File of answers, if one was given.
    pub answers_source: Option<String>,
    /// Each check, for the screen.
    pub checks: Vec<CheckHead>,
    /// Seconds that the plan expects.
    pub seconds: f64,
    /// From where it looks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage: Option<Vantage>,
    /// It measures some checks again and takes the others over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<AgainDoc>,
}

/// What a screen shows of a check before anything is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckHead {
    /// The check.
    pub id: CheckId,
    /// Which probe.
    pub probe: Kind,
    /// What is asked, in short: the target's address or question.
    pub target: String,
    /// The way out.
    pub path: Option<PathName>,
    /// When it may run.
    pub lane: Lane,
    /// How binding it is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: Area,
    /// The role accountable for that area, if the policy names one.
    pub accountable: Option<Role>,
    /// Why it is asked.
    pub why: String,
    /// What the answer is held against.
    pub limits: Vec<LimitRow>,
    /// Seconds that the plan expects.
    pub seconds: f64,
}

//! `golive-report/1`: the stored document. Frozen: fields are added, never renamed or removed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::judge::{Reason, Word};
use crate::model::{
    Area, CheckId, Enforcement, Finding, LimitRow, NotMeasured, Outcome, PathName, Role, Series,
    SourceAddress,
};
use crate::policy::{Event, Layer, Waiver};

/// Value of [`Document::schema`].
pub const SCHEMA: &str = "golive-report/1";

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// golive's version.
    pub golive: String,
    /// The answer.
    pub verdict: VerdictDoc,
    /// The run that it comes from.
    pub run: RunDoc,
    /// The event, as the policy has it.
    pub event: Event,
    /// Who is accountable for which area: `[area, role, name]`.
    pub accountable: Vec<AccountableDoc>,
    /// Each check, in the policy's order.
    pub checks: Vec<CheckDoc>,
    /// The policy that it was judged by.
    pub policy: PolicyDoc,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictDoc {
    /// GO, CONDITIONAL GO, NO-GO or INCONCLUSIVE.
    pub word: Word,
    /// The exit code that goes with it.
    pub exit_code: u8,
    /// Why it is not GO, worst first.
    pub reasons: Vec<Reason>,
    /// When it was computed.
    pub evaluated_at: Timestamp,
    /// When it stops counting.
    pub expires: Option<Timestamp>,
}

/// The run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDoc {
    /// Its id.
    pub id: String,
    /// When it started.
    pub started: Timestamp,
    /// When the last measurement ended.
    pub finished: Timestamp,
    /// It was stopped before it was over.
    pub interrupted: bool,
    /// It died and was resumed.
    pub resumed: bool,
    /// Operating system and architecture: `linux x86_64`.
    pub platform: String,
}

/// Who answers for an area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountableDoc {
    /// The area.
    pub area: Area,
    /// The role.
    pub role: Role,
    /// The person's name, if the policy has one.
    pub name: Option<String>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckDoc {
    /// Its id.
    pub id: CheckId,
    /// Which probe.
    pub probe: String,
    /// What was asked, in short.
    pub target: String,
    /// The way out.
    pub path: Option<PathName>,
    /// How binding it is.
    pub enforcement: Enforcement,
    /// The area that owns the remedy.
    pub owner: Area,
    /// Why it is asked.
    pub why: String,
    /// What the answer was held against.
    pub limits: Vec<LimitRow>,
    /// What it came to.
    pub outcome: Outcome,
    /// Each comparison that led there.
    pub findings: Vec<Finding>,
    /// The waiver that covers it.
    pub waiver: Option<Waiver>,
    /// When its evidence stops counting.
    pub expires: Option<Timestamp>,
    /// When and from where it was measured; `None` = never.
    pub measured: Option<MeasuredDoc>,
    /// Why it could not be measured.
    pub not_measured: Option<NotMeasured>,
    /// The raw reading, as its probe wrote it: `{"<probe>": {…}}`.
    pub reading: Option<Value>,
    /// Series to draw.
    pub series: Vec<Series>,
}

/// When and from where a check was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredDoc {
    /// When it started, UTC.
    pub started: Timestamp,
    /// Milliseconds from the start of the run, monotonic.
    pub offset_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// From where.
    pub source: SourceAddress,
}

/// The policy that the report was judged by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyDoc {
    /// SHA-256 of `resolved` as compact JSON, hexadecimal.
    pub sha256: String,
    /// The files that it was made from.
    pub layers: Vec<Layer>,
    /// The whole policy, secrets left out.
    pub resolved: Value,
}

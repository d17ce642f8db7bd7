//! `golive-report/1`: the stored document. Frozen: fields are added, never renamed or removed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AgainDoc, Ledger, RedactedDoc};
use crate::judge::{Reason, Word};
use crate::model::{
    Area, CheckId, Enforcement, Finding, LimitRow, NotMeasured, Outcome, PathName, Role, Series,
    SourceAddress, StreamName, Vantage,
};
use crate::policy::{Authorisation, CloseOut, Event, Layer, Waiver};

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
    /// Who allowed the traffic.
    pub authorisation: Option<Authorisation>,
    /// Who stands behind each role: role → name.
    pub people: BTreeMap<Role, String>,
    /// Who is accountable for which area.
    pub accountable: Vec<AccountableDoc>,
    /// What will be sent, and what it needs.
    pub streams: Vec<StreamDoc>,
    /// Each check, in the policy's order.
    pub checks: Vec<CheckDoc>,
    /// Every waiver of the policy, also those that cover nothing.
    pub waivers: Vec<WaiverDoc>,
    /// Kinds of question that golive knows and the policy does not ask.
    pub not_asked: Vec<NotAskedDoc>,
    /// What each finding code in this report means.
    pub codes: BTreeMap<String, String>,
    /// The policy that it was judged by.
    pub policy: PolicyDoc,
    /// All runs of the event up to this one, chained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
    /// It is a close-out: GO means that what was opened for the event is closed again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_out: Option<CloseOut>,
    /// Some checks were measured again; the others are carried from an earlier report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<AgainDoc>,
    /// The report that this one is a later version of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<RevisesDoc>,
    /// The report that this one is a redacted copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<RedactedDoc>,
}

/// The earlier version of a report, to which people's answers were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisesDoc {
    /// SHA-256 of the earlier report's file, hexadecimal.
    pub report_sha256: String,
    /// When the answers were added.
    pub at: Timestamp,
    /// In which role somebody answered.
    pub role: Role,
    /// The checks that were answered.
    pub checks: Vec<CheckId>,
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
    /// From where it looked; none where that is not known, or was not one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage: Option<Vantage>,
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

/// A stream that will be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StreamDoc {
    /// Its name.
    pub name: StreamName,
    /// Where to, without a key.
    pub to: String,
    /// Video bit rate, kb/s.
    pub video_kbps: u64,
    /// Audio bit rate, kb/s.
    pub audio_kbps: u64,
    /// Share that the transport adds, such as 0.03.
    pub overhead: f64,
    /// Factor on top, ≥ 1.
    pub headroom: f64,
    /// (Video + audio) × (1 + overhead) × headroom, kb/s.
    pub needed_kbps: u64,
}

/// What a waiver does for this verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It covers an outcome.
    InUse,
    /// What it would accept did not happen.
    NotNeeded,
    /// It had expired when the verdict was computed.
    Expired,
    /// It covers nothing although the outcome is there: the check is hard or advisory,
    /// nobody stands behind the role, or another waiver came first.
    WithoutEffect,
}

/// A waiver of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverDoc {
    /// The waiver.
    pub waiver: Waiver,
    /// Name of the person behind its role.
    pub approver: Option<String>,
    /// What it does for this verdict.
    pub state: WaiverState,
}

/// A kind of question that the policy does not ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotAskedDoc {
    /// Which probe.
    pub probe: String,
    /// What it would have asked.
    pub asks: String,
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
    /// What its probe asks, in one sentence.
    pub asks: String,
    /// How its probe can mislead.
    pub misleads: String,
    /// What viewers would notice if the event went ahead with this failed; may be empty.
    pub viewers: String,
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
    /// Milliseconds from the start of the run that measured it, monotonic.
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

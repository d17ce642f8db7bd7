//! Evidence: for each check, what its measurement came to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CheckId, NotMeasured, SourceAddress};
use crate::probe::Reading;

/// What asking came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a run holds tens of these, not thousands")]
pub enum Measured {
    /// What the probe saw.
    Reading(Reading),
    /// The question could not be asked.
    NotMeasured(NotMeasured),
}

/// One check's measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The check.
    pub check: CheckId,
    /// When it started, UTC.
    pub started: Timestamp,
    /// Milliseconds from the start of the run, monotonic.
    pub offset_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// From where.
    pub source: SourceAddress,
    /// What it came to.
    pub result: Measured,
}

/// All measurements of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// By check; a check that is missing was not measured.
    pub measurements: BTreeMap<CheckId, Measurement>,
    /// The run was stopped before it was over: its verdict cannot be GO.
    pub interrupted: bool,
}

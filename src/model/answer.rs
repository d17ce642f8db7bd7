//! A person's answer to a question that no probe can ask the network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CheckId, Role};

/// One answer: who says what, when, on what grounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The `attest` check that it answers.
    pub check: CheckId,
    /// `true` for yes.
    pub yes: bool,
    /// Role in which the person answers.
    pub role: Role,
    /// The person.
    pub name: String,
    /// When, with offset.
    pub at: jiff::Timestamp,
    /// What supports it: a ticket, a name, a document.
    #[serde(default)]
    pub evidence: String,
    /// Until when it counts, if not as long as the check's own `valid_for`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::Timestamp>,
}

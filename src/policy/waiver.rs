//! Waivers: a named person's dated acceptance of one outcome.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{CheckId, Role, When};

/// Which outcome a waiver accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Accepts {
    /// A failed check.
    Fail,
    /// A check that could not be measured.
    Unknown,
}

/// An acceptance. It never changes the outcome itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check.
    pub check: CheckId,
    /// Which outcome.
    pub accepts: Accepts,
    /// Why it is acceptable.
    pub reason: String,
    /// What is done instead.
    pub compensating: Option<String>,
    /// The role that accepts.
    pub by: Role,
    /// Until when.
    pub expires: When,
    /// Since when; before it, it covers nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<When>,
    /// How often it was renewed already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewals: Option<u32>,
}

//! How fast questions are asked: a firewall that sees hundreds of connections in a second may take them
//! for an attack.

use std::num::NonZeroU16;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many questions are asked at once when the policy does not say.
const USUAL: usize = 8;
/// Most at once, whatever the policy says: each holds some sockets open.
const MOST: usize = 400;

/// How fast questions are asked. What measures delay or loads the line runs alone anyway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Checks that only ask questions, side by side (default 8, at most 400). A later layer may only
    /// lower it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NonZeroU16")]
    pub at_once: Option<NonZeroU16>,
    /// Such checks begun in a second, at most (default: as they end). A later layer may only lower it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NonZeroU16")]
    pub per_second: Option<NonZeroU16>,
}

impl Pace {
    /// True when the policy says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Checks side by side.
    pub fn at_once(&self) -> usize {
        self.at_once.map_or(USUAL, |many| usize::from(many.get()).min(MOST))
    }

    /// Least time from the beginning of one check to that of the next.
    pub fn spacing(&self) -> Duration {
        self.per_second.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / u32::from(rate.get()))
    }
}

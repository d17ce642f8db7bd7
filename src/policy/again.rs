//! How old a reading may be when a later run takes it over (`golive check --again`).

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validity::Validity;

/// What a run that measures some checks again may take over of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Again {
    /// Oldest reading that is carried from the earlier report (default `"4h"`): lines and rules change
    /// within a day. A check's own `valid_for` holds as well. A later layer may only lower it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Validity")]
    pub carry_at_most: Option<Validity>,
}

impl Again {
    /// True when the policy says nothing of it.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Oldest reading that is carried.
    pub fn oldest(&self) -> Validity {
        self.carry_at_most.unwrap_or(Validity::from_seconds(4 * 3600))
    }

    /// The same as a span of time.
    pub fn span(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.oldest().seconds()).unwrap_or(i64::MAX))
    }
}

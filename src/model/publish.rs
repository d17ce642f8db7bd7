//! Whether an ingest may be sent a test stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an ingest may be sent a test stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publish {
    /// No.
    #[default]
    Never,
    /// The test card, under the test key.
    Test,
}

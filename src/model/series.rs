//! A series of numbers to draw: rendered as a chart, stored in the report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Evenly spaced values with the line that they are held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Title for people: "Upload as the far end counted it".
    pub title: String,
    /// Unit of the values: `kb/s`, `ms`.
    pub unit: String,
    /// Milliseconds from one value to the next.
    pub step_ms: f64,
    /// The values; what was not measured is absent (`null`), never 0.
    pub values: Vec<Option<f64>>,
    /// The limit that the values are held against, in the same unit.
    pub required: Option<f64>,
}

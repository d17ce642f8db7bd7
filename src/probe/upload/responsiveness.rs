//! Round trips a minute while the line is loaded, after draft-ietf-ippm-responsiveness-09. Pure.
//!
//! As there: trimmed means (the slowest twentieth left out) of the load's own connection and of
//! another, half each. The other is the control connection; the draft would open new ones, and
//! count their TCP and TLS handshakes besides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Round trips that are too few to speak of.
const FEW: usize = 10;
/// Of a hundred, those that are not left out.
const KEPT_PERCENT: usize = 95;

/// How the line answers while it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Responsiveness {
    /// Round trips a minute.
    pub rpm: f64,
    /// Trimmed mean over another connection, in milliseconds.
    pub other_ms: f64,
    /// Trimmed mean over the load's own connection, in milliseconds.
    pub own_ms: f64,
    /// Round trips over the other connection.
    pub pings: u64,
}

/// Puts it together; `None` of too few.
pub fn responsiveness(other_ms: &[f64], own_ms: &[f64]) -> Option<Responsiveness> {
    if other_ms.len() < FEW {
        return None;
    }
    let (other, own) = (trimmed_mean(other_ms)?, trimmed_mean(own_ms)?);
    let rpm = 60_000.0 / f64::midpoint(other, own).max(0.001);
    Some(Responsiveness { rpm, other_ms: other, own_ms: own, pings: other_ms.len() as u64 })
}

fn trimmed_mean(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.truncate((times.len() * KEPT_PERCENT).div_ceil(100).max(1));
    #[expect(clippy::cast_precision_loss, reason = "round trips of one test")]
    let count = times.len() as f64;
    (count > 0.0).then(|| times.iter().sum::<f64>() / count)
}

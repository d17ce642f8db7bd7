//! Round trips a minute while the line is loaded, after draft-ietf-ippm-responsiveness-09. Pure.
//!
//! As there: trimmed means (the slowest twentieth left out), half of the load's own connection, half
//! of others ("foreign"): a third each TCP's handshake, TLS's, and a request. Where too few new
//! connections came about, round trips of the control connection stand for the others.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::far_end::Opening;

/// Round trips that are too few to speak of.
const FEW: usize = 5;
/// New connections that are too few to speak of: each is three round trips.
const FEW_NEW: usize = 3;
/// Of a hundred, those that are not left out.
const KEPT_PERCENT: usize = 95;

/// How the line answers while it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Responsiveness {
    /// Round trips a minute.
    pub rpm: f64,
    /// Trimmed mean over other connections, in milliseconds.
    pub other_ms: f64,
    /// Trimmed mean over the load's own connection, in milliseconds.
    pub own_ms: f64,
    /// Round trips over the control connection.
    pub pings: u64,
    /// New connections; absent when there were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
}

/// Connections that were opened while the line was loaded: trimmed means, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Foreign {
    /// TCP's handshake.
    pub tcp_ms: f64,
    /// TLS 1.3's handshake: one round trip.
    pub tls_ms: f64,
    /// A small request and its answer.
    pub request_ms: f64,
    /// How many were opened.
    pub opened: u64,
    /// How many could not be.
    pub failed: u64,
}

impl Foreign {
    /// From how long each took to open; `None` of too few.
    pub fn of(openings: &[Opening], failed: u64) -> Option<Self> {
        let mean = |of: fn(&Opening) -> f64| trimmed_mean(&openings.iter().map(of).collect::<Vec<_>>());
        (openings.len() >= FEW_NEW).then_some(())?;
        Some(Self {
            tcp_ms: mean(|opening| opening.tcp_ms)?,
            tls_ms: mean(|opening| opening.tls_ms)?,
            request_ms: mean(|opening| opening.request_ms)?,
            opened: openings.len() as u64,
            failed,
        })
    }

    fn mean_ms(&self) -> f64 {
        (self.tcp_ms + self.tls_ms + self.request_ms) / 3.0
    }
}

/// Puts it together; `None` of too few.
pub fn responsiveness(pings_ms: &[f64], own_ms: &[f64], foreign: Option<Foreign>) -> Option<Responsiveness> {
    if pings_ms.len() < FEW && foreign.is_none() {
        return None;
    }
    let other = foreign.map(|foreign| foreign.mean_ms()).or_else(|| trimmed_mean(pings_ms))?;
    let own = trimmed_mean(own_ms)?;
    let rpm = 60_000.0 / f64::midpoint(other, own).max(0.001);
    Some(Responsiveness { rpm, other_ms: other, own_ms: own, pings: pings_ms.len() as u64, foreign })
}

fn trimmed_mean(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.truncate((times.len() * KEPT_PERCENT).div_ceil(100).max(1));
    #[expect(clippy::cast_precision_loss, reason = "round trips of one test")]
    let count = times.len() as f64;
    (count > 0.0).then(|| times.iter().sum::<f64>() / count)
}

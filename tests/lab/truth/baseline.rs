//! What simpler rules would have said of the bytes that golive's test saw arrive.

use serde_json::Value;

use crate::truth::Stream;
use crate::truth::table::Said;

/// Slots of golive's series in a second.
const SECOND: usize = 10;
const TEST: usize = 10 * SECOND;
/// OBS's wizard lets 2.5 s pass before it measures.
const WARM_UP: usize = 25;

/// What arrived in each slot of the upload that is a report's only check.
pub fn arrived(report: &Value) -> Vec<u64> {
    let slots = report["checks"][0]["reading"]["upload"]["arrived_bytes"].as_array();
    slots.into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// "The mean of a test of ten seconds, less a third, must be the bit rate."
pub fn mean(slots: &[u64], stream: &Stream) -> Said {
    said(slots, 0, 1.0 / 1.5, stream)
}

/// OBS's wizard: 70 % of what ten seconds reached after a warm-up.
pub fn wizard(slots: &[u64], stream: &Stream) -> Said {
    said(slots, WARM_UP, 0.7, stream)
}

fn said(slots: &[u64], from: usize, share: f64, stream: &Stream) -> Said {
    let Some(test) = slots.get(from..from + TEST) else { return Said::Inconclusive };
    let bits = test.iter().sum::<u64>() as f64 * 8.0;
    let kbps = bits / (TEST / SECOND) as f64 / 1000.0;
    if kbps * share >= f64::from(stream.kbps) { Said::Go } else { Said::NoGo }
}

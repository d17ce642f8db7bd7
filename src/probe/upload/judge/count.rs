//! Whether what was acknowledged arrived.

use super::super::{Answer, Reading, Vantage};
use super::{code, float};
use crate::model::Finding;

/// Share of acknowledged bytes that must have arrived by the other side's sum.
const ARRIVED: f64 = 0.95;
/// An answer to an upload that comes so soon after the last acknowledgement was held up by nothing.
const AT_ONCE_MS: f64 = 2000.0;
/// So soon, in milliseconds, an answer says nothing against a test however short.
const A_MOMENT_MS: f64 = 500.0;
/// Bytes that its kernel may hold unread at the end.
const ON_ITS_WAY: f64 = 262_144.0;

/// Whether acknowledgements can be believed, where they are the series: the other side's own sum.
pub(super) fn count(reading: &Reading) -> Option<Finding> {
    if let Some(answer) = reading.answer.as_ref().filter(|answer| (200..300).contains(&answer.status)) {
        return Some(taken(answer, float(reading.measured_ms())));
    }
    let total = reading.total.filter(|_| reading.vantage == Vantage::Acknowledged)?;
    let expected = "what was acknowledged arrived";
    let (arrived, acknowledged) = (total.received_bytes, total.acknowledged_bytes);
    let observed = format!("{arrived} bytes arrived of {acknowledged} acknowledged");
    if float(arrived) + ON_ITS_WAY >= ARRIVED * float(acknowledged) {
        return Some(Finding::pass(code::COUNT_CONFIRMED, expected, observed));
    }
    let remedy = "ask the network team what ends TCP connections in between (a proxy, a WAN optimiser), and \
                  measure against a golive far end, which counts what arrives";
    Some(Finding::unknown(code::COUNT_CONTRADICTED, expected, observed, remedy))
}

/// A server answers when it has all: had something in between held much back, that would be late. So late that
/// the line may have carried a twentieth less, the figures are not known to be the line's.
fn taken(answer: &Answer, measured_ms: f64) -> Finding {
    let expected = "the server has all when all is acknowledged";
    let observed = format!("it answered {} {:.0} ms after that", answer.status, answer.after_ms);
    let unproven = answer.after_ms > A_MOMENT_MS.max((1.0 - ARRIVED) * measured_ms);
    if answer.after_ms <= AT_ONCE_MS && !unproven {
        return Finding::pass(code::COUNT_CONFIRMED, expected, observed);
    }
    let remedy = "find out whether the server itself is slow to answer (a disk, a scan), or a proxy in between \
                  holds the data back: then measure against a golive far end, which counts what arrives";
    if unproven {
        let observed = format!(
            "{observed}: what it was sent in {:.0} s may have taken so much longer",
            measured_ms / 1000.0
        );
        return Finding::unknown(code::COUNT_LATE, expected, observed, remedy);
    }
    Finding::warn(code::COUNT_LATE, expected, observed, remedy)
}

//! Each measured figure against its limit.

use super::{LATE_MS, count};
use crate::model::{AtMost, Code, Finding};
use crate::probe::path::findings::{
    BURST, BURST_LONG, DUPLICATED, JITTER, JITTER_HIGH, LOSS, LOSS_HIGH, NOT_TOLD, ORDER, REORDERED,
    ROUND_TRIP, ROUND_TRIP_LONG, SINGLE, UNEVEN,
};
use crate::probe::path::{Flow, Limits, Method, RoundTrip};

const LOSS_OF: &str = "loss";
const BURST_OF: &str = "longest burst of loss";
const JITTER_OF: &str = "jitter";
const ORDER_OF: &str = "out of order";
const P99_OF: &str = "round trip, 99 %";
const SINGLE_OF: &str = "duplicated";

/// One measured figure and how it is held against its limit.
struct Figure {
    within: Code,
    beyond: Code,
    value: f64,
    unit: &'static str,
    remedy: &'static str,
}

pub(super) fn hold_against(limits: &Limits, flow: &Flow, trip: &RoundTrip, place: &str) -> Vec<Finding> {
    let percent = |part: u64| 100.0 * count(part) / count(flow.sent.max(1));
    let delay = "network team: find where the delay arises (queues under load, VPN, wireless), or choose an ingest nearer by";
    let trips = |limit, name: &'static str, value| {
        let figure = Figure { within: ROUND_TRIP, beyond: ROUND_TRIP_LONG, value, unit: "ms", remedy: delay };
        (limit, name, figure)
    };
    let figures = [
        (
            limits.loss_percent,
            LOSS_OF,
            Figure {
                within: LOSS,
                beyond: LOSS_HIGH,
                value: percent(flow.sent.saturating_sub(flow.received)),
                unit: "%",
                remedy: "network team: look for errors and full queues on this way; take a wire instead of wireless; SRT with more latency repairs some loss",
            },
        ),
        (
            limits.longest_burst_ms,
            BURST_OF,
            Figure {
                within: BURST,
                beyond: BURST_LONG,
                value: flow.longest_burst_ms,
                unit: "ms",
                remedy: "network team: look for link changes, roaming or re-routing; the encoder's latency must exceed such a gap",
            },
        ),
        (
            limits.jitter_ms,
            JITTER_OF,
            Figure {
                within: JITTER,
                beyond: JITTER_HIGH,
                value: flow.jitter_ms,
                unit: "ms",
                remedy: "network team: keep other load off this line, or give the stream priority",
            },
        ),
        trips(limits.round_trip_p50_ms, "round trip, median", trip.p50_ms),
        trips(limits.round_trip_p95_ms, "round trip, 95 %", trip.p95_ms),
        trips(limits.round_trip_p99_ms, P99_OF, trip.p99_ms),
        (
            limits.reordered_percent,
            ORDER_OF,
            Figure {
                within: ORDER,
                beyond: REORDERED,
                value: percent(flow.reordered),
                unit: "%",
                remedy: "network team: look for load balancing per packet on this way",
            },
        ),
        (
            limits.duplicated_percent,
            SINGLE_OF,
            Figure {
                within: SINGLE,
                beyond: DUPLICATED,
                value: percent(flow.duplicates),
                unit: "%",
                remedy: "network team: look for a loop or a doubled link on this way",
            },
        ),
    ];
    let tells = |name: &str| flow.method != Method::Tcp || handshakes_tell(flow, name, limits);
    figures
        .into_iter()
        .filter_map(|(limit, name, figure)| {
            let AtMost(limit) = limit?;
            let Figure { within, beyond, value, unit, remedy } = figure;
            let expected = format!("{name} ≤ {limit} {unit}");
            let observed = format!("{value:.2} {unit}, {place}");
            Some(if !tells(name) {
                not_told(flow, expected, place)
            } else if value <= limit {
                Finding::pass(within, expected, observed)
            } else if [JITTER_OF, P99_OF].contains(&name) && flow.late_max_ms > LATE_MS {
                own_doing(flow, expected, &observed)
            } else {
                Finding::fail(beyond, expected, observed, remedy)
            })
        })
        .collect()
}

/// What a few packets decide may be this machine's own when it stood still meanwhile, if only once. The
/// median and the 95th percentile are not: more than one packet in a hundred would have left late.
fn own_doing(flow: &Flow, expected: String, observed: &str) -> Finding {
    let observed = format!("{observed}, but this machine itself stood still for {:.0} ms", flow.late_max_ms);
    let remedy = "close other programs on this machine, or take another one, and run the check again";
    Finding::unknown(UNEVEN, expected, observed, remedy)
}

/// Handshakes are few, small and one after another: they tell delay, and loss where enough of them
/// were made that a single lost one is within the limit, or where more were lost than so many may lose.
fn handshakes_tell(flow: &Flow, name: &str, limits: &Limits) -> bool {
    let enough = |AtMost(limit): AtMost<f64>| limit <= 0.0 || count(flow.sent) * limit >= 100.0;
    let beyond = flow.sent.saturating_sub(flow.received) >= 2;
    match name {
        LOSS_OF => limits.loss_percent.is_none_or(|limit| enough(limit) || beyond),
        BURST_OF | ORDER_OF | SINGLE_OF => false,
        _ => true,
    }
}

/// A limit that the method cannot tell about.
pub(super) fn not_told(flow: &Flow, expected: String, place: &str) -> Finding {
    let observed = format!("{} cannot tell, {place}", flow.method.words());
    let remedy = "measure to a far end, or to a reflector, which takes packets like the stream's";
    Finding::unknown(NOT_TOLD, expected, observed, remedy)
}

//! What would have become of the planned stream on what was measured, and what that says of the event.

use super::super::replay::{Bridge, Replayed, replay};
use super::super::series::SETTLE;
use super::{LATE_MS, Limits, Reading, SLOT_MS, code, float, gaps_unknown, late, percent, seconds};
use crate::model::Finding;
use crate::model::risk::{BRIDGE_PAUSES, Standing, Stated, Watched, spells};

/// Share of lost pictures over which OBS warns.
const WARN_SHARE: f64 = 0.01;
/// A stream that loses so much is broken, however short the test.
const BROKEN: f64 = 0.2;
/// A share of lost pictures that no busy moment of a computer explains.
const BEYOND_DOUBT: f64 = 0.5;
/// What TCP holds back for its own repairs, ms: a retransmission time-out (RFC 6298: 200 ms at least on Linux) and
/// some round trips. A shorter pause of its series says nothing of packets over UDP.
const OWN_REPAIRS_MS: u64 = 500;
/// The chance over which a gap that was seen once condemns a line, when the policy names none. On recorded
/// uplinks one short gap in a minute was followed by a broken minute in 27 of 100 cases, more gaps in 70 to 95.
const CHANCE: f64 = 0.25;

/// What the replay gave; `None` when no stream is known, or the series is too coarse or too short.
pub(super) fn replayed(limits: &Limits, reading: &Reading) -> Option<Replayed> {
    let kbps = limits.stream_kbps?.0;
    let bridge = limits
        .stream_latency_ms
        .map_or(Bridge::Encoder, |limit| Bridge::Latency(limit.0.max(OWN_REPAIRS_MS)));
    let settled = SETTLE * 1000 / usize::try_from(reading.slot_ms.max(1)).ok()?;
    let slots = reading.arrived_bytes.get(settled..).filter(|slots| !slots.is_empty())?;
    (reading.slot_ms <= SLOT_MS).then(|| replay(slots, reading.slot_ms, kbps, bridge)).flatten()
}

/// Share of pictures that may be lost.
fn allowed(limits: &Limits) -> f64 {
    limits.lost_pictures_share.map_or(WARN_SHARE, |limit| limit.0)
}

/// True when the stream came through what was measured.
pub(super) fn comes_through(limits: &Limits, replayed: Option<&Replayed>) -> bool {
    replayed.is_some_and(|replayed| replayed.share() <= allowed(limits))
}

/// The stream itself, then the risk for the whole event.
pub(super) fn judge(limits: &Limits, reading: &Reading, replayed: Option<&Replayed>) -> Vec<Finding> {
    let Some(kbps) = limits.stream_kbps else { return Vec::new() };
    let carried = limits.stream_latency_ms.map_or_else(
        || "an encoder's queue".to_owned(),
        |limit| format!("SRT with {} ms of latency", limit.0),
    );
    let expected =
        format!("{} kb/s through {carried}: ≤ {} of pictures lost", kbps.0, percent(allowed(limits)));
    let Some(replayed) = replayed else {
        return Vec::from_iter(gaps_unknown(expected, reading));
    };
    let watched = Watched {
        seconds: float(reading.measured_ms()) / 1000.0 - float(SETTLE as u64),
        spells: spells(replayed.lost_at_ms.iter().copied()),
    };
    let stated = Stated::of(watched, limits.stream_s, limits.gap_risk);
    let mut findings = vec![through(limits, reading, replayed, &stated, expected)];
    let (expected, observed) = (stated.expected, stated.observed);
    findings.push(match stated.standing {
        Standing::Within => Finding::pass(code::RISK, expected, observed),
        _ if is_busy(reading).is_some() => {
            Finding::unknown(code::RISK_UNPROVEN, expected, observed, stated.longer)
        }
        Standing::Beyond => Finding::fail(code::RISK_HIGH, expected, observed, BRIDGE_PAUSES),
        Standing::Unproven => Finding::unknown(code::RISK_UNPROVEN, expected, observed, stated.longer),
    });
    findings
}

fn is_busy(reading: &Reading) -> Option<f64> {
    late(reading).filter(|late| *late >= LATE_MS)
}

fn through(
    limits: &Limits,
    reading: &Reading,
    replayed: &Replayed,
    stated: &Stated,
    expected: String,
) -> Finding {
    let first = replayed.lost_at_ms.first().map_or(String::new(), |at| {
        format!(", the first after {} s", seconds(at.saturating_add(SETTLE as u64 * 1000)))
    });
    let share = replayed.share();
    let observed = format!("{} ({} of {} pictures{first})", percent(share), replayed.lost, replayed.pictures);
    if share <= allowed(limits) {
        return Finding::pass(code::STREAM_OK, expected, observed);
    }
    if let Some(late) = is_busy(reading).filter(|_| share < BEYOND_DOUBT) {
        let observed = format!("{observed}, but a computer at one end was busy for {late:.0} ms itself");
        let remedy = "close what else runs on both computers, then run the check again";
        return Finding::unknown(code::SUSPECT, expected, observed, remedy);
    }
    let risk = limits.gap_risk.map_or(CHANCE, |limit| limit.0);
    if share < BROKEN && stated.chance.standing(risk) != Standing::Beyond {
        let remedy = "measure for ten minutes, on the wire and at the hour of the event";
        return Finding::unknown(code::STREAM_DOUBTFUL, expected, observed, remedy);
    }
    Finding::fail(code::STREAM_BREAKS, expected, observed, BRIDGE_PAUSES)
}

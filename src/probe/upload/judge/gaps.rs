//! Pauses: the longest, and how many there were.

use super::super::findings as code;
use super::super::{Reading, SHORTEST_GAP_MS, SLOT_MS, series};
use super::{LATE_MS, late, seconds};
use crate::model::{AtMost, Code, Finding};

/// A pause outside its limit: a failure of the line, unless one of the computers was busy.
fn pause(limits: Code, reading: &Reading, expected: String, observed: String) -> Finding {
    if let Some(late) = late(reading).filter(|late| *late >= LATE_MS) {
        let observed = format!("{observed}, but a computer at one end was busy for {late:.0} ms itself");
        let remedy = "close what else runs on both computers, then run the check again";
        return Finding::unknown(code::SUSPECT, expected, observed, remedy);
    }
    let remedy = "find what pauses the line (Wi-Fi roaming, a backup job, a policer, a failover), use a \
                  cable, or stream over SRT with a latency beyond the pause";
    Finding::fail(limits, expected, observed, remedy)
}

/// Whole seconds hide gaps.
pub(super) fn gaps_unknown(expected: String, reading: &Reading) -> Option<Finding> {
    if reading.slot_ms <= SLOT_MS {
        return None;
    }
    let observed = format!("{} tells whole seconds only", reading.way.words());
    let remedy = "measure against a golive far end, or over TCP";
    Some(Finding::unknown(code::GAPS_UNKNOWN, expected, observed, remedy))
}

pub(super) fn stall(limit: AtMost<u64>, reading: &Reading) -> Finding {
    let longest = series::longest_stall_ms(&reading.arrived_bytes, reading.slot_ms, &reading.gaps);
    let expected = format!("no pause over {} ms", limit.0);
    if let Some(unknown) = gaps_unknown(expected.clone(), reading) {
        return unknown;
    }
    let least = SHORTEST_GAP_MS;
    let observed =
        if longest < least { format!("none of {least} ms or more") } else { format!("{longest} ms") };
    if longest <= limit.0 {
        Finding::pass(code::STALL_OK, expected, observed)
    } else {
        pause(code::STALLED, reading, expected, observed)
    }
}

pub(super) fn many_gaps(limit: AtMost<u64>, ms: u64, reading: &Reading) -> Finding {
    let (slots, left_out) = (&reading.arrived_bytes, reading.gaps_left_out);
    let mut count = series::gaps_over(&reading.gaps, ms);
    if ms == SHORTEST_GAP_MS {
        count = count.saturating_add(left_out);
    } else if left_out > 0 {
        count = count.max(series::empty_over(slots, reading.slot_ms, ms));
    }
    let expected = format!("≤ {} gaps of {ms} ms or more", limit.0);
    if let Some(unknown) = gaps_unknown(expected.clone(), reading) {
        return unknown;
    }
    let observed = format!("{count} in {} s", seconds(reading.measured_ms()));
    let hidden = left_out > 0 && ms > SHORTEST_GAP_MS && series::no_gap_of_ms(slots, reading.slot_ms) > ms;
    if count <= limit.0 && hidden {
        let observed = format!("{observed}, and {left_out} more gaps whose length is not known");
        let remedy = "find what pauses the line so often, or measure for a shorter time";
        Finding::unknown(code::GAPS_UNKNOWN, expected, observed, remedy)
    } else if count <= limit.0 {
        Finding::pass(code::GAPS_OK, expected, observed)
    } else {
        pause(code::GAPS_MANY, reading, expected, observed)
    }
}

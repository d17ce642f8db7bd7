//! From payload to IP packets: what a line carried in all, as its contract counts. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SLOT_MS;
use super::series::{SETTLE, percentile, second};

/// How far a usual second lies from the median at most: one of which a slot of ten is missing lies too far.
const USUAL: f64 = 0.095;
/// How far the rate across half of a test lies from that of its usual seconds at most, where no bad second has
/// crept into it.
const SAME: f64 = 0.01;

/// What the test put on the line as IP packets, as far as the system tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packets {
    /// TCP's payload of a full segment, in bytes.
    pub payload_bytes: u32,
    /// Bytes of its IP packet.
    pub packet_bytes: u32,
    /// Bytes of IP packets that were sent beside the load in each slot, by this machine's clock: questions,
    /// new connections, acknowledgements of reports.
    pub beside_bytes: Vec<u64>,
}

/// Counts what is sent beside the load. What the system does not tell makes all of it unknown.
#[derive(Debug)]
pub(super) struct Counter {
    slots: Option<Vec<u64>>,
    before: Option<u64>,
}

impl Counter {
    /// The control connection has sent so many bytes of IP packets before the load.
    pub(super) const fn new(before: Option<u64>) -> Self {
        Self { slots: Some(Vec::new()), before }
    }

    /// The control connection has sent so many by now.
    pub(super) fn control(&mut self, offset_ms: f64, sent: Option<u64>) {
        let more = sent.zip(self.before).map(|(sent, before)| sent.saturating_sub(before));
        self.before = sent;
        self.add(offset_ms, more);
    }

    /// So many were sent on another connection.
    pub(super) fn add(&mut self, offset_ms: f64, bytes: Option<u64>) {
        let (Some(slots), Some(bytes)) = (&mut self.slots, bytes) else {
            self.slots = None;
            return;
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates at 0")]
        let slot = (offset_ms / f64::from(SLOT_MS)) as usize;
        if bytes > 0 {
            slots.resize(slots.len().max(slot + 1), 0);
            slots[slot] = slots[slot].saturating_add(bytes);
        }
    }

    /// What was counted in so many slots.
    pub(super) fn slots(mut self, most: usize) -> Option<Vec<u64>> {
        self.slots.as_mut()?.truncate(most);
        self.slots
    }
}

/// What the line carried of IP packets in its usual seconds, kb/s: their mean, or what it carried across half of the
/// test at a time where that says nearly the same. Of a second one packet, or what waits behind a lost one, is
/// a per cent and more on a slow line; across a longer time it is lost in the sum, but so are seconds that were bad.
pub(super) fn capacity_kbps(arrived: &[u64], slot_ms: u32, packets: &Packets) -> Option<f64> {
    let length = second(slot_ms);
    let slots = ip_bytes(arrived, packets);
    let slots = slots.get(SETTLE * length..)?;
    let usual = of_usual_seconds(slots, length)?;
    let bytes = of_halves(slots).filter(|long| (long - usual).abs() <= SAME * usual).unwrap_or(usual);
    bytes.is_finite().then(|| bytes * 8.0 / f64::from(slot_ms.max(1)))
}

/// Bytes of IP packets in each slot.
fn ip_bytes(arrived: &[u64], packets: &Packets) -> Vec<f64> {
    let whole = f64::from(packets.packet_bytes) / f64::from(packets.payload_bytes.max(1));
    let beside = packets.beside_bytes.iter().copied().chain(std::iter::repeat(0));
    #[expect(clippy::cast_precision_loss, reason = "bytes of a slot are far below 2^52")]
    let of_slot = |(load, beside): (&u64, u64)| *load as f64 * whole + beside as f64;
    arrived.iter().zip(beside).map(of_slot).collect()
}

/// Bytes of a slot: the mean of the seconds, moved on by a slot each, that lie within [`USUAL`] of their median.
fn of_usual_seconds(slots: &[f64], length: usize) -> Option<f64> {
    let mut seconds: Vec<f64> = slots.windows(length).map(mean).collect();
    let median = percentile(&mut seconds, 50)?;
    seconds.retain(|second| (second - median).abs() <= USUAL * median);
    Some(mean(&seconds))
}

/// Bytes of a slot: the mean of the middle half (interquartile mean) of what half of the test carried, moved on by
/// a slot each.
fn of_halves(slots: &[f64]) -> Option<f64> {
    // By sums up to each slot: a report of a million slots, true or forged, takes no time for each pair of them.
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(slots.iter().scan(0.0, |sum, bytes| {
            *sum += bytes;
            Some(*sum)
        }))
        .collect();
    let half = (slots.len() / 2).max(1);
    #[expect(clippy::cast_precision_loss, reason = "slots of a test are far below 2^52")]
    let of_half = |(before, after): (&f64, &f64)| (after - before) / half as f64;
    let mut halves: Vec<f64> = sums.iter().zip(sums.get(half..)?).map(of_half).collect();
    halves.sort_by(f64::total_cmp);
    let quarter = halves.len() / 4;
    halves.get(quarter..halves.len() - quarter).filter(|middle| !middle.is_empty()).map(mean)
}

#[expect(clippy::cast_precision_loss, reason = "slots of a test are far below 2^52")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packets(beside_bytes: Vec<u64>) -> Packets {
        Packets { payload_bytes: 1_448, packet_bytes: 1_500, beside_bytes }
    }

    #[test]
    fn headers_and_what_was_asked_beside_are_what_the_line_carried_too() {
        // 1 Mb/s of packets, of which 1250 bytes a second are the test's own beside the load.
        let arrived: Vec<u64> = vec![12_375 * 1_448 / 1_500; 400];
        let beside: Vec<u64> = (0..400).map(|slot| if slot % 10 == 0 { 1_250 } else { 0 }).collect();
        let all = capacity_kbps(&arrived, 100, &packets(beside)).unwrap();
        let load = capacity_kbps(&arrived, 100, &packets(Vec::new())).unwrap();
        assert!((all - 1_000.0).abs() < 0.2 && (load - 990.0).abs() < 0.2, "{all} {load}");
    }

    #[test]
    fn a_slow_line_is_not_rounded_to_whole_packets() {
        // 83 1/3 packets a second, one every 12 ms.
        let packets_by = |slot: u64| slot * 100 / 12;
        let arrived: Vec<u64> = (0..380).map(|n| (packets_by(n + 1) - packets_by(n)) * 1_448).collect();
        let found = capacity_kbps(&arrived, 100, &packets(Vec::new())).unwrap();
        assert!((found - 1_000.0).abs() < 0.3, "{found}");
    }

    /// What a reader gets of a slow line whose queue overflows every two seconds: for a quarter of a second
    /// nothing, while a lost packet is awaited, and then all at once.
    fn held_back() -> Vec<u64> {
        let packets_by = |slot: u64| slot * 100 / 12;
        let read_by = |slot: u64| packets_by(if slot % 20 < 3 { slot - slot % 20 } else { slot });
        (0..367).map(|slot| (read_by(slot + 1) - read_by(slot)) * 1_448).collect()
    }

    #[test]
    fn what_waits_behind_a_lost_packet_is_not_lost() {
        for (from, to) in [(0, 367), (0, 361), (7, 362), (1, 342)] {
            let found = capacity_kbps(&held_back()[from..to], 100, &packets(Vec::new())).unwrap();
            assert!((found - 1_000.0).abs() < 0.5, "{from}..{to}: {found}");
        }
    }

    #[test]
    fn bad_seconds_do_not_creep_into_the_longer_look() {
        let mut arrived = held_back();
        for start in (50..350).step_by(100) {
            arrived[start..start + 20].fill(0);
        }
        let found = capacity_kbps(&arrived, 100, &packets(Vec::new())).unwrap();
        assert!((found - 1_000.0).abs() < 10.0, "{found}");
    }

    #[test]
    fn neither_start_up_nor_bad_seconds_count() {
        let mut arrived = vec![60_000_u64; 300];
        arrived[..20].fill(1);
        arrived[100..150].fill(0);
        let found = capacity_kbps(&arrived, 100, &packets(Vec::new())).unwrap();
        assert!((found - 60_000.0 * 10.0 * 8.0 / 1_000.0 * 1_500.0 / 1_448.0).abs() < 1.0, "{found}");
        assert_eq!(capacity_kbps(&arrived[..29], 100, &packets(Vec::new())), None);
    }

    #[test]
    fn a_forged_report_of_a_million_slots_is_soon_read() {
        let arrived = vec![60_000_u64; 1_000_000];
        let found = capacity_kbps(&arrived, 100, &packets(Vec::new())).unwrap();
        assert!((found - 60_000.0 * 10.0 * 8.0 / 1_000.0 * 1_500.0 / 1_448.0).abs() < 1.0, "{found}");
    }

    #[test]
    fn what_is_sent_falls_into_its_slot_and_what_is_not_told_is_unknown() {
        let mut counter = Counter::new(Some(5_000));
        counter.control(120.0, Some(5_150));
        counter.add(130.0, Some(1_500));
        counter.control(990.0, Some(5_150));
        counter.control(2_050.0, Some(5_200));
        assert_eq!(counter.slots(10), Some(vec![0, 1_650, 0, 0, 0, 0, 0, 0, 0, 0]));
        let mut counter = Counter::new(Some(0));
        counter.control(100.0, None);
        counter.add(130.0, Some(1));
        assert_eq!(counter.slots(10), None);
    }

    proptest! {
        #[test]
        fn any_series_has_a_finite_capacity_or_none(
            arrived in prop::collection::vec(any::<u64>(), 0..100),
            beside_bytes in prop::collection::vec(any::<u64>(), 0..100),
            (slot_ms, payload_bytes, packet_bytes) in any::<(u32, u32, u32)>(),
        ) {
            let packets = Packets { payload_bytes, packet_bytes, beside_bytes };
            prop_assert!(capacity_kbps(&arrived, slot_ms, &packets).is_none_or(f64::is_finite));
        }
    }
}

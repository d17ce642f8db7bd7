//! From payload to IP packets: what a line carried in all, as its contract counts. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SLOT_MS;
use super::series::{SETTLE, percentile, second, total};

/// How far a usual second lies from the median at most.
const USUAL: f64 = 0.1;

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

/// What the line carried of IP packets in its usual seconds, kb/s: the mean of those within a tenth of their
/// median. The median itself is a whole number of packets, which on a slow line is a per cent more or less, and so
/// is most of any part of them that is taken by rank.
pub(super) fn capacity_kbps(arrived: &[u64], slot_ms: u32, packets: &Packets) -> Option<f64> {
    let length = second(slot_ms);
    let rows = arrived.get(SETTLE * length..)?;
    let beside = packets.beside_bytes.get(SETTLE * length..).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "bytes of a second are far below 2^52")]
    let float = |bytes: u64| bytes as f64;
    let whole = f64::from(packets.packet_bytes) / f64::from(packets.payload_bytes.max(1));
    let of_second = |(start, window): (usize, &[u64])| {
        let beside = beside.get(start..).map_or(0, |rest| total(rest.get(..length).unwrap_or(rest)));
        float(total(window)) * whole + float(beside)
    };
    let mut seconds: Vec<f64> = rows.windows(length).enumerate().map(of_second).collect();
    let median = percentile(&mut seconds, 50)?;
    let usual: Vec<f64> =
        seconds.into_iter().filter(|bytes| (bytes - median).abs() <= USUAL * median).collect();
    let mean = usual.iter().sum::<f64>() / float(usual.len() as u64);
    mean.is_finite().then(|| mean * 8.0 / (float(length as u64) * f64::from(slot_ms.max(1))))
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

//! One way's packets from coming in to coming out: the pipeline, those under way, and the count.
//! Pure, with time as an argument: ns since some start.

use std::time::Duration;

use crate::wan::counters::{Counters, LATE};
use crate::wan::delivery::{Delivery, Parcel};
use crate::wan::pipeline::{Fate, Pipeline};

/// One way.
#[derive(Debug)]
pub struct Flow {
    /// As it was before the first packet.
    unused: Pipeline,
    pipeline: Pipeline,
    /// When the pipeline's time began.
    begun: u64,
    delivery: Delivery,
    counters: Counters,
    number: u64,
}

impl Flow {
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            unused: pipeline.clone(),
            pipeline,
            begun: 0,
            delivery: Delivery::default(),
            counters: Counters::default(),
            number: 0,
        }
    }

    /// All clocks and counters begin anew. Those under way still arrive, and count as arrived.
    pub fn restart(&mut self, now: u64) {
        self.pipeline = self.unused.clone();
        self.begun = now;
        self.counters = Counters { arrived: self.delivery.originals(), ..Counters::default() };
    }

    /// Takes in a packet; never earlier than the one before.
    pub fn accept(&mut self, now: u64, packet: &[u8]) {
        if is_link_local(packet) {
            self.counters.link_local += 1;
            return;
        }
        self.counters.arrived += 1;
        self.number += 1;
        match self.pipeline.packet(now - self.begun, packet.len()) {
            Fate::Lost(cause) => self.counters.lost(cause),
            Fate::Arrives { at, twice } => {
                for copy in [false, true].into_iter().take(1 + usize::from(twice)) {
                    let bytes = packet.to_vec();
                    self.delivery.add(Parcel { due: at + self.begun, number: self.number, copy, bytes });
                }
            }
        }
    }

    /// When the next comes out.
    pub fn next(&self) -> Option<u64> {
        self.delivery.next()
    }

    /// Lets out the next that is due.
    pub fn release(&mut self, now: u64) -> Option<Parcel> {
        let (parcel, overtaken) = self.delivery.due(now)?;
        let late = Duration::from_nanos(now - parcel.due);
        let counters = &mut self.counters;
        counters.late += u64::from(late > LATE);
        counters.latest = counters.latest.max(late);
        if parcel.copy {
            counters.duplicated += 1;
        } else {
            counters.passed += 1;
            counters.passed_bytes += parcel.bytes.len() as u64;
            counters.reordered += u64::from(overtaken);
        }
        Some(parcel)
    }

    /// The far interface did not take one.
    pub fn refused(&mut self) {
        self.counters.refused += 1;
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }
}

/// What an interface says to its own link only: `224.0.0.0/24` and `ff02::/16`. The kernel sends
/// some when it likes, and a count of packets would not repeat.
fn is_link_local(packet: &[u8]) -> bool {
    match packet.first().map(|first| first >> 4) {
        Some(4) => packet.get(16..19) == Some(&[224, 0, 0]),
        Some(6) => packet.get(24..26) == Some(&[0xff, 0x02]),
        _ => false,
    }
}

//! Packets under way, in the order in which they come out.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// A packet under way.
#[derive(Debug)]
pub struct Parcel {
    /// When it is due: ns since the carrier's start.
    pub due: u64,
    /// Counts those that came in.
    pub number: u64,
    /// The second of two.
    pub copy: bool,
    pub bytes: Vec<u8>,
}

/// Those under way.
#[derive(Debug, Default)]
pub struct Delivery {
    parcels: BinaryHeap<Reverse<Parcel>>,
    /// The highest number that came out.
    highest: Option<u64>,
}

impl Delivery {
    pub fn add(&mut self, parcel: Parcel) {
        self.parcels.push(Reverse(parcel));
    }

    /// How many are under way, copies apart.
    pub fn originals(&self) -> u64 {
        self.parcels.iter().filter(|parcel| !parcel.0.copy).count() as u64
    }

    /// When the next is due.
    pub fn next(&self) -> Option<u64> {
        self.parcels.peek().map(|first| first.0.due)
    }

    /// The next that is due now, and whether one that came in later was out before it (RFC 4737).
    pub fn due(&mut self, now: u64) -> Option<(Parcel, bool)> {
        if self.next()? > now {
            return None;
        }
        let parcel = self.parcels.pop()?.0;
        let overtaken = self.highest.is_some_and(|highest| parcel.number < highest);
        self.highest = self.highest.max(Some(parcel.number));
        Some((parcel, overtaken))
    }
}

impl Parcel {
    fn place(&self) -> (u64, u64, bool) {
        (self.due, self.number, self.copy)
    }
}

impl Ord for Parcel {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Parcel {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Parcel {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl Eq for Parcel {}

//! Packets under way, in the order in which they come out.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

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
    /// Those that came in the order in which they go out: on most lines, all.
    ordered: VecDeque<Parcel>,
    /// Those that overtake one of these.
    overtaking: BinaryHeap<Reverse<Parcel>>,
    /// The highest number that came out.
    highest: Option<u64>,
}

impl Delivery {
    pub fn add(&mut self, parcel: Parcel) {
        if self.ordered.back().is_none_or(|last| *last <= parcel) {
            self.ordered.push_back(parcel);
        } else {
            self.overtaking.push(Reverse(parcel));
        }
    }

    /// How many are under way, copies apart.
    pub fn originals(&self) -> u64 {
        let all = self.ordered.iter().chain(self.overtaking.iter().map(|parcel| &parcel.0));
        all.filter(|parcel| !parcel.copy).count() as u64
    }

    fn first(&self) -> Option<&Parcel> {
        match (self.ordered.front(), self.overtaking.peek()) {
            (Some(one), Some(Reverse(other))) => Some(one.min(other)),
            (one, other) => one.or(other.map(|parcel| &parcel.0)),
        }
    }

    /// When the next is due.
    pub fn next(&self) -> Option<u64> {
        self.first().map(|first| first.due)
    }

    /// The next that is due now, and whether one that came in later was out before it (RFC 4737).
    pub fn due(&mut self, now: u64) -> Option<(Parcel, bool)> {
        let first = self.first().filter(|first| first.due <= now)?.place();
        let is_ordered = self.ordered.front().is_some_and(|parcel| parcel.place() == first);
        let parcel = if is_ordered { self.ordered.pop_front()? } else { self.overtaking.pop()?.0 };
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

//! Puts a reading together while it comes in. No sockets, no clocks.

use std::net::SocketAddr;

use super::{Gap, SLOT_MS};
use crate::wire::control::{self, Reply};

/// Gaps kept: an hour of them at one every 3.6 s.
const MAX_GAPS: usize = 1000;

/// What has come in so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) slots: Vec<u64>,
    pub(super) gaps: Vec<Gap>,
    pub(super) gaps_left_out: u64,
    pub(super) seen_as: Option<SocketAddr>,
}

impl Tally {
    /// Takes a report; returns the slots that are new, as their number and bytes. What does not
    /// continue the series (a far end that counts wrongly) is dropped.
    pub(super) fn arrivals(
        &mut self,
        first: u32,
        bytes: &[u64],
        gaps: &[control::Gap],
        most: usize,
    ) -> Vec<(usize, u64)> {
        for gap in gaps {
            keep(&mut self.gaps, &mut self.gaps_left_out, Gap { at_ms: gap.at_ms, ms: gap.ms });
        }
        if usize::try_from(first).ok() != Some(self.slots.len()) {
            return Vec::new();
        }
        let from = self.slots.len();
        let room = most.saturating_sub(from);
        self.slots.extend(bytes.iter().take(room));
        self.slots.iter().copied().enumerate().skip(from).collect()
    }

    /// Takes any reply that belongs to a running upload; true when bytes arrived.
    pub(super) fn reply(&mut self, reply: &Reply, most: usize) -> (bool, Vec<(usize, u64)>) {
        match reply {
            Reply::Attached { from } => self.seen_as = Some(*from),
            Reply::Arrivals { first, bytes, gaps } => {
                let fresh = self.arrivals(*first, bytes, gaps, most);
                return (bytes.iter().any(|bytes| *bytes > 0), fresh);
            }
            _ => {}
        }
        (false, Vec::new())
    }

    /// The rate of the last second; `None` before there is one.
    pub(super) fn last_second_kbps(&self) -> Option<f64> {
        let slots = 1000 / SLOT_MS as usize;
        let bytes = super::series::total(self.slots.get(self.slots.len().checked_sub(slots)?..)?);
        #[expect(clippy::cast_precision_loss, reason = "bytes of a second are far below 2^52")]
        let kbps = bytes as f64 * 8.0 / 1000.0;
        Some(kbps)
    }

    /// See [`cut`].
    pub(super) fn cut_to(&mut self, slots: usize) {
        cut(&mut self.slots, &mut self.gaps, slots);
    }
}

/// Keeps a gap; of more than [`MAX_GAPS`] the longest, in order.
pub(super) fn keep(gaps: &mut Vec<Gap>, left_out: &mut u64, gap: Gap) {
    gaps.push(gap);
    if gaps.len() > MAX_GAPS
        && let Some((shortest, _)) = gaps.iter().enumerate().min_by_key(|(_, gap)| gap.ms)
    {
        gaps.remove(shortest);
        *left_out += 1;
    }
}

/// Leaves what lies within `most` slots: afterwards the sender had stopped, and silence means
/// nothing.
pub(super) fn cut(slots: &mut Vec<u64>, gaps: &mut Vec<Gap>, most: usize) {
    slots.truncate(most);
    let end = slots.len() as u64 * u64::from(SLOT_MS);
    gaps.retain(|gap| gap.at_ms < end);
    for gap in gaps.iter_mut() {
        gap.ms = gap.ms.min(end - gap.at_ms);
    }
    gaps.retain(|gap| gap.ms >= 2 * u64::from(SLOT_MS));
}

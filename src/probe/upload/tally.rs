//! Puts a reading together while it comes in. No sockets, no clocks.

use std::net::SocketAddr;

use super::{Gap, LoadedRtt, SLOT_MS};
use crate::net::tcp_info::TcpInfo;
use crate::wire::control::{self, Reply};

/// Gaps kept: an hour of them at one every 3.6 s.
const MAX_GAPS: usize = 1000;
/// Milliseconds that one kept round trip stands for.
const RTT_EVERY_MS: f64 = 1000.0;

/// What has come in so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) slots: Vec<u64>,
    pub(super) gaps: Vec<Gap>,
    pub(super) gaps_left_out: u64,
    pub(super) seen_as: Option<SocketAddr>,
    pub(super) loaded_rtt: Vec<LoadedRtt>,
    pub(super) last: Option<TcpInfo>,
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
            if self.gaps.len() < MAX_GAPS {
                self.gaps.push(Gap { at_ms: gap.at_ms, ms: gap.ms });
            } else {
                self.gaps_left_out += 1;
            }
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

    /// Takes a look at the kernel's figures; true when more was acknowledged than before.
    pub(super) fn kernel(&mut self, offset_ms: f64, info: TcpInfo) -> bool {
        let grown = info.bytes_acked > self.last.and_then(|last| last.bytes_acked);
        self.last = Some(info);
        if let Some(rtt_ms) = info.rtt_ms {
            match self.loaded_rtt.last_mut() {
                Some(last) if offset_ms < last.offset_ms + RTT_EVERY_MS => {
                    last.rtt_ms = last.rtt_ms.max(rtt_ms);
                }
                _ => self.loaded_rtt.push(LoadedRtt { offset_ms, rtt_ms }),
            }
        }
        grown
    }

    /// Leaves what lies within `slots` slots: afterwards the sender had stopped, and silence
    /// means nothing.
    pub(super) fn cut_to(&mut self, slots: usize) {
        self.slots.truncate(slots);
        let end = self.slots.len() as u64 * u64::from(SLOT_MS);
        self.gaps.retain(|gap| gap.at_ms < end);
        for gap in &mut self.gaps {
            gap.ms = gap.ms.min(end - gap.at_ms);
        }
        self.gaps.retain(|gap| gap.ms >= 2 * u64::from(SLOT_MS));
    }
}

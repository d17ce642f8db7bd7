//! The slowest place of a way: when a packet has left it.

use std::collections::VecDeque;

use crate::wan::line::{Boost, Way};
use crate::wan::trace::Capacity;

/// Sends one packet after the other, and holds those that wait.
#[derive(Clone, Debug)]
pub struct Bottleneck {
    sender: Sender,
    limit: u64,
    /// Those inside: when each has left, and its bytes.
    inside: VecDeque<(u64, u64)>,
    bytes: u64,
}

#[derive(Clone, Debug)]
enum Sender {
    /// No rate: everything has left at once.
    Wire,
    Steady {
        rate: u64,
        boost: Option<Boosting>,
        /// In ps, so that rounding does not add up.
        free_at: u128,
    },
    /// What of the capacity is used up, in its unit.
    Traced { capacity: Capacity, used: u128 },
}

#[derive(Clone, Copy, Debug)]
struct Boosting {
    rate: u64,
    left: Left,
}

#[derive(Clone, Copy, Debug)]
enum Left {
    Bits(u64),
    Picoseconds(u128),
}

const SECOND_PS: u128 = 1_000_000_000_000;

impl Bottleneck {
    pub fn new(way: &Way) -> Result<Self, String> {
        let (sender, mean) = match (way.rate_mbps, &way.trace) {
            (Some(_), Some(_)) => return Err("rate_mbps and trace: one of them".to_owned()),
            (None, None) => (Sender::Wire, None),
            (Some(rate), None) => {
                let rate = bits(rate);
                let boost = way.boost.map(|boost| Boosting::new(boost, rate)).transpose()?;
                (Sender::Steady { rate, boost, free_at: 0 }, Some(rate))
            }
            (None, Some(trace)) => {
                let capacity = trace.load()?;
                let mean = capacity.mean();
                (Sender::Traced { capacity, used: 0 }, Some(mean))
            }
        };
        if way.boost.is_some() && way.rate_mbps.is_none() {
            return Err("a boost needs the rate_mbps that comes after it".to_owned());
        }
        if way.queue_bytes.is_some() && mean.is_none() {
            return Err("queue_bytes needs a rate_mbps or a trace to wait for".to_owned());
        }
        let usual = mean.map_or(u64::MAX, |mean| (mean / 80).max(30_000));
        let limit = way.queue_bytes.unwrap_or(usual);
        Ok(Self { sender, limit, inside: VecDeque::new(), bytes: 0 })
    }

    /// When a packet that comes now has left (both in ns); `None` when the queue has no room for
    /// it. One that finds nobody waiting is always taken.
    pub fn send(&mut self, now: u64, bytes: u64) -> Option<u64> {
        while let Some(&(_, gone)) = self.inside.front().filter(|first| first.0 <= now) {
            self.bytes -= gone;
            self.inside.pop_front();
        }
        if !self.inside.is_empty() && self.bytes + bytes > self.limit {
            return None;
        }
        let left = self.sender.send(now, bytes * 8);
        if left > now {
            self.inside.push_back((left, bytes));
            self.bytes += bytes;
        }
        Some(left)
    }
}

impl Sender {
    fn send(&mut self, now: u64, bits: u64) -> u64 {
        match self {
            Self::Wire => now,
            Self::Steady { rate, boost, free_at } => {
                let (fast, took) = boost.as_mut().map_or((0, 0), |boost| boost.take(bits));
                let slow = u128::from(bits - fast) * SECOND_PS / u128::from(*rate);
                *free_at = (*free_at).max(u128::from(now) * 1000) + took + slow;
                free_at.div_ceil(1000) as u64
            }
            Self::Traced { capacity, used } => {
                *used = (*used).max(capacity.carried_at(now)) + u128::from(bits) * 1_000_000_000;
                capacity.time_of(*used).max(now)
            }
        }
    }
}

impl Boosting {
    fn new(boost: Boost, after: u64) -> Result<Self, String> {
        let rate = bits(boost.rate_mbps);
        if rate <= after {
            return Err("a boost's rate_mbps must be above the rate_mbps after it".to_owned());
        }
        let left = match (boost.seconds, boost.bytes) {
            (Some(seconds), None) => Left::Picoseconds((seconds * 1e12) as u128),
            (None, Some(bytes)) => Left::Bits(bytes * 8),
            _ => return Err("a boost ends after either seconds or bytes".to_owned()),
        };
        Ok(Self { rate, left })
    }

    /// How many of the bits go at the higher rate, and for how long.
    fn take(&mut self, bits: u64) -> (u64, u128) {
        let rate = u128::from(self.rate);
        let fast = match self.left {
            Left::Bits(left) => bits.min(left),
            Left::Picoseconds(left) => bits.min((left * rate / SECOND_PS) as u64),
        };
        let took = u128::from(fast) * SECOND_PS / rate;
        match &mut self.left {
            Left::Bits(left) => *left -= fast,
            // A rest too short for a bit is used up, too.
            Left::Picoseconds(left) => *left = if fast < bits { 0 } else { left.saturating_sub(took) },
        }
        (fast, took)
    }
}

/// Of Mb/s.
pub fn bits(mbps: f64) -> u64 {
    ((mbps * 1e6).round() as u64).max(1)
}

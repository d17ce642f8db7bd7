//! The two clocks: UTC for people, monotonic for durations.

use std::time::Instant;

/// UTC now.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A monotonic origin that offsets are counted from.
#[derive(Debug, Clone, Copy)]
pub struct Origin(Instant);

impl Origin {
    /// Starts counting now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the origin.
    pub fn ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }

    /// Milliseconds from the origin to `then`; 0 when `then` is earlier.
    pub fn ms_at(&self, then: Instant) -> f64 {
        then.saturating_duration_since(self.0).as_secs_f64() * 1000.0
    }
}

/// UTC by the monotonic clock from one reading of it on: does not jump when the clock is set.
#[derive(Debug, Clone, Copy)]
pub struct Wall {
    unix_ns: u64,
    at: Instant,
}

impl Wall {
    /// Reads both clocks.
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self { unix_ns: since.map_or(0, |since| whole_ns(since.as_nanos())), at: Instant::now() }
    }

    /// Nanoseconds since the Unix epoch at `then` (not before this reading).
    pub fn unix_ns(&self, then: Instant) -> u64 {
        self.unix_ns.saturating_add(whole_ns(then.saturating_duration_since(self.at).as_nanos()))
    }
}

fn whole_ns(ns: u128) -> u64 {
    u64::try_from(ns).unwrap_or(u64::MAX)
}

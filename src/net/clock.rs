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

//! What is at stake: facts of the event from which limits are derived.

use std::collections::BTreeMap;

use super::StreamName;

/// What one stream needs, as sent, before protocol overhead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StreamNeed {
    /// Video plus audio, kb/s.
    pub media_kbps: u64,
    /// Factor on top, ≥ 1.
    pub headroom: f64,
    /// Share that the transport adds (0.03 for RTMP, 0.08 for SRT: measured, `evidence.md`).
    pub overhead: f64,
    /// SRT's latency, ms; none for RTMP, whose encoder queues and drops.
    pub latency_ms: Option<u16>,
}

impl StreamNeed {
    /// Bit rate × (1 + protocol overhead) × headroom, kb/s, rounded up.
    pub fn required_kbps(&self) -> u64 {
        self.times(self.headroom)
    }

    /// What the stream itself puts on the wire, kb/s: bit rate × (1 + protocol overhead), rounded up.
    pub fn wire_kbps(&self) -> u64 {
        self.times(1.0)
    }

    fn times(&self, factor: f64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bit rates are far below 2^52 and the factors are checked to be finite and ≥ 1"
        )]
        let kbps = (self.media_kbps as f64 * (1.0 + self.overhead) * factor).ceil() as u64;
        kbps
    }
}

/// Facts of the event that limits may be derived from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stakes {
    /// When the event ends.
    pub event_ends: Option<jiff::Timestamp>,
    /// How long it lasts, in seconds, when the policy knows both its start and its end.
    pub event_seconds: Option<u64>,
    /// What each stream needs.
    pub streams: BTreeMap<StreamName, StreamNeed>,
}

//! Timestamps and error estimates of STAMP packets (RFC 8762 section 4.2.1).

/// Seconds from the NTP epoch (1900) to the Unix epoch (RFC 5905 figure 4).
const UNIX_EPOCH_S: u64 = 2_208_988_800;
const NANOS: u64 = 1_000_000_000;

/// An NTP timestamp: 32 bits of seconds since 1900 and 32 bits of fraction (RFC 5905
/// section 6). Wraps in 2036: only differences below 68 years mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ntp(u64);

impl Ntp {
    /// As on the wire.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As on the wire.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// From nanoseconds since the Unix epoch.
    #[expect(clippy::cast_possible_truncation, reason = "the era is dropped on purpose: RFC 5905 section 6")]
    pub const fn from_unix_ns(ns: u64) -> Self {
        let seconds = (ns / NANOS + UNIX_EPOCH_S) as u32;
        let fraction = ((ns % NANOS) << 32) / NANOS;
        Self(((seconds as u64) << 32) | fraction)
    }

    /// From PTP's truncated format (32 bits of seconds, 32 of nanoseconds; RFC 8186), up to the
    /// constant between the two epochs: only differences mean anything.
    pub fn from_ptp(bits: u64) -> Self {
        let nanos = (bits & 0xffff_ffff).min(NANOS - 1);
        Self(((bits >> 32) << 32) | ((nanos << 32) / NANOS))
    }

    /// Nanoseconds, rounded, from `earlier` to `self`, negative when `earlier` is later.
    #[expect(clippy::cast_possible_truncation, reason = "± 2^31 s in ns fits 62 bits")]
    pub const fn since_ns(self, earlier: Self) -> i64 {
        let units = self.0.wrapping_sub(earlier.0).cast_signed();
        ((units as i128 * NANOS as i128 + (1 << 31)) >> 32) as i64
    }
}

/// How far a timestamp can be trusted (RFC 4656 section 4.1.2, with the Z bit of RFC 8186).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorEstimate(u16);

impl ErrorEstimate {
    /// Not synchronised to UTC, NTP format, error 2^-10 s (about 1 ms): what a host may claim
    /// that does not ask its clock daemon.
    pub const UNSYNCHRONISED: Self = Self((22 << 8) | 1);

    /// As on the wire.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// As on the wire.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// S bit: the clock is synchronised to UTC by an external source.
    pub const fn synchronised(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// Z bit: the timestamp is in PTP's truncated format (seconds and nanoseconds), not NTP's.
    pub const fn ptp(self) -> bool {
        self.0 & 0x4000 != 0
    }

    /// The estimate in seconds: multiplier × 2^(scale − 32). `None` for a multiplier of 0,
    /// which the RFC declares invalid.
    pub fn seconds(self) -> Option<f64> {
        let [upper, multiplier] = self.0.to_be_bytes();
        let scale = i32::from(upper & 0x3f);
        (multiplier != 0).then(|| f64::from(multiplier) * 2f64.powi(scale - 32))
    }
}

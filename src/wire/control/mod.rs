//! The far end's control protocol: what the two sides of golive say to each other.

mod refusal;

pub use refusal::Refusal;

/// ALPN protocol name of the control connection (RFC 7301).
pub const ALPN: &[u8] = b"golive-control/1";

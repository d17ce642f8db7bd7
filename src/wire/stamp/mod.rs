//! STAMP, the Simple Two-Way Active Measurement Protocol (RFC 8762), unauthenticated mode,
//! with the session identifier, extra padding and class of service of RFC 8972.
//!
//! [`packet`] holds the two packets, [`tlv`] what may stand behind them, [`ntp`] their timestamps, [`session`] what a sender
//! learns from the replies. Pure: every time is an argument.
//!
//! Parsing allocates nothing. A [`Session`] allocates once, when made, at most
//! [`MAX_PACKETS`] × 24 bytes (1.4 MB), and never grows whatever arrives.

pub mod ntp;
pub mod packet;
pub mod session;
#[cfg(test)]
mod tests;
pub mod tlv;

pub use ntp::{ErrorEstimate, Ntp};
pub use packet::{Answer, BASE_BYTES, MAX_BYTES, Malformed, Receipt, ReflectorPacket, SenderPacket};
pub use session::{Arrival, MAX_PACKETS, RoundTrip, Session, Statistics};
pub use tlv::{CLASS_OF_SERVICE_BYTES, ClassOfService, class_of_service};

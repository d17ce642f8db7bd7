//! The far end's control protocol: what the two sides of golive say to each other.
//!
//! Inside TLS 1.3, on the far end's TCP port: frames of a 4-byte big-endian length and that
//! much JSON ([`frame`]); requests from the probing side, replies from the far end
//! ([`message`]). The first request, `hello`, proves the token and is padded, so that no
//! reply is larger than what was received until the token is proved ([`ledger`]).
//!
//! In the place of `hello`, `echo` asks which TLS `ClientHello` arrived: without the token, since it is
//! asked where somebody may have opened TLS on the way. It is padded, too, and the connection ends with
//! its answer.
//!
//! The bytes of the TLS handshake itself are not in that count: they go only to an address
//! that has completed a TCP handshake and so has proved that it is where it says it is.

pub mod datagram;
pub mod frame;
pub mod hold;
pub mod ledger;
pub mod message;
pub mod proof;
mod refusal;
mod sight;
#[cfg(test)]
mod tests;

pub use frame::{BadFrame, Frames, encode};
pub use ledger::Ledger;
pub use message::{Ended, Gap, Grant, Reply, Request, Ticket};
pub use proof::Proof;
pub use refusal::{FAR_END_ENDED, Refusal};
pub use sight::Sight;

/// Version of the protocol; both sides must speak the same.
pub const VERSION: u32 = 1;

/// ALPN protocol name of the control connection (RFC 7301).
pub const ALPN: &[u8] = b"golive-control/1";

/// First byte of a TLS connection (`ContentType` handshake, RFC 8446 section 5.1): how the far
/// end tells control from upload data on its one TCP port.
pub const TLS_FIRST_BYTE: u8 = 0x16;

/// First bytes of an upload's data connection; its 16-byte ticket follows, then any bytes.
pub const DATA_MAGIC: [u8; 8] = *b"GOLIVEu1";

/// Length of one slot of an arrival report.
pub const SLOT_MS: u32 = 100;

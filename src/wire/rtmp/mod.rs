//! RTMP 1.0 (Adobe, *Real Time Messaging Protocol*, 21 December 2012), without sockets or clocks.
//!
//! [`client::Client`] publishes, [`server::Server`] is the ingest of our far end and demo. Both are
//! given bytes as they arrive, in pieces of any size, and hand out bytes to send and steps taken. They
//! never wait: time limits are the caller's, who says [`client::Client::give_up`] when one has passed.
//!
//! # Bounds
//! Whatever the peer sends, either machine holds at most
//! [`chunk::MAX_HELD`] bytes of unfinished messages (twice that with `Vec`'s growth),
//! [`chunk::MAX_CHUNK_STREAMS`] chunk stream states of less than 100 bytes each,
//! [`MAX_REPLIES`] bytes of replies not yet taken (then it stops with [`Malformed::Flood`]),
//! [`MAX_STEPS`] steps not yet taken, and one decoded command of at most
//! [`amf0::MAX_VALUES`] values. Media are counted, never stored.

use thiserror::Error;

use crate::model::REDACTED;

pub mod address; // rtmp:// and rtmps:// URLs
pub mod amf0; // the values that commands are made of
pub mod chunk; // messages cut into chunks and put together again
pub mod client; // publisher: handshake, connect, publish, media
pub mod command; // connect, publish, onStatus …
pub mod control; // the small messages that steer the connection
pub mod handshake; // C0–C2, S0–S2
mod link; // what both sides share
pub mod server; // ingest: handshake, connect, publish, counting

#[cfg(test)]
mod tests;

/// Most bytes of replies that wait to be taken, before the peer counts as flooding.
pub const MAX_REPLIES: usize = 16 * 1024;

/// Most steps that wait to be taken; further notices are dropped, the last step never is.
pub const MAX_STEPS: usize = 32;

/// Most characters kept of any text that a peer sends (codes, descriptions, names).
pub const MAX_TEXT: usize = 512;

/// The peer broke the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// An AMF0 value ends before its end.
    #[error("a value is cut short")]
    Truncated,
    /// AMF0 values stand inside one another deeper than [`amf0::MAX_DEPTH`].
    #[error("values are nested more than {} deep", amf0::MAX_DEPTH)]
    TooDeep,
    /// More AMF0 values than [`amf0::MAX_VALUES`].
    #[error("more than {} values in one command", amf0::MAX_VALUES)]
    TooMany,
    /// An AMF0 type marker that has no meaning here.
    #[error("value of unknown type 0x{0:02x}")]
    UnknownMarker(u8),
    /// A command message that does not start with a name, and if more follows, a transaction number.
    #[error("a command without name or transaction number")]
    NotACommand,
    /// A chunk size of 0 or with its top bit set (§5.4.1).
    #[error("impossible chunk size {0}")]
    ChunkSize(u32),
    /// More chunk streams at once than [`chunk::MAX_CHUNK_STREAMS`].
    #[error("more than {} chunk streams", chunk::MAX_CHUNK_STREAMS)]
    TooManyChunkStreams,
    /// A chunk whose header leans on an earlier one that never came.
    #[error("chunk stream {0} starts without a full header")]
    NoHeader(u32),
    /// A new message starts on a chunk stream before the last one ended.
    #[error("a message on chunk stream {0} is broken off")]
    Interrupted(u32),
    /// A message, other than media, longer than [`chunk::MAX_HELD`] bytes; or too many unfinished ones.
    #[error("a message of type {kind} and {length} bytes is too long")]
    TooLong {
        /// Message type id.
        kind: u8,
        /// Its length in bytes, as its header gives it.
        length: u32,
    },
    /// A protocol control message of the wrong length (§5.4).
    #[error("a control message of type {0} has the wrong length")]
    BadControl(u8),
    /// Requests come faster than their replies are taken, or far more bytes come than anyone asked for.
    #[error("the peer sends more than it should")]
    Flood,
}

/// `text` without `secrets`, as a server may repeat a stream key in its answer, and cut to [`MAX_TEXT`]
/// characters.
fn clean(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, REDACTED);
    }
    text.chars().take(MAX_TEXT).collect()
}

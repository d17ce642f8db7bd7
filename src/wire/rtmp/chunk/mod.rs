//! The chunk stream (§5.3): messages are cut into chunks, interleaved, and put together again.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::{Outgoing, Writer};

/// Most bytes of unfinished and finished messages, media apart, that a [`Reader`] holds at once; so
/// also the longest command that it reads.
pub const MAX_HELD: usize = 64 * 1024;

/// Most chunk streams that a [`Reader`] follows. Real peers use fewer than ten.
pub const MAX_CHUNK_STREAMS: usize = 64;

/// First bytes of a media message that are kept: codec, frame type, packet type.
pub const MEDIA_HEAD: usize = 16;

/// Chunk size before anyone sets another, in bytes (§5.4.1).
pub const DEFAULT_CHUNK_SIZE: u32 = 128;

/// Largest chunk size with a meaning: no message is longer (§5.4.1).
pub const MAX_CHUNK_SIZE: u32 = 0xFF_FFFF;

/// A timestamp field of this value says that the real one follows (§5.3.1.3).
const EXTENDED: u32 = 0xFF_FFFF;

/// What a message is (§5.4, §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 1, §5.4.1
    SetChunkSize,
    /// 2, §5.4.2
    Abort,
    /// 3, §5.4.3
    Acknowledgement,
    /// 4, §7.1.7
    UserControl,
    /// 5, §5.4.4
    WindowAcknowledgementSize,
    /// 6, §5.4.5
    SetPeerBandwidth,
    /// 8, §7.1.4
    Audio,
    /// 9, §7.1.5
    Video,
    /// 17, §7.1.1: one zero byte, then as [`Kind::Command`]
    CommandAmf3,
    /// 18, §7.1.2
    Data,
    /// 20, §7.1.1
    Command,
    /// 22, §7.1.6
    Aggregate,
    /// Any other.
    Other(u8),
}

impl Kind {
    /// From a message type id.
    pub const fn from_id(id: u8) -> Self {
        match id {
            1 => Self::SetChunkSize,
            2 => Self::Abort,
            3 => Self::Acknowledgement,
            4 => Self::UserControl,
            5 => Self::WindowAcknowledgementSize,
            6 => Self::SetPeerBandwidth,
            8 => Self::Audio,
            9 => Self::Video,
            17 => Self::CommandAmf3,
            18 => Self::Data,
            20 => Self::Command,
            22 => Self::Aggregate,
            other => Self::Other(other),
        }
    }

    /// Its message type id.
    pub const fn id(self) -> u8 {
        match self {
            Self::SetChunkSize => 1,
            Self::Abort => 2,
            Self::Acknowledgement => 3,
            Self::UserControl => 4,
            Self::WindowAcknowledgementSize => 5,
            Self::SetPeerBandwidth => 6,
            Self::Audio => 8,
            Self::Video => 9,
            Self::CommandAmf3 => 17,
            Self::Data => 18,
            Self::Command => 20,
            Self::Aggregate => 22,
            Self::Other(id) => id,
        }
    }

    /// Whether a [`Reader`] keeps the whole message. Of the rest it keeps [`MEDIA_HEAD`] bytes.
    pub const fn is_kept(self) -> bool {
        !matches!(self, Self::Audio | Self::Video | Self::Data | Self::Aggregate | Self::Other(_))
    }
}

/// A message (§6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Chunk stream that carries it: 2 for control, else from 3 up (§5.3.1.1).
    pub chunk_stream: u32,
    /// Message stream: 0 for the connection, else as `createStream` gave it.
    pub stream: u32,
    /// Time in milliseconds, from the sender's own zero, wrapping.
    pub timestamp: u32,
    /// What it is.
    pub kind: Kind,
    /// Length in bytes as its header gives it, at most 2^24 - 1.
    pub length: u32,
    /// The payload; of a kind that is not kept, its first [`MEDIA_HEAD`] bytes.
    pub body: Vec<u8>,
}

//! What a player reads before it shows a picture: an HLS playlist (RFC 8216) or a DASH manifest
//! (ISO/IEC 23009-1), and which kind of media a segment's first bytes are.
//!
//! HLS is read by a parser of its own: `m3u8-rs` 6.0.1 refuses `#EXT-X-KEY:METHOD=NONE` as RFC 8216
//! (4.3.2.4) wants it.

pub mod dash;
pub mod hls;
mod segment;

pub use segment::Container;

/// Part of a resource: its first byte and its length.
pub type Span = (u64, u64);

/// One thing to fetch, relative to the document that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// URI, as written.
    pub uri: String,
    /// The part of it that is meant; all when absent.
    pub span: Option<Span>,
}

/// One quality of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its playlist (HLS).
    pub uri: String,
    /// Its highest bit rate, kb/s, as announced.
    pub kbps: u64,
    /// Width and height, pixels.
    pub size: Option<(u32, u32)>,
}

/// What there is to play.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    /// True while more is to come.
    pub live: bool,
    /// How often something new must come, s: target duration, or how long the manifest may be kept.
    pub every_s: f64,
    /// How much can be played now, s.
    pub seconds: f64,
    /// What names the newest segment; changes as a live stream moves on.
    pub newest: String,
    /// What a decoder needs first.
    pub init: Option<Piece>,
    /// The segment that a player would start with.
    pub first: Piece,
    /// How long that one lasts, s.
    pub first_s: f64,
    /// Whether it is encrypted as a whole, so that its bytes tell nothing.
    pub encrypted: bool,
}

/// Why a document is of no use to a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unplayable {
    /// Not what it should be.
    #[error("it is no HLS playlist (RFC 8216 asks for #EXTM3U in the first line)")]
    NotHls,
    /// Not what it should be.
    #[error("it is no DASH manifest")]
    NotDash,
    /// A playlist without what each must have.
    #[error("it lacks #EXT-X-TARGETDURATION (RFC 8216, 4.3.3.1)")]
    NoTarget,
    /// Nothing to play.
    #[error("it names no segment")]
    NoSegment,
}

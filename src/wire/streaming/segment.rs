//! Which kind of media a segment is, by its first bytes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bytes of a packet of an MPEG transport stream (ISO/IEC 13818-1).
const TS_PACKET: usize = 188;

/// Kinds of segments (RFC 8216, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// An MPEG transport stream.
    TransportStream,
    /// Fragmented MPEG-4.
    Fmp4,
    /// `WebM`.
    Webm,
    /// Audio alone, packed.
    PackedAudio,
    /// Captions.
    WebVtt,
    /// A web page or other text.
    Text,
    /// Anything else.
    Other,
}

impl Container {
    /// By its first bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let boxes: [&[u8]; 6] = [b"ftyp", b"styp", b"moof", b"sidx", b"emsg", b"prft"];
        match bytes {
            [0x47, ..]
                if bytes.get(TS_PACKET).is_none_or(|next| *next == 0x47) && bytes.len() >= TS_PACKET =>
            {
                Self::TransportStream
            }
            _ if bytes.get(4..8).is_some_and(|kind| boxes.contains(&kind)) => Self::Fmp4,
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Self::Webm,
            [b'I', b'D', b'3', ..] => Self::PackedAudio,
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Self::PackedAudio,
            _ if bytes.starts_with(b"WEBVTT") || bytes.starts_with(b"\xef\xbb\xbfWEBVTT") => Self::WebVtt,
            _ if is_text(bytes) => Self::Text,
            _ => Self::Other,
        }
    }

    /// Whether a player can play it.
    pub const fn is_media(self) -> bool {
        !matches!(self, Self::Text | Self::Other)
    }

    /// For a sentence: "an MPEG transport stream".
    pub const fn words(self) -> &'static str {
        match self {
            Self::TransportStream => "an MPEG transport stream",
            Self::Fmp4 => "fragmented MPEG-4",
            Self::Webm => "WebM",
            Self::PackedAudio => "packed audio",
            Self::WebVtt => "captions",
            Self::Text => "text",
            Self::Other => "nothing that a player knows",
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let start = bytes.get(..64).unwrap_or(bytes);
    !start.is_empty() && start.iter().all(|byte| matches!(byte, 9 | 10 | 13 | 0x20..=0x7e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_told_by_their_first_bytes() {
        let mut stream = vec![0; 2 * TS_PACKET];
        (stream[0], stream[TS_PACKET]) = (0x47, 0x47);
        assert_eq!(Container::of(&stream), Container::TransportStream);
        stream[TS_PACKET] = 0;
        assert_eq!(Container::of(&stream), Container::Other);
        assert_eq!(Container::of(b"\0\0\0\x18stypmsdh"), Container::Fmp4);
        assert_eq!(Container::of(b"\x1a\x45\xdf\xa3"), Container::Webm);
        assert_eq!(Container::of(b"\xff\xf1\x50"), Container::PackedAudio);
        assert_eq!(Container::of(b"WEBVTT\n"), Container::WebVtt);
        assert_eq!(Container::of(b"<html>Blocked</html>"), Container::Text);
        assert_eq!(Container::of(b""), Container::Other);
        assert!(!Container::Text.is_media() && Container::Fmp4.is_media());
    }
}

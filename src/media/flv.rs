//! Tags of an FLV file (Adobe, *Video File Format Specification* 10.1, annex E). Nothing is copied: a tag
//! borrows from the file, so that reading allocates nothing whatever a file claims.

use thiserror::Error;

/// What a tag holds (E.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// 8
    Audio,
    /// 9
    Video,
    /// 18: `onMetaData`
    Script,
}

/// One tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it holds.
    pub kind: TagKind,
    /// Milliseconds since the file's start.
    pub timestamp_ms: u32,
    /// Its body: what an RTMP message of the same type carries.
    pub body: &'a [u8],
}

impl Tag<'_> {
    /// Whether it configures a decoder (AVC or AAC sequence header, E.4.2.2 and E.4.3.2) instead of
    /// carrying media.
    pub fn is_header(&self) -> bool {
        match self.kind {
            TagKind::Audio => matches!(self.body, [sound, 0, ..] if sound >> 4 == 10),
            TagKind::Video => matches!(self.body, [video, 0, ..] if video & 0x0F == 7),
            TagKind::Script => true,
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadFlv {
    /// It does not start like one.
    #[error("no FLV header")]
    Header,
    /// It ends within a tag.
    #[error("a tag is cut short")]
    Truncated,
    /// A tag that is neither audio, video nor script, or is encrypted.
    #[error("a tag of unknown type {0}")]
    UnknownTag(u8),
    /// There is no video or no audio in it.
    #[error("video or audio is missing")]
    Incomplete,
}

/// The tags of a file, in order; ends after the first error.
#[derive(Debug, Clone)]
pub struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Tags<'a> {
    /// Starts at the header of a file (E.2).
    pub fn new(file: &'a [u8]) -> Result<Self, BadFlv> {
        let (header, _) = file.split_first_chunk::<9>().ok_or(BadFlv::Header)?;
        let [b'F', b'L', b'V', 1, _, offset @ ..] = header else { return Err(BadFlv::Header) };
        let offset = usize::try_from(u32::from_be_bytes(*offset)).map_err(|_| BadFlv::Header)?;
        let first_tag = offset.checked_add(4).ok_or(BadFlv::Header)?; // after the zeroth "previous tag size"
        Ok(Self { rest: file.get(first_tag..).ok_or(BadFlv::Header)? })
    }

    fn tag(&mut self) -> Result<Tag<'a>, BadFlv> {
        let (header, rest) = self.rest.split_first_chunk::<11>().ok_or(BadFlv::Truncated)?;
        let [kind, l2, l1, l0, t2, t1, t0, t3, _, _, _] = *header;
        let kind = match kind {
            8 => TagKind::Audio,
            9 => TagKind::Video,
            18 => TagKind::Script,
            other => return Err(BadFlv::UnknownTag(other)),
        };
        let length = usize::try_from(u32::from_be_bytes([0, l2, l1, l0])).map_err(|_| BadFlv::Truncated)?;
        let (body, rest) = rest.split_at_checked(length).ok_or(BadFlv::Truncated)?;
        self.rest = rest.get(4..).ok_or(BadFlv::Truncated)?;
        Ok(Tag { kind, timestamp_ms: u32::from_be_bytes([t3, t2, t1, t0]), body })
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = Result<Tag<'a>, BadFlv>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let tag = self.tag();
        if tag.is_err() {
            self.rest = &[];
        }
        Some(tag)
    }
}

//! The loop, played without end.

use super::flv::{BadFlv, Tag, TagKind, Tags};

/// The file that `make-loop.sh` made.
const LOOP: &[u8] = include_bytes!("loop.flv");

/// How long one turn lasts: 48 frames at 25 per second, or 90 AAC frames of 1024 samples at 48 kHz.
const TURN_MS: u32 = 1920;

/// One tag body and when it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: TagKind,
    /// When it is due, in milliseconds since the stream's start; never falls.
    pub due_ms: u64,
    /// What an RTMP message of that type carries.
    pub body: &'a [u8],
}

impl Frame<'_> {
    /// Whether it is a picture: video, and no sequence header.
    pub fn is_picture(&self) -> bool {
        self.kind == TagKind::Video && matches!(self.body, [_, 1, ..])
    }

    /// [`Frame::due_ms`] as RTMP writes it: wrapping at 32 bits.
    pub fn timestamp(&self) -> u32 {
        let [.., a, b, c, d] = self.due_ms.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// A stream without end: first what configures the decoders, then the loop, turn after turn, its times
/// running on. It starts with a keyframe.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    headers: Vec<Tag<'static>>,
    media: Vec<Tag<'static>>,
    turn_ms: u32,
    at: usize,
    turn: u64,
}

impl Rehearsal {
    /// The test card that is built in.
    pub fn test_card() -> Result<Self, BadFlv> {
        Self::read(LOOP, TURN_MS)
    }

    /// A loop of `file`, of which the first `turn_ms` milliseconds are played.
    pub fn read(file: &'static [u8], turn_ms: u32) -> Result<Self, BadFlv> {
        let tags = Tags::new(file)?.collect::<Result<Vec<_>, _>>()?;
        let (headers, media): (Vec<_>, Vec<_>) = tags.into_iter().partition(Tag::is_header);
        // The AAC encoder's last frame starts where the next turn does.
        let mut media: Vec<_> = media.into_iter().filter(|tag| tag.timestamp_ms < turn_ms).collect();
        media.sort_by_key(|tag| tag.timestamp_ms);
        let has = |kind| media.iter().any(|tag| tag.kind == kind);
        if has(TagKind::Video) && has(TagKind::Audio) {
            Ok(Self { headers, media, turn_ms, at: 0, turn: 0 })
        } else {
            Err(BadFlv::Incomplete)
        }
    }
}

impl Iterator for Rehearsal {
    type Item = Frame<'static>;

    fn next(&mut self) -> Option<Frame<'static>> {
        let (tag, start) = if let Some(header) = self.headers.get(self.at) {
            (*header, 0)
        } else {
            let media = self.media.get(self.at - self.headers.len())?;
            (*media, self.turn * u64::from(self.turn_ms))
        };
        self.at += 1;
        if self.at == self.headers.len() + self.media.len() {
            self.at = self.headers.len();
            self.turn += 1;
        }
        let due_ms = start + u64::from(tag.timestamp_ms);
        Some(Frame { kind: tag.kind, due_ms, body: tag.body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_test_card_plays_on_without_gap_or_step_back() {
        let frames: Vec<_> = Rehearsal::test_card().unwrap().take(3 + 138 * 3).collect();
        assert!(LOOP.len() < 60_000, "the loop is {} bytes", LOOP.len());
        assert_eq!(frames.iter().filter(|f| f.kind == TagKind::Script).count(), 1);
        assert!(frames.is_sorted_by_key(|frame| frame.due_ms));
        for (kind, step) in [(TagKind::Video, 40..=40), (TagKind::Audio, 21..=22)] {
            let media = |f: &&Frame| f.kind == kind && f.body.get(1) == Some(&1);
            let times: Vec<_> = frames.iter().filter(media).map(|f| f.due_ms).collect();
            assert!(times.len() > 100);
            for pair in times.windows(2) {
                assert!(step.contains(&(pair[1] - pair[0])), "{kind:?} at {pair:?}");
            }
        }
        let first_video = frames.iter().filter(|f| f.kind == TagKind::Video).nth(1).unwrap();
        assert_eq!(first_video.body[0] >> 4, 1, "the first picture is a keyframe");
    }

    #[test]
    fn every_truncation_of_the_file_is_an_error_or_ends_between_tags() {
        for end in 0..2000 {
            let whole: usize = match Tags::new(&LOOP[..end]) {
                Err(BadFlv::Header) if end < 13 => continue,
                Ok(tags) => tags.map_while(Result::ok).map(|tag| 15 + tag.body.len()).sum(),
                Err(other) => panic!("{other} at {end}"),
            };
            let broken = Tags::new(&LOOP[..end]).unwrap().any(|tag| tag == Err(BadFlv::Truncated));
            assert_eq!(broken, 13 + whole < end, "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_files_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = b"FLV\x01\x05\0\0\0\x09\0\0\0\0".to_vec();
            file.extend(&bytes);
            let _ = Tags::new(&bytes).map(Iterator::count);
            prop_assert!(Tags::new(&file).unwrap().count() <= 1 + bytes.len() / 15);
        }
    }
}

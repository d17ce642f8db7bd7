//! The loop, played without end.

use super::flv::{BadFlv, Tag, TagKind, Tags};
use super::nal::{self, Priority};

/// The file that `make-loop.sh` made.
const LOOP: &[u8] = include_bytes!("loop.flv");

/// How long one turn lasts: 48 frames at 25 per second, or 90 AAC frames of 1024 samples at 48 kHz.
pub(super) const TURN_MS: u32 = 1920;

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
        is_picture(self.kind, self.body)
    }

    /// Whether every picture after it can be decoded without those before it.
    pub fn is_keyframe(&self) -> bool {
        self.is_picture() && self.priority() == Priority::Highest
    }

    /// What an encoder's send queue would part with last. Audio and headers it never parts with.
    pub fn priority(&self) -> Priority {
        if self.is_picture() { nal::priority(self.body) } else { Priority::Highest }
    }

    /// [`Frame::due_ms`] as RTMP writes it: wrapping at 32 bits.
    pub fn timestamp(&self) -> u32 {
        let [.., a, b, c, d] = self.due_ms.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

fn is_picture(kind: TagKind, body: &[u8]) -> bool {
    kind == TagKind::Video && matches!(body, [_, 1, ..])
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
        // The AAC encoder's last frame starts where the next turn does; the mark that ends a file's video
        // (AVC packet type 2) has no place in a stream without end.
        let plays = |tag: &Tag| tag.kind == TagKind::Audio || is_picture(tag.kind, tag.body);
        let mut media: Vec<_> =
            media.into_iter().filter(|tag| tag.timestamp_ms < turn_ms && plays(tag)).collect();
        media.sort_by_key(|tag| tag.timestamp_ms);
        let has = |kind| media.iter().any(|tag| tag.kind == kind);
        if has(TagKind::Video) && has(TagKind::Audio) {
            Ok(Self { headers, media, turn_ms, at: 0, turn: 0 })
        } else {
            Err(BadFlv::Incomplete)
        }
    }

    /// How long one turn of the loop lasts, in milliseconds.
    pub fn turn_ms(&self) -> u64 {
        self.turn_ms.into()
    }

    /// One turn of the loop, without the headers.
    pub fn turn(&self) -> impl Iterator<Item = Frame<'static>> + Clone + use<> {
        let media = self.media.clone();
        media.into_iter().map(|tag| Frame { kind: tag.kind, due_ms: tag.timestamp_ms.into(), body: tag.body })
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
        assert!(
            first_video.is_keyframe() && first_video.body[0] >> 4 == 1,
            "the first picture is a keyframe"
        );
        let turn = frames.iter().filter(|f| f.is_picture()).take(48);
        let count = |wanted| turn.clone().filter(|f| f.priority() == wanted).count();
        assert_eq!(
            [Priority::Disposable, Priority::Low, Priority::High, Priority::Highest].map(count),
            [31, 0, 16, 1]
        );
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

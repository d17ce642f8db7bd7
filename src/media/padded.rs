//! The test stream at any bit rate: each picture padded to the size that an encoder would have given it.

use super::flv::{BadFlv, TagKind};
use super::nal::{self, Priority};
use super::queue::Waiting;
use super::rehearsal::{Frame, Rehearsal};

/// Lowest and highest bit rate, in kb/s. Below, the test card itself would be more.
pub const LEAST_KBPS: u64 = 250;
/// See [`LEAST_KBPS`].
pub const MOST_KBPS: u64 = 200_000;

/// Sizes of pictures against each other, as x264 at a constant bit rate with a keyframe every two seconds
/// gives them: the keyframe's burst is what a thin line chokes on first.
const KEYFRAME: u64 = 60;
const REFERENCE: u64 = 14;
const DISPOSABLE: u64 = 7;

/// A piece of the stream: a picture, a piece of sound, or what configures a decoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it holds.
    pub kind: TagKind,
    /// When an encoder hands it over, in milliseconds since the stream's start; never falls.
    pub due_ms: u64,
    /// What a send queue would part with last.
    pub priority: Priority,
    /// True for a picture, false for sound and headers.
    pub picture: bool,
    /// What an RTMP message of that type carries.
    pub body: Vec<u8>,
}

impl Piece {
    /// [`Piece::due_ms`] as RTMP writes it: wrapping at 32 bits.
    pub fn timestamp(&self) -> u32 {
        Frame { kind: self.kind, due_ms: self.due_ms, body: &[] }.timestamp()
    }

    /// Whether pictures after it need none before it.
    pub fn is_keyframe(&self) -> bool {
        self.picture && self.priority == Priority::Highest
    }
}

/// The stream, brought to a bit rate. The rate is that of pictures and sound together, kept exactly over
/// each turn of the loop.
#[derive(Debug, Clone)]
pub struct Padded {
    frames: Rehearsal,
    /// Bytes of pictures in a turn, and the sum of weights that share them.
    budget: u64,
    weights: u64,
}

impl Padded {
    /// The built-in test card at so many kb/s, held within [`LEAST_KBPS`] and [`MOST_KBPS`].
    pub fn test_card(kbps: u64) -> Result<Self, BadFlv> {
        let frames = Rehearsal::test_card()?;
        let turn = frames.turn();
        let sound: u64 = turn.clone().filter(|frame| !frame.is_picture()).map(|frame| size(&frame)).sum();
        let weights = turn.filter(Frame::is_picture).map(|frame| weight(frame.priority())).sum();
        let kbps = kbps.clamp(LEAST_KBPS, MOST_KBPS);
        let total = kbps * frames.turn_ms() / 8; // kb/s times ms is bits
        Ok(Self { budget: total.saturating_sub(sound), weights, frames })
    }

    /// The same stream by its sizes in bytes, for who replays it and sends nothing.
    pub fn sizes(mut self) -> impl Iterator<Item = Waiting<u64>> {
        std::iter::from_fn(move || {
            let frame = self.frames.next()?;
            let own = size(&frame);
            let picture = frame.is_picture().then(|| frame.priority());
            let piece = if picture.is_some() { own.max(self.share(&frame)) } else { own };
            Some(Waiting { due_ms: frame.due_ms, picture, piece })
        })
    }

    /// Bytes of a picture.
    fn share(&self, frame: &Frame<'_>) -> u64 {
        self.budget * weight(frame.priority()) / self.weights.max(1)
    }

    fn wanted(&self, frame: &Frame<'_>) -> usize {
        usize::try_from(self.share(frame)).unwrap_or(usize::MAX)
    }
}

fn size(frame: &Frame<'_>) -> u64 {
    frame.body.len() as u64
}

const fn weight(priority: Priority) -> u64 {
    match priority {
        Priority::Highest => KEYFRAME,
        Priority::High => REFERENCE,
        Priority::Low | Priority::Disposable => DISPOSABLE,
    }
}

impl Iterator for Padded {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let frame = self.frames.next()?;
        let picture = frame.is_picture();
        let mut body = Vec::new();
        if picture {
            let wanted = self.wanted(&frame);
            body.reserve_exact(wanted.max(frame.body.len()));
            body.extend(frame.body);
            nal::fill(&mut body, wanted.saturating_sub(frame.body.len()));
        } else {
            body.extend(frame.body);
        }
        Some(Piece { kind: frame.kind, due_ms: frame.due_ms, priority: frame.priority(), picture, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bit_rate_is_kept_from_the_least_to_the_most() {
        for kbps in [LEAST_KBPS, 1_000, 3_000, 6_128, 50_000, MOST_KBPS] {
            let pieces = Padded::test_card(kbps).unwrap().skip(3);
            let ten_turns: u64 =
                pieces.take_while(|piece| piece.due_ms < 19_200).map(|piece| piece.body.len() as u64).sum();
            let got = ten_turns * 8 / 19_200;
            assert!(got.abs_diff(kbps) * 100 <= kbps * 3, "{got} for {kbps} kb/s");
        }
    }

    #[test]
    fn sizes_are_those_of_the_pieces() {
        let pieces = Padded::test_card(3_000).unwrap().take(400);
        let sizes = Padded::test_card(3_000).unwrap().sizes();
        for (piece, size) in pieces.zip(sizes) {
            assert_eq!((piece.due_ms, piece.picture), (size.due_ms, size.picture.is_some()));
            // A filler unit has a least size.
            assert!((piece.body.len() as u64).abs_diff(size.piece) < 8, "{} {size:?}", piece.body.len());
        }
    }

    #[test]
    fn keyframes_are_bursts_and_every_picture_still_reads() {
        let pieces: Vec<Piece> = Padded::test_card(6_000).unwrap().skip(3).take(138 * 2).collect();
        let pictures: Vec<&Piece> = pieces.iter().filter(|piece| piece.picture).collect();
        let mean = pictures.iter().map(|piece| piece.body.len()).sum::<usize>() / pictures.len();
        for piece in &pictures {
            let units: Vec<u8> = nal::units(&piece.body).map(|unit| unit[0] & 31).collect();
            assert_eq!(units.last(), Some(&12), "{units:?}");
            let tenths = piece.body.len() * 10 / mean;
            let right = if piece.is_keyframe() { 50..70 } else { 5..16 };
            assert!(right.contains(&tenths), "{:?}: {tenths}", piece.priority);
        }
        assert_eq!(pictures.iter().filter(|piece| piece.is_keyframe()).count(), 2);
    }
}

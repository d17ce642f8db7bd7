//! The test stream as WebRTC sends it: H.264 without B-frames, which browsers do not take (RFC 7742), and
//! silence in Opus (RFC 7587) beside it.

use std::iter::Peekable;

use super::flv::{BadFlv, TagKind};
use super::nal::{self, Priority};
use super::rehearsal::{Frame, Rehearsal};

/// How long a packet of sound lasts.
const SOUND_MS: u64 = 20;
/// 20 ms of silence (RFC 6716, 3.1: one CELT frame, full band; the rest is what libopus makes of nothing).
const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];

/// A picture or a piece of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When it is due, in milliseconds since the stream's start; never falls.
    pub due_ms: u64,
    /// True for a picture.
    pub picture: bool,
    /// The picture's NAL units, each after a start code; or one Opus packet.
    pub data: Vec<u8>,
}

/// The stream, without end. It starts with a keyframe.
#[derive(Debug, Clone)]
pub struct Realtime {
    frames: Peekable<Rehearsal>,
    /// Sequence and picture parameter sets, which go before each keyframe.
    parameters: Vec<u8>,
    sound_ms: u64,
}

impl Realtime {
    /// The test card that is built in.
    pub fn test_card() -> Result<Self, BadFlv> {
        let mut frames = Rehearsal::test_card()?.peekable();
        let mut parameters = Vec::new();
        while let Some(header) = frames.next_if(|frame| !is_needed(frame) && frame.due_ms == 0) {
            if let (TagKind::Video, [_, 0, _, _, _, record @ ..]) = (header.kind, header.body) {
                parameters = nal::parameters(record);
            }
        }
        Ok(Self { frames, parameters, sound_ms: 0 })
    }

    fn picture(&self, frame: &Frame<'_>) -> Moment {
        let mut data = if frame.is_keyframe() { self.parameters.clone() } else { Vec::new() };
        nal::start_codes(frame.body, &mut data);
        Moment { due_ms: frame.due_ms, picture: true, data }
    }
}

/// Whether it is a picture that others need.
fn is_needed(frame: &Frame<'_>) -> bool {
    frame.is_picture() && frame.priority() > Priority::Disposable
}

impl Iterator for Realtime {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        while self.frames.next_if(|frame| !is_needed(frame)).is_some() {}
        if self.frames.peek()?.due_ms <= self.sound_ms {
            let frame = self.frames.next()?;
            return Some(self.picture(&frame));
        }
        let due_ms = self.sound_ms;
        self.sound_ms += SOUND_MS;
        Some(Moment { due_ms, picture: false, data: SILENCE.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_sound_come_in_order_and_keyframes_bring_their_parameters() {
        let moments: Vec<Moment> =
            Realtime::test_card().unwrap().take_while(|moment| moment.due_ms < 3_840).collect();
        assert!(moments.is_sorted_by_key(|moment| moment.due_ms));
        let (pictures, sound): (Vec<_>, Vec<_>) = moments.iter().partition(|moment| moment.picture);
        assert_eq!(sound.len(), 192, "every 20 ms");
        assert_eq!(pictures.len(), 2 * 17, "a keyframe and 16 others in each turn");
        for (number, picture) in pictures.iter().enumerate() {
            let kinds: Vec<u8> = picture
                .data
                .windows(5)
                .filter(|five| five[..4] == [0, 0, 0, 1])
                .map(|five| five[4] & 31)
                .collect();
            let first: &[u8] = if number % 17 == 0 { &[7, 8] } else { &[1] };
            assert!(kinds.starts_with(first), "{number}: {kinds:?}");
            assert_eq!(kinds.contains(&5), number % 17 == 0, "{number}: {kinds:?}");
        }
    }
}

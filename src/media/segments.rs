//! The test stream in segments, as an HLS encoder cuts it: MPEG transport streams that start with tables and
//! a keyframe each (RFC 8216, 3.2).

use super::flv::BadFlv;
use super::padded::{Padded, Piece};
use super::rehearsal::TURN_MS;
use super::ts::Muxer;

/// How long a segment plays, in milliseconds: one turn of the loop.
pub const SEGMENT_MS: u64 = TURN_MS as u64;

/// Segments without end, each a whole transport stream; counters and time stamps run on.
#[derive(Debug, Clone)]
pub struct Segments {
    pieces: Padded,
    muxer: Muxer,
    /// The keyframe that starts the next one.
    next: Option<Piece>,
    end_ms: u64,
}

impl Segments {
    /// The built-in test card at so many kb/s of pictures and sound, held within
    /// [`super::LEAST_KBPS`] and [`super::MOST_KBPS`].
    ///
    /// # Errors
    /// The test card is broken.
    pub fn test_card(kbps: u64) -> Result<Self, BadFlv> {
        Ok(Self { pieces: Padded::test_card(kbps)?, muxer: Muxer::default(), next: None, end_ms: 0 })
    }
}

impl Iterator for Segments {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.end_ms += SEGMENT_MS;
        let mut segment = Vec::new();
        loop {
            let piece = self.next.take().or_else(|| self.pieces.next())?;
            if piece.is_keyframe() && piece.due_ms >= self.end_ms {
                self.next = Some(piece);
                return Some(segment);
            }
            self.muxer.pack(&piece, &mut segment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ts::PACKET;
    use super::*;

    #[test]
    fn each_segment_starts_with_tables_and_a_keyframe_at_the_asked_rate() {
        for kbps in [500, 6000] {
            for segment in Segments::test_card(kbps).unwrap().take(4) {
                assert_eq!(segment.len() % PACKET, 0);
                assert!(segment.chunks(PACKET).all(|packet| packet[0] == 0x47));
                // Packet identifiers of the program association and of the map, then pictures.
                let pids: Vec<u16> = segment
                    .chunks(PACKET)
                    .take(3)
                    .map(|packet| u16::from_be_bytes([packet[1] & 0x1f, packet[2]]))
                    .collect();
                assert_eq!(pids, [0, 0x1000, 0x100]);
                // The adaptation field says that decoding may start here.
                let third = &segment[2 * PACKET..3 * PACKET];
                assert_eq!((third[3] & 0x20, third[5] & 0x40), (0x20, 0x40));
                #[expect(clippy::cast_precision_loss, reason = "a segment")]
                let rate = segment.len() as f64 * 8.0 / SEGMENT_MS as f64;
                #[expect(clippy::cast_precision_loss, reason = "a rate")]
                let asked = kbps as f64;
                assert!(rate > asked && rate < asked * 1.08 + 60.0, "{rate} of {asked} kb/s");
            }
        }
    }
}

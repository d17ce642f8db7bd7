//! The test stream as an MPEG transport stream (ISO/IEC 13818-1), which is what goes over SRT.

use super::flv::TagKind;
use super::nal;
use super::padded::Piece;

/// Bytes of a packet.
pub const PACKET: usize = 188;

/// Packet identifiers; the one of the program map is ours to choose, as are those of the streams.
const PAT: u16 = 0;
const PMT: u16 = 0x1000;
const VIDEO: u16 = 0x100;
const AUDIO: u16 = 0x101;
/// Tables come again after this: what ISO/IEC 13818-1's users ask for (ETSI TR 101 290: 0.5 s at most).
const TABLES_MS: u64 = 100;
/// How long a decoder may hold what it has, so that every time stamp lies behind its clock.
const DELAY_MS: u64 = 1000;
/// Access unit delimiter (H.264, 7.3.2.4): any slice type may follow.
const DELIMITER: [u8; 6] = [0, 0, 0, 1, 9, 0xF0];

/// Packs pieces; holds what the decoder headers said.
#[derive(Debug, Clone, Default)]
pub struct Muxer {
    /// Continuity counters of tables and streams.
    counters: [u8; 4],
    /// Sequence and picture parameter sets, each after a start code.
    parameters: Vec<u8>,
    /// Object type, sampling frequency index, channels.
    sound: Option<(u8, u8, u8)>,
    tables_ms: Option<u64>,
}

impl Muxer {
    /// Appends whole packets with this piece to `out`; none for headers, which are remembered.
    pub fn pack(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        match (piece.kind, piece.body.as_slice()) {
            (TagKind::Video, _) if piece.picture => self.picture(piece, out),
            (TagKind::Video, [_, 0, _, _, _, record @ ..]) => self.parameters = nal::parameters(record),
            (TagKind::Audio, [_, 0, a, b, ..]) => {
                self.sound = Some((a >> 3, a << 1 & 15 | b >> 7, b >> 3 & 15));
            }
            (TagKind::Audio, [_, 1, sound @ ..]) => self.sound(piece.due_ms, sound, out),
            _ => {}
        }
    }

    fn picture(&mut self, piece: &Piece, out: &mut Vec<u8>) {
        if piece.is_keyframe() || self.tables_ms.is_none_or(|last| piece.due_ms >= last + TABLES_MS) {
            self.tables_ms = Some(piece.due_ms);
            self.tables(out);
        }
        let composition = match piece.body.as_slice() {
            [_, _, a, b, c, ..] => u64::from(u32::from_be_bytes([0, *a, *b, *c])),
            _ => 0,
        };
        let dts = piece.due_ms + DELAY_MS;
        let mut elementary = header(0xE0, 0, dts + composition, Some(dts));
        elementary.reserve(piece.body.len() + 64);
        elementary.extend(DELIMITER);
        if piece.is_keyframe() {
            elementary.extend(&self.parameters);
        }
        nal::start_codes(&piece.body, &mut elementary);
        self.split(VIDEO, Some(piece.due_ms).zip(Some(piece.is_keyframe())), &elementary, out);
    }

    fn sound(&mut self, due_ms: u64, sound: &[u8], out: &mut Vec<u8>) {
        let Some((object, frequency, channels)) = self.sound else { return };
        let length = u16::try_from(sound.len() + 7).unwrap_or(u16::MAX).min(0x1FFF);
        let [high, low] = length.to_be_bytes();
        // ADTS (ISO/IEC 13818-7, 6.2): no CRC, one frame.
        let adts = [
            0xFF,
            0xF1,
            object.saturating_sub(1) << 6 | frequency << 2 | channels >> 2,
            channels << 6 | high >> 3,
            high << 5 | low >> 3,
            low << 5 | 0x1F,
            0xFC,
        ];
        let mut elementary = header(0xC0, sound.len() + 7, due_ms + DELAY_MS, None);
        elementary.extend(adts);
        elementary.extend(sound);
        self.split(AUDIO, None, &elementary, out);
    }

    fn tables(&mut self, out: &mut Vec<u8>) {
        // One program, number 1.
        let [high, low] = PMT.to_be_bytes();
        self.table(PAT, &[0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xE0 | high, low], out);
        let ([vh, vl], [ah, al]) = (VIDEO.to_be_bytes(), AUDIO.to_be_bytes());
        let map = [2, 0xB0, 23, 0, 1, 0xC1, 0, 0, 0xE0 | vh, vl, 0xF0, 0];
        // H.264 (0x1B) and AAC in ADTS (0x0F).
        let streams = [0x1B, 0xE0 | vh, vl, 0xF0, 0, 0x0F, 0xE0 | ah, al, 0xF0, 0];
        self.table(PMT, &[&map[..], &streams].concat(), out);
    }

    fn table(&mut self, pid: u16, section: &[u8], out: &mut Vec<u8>) {
        let end = out.len() + PACKET;
        out.extend(self.packet_header(pid, true, 1));
        out.push(0);
        out.extend(section);
        out.extend(crc(section).to_be_bytes());
        out.resize(end, 0xFF);
    }

    /// Cuts an elementary packet into transport packets; the first one has the clock of the given time.
    fn split(&mut self, pid: u16, clock: Option<(u64, bool)>, elementary: &[u8], out: &mut Vec<u8>) {
        let mut rest = elementary;
        let mut first = true;
        while !rest.is_empty() {
            let mut field = Vec::new();
            if let Some((ms, random_access)) = clock.filter(|_| first) {
                field.push(0x10 | if random_access { 0x40 } else { 0 });
                // 33 bits at 90 kHz, 6 reserved, 9 bits extension.
                field.extend(((ms * 90) << 31 | 0x3F << 25).to_be_bytes().get(..6).unwrap_or_default());
            }
            // The field's own length comes before it, when there is one.
            let taken = if field.is_empty() { 0 } else { field.len() + 1 };
            let room = PACKET - 4 - taken;
            let (now, later) = rest.split_at(rest.len().min(room));
            let stuffing = room - now.len();
            if stuffing > 1 && field.is_empty() {
                field.push(0);
            }
            let length = if taken == 0 { stuffing.saturating_sub(1) } else { taken - 1 + stuffing };
            let has_field = taken > 0 || stuffing > 0;
            out.extend(self.packet_header(pid, first, if has_field { 3 } else { 1 }));
            if has_field {
                field.resize(length, 0xFF);
                out.push(u8::try_from(length).unwrap_or(183));
                out.extend(field);
            }
            out.extend(now);
            (rest, first) = (later, false);
        }
    }

    fn packet_header(&mut self, pid: u16, starts: bool, content: u8) -> [u8; 4] {
        let index = match pid {
            PAT => 0,
            PMT => 1,
            VIDEO => 2,
            _ => 3,
        };
        let [high, low] = pid.to_be_bytes();
        let counter = self.counters.get_mut(index).map_or(0, |counter| {
            let now = *counter;
            *counter = (now + 1) & 15;
            now
        });
        [0x47, if starts { 0x40 } else { 0 } | high, low, content << 4 | counter]
    }
}

/// Header of an elementary packet (2.4.3.6); `length` 0 leaves it open, which video may.
fn header(stream: u8, length: usize, pts_ms: u64, dts_ms: Option<u64>) -> Vec<u8> {
    let extra = if dts_ms.is_some() { 10 } else { 5 };
    let length = if length == 0 { 0 } else { u16::try_from(length + 3 + extra).unwrap_or(0) };
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![0, 0, 1, stream, high, low, 0x80];
    if let Some(dts_ms) = dts_ms {
        bytes.extend([0xC0, 10]);
        bytes.extend(stamp(3, pts_ms));
        bytes.extend(stamp(1, dts_ms));
    } else {
        bytes.extend([0x80, 5]);
        bytes.extend(stamp(2, pts_ms));
    }
    bytes
}

/// 33 bits at 90 kHz with markers between them.
fn stamp(kind: u8, ms: u64) -> [u8; 5] {
    let ticks = ms * 90;
    let byte = |shift: u32| ticks.unbounded_shr(shift).to_be_bytes()[7];
    [kind << 4 | (byte(30) & 7) << 1 | 1, byte(22), byte(14) | 1, byte(7), byte(0) << 1 | 1]
}

/// CRC-32 of tables (annex A).
fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Padded;

    #[test]
    fn packets_are_whole_and_their_counters_run_on() {
        let mut muxer = Muxer::default();
        let mut out = Vec::new();
        for piece in Padded::test_card(3_000).unwrap().take(1_000) {
            muxer.pack(&piece, &mut out);
        }
        let mut next = std::collections::BTreeMap::new();
        let mut clocks = Vec::new();
        for packet in out.chunks(PACKET) {
            assert_eq!((packet.len(), packet[0]), (PACKET, 0x47));
            let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
            let counter = packet[3] & 15;
            assert_eq!(*next.entry(pid).or_insert(counter), counter, "of {pid:#x}");
            next.insert(pid, (counter + 1) & 15);
            if packet[3] & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x10 != 0 {
                clocks.push(u64::from(u32::from_be_bytes([packet[6], packet[7], packet[8], packet[9]])) * 2);
            }
        }
        assert_eq!(next.keys().copied().collect::<Vec<_>>(), [PAT, VIDEO, AUDIO, PMT]);
        assert!(clocks.len() > 300 && clocks.windows(2).all(|pair| pair[1] - pair[0] <= 40 * 90 + 1));
    }

    #[test]
    fn tables_have_the_checksum_of_the_standard() {
        // The association table that ffmpeg writes for program 1 at PID 0x1000.
        assert_eq!(crc(&[0, 0xB0, 0x0D, 0, 1, 0xC1, 0, 0, 0, 1, 0xF0, 0]), 0x2AB1_04B2);
    }
}

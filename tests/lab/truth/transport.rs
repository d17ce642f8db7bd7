//! What an MPEG transport stream lost on its way, counted from the recording.
//!
//! ffmpeg's own demuxer hides loss, so packets are counted here: a step in a PID's continuity counter
//! is a break. A picture counts as damaged when a packet of it is missing, and so does every later
//! one until the next keyframe, since each refers to the one before.

use std::collections::BTreeMap;

const PACKET: usize = 188;
/// The PIDs that ffmpeg gives the first video and the first sound stream.
const VIDEO: u16 = 0x100;

/// What was counted, from the time to settle on.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Recording {
    pub packets: usize,
    /// Breaks of the picture's counter and of any other's.
    pub breaks: usize,
    pub other_breaks: usize,
    /// Pictures until the last that came, and those of them that are damaged or did not come.
    pub pictures: usize,
    pub damaged: usize,
    /// Time from the stream's first picture to its last, by their time stamps.
    pub span_s: f64,
}

/// A picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Picture {
    /// When it is decoded, in seconds from the first.
    at_s: f64,
    keyframe: bool,
    whole: bool,
    /// Breaks of any counter since the picture before: the picture's, others'.
    breaks: (usize, usize),
}

/// Counts a recording. What is before `settle_s` in the stream is left out.
pub fn count(recording: &[u8], settle_s: f64) -> Recording {
    let pictures = pictures(recording);
    let mut counted =
        Recording { packets: recording.len() / PACKET, span_s: span(&pictures), ..Recording::default() };
    let mut broken = false;
    let mut before: Option<f64> = None;
    for picture in pictures {
        // Pictures that vanished whole leave a hole in the time stamps.
        let frame = 1.0 / f64::from(crate::truth::source::PICTURES);
        let vanished = before
            .map_or(0.0, |before| ((picture.at_s - before) / frame).round() - 1.0)
            .clamp(0.0, 1e6) as usize;
        broken = if picture.keyframe { !picture.whole } else { broken || vanished > 0 || !picture.whole };
        before = Some(picture.at_s);
        if picture.at_s < settle_s {
            continue;
        }
        counted.pictures += 1 + vanished;
        counted.damaged += usize::from(broken) + vanished;
        counted.breaks += picture.breaks.0;
        counted.other_breaks += picture.breaks.1;
    }
    counted
}

fn span(pictures: &[Picture]) -> f64 {
    pictures.last().map_or(0.0, |last| last.at_s)
}

fn pictures(recording: &[u8]) -> Vec<Picture> {
    let mut pictures: Vec<Picture> = Vec::new();
    let (mut counters, mut breaks) = (BTreeMap::new(), (0, 0));
    let mut first = None;
    for packet in recording.chunks_exact(PACKET) {
        let Some((pid, counter, payload)) = header(packet) else { continue };
        let expected = counters.insert(pid, counter).map(|last: u8| (last + 1) & 15);
        let broke = expected.is_some_and(|expected| expected != counter);
        if pid != VIDEO {
            breaks.1 += usize::from(broke);
            continue;
        }
        breaks.0 += usize::from(broke);
        let starts = packet[1] & 0x40 != 0;
        // Either the picture before lost its end or this one its start.
        if broke && let Some(last) = pictures.last_mut() {
            last.whole = false;
        }
        let Some(at) = decoding_time(payload).filter(|_| starts) else {
            continue;
        };
        let at_s = since(*first.get_or_insert(at), at);
        let keyframe = packet[3] & 0x20 != 0 && packet[4] > 0 && packet[5] & 0x40 != 0;
        pictures.push(Picture { at_s, keyframe, whole: true, breaks: std::mem::take(&mut breaks) });
    }
    if let Some(last) = pictures.last_mut() {
        last.breaks = (last.breaks.0 + breaks.0, last.breaks.1 + breaks.1);
    }
    pictures
}

/// PID, continuity counter and payload of a packet that has a payload.
fn header(packet: &[u8]) -> Option<(u16, u8, &[u8])> {
    let pid = u16::from_be_bytes([packet[1] & 0x1f, packet[2]]);
    let (adaptation, payload) = (packet[3] & 0x20 != 0, packet[3] & 0x10 != 0);
    if packet[0] != 0x47 || pid == 0x1fff || !payload {
        return None;
    }
    let start = if adaptation { 5 + usize::from(packet[4]) } else { 4 };
    Some((pid, packet[3] & 15, packet.get(start..)?))
}

/// A PES packet's decoding time stamp, else its presentation time stamp, in ticks of 90 kHz.
fn decoding_time(payload: &[u8]) -> Option<u64> {
    let [0, 0, 1, _, _, _, _, flags, _, stamps @ ..] = payload else { return None };
    let stamp = match flags >> 6 {
        3 => stamps.get(5..10)?,
        2 => stamps.get(..5)?,
        _ => return None,
    };
    let part = |byte: u8, mask: u8, shift: u32| u64::from(byte & mask) >> 1 << shift;
    Some(
        part(stamp[0], 0x0e, 30)
            | u64::from(stamp[1]) << 22
            | part(stamp[2], 0xfe, 15)
            | u64::from(stamp[3]) << 7
            | part(stamp[4], 0xfe, 0),
    )
}

/// Seconds from one stamp of 33 bits to another.
fn since(first: u64, at: u64) -> f64 {
    (at.wrapping_sub(first) & ((1 << 33) - 1)) as f64 / 90_000.0
}

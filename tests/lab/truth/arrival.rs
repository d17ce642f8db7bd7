//! What arrived of an RTMP stream, and when.

use std::time::Duration;

/// How much of the stream an encoder gives up when it drops a frame, lowest first. For video it is
/// H.264's `nal_ref_idc`, which is what OBS goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// A frame that no other refers to: a B-frame.
    Disposable,
    /// A B-frame that other B-frames refer to.
    Low,
    /// A P-frame.
    High,
    /// A keyframe.
    Highest,
}

/// What an RTMP message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What configures a decoder; no picture and no sound.
    Header,
    Audio,
    Video(Worth),
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message {
    /// When the last of it arrived, on the receiver's clock.
    pub at: Duration,
    /// Its RTMP timestamp: its place in the stream.
    pub stamp: Duration,
    pub bytes: usize,
    pub kind: Kind,
}

/// A time in which nothing arrived.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    pub from: Duration,
    pub lasted: Duration,
}

impl Kind {
    /// Reads it from the body of an RTMP video message (FLV's video tag).
    pub fn of_video(body: &[u8]) -> Self {
        match body {
            [first, 1, _, _, _, units @ ..] => Self::Video(worth(units, first >> 4 == 1)),
            _ => Self::Header,
        }
    }

    /// Reads it from the body of an RTMP audio message (FLV's audio tag).
    pub fn of_audio(body: &[u8]) -> Self {
        if matches!(body, [_, 1, ..]) { Self::Audio } else { Self::Header }
    }
}

/// From the first slice of a picture, whose NAL units each follow their length in four bytes.
fn worth(mut units: &[u8], keyframe: bool) -> Worth {
    while let [a, b, c, d, rest @ ..] = units {
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        let (unit, next) = rest.split_at(length.min(rest.len()));
        if let Some(first) = unit.first().filter(|first| matches!(*first & 31, 1 | 5)) {
            return match first >> 5 & 3 {
                _ if *first & 31 == 5 || keyframe => Worth::Highest,
                0 => Worth::Disposable,
                1 => Worth::Low,
                _ => Worth::High,
            };
        }
        units = next;
    }
    if keyframe { Worth::Highest } else { Worth::High }
}

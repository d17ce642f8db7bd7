//! What a listener's answers mean.

use std::time::Duration;

use sapflow_srt::CallerCloseReason;
use sapflow_srt::packet::{Extension, Handshake, SRT_MAGIC, srt_flags};

use super::{KeyLength, Rejection};

/// A phase of the handshake (section 4.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// First exchange: version, magic number, cookie.
    Induction,
    /// Second exchange: extensions, stream id, key material.
    Conclusion,
}

/// A listener's answer to induction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Induction {
    /// Handshake version: 5 for SRT since 1.3.0; 4 is UDT's.
    pub version: u32,
    /// Extension field: [`SRT_MAGIC_NUMBER`](Induction::MAGIC) for an SRT listener.
    pub magic: u16,
    /// Key length that the listener advertises; libsrt does so only when told one.
    pub advertised_key: Option<KeyLength>,
    /// The listener's maximum packet size, in bytes with headers.
    pub mtu: u32,
    /// Handshake packets sent until this answer.
    pub packets: u32,
}

impl Induction {
    /// The magic number of an SRT listener.
    pub const MAGIC: u16 = SRT_MAGIC;

    /// True for a listener that speaks SRT's handshake version 5.
    pub const fn is_srt(&self) -> bool {
        self.version == 5 && self.magic == Self::MAGIC
    }
}

/// A listener's answer to conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conclusion {
    /// The listener's SRT version: major, minor, patch.
    pub version: (u8, u8, u8),
    /// Negotiated receiver latency.
    pub latency: Duration,
    /// True when the media will be encrypted.
    pub encrypted: bool,
    /// Handshake packets of this phase until the answer.
    pub packets: u32,
}

/// State of the listener's key material (section 3.2.2, `SRT_KM_STATE` in libsrt).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// The listener has no passphrase.
    NoSecret,
    /// The passphrases differ.
    BadSecret,
    /// The cipher modes differ.
    BadMode,
    /// Any other.
    Other(u32),
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The handshake has this version; 5 is needed.
    Version(u32),
    /// The answer to induction lacks SRT's magic number and has this one.
    Magic(u16),
    /// The answer to conclusion carries no SRT extension.
    NoSrtExtension,
    /// The listener works in file mode (no timestamped delivery, or a byte stream).
    FileMode,
    /// The listener takes packets of at most this size, too small for the payload.
    Mtu(u32),
    /// The listener asks for something that live callers do not do (a packet filter, a group).
    Demands,
    /// It accepted the key material and sent another back.
    KeyMaterial,
    /// Anything else.
    Other,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Nothing usable came back in this phase.
    Silent(Phase),
    /// The listener refused, with its reason.
    Rejected(Rejection),
    /// The listener answered the key material with this state.
    KeyRefused(KeyState),
    /// The answer cannot be used.
    Unusable(Unusable),
    /// The listener ended an open connection.
    Shutdown,
    /// The same, with its code for why (section 3.2.10).
    PeerError(u32),
    /// An open connection fell silent for 5 s.
    Idle,
    /// Media could not be delivered in 15 s, or was repeated too often.
    Stuck,
    /// [`Caller::stop`].
    Stopped,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerEvent {
    /// The listener answered induction. The last event of an induction-only call.
    Inducted(Induction),
    /// The connection is open.
    Connected(Conclusion),
    /// The call is over.
    Ended(Ending),
}

/// Version, and whether media will be encrypted, from an answer to conclusion.
pub(super) fn describe(answer: &Handshake) -> ((u8, u8, u8), bool) {
    let version = answer.extensions.iter().find_map(|extension| match extension {
        Extension::HsRsp(response) => {
            let [_, major, minor, patch] = response.version.to_be_bytes();
            Some((major, minor, patch))
        }
        _ => None,
    });
    (version.unwrap_or_default(), key_material(answer).is_some_and(|body| body.len() > 4))
}

fn key_material(answer: &Handshake) -> Option<&[u8]> {
    answer.extensions.iter().find_map(|extension| match extension {
        Extension::KmRsp(body) => Some(body.as_slice()),
        _ => None,
    })
}

/// What the engine's reason means, given the listener's last handshake.
pub(super) fn ending(reason: CallerCloseReason, last: Option<&Handshake>, payload_bytes: usize) -> Ending {
    match reason {
        CallerCloseReason::Cancelled => Ending::Stopped,
        CallerCloseReason::ConnectTimeout | CallerCloseReason::HandshakeLimit => {
            Ending::Silent(Phase::Conclusion)
        }
        CallerCloseReason::PeerIdle => Ending::Idle,
        CallerCloseReason::Rejected(code) => {
            Rejection::from_wire(code).map_or(Ending::Unusable(Unusable::Other), Ending::Rejected)
        }
        CallerCloseReason::UnsupportedPeer => {
            Ending::Unusable(last.map_or(Unusable::Other, |answer| misfit(answer, payload_bytes)))
        }
        CallerCloseReason::Crypto => last.map_or(Ending::Unusable(Unusable::KeyMaterial), refused_key),
        CallerCloseReason::MediaExpired | CallerCloseReason::RetryLimit => Ending::Stuck,
        CallerCloseReason::PeerClosed => Ending::Shutdown,
        CallerCloseReason::PeerError(code) => Ending::PeerError(code),
    }
}

/// A listener that lets encryption fail answers with one word of state instead of key material.
fn refused_key(answer: &Handshake) -> Ending {
    let Some(body) = key_material(answer) else { return Ending::KeyRefused(KeyState::NoSecret) };
    let Ok(word) = <[u8; 4]>::try_from(body) else { return Ending::Unusable(Unusable::KeyMaterial) };
    // libsrt writes this word in its own byte order; the numbers are small.
    Ending::KeyRefused(match u32::from_be_bytes(word).min(u32::from_le_bytes(word)) {
        3 => KeyState::NoSecret,
        4 => KeyState::BadSecret,
        5 => KeyState::BadMode,
        other => KeyState::Other(other),
    })
}

/// Why a live caller cannot use this answer to conclusion.
fn misfit(answer: &Handshake, payload_bytes: usize) -> Unusable {
    let response = answer.extensions.iter().find_map(|extension| match extension {
        Extension::HsRsp(response) => Some(response),
        _ => None,
    });
    let needed = payload_bytes + 44;
    let demands = |extension: &Extension| {
        matches!(extension, Extension::Filter(_) | Extension::Group(_))
            || matches!(extension, Extension::Congestion(name) if name != b"live")
    };
    if answer.version != 5 {
        Unusable::Version(answer.version)
    } else if response.is_none() {
        Unusable::NoSrtExtension
    } else if response.is_some_and(|response| {
        response.flags & srt_flags::STREAM != 0 || response.flags & srt_flags::TSBPDRCV == 0
    }) {
        Unusable::FileMode
    } else if usize::try_from(answer.mtu).is_ok_and(|mtu| mtu < needed) {
        Unusable::Mtu(answer.mtu)
    } else if answer.extensions.iter().any(demands) {
        Unusable::Demands
    } else {
        Unusable::Other
    }
}

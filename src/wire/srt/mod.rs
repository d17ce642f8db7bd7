//! SRT (draft-sharabayko-srt-01, live mode) without sockets or clocks: a seam of our own
//! over the engine `sapflow-srt`, so that no other module knows which engine it is.
//!
//! The engine gives no sign of the induction phase and folds every misfit into one word, so
//! [`Caller`] drives induction itself and reads the listener's handshakes before the engine
//! does: phases are distinct (the owner of the clock times each), the listener's own reason
//! for a rejection comes out by name, and [`CallerOptions::induction_only`] proves that UDP
//! passes both ways without any credential.
//!
//! Encryption is AES-CTR with 128 or 256 bits. **AES-192 is not possible with this engine**
//! (nor is GCM): asking for it is [`BadOptions::KeyLength`]. A listener that merely
//! advertises 192 is called with 128, which libsrt accepts, since the caller's key counts.
//!
//! Memory: a datagram over 1500 bytes is dropped unread; parsing one allocates at most a few
//! times its size. A [`Caller`] holds at most 64 bytes of what was not SRT, and the media not
//! yet acknowledged (16 MiB at most). A [`Listener`] holds for each caller at most
//! [`ListenerOptions::buffer_packets`] payloads of 1456 bytes, and nothing for one that has
//! not returned its cookie. `tests/memory.rs` counts it.

mod age;
mod answer;
mod caller;
pub mod farewell;
mod listener;
mod options;
mod rejection;
mod repairs;
#[cfg(test)]
mod tests;

pub use answer::{CallerEvent, Conclusion, Ending, Induction, KeyState, Phase, Unusable};
pub use caller::{Caller, CallerCounts, NotSent};
pub use listener::{Call, CallId, Counts, Listener, ListenerEvent, ListenerOptions};
pub use options::{BadOptions, CallerOptions};
pub use rejection::Rejection;
pub use repairs::{CLASS_MS, RepairCounts};

/// Largest payload of one packet: 1500 bytes less the IP, UDP and SRT headers.
pub const MAX_PAYLOAD: usize = 1456;
/// Payload that live encoders use: seven transport stream packets.
pub const LIVE_PAYLOAD: usize = 1316;

/// AES key length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLength {
    /// 128 bits.
    Aes128,
    /// 192 bits: can be read, never used (see the module's page).
    Aes192,
    /// 256 bits.
    Aes256,
}

impl KeyLength {
    /// From the handshake's Encryption Field (section 3.2.1, table 2).
    pub const fn from_field(field: u16) -> Option<Self> {
        match field {
            2 => Some(Self::Aes128),
            3 => Some(Self::Aes192),
            4 => Some(Self::Aes256),
            _ => None,
        }
    }

    /// From the length in bits.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            128 => Some(Self::Aes128),
            192 => Some(Self::Aes192),
            256 => Some(Self::Aes256),
            _ => None,
        }
    }

    /// Length in bits.
    pub const fn bits(self) -> u16 {
        match self {
            Self::Aes128 => 128,
            Self::Aes192 => 192,
            Self::Aes256 => 256,
        }
    }

    const fn engine(self) -> Option<sapflow_srt::crypto::KeySize> {
        match self {
            Self::Aes128 => Some(sapflow_srt::crypto::KeySize::Aes128),
            Self::Aes192 => None,
            Self::Aes256 => Some(sapflow_srt::crypto::KeySize::Aes256),
        }
    }
}

//! Why a far end refuses: stable words, the same on both sides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Code by which a media stream was ended by a golive far end itself: at one of its caps, or when it was stopped. Over
/// RTMP it is a status' code. Ours alone, so that no ingest's refusal is taken for it.
pub const FAR_END_ENDED: &str = "Golive.FarEnd.Ended";

/// Why a far end refused or ended something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The token was not proved.
    WrongToken,
    /// The caller speaks another version of the control protocol.
    Version,
    /// The message makes no sense here.
    BadRequest,
    /// As many sessions as this far end allows are open.
    TooManySessions,
    /// As many unproved connections as this far end allows are open.
    TooManyGuests,
    /// No open session has this ticket, session id or key.
    UnknownSession,
    /// The session was opened from another address.
    OtherAddress,
    /// The session has used up its bytes.
    Bytes,
    /// The session has used up its packets.
    Packets,
    /// The session has used up its time.
    Time,
    /// This far end does not offer it.
    NotOffered,
    /// It does not look at that host for others.
    NotAllowed,
    /// It has looked at as many hosts as it may, for now.
    TooManyLooks,
    /// The far end is being stopped.
    Stopping,
}

impl Refusal {
    /// For a sentence: "the token is not this far end's".
    pub const fn words(self) -> &'static str {
        match self {
            Self::WrongToken => "the token is not this far end's",
            Self::Version => "the far end speaks another version of the control protocol",
            Self::BadRequest => "the far end did not understand the request",
            Self::TooManySessions => "as many sessions as this far end allows are open",
            Self::TooManyGuests => "too many connections that have not proved the token are open",
            Self::UnknownSession => "no open session has this ticket, session id or key",
            Self::OtherAddress => "the session was opened from another address",
            Self::Bytes => "the session used up the bytes that this far end allows",
            Self::Packets => "the session used up the packets that this far end allows",
            Self::Time => "the session used up the time that this far end allows",
            Self::NotOffered => "this far end does not offer it",
            Self::NotAllowed => "this far end does not look at that host for others",
            Self::TooManyLooks => "this far end has looked at as many hosts as it may, for now",
            Self::Stopping => "the far end is being stopped",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

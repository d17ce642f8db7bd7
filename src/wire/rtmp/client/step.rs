//! What a publisher tells its caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::Malformed;
use super::super::command::Status;
use crate::wire::banner::Protocol;

/// How far a publisher has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for S0, S1 and S2.
    Handshake,
    /// Waiting for the answer to `connect`.
    Connect,
    /// Connected; nothing is asked.
    Connected,
    /// Waiting for the answer to `createStream`.
    CreateStream,
    /// Waiting for the answer to `publish`.
    Publish,
    /// Media may be sent.
    Media,
}

impl Phase {
    /// For a sentence: "during the handshake".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Handshake => "during the handshake",
            Self::Connect => "after connect",
            Self::Connected => "while connected",
            Self::CreateStream => "after createStream",
            Self::Publish => "after publish",
            Self::Media => "while media were sent",
        }
    }
}

/// Something that happened. All texts are the server's: hostile, at most [`crate::wire::rtmp::MAX_TEXT`] characters,
/// the stream key cut out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The handshake is done, `connect` is on its way.
    Handshaken {
        /// Whether the server gave our packet back unchanged.
        echoed: bool,
    },
    /// The server accepted `connect`.
    Connected {
        /// Its own words.
        status: Status,
        /// What it calls itself (`fmsVer`); empty if it does not say.
        server: String,
    },
    /// The server accepted `publish`. No proof yet: some servers accept, and close when media come.
    Published {
        /// Its own words.
        status: Status,
    },
    /// The server says something else.
    Notice(Status),
    /// It is over. Always the last step.
    Failed(Failure),
}

/// Why a publisher came no further.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// What answered is no RTMP server.
    #[error("what answered is not RTMP but {protocol}")]
    NotRtmp {
        /// A guess.
        protocol: Protocol,
        /// Its first bytes, at most [`crate::wire::banner::MAX_FIRST_BYTES`]. Hostile.
        first: Vec<u8>,
    },
    /// The server said no.
    #[error("the server refused {}: {}", phase.words(), status.code)]
    Refused {
        /// When.
        phase: Phase,
        /// Its own words.
        status: Status,
    },
    /// The connection ended without a word.
    #[error("the connection ended {} after {received} bytes", phase.words())]
    Closed {
        /// When.
        phase: Phase,
        /// Bytes received before.
        received: u64,
    },
    /// Nothing more came in the caller's time.
    #[error("no answer {} after {received} bytes", phase.words())]
    Silent {
        /// When.
        phase: Phase,
        /// Bytes received before.
        received: u64,
    },
    /// The server broke RTMP's rules.
    #[error("the server broke RTMP {}: {problem}", phase.words())]
    Malformed {
        /// When.
        phase: Phase,
        /// How.
        problem: Malformed,
    },
}

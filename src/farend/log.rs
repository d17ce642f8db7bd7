//! What the far end tells the person who runs it. Printing is the caller's.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::model::WireText;
use crate::wire::control::Refusal;

/// Something worth a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Somebody got a session.
    Opened {
        /// What for: `upload`, `stamp`, `rtmp`, `srt`.
        what: &'static str,
        /// Who.
        peer: SocketAddr,
    },
    /// A session is over.
    Ended {
        /// What for.
        what: &'static str,
        /// Who.
        peer: SocketAddr,
        /// Bytes that arrived in it.
        bytes: u64,
        /// How it ended.
        how: WireText,
    },
    /// Somebody was refused.
    Refused {
        /// What was asked for: `control`, `upload`, `stamp`, `rtmp`, `srt`.
        what: &'static str,
        /// Who.
        peer: SocketAddr,
        /// Why.
        why: Refusal,
        /// More, escaped; may be empty.
        detail: WireText,
    },
    /// Something of our own does not work.
    Broken {
        /// What.
        what: &'static str,
        /// The system's words.
        detail: WireText,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { what, peer } => write!(f, "{what}: {peer} opened a session"),
            Self::Ended { what, peer, bytes, how } => {
                write!(f, "{what}: session of {peer} is over ({how}), {bytes} bytes arrived")
            }
            Self::Refused { what, peer, why, detail } if detail.is_empty() => {
                write!(f, "{what}: refused {peer}: {why}")
            }
            Self::Refused { what, peer, why, detail } => {
                write!(f, "{what}: refused {peer}: {why} ({detail})")
            }
            Self::Broken { what, detail } => write!(f, "{what}: {detail}"),
        }
    }
}

/// Where notices go. Cheap to clone; must not block.
#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&Notice) + Send + Sync>);

impl Log {
    /// Notices go to `sink`.
    pub fn to(sink: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Notices go nowhere.
    pub fn none() -> Self {
        Self::to(|_| {})
    }

    /// Passes one on.
    pub fn say(&self, notice: &Notice) {
        (self.0)(notice);
    }

    /// Says that somebody was refused.
    pub fn refused(&self, what: &'static str, peer: SocketAddr, why: Refusal, detail: impl Into<WireText>) {
        self.say(&Notice::Refused { what, peer, why, detail: detail.into() });
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

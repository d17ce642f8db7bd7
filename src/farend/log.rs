//! What the far end tells the person who runs it. Printing is the caller's.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// Refusals told per second: whoever is refused must not fill the disk of who refuses.
const REFUSALS_A_SECOND: u32 = 20;

struct Inner {
    sink: Box<dyn Fn(&Notice) + Send + Sync>,
    told: Mutex<(Option<Instant>, u32)>,
}

/// Where notices go. Cheap to clone; must not block.
#[derive(Clone)]
pub struct Log(Arc<Inner>);

impl Log {
    /// Notices go to `sink`; of refusals at most 20 a second.
    pub fn to(sink: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { sink: Box::new(sink), told: Mutex::default() }))
    }

    /// Notices go nowhere.
    pub fn none() -> Self {
        Self::to(|_| {})
    }

    /// Passes one on.
    pub fn say(&self, notice: &Notice) {
        (self.0.sink)(notice);
    }

    /// Says that somebody was refused.
    pub fn refused(&self, what: &'static str, peer: SocketAddr, why: Refusal, detail: impl Into<WireText>) {
        if self.may_tell() {
            self.say(&Notice::Refused { what, peer, why, detail: detail.into() });
        }
    }

    fn may_tell(&self) -> bool {
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if told.0.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            *told = (Some(now), 0);
        }
        told.1 += 1;
        told.1 <= REFUSALS_A_SECOND
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

    #[test]
    fn a_flood_of_refusals_does_not_flood_the_log() {
        let lines = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&lines);
        let log = Log::to(move |_| {
            counter.fetch_add(1, Relaxed);
        });
        for _ in 0..10_000 {
            log.refused("control", "127.0.0.1:1".parse().unwrap(), Refusal::WrongToken, "");
        }
        assert!((1..=3 * REFUSALS_A_SECOND).contains(&lines.load(Relaxed)), "{lines:?}");
    }

    #[test]
    fn what_peers_said_is_escaped() {
        let detail = WireText::from_bytes(b"\x1b[2J");
        let peer = "127.0.0.1:1".parse().unwrap();
        let line = Notice::Refused { what: "control", peer, why: Refusal::BadRequest, detail }.to_string();
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

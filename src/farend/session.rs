//! What is going on at this far end, and what it allows: sessions with caps, and guests.
//!
//! A *session* is paid for with the token: an upload, a STAMP reflection, a test stream.
//! A *guest* is a connection that has proved its address (TCP, or a protocol's cookie)
//! but no token yet: few of them, for a few seconds.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::hold::Held;
use super::meter::Meter;
pub use super::registry::{Guest, Lease, Registry};
use crate::wire::control::{Ended, Grant, Refusal, Ticket};

/// What this far end allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Sessions open at once.
    pub sessions: usize,
    /// What one session may use.
    pub each: Grant,
    /// Guests at once.
    pub guests: usize,
    /// Guests at once from one address.
    pub guests_per_address: usize,
    /// How long a guest may take to prove itself.
    pub guest_time: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            sessions: 16,
            // The longest rehearsal takes two hours, and its end some minutes more.
            each: Grant { seconds: 7500, bytes: 50_000_000_000, packets: 1_000_000_000 },
            guests: 64,
            guests_per_address: 16,
            guest_time: Duration::from_secs(10),
        }
    }
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An upload, known by its ticket.
    Upload(Ticket),
    /// An upload over UDP, known by its ticket.
    Datagrams(Ticket),
    /// STAMP reflection, known by its session id (SSID, RFC 8972 section 3).
    Stamp(u16),
    /// Connections and flows that are held, known by their ticket.
    Hold(Ticket),
    /// A listener on a UDP port of the caller's choice.
    Listen(u16),
    /// A test stream to a media listener.
    Media(Media),
}

/// Which media listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// RTMP.
    Rtmp,
    /// SRT.
    Srt,
}

/// What a session is asked to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// An upload over so many connections.
    Upload {
        /// Data connections, at most [`MAX_STREAMS`].
        streams: u32,
    },
    /// An upload over UDP.
    Datagrams,
    /// STAMP reflection.
    Stamp,
    /// Connections and flows that are held.
    Hold,
    /// A listener on a UDP port.
    Listen {
        /// The port.
        port: u16,
    },
}

/// Data connections of one upload at most.
pub const MAX_STREAMS: u32 = 16;

/// One open session.
#[derive(Debug)]
pub struct Session {
    /// What it is for.
    pub kind: Kind,
    /// The address that opened it.
    pub peer: IpAddr,
    /// What it may use.
    pub grant: Grant,
    /// What was seen of its slots, when it is a held one.
    pub(super) held: Held,
    opened: Instant,
    bytes: AtomicU64,
    packets: AtomicU64,
    foreign: AtomicU64,
    attached: OnceLock<SocketAddr>,
    places: AtomicU32,
    meter: Mutex<Meter>,
    ended: OnceLock<Ended>,
    over: CancellationToken,
}

impl Session {
    pub(super) fn open(kind: Kind, peer: IpAddr, grant: Grant, streams: u32) -> Self {
        Self {
            kind,
            peer,
            grant,
            held: Held::default(),
            opened: Instant::now(),
            bytes: AtomicU64::new(0),
            packets: AtomicU64::new(0),
            foreign: AtomicU64::new(0),
            attached: OnceLock::new(),
            places: AtomicU32::new(streams.min(MAX_STREAMS)),
            meter: Mutex::default(),
            ended: OnceLock::new(),
            over: CancellationToken::new(),
        }
    }

    /// Counts one packet, or one read of a stream, of so many bytes. An error says which cap
    /// it would pass; the session is over then and nothing more may be answered.
    pub fn count(&self, bytes: u64) -> Result<(), Refusal> {
        self.count_together(1, bytes)
    }

    /// The same of so many packets that came at once.
    pub fn count_together(&self, packets: u64, bytes: u64) -> Result<(), Refusal> {
        if let Some(how) = self.ended() {
            return Err(refusal(how));
        }
        let packets = self.packets.fetch_add(packets, Relaxed).saturating_add(packets);
        let all = self.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes);
        let cap = match () {
            () if all > self.grant.bytes => Refusal::Bytes,
            () if packets > self.grant.packets => Refusal::Packets,
            () => {
                self.meter().add(Instant::now(), bytes);
                return Ok(());
            }
        };
        self.end(Ended::Refused(cap));
        Err(cap)
    }

    /// Bytes counted.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Packets counted.
    pub fn packets(&self) -> u64 {
        self.packets.load(Relaxed)
    }

    /// Packets with this session's id that came from another address: not answered.
    pub fn foreign(&self) -> u64 {
        self.foreign.load(Relaxed)
    }

    pub(super) fn count_foreign(&self) {
        self.foreign.fetch_add(1, Relaxed);
    }

    /// Its arrivals per slot; counted from [`Session::attach`], else from the first arrival.
    pub fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its data comes from this address; false when it has all its sources of data already.
    pub fn attach(&self, from: SocketAddr) -> bool {
        if self.places.fetch_update(Relaxed, Relaxed, |places| places.checked_sub(1)).is_err() {
            return false;
        }
        if self.attached.set(from).is_ok() {
            self.meter().start(Instant::now());
        }
        true
    }

    /// Where its data comes from, once it does.
    pub fn attached(&self) -> Option<SocketAddr> {
        self.attached.get().copied()
    }

    /// Ends it; the first reason stays.
    pub fn end(&self, how: Ended) {
        let _ = self.ended.set(how);
        self.over.cancel();
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        if self.opened.elapsed() >= Duration::from_secs(self.grant.seconds.into()) {
            self.end(Ended::Refused(Refusal::Time));
        }
        self.ended.get().copied()
    }

    /// Waits until it is over: ended by somebody, or its time used up.
    pub async fn over(&self) -> Ended {
        let end = self.opened + Duration::from_secs(self.grant.seconds.into());
        tokio::select! {
            () = self.over.cancelled() => {}
            () = tokio::time::sleep_until(end.into()) => self.end(Ended::Refused(Refusal::Time)),
        }
        self.ended().unwrap_or(Ended::Refused(Refusal::Stopping))
    }

    /// Time since its opening.
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }
}

/// What somebody is told who comes to a session that is over.
pub(super) const fn refusal(how: Ended) -> Refusal {
    match how {
        Ended::Refused(why) => why,
        Ended::Closed | Ended::DataClosed | Ended::DataReset => Refusal::UnknownSession,
    }
}

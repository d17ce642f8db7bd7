//! What is going on at this far end, and what it allows: sessions with caps, and guests.
//!
//! A *session* is paid for with the token: an upload, a STAMP reflection, a test stream.
//! A *guest* is a connection that has proved its address (TCP, or a protocol's cookie)
//! but no token yet: few of them, for a few seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::model::Secret;
use crate::wire::control::Refusal;

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
            each: Grant { seconds: 3600, bytes: 50_000_000_000, packets: 50_000_000 },
            guests: 64,
            guests_per_address: 16,
            guest_time: Duration::from_secs(10),
        }
    }
}

/// What a session may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Seconds from its opening.
    pub seconds: u32,
    /// Bytes that it may send here.
    pub bytes: u64,
    /// Packets (or reads of a stream) that it may send here.
    pub packets: u64,
}

impl Grant {
    fn within(self, cap: Self) -> Self {
        Self {
            seconds: self.seconds.min(cap.seconds),
            bytes: self.bytes.min(cap.bytes),
            packets: self.packets.min(cap.packets),
        }
    }
}

/// Ticket of an upload: 16 random bytes that its data connection shows first.
pub type Ticket = [u8; 16];

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An upload, known by its ticket.
    Upload(Ticket),
    /// STAMP reflection, known by its session id (SSID, RFC 8972 section 3).
    Stamp(u16),
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
    /// An upload.
    Upload,
    /// STAMP reflection.
    Stamp,
}

/// One open session.
#[derive(Debug)]
pub struct Session {
    /// What it is for.
    pub kind: Kind,
    /// The address that opened it.
    pub peer: IpAddr,
    /// What it may use.
    pub grant: Grant,
    opened: Instant,
    bytes: AtomicU64,
    packets: AtomicU64,
    foreign: AtomicU64,
    ended: OnceLock<Refusal>,
    over: CancellationToken,
}

impl Session {
    /// Counts one packet, or one read of a stream, of so many bytes. An error says which cap
    /// it would pass; the session is over then and nothing more may be answered.
    pub fn count(&self, bytes: u64) -> Result<(), Refusal> {
        if let Some(why) = self.ended() {
            return Err(why);
        }
        let packets = self.packets.fetch_add(1, Relaxed).saturating_add(1);
        let bytes = self.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes);
        let cap = match () {
            () if bytes > self.grant.bytes => Refusal::Bytes,
            () if packets > self.grant.packets => Refusal::Packets,
            () => return Ok(()),
        };
        self.end(cap);
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

    /// Ends it, for a reason; the first reason stays.
    pub fn end(&self, why: Refusal) {
        let _ = self.ended.set(why);
        self.over.cancel();
    }

    /// Why it is over, if it is.
    pub fn ended(&self) -> Option<Refusal> {
        if self.opened.elapsed() >= Duration::from_secs(self.grant.seconds.into()) {
            self.end(Refusal::Time);
        }
        self.ended.get().copied()
    }

    /// Waits until it is over: ended by somebody, or its time used up.
    pub async fn over(&self) -> Refusal {
        let end = self.opened + Duration::from_secs(self.grant.seconds.into());
        tokio::select! {
            () = self.over.cancelled() => {}
            () = tokio::time::sleep_until(end.into()) => self.end(Refusal::Time),
        }
        self.ended().unwrap_or(Refusal::Stopping)
    }

    /// Time since its opening.
    pub fn age(&self) -> Duration {
        self.opened.elapsed()
    }
}

/// An open session in the registry; leaves it when dropped.
#[derive(Debug)]
pub struct Lease {
    registry: Arc<Registry>,
    id: u64,
    session: Arc<Session>,
}

impl Lease {
    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.session.end(Refusal::UnknownSession);
        self.registry.lock().sessions.remove(&self.id);
    }
}

/// A guest's place; free again when dropped.
#[derive(Debug)]
pub struct Guest {
    registry: Arc<Registry>,
    peer: IpAddr,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut inner = self.registry.lock();
        if let Some(count) = inner.guests.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                inner.guests.remove(&self.peer);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    sessions: HashMap<u64, Arc<Session>>,
    guests: HashMap<IpAddr, usize>,
}

/// All sessions and guests.
#[derive(Debug)]
pub struct Registry {
    caps: Caps,
    media_key: Secret,
    inner: Mutex<Inner>,
}

impl Registry {
    /// An empty registry. `media_key` is the stream key (RTMP) or stream id (SRT) that admits
    /// test streams to the media listeners.
    pub fn new(caps: Caps, media_key: Secret) -> Arc<Self> {
        Arc::new(Self { caps, media_key, inner: Mutex::default() })
    }

    /// What this far end allows.
    pub const fn caps(&self) -> &Caps {
        &self.caps
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a guest's place: for every connection, before anything is read from it.
    pub fn guest(self: &Arc<Self>, peer: IpAddr) -> Result<Guest, Refusal> {
        let peer = peer.to_canonical();
        let mut inner = self.lock();
        let all: usize = inner.guests.values().sum();
        let count = inner.guests.entry(peer).or_default();
        if all >= self.caps.guests || *count >= self.caps.guests_per_address {
            if *count == 0 {
                inner.guests.remove(&peer);
            }
            return Err(Refusal::TooManyGuests);
        }
        *count += 1;
        Ok(Guest { registry: Arc::clone(self), peer })
    }

    /// Opens a session for a caller that has proved the token. It gets what it asks within the caps.
    pub fn open(self: &Arc<Self>, wanted: Wanted, peer: IpAddr, asked: Grant) -> Result<Lease, Refusal> {
        let mut inner = self.lock();
        let kind = match wanted {
            Wanted::Upload => Kind::Upload(random()?),
            Wanted::Stamp => Kind::Stamp(unused_ssid(&inner)?),
        };
        self.insert(&mut inner, kind, peer, asked)
    }

    /// Opens a session for a test stream whose key admits it (compared in constant time).
    pub fn media(self: &Arc<Self>, media: Media, key: &str, peer: IpAddr) -> Result<Lease, Refusal> {
        if key.is_empty() || !bool::from(self.media_key.reveal().as_bytes().ct_eq(key.as_bytes())) {
            return Err(Refusal::UnknownSession);
        }
        self.insert(&mut self.lock(), Kind::Media(media), peer, self.caps.each)
    }

    fn insert(
        self: &Arc<Self>,
        inner: &mut Inner,
        kind: Kind,
        peer: IpAddr,
        asked: Grant,
    ) -> Result<Lease, Refusal> {
        if inner.sessions.len() >= self.caps.sessions {
            return Err(Refusal::TooManySessions);
        }
        let session = Arc::new(Session {
            kind,
            peer: peer.to_canonical(),
            grant: asked.within(self.caps.each),
            opened: Instant::now(),
            bytes: AtomicU64::new(0),
            packets: AtomicU64::new(0),
            foreign: AtomicU64::new(0),
            ended: OnceLock::new(),
            over: CancellationToken::new(),
        });
        let id = inner.next;
        inner.next += 1;
        inner.sessions.insert(id, Arc::clone(&session));
        Ok(Lease { registry: Arc::clone(self), id, session })
    }

    fn find(&self, matches: impl Fn(&Kind) -> bool) -> Result<Arc<Session>, Refusal> {
        let found = self.lock().sessions.values().find(|session| matches(&session.kind)).cloned();
        let session = found.ok_or(Refusal::UnknownSession)?;
        session.ended().map_or(Ok(session), Err)
    }

    /// The upload that a ticket (compared in constant time) belongs to.
    pub fn upload(&self, ticket: &Ticket) -> Result<Arc<Session>, Refusal> {
        self.find(|kind| matches!(kind, Kind::Upload(live) if bool::from(live.ct_eq(ticket))))
    }

    /// The STAMP session of a packet. An SSID is guessable, so only the address that opened
    /// the session over TCP is answered: a reflector must not be aimed at others.
    pub fn stamp(&self, ssid: u16, from: IpAddr) -> Result<Arc<Session>, Refusal> {
        let session = self.find(|kind| *kind == Kind::Stamp(ssid))?;
        if session.peer == from.to_canonical() {
            return Ok(session);
        }
        session.foreign.fetch_add(1, Relaxed);
        Err(Refusal::OtherAddress)
    }

    /// Ends every session: the far end is being stopped.
    pub fn stop(&self) {
        for session in self.lock().sessions.values() {
            session.end(Refusal::Stopping);
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::NotOffered)?;
    Ok(bytes)
}

/// A random SSID that no session has; never 0, which means "none" (RFC 8972 section 3).
fn unused_ssid(inner: &Inner) -> Result<u16, Refusal> {
    for _ in 0..64 {
        let ssid = u16::from_be_bytes(random()?);
        if ssid != 0 && !inner.sessions.values().any(|session| session.kind == Kind::Stamp(ssid)) {
            return Ok(ssid);
        }
    }
    Err(Refusal::TooManySessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const ASKED: Grant = Grant { seconds: 10, bytes: 100, packets: 5 };

    fn registry() -> Arc<Registry> {
        Registry::new(
            Caps { sessions: 2, guests: 3, guests_per_address: 2, ..Caps::default() },
            Secret::from("key".to_owned()),
        )
    }

    #[test]
    fn sessions_are_capped_and_leave_when_dropped() {
        let registry = registry();
        let first = registry.open(Wanted::Upload, PEER, ASKED).unwrap();
        let _second = registry.open(Wanted::Stamp, PEER, ASKED).unwrap();
        assert_eq!(registry.open(Wanted::Stamp, PEER, ASKED).unwrap_err(), Refusal::TooManySessions);
        let Kind::Upload(ticket) = first.session().kind else { panic!() };
        assert!(registry.upload(&ticket).is_ok());
        drop(first);
        assert_eq!(registry.upload(&ticket).unwrap_err(), Refusal::UnknownSession);
        assert!(registry.open(Wanted::Stamp, PEER, ASKED).is_ok());
    }

    #[test]
    fn bytes_and_packets_are_capped() {
        let registry = registry();
        let lease = registry.open(Wanted::Upload, PEER, ASKED).unwrap();
        assert!(lease.session().count(100).is_ok());
        assert_eq!(lease.session().count(1), Err(Refusal::Bytes));
        assert_eq!(lease.session().ended(), Some(Refusal::Bytes));
        let lease = registry.open(Wanted::Stamp, PEER, ASKED).unwrap();
        assert!((0..5).all(|_| lease.session().count(1).is_ok()));
        assert_eq!(lease.session().count(1), Err(Refusal::Packets));
    }

    #[tokio::test]
    async fn time_is_capped() {
        let registry = registry();
        let lease = registry.open(Wanted::Upload, PEER, Grant { seconds: 0, ..ASKED }).unwrap();
        assert_eq!(lease.session().over().await, Refusal::Time);
        assert_eq!(lease.session().count(1), Err(Refusal::Time));
    }

    #[test]
    fn nobody_gets_more_than_the_caps() {
        let registry = registry();
        let greedy = Grant { seconds: u32::MAX, bytes: u64::MAX, packets: u64::MAX };
        let lease = registry.open(Wanted::Upload, PEER, greedy).unwrap();
        assert_eq!(lease.session().grant, registry.caps().each);
    }

    #[test]
    fn stamp_answers_only_the_address_that_opened_the_session() {
        let registry = registry();
        let lease = registry.open(Wanted::Stamp, PEER, ASKED).unwrap();
        let Kind::Stamp(ssid) = lease.session().kind else { panic!() };
        assert!(registry.stamp(ssid, PEER).is_ok());
        assert_eq!(registry.stamp(ssid, OTHER).unwrap_err(), Refusal::OtherAddress);
        assert_eq!(lease.session().foreign(), 1);
        assert_eq!(registry.stamp(ssid.wrapping_add(1), PEER).unwrap_err(), Refusal::UnknownSession);
    }

    #[test]
    fn media_needs_the_key() {
        let registry = registry();
        assert_eq!(registry.media(Media::Rtmp, "kex", PEER).unwrap_err(), Refusal::UnknownSession);
        assert_eq!(registry.media(Media::Rtmp, "", PEER).unwrap_err(), Refusal::UnknownSession);
        assert!(registry.media(Media::Srt, "key", PEER).is_ok());
    }

    #[test]
    fn guests_are_capped_per_address_and_in_all() {
        let registry = registry();
        let first = registry.guest(PEER).unwrap();
        let _second = registry.guest(PEER).unwrap();
        assert_eq!(registry.guest(PEER).unwrap_err(), Refusal::TooManyGuests);
        let _third = registry.guest(OTHER).unwrap();
        assert_eq!(registry.guest("192.0.2.9".parse().unwrap()).unwrap_err(), Refusal::TooManyGuests);
        drop(first);
        assert!(registry.guest(PEER).is_ok());
    }
}

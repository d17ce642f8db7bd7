//! All sessions and guests of a far end, within its caps.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq;

use super::session::{Caps, Kind, Media, Session, Wanted, refusal};
use crate::model::Secret;
use crate::wire::control::{Ended, Grant, Refusal, Ticket};

fn within(asked: Grant, cap: Grant) -> Grant {
    Grant {
        seconds: asked.seconds.min(cap.seconds),
        bytes: asked.bytes.min(cap.bytes),
        packets: asked.packets.min(cap.packets),
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
        self.session.end(Ended::Closed);
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
        let (kind, streams) = match wanted {
            Wanted::Upload { streams } => (Kind::Upload(Ticket(random()?)), streams),
            Wanted::Datagrams => (Kind::Datagrams(Ticket(random()?)), 1),
            Wanted::Stamp => (Kind::Stamp(unused_ssid(&inner)?), 0),
            Wanted::Hold => (Kind::Hold(Ticket(random()?)), 0),
            Wanted::Listen { port } => (Kind::Listen(port), 0),
        };
        self.insert(&mut inner, kind, peer, asked, streams)
    }

    /// Opens a session for a test stream whose key admits it (compared in constant time).
    pub fn media(self: &Arc<Self>, media: Media, key: &str, peer: IpAddr) -> Result<Lease, Refusal> {
        if key.is_empty() || !bool::from(self.media_key.reveal().as_bytes().ct_eq(key.as_bytes())) {
            return Err(Refusal::UnknownSession);
        }
        self.insert(&mut self.lock(), Kind::Media(media), peer, self.caps.each, 1)
    }

    fn insert(
        self: &Arc<Self>,
        inner: &mut Inner,
        kind: Kind,
        peer: IpAddr,
        asked: Grant,
        streams: u32,
    ) -> Result<Lease, Refusal> {
        if inner.sessions.len() >= self.caps.sessions {
            return Err(Refusal::TooManySessions);
        }
        let session =
            Arc::new(Session::open(kind, peer.to_canonical(), within(asked, self.caps.each), streams));
        let id = inner.next;
        inner.next += 1;
        inner.sessions.insert(id, Arc::clone(&session));
        Ok(Lease { registry: Arc::clone(self), id, session })
    }

    fn find(&self, matches: impl Fn(&Kind) -> bool) -> Result<Arc<Session>, Refusal> {
        let found = self.lock().sessions.values().find(|session| matches(&session.kind)).cloned();
        let session = found.ok_or(Refusal::UnknownSession)?;
        session.ended().map_or(Ok(session), |how| Err(refusal(how)))
    }

    /// The upload that a ticket (compared in constant time) belongs to.
    pub fn upload(&self, ticket: &Ticket) -> Result<Arc<Session>, Refusal> {
        self.find(|kind| matches!(kind, Kind::Upload(live) if bool::from(live.0.ct_eq(&ticket.0))))
    }

    /// The upload over UDP that a datagram's ticket (compared in constant time) belongs to. It may
    /// come from any address: the ticket is no guess, and nothing is ever answered.
    pub fn datagrams(&self, ticket: &Ticket) -> Result<Arc<Session>, Refusal> {
        self.find(|kind| matches!(kind, Kind::Datagrams(live) if bool::from(live.0.ct_eq(&ticket.0))))
    }

    /// The held session that a ticket (compared in constant time) belongs to.
    pub fn held(&self, ticket: &Ticket) -> Result<Arc<Session>, Refusal> {
        self.find(|kind| matches!(kind, Kind::Hold(live) if bool::from(live.0.ct_eq(&ticket.0))))
    }

    /// The same also when it is over already.
    pub fn held_or_over(&self, ticket: &Ticket) -> Result<Arc<Session>, Refusal> {
        let is_it = |session: &&Arc<Session>| matches!(&session.kind, Kind::Hold(live) if bool::from(live.0.ct_eq(&ticket.0)));
        self.lock().sessions.values().find(is_it).cloned().ok_or(Refusal::UnknownSession)
    }

    /// The STAMP session of a packet. An SSID is guessable, so only the address that opened
    /// the session over TCP is answered: a reflector must not be aimed at others.
    pub fn stamp(&self, ssid: u16, from: IpAddr) -> Result<Arc<Session>, Refusal> {
        let session = self.find(|kind| *kind == Kind::Stamp(ssid))?;
        if session.peer == from.to_canonical() {
            return Ok(session);
        }
        session.count_foreign();
        Err(Refusal::OtherAddress)
    }

    /// Ends every session: the far end is being stopped.
    pub fn stop(&self) {
        for session in self.lock().sessions.values() {
            session.end(Ended::Refused(Refusal::Stopping));
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
        let first = registry.open(Wanted::Upload { streams: 1 }, PEER, ASKED).unwrap();
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
        let lease = registry.open(Wanted::Upload { streams: 1 }, PEER, ASKED).unwrap();
        assert!(lease.session().count(100).is_ok());
        assert_eq!(lease.session().count(1), Err(Refusal::Bytes));
        assert_eq!(lease.session().ended(), Some(Ended::Refused(Refusal::Bytes)));
        let lease = registry.open(Wanted::Stamp, PEER, ASKED).unwrap();
        assert!((0..5).all(|_| lease.session().count(1).is_ok()));
        assert_eq!(lease.session().count(1), Err(Refusal::Packets));
    }

    #[tokio::test]
    async fn time_is_capped() {
        let registry = registry();
        let lease =
            registry.open(Wanted::Upload { streams: 1 }, PEER, Grant { seconds: 0, ..ASKED }).unwrap();
        assert_eq!(lease.session().over().await, Ended::Refused(Refusal::Time));
        assert_eq!(lease.session().count(1), Err(Refusal::Time));
    }

    #[test]
    fn nobody_gets_more_than_the_caps() {
        let registry = registry();
        let greedy = Grant { seconds: u32::MAX, bytes: u64::MAX, packets: u64::MAX };
        let lease = registry.open(Wanted::Upload { streams: 1 }, PEER, greedy).unwrap();
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

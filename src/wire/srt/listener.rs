//! The listener: answers callers, lets its owner accept or reject each, counts their media.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sapflow_srt::crypto::{CryptoConfig, KeySize};
use sapflow_srt::packet::{Control, ControlPacket, Packet};
use sapflow_srt::{Config, ConnId, Event, RejectCode};

use super::{BadOptions, KeyLength, Rejection};
use crate::model::Secret;

/// How a listener answers.
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    /// Receiver latency; a caller that asks for more gets more.
    pub latency: Duration,
    /// Passphrase that callers must have; `None` takes plain callers only.
    pub passphrase: Option<Secret>,
    /// Key length to advertise with the passphrase; AES-192 is refused.
    pub key: KeyLength,
    /// Callers at a time, waiting or connected.
    pub max_callers: usize,
    /// Packets buffered for each caller.
    pub buffer_packets: usize,
    /// Handshake packets answered per second (bursts of twice that).
    pub handshakes_per_second: u32,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(120),
            passphrase: None,
            key: KeyLength::Aes128,
            max_callers: 8,
            // As many as a caller may have on their way: 20 Mb/s with 4 s of latency take 7600.
            buffer_packets: 16_384,
            handshakes_per_second: 50,
        }
    }
}

/// A caller's number in this listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(ConnId);

/// A caller that has proved its address and waits for [`Listener::accept`].
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// Its address.
    pub peer: SocketAddr,
    /// Its stream id, at most 512 bytes, to be compared with what is expected.
    pub stream_id: Vec<u8>,
}

impl std::fmt::Debug for Call {
    /// Without the stream id: it may be a stream key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("id", &self.id).field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// What came of a caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Media packets delivered, in order and in time.
    pub packets: u64,
    /// Payload bytes in them.
    pub bytes: u64,
    /// Packets found missing on arrival, each counted once, repaired or not.
    pub lost: u64,
    /// Of those, given up at their delivery time.
    pub dropped: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerEvent {
    /// A caller asks.
    Called(Call),
    /// A payload was delivered and counted.
    Media {
        /// From whom.
        id: CallId,
        /// Its bytes.
        bytes: usize,
    },
    /// A caller left, fell silent, or was not answered in 5 s.
    Left {
        /// Who.
        id: CallId,
        /// What it had sent.
        counts: Counts,
    },
}

/// One UDP port's callers. Drain [`Listener::transmit`] and [`Listener::event`] after each
/// call; a handshake is answered with no more bytes than it had until the caller has shown
/// with its cookie that it receives at its address (section 4.3.1.1).
pub struct Listener {
    engine: sapflow_srt::Listener,
    calls: BTreeMap<CallId, (u64, u64)>,
    events: VecDeque<ListenerEvent>,
    /// What leaves before all that the engine has.
    farewells: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}

impl Listener {
    /// A listener with a random cookie key of its own.
    pub fn new(options: &ListenerOptions, now: Instant) -> Result<Self, BadOptions> {
        let key = options.key.engine().ok_or(BadOptions::KeyLength)?;
        let crypto = options.passphrase.as_ref().map(|passphrase| secret(passphrase, key)).transpose()?;
        let config = Config {
            latency: options.latency,
            max_connections: options.max_callers,
            handshakes_per_second: options.handshakes_per_second,
            buffer_packets: options.buffer_packets,
            require_encryption: crypto.is_some(),
            crypto,
            ..Config::default()
        };
        let engine = sapflow_srt::Listener::new(config, now);
        Ok(Self { engine, calls: BTreeMap::new(), events: VecDeque::new(), farewells: VecDeque::new() })
    }

    /// Takes a datagram that came from `peer`.
    pub fn receive(&mut self, now: Instant, peer: SocketAddr, datagram: &[u8]) {
        self.engine.handle_datagram(now, peer, datagram);
        self.translate();
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
        self.translate();
    }

    /// The next datagram to send and to whom, if any.
    pub fn transmit(&mut self) -> Option<(SocketAddr, Vec<u8>)> {
        self.farewells.pop_front().or_else(|| self.engine.poll_transmit())
    }

    /// When to call [`Listener::timeout`] next; `None` without callers.
    pub fn next_time(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }

    /// The next event, if any.
    pub fn event(&mut self) -> Option<ListenerEvent> {
        self.events.pop_front()
    }

    /// Lets a caller in. False when it is gone or its passphrase was refused.
    pub fn accept(&mut self, id: CallId, now: Instant) -> bool {
        let accepted = self.engine.accept(id.0, now);
        if accepted {
            self.calls.insert(id, (0, 0));
        }
        self.translate();
        accepted
    }

    /// Refuses a caller, saying why.
    pub fn reject(&mut self, id: CallId, why: Rejection) -> bool {
        self.engine.reject(id.0, RejectCode(why.to_wire()))
    }

    /// Hangs up; gives what the caller had sent, `None` when it was not connected.
    pub fn close(&mut self, id: CallId, now: Instant) -> Option<Counts> {
        let counts = self.counts(id);
        self.engine.close(id.0, now);
        self.calls.remove(&id);
        counts
    }

    /// The same, with a code for why (Peer Error, section 3.2.10): twice, since a datagram may be lost.
    pub fn fail(&mut self, id: CallId, code: u32, now: Instant) -> Option<Counts> {
        while let Some(earlier) = self.engine.poll_transmit() {
            self.farewells.push_back(earlier);
        }
        let counts = self.close(id, now);
        while let Some((to, shutdown)) = self.engine.poll_transmit() {
            if let Ok(Packet::Control(ControlPacket { timestamp, dest, body: Control::Shutdown })) =
                Packet::parse(&shutdown)
            {
                let mut error = Vec::new();
                ControlPacket { timestamp, dest, body: Control::PeerError { code } }.encode(&mut error);
                self.farewells.extend([(to, error.clone()), (to, error)]);
            }
            self.farewells.push_back((to, shutdown));
        }
        counts
    }

    /// What a connected caller has sent so far.
    pub fn counts(&self, id: CallId) -> Option<Counts> {
        let (packets, bytes) = *self.calls.get(&id)?;
        let stats = self.engine.connection_stats(id.0).unwrap_or_default();
        Some(Counts { packets, bytes, lost: stats.lost, dropped: stats.dropped })
    }

    /// Callers connected now.
    pub fn connected(&self) -> usize {
        self.calls.len()
    }

    fn translate(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Connect { id, peer, stream_id } => {
                    self.events.push_back(ListenerEvent::Called(Call { id: CallId(id), peer, stream_id }));
                }
                Event::Data { id, payload } => {
                    let id = CallId(id);
                    if let Some((packets, bytes)) = self.calls.get_mut(&id) {
                        *packets += 1;
                        *bytes += payload.len() as u64;
                        self.events.push_back(ListenerEvent::Media { id, bytes: payload.len() });
                    }
                }
                Event::Closed { id, stats, .. } => {
                    let id = CallId(id);
                    let (packets, bytes) = self.calls.remove(&id).unwrap_or_default();
                    let counts = Counts { packets, bytes, lost: stats.lost, dropped: stats.dropped };
                    self.events.push_back(ListenerEvent::Left { id, counts });
                }
            }
        }
    }
}

fn secret(passphrase: &Secret, key: KeySize) -> Result<CryptoConfig, BadOptions> {
    CryptoConfig::new(passphrase.reveal().as_bytes().to_vec(), key).map_err(|_| BadOptions::Passphrase)
}

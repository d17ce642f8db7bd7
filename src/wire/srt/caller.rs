//! The caller: induction, conclusion, then live media.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sapflow_srt::crypto::{CryptoConfig, KeySize};
use sapflow_srt::packet::{Control, ControlPacket, Handshake, HandshakeKind, Packet, SRT_MAGIC};
use sapflow_srt::seq::Seq;
use sapflow_srt::{CallerEvent as EngineEvent, SendError};

use super::answer::{describe, ending};
use super::options::{check, engine_config};
use super::repairs::{RepairCounts, Repairs};
use super::{
    BadOptions, CallerEvent, CallerOptions, Conclusion, Ending, Induction, KeyLength, Phase, Rejection,
    Unusable,
};

/// Between repeats of an induction packet, as libsrt does.
const RETRY: Duration = Duration::from_millis(250);
/// Bytes kept of the first datagram that was not SRT.
const FOREIGN_BYTES: usize = 64;

/// Media that was not taken for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// Not connected, or no longer.
    #[error("not connected")]
    Closed,
    /// Empty, or larger than [`CallerOptions::payload_bytes`].
    #[error("payload empty or too large")]
    Size,
    /// Too much waits to be acknowledged.
    #[error("the send buffer is full")]
    Full,
}

/// Counters of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallerCounts {
    /// Handshake packets sent in both phases.
    pub handshake_packets: u32,
    /// Answers to induction, those to its repeats too.
    pub induction_answers: u32,
    /// Datagrams from the peer that were not SRT for us.
    pub foreign: u64,
    /// Media packets sent, repeats included.
    pub sent_packets: u64,
    /// Media packets acknowledged.
    pub acknowledged_packets: u64,
    /// Reports of loss from the listener. Take loss from these, never from the count of
    /// repeats: the engine repeats too much.
    pub loss_reports: u64,
    /// Smoothed round trip, µs; 0 before the first measurement.
    pub round_trip_us: u64,
}

enum Stage {
    Induction { next: Instant },
    Engine(Box<sapflow_srt::Caller>),
    Over,
}

/// A call to one listener. Drain [`Caller::transmit`] and [`Caller::event`] after each
/// [`Caller::receive`] and whenever [`Caller::next_time`] comes.
pub struct Caller {
    options: CallerOptions,
    peer: SocketAddr,
    socket: u32,
    sequence: Seq,
    started: Instant,
    deadline: Instant,
    stage: Stage,
    events: VecDeque<CallerEvent>,
    counts: CallerCounts,
    foreign: Option<Vec<u8>>,
    last: Option<Handshake>,
    repairs: Repairs,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("peer", &self.peer)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// Starts a call. `seed` must be random: the socket id made of it is what an off-path
    /// forger would have to guess.
    pub fn new(
        options: CallerOptions,
        peer: SocketAddr,
        seed: u64,
        now: Instant,
    ) -> Result<Self, BadOptions> {
        check(&options, peer, now)?;
        let [high, low] =
            [seed >> 32, seed].map(|half| u32::try_from(half & 0xffff_ffff).unwrap_or_default());
        Ok(Self {
            deadline: now + options.phase_limit,
            options,
            peer,
            // 30 bits, never 0 (0 addresses a listener): section 3.2.1.
            socket: (low & 0x3fff_ffff).max(1),
            sequence: Seq::new(high),
            started: now,
            stage: Stage::Induction { next: now },
            events: VecDeque::new(),
            counts: CallerCounts::default(),
            foreign: None,
            last: None,
            repairs: Repairs::new(),
        })
    }

    /// Takes a datagram that came from `peer`.
    pub fn receive(&mut self, now: Instant, peer: SocketAddr, datagram: &[u8]) {
        if peer != self.peer || matches!(self.stage, Stage::Over) {
            return;
        }
        let parsed = if datagram.len() <= 1500 { Packet::parse(datagram).ok() } else { None };
        let handshake = match &parsed {
            Some(Packet::Control(ControlPacket { dest, body, .. })) if *dest == self.socket => match body {
                Control::Handshake(handshake) => Some(handshake.clone()),
                _ => None,
            },
            _ => return self.note_foreign(datagram),
        };
        if handshake.as_ref().is_some_and(|handshake| handshake.kind == HandshakeKind::Induction) {
            self.counts.induction_answers += 1;
        }
        match (&mut self.stage, handshake) {
            (Stage::Induction { .. }, Some(handshake)) => self.inducted(now, &handshake, datagram),
            (Stage::Induction { .. }, None) => self.note_foreign(datagram),
            (Stage::Engine(engine), Some(handshake)) => {
                engine.handle_datagram(now, peer, &without_key_length(datagram, &handshake));
                self.last = Some(handshake);
                self.translate();
            }
            (Stage::Engine(engine), None) => {
                if let Some(Packet::Control(control)) = &parsed {
                    // The engine would forget it for the Shutdown that follows.
                    if let Control::PeerError { code } = control.body {
                        return self.end(Ending::PeerError(code));
                    }
                    self.repairs.heard(now, control);
                }
                engine.handle_datagram(now, peer, datagram);
                self.translate();
            }
            (Stage::Over, _) => {}
        }
    }

    /// Does what is due.
    pub fn timeout(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Induction { .. } if now >= self.deadline => self.end(Ending::Silent(Phase::Induction)),
            Stage::Engine(engine) => {
                engine.handle_timeout(now);
                self.translate();
            }
            _ => {}
        }
    }

    /// The next datagram for the peer, if one is due. Call until `None`.
    pub fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        match &mut self.stage {
            Stage::Induction { next } if now >= *next && now < self.deadline => {
                *next = now + RETRY;
                self.counts.handshake_packets += 1;
                Some(self.induction_packet(now))
            }
            Stage::Engine(engine) => {
                let datagram = engine.poll_transmit(now).map(|(_, datagram)| datagram);
                if let Some(datagram) = &datagram {
                    self.repairs.sent(now, datagram);
                }
                self.translate();
                datagram
            }
            _ => None,
        }
    }

    /// When to call [`Caller::timeout`] and [`Caller::transmit`] next; `None` when over.
    pub fn next_time(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Induction { next } => Some((*next).min(self.deadline)),
            Stage::Engine(engine) => engine.poll_timeout(),
            Stage::Over => None,
        }
    }

    /// The next event, if any.
    pub fn event(&mut self) -> Option<CallerEvent> {
        self.events.pop_front()
    }

    /// Queues one payload of media.
    pub fn send(&mut self, now: Instant, payload: Vec<u8>) -> Result<(), NotSent> {
        let Stage::Engine(engine) = &mut self.stage else { return Err(NotSent::Closed) };
        let sent = engine.enqueue(now, payload).map_err(|error| match error {
            SendError::NotConnected => NotSent::Closed,
            SendError::Empty | SendError::PayloadTooLarge => NotSent::Size,
            SendError::QueueFull => NotSent::Full,
        });
        self.translate();
        sent
    }

    /// Ends the call; [`Caller::transmit`] once more gives the farewell, if one is due.
    pub fn stop(&mut self, now: Instant) {
        match &mut self.stage {
            Stage::Engine(engine) => {
                engine.stop(now);
                self.translate();
            }
            Stage::Induction { .. } => self.end(Ending::Stopped),
            Stage::Over => {}
        }
    }

    /// Counters so far.
    pub fn counts(&self) -> CallerCounts {
        let Stage::Engine(engine) = &self.stage else { return self.counts };
        let stats = engine.stats();
        CallerCounts {
            // The engine's first packet is an induction that is never sent.
            handshake_packets: self.counts.handshake_packets + conclusion_packets(engine),
            induction_answers: self.counts.induction_answers,
            foreign: self.counts.foreign,
            sent_packets: stats.send.sent_packets,
            acknowledged_packets: stats.send.acknowledged_packets,
            loss_reports: stats.send.nak_packets,
            round_trip_us: stats.send.rtt_us,
        }
    }

    /// What became of the media packets, as far as the listener said.
    pub fn repairs(&self) -> RepairCounts {
        self.repairs.counts()
    }

    /// Packets that were repaired, by how long after their own time: classes of
    /// [`CLASS_MS`](super::CLASS_MS) milliseconds, the last one open.
    pub fn repair_classes(&self) -> &[u32] {
        self.repairs.classes()
    }

    /// When the oldest media packet was handed over that is not acknowledged.
    pub fn oldest_unacknowledged(&self) -> Option<Instant> {
        self.repairs.oldest()
    }

    /// The beginning of the first datagram from the peer that was not SRT.
    pub fn foreign(&self) -> Option<&[u8]> {
        self.foreign.as_deref()
    }

    fn note_foreign(&mut self, datagram: &[u8]) {
        self.counts.foreign += 1;
        self.foreign.get_or_insert_with(|| datagram.iter().copied().take(FOREIGN_BYTES).collect());
    }

    fn end(&mut self, ending: Ending) {
        self.counts = self.counts();
        self.stage = Stage::Over;
        self.events.push_back(CallerEvent::Ended(ending));
    }

    fn induction_packet(&self, now: Instant) -> Vec<u8> {
        let handshake = Handshake {
            // Section 4.3.1.1: version 4 and extension 2, so that UDT peers understand it.
            version: 4,
            encryption: 0,
            extension: 2,
            initial_seq: self.sequence.get(),
            mtu: 1500,
            flow_window: 8192,
            kind: HandshakeKind::Induction,
            socket_id: self.socket,
            cookie: 0,
            peer_ip: [0; 16],
            extensions: Vec::new(),
        };
        encode(now.saturating_duration_since(self.started), 0, handshake)
    }

    fn inducted(&mut self, now: Instant, answer: &Handshake, datagram: &[u8]) {
        match answer.kind {
            HandshakeKind::Induction => {}
            HandshakeKind::Rejection(code) if let Some(why) = Rejection::from_wire(code) => {
                return self.end(Ending::Rejected(why));
            }
            // Late, or forged: no answer to what was asked.
            _ => return self.note_foreign(datagram),
        }
        let induction = Induction {
            version: answer.version,
            magic: answer.extension,
            advertised_key: KeyLength::from_field(answer.encryption),
            mtu: answer.mtu,
            packets: self.counts.handshake_packets,
        };
        self.events.push_back(CallerEvent::Inducted(induction));
        if self.options.induction_only {
            self.stage = Stage::Over;
        } else if answer.version != 5 {
            self.end(Ending::Unusable(Unusable::Version(answer.version)));
        } else if answer.extension != SRT_MAGIC {
            self.end(Ending::Unusable(Unusable::Magic(answer.extension)));
        } else {
            match self.engine(now, answer, induction.advertised_key) {
                Some(engine) => self.stage = Stage::Engine(Box::new(engine)),
                None => self.end(OTHER),
            }
        }
    }

    /// The engine, brought to where it sends the conclusion. It never sees the key length that
    /// the listener advertises, because it would give up over a mismatch without asking; so
    /// the listener itself says what it thinks of ours.
    fn engine(
        &self,
        now: Instant,
        answer: &Handshake,
        advertised: Option<KeyLength>,
    ) -> Option<sapflow_srt::Caller> {
        let key = self.options.key.or(advertised).and_then(KeyLength::engine);
        let crypto = match &self.options.passphrase {
            Some(passphrase) => {
                let key = key.unwrap_or(KeySize::Aes128);
                Some(CryptoConfig::new(passphrase.reveal().as_bytes().to_vec(), key).ok()?)
            }
            None => None,
        };
        let config = engine_config(&self.options, crypto);
        let mut engine =
            sapflow_srt::Caller::with_ids(config, self.peer, self.socket, self.sequence, now).ok()?;
        engine.poll_transmit(now);
        let mut answer = answer.clone();
        answer.encryption = 0;
        answer.initial_seq = self.sequence.get();
        answer.extensions.clear();
        engine.handle_datagram(now, self.peer, &encode(Duration::ZERO, self.socket, answer));
        Some(engine)
    }

    /// Takes the engine's events over. After its last one it stays: it still owes its farewell.
    fn translate(&mut self) {
        let Stage::Engine(engine) = &mut self.stage else { return };
        while let Some(event) = engine.poll_event() {
            self.events.push_back(match event {
                EngineEvent::Connected { latency, .. } => {
                    self.repairs.agreed(latency);
                    let (version, encrypted) = self.last.as_ref().map(describe).unwrap_or_default();
                    let packets = conclusion_packets(engine);
                    CallerEvent::Connected(Conclusion { version, latency, encrypted, packets })
                }
                EngineEvent::Closed { reason } => {
                    CallerEvent::Ended(ending(reason, self.last.as_ref(), self.options.payload_bytes))
                }
            });
        }
    }
}

const OTHER: Ending = Ending::Unusable(Unusable::Other);

/// The engine takes a listener's own preference for another key length as a failure; the key
/// material beside it is what counts. 0 means "not said" (section 3.2.1).
fn without_key_length(datagram: &[u8], handshake: &Handshake) -> Vec<u8> {
    const FIELD: std::ops::Range<usize> = 20..22;
    let mut datagram = datagram.to_vec();
    if describe(handshake).1
        && let Some(field) = datagram.get_mut(FIELD)
    {
        field.fill(0);
    }
    datagram
}

fn conclusion_packets(engine: &sapflow_srt::Caller) -> u32 {
    u32::try_from(engine.stats().handshake_packets.saturating_sub(1)).unwrap_or(u32::MAX)
}

fn encode(since: Duration, destination: u32, handshake: Handshake) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    // 32 bits of microseconds, wrapping: section 3.
    let timestamp = u32::try_from(since.as_micros() & u128::from(u32::MAX)).unwrap_or_default();
    ControlPacket::new(timestamp, destination, Control::Handshake(handshake)).encode(&mut out);
    out
}

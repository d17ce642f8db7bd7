//! The stream over SRT, handshake included: as MPEG transport stream in packets of 1316 bytes.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use socket2::SockRef;

use super::tally::{Look, Tally};
use super::{End, LOOK, Plan, Stop, Take, Watch};
use crate::media::ts::{Muxer, PACKET};
use crate::media::{Padded, Piece};
use crate::model::{Family, WireText};
use crate::net::{icmp_error, ready};
use crate::wire::srt::{
    BadOptions, CLASS_MS, Caller, CallerEvent, CallerOptions, Conclusion, Ending, LIVE_PAYLOAD, NotSent,
};

/// Larger than any datagram that is looked at.
const DATAGRAM: usize = 2048;
/// How much faster than the stream's own rate packets may leave: an encoder's keyframe leaves at once, and
/// what is repeated must not wait behind what is new.
const RUSH: u64 = 8;
/// What is due within this leaves at once: a timer for each packet would come too late for a fast stream.
const AHEAD: Duration = Duration::from_millis(1);
/// Bytes a second that the engine paces to at most.
const FASTEST: u64 = 1_000_000_000;

/// A listener that took the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The listener's SRT version.
    pub version: String,
    /// Latency agreed, in milliseconds.
    pub latency_ms: u64,
    /// True when the media was encrypted.
    pub encrypted: bool,
}

/// What became of the packets, as the listener reported it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SrtCounts {
    /// Packets sent for the first time.
    pub packets: u64,
    /// Packets sent again, some of them needlessly.
    pub repeated: u64,
    /// Packets reported missing, each counted once.
    pub lost: u64,
    /// Of those, too late to be played.
    pub too_late: u64,
    /// Packets that were repaired in time, by how long after they were handed over, in classes of
    /// `class_ms` milliseconds.
    pub repaired: Vec<u32>,
    /// Width of such a class, in milliseconds.
    pub class_ms: u32,
}

/// What came of a call.
#[derive(Debug)]
pub enum Called {
    /// The listener took it, and the stream was played.
    Played(Box<(Accepted, SrtCounts, Take)>),
    /// The handshake did not come to its end.
    Missed(Ending),
    /// The system or the network said that the address cannot be reached.
    Unreached(io::Error),
    /// The run was stopped before.
    Stopped,
}

/// Calls, and plays the stream. Call it on a thread of its own. `socket` is connected to `peer`.
///
/// # Errors
/// Options that no call can be made with.
pub fn call(
    socket: &UdpSocket,
    peer: SocketAddr,
    options: CallerOptions,
    seed: u64,
    plan: &Plan,
    stop: &Stop,
    watch: Watch,
) -> Result<Called, BadOptions> {
    let bandwidth = plan.kbps.saturating_mul(125 * RUSH).min(FASTEST);
    let options = CallerOptions { bandwidth, payload_bytes: LIVE_PAYLOAD, induction_only: false, ..options };
    let caller = Caller::new(options, peer, seed, Instant::now())?;
    let mut session =
        Session { socket, peer, caller, datagram: vec![0; DATAGRAM], plays: false, refused: 0, sent: 0 };
    Ok(match session.connect(stop) {
        Ok(conclusion) => {
            session.play();
            let mut stream = Play {
                latency: conclusion.latency,
                session,
                tally: Tally::new(watch, true),
                start: Instant::now(),
                muxer: Muxer::default(),
                packed: Vec::new(),
                full: false,
            };
            let end = stream.run(plan, stop);
            let (counts, take) = stream.finish(end);
            let (major, minor, patch) = conclusion.version;
            let accepted = Accepted {
                version: format!("{major}.{minor}.{patch}"),
                latency_ms: u64::try_from(conclusion.latency.as_millis()).unwrap_or(u64::MAX),
                encrypted: conclusion.encrypted,
            };
            Called::Played(Box::new((accepted, counts, take)))
        }
        Err(outcome) => outcome,
    })
}

struct Session<'a> {
    socket: &'a UdpSocket,
    peer: SocketAddr,
    caller: Caller,
    datagram: Vec<u8>,
    plays: bool,
    refused: u32,
    sent: u64,
}

impl Session<'_> {
    fn connect(&mut self, stop: &Stop) -> Result<Conclusion, Called> {
        loop {
            self.exchange().map_err(Called::Unreached)?;
            while let Some(event) = self.caller.event() {
                match event {
                    CallerEvent::Connected(conclusion) => return Ok(conclusion),
                    CallerEvent::Ended(ending) => return Err(Called::Missed(ending)),
                    CallerEvent::Inducted(_) => {}
                }
            }
            if stop.is_set() {
                self.hang_up();
                return Err(Called::Stopped);
            }
            self.wait(LOOK);
        }
    }

    /// Takes in what came and sends what is due.
    fn exchange(&mut self) -> io::Result<()> {
        loop {
            match self.socket.recv(&mut self.datagram) {
                Ok(length) => {
                    let bytes = self.datagram.get(..length).unwrap_or_default();
                    self.caller.receive(Instant::now(), self.peer, bytes);
                    self.refused = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => self.failed(error)?,
            }
        }
        self.caller.timeout(Instant::now());
        while let Some(packet) = self.caller.transmit(self.ahead()) {
            match self.socket.send(&packet) {
                Ok(length) => self.sent += length as u64,
                // A full queue of this machine loses the packet, as for any encoder.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.failed(error)?,
            }
        }
        Ok(())
    }

    /// When the next packet is due, from now on and within [`AHEAD`].
    fn ahead(&self) -> Instant {
        let now = Instant::now();
        self.caller.next_time().map_or(now, |due| due.clamp(now, now + AHEAD))
    }

    /// From here on errors of the way are as for an encoder: what routers say of single packets is not kept.
    fn play(&mut self) {
        const QUEUED: usize = 64;
        self.plays = true;
        self.refused = 0;
        icmp_error::keep(self.socket, Family::of(self.peer.ip()), false);
        let _ = (0..QUEUED).take_while(|_| icmp_error::take(self.socket).is_some()).count();
    }

    /// One "port unreachable" may be a leftover of a service that is just starting; three without a word
    /// between them are its end. While it plays, what fails on the way loses a packet, and silence decides.
    fn failed(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.refused += 1;
            return if self.refused < 3 { Ok(()) } else { Err(error) };
        }
        if self.plays && of_the_way(&error) { Ok(()) } else { Err(error) }
    }

    fn wait(&self, most: Duration) {
        let due = self.caller.next_time().map_or(most, |at| at.saturating_duration_since(Instant::now()));
        ready::wait(&SockRef::from(self.socket), false, due.min(most));
    }

    fn hang_up(&mut self) {
        self.caller.stop(Instant::now());
        while let Some(packet) = self.caller.transmit(Instant::now()) {
            let _ = self.socket.send(&packet);
        }
    }
}

struct Play<'a> {
    session: Session<'a>,
    /// As agreed.
    latency: Duration,
    tally: Tally,
    start: Instant,
    muxer: Muxer,
    packed: Vec<u8>,
    full: bool,
}

impl Play<'_> {
    fn run(&mut self, plan: &Plan, stop: &Stop) -> End {
        let mut pieces = match Padded::test_card(plan.kbps) {
            Ok(pieces) => pieces.peekable(),
            Err(error) => return End::Broken { problem: WireText::from(error.to_string()) },
        };
        let end = self.start + plan.length;
        loop {
            let now = Instant::now();
            while let Some(piece) = pieces.next_if(|piece| self.due(piece.due_ms) <= now.min(end)) {
                self.encoded(&piece, now);
            }
            if let Err(error) = self.session.exchange() {
                return broke(&error);
            }
            while let Some(event) = self.session.caller.event() {
                if let CallerEvent::Ended(ending) = event {
                    return ended(ending);
                }
            }
            self.look();
            let next = pieces.peek().map_or(end, |piece| self.due(piece.due_ms)).min(end);
            if stop.is_set() {
                return End::Cancelled;
            } else if now >= end {
                return End::Complete;
            } else if self.tally.has_collapsed() {
                return End::Collapsed;
            } else if self.full {
                return End::SendTimedOut;
            } else if self.session.sent > plan.most_bytes {
                let problem = "more had to be sent again than the plan allows".to_owned();
                return End::Broken { problem: problem.into() };
            }
            self.session.wait(next.saturating_duration_since(Instant::now()).min(LOOK));
        }
    }

    fn due(&self, due_ms: u64) -> Instant {
        self.start + Duration::from_millis(due_ms)
    }

    /// The encoder hands a piece over.
    fn encoded(&mut self, piece: &Piece, now: Instant) {
        let late = now.saturating_duration_since(self.due(piece.due_ms));
        self.tally.piece(piece.picture, late.as_secs_f64() * 1000.0, 0);
        self.muxer.pack(piece, &mut self.packed);
        for payload in whole(&mut self.packed) {
            self.give(now, payload);
        }
    }

    fn give(&mut self, now: Instant, payload: Vec<u8>) {
        self.full |= self.session.caller.send(now, payload) == Err(NotSent::Full);
    }

    fn look(&mut self) {
        let caller = &self.session.caller;
        let (counts, repairs) = (caller.counts(), caller.repairs());
        let oldest = caller.oldest_unacknowledged().map(|at| at.saturating_duration_since(self.start));
        let look = Look {
            oldest_due_ms: oldest.map(|since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            through: counts.acknowledged_packets * LIVE_PAYLOAD as u64,
            packets: repairs.sent,
            lost: repairs.lost,
            too_late: repairs.too_late,
            ..Look::default()
        };
        self.tally.look(self.start.elapsed().as_secs_f64() * 1000.0, look);
    }

    fn finish(mut self, end: End) -> (SrtCounts, Take) {
        let took_ms = self.start.elapsed().as_secs_f64() * 1000.0;
        if matches!(end, End::Complete | End::Cancelled) {
            self.see_off();
        }
        self.session.hang_up();
        let repairs = self.session.caller.repairs();
        let counts = SrtCounts {
            packets: repairs.sent,
            repeated: repairs.repeated,
            lost: repairs.lost,
            too_late: repairs.too_late,
            repaired: self.session.caller.repair_classes().to_vec(),
            class_ms: CLASS_MS,
        };
        let round_trip = Duration::from_micros(self.session.caller.counts().round_trip_us);
        let mut take = self.tally.close(took_ms, self.session.sent, end);
        take.round_trip_ms = Some(round_trip.as_secs_f64() * 1000.0).filter(|ms| *ms > 0.0);
        take.cpu_ms = ready::thread_cpu_ms();
        (counts, take)
    }

    /// Sends the rest and gives the last packets the time to be repaired and played: a farewell makes the
    /// listener forget what it still holds.
    fn see_off(&mut self) {
        const MOST: Duration = Duration::from_secs(3);
        const SPARE: Duration = Duration::from_millis(100);
        let rest = std::mem::take(&mut self.packed);
        if !rest.is_empty() && rest.len().is_multiple_of(PACKET) {
            self.give(Instant::now(), rest);
        }
        let deadline = Instant::now() + MOST;
        while self.session.exchange().is_ok()
            && self.session.caller.oldest_unacknowledged().is_some()
            && Instant::now() < deadline
        {
            self.session.wait(LOOK);
        }
        let played = Instant::now() + self.latency + SPARE;
        while self.session.exchange().is_ok() && Instant::now() < played {
            self.session.wait(LOOK);
        }
    }
}

/// Takes out what fills packets. Each has room for itself alone: the engine's limit counts what is reserved.
fn whole(packed: &mut Vec<u8>) -> Vec<Vec<u8>> {
    let (payloads, rest) = packed.as_chunks::<LIVE_PAYLOAD>();
    let (payloads, rest) = (payloads.iter().map(|payload| payload.to_vec()).collect(), rest.len());
    packed.drain(..packed.len() - rest);
    payloads
}

/// Whether a network said that a packet cannot go on, or none can be found at the moment.
fn of_the_way(error: &io::Error) -> bool {
    let unreachable = [
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::NetworkDown,
        io::ErrorKind::AddrNotAvailable,
    ];
    let too_big = cfg!(unix) && error.raw_os_error() == Some(libc::EMSGSIZE);
    unreachable.contains(&error.kind()) || too_big
}

/// How a stream ends whose socket says no.
fn broke(error: &io::Error) -> End {
    match error.kind() {
        // Nobody listens any more.
        io::ErrorKind::ConnectionRefused => End::Closed { reset: true },
        _ => End::Broken { problem: WireText::from(error.to_string()) },
    }
}

fn ended(ending: Ending) -> End {
    match ending {
        Ending::Shutdown => End::Closed { reset: false },
        Ending::Idle | Ending::Silent(_) => End::Silent,
        Ending::Stuck => End::SendTimedOut,
        Ending::Stopped => End::Cancelled,
        other => End::Broken { problem: WireText::from(format!("{other:?}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_way_says_loses_a_packet_and_a_shut_port_ends_the_stream() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = "127.0.0.1:9".parse().unwrap();
        let caller = Caller::new(CallerOptions::default(), peer, 1, Instant::now()).unwrap();
        let mut session = Session {
            socket: &socket,
            peer,
            caller,
            datagram: Vec::new(),
            plays: false,
            refused: 0,
            sent: 0,
        };
        let error = |code| io::Error::from_raw_os_error(code);
        assert!(session.failed(error(libc::EHOSTUNREACH)).is_err(), "nothing stands yet");
        session.play();
        for code in [libc::EHOSTUNREACH, libc::ENETUNREACH, libc::EMSGSIZE].repeat(9) {
            session.failed(error(code)).unwrap();
        }
        for _ in 0..2 {
            session.failed(error(libc::ECONNREFUSED)).unwrap();
        }
        let third = session.failed(error(libc::ECONNREFUSED)).unwrap_err();
        assert_eq!(broke(&third), End::Closed { reset: true });
        assert!(matches!(broke(&session.failed(error(libc::EBADF)).unwrap_err()), End::Broken { .. }));
    }

    #[test]
    fn a_large_keyframe_reserves_no_more_than_it_holds() {
        let bytes: Vec<u8> = (0..=255).cycle().take(400 * LIVE_PAYLOAD + 376).collect();
        let mut packed = bytes.clone();
        let payloads = whole(&mut packed);
        assert_eq!(payloads.iter().map(Vec::capacity).sum::<usize>(), 400 * LIVE_PAYLOAD);
        assert_eq!([payloads.concat(), packed.clone()].concat(), bytes);
        assert!(whole(&mut packed).is_empty());
        assert_eq!(packed.len(), 376);
    }
}

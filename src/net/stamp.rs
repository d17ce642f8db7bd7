//! A STAMP session sender over UDP (RFC 8762 section 4.2) on threads of its own: the runtime's
//! timers are too coarse to pace packets, and its tasks too late to time them.

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Wall;
use super::failure::classify;
use super::icmp_error;
use crate::model::{Failure, WireText};
use crate::wire::stamp::{ErrorEstimate, MAX_BYTES, Ntp, ReflectorPacket, SenderPacket, Session};

/// Longest sleep in one go, so that cancelling takes effect soon.
const NAP: Duration = Duration::from_millis(50);
/// A sender this late starts its grid anew instead of sending a burst to catch up.
const HICCUP: Duration = Duration::from_millis(50);
/// So many refusals before the first reply end the session: nobody reflects there.
const REFUSALS: u32 = 10;
/// Live samples are given at most this often.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);
/// Asked of the system, which may give less.
const BUFFER: usize = 1 << 20;

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How many packets.
    pub packets: u32,
    /// From one packet to the next.
    pub every: Duration,
    /// UDP payload of each, in bytes.
    pub size: usize,
    /// Session id (RFC 8972 section 3); 0 for none, and then replies with any are taken.
    pub ssid: u16,
    /// How long to wait for replies after the last packet.
    pub patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The books.
    pub session: Session,
    /// How late each packet left, against an even grid.
    pub lateness: Vec<Duration>,
    /// Packets that the system refused to send (no buffer, no permission).
    pub not_sent: u64,
    /// The first error that the network or the system reported.
    pub error: Option<Trouble>,
}

/// An error that the network or the system reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// How.
    pub failure: Failure,
    /// In its own words.
    pub detail: WireText,
}

/// Runs a session over a connected, blocking socket to its end, or until cancelled. Blocks:
/// call it on a thread of its own. `sample` gets offsets and round trips, both in ms.
pub fn run(
    socket: &UdpSocket,
    plan: &Plan,
    cancel: &CancellationToken,
    sample: &(dyn Fn(f64, f64) + Sync),
) -> io::Result<Outcome> {
    socket.set_read_timeout(Some(NAP))?;
    // Best effort: replies wait here while this machine is busy.
    let _ = socket2::SockRef::from(socket).set_recv_buffer_size(BUFFER);
    let shared = Shared {
        socket,
        plan,
        cancel,
        wall: Wall::now(),
        start: Instant::now(),
        over: AtomicBool::new(false),
        replies: AtomicU32::new(0),
        refusals: AtomicU32::new(0),
    };
    thread::scope(|scope| {
        let receiver = thread::Builder::new()
            .name("stamp receiver".to_owned())
            .spawn_scoped(scope, || shared.receive(sample))?;
        let mut outcome = shared.send();
        shared.await_replies(outcome.session.departures().len());
        shared.over.store(true, Relaxed);
        let Ok((arrivals, error)) = receiver.join() else {
            return Err(io::Error::other("the receiving thread broke"));
        };
        for (at, reply) in &arrivals {
            outcome.session.received(reply.sender_sequence, *at, Some(reply));
        }
        outcome.error = outcome.error.or(error);
        Ok(outcome)
    })
}

struct Shared<'a> {
    socket: &'a UdpSocket,
    plan: &'a Plan,
    cancel: &'a CancellationToken,
    wall: Wall,
    start: Instant,
    over: AtomicBool,
    replies: AtomicU32,
    refusals: AtomicU32,
}

impl Shared<'_> {
    fn ntp(&self, at: Instant) -> Ntp {
        Ntp::from_unix_ns(self.wall.unix_ns(at))
    }

    /// True when there is no point in going on.
    fn hopeless(&self) -> bool {
        self.cancel.is_cancelled()
            || self.refusals.load(Relaxed) >= REFUSALS && self.replies.load(Relaxed) == 0
    }

    fn send(&self) -> Outcome {
        let plan = self.plan;
        let mut outcome = Outcome {
            session: Session::new(plan.packets as usize),
            lateness: Vec::with_capacity(plan.packets as usize),
            not_sent: 0,
            error: None,
        };
        // Room for hiccups, but an end: half as long again.
        let deadline = self.start + plan.every.saturating_mul(plan.packets) * 3 / 2 + Duration::from_secs(1);
        let mut due = self.start;
        for _ in 0..plan.packets {
            self.sleep_until(due);
            let now = Instant::now();
            if self.hopeless() || now > deadline {
                break;
            }
            let late = now.saturating_duration_since(due);
            outcome.lateness.push(late);
            due = if late > HICCUP { now } else { due } + plan.every;
            if let Err(error) = self.send_one(&mut outcome.session) {
                outcome.not_sent += 1;
                let trouble = self.trouble(&error);
                let forbidden = trouble.failure == Failure::LocalPolicy;
                outcome.error.get_or_insert(trouble);
                if forbidden {
                    break;
                }
            }
        }
        outcome
    }

    fn send_one(&self, session: &mut Session) -> io::Result<()> {
        let mut attempt = || {
            let now = Instant::now();
            let Some(sequence) = session.sent(now.saturating_duration_since(self.start)) else {
                return Ok(());
            };
            let error = ErrorEstimate::UNSYNCHRONISED;
            let packet = SenderPacket { sequence, sent: self.ntp(now), error, ssid: self.plan.ssid };
            let sent = self.socket.send(&packet.encode(self.plan.size)).map(drop);
            if sent.is_err() {
                session.unsent();
            }
            sent
        };
        // A send can report the error of an earlier packet instead of sending this one.
        match attempt() {
            Err(error) if refers_to_earlier(&error) => {
                self.refusals.fetch_add(1, Relaxed);
                attempt()
            }
            result => result,
        }
    }

    fn sleep_until(&self, due: Instant) {
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.cancel.is_cancelled() {
                return;
            }
            thread::sleep(left.min(NAP));
        }
    }

    /// Until every packet is answered, or patience is over.
    fn await_replies(&self, sent: usize) {
        let end = Instant::now() + self.plan.patience;
        while Instant::now() < end && !self.hopeless() && (self.replies.load(Relaxed) as usize) < sent {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Collects replies, bounded whatever arrives.
    fn receive(&self, sample: &dyn Fn(f64, f64)) -> (Vec<(Duration, ReflectorPacket)>, Option<Trouble>) {
        let bound = self.plan.packets as usize * 2 + 64;
        let mut arrivals = Vec::with_capacity(self.plan.packets as usize);
        let mut datagram = [0; MAX_BYTES + 1];
        let (mut error, mut sampled) = (None, None);
        while !self.over.load(Relaxed) && arrivals.len() < bound {
            let length = match self.socket.recv(&mut datagram) {
                Ok(length) => length,
                Err(failed) if is_timeout(&failed) => continue,
                Err(failed) => {
                    self.refusals.fetch_add(1, Relaxed);
                    error.get_or_insert_with(|| self.trouble(&failed));
                    continue;
                }
            };
            let now = Instant::now();
            let Ok(reply) = ReflectorPacket::parse(datagram.get(..length).unwrap_or_default()) else {
                continue;
            };
            if self.plan.ssid != 0 && reply.ssid != self.plan.ssid {
                continue;
            }
            let at = now.saturating_duration_since(self.start);
            arrivals.push((at, reply));
            self.replies.fetch_add(1, Relaxed);
            if sampled.is_none_or(|last| at.saturating_sub(last) >= SAMPLE_EVERY) {
                sampled = Some(at);
                // For the eye only: the reply's copy of our own timestamp is taken at its word.
                let trip = Duration::from_nanos(
                    u64::try_from(self.ntp(now).since_ns(reply.sender_sent)).unwrap_or_default(),
                );
                sample(at.as_secs_f64() * 1000.0, trip.as_secs_f64() * 1000.0);
            }
        }
        (arrivals, error)
    }

    fn trouble(&self, error: &io::Error) -> Trouble {
        match icmp_error::take(self.socket) {
            Some(icmp) => Trouble { failure: icmp.failure(), detail: icmp.to_string().into() },
            None => Trouble { failure: classify(error), detail: error.to_string().into() },
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Errors that ICMP caused: they concern a packet that was sent before.
fn refers_to_earlier(error: &io::Error) -> bool {
    matches!(
        classify(error),
        Failure::Refused | Failure::Reset | Failure::HostUnreachable | Failure::NetUnreachable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(packets: u32) -> Plan {
        Plan {
            packets,
            every: Duration::from_millis(2),
            size: 100,
            ssid: 7,
            patience: Duration::from_millis(300),
        }
    }

    fn connected(to: &UdpSocket) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(to.local_addr().unwrap()).unwrap();
        socket
    }

    /// Reflects what `keep` lets through, until nothing comes for half a second.
    fn reflector(socket: UdpSocket, keep: impl Fn(u32) -> bool + Send + 'static) -> thread::JoinHandle<u32> {
        thread::spawn(move || {
            socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            let (mut datagram, mut count) = ([0; 2000], 0);
            while let Ok((length, from)) = socket.recv_from(&mut datagram) {
                let packet = SenderPacket::parse(&datagram[..length]).unwrap();
                if keep(packet.sequence) {
                    let now = Ntp::from_unix_ns(1);
                    let answer = ReflectorPacket::answer(&datagram[..length], count, now, now).unwrap();
                    count += 1;
                    socket.send_to(&answer, from).unwrap();
                }
            }
            count
        })
    }

    #[test]
    fn what_comes_back_is_counted() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = connected(&far);
        let reflector = reflector(far, |n| !(20..25).contains(&n));
        let samples = std::sync::Mutex::new(Vec::new());
        let sample = |at, trip| samples.lock().unwrap().push((at, trip));
        let outcome = run(&near, &plan(100), &CancellationToken::new(), &sample).unwrap();
        let statistics = outcome.session.statistics();
        assert_eq!((statistics.sent, statistics.lost, statistics.longest_burst), (100, 5, 5));
        assert_eq!((statistics.reflector_count, outcome.not_sent, &outcome.error), (Some(95), 0, &None));
        assert_eq!(outcome.lateness.len(), 100);
        assert!(statistics.round_trip.unwrap().p50_ms > 0.0);
        assert!(!samples.lock().unwrap().is_empty());
        assert_eq!(reflector.join().unwrap(), 95);
    }

    #[test]
    fn a_closed_port_ends_it_soon() {
        let near = connected(&UdpSocket::bind("127.0.0.1:0").unwrap());
        let outcome = run(&near, &plan(5000), &CancellationToken::new(), &|_, _| {}).unwrap();
        assert_eq!(outcome.error.unwrap().failure, Failure::Refused);
        let statistics = outcome.session.statistics();
        assert!(statistics.sent < 1000 && statistics.received == 0, "{statistics:?}");
    }

    #[test]
    fn a_stranger_with_another_session_id_is_not_heard() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = connected(&far);
        let stranger = SenderPacket {
            sequence: 0,
            sent: Ntp::from_bits(0),
            error: ErrorEstimate::UNSYNCHRONISED,
            ssid: 8,
        };
        let lie = ReflectorPacket::answer(&stranger.encode(44), 0, Ntp::from_bits(0), Ntp::from_bits(0));
        far.send_to(&lie.unwrap(), near.local_addr().unwrap()).unwrap();
        let outcome = run(&near, &plan(3), &CancellationToken::new(), &|_, _| {}).unwrap();
        assert_eq!(outcome.session.statistics().received, 0);
    }

    #[test]
    fn cancelling_keeps_what_was_sent() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = connected(&far);
        let cancel = CancellationToken::new();
        cancel.cancel();
        let outcome = run(&near, &plan(5000), &cancel, &|_, _| {}).unwrap();
        assert_eq!(outcome.session.statistics().sent, 0);
    }
}

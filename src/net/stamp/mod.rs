//! A STAMP session sender over UDP (RFC 8762 section 4.2) on threads of its own: the runtime's
//! timers are too coarse to pace packets, and its tasks too late to time them. Times are the
//! kernel's where it gives them: a machine that is busy then adds no delay of its own.

pub mod path_mtu;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::clock::Wall;
use super::datagram::{self, Came, Kept};
use super::failure::classify;
use crate::model::{Dscp, Failure, IcmpError, WireText};
use crate::wire::stamp::{
    ErrorEstimate, MAX_BYTES, Ntp, ReflectorPacket, SenderPacket, Session, class_of_service,
};

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
/// Of so many answers in a hundred the kernel must have noted both times: the first packets leave
/// before it has begun.
const NOTED_PERCENT: usize = 95;

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
    /// Class of service to send with, and to ask the reflector about (RFC 8972 section 4.4).
    pub dscp: Option<Dscp>,
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
    /// True when the kernel noted when packets left and came, false when this program did.
    pub by_kernel: bool,
    /// Which classes of service were seen.
    pub marks: Marks,
}

/// Classes of service of the packets that came back, and of how many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// With which they came to the reflector, as it says.
    pub out: BTreeMap<Dscp, u64>,
    /// With which its answers came here, as this system says; of those only that the reflector
    /// sent as it was asked to.
    pub back: BTreeMap<Dscp, u64>,
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
        numbered: AtomicU32::new(u32::MAX),
        kept: Mutex::default(),
    };
    if let Some(dscp) = plan.dscp {
        datagram::mark(socket, dscp);
    }
    if !datagram::note_departures(socket) {
        shared.numbered.store(0, Relaxed);
    }
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
        outcome.error = outcome.error.or(error);
        shared.settle(&mut outcome, &arrivals);
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
    /// Up to this many sends the kernel's numbers are our sequence numbers: one that fails may have
    /// got a number or not.
    numbered: AtomicU32,
    kept: Mutex<Notes>,
}

/// What was taken from the kernel's queue.
#[derive(Default)]
struct Notes {
    left: Vec<(u32, Duration)>,
    icmp: Option<IcmpError>,
}

/// An answer.
struct Answered {
    at: Duration,
    by_kernel: bool,
    reply: ReflectorPacket,
    out: Option<Dscp>,
    back: Option<Dscp>,
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
            by_kernel: false,
            marks: Marks::default(),
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
            let bytes = packet.encode_asking(self.plan.size, self.plan.dscp.map(Dscp::value));
            let sent = self.socket.send(&bytes).map(drop);
            if sent.is_err() {
                self.numbered.fetch_min(sequence, Relaxed);
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
    fn receive(&self, sample: &dyn Fn(f64, f64)) -> (Vec<Answered>, Option<Trouble>) {
        let bound = self.plan.packets as usize * 2 + 64;
        let mut arrivals = Vec::with_capacity(self.plan.packets as usize);
        let mut buffer = [0; MAX_BYTES + 1];
        let (mut error, mut sampled) = (None, None);
        while !self.over.load(Relaxed) && arrivals.len() < bound {
            self.drain();
            let came = match datagram::receive(self.socket, &mut buffer) {
                Ok(came) => came,
                Err(failed) if is_timeout(&failed) => continue,
                Err(failed) => {
                    self.refusals.fetch_add(1, Relaxed);
                    error.get_or_insert_with(|| self.trouble(&failed));
                    continue;
                }
            };
            let Some(answered) = self.answered(&came, buffer.get(..came.length).unwrap_or_default()) else {
                continue;
            };
            let at = answered.at;
            if sampled.is_none_or(|last| at.saturating_sub(last) >= SAMPLE_EVERY) {
                sampled = Some(at);
                // For the eye only: the reply's copy of our own timestamp is taken at its word.
                let trip = self.ntp(came.at).since_ns(answered.reply.sender_sent);
                let trip = Duration::from_nanos(u64::try_from(trip).unwrap_or_default());
                sample(at.as_secs_f64() * 1000.0, trip.as_secs_f64() * 1000.0);
            }
            arrivals.push(answered);
            self.replies.fetch_add(1, Relaxed);
        }
        self.drain();
        (arrivals, error)
    }

    fn answered(&self, came: &Came, bytes: &[u8]) -> Option<Answered> {
        let reply = ReflectorPacket::parse(bytes).ok()?;
        if self.plan.ssid != 0 && reply.ssid != self.plan.ssid {
            return None;
        }
        let told = self.plan.dscp.and_then(|_| class_of_service(bytes, true));
        let as_asked = told.is_some_and(|told| told.reverse == 0);
        Some(Answered {
            at: came.at.saturating_duration_since(self.start),
            by_kernel: came.by_kernel,
            reply,
            out: told.map(|told| Dscp::of_value(told.arrived)),
            back: came.field.filter(|_| as_asked).map(Dscp::of_field),
        })
    }

    /// Takes from the kernel's queue what it kept of this socket.
    fn drain(&self) {
        let found = datagram::kept(self.socket);
        if found.is_empty() {
            return;
        }
        let mut notes = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in found {
            match kept {
                Kept::Icmp(error, _) => notes.icmp = Some(error),
                Kept::Left(number, at) if notes.left.len() < self.plan.packets as usize => {
                    notes.left.push((number, at.saturating_duration_since(self.start)));
                }
                Kept::Left(..) => {}
            }
        }
    }

    /// Puts the answers into the books, with the kernel's times where it has any.
    fn settle(&self, outcome: &mut Outcome, arrivals: &[Answered]) {
        let mut notes = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = self.numbered.load(Relaxed);
        notes.left.retain(|(number, _)| *number < numbered);
        notes.left.sort_unstable();
        for (number, at) in &notes.left {
            outcome.session.left(*number, *at);
        }
        let mut by_both = 0;
        for Answered { at, by_kernel, reply, out, back } in arrivals {
            outcome.session.received(reply.sender_sequence, *at, Some(reply));
            let left = notes.left.binary_search_by_key(&reply.sender_sequence, |(number, _)| *number);
            by_both += usize::from(*by_kernel && left.is_ok());
            for (marks, dscp) in [(&mut outcome.marks.out, out), (&mut outcome.marks.back, back)] {
                if let Some(dscp) = dscp {
                    *marks.entry(*dscp).or_default() += 1;
                }
            }
        }
        outcome.by_kernel = by_both > 0 && by_both * 100 >= arrivals.len() * NOTED_PERCENT;
    }

    fn trouble(&self, error: &io::Error) -> Trouble {
        self.drain();
        let icmp = self.kept.lock().unwrap_or_else(PoisonError::into_inner).icmp.take();
        match icmp {
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
    is_too_big(error)
        || matches!(
            classify(error),
            Failure::Refused | Failure::Reset | Failure::HostUnreachable | Failure::NetUnreachable
        )
}

/// Too large for the way, if a router said so, or for the interface.
fn is_too_big(error: &io::Error) -> bool {
    #[cfg(unix)]
    let too_big = error.raw_os_error() == Some(libc::EMSGSIZE);
    #[cfg(not(unix))]
    let too_big = error.kind() == io::ErrorKind::FileTooLarge;
    too_big
}

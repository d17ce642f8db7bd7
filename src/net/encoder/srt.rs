//! The stream over SRT, handshake included: as MPEG transport stream in packets of 1316 bytes.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::Session;
use super::tally::{Look, Tally};
use super::{End, LOOK, Plan, Stop, Take, Watch};
use crate::media::ts::{Muxer, PACKET};
use crate::media::{Padded, Piece};
use crate::model::WireText;
use crate::net::ready;
use crate::wire::control::FAR_END_ENDED;
use crate::wire::srt::{
    BadOptions, CLASS_MS, Caller, CallerEvent, CallerOptions, Ending, LIVE_PAYLOAD, NotSent, farewell,
};

/// How much faster than the stream's own rate packets may leave: an encoder's keyframe leaves at once, and
/// what is repeated must not wait behind what is new.
const RUSH: u64 = 8;
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
    let mut session = Session::new(socket, peer, caller);
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

/// How a stream ends whose socket says no.
pub(super) fn broke(error: &io::Error) -> End {
    match error.kind() {
        // Nobody listens any more.
        io::ErrorKind::ConnectionRefused => End::Closed { reset: true },
        _ => End::Broken { problem: WireText::from(error.to_string()) },
    }
}

fn ended(ending: Ending) -> End {
    match ending {
        Ending::Shutdown => End::Closed { reset: false },
        Ending::PeerError(code) => match farewell::reason(code) {
            Some(why) => End::Refused { code: FAR_END_ENDED.into(), description: why.words().into() },
            None => End::Refused { code: "SRT Peer Error".into(), description: code.to_string().into() },
        },
        Ending::Idle | Ending::Silent(_) => End::Silent,
        Ending::Stuck => End::SendTimedOut,
        Ending::Stopped => End::Cancelled,
        other => End::Broken { problem: WireText::from(format!("{other:?}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::control::Refusal;

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

    #[test]
    fn what_the_far_end_ends_is_not_cut_by_the_network() {
        let refused = |code: &str, words: &str| End::Refused { code: code.into(), description: words.into() };
        let ours = ended(Ending::PeerError(farewell::code(Refusal::Time)));
        assert_eq!(ours, refused(FAR_END_ENDED, Refusal::Time.words()));
        assert_eq!(ended(Ending::PeerError(4000)), refused("SRT Peer Error", "4000"));
        assert_eq!(ended(Ending::Shutdown), End::Closed { reset: false });
    }
}

//! What a session sender learns: which packets came back, when, in what order.

use std::time::Duration;

use super::ReflectorPacket;

/// Most packets that one session keeps books on.
pub const MAX_PACKETS: usize = 60_000;

/// Books of one session. Sequence numbers count from 0 in the order of sending.
#[derive(Debug, Clone)]
pub struct Session {
    slots: Vec<Slot>,
    planned: usize,
    received: u64,
    duplicates: u64,
    reordered: u64,
    unknown: u64,
    next_expected: u32,
    round: Jitter,
    out: Jitter,
    back: Jitter,
    first: Option<ReflectorPacket>,
    reflector_next: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    sent: Duration,
    rtt_us: Option<u32>,
}

/// What a reply turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The first reply to its packet, after this round trip (the reflector's own delay
    /// between its two timestamps taken off).
    First(Duration),
    /// Another reply to a packet that was answered already.
    Duplicate,
    /// A reply to a packet that was never sent.
    Unknown,
}

/// What the books say. Times in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Statistics {
    /// Packets sent.
    pub sent: u64,
    /// Packets answered, each counted once.
    pub received: u64,
    /// Packets never answered.
    pub lost: u64,
    /// Further replies to packets already answered.
    pub duplicates: u64,
    /// First replies that came after a reply to a later packet (RFC 4737 section 3).
    pub reordered: u64,
    /// Replies to packets that were never sent: forged, or of another session.
    pub unknown: u64,
    /// Most packets in a row that were never answered (RFC 3357 loss period length).
    pub longest_burst: u64,
    /// Longest time from the first packet of such a row to the next answered one (to the last
    /// packet sent, when none was answered after it).
    pub longest_burst_ms: f64,
    /// Round trips; `None` when nothing was answered.
    pub round_trip: Option<RoundTrip>,
    /// Highest value of the jitter estimate of RFC 3550 section 6.4.1, of the round trip.
    pub jitter_ms: f64,
    /// The same of the way out alone, from the reflector's receive timestamps: clocks need
    /// not agree, only run equally fast. `None` without such timestamps.
    pub jitter_out_ms: Option<f64>,
    /// The same of the way back alone.
    pub jitter_back_ms: Option<f64>,
    /// How many packets the reflector had counted when it sent the latest reply that arrived;
    /// `None` without a plausible count. A stateless reflector copies our sequence number.
    pub reflector_count: Option<u64>,
}

/// Percentiles (nearest rank) of the round trips, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RoundTrip {
    /// Shortest.
    pub min_ms: f64,
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Longest.
    pub max_ms: f64,
}

impl Session {
    /// Books for at most `planned` packets (never more than [`MAX_PACKETS`]).
    pub fn new(planned: usize) -> Self {
        let planned = planned.min(MAX_PACKETS);
        Self {
            slots: Vec::with_capacity(planned),
            planned,
            received: 0,
            duplicates: 0,
            reordered: 0,
            unknown: 0,
            next_expected: 0,
            round: Jitter::default(),
            out: Jitter::default(),
            back: Jitter::default(),
            first: None,
            reflector_next: None,
        }
    }

    /// Notes that the next packet leaves at `at` and gives its sequence number; `None` when
    /// all that were planned have left.
    pub fn sent(&mut self, at: Duration) -> Option<u32> {
        if self.slots.len() >= self.planned {
            return None;
        }
        let sequence = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot { sent: at, rtt_us: None });
        Some(sequence)
    }

    /// Puts right when packet `sequence` left: later than it was handed over, as the kernel knows.
    /// Before its answer is noted.
    pub fn left(&mut self, sequence: u32, at: Duration) {
        let slot = usize::try_from(sequence).ok().and_then(|index| self.slots.get_mut(index));
        if let Some(slot) = slot.filter(|slot| slot.rtt_us.is_none()) {
            slot.sent = at.max(slot.sent);
        }
    }

    /// Takes back the latest [`Session::sent`]: the system refused to send it, so it is
    /// no loss of the path's.
    pub fn unsent(&mut self) {
        if self.slots.last().is_some_and(|slot| slot.rtt_us.is_none()) {
            self.slots.pop();
        }
    }

    /// Notes a reply to packet `sequence` at `at`; `reply` where the method has timestamps.
    pub fn received(&mut self, sequence: u32, at: Duration, reply: Option<&ReflectorPacket>) -> Arrival {
        let Some(slot) = usize::try_from(sequence).ok().and_then(|index| self.slots.get_mut(index)) else {
            self.unknown += 1;
            return Arrival::Unknown;
        };
        if slot.rtt_us.is_some() {
            self.duplicates += 1;
            return Arrival::Duplicate;
        }
        let elapsed = at.saturating_sub(slot.sent);
        let rtt = elapsed.saturating_sub(reply.map_or(Duration::ZERO, |reply| residence(reply, elapsed)));
        slot.rtt_us = Some(u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
        let sent = slot.sent;
        self.received += 1;
        if sequence < self.next_expected {
            self.reordered += 1;
        }
        self.next_expected = self.next_expected.max(sequence.saturating_add(1));
        self.round.add(seconds(rtt));
        if let Some(reply) = reply {
            self.one_way(sent, at, reply);
        }
        Arrival::First(rtt)
    }

    /// Transit times each way, up to a constant: the offset between the clocks cancels out in
    /// the differences that jitter is made of.
    fn one_way(&mut self, sent: Duration, at: Duration, reply: &ReflectorPacket) {
        let first = *self.first.get_or_insert(*reply);
        self.out.add(nanos_as_seconds(reply.received.since_ns(first.received)) - seconds(sent));
        self.back.add(seconds(at) - nanos_as_seconds(reply.reflected.since_ns(first.reflected)));
        let next = reply.sequence.saturating_add(1);
        self.reflector_next = Some(self.reflector_next.map_or(next, |known| known.max(next)));
    }

    /// Round trip of each packet sent, in µs, `None` where there was no answer.
    pub fn round_trips_us(&self) -> impl ExactSizeIterator<Item = Option<u32>> + '_ {
        self.slots.iter().map(|slot| slot.rtt_us)
    }

    /// When each packet left.
    pub fn departures(&self) -> impl ExactSizeIterator<Item = Duration> + '_ {
        self.slots.iter().map(|slot| slot.sent)
    }

    /// What the books say now. Call it when late replies are no longer waited for.
    pub fn statistics(&self) -> Statistics {
        let sent = self.slots.len() as u64;
        let (longest_burst, longest_burst_ms) = self.bursts();
        // A hostile or broken count above what was sent says nothing.
        let plausible = |next: u32| (u64::from(next) <= sent + self.duplicates).then_some(u64::from(next));
        Statistics {
            sent,
            received: self.received,
            lost: sent.saturating_sub(self.received),
            duplicates: self.duplicates,
            reordered: self.reordered,
            unknown: self.unknown,
            longest_burst,
            longest_burst_ms,
            round_trip: self.round_trip(),
            jitter_ms: self.round.worst() * 1000.0,
            jitter_out_ms: self.first.map(|_| self.out.worst() * 1000.0),
            jitter_back_ms: self.first.map(|_| self.back.worst() * 1000.0),
            reflector_count: self.reflector_next.and_then(plausible),
        }
    }

    fn bursts(&self) -> (u64, f64) {
        let (mut longest, mut longest_ms) = (0, 0.0_f64);
        let mut run: Option<(u64, Duration)> = None;
        for slot in &self.slots {
            let lost = slot.rtt_us.is_none();
            if let Some((length, began)) = run {
                longest_ms = longest_ms.max(seconds(slot.sent.saturating_sub(began)) * 1000.0);
                run = lost.then_some((length + 1, began));
            } else if lost {
                run = Some((1, slot.sent));
            }
            longest = longest.max(run.map_or(0, |(length, _)| length));
        }
        (longest, longest_ms)
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        let mut sorted: Vec<u32> = self.round_trips_us().flatten().collect();
        sorted.sort_unstable();
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let rank = |percent: usize| {
            let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or(last)
        };
        let ms = |us: u32| f64::from(us) / 1000.0;
        Some(RoundTrip {
            min_ms: ms(first),
            p50_ms: ms(rank(50)),
            p95_ms: ms(rank(95)),
            p99_ms: ms(rank(99)),
            max_ms: ms(last),
        })
    }
}

/// The time a packet spent inside the reflector, as it says; what cannot be true counts as none.
fn residence(reply: &ReflectorPacket, elapsed: Duration) -> Duration {
    let spent = u64::try_from(reply.reflected.since_ns(reply.received)).unwrap_or(0);
    Some(Duration::from_nanos(spent)).filter(|spent| *spent <= elapsed).unwrap_or_default()
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a difference within one session: far below 2^52 ns")]
fn nanos_as_seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

/// The interarrival jitter estimate of RFC 3550 section 6.4.1, and the highest it has been.
#[derive(Debug, Clone, Default)]
struct Jitter {
    previous: Option<f64>,
    estimate: f64,
    worst: f64,
}

impl Jitter {
    /// Transit time of the next packet in order of arrival, in seconds, up to a constant.
    fn add(&mut self, transit: f64) {
        if let Some(previous) = self.previous.replace(transit) {
            self.estimate += ((transit - previous).abs() - self.estimate) / 16.0;
            self.worst = self.worst.max(self.estimate);
        }
    }

    fn worst(&self) -> f64 {
        self.worst
    }
}

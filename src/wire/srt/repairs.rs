//! What a sender can tell of each packet's fate, from the listener's own reports.
//!
//! A listener reports a packet missing (NAK) until it comes or its time is over, and acknowledges beyond it
//! in both cases. Which of the two it was shows by when: before the packet's time to be played it can only
//! have come. The repeat that repaired it is the first one that was not yet on its way when the listener
//! last missed it. How long after the packet's own time that was is the latency that this packet needed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sapflow_srt::packet::{Control, ControlPacket, Packet};
use sapflow_srt::seq::Seq;

use super::age::{Ages, Stamps};

/// Width of a class of repair times, in milliseconds, and how many there are.
pub const CLASS_MS: u32 = 10;
const CLASSES: usize = 1000;
/// Repeats of one packet that are remembered.
const MAX_REPEATS: usize = 40;
/// A listener acknowledges every 10 ms: a time is known no better.
const BLUR: Duration = Duration::from_millis(15);
/// Round trip before the first report of it.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Packets watched at most.
const MAX_WATCHED: usize = 65_536;

/// Counts of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RepairCounts {
    /// Sent for the first time.
    pub sent: u64,
    /// Sent again.
    pub repeated: u64,
    /// Reported missing by the listener, each counted once.
    pub lost: u64,
    /// Of those, given up by the listener: their time to be played had come.
    pub too_late: u64,
}

struct Watched {
    /// When the sender's owner handed it over: its play time counts from here, not from when pacing let it go.
    born: Instant,
    lost: Option<Box<Lost>>,
}

struct Lost {
    missed: Instant,
    repeats: Vec<Instant>,
}

/// Watches the packets of one call.
pub(super) struct Repairs {
    latency: Duration,
    /// Number of the first packet in `watched`.
    first: Option<Seq>,
    watched: VecDeque<Watched>,
    round_trip: Duration,
    stamps: Stamps,
    ages: Ages,
    counts: RepairCounts,
    classes: Vec<u32>,
}

impl Repairs {
    pub(super) fn new() -> Self {
        Self {
            latency: Duration::MAX,
            first: None,
            watched: VecDeque::new(),
            round_trip: FIRST_ROUND_TRIP,
            stamps: Stamps::default(),
            ages: Ages::default(),
            counts: RepairCounts::default(),
            classes: Vec::new(),
        }
    }

    /// The latency that was agreed.
    pub(super) fn agreed(&mut self, latency: Duration) {
        self.latency = latency;
    }

    pub(super) fn counts(&self) -> RepairCounts {
        self.counts
    }

    /// Packets that were repaired, by how long after their own time: classes of [`CLASS_MS`].
    pub(super) fn classes(&self) -> &[u32] {
        &self.classes
    }

    /// When the oldest packet was handed over that is not acknowledged.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.watched.front().map(|watched| watched.born)
    }

    /// A datagram leaves.
    pub(super) fn sent(&mut self, now: Instant, datagram: &[u8]) {
        let Ok(Packet::Data(data)) = Packet::parse(datagram) else { return };
        if data.retransmitted {
            self.counts.repeated += 1;
            if let Some(lost) = self.watched(data.seq).and_then(|watched| watched.lost.as_mut())
                && lost.repeats.len() < MAX_REPEATS
            {
                lost.repeats.push(now);
            }
            return;
        }
        self.counts.sent += 1;
        self.first.get_or_insert(data.seq);
        let born = self.stamps.read(data.timestamp, now).min(now);
        if self.watched.len() < MAX_WATCHED {
            self.watched.push_back(Watched { born, lost: None });
        }
    }

    /// A control packet came from the listener.
    pub(super) fn heard(&mut self, now: Instant, control: &ControlPacket) {
        match &control.body {
            Control::Nak(ranges) => {
                for (from, to) in ranges {
                    self.missed(now, *from, *to);
                }
            }
            Control::Ack(ack) => {
                if let Some(stats) = ack.stats {
                    self.round_trip = Duration::from_micros(stats.rtt.into());
                }
                let sent_at = self.ages.sent_at(control.timestamp, now);
                self.acknowledged(now, sent_at, ack.ack);
            }
            _ => {}
        }
    }

    fn watched(&mut self, seq: Seq) -> Option<&mut Watched> {
        let index = usize::try_from(self.first?.distance_to(seq)).ok()?;
        self.watched.get_mut(index)
    }

    fn missed(&mut self, now: Instant, from: Seq, to: Seq) {
        let Some(first) = self.first else { return };
        let (Ok(end), from) = (usize::try_from(first.distance_to(to)), first.distance_to(from).max(0)) else {
            return;
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let count = end.saturating_add(1).saturating_sub(from);
        for watched in self.watched.iter_mut().skip(from).take(count) {
            if let Some(lost) = &mut watched.lost {
                lost.missed = now;
            } else {
                self.counts.lost += 1;
                watched.lost = Some(Box::new(Lost { missed: now, repeats: Vec::new() }));
            }
        }
    }

    fn acknowledged(&mut self, now: Instant, sent_at: Instant, next: Seq) {
        let Some(first) = self.first else { return };
        let Ok(count) = usize::try_from(first.distance_to(next)) else { return };
        if count > self.watched.len() {
            return; // of packets that were never sent
        }
        let done: Vec<_> = self.watched.drain(..count).collect();
        // What lies behind a gap waited for it.
        for one in done.iter().take_while(|one| one.lost.is_none()) {
            self.ages.clean(one.born, now, sent_at);
        }
        for (born, lost) in done.iter().filter_map(|one| Some((one.born, one.lost.as_ref()?))) {
            let age = self.ages.of(born, now, sent_at, self.round_trip);
            if age + BLUR >= self.latency {
                self.counts.too_late += 1;
            } else {
                self.repaired(born, lost);
            }
        }
        self.first = Some(next);
    }

    fn repaired(&mut self, born: Instant, lost: &Lost) {
        let repair = lost.repeats.iter().find(|repeat| **repeat + self.round_trip >= lost.missed);
        // Without a repeat it was only out of order.
        let Some(repair) = repair.or(lost.repeats.last()) else { return };
        let class = repair.saturating_duration_since(born).as_millis() / u128::from(CLASS_MS);
        let class = usize::try_from(class).unwrap_or(CLASSES).min(CLASSES - 1);
        if self.classes.len() <= class {
            self.classes.resize(class + 1, 0);
        }
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use sapflow_srt::packet::{Ack, AckStats, DataPacket, Position};

    use super::*;

    fn data(number: u32, born_ms: u64, retransmitted: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        DataPacket {
            seq: Seq::new(number),
            position: Position::Only,
            in_order: false,
            key: 0,
            retransmitted,
            message: 1,
            timestamp: u32::try_from(born_ms * 1000).unwrap(),
            dest: 1,
            payload: &[1],
        }
        .encode(&mut bytes);
        bytes
    }

    struct Line {
        repairs: Repairs,
        start: Instant,
    }

    /// A call with 200 ms of latency over a round trip of 50 ms, ten packets sent, one every 10 ms.
    fn line() -> Line {
        let mut line = Line { repairs: Repairs::new(), start: Instant::now() };
        line.repairs.agreed(Duration::from_millis(200));
        for n in 0..10 {
            line.send(u64::from(n) * 10, n, false);
        }
        line
    }

    impl Line {
        fn at(&self, ms: u64) -> Instant {
            self.start + Duration::from_millis(ms)
        }
        fn send(&mut self, ms: u64, number: u32, again: bool) {
            let now = self.at(ms);
            self.repairs.sent(now, &data(number, ms, again));
        }
        fn missing(&mut self, ms: u64, from: u32, to: u32) {
            let now = self.at(ms);
            let nak = Control::Nak(vec![(Seq::new(from), Seq::new(to))]);
            self.repairs.heard(now, &ControlPacket::new(0, 1, nak));
        }
        fn acknowledge(&mut self, ms: u64, next: u32) {
            self.acknowledge_over(50_000, ms, next);
        }
        fn acknowledge_over(&mut self, rtt: u32, ms: u64, next: u32) {
            let stats = AckStats { rtt, rtt_var: 0, buffer: 8192, rates: None };
            let ack = Control::Ack(Ack { number: 1, ack: Seq::new(next), stats: Some(stats) });
            // It takes 25 ms back.
            let stamp = u32::try_from((ms - 25) * 1000).unwrap();
            let now = self.at(ms);
            self.repairs.heard(now, &ControlPacket::new(stamp, 1, ack));
        }
        fn classes(&self) -> Vec<(usize, u32)> {
            self.repairs.classes().iter().copied().enumerate().filter(|(_, count)| *count > 0).collect()
        }
    }

    #[test]
    fn nothing_lost_is_nothing_repaired() {
        let mut line = line();
        line.acknowledge(150, 10);
        assert_eq!(line.repairs.counts(), RepairCounts { sent: 10, ..RepairCounts::default() });
        assert_eq!((line.repairs.oldest(), line.classes()), (None, vec![]));
    }

    #[test]
    fn the_repeat_that_repaired_tells_the_latency_that_was_needed() {
        let mut line = line();
        line.missing(80, 2, 3); // sent at 20 and 30
        line.send(81, 2, true);
        line.send(82, 3, true);
        line.missing(140, 2, 2); // the first repeat of 2 was lost
        line.send(141, 2, true);
        line.send(170, 2, true); // too much
        line.acknowledge(200, 10);
        let counts = line.repairs.counts();
        assert_eq!((counts.lost, counts.repeated, counts.too_late), (2, 4, 0));
        assert_eq!(line.classes(), [(5, 1), (12, 1)], "52 and 121 ms");
    }

    #[test]
    fn what_is_passed_over_at_its_time_came_too_late() {
        let mut line = line();
        line.missing(80, 0, 1);
        line.acknowledge(252, 10); // 0 should have been played at 225, as the listener's clock goes
        let counts = line.repairs.counts();
        assert_eq!((counts.lost, counts.too_late), (2, 2));
        assert_eq!(line.classes(), []);
    }

    #[test]
    fn a_full_queue_makes_a_gap_too_late_although_the_round_trip_holds_it() {
        let mut line = line();
        line.acknowledge(52, 1);
        line.missing(620, 2, 3);
        line.acknowledge_over(600_000, 630, 10);
        let counts = line.repairs.counts();
        assert_eq!((counts.lost, counts.too_late), (2, 2));
        assert_eq!(line.classes(), []);
    }

    #[test]
    fn a_packet_is_as_old_as_its_picture_not_as_its_sending() {
        let mut line = line();
        line.acknowledge(150, 10);
        let now = line.at(180);
        line.repairs.sent(now, &data(10, 120, false)); // behind 60 ms of a keyframe
        line.send(181, 11, false);
        line.missing(240, 10, 10);
        line.acknowledge(375, 12);
        assert_eq!(line.repairs.counts().too_late, 1, "to be played at 320 there, known here at 370");
    }

    #[test]
    fn reports_of_what_was_never_sent_change_nothing() {
        let mut line = line();
        line.missing(80, 0, 0x7fff_ffff);
        line.missing(80, 900, 1000);
        line.acknowledge(90, 900);
        assert_eq!((line.repairs.counts().lost, line.repairs.watched.len()), (0, 10));
        line.missing(95, 8, 20);
        assert_eq!(line.repairs.counts().lost, 2);
    }
}

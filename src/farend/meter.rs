//! Arrivals per slot of 100 ms, and gaps: what a receiver knows and a sender does not.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::control::{Gap, SLOT_MS};

/// Shortest pause that is kept as a gap: more than two slots of a healthy stream.
const SHORTEST_GAP: Duration = Duration::from_millis(200);
/// Gaps kept until the next report, the longest of more; one report follows another within [`AT_LEAST`].
const MAX_GAPS: usize = 500;
/// Bytes that are worth a report: a thousand times the acknowledgement that it costs.
const WORTH_A_REPORT: u64 = 80_000;
/// A caller hears of its session so often at least.
const AT_LEAST: Duration = Duration::from_secs(1);
/// Nothing for so long is told at once, and so on until something comes.
const SILENCE: Duration = Duration::from_millis(300);
/// Slots in one report, so that its frame stays far below the bound.
pub const MAX_SLOTS: usize = 500;

/// Arrivals that are over and not reported yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Number of the first slot.
    pub first: u32,
    /// Bytes per slot.
    pub bytes: Vec<u64>,
    /// Gaps that ended.
    pub gaps: Vec<Gap>,
}

/// Counts arrivals of one session.
#[derive(Debug, Default)]
pub struct Meter {
    start: Option<Instant>,
    last: Option<Instant>,
    first: u32,
    slots: VecDeque<u64>,
    gaps: Vec<Gap>,
}

impl Meter {
    /// Slots count from now on.
    pub fn start(&mut self, now: Instant) {
        self.start.get_or_insert(now);
        self.last.get_or_insert(now);
    }

    /// Bytes arrived.
    pub fn add(&mut self, now: Instant, bytes: u64) {
        self.start(now);
        self.pause(now);
        self.last = Some(now);
        let slot = self.slot(now);
        self.fill(slot.saturating_add(1));
        let index = slot.saturating_sub(self.first) as usize;
        if let Some(count) = self.slots.get_mut(index) {
            *count = count.saturating_add(bytes);
        }
    }

    /// Takes what is over by now, at most [`MAX_SLOTS`] slots of it.
    pub fn take(&mut self, now: Instant) -> Arrived {
        if self.start.is_none() {
            return Arrived::default();
        }
        let over = self.slot(now);
        self.fill(over);
        let count = (over.saturating_sub(self.first) as usize).min(MAX_SLOTS);
        let first = self.first;
        self.first = first.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        Arrived { first, bytes: self.slots.drain(..count).collect(), gaps: std::mem::take(&mut self.gaps) }
    }

    /// The session is over: a gap that was still open ends now.
    pub fn finish(&mut self, now: Instant) {
        self.pause(now);
        self.last = self.last.map(|_| now);
    }

    fn pause(&mut self, now: Instant) {
        let (Some(start), Some(last)) = (self.start, self.last) else { return };
        let pause = now.saturating_duration_since(last);
        if pause < SHORTEST_GAP {
            return;
        }
        self.gaps.push(Gap { at_ms: ms(last.saturating_duration_since(start)), ms: ms(pause) });
        if self.gaps.len() > MAX_GAPS
            && let Some((shortest, _)) = self.gaps.iter().enumerate().min_by_key(|(_, gap)| gap.ms)
        {
            self.gaps.remove(shortest);
        }
    }

    fn slot(&self, now: Instant) -> u32 {
        let since = self.start.map_or(Duration::ZERO, |start| now.saturating_duration_since(start));
        u32::try_from(since.as_millis() / u128::from(SLOT_MS)).unwrap_or(u32::MAX)
    }

    /// Slots exist up to (not with) `end`. A session's time is capped, and so are its slots.
    fn fill(&mut self, end: u32) {
        let length = end.saturating_sub(self.first) as usize;
        if length > self.slots.len() {
            self.slots.resize(length, 0);
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What a caller was told of its session.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// That its data connection is there.
    pub(super) attached: bool,
    /// Bytes that had arrived at the last report, and when that was.
    last: Option<(u64, Instant)>,
    /// Bytes that have arrived, and when they last became more.
    grew: Option<(u64, Instant)>,
}

impl Told {
    /// Whether to report that so many bytes have arrived by now; if so, takes it as done. Each report costs the
    /// caller an acknowledgement, on the very line that is measured: on a slow one they are fewer. Where nothing
    /// arrives they cost nothing.
    pub(super) fn is_due(&mut self, now: Instant, bytes: u64) -> bool {
        let since = |at: Instant| now.saturating_duration_since(at);
        let grew = *self.grew.get_or_insert((bytes, now));
        if bytes > grew.0 {
            self.grew = Some((bytes, now));
        }
        let is_due = (bytes == grew.0 && since(grew.1) >= SILENCE)
            || self.last.is_none_or(|(before, at)| {
                bytes.saturating_sub(before) >= WORTH_A_REPORT || since(at) >= AT_LEAST
            });
        if is_due {
            self.last = Some((bytes, now));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn each_slot_is_reported_once_and_in_order() {
        let (mut meter, t) = (Meter::default(), Instant::now());
        meter.start(t);
        for (ms, bytes) in [(0, 1), (99, 2), (100, 4), (350, 8)] {
            meter.add(at(t, ms), bytes);
        }
        let arrived = meter.take(at(t, 360));
        assert_eq!((arrived.first, arrived.bytes), (0, vec![3, 4, 0]));
        assert_eq!(arrived.gaps, [Gap { at_ms: 100, ms: 250 }]);
        let arrived = meter.take(at(t, 610));
        assert_eq!((arrived.first, arrived.bytes), (3, vec![8, 0, 0]));
        assert_eq!(meter.take(at(t, 650)), Arrived { first: 6, ..Arrived::default() });
    }

    #[test]
    fn silence_is_reported_as_zero_slots_and_an_open_gap_ends_with_the_session() {
        let (mut meter, t) = (Meter::default(), Instant::now());
        assert_eq!(meter.take(t), Arrived::default(), "nothing before the start");
        meter.start(t);
        assert_eq!(meter.take(at(t, 300)).bytes, [0, 0, 0]);
        meter.finish(at(t, 1000));
        let arrived = meter.take(at(t, 1000));
        assert_eq!((arrived.bytes.len(), arrived.gaps), (7, vec![Gap { at_ms: 0, ms: 1000 }]));
    }

    #[test]
    fn a_report_is_bounded() {
        let (mut meter, t) = (Meter::default(), Instant::now());
        meter.start(t);
        let first = meter.take(at(t, 100_000));
        assert_eq!(first.bytes.len(), MAX_SLOTS);
        assert_eq!(meter.take(at(t, 100_000)).bytes.len(), 1000 - MAX_SLOTS);
    }

    #[test]
    fn of_more_gaps_than_fit_the_longest_are_told() {
        let (mut meter, t) = (Meter::default(), Instant::now());
        meter.start(t);
        let pauses = (0..700).map(|n| if n == 650 { 5_000 } else { 250 });
        let mut now = 0;
        for pause in pauses {
            now += pause;
            meter.add(at(t, now), 1);
        }
        let gaps = meter.take(at(t, now)).gaps;
        assert_eq!((gaps.len(), gaps.iter().map(|gap| gap.ms).max()), (MAX_GAPS, Some(5_000)));
    }

    #[test]
    fn a_slow_line_has_fewer_reports_and_never_none() {
        let start = Instant::now();
        for (kbps, reports) in [(40, 10), (1_000, 15), (3_000, 34), (6_400, 100), (1_000_000, 100)] {
            let mut told = Told::default();
            let due = (1..=100_u64).filter(|slot| {
                told.is_due(start + Duration::from_millis(slot * 100), kbps * 125 * slot / 10)
            });
            assert_eq!(due.count(), reports, "{kbps}");
        }
    }

    #[test]
    fn silence_is_told_in_every_slot() {
        let start = Instant::now();
        let mut told = Told::default();
        let slot = |n: u64| start + Duration::from_millis(n * 100);
        assert!(told.is_due(slot(0), 100));
        assert!(!told.is_due(slot(1), 200));
        let due: Vec<bool> = (2..=7).map(|n| told.is_due(slot(n), 200)).collect();
        assert_eq!(due, [false, false, true, true, true, true]);
        assert!(!told.is_due(slot(8), 300));
    }
}

//! How old a packet is when its listener acknowledges it, as that listener's play-out clock counts: without
//! the time that the way always takes, but with what queues add. Play times are fixed by the empty way at
//! the handshake, so a round trip under load must not be taken off.
//!
//! Both clocks tell: ours holds the way back as well, whose queues delay nothing that is played; the
//! listener's may stand or drift. What either shows too much the other one corrects.

use std::time::{Duration, Instant};

/// A listener lets its play times follow what lasts, by half a millisecond a second or so: the drift of
/// clocks, a longer way.
const FOLLOWS: u32 = 2_000;
/// A listener's clock that is further off than this since the first look is not believed.
const CREDIBLE_US: i64 = 2_000_000;

/// Timestamps of 32 bits in microseconds, as times.
#[derive(Default)]
pub(super) struct Stamps(Option<(u32, Instant)>);

impl Stamps {
    /// The first one is taken for now.
    pub(super) fn read(&mut self, stamp: u32, now: Instant) -> Instant {
        let (last, at) = *self.0.get_or_insert((stamp, now));
        let (forward, back) = (stamp.wrapping_sub(last), last.wrapping_sub(stamp));
        let at = if forward <= back {
            at.checked_add(Duration::from_micros(forward.into()))
        } else {
            at.checked_sub(Duration::from_micros(back.into()))
        };
        let at = at.unwrap_or(now);
        self.0 = Some((stamp, at));
        at
    }
}

/// The least that a packet's acknowledgement took.
#[derive(Default)]
struct Floor(Option<(i64, Instant)>);

impl Floor {
    fn seen(&mut self, now: Instant, took_us: i64) {
        let least = self.at(now).map_or(took_us, |floor| floor.min(took_us));
        self.0 = Some((least, now));
    }

    fn at(&self, now: Instant) -> Option<i64> {
        let (floor, at) = self.0?;
        Some(floor.saturating_add(micros(at, now) / i64::from(FOLLOWS)))
    }
}

/// Watches what acknowledgements take.
#[derive(Default)]
pub(super) struct Ages {
    stamps: Stamps,
    ours: Floor,
    theirs: Floor,
}

impl Ages {
    /// When the listener sent a packet that came now, as its clock goes.
    pub(super) fn sent_at(&mut self, stamp: u32, now: Instant) -> Instant {
        self.stamps.read(stamp, now)
    }

    /// A packet was acknowledged that had never been missing.
    pub(super) fn clean(&mut self, born: Instant, now: Instant, sent_at: Instant) {
        self.ours.seen(now, micros(born, now));
        self.theirs.seen(now, micros(born, sent_at));
    }

    /// How old a packet was when the listener acknowledged it. `round_trip` stands in until a clean packet
    /// has shown better.
    pub(super) fn of(&self, born: Instant, now: Instant, sent_at: Instant, round_trip: Duration) -> Duration {
        let round_trip = i64::try_from(round_trip.as_micros()).unwrap_or(i64::MAX);
        let ours = micros(born, now).saturating_sub(self.ours.at(now).unwrap_or(round_trip));
        let credible = micros(now, sent_at).abs() <= CREDIBLE_US;
        let theirs = self.theirs.at(now).filter(|_| credible);
        let theirs = theirs.map_or(ours, |floor| micros(born, sent_at).saturating_sub(floor));
        Duration::from_micros(u64::try_from(ours.min(theirs)).unwrap_or(0))
    }
}

/// From one time to another, in microseconds.
fn micros(from: Instant, to: Instant) -> i64 {
    let us = |gap: Duration| i64::try_from(gap.as_micros()).unwrap_or(i64::MAX);
    us(to.saturating_duration_since(from)) - us(from.saturating_duration_since(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn timestamps_go_on_over_their_end_and_back() {
        let (mut stamps, now) = (Stamps::default(), Instant::now() + ms(5_000));
        assert_eq!(stamps.read(u32::MAX - 999, now), now);
        assert_eq!(stamps.read(1_000, now), now + ms(2));
        assert_eq!(stamps.read(u32::MAX - 1_999, now) + ms(1), now);
    }

    #[test]
    fn a_queue_ages_a_packet_and_a_late_acknowledgement_does_not() {
        let start = Instant::now();
        let mut ages = Ages::default();
        assert_eq!(ages.of(start, start + ms(130), start, ROUND_TRIP), ms(30), "nothing better is known");
        // The listener's clock shows 1 s at our start; each way takes 10 ms.
        let theirs = |ages: &mut Ages, at: u64, now: u64| {
            ages.sent_at(u32::try_from(1_000_000 + at * 1000).unwrap(), start + ms(now))
        };
        let sent_at = theirs(&mut ages, 10, 20);
        ages.clean(start, start + ms(20), sent_at);
        let sent_at = theirs(&mut ages, 510, 520);
        assert_eq!(
            ages.of(start, start + ms(520), sent_at, ROUND_TRIP).as_millis(),
            499,
            "queued on the way out"
        );
        let sent_at = theirs(&mut ages, 610, 1_000);
        assert_eq!(
            ages.of(start + ms(500), start + ms(1_000), sent_at, ROUND_TRIP).as_millis(),
            99,
            "and back"
        );
    }

    #[test]
    fn a_listener_s_clock_that_stands_is_not_believed_and_a_drifting_one_is_followed() {
        let start = Instant::now();
        let mut ages = Ages::default();
        let sent_at = ages.sent_at(0, start + ms(20));
        ages.clean(start, start + ms(20), sent_at);
        let sent_at = ages.sent_at(0, start + ms(9_000));
        assert_eq!(ages.of(start + ms(8_500), start + ms(9_000), sent_at, ROUND_TRIP).as_millis(), 475);
        let mut ages = Ages::default();
        for second in 0..3_600_u64 {
            // A hundred parts of a million too fast.
            let now = start + ms(second * 1000 + 20);
            let stamp = (second * 1_000_100 + 20_000) & u64::from(u32::MAX);
            let sent_at = ages.sent_at(u32::try_from(stamp).unwrap(), now);
            ages.clean(start + ms(second * 1000), now, sent_at);
            assert!(ages.of(start + ms(second * 1000), now, sent_at, ROUND_TRIP) < ms(1), "{second}");
        }
    }
}

//! What kind of change ended a faster rate, and whether pauses keep time. Pure.

use super::series::{Fall, percentile};
use super::{Gap, Reading};

/// Round trips that grew no more than by this much and this share did not grow.
const FLAT_MS: f64 = 15.0;
const FLAT: f64 = 1.3;
/// Share of bytes sent again after the fall from which on packets were dropped.
const DROPPED: f64 = 0.004;
/// A boost ends within so many seconds of a test's beginning.
const BOOST_ENDS_S: f64 = 60.0;
/// A boost is even: so much of their median may lie between its fast and its slow seconds.
const EVEN: f64 = 0.3;
/// Pauses that keep time: how many, how long at least, how far apart at least, how exactly.
const PAUSES: usize = 3;
const PAUSE_MS: u64 = 700;
const APART_MS: f64 = 3000.0;
const IN_TIME: f64 = 0.2;

/// What ended a faster rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Drops what exceeds a rate: packets are lost, and the round trip stays as it was.
    Policer,
    /// A higher rate that is granted at first.
    Boost,
    /// A queue that fills: the round trip rises, since the line itself became slower or is shared.
    Queue,
    /// The figures do not tell.
    Unknown,
}

/// What ended the faster rate, by round trips and losses before and after.
pub fn kind(reading: &Reading, fall: &Fall) -> Kind {
    let at_ms = fall.at_s * 1000.0;
    let trips = |wanted: &dyn Fn(f64) -> bool| {
        let chosen = reading.loaded_rtt.iter().filter(|sample| wanted(sample.offset_ms));
        percentile(&mut chosen.map(|sample| sample.rtt_ms).collect::<Vec<_>>(), 50)
    };
    // The second of the change itself belongs to neither side.
    let before = trips(&|offset_ms| offset_ms + 1000.0 <= at_ms);
    let after = trips(&|offset_ms| offset_ms >= at_ms + 1000.0);
    let Some((before, after)) = before.zip(after) else { return Kind::Unknown };
    if after <= before * FLAT + FLAT_MS {
        return if resent_after(reading, at_ms) >= DROPPED { Kind::Policer } else { Kind::Unknown };
    }
    if fall.at_s <= BOOST_ENDS_S && is_even(reading, fall) { Kind::Boost } else { Kind::Queue }
}

/// Share of bytes that were sent again from the fall on.
fn resent_after(reading: &Reading, at_ms: f64) -> f64 {
    let after = reading.sender.seconds.iter().filter(|second| second.offset_ms + 1000.0 >= at_ms);
    let (sent, resent) = after.fold((0_u64, 0_u64), |(sent, resent), second| {
        (sent.saturating_add(second.sent_bytes), resent.saturating_add(second.resent_bytes))
    });
    #[expect(clippy::cast_precision_loss, reason = "bytes of one test are far below 2^52")]
    let share = resent as f64 / sent.max(1) as f64;
    share
}

/// True when the seconds before the fall were alike, TCP's start-up left out.
fn is_even(reading: &Reading, fall: &Fall) -> bool {
    let second = (1000 / reading.slot_ms.max(1)).max(1) as usize;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates at 0")]
    let end = fall.at_s as usize;
    let seconds = reading.arrived_bytes.chunks_exact(second).take(end).skip(1);
    #[expect(clippy::cast_precision_loss, reason = "bytes of one second are far below 2^52")]
    let mut bytes: Vec<f64> = seconds.map(|slots| super::series::total(slots) as f64).collect();
    let spread = percentile(&mut bytes, 90).zip(percentile(&mut bytes, 10));
    let middle = percentile(&mut bytes, 50).unwrap_or(0.0);
    spread.is_none_or(|(fast, slow)| fast - slow <= EVEN * middle)
}

/// Pauses that come again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rhythm {
    /// How many there were.
    pub pauses: usize,
    /// Median of their lengths, in seconds.
    pub length_s: f64,
    /// Median of the time from one to the next, in seconds.
    pub every_s: f64,
}

/// The rhythm of the long pauses, if they keep one.
pub fn rhythm(gaps: &[Gap]) -> Option<Rhythm> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one test are far below 2^52")]
    let long: Vec<(f64, f64)> =
        gaps.iter().filter(|gap| gap.ms >= PAUSE_MS).map(|gap| (gap.at_ms as f64, gap.ms as f64)).collect();
    if long.len() < PAUSES {
        return None;
    }
    let mut apart: Vec<f64> = long.windows(2).map(|two| two[1].0 - two[0].0).collect();
    let every = percentile(&mut apart, 50).filter(|every| *every >= APART_MS)?;
    let in_time = apart.iter().all(|apart| (apart / every - 1.0).abs() <= IN_TIME);
    let length = percentile(&mut long.iter().map(|pause| pause.1).collect::<Vec<_>>(), 50)?;
    in_time.then_some(Rhythm { pauses: long.len(), length_s: length / 1000.0, every_s: every / 1000.0 })
}

//! What a path needs and what it carries, by what was seen of the stream. Pure.

use super::Reading;
use crate::model::risk::{Watched, spells};
use crate::net::encoder::{Second, Stall};

/// What RTMP, TCP and IP add to the media: measured.
const RTMP_OVERHEAD: f64 = 1.03;
/// Queue from which an encoder with a dynamic bit rate lowers it: below it the path keeps up.
const QUEUE_MS: u32 = 200;
/// Milliseconds of a second in which something waited, from which that second tells what the path carries.
const BUSY_MS: u32 = 800;
/// Share of such seconds from which on the rate is to blame, not single gaps.
const BUSY_SHARE: f64 = 0.25;
/// Share of packets lost from which on the rate is blamed for it.
const OVERFULL: f64 = 0.1;
/// Stalls from this on make OBS drop pictures.
const DAMAGING_MS: u64 = 700;

/// The latency that SRT needs on this path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Latency {
    /// In milliseconds.
    pub(super) ms: u64,
    /// False when packets came too late, so that it lies beyond what was seen.
    pub(super) seen: bool,
}

/// The bit rate that the path carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried {
    /// This, and perhaps more.
    AtLeast(u64),
    /// About this.
    About(u64),
}

pub(super) fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of one stream are far below 2^52")]
    let value = count as f64;
    value
}

pub(super) fn sum(seconds: &[Second], of: impl Fn(&Second) -> u32) -> u64 {
    seconds.iter().map(|second| u64::from(of(second))).sum()
}

/// How long a stall holds on to the longest.
pub(super) fn longest(stalls: &[Stall]) -> u64 {
    stalls.iter().map(|stall| stall.ms).max().unwrap_or(0)
}

/// Round trips that SRT's deployment guide wants for a share of loss, and the least latency in ms.
const fn guide(loss: f64) -> (f64, f64) {
    if loss <= 0.01 {
        (3.0, 60.0)
    } else if loss <= 0.03 {
        (4.0, 80.0)
    } else if loss <= 0.07 {
        (5.0, 100.0)
    } else {
        (6.0, 120.0)
    }
}

/// The deployment guide's figure, the longest repair that was seen with a fourth on top, and the longest
/// stall: whichever is most. Where packets came too late, as many more rounds of repair as would leave one
/// in ten minutes.
pub(super) fn latency(reading: &Reading) -> Option<Latency> {
    let (counts, take) = (reading.srt_counts.as_ref()?, reading.take.as_ref()?);
    let round_trip = take.round_trip_ms?;
    let loss = float(counts.lost) / float(counts.packets.max(1));
    let (round_trips, least) = guide(loss);
    let mut need = (round_trips * round_trip).max(least);
    let classes = u32::try_from(counts.repaired.len()).unwrap_or(u32::MAX);
    need = need.max(f64::from(classes.saturating_mul(counts.class_ms)) * 1.25);
    if !take.stalls.is_empty() {
        need = need.max(float(longest(&take.stalls)) + 2.0 * round_trip);
    }
    if counts.too_late > 0 {
        let agreed = float(reading.srt.as_ref().map_or(0, |srt| srt.latency_ms));
        let in_ten_minutes = float(counts.too_late) * 600_000.0 / take.took_ms.max(1.0);
        let rounds = (in_ten_minutes.max(1.0).ln() / -loss.clamp(0.01, 0.7).ln()).ceil().max(1.0);
        need = need.max(agreed + rounds * (1.5 * round_trip + 20.0));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; never negative")]
    let tens = (need / 10.0).ceil() as u64;
    Some(Latency { ms: tens.saturating_mul(10), seen: counts.too_late == 0 })
}

/// What the path carried; `None` when nothing was played for a whole second.
pub(super) fn carried(reading: &Reading) -> Option<Carried> {
    let take = reading.take.as_ref()?;
    let seconds = take.seconds.as_slice();
    if seconds.is_empty() {
        return None;
    }
    let whole = Carried::AtLeast(reading.media_kbps);
    if let Some(counts) = &reading.srt_counts {
        let loss = float(counts.lost) / float(counts.packets.max(1));
        if counts.too_late == 0 || loss < OVERFULL {
            return Some(whole);
        }
        return Some(arrived(seconds, reading.media_kbps).map_or(whole, |kbps| about(kbps, whole)));
    }
    if sum(seconds, |second| second.dropped) == 0 && seconds.iter().all(|second| second.queue_ms < QUEUE_MS) {
        return Some(whole);
    }
    let busy: Vec<f64> = seconds
        .iter()
        .enumerate()
        .filter(|(at, second)| second.waited_ms >= BUSY_MS && !stands_still(&take.stalls, *at))
        .map(|(_, second)| float(second.bytes) * 8.0 / 1000.0 / RTMP_OVERHEAD)
        .collect();
    let share = float(busy.len() as u64) / float(seconds.len() as u64);
    if share < BUSY_SHARE {
        return Some(whole);
    }
    Some(about(low(busy)?, whole))
}

/// What arrived of a stream over SRT; `None` when single gaps are to blame. A gap is reported after it, all
/// its packets at once: only several seconds together tell what came through.
fn arrived(seconds: &[Second], kbps: u64) -> Option<f64> {
    const TOGETHER: usize = 5;
    let losing = seconds.iter().filter(|second| second.lost > 0).count();
    if float(losing as u64) < BUSY_SHARE * float(seconds.len() as u64) {
        return None;
    }
    let share = |some: &[Second]| {
        let (lost, packets) = (sum(some, |second| second.lost), sum(some, |second| second.packets));
        (1.0 - float(lost) / float(packets.max(1))).clamp(0.0, 1.0)
    };
    let shares = seconds.windows(TOGETHER.min(seconds.len()).max(1)).map(share).collect();
    Some(low(shares)? * float(kbps))
}

/// Whether the stream stood still in that second, or the one before it: a gap tells nothing of the rate.
fn stands_still(stalls: &[Stall], second: usize) -> bool {
    let (begin, end) = (second as u64 * 1000, (second as u64 + 1) * 1000);
    stalls.iter().any(|stall| {
        stall.ms >= DAMAGING_MS
            && stall.at_ms < end
            && stall.at_ms.saturating_add(stall.ms).saturating_add(1000) > begin
    })
}

fn about(kbps: f64, whole: Carried) -> Carried {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; never negative")]
    let kbps = kbps as u64 / 10 * 10;
    match whole {
        Carried::AtLeast(most) if kbps < most => Carried::About(kbps),
        _ => whole,
    }
}

/// What nine of ten reach.
fn low(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 10).copied()
}

/// How sure a figure is that so many seconds gave: under 30 s a stream's gaps are mostly missed.
pub(super) const fn confidence(seconds: usize) -> &'static str {
    match seconds {
        0..30 => "low",
        30..600 => "medium",
        _ => "high",
    }
}

/// Standstill that is bridged, in milliseconds. Over SRT the acknowledged packets stand still at every
/// repair, which nobody sees before the latency is used up; the repair itself takes a round trip more.
pub(super) fn bridged(reading: &Reading) -> u64 {
    const SPARE_MS: u64 = 100;
    let Some(srt) = &reading.srt else { return 0 };
    let round_trip = reading.take.as_ref().and_then(|take| take.round_trip_ms).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; NaN is 0")]
    let round_trip = round_trip.ceil() as u64;
    srt.latency_ms.saturating_add(round_trip).saturating_add(SPARE_MS)
}

/// The time that was watched, and the spells of damaging gaps in it: pictures dropped, packets too late, or
/// standstills that an encoder's queue does not bridge.
pub(super) fn watched(reading: &Reading) -> Option<Watched> {
    watched_beyond(reading, 0, false)
}

/// Likewise without what a pause of this computer of so many milliseconds explains: standstills longer by no
/// more than that, and losses unless they are `beyond_doubt`.
pub(super) fn watched_but(reading: &Reading, pause_ms: f64, beyond_doubt: bool) -> Option<Watched> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; NaN is 0")]
    let pause = pause_ms.ceil() as u64;
    watched_beyond(reading, pause, !beyond_doubt)
}

fn watched_beyond(reading: &Reading, more_ms: u64, no_losses: bool) -> Option<Watched> {
    let take = reading.take.as_ref()?;
    let bridged = bridged(reading).max(DAMAGING_MS).saturating_add(more_ms);
    let bad = take.seconds.iter().enumerate().filter(|(_, second)| second.dropped > 0 || second.too_late > 0);
    let mut began: Vec<u64> = bad.filter(|_| !no_losses).map(|(index, _)| index as u64 * 1000).collect();
    began.extend(take.stalls.iter().filter(|stall| stall.ms >= bridged).map(|stall| stall.at_ms));
    began.sort_unstable();
    Some(Watched { seconds: float(take.seconds.len() as u64), spells: spells(began) })
}

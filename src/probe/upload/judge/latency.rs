//! Whether SRT's latency holds a keyframe on this line: a pause aside, at the rate that lasts. TCP's own series is
//! too coarse to tell (it holds back for its own repairs), so a steady line of that rate stands in.

use super::super::replay::{Bridge, replay};
use super::super::series::percentile;
use super::stream::allowed;
use super::{AT_CAP, Limits, Reading, SLOT_MS, code, float};
use crate::model::Finding;

/// Ten seconds of a steady line: five keyframes.
const STEADY_SLOTS: usize = 100;
/// Of the latency, what is left for jitter and the two clocks, one in so many parts.
const SPARE: u64 = 10;
/// Longest latency that is looked for, ms, and the step.
const LONGEST_MS: usize = 2_000;
const STEP_MS: usize = 50;
/// A line of so many times the stream's rate is the fastest that is looked for.
const FASTEST: u64 = 16;

/// A stream over SRT.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Planned {
    kbps: u64,
    pub(in super::super) latency_ms: u64,
    allowed: f64,
}

impl Planned {
    /// `None` where no stream is known, or it does not go over SRT.
    pub(in super::super) fn of(limits: &Limits) -> Option<Self> {
        Some(Self {
            kbps: limits.stream_kbps?.0,
            latency_ms: limits.stream_latency_ms?.0,
            allowed: allowed(limits),
        })
    }

    /// Whether keyframes pass a steady line of so many kb/s within so many milliseconds.
    fn pass(&self, line_kbps: u64, ms: u64) -> bool {
        let slot = line_kbps.saturating_mul(u64::from(SLOT_MS)) / 8;
        let steady = replay(&vec![slot; STEADY_SLOTS], SLOT_MS, self.kbps, Bridge::Latency(ms));
        steady.is_some_and(|steady| steady.share() <= self.allowed)
    }

    /// Whether they pass such a line in time as long as nothing is lost.
    pub(in super::super) fn fits(&self, line_kbps: u64) -> bool {
        self.pass(line_kbps, self.latency_ms - self.latency_ms / SPARE)
    }

    /// The same, where a round trip of so many milliseconds is to be left to repair what is lost.
    fn fits_repaired(&self, line_kbps: u64, trip_ms: u64) -> bool {
        self.pass(line_kbps, self.latency_ms.saturating_sub(trip_ms))
    }

    /// The slowest line that does, in steps of a tenth of the stream's rate, kb/s.
    fn slowest_line(&self, does: impl Fn(u64) -> bool) -> Option<u64> {
        let (mut low, mut high) = (10, FASTEST * 10);
        let line = |tenths: u64| self.kbps.saturating_mul(tenths).div_ceil(10);
        does(line(high)).then_some(())?;
        while low < high {
            let middle = u64::midpoint(low, high);
            if does(line(middle)) { high = middle } else { low = middle + 1 }
        }
        Some(line(high))
    }

    /// The slowest line on which they pass in time as long as nothing is lost, kb/s.
    pub(in super::super) fn least_kbps(&self) -> Option<u64> {
        self.slowest_line(|line| self.fits(line))
    }

    /// The shortest latency that would do, ms.
    fn enough_ms(&self, line_kbps: u64, trip_ms: u64) -> Option<u64> {
        let longer = |ms: &u64| *ms > self.latency_ms;
        let does = |latency_ms: &u64| {
            let longer = Self { latency_ms: *latency_ms, ..*self };
            longer.fits(line_kbps) && longer.fits_repaired(line_kbps, trip_ms)
        };
        (STEP_MS..=LONGEST_MS).step_by(STEP_MS).map(|ms| ms as u64).filter(longer).find(does)
    }
}

/// Cap of a test that is to show so many kb/s: what lasts lies below it.
pub(in super::super) fn cap_to_show(kbps: u64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bit rates are far below 2^52 and positive"
    )]
    let cap = (float(kbps) / AT_CAP).ceil() as u64;
    cap
}

/// `None` when all is well, or nothing can be said.
pub(super) fn judge(limits: &Limits, reading: &Reading) -> Option<Finding> {
    let planned = Planned::of(limits)?;
    let lasting = reading.rates()?.lasting_kbps;
    let trip = percentile(&mut reading.idle_rtt_ms.clone(), 50).unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate and a time, positive and far below 2^52"
    )]
    let (line, trip) = (lasting as u64, trip.ceil() as u64);
    let fits = planned.fits(line);
    if fits && planned.fits_repaired(line, trip) {
        return None;
    }
    let latency = planned.latency_ms;
    let expected = format!("{latency} ms of latency hold a keyframe and a round trip of {trip} ms");
    let enough = planned.enough_ms(line, trip);
    let takes = enough
        .map_or_else(|| format!("not at {line} kb/s"), |ms| format!("at {line} kb/s it takes about {ms} ms"));
    let plan = enough.map_or_else(
        || "lower the stream's bit rate".to_owned(),
        |ms| format!("plan SRT with {ms} ms of latency or more, or rehearse over SRT to see"),
    );
    if lasting >= AT_CAP * float(reading.at_most_kbps) {
        let observed = format!("{takes}, and the test itself sent no more: the line may carry it faster");
        let raise = planned.slowest_line(|line| planned.fits(line) && planned.fits_repaired(line, trip));
        let raise =
            raise.map_or(String::new(), |kbps| format!("raise `at_most_kbps` to {}; or ", cap_to_show(kbps)));
        return Some(Finding::unknown(code::LATENCY_SHORT, expected, observed, raise + &plan));
    }
    Some(if fits {
        let observed = format!(
            "{latency} ms hold the keyframe alone, and none of it can be lost and sent again: {takes}"
        );
        Finding::warn(code::LATENCY_SHORT, expected, observed, plan)
    } else {
        Finding::unknown(code::LATENCY_SHORT, expected, takes, plan)
    })
}

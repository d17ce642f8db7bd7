//! What would have become of the planned stream on what was measured, and what that says of the event.

use super::super::replay::{Bridge, Replayed, replay};
use super::super::series::SETTLE;
use super::{
    LATE_MS, Limits, Reading, SLOT_MS, code, float, gaps, hindered, late, latency, percent, seconds,
};
use crate::model::Finding;
use crate::model::risk::{BRIDGE_PAUSES, Chance, Standing, Stated, Watched, spells};

/// Share of lost pictures over which OBS warns.
const WARN_SHARE: f64 = 0.01;
/// Seconds of a look that shows a line's swings by itself: the ten minutes before a show.
const LONG_LOOK_S: f64 = 590.0;
const LONGER: &str = "measure for ten minutes, on the wire and at the hour of the event";
/// Seconds of lost pictures after which no event is saved by their having come but once. Short looks have not so many.
const LONG_LOST_S: f64 = 60.0;
/// A share of lost pictures that no busy moment of a computer explains.
const BEYOND_DOUBT: f64 = 0.5;
/// What TCP holds back for its own repairs, ms: a retransmission time-out (RFC 6298: 200 ms at least on Linux) and
/// some round trips. A shorter pause of its series says nothing of packets over UDP.
const OWN_REPAIRS_MS: u64 = 500;

/// What of a test condemns the line, and what asks for a longer look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// A stream that loses this share of its pictures is broken, however short the test.
    pub broken_share: f64,
    /// The chance of a damaging gap in the event, proven with 95 % confidence, that condemns the line where the
    /// policy names none.
    pub chance: f64,
    /// So many times the stream's rate comes through a short look at a line that can be trusted.
    pub reserve: f64,
    /// Or, on a slower line that is steady, so much of its median rate.
    pub steadiness: f64,
}

impl Thresholds {
    /// As chosen on the recorded uplinks of some places and scored on the others (`tests/networks study`).
    pub const CHOSEN: Self = Self { broken_share: 0.4, chance: 0.4, reserve: 2.5, steadiness: 0.7 };

    /// The fate of a stream that lost this share of its pictures on a line of this chance, where `allowed` may
    /// be lost.
    pub fn fate(self, share: f64, allowed: f64, chance: &Chance, gap_risk: Option<f64>) -> Fate {
        let condemned = || chance.standing(gap_risk.unwrap_or(self.chance)) == Standing::Beyond;
        match share {
            share if share <= allowed => Fate::ComesThrough,
            share if share >= self.broken_share || condemned() => Fate::Breaks,
            _ => Fate::Doubtful,
        }
    }

    /// How many times the stream's rate must come through, on a line whose median is so many times that rate;
    /// 1 when no more is asked than the stream itself.
    pub fn times(self, median: f64) -> f64 {
        self.reserve.min(self.steadiness * median).max(1.0)
    }
}

/// What became of the planned stream, replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It lost no more than it may.
    ComesThrough,
    /// It lost no more than it may, but on a line that swings so much that this may be luck.
    Swings,
    /// It lost more, but too little for a verdict on the line.
    Doubtful,
    /// It lost so much, or so often, that the line is at fault.
    Breaks,
}

/// What the replay gave of a stream of `times` the planned rate; `None` when no stream is known, or the series
/// is too coarse or too short.
pub fn replayed(limits: &Limits, reading: &Reading, times: f64) -> Option<Replayed> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bit rates are far below 2^52 and positive"
    )]
    let kbps = (float(limits.stream_kbps?.0) * times) as u64;
    let bridge = limits
        .stream_latency_ms
        .map_or(Bridge::Encoder, |limit| Bridge::Latency(limit.0.max(OWN_REPAIRS_MS)));
    let settled = SETTLE * 1000 / usize::try_from(reading.slot_ms.max(1)).ok()?;
    let slots = reading.arrived_bytes.get(settled..).filter(|slots| !slots.is_empty())?;
    (reading.slot_ms <= SLOT_MS).then(|| replay(slots, reading.slot_ms, kbps, bridge)).flatten()
}

/// Share of pictures that may be lost.
pub(super) fn allowed(limits: &Limits) -> f64 {
    limits.lost_pictures_share.map_or(WARN_SHARE, |limit| limit.0)
}

/// The planned stream on what was measured.
pub(super) struct Foretold {
    replayed: Replayed,
    stated: Stated,
    pub(super) fate: Fate,
    /// What of the test itself let less through than the stream needs.
    hindered: Option<String>,
    /// Seconds that were watched.
    watched_s: f64,
    /// Rate of the largest stream that was asked to come through and did not, kb/s.
    swings_below_kbps: Option<f64>,
}

/// Replays the planned stream; `None` where [`replayed`] gives nothing.
pub(super) fn foretell(limits: &Limits, reading: &Reading) -> Option<Foretold> {
    let once = replayed(limits, reading, 1.0)?;
    let watched = Watched {
        seconds: float(reading.measured_ms()) / 1000.0 - float(SETTLE as u64),
        spells: spells(once.lost_at_ms.iter().copied()),
    };
    let stated = Stated::of(watched, limits.stream_s, limits.gap_risk);
    let gap_risk = limits.gap_risk.map(|limit| limit.0);
    let fate = Thresholds::CHOSEN.fate(once.share(), allowed(limits), &stated.chance, gap_risk);
    let lost_s = once.share() * watched.seconds;
    let fate = if fate == Fate::Doubtful && lost_s >= LONG_LOST_S { Fate::Breaks } else { fate };
    let swings_below_kbps = Some(watched.seconds)
        .filter(|seconds| fate == Fate::ComesThrough && *seconds < LONG_LOOK_S)
        .and_then(|_| swings(limits, reading));
    let fate = if swings_below_kbps.is_some() { Fate::Swings } else { fate };
    let hindered = hindrance(limits, reading);
    Some(Foretold { replayed: once, stated, fate, hindered, watched_s: watched.seconds, swings_below_kbps })
}

/// What held the test up, where even its usual seconds carried less than the stream: a pause is never excused so.
fn hindrance(limits: &Limits, reading: &Reading) -> Option<String> {
    let (rates, kbps) = (reading.rates()?, float(limits.stream_kbps?.0));
    (rates.median_kbps < kbps).then(|| hindered(reading, &rates, kbps)).flatten()
}

/// The rate that a line of such a median should carry without a gap too, where it did not.
fn swings(limits: &Limits, reading: &Reading) -> Option<f64> {
    let kbps = float(limits.stream_kbps?.0);
    let times = Thresholds::CHOSEN.times(reading.rates()?.median_kbps / kbps);
    let more = replayed(limits, reading, times).filter(|_| times > 1.0)?;
    (more.share() > allowed(limits)).then_some(kbps * times)
}

/// The stream itself, then the risk for the whole event.
pub(super) fn judge(limits: &Limits, reading: &Reading, foretold: Option<Foretold>) -> Vec<Finding> {
    let Some(kbps) = limits.stream_kbps else { return Vec::new() };
    let carried = limits.stream_latency_ms.map_or_else(
        || "an encoder's queue".to_owned(),
        |limit| format!("SRT with {} ms of latency", limit.0),
    );
    let expected =
        format!("{} kb/s through {carried}: ≤ {} of pictures lost", kbps.0, percent(allowed(limits)));
    let Some(foretold) = foretold else {
        return Vec::from_iter(gaps::gaps_unknown(expected, reading));
    };
    let mut findings = vec![through(reading, &foretold, expected)];
    findings.extend(latency::judge(limits, reading));
    let excused = is_busy(reading).is_some() || foretold.hindered.is_some();
    let Stated { standing, expected, observed, longer, .. } = foretold.stated;
    findings.push(match standing {
        Standing::Within => Finding::pass(code::RISK, expected, observed),
        _ if excused => Finding::unknown(code::RISK_UNPROVEN, expected, observed, longer),
        Standing::Beyond => Finding::fail(code::RISK_HIGH, expected, observed, BRIDGE_PAUSES),
        Standing::Unproven => Finding::unknown(code::RISK_UNPROVEN, expected, observed, longer),
    });
    findings
}

fn is_busy(reading: &Reading) -> Option<f64> {
    late(reading).filter(|late| *late >= LATE_MS)
}

fn through(reading: &Reading, foretold: &Foretold, expected: String) -> Finding {
    let Foretold { replayed, fate, .. } = foretold;
    let first = replayed.lost_at_ms.first().map_or(String::new(), |at| {
        format!(", the first after {} s", seconds(at.saturating_add(SETTLE as u64 * 1000)))
    });
    let share = replayed.share();
    let observed = format!("{} ({} of {} pictures{first})", percent(share), replayed.lost, replayed.pictures);
    let busy = is_busy(reading).filter(|_| share < BEYOND_DOUBT && *fate != Fate::ComesThrough);
    if let Some(late) = busy {
        let observed = format!("{observed}, but a computer at one end was busy for {late:.0} ms itself");
        let remedy = "close what else runs on both computers, then run the check again";
        return Finding::unknown(code::SUSPECT, expected, observed, remedy);
    }
    if let (Fate::Doubtful | Fate::Breaks, Some(why)) = (fate, &foretold.hindered) {
        let remedy = "put right what held it up, then run the check again";
        return Finding::unknown(code::STREAM_DOUBTFUL, expected, format!("{observed}, but {why}"), remedy);
    }
    match fate {
        Fate::ComesThrough => Finding::pass(code::STREAM_OK, expected, observed),
        Fate::Swings => {
            let more = foretold.swings_below_kbps.map_or(String::new(), |kbps| format!("{kbps:.0} kb/s"));
            let observed = format!(
                "{observed}; but the line swings: for moments it carries less than {more}, so that such a short \
                 look without a loss may be luck"
            );
            Finding::unknown(code::STREAM_SWINGS, expected, observed, LONGER)
        }
        Fate::Doubtful => {
            let remedy = if foretold.watched_s < LONG_LOOK_S { LONGER } else { BRIDGE_PAUSES };
            Finding::unknown(code::STREAM_DOUBTFUL, expected, observed, remedy)
        }
        Fate::Breaks => Finding::fail(code::STREAM_BREAKS, expected, observed, BRIDGE_PAUSES),
    }
}

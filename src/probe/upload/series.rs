//! What a series of arrivals says about a live stream. Pure; never a mean alone.
//!
//! Gaps kill streams and averages hide them, so windows of one second are looked at by
//! their 5th percentile, median and minimum, ten seconds by the worst of them.

use super::Gap;

/// Slots in a window of one second.
pub(super) fn second(slot_ms: u32) -> usize {
    (1000 / slot_ms.max(1)).max(1) as usize
}

/// Seconds at the beginning that rates are not taken from: TCP's own start-up would make a good
/// line look bad, a bucket full of tokens would make a bad one look good.
pub(super) const SETTLE: usize = 2;
/// Share of the earlier rate below which a lasting drop counts as a fall.
const FALL: f64 = 0.8;
/// Share of seconds that must lie on their side of the middle, so that noise is no fall.
const CLEAR: f64 = 0.8;
/// Seconds that a rate must last before and after a fall.
const LASTING: usize = 3;
/// A shorter opening counts too when it was so much faster: a policer's 4 MB are soon through.
const MUCH_FASTER: f64 = 1.5;

/// A rate that ended: an opening boost, or a policer that let the first megabytes pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fall {
    /// Seconds from the start.
    pub at_s: f64,
    /// Bytes that had arrived by then.
    pub after_bytes: u64,
    /// Median of the seconds before, kb/s.
    pub before_kbps: f64,
    /// Median of the seconds after, kb/s.
    pub after_kbps: f64,
}

/// Rates in kb/s (1000 bits) of windows of one second, moved on by a slot each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// 95 % of seconds were at least this fast.
    pub p5_kbps: f64,
    /// Half of the seconds were at least this fast.
    pub median_kbps: f64,
    /// The slowest second.
    pub min_kbps: f64,
    /// The slowest ten seconds, when it lasted that long.
    pub worst_10s_kbps: Option<f64>,
    /// The rate that lasted: `p5_kbps`, or the 5th percentile after a fall when that is lower.
    pub lasting_kbps: f64,
    /// A fall in rate, if there was one.
    pub fall: Option<Fall>,
}

/// Takes the rates of a series of bytes per slot; `None` when it is too short for a single
/// second after the start-up.
pub fn rates(slots: &[u64], slot_ms: u32) -> Option<Rates> {
    let second = second(slot_ms);
    let settled = slots.get(SETTLE * second..)?;
    let mut seconds = windows(settled, second, slot_ms);
    let fall = fall(slots, slot_ms);
    let p5_kbps = percentile(&mut seconds, 5)?;
    let after = fall.and_then(|(slot, _)| percentile(&mut windows(slots.get(slot..)?, second, slot_ms), 5));
    Some(Rates {
        p5_kbps,
        median_kbps: percentile(&mut seconds, 50)?,
        min_kbps: *seconds.first()?,
        worst_10s_kbps: windows(settled, 10 * second, slot_ms).into_iter().min_by(f64::total_cmp),
        lasting_kbps: after.map_or(p5_kbps, |after| after.min(p5_kbps)),
        fall: fall.map(|(_, fall)| fall),
    })
}

/// Seconds that a line is watched at least before it is called too thin: TCP has started up, and the slowest
/// ten seconds are known too.
const WATCHED: usize = SETTLE + 11;

/// Seconds that must carry a rate on the mean to raise hope: a shorter burst is what TCP held back behind a
/// lost packet, and was carried before.
const HOPEFUL: usize = 3;

/// Whether a test of so many slots can no longer show a rate, whatever follows: no [`HOPEFUL`] seconds so far
/// carried it, TCP's start-up and any opening burst included, and the seconds that [`Rates::p5_kbps`] counts
/// and that fell short are already more than the twentieth that may. Then the 5th percentile of the whole test
/// lies below it for certain.
pub fn is_out_of_reach(slots: &[u64], slot_ms: u32, asked_slots: usize, kbps_wanted: u64) -> bool {
    let second = second(slot_ms);
    #[expect(clippy::cast_precision_loss, reason = "bit rates are far below 2^52")]
    let wanted = kbps_wanted as f64;
    let carries = |window: &&[u64]| kbps(total(window), window.len(), slot_ms) >= wanted;
    if slots.len() < WATCHED * second || slots.windows(HOPEFUL * second).any(|window| carries(&window)) {
        return false;
    }
    let counted = (asked_slots + 1).saturating_sub((SETTLE + 1) * second);
    let settled = slots.get(SETTLE * second..).unwrap_or_default();
    settled.windows(second).filter(|window| !carries(window)).count() >= rank(counted, 5)
}

/// Nearest-rank percentile; sorts `values`. `None` of nothing.
pub fn percentile(values: &mut [f64], percent: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(rank(values.len(), percent) - 1).copied()
}

/// Which of so many values, from 1, is a percentile.
fn rank(values: usize, percent: usize) -> usize {
    (values * percent).div_ceil(100).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of one test are far below 2^52")]
fn kbps(bytes: u64, slots: usize, slot_ms: u32) -> f64 {
    bytes as f64 * 8.0 / (slots as f64 * f64::from(slot_ms.max(1)))
}

/// Sum that a forged report cannot overflow.
pub fn total(slots: &[u64]) -> u64 {
    slots.iter().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

fn windows(slots: &[u64], length: usize, slot_ms: u32) -> Vec<f64> {
    slots.windows(length).map(|window| kbps(total(window), length, slot_ms)).collect()
}

/// Most points that a chart of a series has.
const DRAWN: usize = 1200;

/// Windows of one second for a chart: milliseconds from one to the next, and the slowest of
/// those that a point stands for.
pub fn seconds_to_draw(slots: &[u64], slot_ms: u32) -> (f64, Vec<Option<f64>>) {
    let seconds = windows(slots, second(slot_ms), slot_ms);
    let each = seconds.len().div_ceil(DRAWN).max(1);
    let slowest = |some: &[f64]| some.iter().copied().min_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a few slots")]
    let step_ms = each as f64 * f64::from(slot_ms);
    (step_ms, seconds.chunks(each).map(slowest).collect())
}

/// The clearest lasting fall in rate, as the slot where the lower rate begins. Looks at the
/// opening too: a boost is part of what flatters.
fn fall(slots: &[u64], slot_ms: u32) -> Option<(usize, Fall)> {
    let second = second(slot_ms);
    let seconds: Vec<f64> =
        slots.chunks_exact(second).map(|slots| kbps(total(slots), second, slot_ms)).collect();
    let candidate = |at: usize| {
        let (before, after) = (seconds.get(..at)?, seconds.get(at..)?);
        let (before_kbps, after_kbps) =
            (percentile(&mut before.to_vec(), 50)?, percentile(&mut after.to_vec(), 50)?);
        let middle = f64::midpoint(before_kbps, after_kbps);
        let clear = |side: &[f64], above: bool| {
            let right = side.iter().filter(|kbps| (**kbps > middle) == above).count();
            ratio(right, side.len()) >= CLEAR
        };
        let enough = if at < LASTING {
            after_kbps * MUCH_FASTER < before_kbps
        } else {
            after_kbps < FALL * before_kbps
        };
        let fell = enough && clear(before, true) && clear(after, false);
        fell.then(|| (at * second, before_kbps, after_kbps, fit(before, after)))
    };
    let lasting = 1..=seconds.len().checked_sub(LASTING)?;
    let best = lasting.filter_map(candidate).min_by(|a, b| a.3.total_cmp(&b.3))?;
    let (slot, before_kbps, after_kbps, _) = best;
    let after_bytes = total(slots.get(..slot)?);
    #[expect(clippy::cast_precision_loss, reason = "slots of one test are far below 2^52")]
    let at_s = slot as f64 * f64::from(slot_ms) / 1000.0;
    Some((slot, Fall { at_s, after_bytes, before_kbps, after_kbps }))
}

/// How far seconds lie from the mean of their own side: least at the true point of change.
fn fit(before: &[f64], after: &[f64]) -> f64 {
    let spread = |side: &[f64]| {
        #[expect(clippy::cast_precision_loss, reason = "seconds of one test are far below 2^52")]
        let mean = side.iter().sum::<f64>() / side.len() as f64;
        side.iter().map(|kbps| (kbps - mean).powi(2)).sum::<f64>()
    };
    spread(before) + spread(after)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of one test are far below 2^52")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Gaps of at least `ms`.
pub fn gaps_over(gaps: &[Gap], ms: u64) -> u64 {
    gaps.iter().filter(|gap| gap.ms >= ms).count() as u64
}

/// Lengths of the stretches of empty slots, in milliseconds.
fn empty_ms(slots: &[u64], slot_ms: u32) -> impl Iterator<Item = u64> {
    slots.split(|bytes| *bytes > 0).map(move |empty| (empty.len() as u64).saturating_mul(slot_ms.into()))
}

/// Pauses of at least `ms` that the slots themselves prove.
pub fn empty_over(slots: &[u64], slot_ms: u32, ms: u64) -> u64 {
    empty_ms(slots, slot_ms).filter(|empty| *empty >= ms).count() as u64
}

/// The longest time without an arrival, in milliseconds. Empty slots stand in where no gap
/// was reported.
pub fn longest_stall_ms(slots: &[u64], slot_ms: u32, gaps: &[Gap]) -> u64 {
    let longest = gaps.iter().map(|gap| gap.ms).max().unwrap_or(0);
    longest.max(empty_ms(slots, slot_ms).max().unwrap_or(0))
}

/// No gap was as long as this, in milliseconds, whether it was kept or not: it would have left more slots empty.
pub fn no_gap_of_ms(slots: &[u64], slot_ms: u32) -> u64 {
    empty_ms(slots, slot_ms).max().unwrap_or(0).saturating_add(2 * u64::from(slot_ms))
}

//! Writes down what happens to the stream. Times are milliseconds since its start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{End, Take, Watch};

/// Shortest stall that is written down, in milliseconds.
pub const STALL_MS: u32 = 200;
/// Stalls kept, the longest ones.
const MAX_STALLS: usize = 1000;
/// Three times so many seconds, in each of which times a fourth of the stream is lost, are the end. One of
/// them is two keyframe intervals: a queue drops in bursts, once between two keyframes.
const COLLAPSED: usize = 4;

/// A second of the stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Second {
    /// Pictures that the encoder handed over.
    pub pictures: u32,
    /// Pictures that its queue dropped (RTMP).
    pub dropped: u32,
    /// Most video that waited in its queue, in milliseconds (RTMP).
    pub queue_ms: u32,
    /// Longest that something was on its way and not acknowledged, in milliseconds: how far the ingest is
    /// behind. None where the system does not tell.
    pub lag_ms: Option<u32>,
    /// Milliseconds in which something waited that the network did not take (RTMP).
    pub waited_ms: u32,
    /// Bytes acknowledged; bytes taken by the kernel where the system does not tell more.
    pub bytes: u64,
    /// Packets sent for the first time (SRT).
    #[serde(default)]
    pub packets: u32,
    /// Packets that the ingest reported lost (SRT).
    #[serde(default)]
    pub lost: u32,
    /// Packets that came too late to be played (SRT).
    #[serde(default)]
    pub too_late: u32,
}

/// Whether a fourth of these seconds was lost.
fn are_ruined(seconds: &[Second]) -> bool {
    let sum = |of: fn(&Second) -> u32| seconds.iter().map(|second| u64::from(of(second))).sum::<u64>();
    let fourth = |lost: u64, whole: u64| lost > 0 && lost * 4 >= whole;
    fourth(sum(|s| s.dropped), sum(|s| s.pictures)) || fourth(sum(|s| s.too_late), sum(|s| s.packets))
}

/// Nothing got through for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stall {
    /// When it began, in milliseconds since the stream's start.
    pub at_ms: u64,
    /// How long it was, in milliseconds.
    pub ms: u64,
}

/// How the connection stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Look {
    pub(super) queue_ms: u64,
    /// When the oldest piece was due that is not acknowledged.
    pub(super) oldest_due_ms: Option<u64>,
    /// Whether something waits that the network does not take.
    pub(super) waits: bool,
    /// Bytes that got through so far.
    pub(super) through: u64,
    pub(super) packets: u64,
    pub(super) lost: u64,
    pub(super) too_late: u64,
}

/// The book.
pub(super) struct Tally {
    seconds: Vec<Second>,
    now: Second,
    stalls: Vec<Stall>,
    stalls_left_out: u64,
    progress_ms: f64,
    looked_ms: f64,
    last: Look,
    /// Sums at the beginning of this second.
    base: Look,
    late: Vec<f32>,
    watch: Watch,
    knows_lag: bool,
}

impl Tally {
    /// `knows_lag` says whether [`Look::oldest_due_ms`] can be known.
    pub(super) fn new(watch: Watch, knows_lag: bool) -> Self {
        Self {
            seconds: Vec::new(),
            now: Second::default(),
            stalls: Vec::new(),
            stalls_left_out: 0,
            progress_ms: 0.0,
            looked_ms: 0.0,
            last: Look::default(),
            base: Look::default(),
            late: Vec::new(),
            watch,
            knows_lag,
        }
    }

    /// The encoder handed a piece over, so much after its time, and so many pictures were dropped for it.
    pub(super) fn piece(&mut self, picture: bool, late_ms: f64, dropped: u32) {
        self.now.pictures += u32::from(picture);
        self.now.dropped += dropped;
        #[expect(clippy::cast_possible_truncation, reason = "a time to three digits")]
        self.late.push(late_ms as f32);
    }

    /// How the connection stands now.
    pub(super) fn look(&mut self, at_ms: f64, look: Look) {
        while at_ms >= float(self.seconds.len() as u64 + 1) * 1000.0 {
            self.end_second();
        }
        let outstanding = self.last.waits || self.last.oldest_due_ms.is_some();
        if look.through > self.last.through || !outstanding {
            self.end_stall(at_ms);
        }
        if look.waits {
            self.now.waited_ms += whole(at_ms - self.looked_ms).min(1000);
        }
        self.now.queue_ms = self.now.queue_ms.max(u32::try_from(look.queue_ms).unwrap_or(u32::MAX));
        if self.knows_lag {
            let lag = look.oldest_due_ms.map_or(0, |due| whole(at_ms - float(due)));
            self.now.lag_ms = Some(self.now.lag_ms.unwrap_or(0).max(lag));
        }
        self.looked_ms = at_ms;
        self.last = look;
    }

    /// A fourth of the stream was lost in each third of the last twelve seconds.
    pub(super) fn has_collapsed(&self) -> bool {
        let Some(from) = self.seconds.len().checked_sub(3 * COLLAPSED) else { return false };
        self.seconds.get(from..).is_some_and(|last| last.chunks(COLLAPSED).all(are_ruined))
    }

    fn end_second(&mut self) {
        let grown = |now: u64, before: u64| u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX);
        let (last, base) = (self.last, self.base);
        let mut second = std::mem::take(&mut self.now);
        second.bytes = last.through.saturating_sub(base.through);
        second.packets = grown(last.packets, base.packets);
        second.lost = grown(last.lost, base.lost);
        second.too_late = grown(last.too_late, base.too_late);
        self.base = last;
        self.seconds.push(second);
        let at_ms = float(self.seconds.len() as u64) * 1000.0;
        (self.watch)("stream_kbps", at_ms, float(second.bytes) * 8.0 / 1000.0);
        if let Some(lag) = second.lag_ms {
            (self.watch)("lag_ms", at_ms, lag.into());
        }
    }

    fn end_stall(&mut self, at_ms: f64) {
        let began = std::mem::replace(&mut self.progress_ms, at_ms);
        if at_ms - began < f64::from(STALL_MS) {
            return;
        }
        let stall = Stall { at_ms: whole(began).into(), ms: whole(at_ms - began).into() };
        if self.stalls.len() >= MAX_STALLS {
            self.stalls_left_out += 1;
            let shortest = self.stalls.iter().enumerate().min_by_key(|(_, stall)| stall.ms);
            match shortest.filter(|(_, shortest)| shortest.ms < stall.ms) {
                Some((at, _)) => drop(self.stalls.remove(at)),
                None => return,
            }
        }
        self.stalls.push(stall);
    }

    /// Closes the book.
    pub(super) fn close(mut self, took_ms: f64, sent_bytes: u64, end: End) -> Take {
        if took_ms >= float(self.seconds.len() as u64 + 1) * 1000.0 - 20.0 {
            self.end_second(); // whole but for the last look
        }
        if self.last.waits || self.last.oldest_due_ms.is_some() {
            self.end_stall(took_ms);
        }
        self.late.sort_by(f32::total_cmp);
        let p99 = self.late.get((self.late.len() * 99).div_ceil(100).saturating_sub(1));
        Take {
            seconds: self.seconds,
            stalls: self.stalls,
            stalls_left_out: self.stalls_left_out,
            took_ms,
            sent_bytes,
            round_trip_ms: None,
            late_p99_ms: p99.copied().unwrap_or_default().into(),
            late_max_ms: self.late.last().copied().unwrap_or_default().into(),
            cpu_ms: None,
            end,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of one stream are far below 2^52")]
const fn float(sum: u64) -> f64 {
    sum as f64
}

fn whole(ms: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; NaN is 0")]
    let whole = ms.round() as u32;
    whole
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn tally() -> Tally {
        Tally::new(Arc::new(|_, _, _| {}), true)
    }

    /// A look every 20 ms; `stands` says how the connection stands at a time.
    fn watch(tally: &mut Tally, ms: u64, stands: impl Fn(u64) -> Look) {
        for at in (0..=ms).step_by(20) {
            if at % 40 == 0 {
                tally.piece(true, 0.1, 0);
            }
            tally.look(float(at), stands(at));
        }
    }

    #[test]
    fn seconds_add_up_and_a_stall_is_as_long_as_it_was() {
        let mut tally = tally();
        watch(&mut tally, 5_000, |at| {
            let stalled = (2_000..3_100).contains(&at);
            let through = if stalled { 2_000 } else { at };
            Look {
                oldest_due_ms: Some(if stalled { 1_980 } else { at - at.min(30) }),
                through,
                ..Look::default()
            }
        });
        let take = tally.close(5_000.0, 5_000, End::Complete);
        assert_eq!(take.seconds.len(), 5);
        assert!(take.seconds.iter().all(|second| (24..=26).contains(&second.pictures)), "{take:?}");
        assert_eq!(take.stalls.len(), 1);
        assert!(
            (2_000..2_040).contains(&take.stalls[0].at_ms) && (1_080..1_120).contains(&take.stalls[0].ms)
        );
        let lags: Vec<_> = take.seconds.iter().map(|second| second.lag_ms.unwrap()).collect();
        assert!(lags[0] == 30 && lags[3] >= 1_100 && lags[4] == 30, "{lags:?}");
    }

    #[test]
    fn nothing_to_send_is_no_stall_but_an_open_one_at_the_end_is() {
        let mut idle = tally();
        watch(&mut idle, 3_000, |_| Look::default());
        assert_eq!(idle.close(3_000.0, 0, End::Complete).stalls, []);
        let mut dead = tally();
        watch(&mut dead, 3_000, |at| Look { waits: at > 0, through: 1, ..Look::default() });
        assert_eq!(dead.close(3_000.0, 0, End::SendTimedOut).stalls.len(), 1);
    }

    #[test]
    fn of_too_many_stalls_the_longest_are_kept() {
        let mut tally = tally();
        let mut at = 0.0;
        for n in 0..1_100_u32 {
            tally.progress_ms = at;
            at += if n == 1_050 { 10_000.0 } else { 200.0 + f64::from(n % 7) };
            tally.end_stall(at);
        }
        assert_eq!((tally.stalls.len(), tally.stalls_left_out), (MAX_STALLS, 100));
        assert_eq!(tally.stalls.iter().map(|stall| stall.ms).max(), Some(10_000));
        assert!(tally.stalls.is_sorted_by_key(|stall| stall.at_ms));
        let shortest = tally.stalls.iter().filter(|stall| stall.ms == 200).count();
        assert_eq!(shortest, 57, "the shortest went");
    }

    #[test]
    fn twelve_ruined_seconds_are_a_collapse_and_one_long_pause_is_not() {
        let ends = |lost_of_50: fn(u64) -> u32| {
            let mut tally = tally();
            (0..30_u64).find(|second| {
                for n in 0..50 {
                    tally.piece(n % 2 == 0, 0.0, if n == 40 { lost_of_50(*second) } else { 0 });
                    tally.look(float(second * 1000 + n * 20), Look::default());
                }
                tally.has_collapsed()
            })
        };
        assert_eq!(ends(|_| 5), None, "a fifth");
        assert_eq!(ends(|second| if second % 2 == 0 { 20 } else { 0 }), Some(12), "in bursts");
        assert_eq!(
            ends(|second| if (7..12).contains(&second) { 25 } else { 0 }),
            None,
            "a pause of five seconds"
        );
    }
}

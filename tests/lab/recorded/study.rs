//! The same question by arithmetic: every window of every recording, golive's judge on what a test would
//! have seen arrive, and the stream replayed over what the recording carried next. It takes minutes where
//! real streams take hours, so that thresholds are chosen here, on some places, and scored on the others.
//!
//! What it leaves out is what real streams are for: TCP on a line with delay and a queue. Only a pause of
//! the line is given TCP's way of coming back late ([`tcp`]).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use golive::model::risk::{Prior, Watched, spells};
use golive::model::{AtLeast, Contact, Effect, FarEndName, Stakes, StreamName, StreamNeed};
use golive::net::congestion::Congestion;
use golive::probe::Probe;
use golive::probe::upload::{
    Bridge, Ending, Fate, Limits, Over, Reading, Sender, Target, Thresholds, Upload, Vantage, Way, replay,
    replayed,
};

use super::{Case, most_kbps, score};
use crate::truth::survival::Outcome;
use crate::truth::table::{Agreement, Counts, Said, agreement};
use crate::truth::{Protocol, Stream, baseline};
use crate::wan::trace::{Capacity, Trace};

/// Milliseconds of a slot of golive's series, and slots in a second.
const SLOT_MS: u32 = 100;
const SECOND: usize = 10;
/// Seconds that a window is looked at, and that its stream then runs.
const LOOKS_S: [usize; 2] = [60, 120];
const STREAM_S: usize = 60;
/// Seconds between the beginnings of two windows.
const STEP_S: f64 = 30.0;
/// Seconds between golive's look and the stream.
const AFTER_S: f64 = 4.0;
/// The share of lost pictures above which a stream has died, as for real ones.
const LOST: f64 = crate::truth::survival::LOST;
/// A packet's way and SRT's own clock, on top of its latency.
const SRT_GRACE_MS: u64 = 50;

/// What a verdict that is none costs against a wrong one: a longer look.
const UNDECIDED: f64 = 0.25;
/// Candidates that [`choose`] tries.
const BROKEN_SHARES: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.4, 1.1];
const CHANCES: [f64; 6] = [0.1, 0.25, 0.4, 0.6, 0.8, 1.0];
const RESERVES: [f64; 6] = [1.0, 1.25, 1.5, 1.75, 2.0, 2.5];
/// No more than 0.7: to so much CUBIC falls by itself at a lost packet (RFC 9438).
const STEADINESS: [f64; 4] = [0.4, 0.5, 0.6, 0.7];
const PRIOR_SPELLS: [f64; 10] = [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8];
const PRIOR_SECONDS: [f64; 8] = [10.0, 20.0, 30.0, 50.0, 80.0, 120.0, 200.0, 300.0];

/// A window: what golive's test saw in it, and what became of the stream after it.
struct Window {
    place: String,
    truth: Outcome,
    mean: Said,
    wizard: Said,
    /// The verdict of all findings but those on the stream's fate and on the rate.
    rest: Said,
    /// Median rate, in times the stream's.
    median: f64,
    /// 95 % of seconds carried the stream's rate; half did, and the rate did not fall for good.
    rate: (bool, bool),
    /// Share of the replayed stream's pictures that was lost.
    share: f64,
    /// The most times the stream's rate that would have come through.
    reserve: f64,
    watched: Watched,
    /// Length of the stream.
    stream_s: f64,
}

impl Window {
    fn golive(&self, thresholds: Thresholds) -> Said {
        let chance = self.watched.chance(self.stream_s);
        let swings = thresholds.times(self.median) > self.reserve.max(1.0);
        let (enough, even) = self.rate;
        match (thresholds.fate(self.share, LOST, &chance, None), self.rest) {
            (Fate::Breaks, _) | (_, Said::NoGo) => Said::NoGo,
            _ if !enough && !even => Said::NoGo,
            (Fate::ComesThrough, rest) if !swings => rest,
            _ => Said::Inconclusive,
        }
    }

    fn died(&self) -> f64 {
        f64::from(u8::from(self.truth == Outcome::Died))
    }
}

/// The study as text.
///
/// # Errors
/// Without the recordings.
pub fn study() -> Result<String, String> {
    let mut cases = super::cases(super::Form { look_s: 60, stream_s: 60, at_once: 1, parts: 1 }, &[])?;
    let half = cases.split_off(cases.len() / 2);
    let windows = std::thread::scope(|scope| {
        let other = scope.spawn(|| all_windows(&half));
        let mut windows = all_windows(&cases)?;
        windows.extend(other.join().unwrap()?);
        Ok::<_, String>(windows)
    })?;
    let (chosen_on, held_out): (Vec<_>, Vec<_>) =
        windows.into_iter().partition(|window| score::CHOSEN_ON.contains(&window.place.as_str()));
    let thresholds = choose(&chosen_on);
    let prior = fit(&chosen_on);
    let mut text = format!(
        "{} windows of 60 or 120 s at the places chosen on ({}), {} at the others; the stream runs on the next \
         {STREAM_S} s.\n\n- Thresholds chosen: {thresholds:?}.\n- golive has: {:?}.\n- Prior fitted: \
         {prior:?}.\n- golive has: {:?}.\n\n",
        chosen_on.len(),
        score::CHOSEN_ON.join(", "),
        held_out.len(),
        Thresholds::CHOSEN,
        Prior::FITTED,
    );
    for (which, windows) in [("chosen on", &chosen_on), ("held out", &held_out)] {
        let _ = writeln!(text, "Places {which}:\n");
        let counts = |said: &dyn Fn(&Window) -> Said| counted(windows, said).sentence();
        let _ = writeln!(text, "- golive: {}.", counts(&|window| window.golive(Thresholds::CHOSEN)));
        let _ = writeln!(text, "- golive as chosen here: {}.", counts(&|window| window.golive(thresholds)));
        let _ = writeln!(text, "- mean of 10 s × 1/1.5: {}.", counts(&|window| window.mean));
        let _ = writeln!(text, "- OBS's wizard, 70 %: {}.", counts(&|window| window.wizard));
        let stated = |window: &Window| (window.watched.chance(window.stream_s).likely, window.died());
        let pairs: Vec<_> = windows.iter().map(stated).collect();
        let _ = writeln!(text, "- chance stated by golive: {}.\n", score::calibration(&pairs));
    }
    Ok(text)
}

fn counted(windows: &[Window], said: &dyn Fn(&Window) -> Said) -> Counts {
    let mut counts = Counts::default();
    for window in windows {
        counts.push(window.truth, said(window));
    }
    counts
}

/// Of the thresholds that at no place call more good lines bad than the better of the two simple rules does,
/// those that cost least ([`cost`]).
fn choose(windows: &[Window]) -> Thresholds {
    let bad = |said: &dyn Fn(&Window) -> Said| -> BTreeMap<&str, usize> {
        let mut bad = BTreeMap::new();
        for window in windows {
            let wrong = agreement(window.truth, said(window)) == Agreement::FalseNoGo;
            *bad.entry(window.place.as_str()).or_default() += usize::from(wrong);
        }
        bad
    };
    let (mean, wizard) = (bad(&|window| window.mean), bad(&|window| window.wizard));
    let fits = |thresholds: Thresholds| {
        let ours = bad(&|window| window.golive(thresholds));
        ours.iter().filter(|(place, bad)| **bad > mean[*place].min(wizard[*place])).count()
    };
    let breaks = BROKEN_SHARES.iter().flat_map(|broken| CHANCES.iter().map(move |chance| (broken, chance)));
    let swings = RESERVES.iter().flat_map(|most| STEADINESS.iter().map(move |steady| (most, steady)));
    let candidates = breaks.flat_map(|(&broken_share, &chance)| {
        let with = move |(&reserve, &steadiness)| Thresholds { broken_share, chance, reserve, steadiness };
        swings.clone().map(with)
    });
    let judged = candidates.map(|thresholds| {
        let counts = counted(windows, &|window| window.golive(thresholds));
        (fits(thresholds), cost(&counts), thresholds)
    });
    judged.min_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))).expect("candidates").2
}

fn cost(counts: &Counts) -> f64 {
    (counts.false_go + counts.false_no_go) as f64 + UNDECIDED * counts.undecided as f64
}

/// The prior under which what came was likeliest, each place counting the same.
fn fit(windows: &[Window]) -> Prior {
    let weight =
        |window: &Window| 1.0 / windows.iter().filter(|other| other.place == window.place).count() as f64;
    let weights: Vec<f64> = windows.iter().map(weight).collect();
    let likelihood = |prior: Prior| -> f64 {
        let of = |(window, weight): (&Window, &f64)| {
            let chance = window.watched.chance_from(prior, window.stream_s).likely.clamp(1e-6, 1.0 - 1e-6);
            weight * if window.truth == Outcome::Died { chance.ln() } else { (1.0 - chance).ln() }
        };
        windows.iter().zip(&weights).map(of).sum()
    };
    let priors = PRIOR_SPELLS
        .iter()
        .flat_map(|&spells| PRIOR_SECONDS.iter().map(move |&seconds| Prior { spells, seconds }));
    priors.max_by(|one, other| likelihood(*one).total_cmp(&likelihood(*other))).unwrap()
}

fn all_windows(cases: &[Case]) -> Result<Vec<Window>, String> {
    let mut windows = Vec::new();
    for (case, look_s) in cases.iter().flat_map(|case| LOOKS_S.map(|look_s| (case, look_s))) {
        let length_s = super::extent(&super::folder()?.join(&case.recording))?.1;
        let whole = (look_s + STREAM_S) as f64 + AFTER_S;
        let count = if length_s > whole { (length_s / STEP_S).ceil() as usize } else { 1 };
        for at in 0..count {
            windows.push(window(case, at as f64 * STEP_S, look_s)?);
        }
    }
    Ok(windows)
}

fn window(case: &Case, start_s: f64, look_s: usize) -> Result<Window, String> {
    let stream = &case.stream;
    let look = carried(case, start_s, look_s)?;
    let next = carried(case, start_s + look_s as f64 + AFTER_S, STREAM_S)?;
    let need = need(stream);
    let cap = u64::from(most_kbps(stream)) * u64::from(SLOT_MS) / 8;
    let seen = tcp(&look, cap);
    let (mean, wizard) = (baseline::mean(&seen, stream), baseline::wizard(&seen, stream));
    let name = StreamName::new("main").unwrap();
    let stakes = Stakes {
        streams: [(name.clone(), need)].into(),
        event_seconds: Some(STREAM_S as u64),
        ..Stakes::default()
    };
    let far_end = FarEndName::new("cloud").unwrap();
    let mut target = Target::to_far_end(far_end.clone(), look_s as u32, u64::from(most_kbps(stream)));
    target.stream = Some(name);
    let mut limits = Limits { duration_s: Some(AtLeast(look_s as u32 - 2)), ..Limits::default() };
    Upload::derive(&mut target, &mut limits, &stakes);
    let reading = reading(far_end, seen, target.at_most_kbps);
    let stream_seen = replayed(&limits, &reading, 1.0).ok_or("no replay")?;
    let findings = Upload::judge(&limits, &reading);
    let rates = reading.rates().ok_or("too short")?;
    let stream_kbps = need.wire_kbps() as f64;
    let needed_kbps = need.required_kbps() as f64;
    let lives = |times: &f64| replayed(&limits, &reading, *times).is_some_and(|more| more.share() <= LOST);
    let reserve = (2..=30).rev().map(|step| f64::from(step) / 12.0).filter(|times| *times > 1.0).find(lives);
    let rest = findings.iter().filter(|finding| {
        !finding.code.as_str().starts_with("upload.stream_")
            && !finding.code.as_str().starts_with("upload.rate_")
    });
    let worst = rest.map(|finding| match finding.effect {
        Effect::Fail => Said::NoGo,
        Effect::Unknown => Said::Inconclusive,
        Effect::Warn => Said::ConditionalGo,
        Effect::Pass => Said::Go,
    });
    let rank = |said: &Said| {
        [Said::Go, Said::ConditionalGo, Said::Inconclusive, Said::NoGo].iter().position(|of| of == said)
    };
    Ok(Window {
        place: case.place().to_owned(),
        truth: truth(stream, &next, &need),
        mean,
        wizard,
        rest: worst.max_by_key(rank).unwrap_or(Said::Inconclusive),
        median: rates.median_kbps / stream_kbps,
        rate: (rates.lasting_kbps >= needed_kbps, rates.fall.is_none() && rates.median_kbps >= needed_kbps),
        reserve: reserve.unwrap_or(1.0),
        share: stream_seen.share(),
        watched: Watched {
            seconds: (look_s - 2) as f64,
            spells: spells(stream_seen.lost_at_ms.iter().copied()),
        },
        stream_s: STREAM_S as f64,
    })
}

fn need(stream: &Stream) -> StreamNeed {
    let srt = stream.protocol == Protocol::Srt;
    StreamNeed {
        media_kbps: stream.kbps.into(),
        headroom: 1.0,
        overhead: if srt { 0.08 } else { 0.03 },
        latency_ms: srt.then(|| stream.latency_ms.try_into().unwrap()),
    }
}

/// What becomes of the stream itself.
fn truth(stream: &Stream, next: &[u64], need: &StreamNeed) -> Outcome {
    let (slots, bridge) = match stream.protocol {
        Protocol::Rtmp => (tcp(next, u64::MAX), Bridge::Encoder),
        Protocol::Srt => (next.to_vec(), Bridge::Latency(u64::from(stream.latency_ms) + SRT_GRACE_MS)),
    };
    let replayed = replay(&slots, SLOT_MS, need.wire_kbps(), bridge).expect("the test card");
    if replayed.share() > LOST { Outcome::Died } else { Outcome::Survived }
}

/// Bytes that the recording carries in each slot of so many seconds from there.
fn carried(case: &Case, start_s: f64, seconds: usize) -> Result<Vec<u64>, String> {
    let trace = Trace { file: Some(case.recording.clone()), start_s, ..Trace::default() };
    let capacity: Capacity = trace.load()?;
    let at = |slot: usize| capacity.carried_at(slot as u64 * u64::from(SLOT_MS) * 1_000_000);
    let bytes = |slot: usize| ((at(slot + 1) - at(slot)) / 8_000_000_000) as u64;
    Ok((0..seconds * SECOND).map(bytes).collect())
}

/// What one TCP connection with enough to send has of it: after a pause it comes back with its next
/// retransmission time-out, which doubles (RFC 6298).
fn tcp(line: &[u64], cap: u64) -> Vec<u64> {
    const FIRST_MS: u64 = 250;
    let mut slots: Vec<u64> = line.iter().map(|bytes| (*bytes).min(cap)).collect();
    let mut at = 0;
    while let Some(from) = line[at..].iter().position(|bytes| *bytes == 0).map(|from| at + from) {
        let paused = line[from..].iter().take_while(|bytes| **bytes == 0).count();
        let pause_ms = paused as u64 * u64::from(SLOT_MS);
        let (mut asked_ms, mut wait_ms) = (0, FIRST_MS);
        while asked_ms < pause_ms {
            asked_ms += wait_ms;
            wait_ms *= 2;
        }
        let late = (asked_ms - pause_ms).min(pause_ms).div_ceil(u64::from(SLOT_MS)) as usize;
        at = (from + paused + late).min(slots.len());
        slots[from + paused..at].fill(0);
    }
    slots
}

/// A reading as golive's far end would give it.
fn reading(far_end: FarEndName, arrived_bytes: Vec<u64>, at_most_kbps: u64) -> Reading {
    let contact =
        Contact { remote: "192.0.2.1:7000".parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 20.0 };
    Reading {
        method: "arithmetic".into(),
        way: Way::FarEnd,
        far_end: Some(far_end),
        server: String::new(),
        transport: Over::Tcp,
        streams: 1,
        vantage: Vantage::Receiver,
        attempts: Vec::new(),
        data: contact,
        seen_as: None,
        asked_seconds: (arrived_bytes.len() / SECOND) as u32,
        at_most_kbps,
        congestion_asked: Congestion::Cubic,
        congestion: Some("cubic".into()),
        slot_ms: SLOT_MS,
        packets: None,
        arrived_bytes,
        gaps: Vec::new(),
        gaps_left_out: 0,
        idle_rtt_ms: vec![40.0; 10],
        loaded_rtt: Vec::new(),
        responsiveness: None,
        sender: Sender::default(),
        total: None,
        datagrams: None,
        answer: None,
        far_end_late_ms: None,
        ending: Ending::Complete,
    }
}

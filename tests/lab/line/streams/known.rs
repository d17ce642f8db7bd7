//! Streams over emulated lines of which it is known what they do (`evidence.md`): if these truths
//! were wrong, so were every verdict's score.

use crate::ground::quiet::quiet;
use crate::truth::stand::truth;
use crate::truth::survival::{Detail, Rtmp, Srt, Survival};
use crate::truth::{Outcome, Protocol, Stream, side_by_side};
use crate::wan::Line;

fn line(round_trip_ms: u32, up: &str) -> Line {
    let delay = f64::from(round_trip_ms) / 2.0;
    let text = format!("up.delay_ms = {delay}\ndown.delay_ms = {delay}\nseed = 11\n{up}");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

const RTMP: Stream = Stream { protocol: Protocol::Rtmp, kbps: 4160, seconds: 20, latency_ms: 0, check: None };
const SRT: Stream = Stream { protocol: Protocol::Srt, kbps: 4160, seconds: 20, latency_ms: 120, check: None };

fn run(cases: &[(&str, Line, Stream)], at_once: usize) -> Vec<Survival> {
    let _quiet = quiet();
    let job = |case: &(&str, Line, Stream)| -> Box<dyn FnOnce() -> Survival + Send> {
        let (line, stream) = (case.1.clone(), case.2.clone());
        Box::new(move || truth(&line, &stream))
    };
    let results = side_by_side(cases.iter().map(job).collect(), at_once);
    for (case, result) in cases.iter().zip(&results) {
        eprintln!("{:<28} {}", case.0, result.summary());
        eprintln!("{}", serde_json::to_string(&result.detail).unwrap());
    }
    results
}

fn rtmp(survival: &Survival) -> &Rtmp {
    let Detail::Rtmp(rtmp) = &survival.detail else { panic!("{survival:?}") };
    rtmp
}

/// The share of real time at which the stream arrived.
fn speed(survival: &Survival) -> f64 {
    rtmp(survival).delivered_s / survival.ran_s
}

#[test]
fn cubic_over_loss_falls_behind_as_mathis_says() {
    let loss = |percent: f64| format!("up.loss.percent = {percent}");
    let results = run(
        &[
            ("30 ms, 0.3 %", line(30, &loss(0.3)), RTMP),
            ("50 ms, 2 %", line(50, &loss(2.0)), RTMP),
            ("100 ms, 1 %", line(100, &loss(1.0)), RTMP),
            ("50 ms, outage of 2 s", line(50, "up.outages = { at_s = 8, for_s = 2 }"), RTMP),
        ],
        4,
    );
    assert_eq!(results[0].outcome, Outcome::Survived, "{:?}", results[0]);
    assert!(rtmp(&results[0]).lag.end_s < 0.3, "{:?}", results[0]);
    // 15 s of it took 38 s; 15 s and 28 s of lag.
    for (result, expected) in [(&results[1], 15.0 / 38.0), (&results[2], 15.0 / 43.0)] {
        assert_eq!(result.outcome, Outcome::Died, "{result:?}");
        assert!(
            (0.6..1.6).contains(&(speed(result) / expected)),
            "{} of {expected}: {result:?}",
            speed(result)
        );
    }
    let outage = rtmp(&results[3]);
    assert!((2.0..2.9).contains(&outage.longest_gap_s), "{:?}", results[3]);
    assert!((1.9..2.9).contains(&outage.lag.most_s) && outage.lag.end_s < 0.3, "{:?}", results[3]);
    assert_eq!(results[3].outcome, Outcome::Died);
}

fn srt(survival: &Survival) -> (usize, &Srt) {
    let Detail::Srt(srt) = &survival.detail else { panic!("{survival:?}") };
    (srt.recording.breaks + srt.recording.other_breaks, srt)
}

#[test]
fn srt_needs_latency_for_loss() {
    let lossy = || line(50, "up.loss.percent = 10");
    let latency = |latency_ms| Stream { latency_ms, ..SRT };
    let outage = "up.outages = { at_s = 8, for_s = 2 }";
    let results = run(
        &[
            ("50 ms, 10 %, SRT at 120 ms", lossy(), latency(120)),
            ("50 ms, 10 %, SRT at 1 s", lossy(), latency(1000)),
            ("50 ms, outage of 2 s, 120 ms", line(50, outage), latency(120)),
            ("50 ms, outage of 2 s, 3 s", line(50, outage), latency(3000)),
        ],
        4,
    );
    let (breaks, detail) = srt(&results[0]);
    assert!(breaks > 5 && detail.counters.dropped > 5, "{:?}", results[0]);
    assert_eq!(results[0].outcome, Outcome::Died);
    assert_eq!((results[1].outcome, srt(&results[1]).0), (Outcome::Survived, 0), "{:?}", results[1]);
    let counters = srt(&results[1]).1.counters;
    let share = counters.lost as f64 / counters.packets as f64;
    assert!((0.08..0.13).contains(&share), "libsrt sees the line's loss: {share} {counters:?}");
    // libsrt's sender drops what is older than max(latency, 1 s) + 20 ms: the rest comes late, but whole.
    assert_eq!(results[2].outcome, Outcome::Died, "{:?}", results[2]);
    let dropped_s = srt(&results[2]).1.counters.dropped as f64 / (4160.0 * 1.04 / 8.0 / 1.316);
    assert!((0.6..1.4).contains(&dropped_s), "{dropped_s} s: {:?}", results[2]);
    assert_eq!((results[3].outcome, srt(&results[3]).0), (Outcome::Survived, 0), "{:?}", results[3]);
}

#[test]
fn a_line_too_thin_kills_and_one_with_room_carries() {
    let rate = |mbps: f64| format!("up.rate_mbps = {mbps}\nup.queue_bytes = 60000");
    let short = |stream: Stream| Stream { seconds: 12, ..stream };
    let results = run(
        &[
            ("3 Mb/s, RTMP", line(40, &rate(3.0)), short(RTMP)),
            ("8 Mb/s, RTMP", line(40, &rate(8.0)), short(RTMP)),
            ("3 Mb/s, SRT at 1 s", line(40, &rate(3.0)), Stream { latency_ms: 1000, ..short(SRT) }),
            ("8 Mb/s, SRT at 1 s", line(40, &rate(8.0)), Stream { latency_ms: 1000, ..short(SRT) }),
        ],
        4,
    );
    let outcomes: Vec<_> = results.iter().map(|result| result.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::Died, Outcome::Survived, Outcome::Died, Outcome::Survived],
        "{results:#?}"
    );
    // What is behind is queued: it arrives at the line's rate.
    let media_share = 1.0 / 1.06;
    assert!((speed(&results[0]) / (3.0 / 4.16 * media_share) - 1.0).abs() < 0.12, "{:?}", results[0]);
}

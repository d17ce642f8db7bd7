//! Criteria, counts and intervals.

use std::time::Duration;

use crate::truth::baseline::{mean, wizard};
use crate::truth::survival::{Outcome, Survival};
use crate::truth::table::{Agreement, Counts, Row, Said, Simpler, agreement, markdown, plain, wilson};
use crate::truth::transport::Recording;
use crate::truth::{Protocol, Stream, side_by_side};

fn stream() -> Stream {
    Stream { protocol: Protocol::Srt, kbps: 4000, seconds: 60, latency_ms: 120, check: None }
}

fn srt(damaged: usize) -> Survival {
    let recording = Recording { pictures: 1700, damaged, ..Recording::default() };
    Survival::of_srt(
        &stream(),
        (recording, crate::truth::srt::Counters::default()),
        Duration::from_mins(1),
        None,
    )
}

#[test]
fn one_in_a_hundred_frames_is_the_limit() {
    assert_eq!(srt(0).outcome, Outcome::Survived);
    assert_eq!((srt(17).outcome, srt(17).marginal), (Outcome::Survived, true));
    assert_eq!((srt(18).outcome, srt(18).marginal), (Outcome::Died, true));
    assert_eq!((srt(100).outcome, srt(100).marginal), (Outcome::Died, false));
}

#[test]
fn what_did_not_come_is_lost_and_a_broken_connection_is_certain() {
    let recording = Recording { pictures: 800, ..Recording::default() };
    let counters = crate::truth::srt::Counters::default();
    let short = Survival::of_srt(&stream(), (recording, counters), Duration::from_mins(1), None);
    assert!(short.lost > 0.5 && !short.survived, "{short:?}");
    let recording = Recording { pictures: 1700, ..Recording::default() };
    let broke =
        Survival::of_srt(&stream(), (recording, counters), Duration::from_mins(1), Some("reset".into()));
    assert_eq!((broke.outcome, broke.marginal), (Outcome::Died, false));
}

#[test]
fn a_go_over_a_dead_stream_is_the_false_one() {
    use Agreement as A;
    for (truth, said, expected) in [
        (Outcome::Died, Said::Go, A::FalseGo),
        (Outcome::Died, Said::ConditionalGo, A::FalseGo),
        (Outcome::Died, Said::NoGo, A::Right),
        (Outcome::Survived, Said::ConditionalGo, A::Right),
        (Outcome::Survived, Said::NoGo, A::FalseNoGo),
        (Outcome::Died, Said::Inconclusive, A::Undecided),
        (Outcome::Invalid, Said::Go, A::NoTruth),
    ] {
        assert_eq!(agreement(truth, said), expected, "{truth:?} {said:?}");
    }
    assert_eq!(Said::of_exit(2), Some(Said::NoGo));
    assert_eq!(Said::of_exit(70), None);
}

#[test]
fn intervals_are_wilsons() {
    assert_eq!(wilson(0, 0), None);
    let (low, high) = wilson(0, 10).unwrap();
    assert!(low.abs() < 1e-12 && (high - 0.2775).abs() < 1e-3, "{low} {high}");
    let (low, high) = wilson(9, 10).unwrap();
    assert!((low - 0.5958).abs() < 1e-3 && (high - 0.9821).abs() < 1e-3, "{low} {high}");
}

#[test]
fn the_table_counts_what_it_shows() {
    let simpler = Some(Simpler { mean: Said::Go, wizard: Said::NoGo });
    let row = |damaged, said| Row {
        scenario: "a|b".into(),
        truth: srt(damaged),
        said,
        because: String::new(),
        simpler,
    };
    let spoilt = Survival::invalid(&stream(), "too busy");
    let mut rows =
        vec![row(0, Said::Go), row(300, Said::Go), row(0, Said::NoGo), row(300, Said::Inconclusive)];
    rows.push(Row {
        scenario: "c".into(),
        truth: spoilt,
        said: Said::Go,
        because: "nothing".into(),
        simpler: None,
    });
    let counts = Counts::of(rows.iter().map(|row| (&row.truth, row.said)));
    assert_eq!((counts.survived, counts.died, counts.false_go, counts.false_no_go), (2, 1, 1, 1));
    assert_eq!((counts.undecided, counts.no_truth, counts.rows), (1, 1, 5));
    let text = markdown(&rows);
    assert_eq!(text.lines().count(), 11, "{text}");
    let mean = "- mean of 10 s × 1/1.5: 2 of 4 streams judged right (15–85 %); false GO 2 of 2 that died";
    assert!(text.contains(mean) && text.contains("| not asked | not asked |"), "{text}");
    assert!(
        text.contains("| a\\|b | SRT 4 Mb/s, latency 120 ms, 60 s |") && text.contains("FALSE GO"),
        "{text}"
    );
    assert!(plain(&rows).contains("invalid: too busy"));
}

#[test]
fn jobs_run_side_by_side_and_come_back_in_order() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (running, most) = (&running, &most);
    let job = |n: u64| -> Box<dyn FnOnce() -> u64 + Send + '_> {
        Box::new(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(60 - 10 * n));
            running.fetch_sub(1, Ordering::SeqCst);
            n
        })
    };
    assert_eq!(side_by_side((0..5).map(job).collect(), 2), [0, 1, 2, 3, 4]);
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[test]
fn simpler_rules_see_ten_seconds() {
    // 6 Mb/s for 2.5 s, then 4.4 Mb/s: 75,000 and 55,000 bytes a slot.
    let slots: Vec<u64> = (0..200).map(|slot| if slot < 25 { 75_000 } else { 55_000 }).collect();
    let of = |kbps| Stream { protocol: Protocol::Rtmp, kbps, ..stream() };
    // The first ten seconds: 4.8 Mb/s, so 3.2 Mb/s; the wizard's: 4.4 Mb/s, so 3.08.
    assert_eq!((mean(&slots, &of(3150)), mean(&slots, &of(3250))), (Said::Go, Said::NoGo));
    assert_eq!((wizard(&slots, &of(3050)), wizard(&slots, &of(3150))), (Said::Go, Said::NoGo));
    assert_eq!(wizard(&slots[..120], &of(10)), Said::Inconclusive);
    assert_eq!(mean(&[], &of(10)), Said::Inconclusive);
}

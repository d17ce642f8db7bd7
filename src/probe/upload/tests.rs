use proptest::prelude::*;

use super::series::{longest_stall_ms, percentile, rates};
use super::tally::Tally;
use super::*;
use crate::model::{Effect, Pin, Secret, SecretSource, StreamNeed};
use crate::net::tcp_info::TcpInfo;
use crate::wire::control;

/// Bytes of a slot at a rate.
const fn slot(kbps: u64) -> u64 {
    kbps * SLOT_MS as u64 / 8
}

fn steady(kbps: u64, seconds: usize) -> Vec<u64> {
    vec![slot(kbps); seconds * 10]
}

fn reading(arrived_bytes: Vec<u64>) -> Reading {
    let contact =
        Contact { remote: "192.0.2.1:7000".parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 20.0 };
    Reading {
        method: "one TCP connection, counted by the far end".into(),
        far_end: FarEndName::new("cloud").unwrap(),
        attempts: vec![Attempt { contact: contact.clone(), failure: None }],
        data: contact,
        seen_as: None,
        asked_seconds: u32::try_from(arrived_bytes.len() / 10).unwrap(),
        at_most_kbps: 20_000,
        congestion_asked: Congestion::Cubic,
        congestion: Some("cubic".into()),
        slot_ms: SLOT_MS,
        arrived_bytes,
        gaps: Vec::new(),
        gaps_left_out: 0,
        idle_rtt_ms: vec![20.0; 10],
        loaded_rtt: (0..30).map(|n| LoadedRtt { offset_ms: f64::from(n) * 1000.0, rtt_ms: 30.0 }).collect(),
        sender: Sender {
            written_bytes: 1_000_000,
            sent_bytes: Some(1_000_000),
            resent_bytes: Some(1_000),
            busy_ms: Some(10_000.0),
            receiver_limited_ms: Some(0.0),
            late_ms: 2.0,
            paced: true,
        },
        far_end_late_ms: Some(2),
        ending: Ending::Complete,
    }
}

fn limits() -> Limits {
    Limits {
        rate_kbps: Some(AtLeast(9_000)),
        worst_10s_kbps: Some(AtLeast(9_000)),
        stall_ms: Some(AtMost(1_000)),
        gaps_over_200ms: Some(AtMost(5)),
        gaps_over_700ms: Some(AtMost(1)),
        gaps_over_2s: Some(AtMost(0)),
        loaded_rtt_ms: Some(AtMost(150.0)),
        retransmit_share: Some(AtMost(0.01)),
        duration_s: Some(AtLeast(30)),
    }
}

fn effect_of(reading: &Reading, code: &str) -> Effect {
    let findings = Upload::judge(&limits(), reading);
    for finding in &findings {
        assert!(Upload::CODES.iter().any(|code| code.id == finding.code), "{finding:?}");
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

#[test]
fn a_good_line_passes_everything_and_shows_it() {
    let findings = Upload::judge(&limits(), &reading(steady(10_000, 60)));
    assert_eq!(findings.len(), 11);
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
    assert!(findings.iter().any(|f| f.observed.contains("10000 kb/s in 95 % of seconds")), "{findings:#?}");
}

#[test]
fn without_limits_there_still_are_findings() {
    let findings = Upload::judge(&Limits::default(), &reading(steady(10_000, 60)));
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["upload.complete", "upload.congestion_as_asked"]);
}

#[test]
fn the_slow_seconds_count_and_not_the_mean() {
    // 17 Mb/s on average, but two seconds of ten carry 5.
    let slots: Vec<u64> =
        (0..60).flat_map(|s| [slot(if s % 10 >= 8 { 5_000 } else { 20_000 }); 10]).collect();
    let found = rates(&slots).unwrap();
    assert!(
        (found.p5_kbps, found.median_kbps) == (5_000.0, 20_000.0) || found.p5_kbps < 9_000.0,
        "{found:?}"
    );
    assert_eq!(effect_of(&reading(slots), "upload.rate_too_low"), Effect::Fail);
}

#[test]
fn tcp_start_up_is_no_slow_second_and_a_burst_no_fast_one() {
    for opening in [500, 80_000] {
        let slots = [steady(opening, 2), steady(10_000, 20)].concat();
        let found = rates(&slots).unwrap();
        assert_eq!((found.p5_kbps, found.min_kbps), (10_000.0, 10_000.0), "{opening}");
    }
}

#[test]
fn a_boost_that_ends_does_not_flatter_however_long_it_lasted() {
    let slots = [steady(15_000, 57), steady(6_000, 3)].concat();
    let found = rates(&slots).unwrap();
    let fall = found.fall.unwrap();
    assert_eq!((fall.at_s, fall.before_kbps, fall.after_kbps), (57.0, 15_000.0, 6_000.0));
    assert_eq!(fall.after_bytes, 15_000 * 125 * 57);
    assert!(found.lasting_kbps < 6_001.0, "{found:?}");
    let reading = reading(slots);
    assert_eq!(effect_of(&reading, "upload.rate_fell"), Effect::Warn);
    assert_eq!(effect_of(&reading, "upload.rate_too_low"), Effect::Fail);
}

#[test]
fn noise_and_a_rise_are_no_fall() {
    let noisy: Vec<u64> = (0..600).map(|n| slot(if (n / 7) % 2 == 0 { 12_000 } else { 8_000 })).collect();
    assert_eq!(rates(&noisy).unwrap().fall, None);
    assert_eq!(rates(&[steady(6_000, 20), steady(15_000, 20)].concat()).unwrap().fall, None);
    assert_eq!(rates(&steady(6_000, 20)).unwrap().fall, None);
}

#[test]
fn too_short_is_no_rate_and_no_pass() {
    assert_eq!(rates(&steady(10_000, 2)), None);
    assert_eq!(rates(&[]), None);
    assert_eq!(effect_of(&reading(steady(10_000, 2)), "upload.rate_unproven"), Effect::Unknown);
    assert_eq!(effect_of(&reading(steady(10_000, 20)), "upload.too_short"), Effect::Unknown);
}

#[test]
fn percentiles_are_by_nearest_rank() {
    let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    assert_eq!(percentile(&mut values, 5), Some(5.0));
    assert_eq!(percentile(&mut values, 50), Some(50.0));
    assert_eq!(percentile(&mut values, 100), Some(100.0));
    assert_eq!(percentile(&mut [7.0], 5), Some(7.0));
    assert_eq!(percentile(&mut [], 5), None);
}

#[test]
fn a_chart_shows_the_slow_seconds_however_long_the_test() {
    let mut slots = steady(10_000, 3600);
    slots[20_000..20_010].fill(0);
    let drawn = Upload::series(&limits(), &reading(slots));
    assert_eq!((drawn[0].required, drawn[1].required), (Some(9_000.0), Some(150.0)));
    assert!(drawn[0].values.len() <= 1200 && drawn[0].values.contains(&Some(0.0)));
    assert_eq!(Upload::series(&limits(), &reading(Vec::new()))[0].values, []);
}

#[test]
fn gaps_and_stalls_fail() {
    let gap = |ms| Gap { at_ms: 5_000, ms };
    let with = |gaps: Vec<Gap>| Reading { gaps, ..reading(steady(10_000, 60)) };
    assert_eq!(effect_of(&with(vec![gap(999)]), "upload.no_long_stall"), Effect::Pass);
    assert_eq!(effect_of(&with(vec![gap(1_001)]), "upload.stalled"), Effect::Fail);
    for gaps in [vec![gap(200); 6], vec![gap(700); 2], vec![gap(2_000)]] {
        assert_eq!(effect_of(&with(gaps), "upload.gaps_many"), Effect::Fail);
    }
    let mut slots = steady(10_000, 60);
    slots[300..315].fill(0);
    assert_eq!(longest_stall_ms(&slots, &[]), 1_500);
    assert_eq!(effect_of(&reading(slots), "upload.stalled"), Effect::Fail, "without a reported gap too");
}

#[test]
fn a_busy_computer_is_not_the_line() {
    let gaps = vec![Gap { at_ms: 5_000, ms: 3_000 }];
    let mut reading = Reading { gaps, ..reading(steady(10_000, 60)) };
    reading.far_end_late_ms = Some(2_900);
    assert_eq!(effect_of(&reading, "upload.instrument_suspect"), Effect::Unknown);
    reading.far_end_late_ms = None;
    reading.sender.late_ms = 2_900.0;
    assert_eq!(effect_of(&reading, "upload.instrument_suspect"), Effect::Unknown);
}

#[test]
fn a_rate_held_up_by_something_else_is_unproven() {
    let mut held = reading(steady(5_000, 60));
    held.sender.receiver_limited_ms = Some(9_000.0);
    assert_eq!(effect_of(&held, "upload.rate_unproven"), Effect::Unknown);
    for sample in &mut held.loaded_rtt {
        sample.rtt_ms = 900.0; // a full queue: the line is the bottleneck after all
    }
    assert_eq!(effect_of(&held, "upload.rate_too_low"), Effect::Fail);
    let mut capped = reading(steady(5_000, 60));
    capped.at_most_kbps = 5_000;
    assert_eq!(effect_of(&capped, "upload.rate_unproven"), Effect::Unknown);
}

#[test]
fn delay_and_loss_are_judged_or_unknown() {
    let mut reading = reading(steady(10_000, 60));
    reading.sender.resent_bytes = Some(20_000);
    reading.loaded_rtt.iter_mut().for_each(|sample| sample.rtt_ms = 400.0);
    assert_eq!(effect_of(&reading, "upload.retransmits_many"), Effect::Fail);
    assert_eq!(effect_of(&reading, "upload.bufferbloat"), Effect::Fail);
    reading.sender.resent_bytes = None;
    reading.loaded_rtt.clear();
    assert_eq!(effect_of(&reading, "upload.retransmits_unknown"), Effect::Unknown);
    assert_eq!(effect_of(&reading, "upload.loaded_rtt_unknown"), Effect::Unknown);
}

#[test]
fn another_congestion_control_shows() {
    let mut reading = reading(steady(10_000, 60));
    for used in [Some("bbr".to_owned()), None] {
        reading.congestion = used;
        assert_eq!(effect_of(&reading, "upload.congestion_other"), Effect::Warn);
    }
    reading.congestion_asked = Congestion::System;
    assert_eq!(effect_of(&reading, "upload.congestion_as_asked"), Effect::Pass);
}

#[test]
fn each_ending_has_its_code() {
    let detail = WireText::from("x");
    for (ending, code, effect) in [
        (Ending::Complete, "upload.complete", Effect::Pass),
        (Ending::Cancelled, "upload.cancelled", Effect::Unknown),
        (Ending::FarEndEnded { why: detail.clone() }, "upload.far_end_ended", Effect::Unknown),
        (Ending::FarEndLost { detail: detail.clone() }, "upload.far_end_lost", Effect::Unknown),
        (Ending::Cut { detail: detail.clone() }, "upload.cut", Effect::Fail),
        (Ending::LineDead { silent_ms: 15_000.0, detail }, "upload.line_dead", Effect::Fail),
    ] {
        let reading = Reading { ending, ..reading(steady(10_000, 60)) };
        assert_eq!(effect_of(&reading, code), effect);
        let kept: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
        assert_eq!(kept, reading);
    }
}

fn far_ends() -> BTreeMap<FarEndName, FarEnd> {
    let far_end = FarEnd {
        address: "far.example:7000".into(),
        pin: Pin::from_digest([0; 32]),
        token: SecretSource::Value(Secret::from("t".to_owned())),
    };
    [(FarEndName::new("cloud").unwrap(), far_end)].into()
}

fn target() -> Target {
    Target {
        far_end: FarEndName::new("cloud").unwrap(),
        seconds: 60,
        at_most_kbps: 20_000,
        congestion: Congestion::default(),
        stream: Some(StreamName::new("main").unwrap()),
    }
}

fn stakes() -> Stakes {
    let need = StreamNeed { media_kbps: 6_128, headroom: 1.5, overhead: 0.03 };
    Stakes { event_ends: None, streams: [(StreamName::new("main").unwrap(), need)].into() }
}

#[test]
fn the_rate_is_derived_from_the_stream() {
    let mut limits = Limits::default();
    Upload::derive(&target(), &mut limits, &stakes());
    assert_eq!(limits.rate_kbps, Some(AtLeast(9_468)));
    limits.rate_kbps = Some(AtLeast(12_000));
    Upload::derive(&target(), &mut limits, &stakes());
    assert_eq!(limits.rate_kbps, Some(AtLeast(12_000)), "what the policy says stays");
}

#[test]
fn what_nothing_can_meet_is_a_problem() {
    let fields = |change: fn(&mut Target, &mut Limits)| {
        let (mut target, mut limits) = (target(), Limits::default());
        change(&mut target, &mut limits);
        let problems = Upload::problems(&target, &limits, &far_ends(), &stakes());
        problems.iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(|_, _| {}), Vec::<&str>::new());
    assert_eq!(fields(|t, _| t.at_most_kbps = 9_500), ["at_most_kbps"], "below the stream's need and room");
    assert_eq!(fields(|_, l| l.rate_kbps = Some(AtLeast(30_000))), ["at_most_kbps"]);
    assert_eq!(
        fields(|_, l| l.rate_kbps = Some(AtLeast(5_000))),
        ["rate_kbps"],
        "less than the stream needs"
    );
    assert_eq!(fields(|_, l| l.duration_s = Some(AtLeast(61))), ["duration_s"]);
    assert_eq!(fields(|t, _| t.seconds = 4), ["seconds"]);
    assert_eq!(fields(|t, _| t.far_end = FarEndName::new("other").unwrap()), ["far_end"]);
    assert_eq!(fields(|t, _| t.stream = Some(StreamName::new("other").unwrap())), ["stream"]);
    assert_eq!(fields(|t, _| (t.stream, t.at_most_kbps) = (None, 5)), ["at_most_kbps"]);
}

#[test]
fn the_demand_bounds_what_is_sent_and_names_the_far_end() {
    let demand = Upload::demand(&target(), &far_ends());
    assert_eq!(demand.endpoints, [Endpoint::new("far.example", 7000, Transport::Tcp)]);
    assert!(demand.bytes_up > 20_000 * 125 * 60 && demand.bytes_up < 20_000 * 125 * 75, "{demand:?}");
    assert!(demand.seconds_max > 60.0);
}

#[test]
fn reports_that_do_not_continue_the_series_are_dropped() {
    let mut tally = Tally::default();
    assert_eq!(tally.arrivals(0, &[1, 2], &[], 10), [(0, 1), (1, 2)]);
    assert_eq!(tally.arrivals(5, &[9], &[], 10), []);
    assert_eq!(tally.arrivals(0, &[9], &[], 10), []);
    assert_eq!(tally.arrivals(2, &[3; 100], &[], 4), [(2, 3), (3, 3)]);
    assert_eq!(tally.slots, [1, 2, 3, 3]);
}

#[test]
fn what_came_after_the_sender_stopped_means_nothing() {
    let gaps = [(100, 300), (900, 500), (1_000, 900)].map(|(at_ms, ms)| control::Gap { at_ms, ms });
    let mut tally = Tally::default();
    tally.arrivals(0, &[5; 20], &gaps, 100);
    tally.cut_to(10);
    assert_eq!((tally.slots.len(), tally.gaps.as_slice()), (10, &[Gap { at_ms: 100, ms: 300 }][..]));
}

#[test]
fn round_trips_are_kept_once_a_second_at_their_worst() {
    let mut tally = Tally::default();
    for n in 0..25_u32 {
        let info =
            TcpInfo { rtt_ms: Some(f64::from(n)), bytes_acked: Some(u64::from(n / 5)), ..TcpInfo::default() };
        assert_eq!(tally.kernel(f64::from(n) * 100.0, info), n % 5 == 0, "{n}");
    }
    let kept: Vec<(f64, f64)> = tally.loaded_rtt.iter().map(|s| (s.offset_ms, s.rtt_ms)).collect();
    assert_eq!(kept, [(0.0, 9.0), (1000.0, 19.0), (2000.0, 24.0)]);
}

proptest! {
    #[test]
    fn any_series_is_judged_without_a_panic(
        slots in prop::collection::vec(prop_oneof![0_u64..1_000_000, Just(u64::MAX)], 0..700),
        gaps in prop::collection::vec((any::<u64>(), any::<u64>()), 0..5),
        late in any::<u64>(),
    ) {
        let gaps = gaps.into_iter().map(|(at_ms, ms)| Gap { at_ms, ms }).collect();
        let reading = Reading { gaps, far_end_late_ms: Some(late), gaps_left_out: late, ..reading(slots) };
        prop_assert!(!Upload::judge(&limits(), &reading).is_empty());
        if let Some(rates) = reading.rates() {
            prop_assert!(rates.min_kbps <= rates.p5_kbps && rates.p5_kbps <= rates.median_kbps);
            prop_assert!(rates.lasting_kbps <= rates.p5_kbps);
        }
    }

    #[test]
    fn less_arriving_never_helps(slots in prop::collection::vec(0_u64..200_000, 30..300), at in any::<prop::sample::Index>()) {
        let before = rates(&slots).unwrap();
        let mut less = slots.clone();
        less[at.index(slots.len())] = 0;
        prop_assert!(rates(&less).unwrap().p5_kbps <= before.p5_kbps);
    }
}

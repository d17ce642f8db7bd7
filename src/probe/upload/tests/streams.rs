//! The planned stream on what was measured.

use super::*;

/// So many seconds of 12 Mb/s, with pauses of so many milliseconds that begin at these seconds.
fn line(seconds: usize, pauses: &[(usize, usize)]) -> Reading {
    let mut slots = steady(12_000, seconds);
    for (at_s, ms) in pauses {
        slots[at_s * 10..][..ms / 100].fill(0);
    }
    reading(slots)
}

fn planned() -> Limits {
    let stream_kbps = Some(AtLeast(6_312));
    Limits {
        stream_kbps,
        stream_s: Some(AtLeast(5_400)),
        rate_kbps: Some(AtLeast(9_468)),
        ..Limits::default()
    }
}

#[track_caller]
fn expect(limits: &Limits, reading: &Reading, code: &str, effect: Effect) {
    let findings = Upload::judge(limits, reading);
    let found = findings.iter().find(|finding| finding.code == code);
    assert_eq!(found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect, effect, "{findings:#?}");
}

#[test]
fn a_stream_that_comes_through_passes_and_its_risk_is_stated() {
    let clean = line(60, &[]);
    expect(&planned(), &clean, "upload.stream_comes_through", Effect::Pass);
    expect(&planned(), &clean, "upload.risk", Effect::Pass);
    // A pause that the encoder's queue holds costs nothing.
    expect(&planned(), &line(60, &[(30, 500)]), "upload.stream_comes_through", Effect::Pass);
}

#[test]
fn a_pause_condemns_a_long_event_and_is_doubtful_for_a_short_one() {
    let paused = line(60, &[(30, 1_500)]);
    expect(&planned(), &paused, "upload.stream_breaks", Effect::Fail);
    let short = Limits { stream_s: Some(AtLeast(60)), ..planned() };
    expect(&short, &paused, "upload.stream_doubtful", Effect::Unknown);
    expect(&short, &line(60, &[(15, 1_500), (30, 1_500), (45, 1_500)]), "upload.stream_breaks", Effect::Fail);
    let srt = Limits { stream_latency_ms: Some(AtMost(2_500)), ..short };
    expect(&srt, &paused, "upload.stream_comes_through", Effect::Pass);
    // Once in ten minutes is less than what OBS warns of.
    expect(&planned(), &line(600, &[(300, 1_500)]), "upload.stream_comes_through", Effect::Pass);
}

#[test]
fn a_chance_that_is_not_allowed_fails_or_wants_a_longer_look() {
    let allowed = |chance| Limits { gap_risk: Some(AtMost(chance)), ..planned() };
    expect(&allowed(0.75), &line(60, &[]), "upload.risk", Effect::Pass);
    expect(&allowed(0.3), &line(60, &[]), "upload.risk_unproven", Effect::Unknown);
    let paused = line(60, &[(30, 1_500)]);
    expect(&allowed(0.3), &paused, "upload.risk_too_high", Effect::Fail);
    let busy = Reading { far_end_late_ms: Some(900), ..paused };
    expect(&allowed(0.3), &busy, "upload.risk_unproven", Effect::Unknown);
    expect(&allowed(0.3), &busy, "upload.instrument_suspect", Effect::Unknown);
}

#[test]
fn a_computer_that_stood_still_is_not_the_line_also_in_a_short_test() {
    // A second of standstill and the pictures up to the next keyframe are a fourth of ten seconds.
    let frozen = Reading { far_end_late_ms: Some(1_000), ..line(12, &[(7, 1_400)]) };
    expect(&planned(), &frozen, "upload.instrument_suspect", Effect::Unknown);
    let dead = Reading { far_end_late_ms: Some(1_000), ..line(12, &[(4, 8_000)]) };
    expect(&planned(), &dead, "upload.stream_breaks", Effect::Fail);
}

#[test]
fn uneven_seconds_with_room_are_a_warning_and_thin_ones_a_failure() {
    let mut slots = steady(12_000, 60);
    for second in (5..60).step_by(6) {
        slots[second * 10..][..10].fill(slot(6_600));
    }
    expect(&planned(), &reading(slots.clone()), "upload.rate_uneven", Effect::Warn);
    let nothing_planned = Limits { stream_kbps: None, ..planned() };
    expect(&nothing_planned, &reading(slots), "upload.rate_too_low", Effect::Fail);
    let thin = reading(steady(7_000, 60));
    expect(&planned(), &thin, "upload.stream_comes_through", Effect::Pass);
    expect(&planned(), &thin, "upload.rate_too_low", Effect::Fail);
}

#[test]
fn whole_seconds_hide_what_a_stream_feels() {
    let coarse = Reading { slot_ms: 1000, ..reading(vec![1_500_000; 60]) };
    expect(&planned(), &coarse, "upload.gaps_unknown", Effect::Unknown);
}

#[test]
fn what_tcp_holds_back_for_its_own_repairs_breaks_no_srt() {
    let srt = Limits { stream_latency_ms: Some(AtMost(120)), ..planned() };
    expect(&srt, &line(60, &[(20, 300), (40, 400)]), "upload.stream_comes_through", Effect::Pass);
    expect(&srt, &line(60, &[(20, 900)]), "upload.stream_breaks", Effect::Fail);
}

#[test]
fn a_line_that_swings_wants_a_longer_look_and_a_steady_one_does_not() {
    let swings = |seconds: usize| {
        let mut slots = steady(18_000, seconds);
        for second in (5..seconds).step_by(12) {
            slots[second * 10..][..20].fill(slot(7_000));
        }
        reading(slots)
    };
    expect(&planned(), &swings(60), "upload.stream_swings", Effect::Unknown);
    expect(&planned(), &swings(600), "upload.stream_comes_through", Effect::Pass);
    // Half of the swinging line's rate, but always.
    expect(&planned(), &reading(steady(9_000, 60)), "upload.stream_comes_through", Effect::Pass);
    let busy = Reading { far_end_late_ms: Some(900), ..swings(60) };
    expect(&planned(), &busy, "upload.instrument_suspect", Effect::Unknown);
}

#[test]
fn no_more_is_asked_than_the_line_could_give_nor_less_than_the_stream() {
    let times = |median| (Thresholds::CHOSEN.times(median) * 100.0).round();
    assert_eq!((times(0.5), times(1.2), times(2.0), times(9.0)), (100.0, 100.0, 140.0, 250.0));
}

#[test]
fn srt_needs_the_time_that_a_keyframe_takes() {
    let srt =
        |ms| Limits { stream_kbps: Some(AtLeast(3_378)), stream_latency_ms: Some(AtMost(ms)), ..planned() };
    let line = reading(steady(5_300, 60));
    expect(&srt(120), &line, "upload.latency_short", Effect::Unknown);
    let short = |ms, kbps| {
        let findings = Upload::judge(&srt(ms), &reading(steady(kbps, 60)));
        findings.into_iter().find(|finding| finding.code == "upload.latency_short")
    };
    let named = short(120, 5_300).unwrap().remedy;
    assert!(named.contains("150 ms") || named.contains("200 ms"), "{named}");
    assert_eq!((short(200, 5_300), short(120, 12_000)), (None, None));
}

#[test]
fn a_latency_without_a_round_trip_to_spare_is_a_warning() {
    let srt = Limits { stream_kbps: Some(AtLeast(3_378)), stream_latency_ms: Some(AtMost(120)), ..planned() };
    // The keyframe takes some 105 ms, and the round trip is 20 ms.
    expect(&srt, &reading(steady(7_500, 60)), "upload.latency_short", Effect::Warn);
}

#[test]
fn what_the_tests_own_cap_hides_is_unknown_and_the_cap_is_named() {
    let srt = Limits { stream_kbps: Some(AtLeast(3_378)), stream_latency_ms: Some(AtMost(120)), ..planned() };
    let capped = Reading { at_most_kbps: 7_600, ..reading(steady(7_500, 60)) };
    let found = Upload::judge(&srt, &capped);
    let found = found.iter().find(|finding| finding.code == "upload.latency_short").unwrap();
    assert_eq!(found.effect, Effect::Unknown);
    let cap: u64 = found.remedy.split('`').nth(2).unwrap().split([' ', ';']).nth(2).unwrap().parse().unwrap();
    assert!((8_000..12_000).contains(&cap), "{}", found.remedy);
    // What the test may send then does show it.
    let raised = Reading { at_most_kbps: cap, ..reading(steady(cap * 95 / 100, 60)) };
    let findings = Upload::judge(&srt, &raised);
    assert!(findings.iter().all(|finding| finding.code != "upload.latency_short"), "{findings:#?}");
}

#[test]
fn what_held_the_test_up_condemns_no_line() {
    let risk = Limits { gap_risk: Some(AtMost(0.3)), ..planned() };
    let held = |window_ms, buffer_ms, rtt_ms: f64, slots: Vec<u64>| {
        let mut held = reading(slots);
        held.sender.busy_ms = Some(60_000.0);
        (held.sender.receiver_limited_ms, held.sender.buffer_limited_ms) = (Some(window_ms), Some(buffer_ms));
        held.loaded_rtt.iter_mut().for_each(|sample| sample.rtt_ms = rtt_ms);
        held
    };
    for (window_ms, buffer_ms) in [(55_000.0, 0.0), (0.0, 55_000.0)] {
        let slow = held(window_ms, buffer_ms, 25.0, steady(2_990, 60));
        let findings = Upload::judge(&risk, &slow);
        assert!(findings.iter().all(|finding| finding.effect != Effect::Fail), "{findings:#?}");
        expect(&risk, &slow, "upload.rate_unproven", Effect::Unknown);
        expect(&risk, &slow, "upload.stream_doubtful", Effect::Unknown);
        // A queue on the way: the line is what is thin.
        let thin = held(window_ms, buffer_ms, 250.0, steady(2_990, 60));
        expect(&risk, &thin, "upload.stream_breaks", Effect::Fail);
        expect(&risk, &thin, "upload.rate_too_low", Effect::Fail);
        // Pauses of a line that else carries it are the line's.
        let mut paused = steady(9_000, 60);
        for at in [100, 250, 400] {
            paused[at..at + 30].fill(0);
        }
        expect(&risk, &held(window_ms, buffer_ms, 25.0, paused), "upload.stream_breaks", Effect::Fail);
    }
}

#[test]
fn a_line_that_is_gone_for_minutes_is_a_no_though_it_was_gone_but_once() {
    let mut slots = steady(11_900, 600);
    slots[2_000..4_000].fill(0);
    expect(&planned(), &reading(slots), "upload.stream_breaks", Effect::Fail);
    let mut slots = steady(11_900, 600);
    slots[2_000..2_200].fill(0);
    let once = reading(slots);
    expect(&planned(), &once, "upload.stream_doubtful", Effect::Unknown);
    let findings = Upload::judge(&planned(), &once);
    let doubtful = findings.iter().find(|finding| finding.code == "upload.stream_doubtful").unwrap();
    assert!(!doubtful.remedy.contains("ten minutes"), "it was watched so long: {}", doubtful.remedy);
}

//! A reading against its limits.

use super::*;

#[test]
fn a_good_line_passes_everything_and_shows_it() {
    let findings = Upload::judge(&limits(), &reading(steady(10_000, 60)));
    assert_eq!(findings.len(), 12);
    assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
    assert!(findings.iter().any(|f| f.observed.contains("10000 kb/s in 95 % of seconds")), "{findings:#?}");
}

#[test]
fn what_the_line_carried_is_said_where_nothing_else_held_the_load_up() {
    let packets = Some(Packets { payload_bytes: 1_448, packet_bytes: 1_500, beside_bytes: Vec::new() });
    let line = Reading { packets, ..reading(steady(10_000, 60)) };
    let says = |reading: &Reading| {
        let findings = Upload::judge(&limits(), reading);
        let rate = findings.iter().find(|finding| finding.code == "upload.rate_sufficient").unwrap();
        rate.observed.contains("with all headers the line carried 10359 kb/s")
    };
    assert!(says(&line));
    assert!(!says(&Reading { at_most_kbps: 10_200, ..line.clone() }), "the test's own cap");
    let mut window = Reading { loaded_rtt: vec![LoadedRtt { offset_ms: 0.0, rtt_ms: 20.0 }], ..line };
    window.sender.receiver_limited_ms = Some(9_000.0);
    assert!(!says(&window), "the receiver's window");
}

#[test]
fn without_limits_there_still_are_findings() {
    let findings = Upload::judge(&Limits::default(), &reading(steady(10_000, 60)));
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["upload.complete", "upload.held_up_by_line", "upload.congestion_as_asked"]);
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
    assert_eq!(longest_stall_ms(&slots, SLOT_MS, &[]), 1_500);
    assert_eq!(effect_of(&reading(slots), "upload.stalled"), Effect::Fail, "without a reported gap too");
}

#[test]
fn gaps_that_were_left_out_do_not_count_as_none() {
    let many = |empty: usize, gaps_left_out| {
        let mut slots = steady(10_000, 60);
        slots[300..300 + empty].fill(0);
        let gaps = vec![Gap { at_ms: 1_000, ms: 250 }; 3];
        let limits = Limits { gaps_over_2s: Some(AtMost(0)), ..Limits::default() };
        let findings = Upload::judge(&limits, &Reading { gaps, gaps_left_out, ..reading(slots) });
        let found = findings.iter().find(|finding| finding.code.starts_with("upload.gaps_")).unwrap();
        found.effect
    };
    assert_eq!(many(50, 240), Effect::Fail, "the slots prove it");
    assert_eq!(many(19, 240), Effect::Unknown);
    assert_eq!(many(18, 240), Effect::Pass, "less than 2 s for certain");
    assert_eq!(many(19, 0), Effect::Pass);
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
        (Ending::TooThin { below_kbps: 6_000 }, "upload.too_thin", Effect::Fail),
        (Ending::LineDead { silent_ms: 15_000.0, detail }, "upload.line_dead", Effect::Fail),
    ] {
        let reading = Reading { ending, ..reading(steady(10_000, 60)) };
        assert_eq!(effect_of(&reading, code), effect);
        let kept: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
        assert_eq!(kept, reading);
    }
}

#[test]
fn acknowledgements_are_believed_when_the_servers_sum_agrees() {
    let acknowledged = |received_bytes| Reading {
        way: Way::Iperf3,
        far_end: None,
        server: "[2001:db8::5]:5201".into(),
        vantage: Vantage::Acknowledged,
        total: Some(Total { received_bytes, acknowledged_bytes: 75_000_000 }),
        ..reading(steady(10_000, 60))
    };
    assert_eq!(effect_of(&acknowledged(74_900_000), "upload.count_confirmed"), Effect::Pass);
    assert_eq!(effect_of(&acknowledged(60_000_000), "upload.count_contradicted"), Effect::Unknown);
    let kept: Reading = serde_json::from_str(&serde_json::to_string(&acknowledged(1)).unwrap()).unwrap();
    assert_eq!(kept, acknowledged(1));
}

#[test]
fn an_answer_that_comes_late_warns_and_one_much_too_late_proves_nothing() {
    let answered = |after_ms| Reading {
        way: Way::Https,
        vantage: Vantage::Acknowledged,
        answer: Some(Answer { status: 201, reason: WireText::from("Created"), after_ms }),
        ..reading(steady(10_000, 60))
    };
    assert_eq!(effect_of(&answered(30.0), "upload.count_confirmed"), Effect::Pass);
    assert_eq!(effect_of(&answered(2_900.0), "upload.count_late"), Effect::Warn);
    assert_eq!(effect_of(&answered(3_100.0), "upload.count_late"), Effect::Unknown, "over a twentieth");
    let short = Reading { arrived_bytes: steady(10_000, 20), ..answered(1_100.0) };
    assert_eq!(effect_of(&short, "upload.count_late"), Effect::Unknown);
}

#[test]
fn whole_seconds_hide_gaps_and_datagrams_have_their_loss() {
    let datagrams = Datagrams { payload_bytes: 1200, sent: 1010, expected: 1000, lost: 20, jitter_ms: None };
    let seconds = Reading {
        transport: Over::Udp,
        congestion: None,
        slot_ms: 1000,
        datagrams: Some(datagrams),
        ..reading(vec![1_250_000; 60])
    };
    assert_eq!(seconds.measured_ms(), 60_000);
    let limits = Limits { loss_share: Some(AtMost(0.01)), ..limits() };
    let judged = Upload::judge(&limits, &seconds);
    let effect =
        |code: &str| judged.iter().find(|finding| finding.code == code).map(|finding| finding.effect);
    assert_eq!(effect("upload.rate_sufficient"), Some(Effect::Pass));
    assert_eq!(effect("upload.gaps_unknown"), Some(Effect::Unknown));
    assert_eq!(effect("upload.loss_high"), Some(Effect::Fail));
    assert_eq!(effect("upload.congestion_other"), None);
    let over_tcp = Upload::judge(&limits, &reading(steady(10_000, 60)));
    assert!(over_tcp.iter().any(|f| f.code == "upload.loss_unknown" && f.effect == Effect::Unknown));
}

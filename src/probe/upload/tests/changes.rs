//! Falls in rate, pauses that keep time, what held TCP up.

use super::*;
use crate::net::far_end::Opening;

#[test]
fn a_boost_that_ends_does_not_flatter_however_long_it_lasted() {
    let slots = [steady(15_000, 57), steady(6_000, 3)].concat();
    let found = rates(&slots).unwrap();
    let fall = found.fall.unwrap();
    assert_eq!((fall.at_s, fall.before_kbps, fall.after_kbps), (57.0, 15_000.0, 6_000.0));
    assert_eq!(fall.after_bytes, 15_000 * 125 * 57);
    assert!(found.lasting_kbps < 6_001.0, "{found:?}");
    let reading = reading(slots);
    assert_eq!(effect_of(&reading, "upload.rate_fell"), Effect::Warn, "round trips after it are missing");
    assert_eq!(effect_of(&reading, "upload.rate_too_low"), Effect::Fail);
}

#[test]
fn noise_and_a_rise_are_no_fall() {
    let noisy: Vec<u64> = (0..600).map(|n| slot(if (n / 7) % 2 == 0 { 12_000 } else { 8_000 })).collect();
    assert_eq!(rates(&noisy).unwrap().fall, None);
    assert_eq!(rates(&[steady(6_000, 20), steady(15_000, 20)].concat()).unwrap().fall, None);
    assert_eq!(rates(&steady(6_000, 20)).unwrap().fall, None);
}

/// A line that carries 12 Mb/s for so many seconds and 3 Mb/s after, with round trips and losses.
fn fallen(seconds: usize, rtt_ms: [f64; 2], resent_bytes: u64) -> Reading {
    let mut reading = reading([steady(12_000, seconds), steady(3_000, 60 - seconds)].concat());
    let after = |n: u32| usize::from(n as usize >= seconds);
    let offset = |n: u32| f64::from(n) * 1000.0;
    reading.loaded_rtt =
        (0..60).map(|n| LoadedRtt { offset_ms: offset(n), rtt_ms: rtt_ms[after(n)] }).collect();
    reading.sender.seconds = (0..60)
        .map(|n| SentSecond {
            offset_ms: offset(n),
            sent_bytes: 400_000,
            resent_bytes: if after(n) == 1 { resent_bytes } else { 0 },
        })
        .collect();
    reading
}

#[test]
fn what_ended_a_faster_rate_has_its_name() {
    for seconds in [1, 2, 3, 20] {
        let policed = fallen(seconds, [40.0, 45.0], 20_000);
        assert_eq!(effect_of(&policed, "upload.policed"), Effect::Warn, "{seconds}");
        assert_eq!(effect_of(&fallen(seconds, [40.0, 45.0], 0), "upload.rate_fell"), Effect::Warn);
    }
    assert_eq!(effect_of(&fallen(20, [40.0, 160.0], 0), "upload.boost_ended"), Effect::Warn);
    let mut uneven = fallen(20, [40.0, 160.0], 0);
    for (n, slot) in uneven.arrived_bytes.iter_mut().enumerate() {
        *slot = if n < 200 && n / 10 % 2 == 0 { *slot / 2 } else { *slot };
    }
    assert_eq!(effect_of(&uneven, "upload.queue_filled"), Effect::Warn);
    let untold = Reading { loaded_rtt: Vec::new(), ..fallen(20, [40.0, 160.0], 0) };
    assert_eq!(effect_of(&untold, "upload.rate_fell"), Effect::Warn);
    let findings = Upload::judge(&limits(), &fallen(3, [40.0, 45.0], 20_000));
    let policed = findings.iter().find(|finding| finding.code == "upload.policed").unwrap();
    assert!(policed.observed.contains("after 3 s (4.5 MB)"), "{policed:?}");
}

#[test]
fn responsiveness_is_round_trips_a_minute_without_the_slowest() {
    let mut other = vec![50.0; 19];
    other.push(9_000.0);
    let responsiveness = |pings: &[f64], own: &[f64]| responsiveness::responsiveness(pings, own, None);
    let found = responsiveness(&other, &[30.0, 30.0, 30.0]).unwrap();
    assert_eq!((found.rpm, found.other_ms, found.own_ms, found.pings), (1500.0, 50.0, 30.0, 20));
    assert_eq!(responsiveness(&other[..4], &[30.0]), None);
    assert_eq!(responsiveness(&other, &[]), None);
    let limits = Limits { responsiveness_rpm: Some(AtLeast(1000.0)), ..Limits::default() };
    let judged = |responsiveness| {
        let reading = Reading { responsiveness, ..reading(steady(10_000, 60)) };
        Upload::judge(&limits, &reading)
            .into_iter()
            .map(|finding| (finding.code, finding.effect))
            .collect::<Vec<_>>()
    };
    let has = |found: Vec<(String, Effect)>, code: &str, effect| found.contains(&(code.to_owned(), effect));
    assert!(has(judged(Some(found)), "upload.responsive", Effect::Pass));
    assert!(has(judged(Some(Responsiveness { rpm: 60.0, ..found })), "upload.unresponsive", Effect::Fail));
    assert!(has(judged(None), "upload.responsiveness_unknown", Effect::Unknown));
}

/// draft-ietf-ippm-responsiveness-09, section 4.3: a sixth each of TCP, TLS and request, half of the load's own.
#[test]
fn new_connections_count_half_by_their_three_round_trips() {
    let opening = |tcp_ms, tls_ms, request_ms| Opening { tcp_ms, tls_ms, request_ms };
    let openings = [opening(30.0, 60.0, 90.0); 3];
    assert_eq!(Foreign::of(&openings[..2], 5), None);
    let foreign = Foreign::of(&openings, 5).unwrap();
    let found = responsiveness::responsiveness(&[500.0; 20], &[40.0], Some(foreign)).unwrap();
    assert_eq!((found.other_ms, found.own_ms, found.rpm), (60.0, 40.0, 1200.0));
    assert_eq!((foreign.opened, foreign.failed), (3, 5));
    let stored = serde_json::to_value(found).unwrap();
    assert_eq!(serde_json::from_value::<Responsiveness>(stored).unwrap(), found);
}

#[test]
fn new_connections_that_came_to_nothing_are_said_and_prove_no_quick_answer() {
    let limits = Limits { responsiveness_rpm: Some(AtLeast(500.0)), ..Limits::default() };
    for (failed, code) in [(57, "upload.responsiveness_unknown"), (0, "upload.responsive")] {
        let foreign = Foreign { tcp_ms: 30.0, tls_ms: 30.0, request_ms: 30.0, opened: 3, failed };
        let responsiveness = responsiveness::responsiveness(&[30.0; 20], &[30.0], Some(foreign));
        let findings = Upload::judge(&limits, &Reading { responsiveness, ..reading(steady(10_000, 60)) });
        let found = findings.iter().find(|finding| finding.code == code).unwrap();
        assert_eq!(found.observed.contains("57 of 60 new connections"), failed > 0, "{found:?}");
    }
}

#[test]
fn pauses_that_keep_time_are_told() {
    let with = |gaps: &[(u64, u64)]| {
        let gaps = gaps.iter().map(|&(at_ms, ms)| Gap { at_ms, ms }).collect();
        Reading { gaps, ..reading(steady(10_000, 120)) }
    };
    let outages = with(&[(10_000, 2_100), (25_300, 300), (40_200, 2_400), (70_100, 2_100)]);
    assert_eq!(effect_of(&outages, "upload.pauses_recur"), Effect::Warn);
    let findings = Upload::judge(&limits(), &outages);
    assert!(
        findings.iter().any(|f| f.observed == "3 pauses of about 2.1 s, one every 30 s"),
        "{findings:#?}"
    );
    for not in [&[(10_000, 2_000), (40_000, 2_000)][..], &[(1_000, 900), (20_000, 900), (70_000, 900)]] {
        let findings = Upload::judge(&limits(), &with(not));
        assert!(findings.iter().all(|finding| finding.code != "upload.pauses_recur"), "{not:?}");
    }
}

#[test]
fn what_held_tcp_up_is_told() {
    let held = |change: fn(&mut Reading)| {
        let mut reading = reading(steady(10_000, 60));
        change(&mut reading);
        reading
    };
    for (reading, code) in [
        (held(|_| {}), "upload.held_up_by_line"),
        (held(|r| r.at_most_kbps = 10_200), "upload.held_up_by_cap"),
        (held(|r| r.sender.receiver_limited_ms = Some(6_000.0)), "upload.held_up_by_receiver"),
        (held(|r| r.sender.buffer_limited_ms = Some(6_000.0)), "upload.held_up_by_sender"),
    ] {
        assert_eq!(effect_of(&reading, code), Effect::Pass);
    }
}

use super::need::{Carried, carried, latency};
use super::*;
use crate::model::{Effect, Secret, StreamNeed};
use crate::net::encoder::{End, Second, Stall};
use crate::wire::control::FAR_END_ENDED;
use proptest::prelude::*;

fn second() -> Second {
    Second {
        pictures: 25,
        lag_ms: Some(60),
        queue_ms: 40,
        waited_ms: 20,
        bytes: 766_000,
        packets: 600,
        ..Second::default()
    }
}

fn take(seconds: Vec<Second>) -> Take {
    Take {
        took_ms: f64::from(u32::try_from(seconds.len()).unwrap()) * 1000.0,
        seconds,
        stalls: Vec::new(),
        stalls_left_out: 0,
        sent_bytes: 1,
        round_trip_ms: Some(50.0),
        late_p99_ms: 0.2,
        late_max_ms: 3.0,
        cpu_ms: Some(10.0),
        end: End::Complete,
    }
}

fn rtmp(seconds: Vec<Second>) -> Reading {
    let contact =
        Contact { remote: "192.0.2.1:1935".parse().unwrap(), local: None, offset_ms: 0.0, took_ms: 20.0 };
    Reading {
        method: "x".into(),
        url: "rtmp://ingest.example/live".into(),
        media_kbps: 6_128,
        asked_seconds: 60,
        unresolved: None,
        attempts: vec![Attempt { contact, failed: None }],
        server: None,
        congestion_asked: Some(Congestion::Cubic),
        congestion: Some("cubic".into()),
        srt: None,
        srt_counts: None,
        take: Some(Box::new(take(seconds))),
    }
}

fn srt(lost: u64, too_late: u64, repaired: Vec<u32>) -> Reading {
    let counts = SrtCounts {
        packets: 36_000,
        repeated: lost.saturating_mul(2),
        lost,
        too_late,
        repaired,
        class_ms: 10,
    };
    Reading {
        url: "srt://ingest.example:9000".into(),
        congestion_asked: None,
        congestion: None,
        srt: Some(Accepted { version: "1.5.1".into(), latency_ms: 400, encrypted: false }),
        srt_counts: Some(counts),
        ..rtmp(vec![second(); 60])
    }
}

fn limits() -> Limits {
    Limits {
        dropped_share: Some(AtMost(0.05)),
        lag_ms: Some(AtMost(5_000)),
        stall_ms: Some(AtMost(700)),
        too_late_per_minute: Some(AtMost(1.0)),
        seconds: Some(AtLeast(60)),
        gap_risk: None,
        stream_s: Some(AtLeast(5_400)),
    }
}

fn effect_of(limits: &Limits, reading: &Reading, code: &str) -> Effect {
    let findings = Rehearsal::judge(limits, reading);
    for finding in &findings {
        assert!(Rehearsal::CODES.iter().any(|code| code.id == finding.code), "{finding:?}");
        assert_eq!(finding.remedy.is_empty(), finding.effect == Effect::Pass, "{finding:?}");
    }
    let found = findings.iter().find(|finding| finding.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:#?}")).effect
}

/// Pictures dropped in some seconds, which also had to wait for the network.
fn dropping(each: u32, of: usize) -> Reading {
    let bad = Second { dropped: each, queue_ms: 900, waited_ms: 1000, bytes: 500_000, ..second() };
    rtmp((0..60).map(|n| if n < of { bad } else { second() }).collect())
}

#[test]
fn a_good_path_passes_everything_and_says_what_it_does_not_know() {
    for reading in [rtmp(vec![second(); 60]), srt(36, 0, vec![0, 0, 0, 0, 0, 0, 30, 6])] {
        let findings = Rehearsal::judge(&limits(), &reading);
        assert!(findings.iter().all(|finding| finding.effect == Effect::Pass), "{findings:#?}");
        let risk = findings.iter().find(|finding| finding.code == "rehearsal.risk").unwrap();
        assert!(
            risk.observed.contains("no damaging gap in 60 s: too short a look to foretell 90 min"),
            "{risk:?}"
        );
        assert!(risk.observed.contains("to over 99 %"), "{risk:?}");
    }
}

#[test]
fn dropped_pictures_warn_as_obs_does_and_fail_by_the_limit() {
    assert_eq!(effect_of(&limits(), &dropping(1, 15), "rehearsal.kept_up"), Effect::Pass, "exactly 1 %");
    assert_eq!(effect_of(&limits(), &dropping(2, 15), "rehearsal.dropped_some"), Effect::Warn);
    assert_eq!(effect_of(&limits(), &dropping(20, 15), "rehearsal.dropped_frames"), Effect::Fail);
    assert_eq!(effect_of(&limits(), &dropping(20, 15), "rehearsal.rate_too_high"), Effect::Warn);
    assert_eq!(effect_of(&Limits::default(), &dropping(20, 15), "rehearsal.dropped_some"), Effect::Warn);
}

#[test]
fn a_busy_computer_is_not_the_network() {
    let mut reading = dropping(10, 15);
    reading.take.as_mut().unwrap().late_max_ms = 900.0;
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.instrument_suspect"), Effect::Unknown);
    let mut reading = dropping(20, 30);
    reading.take.as_mut().unwrap().late_max_ms = 900.0;
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.dropped_frames"), Effect::Fail, "beyond doubt");
}

#[test]
fn a_busy_moment_excuses_only_what_it_explains() {
    let asked = Limits { gap_risk: Some(AtMost(0.2)), ..limits() };
    let stood = |ms, late_ms| {
        let mut reading = rtmp(vec![second(); 60]);
        let take = reading.take.as_mut().unwrap();
        (take.stalls, take.late_max_ms) = (vec![Stall { at_ms: 30_000, ms }], late_ms);
        take.seconds[31].lag_ms = Some(u32::try_from(ms).unwrap());
        reading
    };
    let suspected = |reading: &Reading| {
        let findings = Rehearsal::judge(&asked, reading);
        findings.iter().filter(|finding| finding.code == "rehearsal.instrument_suspect").count()
    };
    assert_eq!(suspected(&stood(2_050, 2_000.0)), 2, "standstill and risk");
    let hiccup = stood(14_000, 200.0);
    for code in ["rehearsal.stalled", "rehearsal.fell_behind", "rehearsal.risk_too_high"] {
        assert_eq!(effect_of(&asked, &hiccup, code), Effect::Fail);
    }
    let mut frozen = dropping(10, 1);
    frozen.take.as_mut().unwrap().late_max_ms = 2_000.0;
    assert_eq!(effect_of(&asked, &frozen, "rehearsal.instrument_suspect"), Effect::Unknown);
}

#[test]
fn over_srt_a_standstill_within_the_latency_is_bridged() {
    let mut reading = srt(1_200, 0, vec![1; 200]);
    reading.srt.as_mut().unwrap().latency_ms = 4_000;
    let take = reading.take.as_mut().unwrap();
    take.stalls = vec![Stall { at_ms: 30_000, ms: 2_050 }];
    take.seconds[31].lag_ms = Some(4_100);
    let limits = Limits { lag_ms: Some(AtMost(1_000)), ..limits() };
    assert_eq!(effect_of(&limits, &reading, "rehearsal.no_long_stall"), Effect::Pass);
    assert_eq!(effect_of(&limits, &reading, "rehearsal.in_step"), Effect::Pass);
    reading.take.as_mut().unwrap().stalls[0].ms = 4_200;
    assert_eq!(effect_of(&limits, &reading, "rehearsal.stalled"), Effect::Fail);
}

#[test]
fn outages_over_srt_are_no_rate_and_no_advice_is_below_what_can_be_sent() {
    let outage =
        |n| Second { lost: 700 * u32::from(n % 8 == 3), too_late: 700 * u32::from(n % 8 == 3), ..second() };
    let counted = |seconds: Vec<Second>| {
        let mut reading = srt(2_100, 2_100, vec![]);
        reading.srt_counts.as_mut().unwrap().packets = 12_000;
        reading.take.as_mut().unwrap().seconds = seconds;
        reading
    };
    assert_eq!(carried(&counted((0..20).map(outage).collect())), Some(Carried::AtLeast(6_128)));
    let thin = Second { lost: 120, too_late: 120, ..second() };
    assert_eq!(carried(&counted(vec![thin; 20])), Some(Carried::About(4_900)));
    let dead = Second { lost: 600, too_late: 600, ..second() };
    let findings = Rehearsal::judge(&limits(), &counted(vec![dead; 20]));
    assert!(
        findings.iter().all(|finding| !finding.remedy.contains("lower the bit rate to")),
        "{findings:#?}"
    );
}

#[test]
fn lag_and_standstills_are_judged_or_unknown() {
    let mut reading = rtmp(vec![second(); 60]);
    let take = reading.take.as_mut().unwrap();
    take.seconds[30].lag_ms = Some(9_000);
    take.stalls = vec![Stall { at_ms: 30_000, ms: 2_100 }];
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.fell_behind"), Effect::Fail);
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.stalled"), Effect::Fail);
    assert!(Rehearsal::judge(&limits(), &reading).iter().any(|f| f.observed.contains("one spell")));
    reading.take.as_mut().unwrap().seconds.iter_mut().for_each(|second| second.lag_ms = None);
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.in_step"), Effect::Unknown);
}

#[test]
fn the_latency_that_a_path_needs_follows_its_repairs() {
    assert_eq!(latency(&srt(0, 0, vec![])).unwrap().ms, 150, "three round trips");
    assert_eq!(latency(&srt(720, 0, vec![0; 8])).unwrap().ms, 200, "four at 2 % of loss");
    assert_eq!(latency(&srt(36, 0, vec![1; 30])).unwrap().ms, 380, "300 ms and a fourth");
    let late = latency(&srt(1_800, 12, vec![1; 39])).unwrap();
    assert!(late.ms > 490 && !late.seen, "{late:?}");
    assert_eq!(
        effect_of(&limits(), &srt(1_800, 12, vec![1; 39]), "rehearsal.packets_too_late"),
        Effect::Fail
    );
    assert_eq!(effect_of(&limits(), &srt(1_800, 12, vec![1; 39]), "rehearsal.latency_short"), Effect::Warn);
    let mut outage = srt(0, 0, vec![]);
    outage.take.as_mut().unwrap().stalls = vec![Stall { at_ms: 5_000, ms: 2_000 }];
    assert_eq!(latency(&outage).unwrap().ms, 2_100);
    assert_eq!(latency(&rtmp(vec![second(); 60])), None);
}

#[test]
fn the_rate_that_a_path_carries_is_that_of_its_busy_seconds() {
    assert_eq!(carried(&rtmp(vec![second(); 60])), Some(Carried::AtLeast(6_128)));
    let thin = Second { waited_ms: 1000, queue_ms: 800, dropped: 10, bytes: 386_250, ..second() };
    assert_eq!(carried(&rtmp(vec![thin; 60])), Some(Carried::About(3_000)));
    let pause = Second { waited_ms: 1000, queue_ms: 800, dropped: 10, bytes: 0, ..second() };
    let one_pause = (0..60).map(|n| if n == 7 { pause } else { second() }).collect();
    assert_eq!(carried(&rtmp(one_pause)), Some(Carried::AtLeast(6_128)), "a gap is no rate");
    let mut long_pause = rtmp((0..16).map(|n| if (6..11).contains(&n) { pause } else { second() }).collect());
    long_pause.take.as_mut().unwrap().stalls = vec![Stall { at_ms: 6_100, ms: 4_000 }];
    assert_eq!(carried(&long_pause), Some(Carried::AtLeast(6_128)), "nor is a long one");
    assert_eq!(carried(&rtmp(Vec::new())), None);
    assert_eq!(carried(&srt(36, 0, vec![])), Some(Carried::AtLeast(6_128)));
}

#[test]
fn risk_is_held_against_its_limit() {
    let asked = |risk| Limits { gap_risk: Some(AtMost(risk)), ..limits() };
    let clean = rtmp(vec![second(); 60]);
    assert_eq!(effect_of(&asked(0.9), &clean, "rehearsal.risk"), Effect::Pass);
    assert_eq!(effect_of(&asked(0.2), &clean, "rehearsal.risk_unproven"), Effect::Unknown);
    assert_eq!(effect_of(&asked(0.2), &dropping(1, 1), "rehearsal.risk_too_high"), Effect::Fail);
}

#[test]
fn each_ending_has_its_code() {
    let text = || WireText::from("x");
    for (end, code, effect) in [
        (End::Complete, "rehearsal.complete", Effect::Pass),
        (End::Cancelled, "rehearsal.cancelled", Effect::Unknown),
        (End::Collapsed, "rehearsal.collapsed", Effect::Fail),
        (End::SendTimedOut, "rehearsal.send_timed_out", Effect::Fail),
        (End::Closed { reset: true }, "rehearsal.cut", Effect::Fail),
        (End::Refused { code: text(), description: text() }, "rehearsal.refused", Effect::Fail),
        (
            End::Refused { code: FAR_END_ENDED.into(), description: text() },
            "rehearsal.far_end_ended",
            Effect::Unknown,
        ),
        (End::Silent, "rehearsal.silent", Effect::Fail),
        (End::Broken { problem: text() }, "rehearsal.broken", Effect::Unknown),
    ] {
        let mut reading = rtmp(vec![second(); 20]);
        reading.take.as_mut().unwrap().end = end;
        assert_eq!(effect_of(&limits(), &reading, code), effect);
        assert_eq!(effect_of(&limits(), &reading, "rehearsal.too_short"), Effect::Unknown);
        let kept: Reading = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
        assert_eq!(kept, reading);
    }
}

#[test]
fn what_never_started_fails_and_says_why() {
    let mut reading = rtmp(Vec::new());
    reading.take = None;
    reading.attempts[0].failed = Some(WireText::from("connection refused"));
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.not_started"), Effect::Fail);
    reading.attempts.clear();
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.not_started"), Effect::Unknown);
    reading.unresolved = Some(Failure::NoSuchName);
    assert_eq!(effect_of(&limits(), &reading, "rehearsal.no_address"), Effect::Fail);
}

fn target() -> Target {
    Target {
        url: "rtmp://ingest.example/live".into(),
        publish: Publish::Test,
        test_key: Some(SecretSource::Value(Secret::from("key".to_owned()))),
        passphrase: None,
        latency_ms: None,
        media_kbps: 6_128,
        seconds: 60,
        stream: Some(StreamName::new("main").unwrap()),
        congestion: Congestion::default(),
    }
}

#[test]
fn what_nothing_can_meet_is_a_problem() {
    let need = StreamNeed { media_kbps: 6_128, headroom: 1.5, overhead: 0.03, latency_ms: None };
    let stakes = Stakes { streams: [(StreamName::new("main").unwrap(), need)].into(), ..Stakes::default() };
    let fields = |change: fn(&mut Target, &mut Limits)| {
        let (mut target, mut limits) = (target(), Limits::default());
        change(&mut target, &mut limits);
        let problems = Rehearsal::problems(&target, &limits, &BTreeMap::new(), &stakes);
        problems.iter().map(|problem| problem.field).collect::<Vec<_>>()
    };
    assert_eq!(fields(|_, _| {}), Vec::<&str>::new());
    assert_eq!(fields(|t, _| t.publish = Publish::Never), ["publish"]);
    assert_eq!(fields(|t, _| t.test_key = None), ["test_key"]);
    assert_eq!(fields(|t, _| t.latency_ms = Some(200)), ["latency_ms"]);
    assert_eq!(fields(|t, _| t.media_kbps = 3_000), ["media_kbps"], "less than the stream");
    assert_eq!(fields(|t, _| t.seconds = 2), ["seconds"]);
    assert_eq!(fields(|_, l| l.seconds = Some(AtLeast(600))), ["seconds"]);
    assert_eq!(fields(|_, l| l.gap_risk = Some(AtMost(0.0))), ["gap_risk"]);
    assert_eq!(fields(|_, l| l.stall_ms = Some(AtMost(199))), ["stall_ms"], "shorter ones are not kept");
    assert_eq!(fields(|_, l| l.stall_ms = Some(AtMost(200))), Vec::<&str>::new());
    assert_eq!(fields(|t, _| t.stream = Some(StreamName::new("other").unwrap())), ["stream"]);
    assert_eq!(fields(|t, _| t.url = "srt://ingest.example:9000".into()), Vec::<&str>::new());
    for url in
        ["srt://ingest.example", "srt://a:9000?streamid=key", "srt://k@a:9000", "http://a/b", "srt://a:9/x"]
    {
        let target = Target { url: url.into(), ..target() };
        let problems = Rehearsal::problems(&target, &Limits::default(), &BTreeMap::new(), &stakes);
        assert_eq!(problems.len(), 1, "{url}: {problems:?}");
        assert!(!problems[0].what.contains("key="), "{problems:?}");
    }
}

#[test]
fn the_length_of_the_stream_is_the_events() {
    let mut limits = Limits::default();
    Rehearsal::derive(
        &mut target(),
        &mut limits,
        &Stakes { event_seconds: Some(5_400), ..Stakes::default() },
    );
    assert_eq!(limits.stream_s, Some(AtLeast(5_400)));
}

#[test]
fn the_demand_bounds_what_is_sent_and_names_the_ingest() {
    use crate::model::Transport;
    let none = BTreeMap::new();
    let demand = Rehearsal::demand(&target(), &none);
    assert_eq!(demand.endpoints, [Endpoint::new("ingest.example", 1935, Transport::Tcp)]);
    let media = 6_128 * 125 * 60;
    assert!(demand.bytes_up > media * 11 / 10 && demand.bytes_up < media * 13 / 10, "{demand:?}");
    let target = Target { url: "srt://[2001:db8::1]:9000".into(), ..target() };
    let demand = Rehearsal::demand(&target, &none);
    assert_eq!(demand.endpoints, [Endpoint::new("2001:db8::1", 9000, Transport::Udp)]);
    assert!(demand.bytes_up > media * 2, "with room for what is sent again");
}

proptest! {
    #[test]
    fn any_reading_is_judged_without_a_panic(
        numbers in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), any::<u64>()), 0..80),
        lost in any::<u64>(), late in any::<u64>(), times in (any::<f64>(), any::<f64>()), is_srt in any::<bool>(),
    ) {
        let seconds: Vec<Second> = numbers.into_iter().map(|(a, b, c, bytes)| Second {
            pictures: a, dropped: b, queue_ms: c, waited_ms: a, bytes, packets: b, lost: c, too_late: a,
            lag_ms: Some(c),
        }).collect();
        let mut reading = if is_srt { srt(lost, late, vec![1; 9]) } else { rtmp(Vec::new()) };
        let taken = reading.take.as_mut().unwrap();
        taken.seconds = seconds;
        (taken.took_ms, taken.late_max_ms) = times;
        prop_assert!(!Rehearsal::judge(&limits(), &reading).is_empty());
    }
}

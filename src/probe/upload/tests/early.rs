//! Ending early: only for certain, and never with a yes.

use super::*;

fn out_of_reach(slots: &[u64], asked_s: usize, kbps: u64) -> bool {
    series::is_out_of_reach(slots, SLOT_MS, asked_s * 10, kbps)
}

#[test]
fn a_line_too_thin_is_known_within_seconds() {
    let ends = |asked_s: usize, kbps: u64| {
        (1..=asked_s * 10).find(|slots| out_of_reach(&steady(kbps, asked_s)[..*slots], asked_s, 6_000))
    };
    assert_eq!(ends(60, 3_000), Some(130), "13 s");
    assert_eq!(ends(600, 5_900), Some(328), "the twentieth part of ten minutes, and the start-up");
    assert_eq!(ends(60, 6_000), None);
    assert_eq!(ends(12, 3_000), None, "what ends soon anyway");
}

#[test]
fn three_seconds_that_carry_it_let_the_test_go_on() {
    for at in [0, 5, 100] {
        let mut slots = steady(2_000, 60);
        slots[at..at + 30].fill(slot(6_000));
        assert!(!out_of_reach(&slots, 60, 6_000), "at slot {at}: a boost, a policer, a pause");
    }
}

#[test]
fn what_tcp_held_back_behind_a_lost_packet_is_no_second_that_carries_it() {
    // As a far end counted it on a line of 2 Mb/s.
    let mut slots = steady(1_920, 40);
    slots[2..6].copy_from_slice(&[7_140, 2_856, 0, 84_252]);
    assert!(slots.windows(10).any(|second| second.iter().sum::<u64>() > 10 * slot(2_346)));
    assert!(out_of_reach(&slots[..140], 40, 2_346));
}

#[test]
fn it_is_a_no_for_the_limits_that_it_was_measured_for_and_nothing_for_less() {
    let ended = |below_kbps| Reading {
        ending: Ending::TooThin { below_kbps },
        asked_seconds: 600,
        ..reading(steady(5_000, 32))
    };
    assert_eq!(effect_of(&ended(6_000), "upload.too_thin"), Effect::Fail);
    let findings = Upload::judge(&limits(), &ended(6_000));
    assert!(findings.iter().all(|finding| finding.effect != Effect::Unknown), "{findings:#?}");
    assert_eq!(effect_of(&ended(9_001), "upload.ended_early"), Effect::Unknown);
    let mut busy = ended(6_000);
    busy.sender.late_ms = 5_000.0;
    assert_eq!(effect_of(&busy, "upload.ended_early"), Effect::Unknown);
}

#[test]
fn a_share_of_the_streams_bit_rate_is_what_it_is_ended_for() {
    let need = StreamNeed { media_kbps: 6_128, headroom: 1.5, overhead: 0.03, latency_ms: None };
    let main = StreamName::new("main").unwrap();
    let stakes = Stakes { streams: [(main.clone(), need)].into(), ..Stakes::default() };
    let mut target =
        Target { stream: Some(main), ..Target::to_far_end(FarEndName::new("cloud").unwrap(), 60, 12_000) };
    let mut limits = Limits::default();
    Upload::derive(&mut target, &mut limits, &stakes);
    assert_eq!((target.stop_below_kbps, limits.rate_kbps), (Some(4_596), Some(AtLeast(9_468))));
    target.stop_below_kbps = Some(9_469);
    let problems = Upload::problems(&target, &limits, &BTreeMap::new(), &stakes);
    assert!(problems.iter().any(|problem| problem.field == "stop_below_kbps"), "{problems:?}");
}

proptest! {
    #[test]
    fn whatever_follows_the_rate_stays_out_of_reach(
        before in prop::collection::vec(0_u64..slot(6_000) * 3 / 2, 130..400),
        after in prop::collection::vec(0_u64..10 * slot(6_000), 0..500),
    ) {
        let asked = before.len() + after.len();
        if series::is_out_of_reach(&before, SLOT_MS, asked, 6_000) {
            let whole = rates(&[before, after].concat()).unwrap();
            prop_assert!(whole.p5_kbps < 6_000.0 && whole.lasting_kbps < 6_000.0, "{whole:?}");
        }
    }

    #[test]
    fn ended_early_never_passes(
        slots in prop::collection::vec(0_u64..1_000_000, 0..400),
        below_kbps in any::<u64>(),
        asked in prop::option::of(any::<u64>()),
        late in 0_u64..10_000,
    ) {
        let ending = Ending::TooThin { below_kbps };
        let early = Reading { ending, far_end_late_ms: Some(late), ..reading(slots) };
        let limits = Limits { rate_kbps: asked.map(AtLeast), ..Limits::default() };
        let worst = Upload::judge(&limits, &early).into_iter().map(|finding| finding.effect).max();
        prop_assert!(worst >= Some(Effect::Unknown), "{worst:?}");
    }
}

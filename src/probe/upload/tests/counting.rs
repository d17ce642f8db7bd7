//! From reports and acknowledgements to a series.

use super::*;

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
fn of_more_gaps_than_fit_the_longest_are_kept() {
    let gaps: Vec<control::Gap> = (0..1_240)
        .map(|n| control::Gap { at_ms: n * 1_000, ms: if n == 1_200 { 5_000 } else { 250 } })
        .collect();
    let mut tally = Tally::default();
    tally.arrivals(0, &[], &gaps, 10);
    assert_eq!((tally.gaps.len(), tally.gaps_left_out), (1_000, 240));
    assert!(tally.gaps.contains(&Gap { at_ms: 1_200_000, ms: 5_000 }));
    assert!(tally.gaps.windows(2).all(|two| two[0].at_ms < two[1].at_ms));
}

#[test]
fn round_trips_are_kept_once_a_second_at_their_worst() {
    let mut kernel = Kernel::default();
    for n in 0..25_u32 {
        let info =
            TcpInfo { rtt_ms: Some(f64::from(n)), bytes_acked: Some(u64::from(n / 5)), ..TcpInfo::default() };
        assert_eq!(kernel.look(f64::from(n) * 100.0, &[info]), n % 5 == 0, "{n}");
    }
    let kept: Vec<(f64, f64)> = kernel.loaded_rtt.iter().map(|s| (s.offset_ms, s.rtt_ms)).collect();
    assert_eq!(kept, [(0.0, 9.0), (1000.0, 19.0), (2000.0, 24.0)]);
}

#[test]
fn acknowledgements_become_slots_and_gaps() {
    let mut kernel = Kernel::default();
    let mut look = |ms: f64, acked: u64, resent: u64| {
        let info = TcpInfo {
            bytes_acked: Some(acked),
            bytes_sent: Some(acked + resent),
            bytes_resent: Some(resent),
            ..TcpInfo::default()
        };
        kernel.look(ms, &[info, TcpInfo { bytes_acked: Some(1), ..info }]);
    };
    for (ms, acked) in [(0.0, 500), (40.0, 600), (120.0, 800), (460.0, 900), (1010.0, 1000)] {
        look(ms, acked, 7);
    }
    let counted = &mut kernel.acknowledged;
    assert_eq!(counted.slots, [100, 200, 0, 0, 100, 0, 0, 0, 0, 0, 100]);
    assert_eq!(counted.total(), 500);
    assert_eq!(counted.gaps, [Gap { at_ms: 120, ms: 340 }, Gap { at_ms: 460, ms: 550 }]);
    counted.finish(1400.0);
    assert_eq!(counted.gaps.last(), Some(&Gap { at_ms: 1010, ms: 390 }));
    assert_eq!(kernel.seconds, [SentSecond { offset_ms: 0.0, sent_bytes: 1000, resent_bytes: 0 }]);
}

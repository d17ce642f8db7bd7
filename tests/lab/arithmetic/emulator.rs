//! What holds on every line, for any packets: without root, without a clock.

use proptest::prelude::*;

use crate::wan::flow::Flow;
use crate::wan::line::{Boost, Bursts, Jitter, Loss, Outage, Outages, Policer};
use crate::wan::pipeline::{Cause, Fate, Pipeline};
use crate::wan::trace::{Capacity, Trace};
use crate::wan::{Counters, Way};

prop_compose! {
    fn any_bottleneck()(
        rate in 0.5..600.0_f64,
        kind in 0..4,
        queue in proptest::option::of(0..200_000_u64),
        boost in (1.1..5.0_f64, 0.01..2.0_f64, 1..1_000_000_u64, any::<bool>()),
    ) -> Way {
        let boost = Boost {
            rate_mbps: rate * boost.0,
            seconds: boost.3.then_some(boost.1),
            bytes: (!boost.3).then_some(boost.2),
        };
        let trace = Trace { steps: vec![(0.05, rate), (0.02, 0.0), (0.1, rate / 4.0)], ..Trace::default() };
        Way {
            rate_mbps: (kind == 1 || kind == 2).then_some(rate),
            boost: (kind == 2).then_some(boost),
            trace: (kind == 3).then_some(trace),
            queue_bytes: queue.filter(|_| kind > 0),
            ..Way::default()
        }
    }
}

prop_compose! {
    fn any_way()(
        bottleneck in any_bottleneck(),
        black_hole in proptest::option::of(100..1500_usize),
        policer in proptest::option::of((0.1..100.0_f64, 0..100_000_u64)),
        outage in proptest::option::of((0.0..0.5_f64, 0.01..0.2_f64, proptest::option::of(0.3..0.5_f64))),
        percent in 0.0..30.0_f64,
        bursts in proptest::option::of((0.1..0.5_f64, 1.0..90.0_f64, 0.0..100.0_f64)),
        delay_ms in 0.0..300.0_f64,
        jitter in proptest::option::of((0.1..50.0_f64, any::<bool>())),
        duplicate_percent in 0.0..30.0_f64,
    ) -> Way {
        Way {
            mtu_black_hole: black_hole,
            policer: policer.map(|(rate_mbps, burst_bytes)| Policer { rate_mbps, burst_bytes }),
            outages: Outages(outage.map(|(at, for_s, every_s)| Outage { at_s: Some(at), for_s, every_s }).into_iter().collect()),
            loss: Loss { percent, bursts: bursts.map(|(every_s, for_ms, percent)| Bursts { every_s, for_ms, percent }) },
            delay_ms,
            jitter: jitter.map(|(ms, reorder)| Jitter { ms, reorder, every_ms: None }),
            duplicate_percent,
            ..bottleneck
        }
    }
}

/// Arrivals: the pause before each in µs, and its bytes.
fn any_packets() -> impl Strategy<Value = Vec<(u64, usize)>> {
    prop::collection::vec((prop_oneof![Just(0), 0..3000_u64], 20..1500_usize), 1..300)
}

/// Comes out: when, and which.
type Out = (u64, u64, bool);

fn run(way: &Way, seed: u64, packets: &[(u64, usize)]) -> (Vec<Out>, Counters) {
    let mut flow = Flow::new(Pipeline::new(way, seed).unwrap());
    let (mut now, mut out) = (0, Vec::new());
    let mut release = |flow: &mut Flow, until: u64| {
        while let Some(due) = flow.next().filter(|due| *due <= until) {
            let parcel = flow.release(due).unwrap();
            out.push((due, parcel.number, parcel.copy));
        }
    };
    for &(pause, bytes) in packets {
        now += pause * 1000;
        release(&mut flow, now);
        flow.accept(now, &vec![0x45; bytes]);
    }
    release(&mut flow, u64::MAX);
    (out, flow.counters())
}

/// When each packet came in.
fn times(packets: &[(u64, usize)]) -> Vec<u64> {
    let sums = packets.iter().scan(0, |sum, (pause, _)| {
        *sum += pause * 1000;
        Some(*sum)
    });
    sums.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_packet_is_accounted_for(way in any_way(), seed: u64, packets in any_packets()) {
        let (out, counters) = run(&way, seed, &packets);
        prop_assert_eq!(counters.arrived, packets.len() as u64);
        prop_assert_eq!(counters.arrived, counters.passed + counters.losses());
        let copies = out.iter().filter(|out| out.2).count() as u64;
        prop_assert_eq!((out.len() as u64, copies), (counters.passed + counters.duplicated, counters.duplicated));
        let bytes = out.iter().filter(|out| !out.2).map(|out| packets[out.1 as usize - 1].1 as u64).sum::<u64>();
        prop_assert_eq!(bytes, counters.passed_bytes);
        prop_assert_eq!(counters.late, 0);
    }

    #[test]
    fn a_seed_repeats(way in any_way(), seed: u64, packets in any_packets()) {
        prop_assert_eq!(run(&way, seed, &packets), run(&way, seed, &packets));
    }

    /// And in no way comes out before it could.
    #[test]
    fn order_is_kept_unless_asked(way in any_way(), seed: u64, packets in any_packets()) {
        let (out, counters) = run(&way, seed, &packets);
        let came = times(&packets);
        for (at, number, _) in &out {
            prop_assert!(*at + 1 >= came[*number as usize - 1] + (way.delay_ms * 1e6) as u64);
        }
        let mut highest = 0;
        let mut reordered = 0;
        for (_, number, copy) in &out {
            reordered += u64::from(*number < highest && !copy);
            highest = highest.max(*number);
        }
        prop_assert_eq!(reordered, counters.reordered);
        if way.jitter.is_none_or(|jitter| !jitter.reorder) {
            prop_assert_eq!(reordered, 0);
        }
    }

    /// A line that always has something to send sends exactly its rate.
    #[test]
    fn the_rate_is_exact(rate in 0.1..1000.0_f64, sizes in prop::collection::vec(20..1500_usize, 2..300)) {
        let way = Way { rate_mbps: Some(rate), queue_bytes: Some(u64::MAX / 2), ..Way::default() };
        let packets: Vec<_> = sizes.iter().map(|bytes| (0, *bytes)).collect();
        let (out, _) = run(&way, 1, &packets);
        let bits = sizes.iter().sum::<usize>() as f64 * 8.0;
        let wanted = bits / ((rate * 1e6).round() / 1e9);
        prop_assert!((out.last().unwrap().0 as f64 - wanted).abs() <= 2.0, "{:?}, wanted {wanted}", out.last());
    }

    /// A trace that never changes is a rate.
    #[test]
    fn a_steady_trace_is_a_rate(rate in 0.1..1000.0_f64, start_s in 0.0..2.0_f64, packets in any_packets()) {
        let trace = Trace { steps: vec![(0.3, rate), (0.7, rate)], start_s, ..Trace::default() };
        let endless = Way { queue_bytes: Some(u64::MAX / 2), ..Way::default() };
        let by_trace = run(&Way { trace: Some(trace), ..endless.clone() }, 1, &packets).0;
        let by_rate = run(&Way { rate_mbps: Some(rate), ..endless }, 1, &packets).0;
        for (one, other) in by_trace.iter().zip(&by_rate) {
            prop_assert!(one.0.abs_diff(other.0) <= 2 && one.1 == other.1, "{one:?} {other:?}");
        }
    }

    #[test]
    fn capacity_and_time_are_inverse(
        steps in prop::collection::vec((0.001..2.0_f64, prop_oneof![Just(0.0), 0.01..500.0_f64]), 1..20),
        start_s in 0.0..10.0_f64,
        now in 0..20_000_000_000_u64,
    ) {
        let Ok(capacity) = Capacity::new(&steps, start_s) else { return Ok(()) };
        let carried = capacity.carried_at(now);
        let at = capacity.time_of(carried);
        prop_assert!(at <= now, "{at} after {now}");
        prop_assert_eq!(capacity.carried_at(at).max(carried), capacity.carried_at(at).max(capacity.carried_at(now)));
        let later = capacity.time_of(carried + 12_000_000_000_000);
        prop_assert!(capacity.carried_at(later) >= carried + 12_000_000_000_000);
        prop_assert!(later == 0 || capacity.carried_at(later - 1) < carried + 12_000_000_000_000);
    }

    /// Between any two packets that pass, a policer passes no more than its bucket and its rate.
    #[test]
    fn a_policer_passes_no_more(rate_mbps in 0.1..100.0_f64, burst_bytes in 1500..50_000_u64, packets in any_packets()) {
        let way = Way { policer: Some(Policer { rate_mbps, burst_bytes }), ..Way::default() };
        let (out, counters) = run(&way, 1, &packets);
        prop_assert_eq!(counters.losses(), counters.policed);
        for (first, from) in out.iter().enumerate() {
            let mut bytes = 0;
            for to in &out[first..] {
                bytes += packets[to.1 as usize - 1].1 as u64;
                let most = burst_bytes as f64 + rate_mbps * 1e6 / 8.0 * (to.0 - from.0) as f64 / 1e9;
                prop_assert!(bytes as f64 <= most + 1.0, "{bytes} in {} ns", to.0 - from.0);
            }
        }
    }

    /// What waits never exceeds the queue, so nobody waits longer than the queue takes.
    #[test]
    fn nobody_waits_longer_than_the_queue(rate in 0.5..100.0_f64, queue in 0..50_000_u64, packets in any_packets()) {
        let way = Way { rate_mbps: Some(rate), queue_bytes: Some(queue), ..Way::default() };
        let (out, counters) = run(&way, 1, &packets);
        let came = times(&packets);
        let longest = queue.max(1500) as f64 * 8.0 / rate * 1e3;
        for (at, number, _) in out {
            prop_assert!((at - came[number as usize - 1]) as f64 <= longest + 10.0);
        }
        prop_assert_eq!(counters.losses(), counters.queue_full);
    }
}

/// Fates of packets of 1000 bytes every so many ns.
fn fates(way: &Way, count: u64, every: u64) -> Vec<Fate> {
    let mut pipeline = Pipeline::new(way, 3).unwrap();
    (0..count).map(|number| pipeline.packet(number * every, 1000)).collect()
}

/// Bursts are as often and as long as asked, and more packets do not end them sooner.
#[test]
fn bursts_go_by_the_clock() {
    let bursts = Some(Bursts { every_s: 5.0, for_ms: 200.0, percent: 100.0 });
    let way = Way { loss: Loss { percent: 0.0, bursts }, ..Way::default() };
    // Five hours, at 100 and at 1000 packets a second.
    for every in [10_000_000, 1_000_000] {
        let seconds = 18_000;
        let fates = fates(&way, seconds * 1_000_000_000 / every, every);
        let lost = |fate: &Fate| *fate == Fate::Lost(Cause::Burst);
        let share = fates.iter().filter(|fate| lost(fate)).count() as f64 / fates.len() as f64;
        let began = fates.windows(2).filter(|pair| !lost(&pair[0]) && lost(&pair[1])).count() as f64;
        // 3600 of them, give or take four standard deviations.
        assert!((share - 0.04).abs() < 0.04 * 4.0 * (2.0_f64 / 3600.0).sqrt(), "{share}");
        assert!((began - 3600.0).abs() < 0.05 * 3600.0 + 4.0 * 60.0, "{began} bursts");
    }
}

/// What is lost by chance is the same packets, whatever else happens to the others.
#[test]
fn chances_do_not_disturb_each_other() {
    let loss = Loss { percent: 5.0, bursts: None };
    let alone = fates(&Way { loss, ..Way::default() }, 2000, 1_000_000);
    let outages = Outages(vec![Outage { at_s: Some(0.5), for_s: 0.2, every_s: None }]);
    let with = fates(&Way { loss, outages, duplicate_percent: 10.0, ..Way::default() }, 2000, 1_000_000);
    let by_chance = |fate: &Fate| *fate == Fate::Lost(Cause::Chance);
    for (number, (alone, with)) in alone.iter().zip(&with).enumerate() {
        let out = (500..700).contains(&number);
        assert_eq!(*with == Fate::Lost(Cause::Outage), out, "packet {number}");
        assert!(out || by_chance(alone) == by_chance(with), "packet {number}");
    }
}

/// A fast boost, then the rate, to the byte.
#[test]
fn a_boost_ends_after_its_bytes_or_seconds() {
    for (bytes, seconds) in [(Some(100_000), None), (None, Some(0.01))] {
        let boost = Some(Boost { rate_mbps: 80.0, seconds, bytes });
        let way = Way { rate_mbps: Some(8.0), boost, queue_bytes: Some(10_000_000), ..Way::default() };
        // 0.1 ms each at 80 Mb/s, 1 ms each at 8 Mb/s.
        let wanted = |number: u64| {
            if number <= 100 { number * 100_000 } else { 10_000_000 + (number - 100) * 1_000_000 }
        };
        for (number, fate) in (1..).zip(fates(&way, 200, 0)) {
            assert_eq!(fate, Fate::Arrives { at: wanted(number), twice: false }, "packet {number}");
        }
    }
}

#[test]
fn restarted_clocks_begin_at_zero() {
    let outages = Outages(vec![Outage { at_s: Some(1.0), for_s: 1.0, every_s: None }]);
    let way = Way { outages, delay_ms: 500.0, ..Way::default() };
    let mut flow = Flow::new(Pipeline::new(&way, 1).unwrap());
    let second = 1_000_000_000;
    flow.accept(second * 3 / 2, &[0x45; 100]);
    flow.accept(second * 2, &[0x45; 100]);
    assert_eq!((flow.counters().outage, flow.counters().arrived), (1, 2));
    flow.restart(second * 2);
    flow.accept(second * 5 / 2, &[0x45; 100]);
    flow.accept(second * 7 / 2, &[0x45; 100]);
    while flow.release(second * 9).is_some() {}
    let counters = flow.counters();
    assert_eq!((counters.arrived, counters.passed, counters.outage), (3, 2, 1));
}

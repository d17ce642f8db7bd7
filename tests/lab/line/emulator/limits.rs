//! Rates that change: policer, boost, trace, queue; and a machine that was too slow.

use std::time::Duration;

use crate::line::emulator::course::{FAR, FAR6, close, line, on};
use crate::line::emulator::probe::{Received, Train, mbps};
use crate::wan::{Both, Counters};

/// 500 kB at any speed, then the rate.
#[test]
fn a_policer_passes_its_bucket_then_its_rate() {
    let line = line("up = { policer = { rate_mbps = 4, burst_bytes = 500_000 } }");
    let (received, counters) = on(&line, |course| {
        let received = Train::of(20.0, 1.5).up(course, FAR);
        (received, course.wan.counters().up)
    });
    // The bucket loses 16 of 20 Mb/s: it is empty after 0.25 s.
    close("before it is empty", mbps(&received, 0.0, 0.24), 20.0, 2.0);
    close("then", mbps(&received, 0.27, 1.5), 4.0, 2.0);
    assert_eq!(counters.policed, 3750 - received.len() as u64);
    assert_eq!((counters.losses(), counters.passed_bytes), (counters.policed, received.len() as u64 * 1000));
}

#[test]
fn a_boost_ends() {
    let line =
        line("up = { rate_mbps = 5, queue_bytes = 20_000, boost = { rate_mbps = 16, seconds = 0.8 } }");
    let received = on(&line, |course| Train::of(20.0, 1.8).up(course, FAR6));
    close("boosted", mbps(&received, 0.1, 0.78), 16.0, 2.0);
    close("after it", mbps(&received, 0.85, 1.8), 5.0, 2.0);
}

/// Second by second (here half a second each), from a second in, around its end.
#[test]
fn a_trace_is_followed() {
    let line = line(
        "up = { queue_bytes = 20_000, trace = { start_s = 1, steps = [[0.5, 12], [0.5, 3], [0.5, 18], [0.5, 0], [0.5, 6]] } }",
    );
    let received = on(&line, |course| Train::of(20.0, 2.5).up(course, FAR));
    for (from, wanted) in [(0.0, 18.0), (0.5, 0.0), (1.0, 6.0), (1.5, 12.0), (2.0, 3.0)] {
        // What waits at a step's end comes at the next one's rate.
        let reached = mbps(&received, from + 0.02, from + 0.5);
        if wanted > 0.0 {
            close(&format!("from {from} s"), reached, wanted, 2.0);
        } else {
            assert!(reached < 0.05, "{reached} Mb/s in the gap");
        }
    }
}

/// Full, it holds what it may, and delays by that much.
#[test]
fn a_queue_holds_its_bytes() {
    let line = line("up = { rate_mbps = 8, queue_bytes = 100_000 }");
    let (received, counters) =
        on(&line, |course| (Train::of(16.0, 0.6).up(course, FAR), course.wan.counters().up));
    let longest = received.iter().map(Received::took_ms).fold(0.0, f64::max);
    // 100 kB at 8 Mb/s, and by how much this machine was late.
    let late = counters.latest.as_secs_f64() * 1000.0;
    assert!((98.0..102.0 + late).contains(&longest), "the longest wait was {longest} ms, {late} of it ours");
    assert_eq!(counters.queue_full, 1200 - received.len() as u64);
    // In 0.6 s 600 went, and 100 waited.
    assert!((received.len() as f64 - 700.0).abs() < 5.0, "{} came", received.len());
}

/// More than a little late, or not even read: that says nothing about the line.
#[test]
fn it_says_when_it_could_not_keep_up() {
    let way = |late, latest_ms, unread| Counters {
        passed: 1000,
        late,
        latest: Duration::from_millis(latest_ms),
        unread,
        ..Counters::default()
    };
    let said = |up, down| Both { up, down }.kept_up();
    assert_eq!(said(way(5, 12, 0), way(0, 0, 0)), Ok(()));
    for (up, down, words) in [
        (way(50, 12, 0), way(0, 0, 0), "up: 50 of 1000 packets out more than 1ms late, the latest by 12ms"),
        (way(0, 0, 0), way(1, 500, 0), "down: 1 of 1000 packets out more than 1ms late, the latest by 500ms"),
        (way(0, 0, 3), way(0, 0, 0), "3 not even read"),
    ] {
        let said = said(up, down).unwrap_err();
        assert!(said.starts_with("the WAN emulator could not keep up: ") && said.contains(words), "{said}");
    }
}

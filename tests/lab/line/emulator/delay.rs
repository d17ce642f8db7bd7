//! Delay against ping, each way against one clock.

use std::time::Duration;

use crate::ground::peer::need;
use crate::line::emulator::course::{Course, FAR, FAR6, NEAR, line, on};
use crate::line::emulator::probe::{Received, Train};

/// Round trips of pings with so much data, in ms, in order.
fn pings(course: &Course, to: &str, data: usize, count: usize) -> Vec<f64> {
    let command = format!(
        "{} -n -M do -s {data} -c {count} -i 0.02 -W 1 {to} || true",
        need("ping", "iputils-ping").display()
    );
    let said = course.near.exec("sh", &["-c", &command]);
    let times = said.lines().filter_map(|line| line.split_once("time=")?.1.split(' ').next());
    let mut times: Vec<f64> = times.map(|time| time.parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn median_ms(received: &[Received]) -> f64 {
    let mut took: Vec<f64> = received.iter().map(Received::took_ms).collect();
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}

#[track_caller]
fn right(what: &str, measured: f64, wanted: f64) {
    let bound = f64::max(1.0, wanted * 0.02);
    eprintln!("{what}: {measured:.3} ms, wanted {wanted} ± {bound} ms");
    assert!((measured - wanted).abs() <= bound, "{what}: {measured:.3} ms, wanted {wanted} ± {bound} ms");
}

#[test]
fn round_trips_take_both_ways_delay() {
    for (up, down) in [(0, 0), (30, 20), (300, 100)] {
        let line = line(&format!("up = {{ delay_ms = {up} }}\ndown = {{ delay_ms = {down} }}"));
        for to in [FAR, FAR6] {
            let took = on(&line, |course| pings(course, to, 56, 15));
            assert_eq!(took.len(), 15, "{to}");
            right(&format!("round trip to {to}"), took[7], f64::from(up + down));
        }
    }
}

#[test]
fn each_way_has_its_own_delay() {
    let line = line("up = { delay_ms = 40 }\ndown = { delay_ms = 5 }");
    let train = Train { count: 100, bytes: 500, every: Duration::from_millis(3) };
    let (up, down) = on(&line, |course| (train.up(course, FAR), train.down(course, NEAR)));
    right("up", median_ms(&up), 40.0);
    right("down", median_ms(&down), 5.0);
}

/// Nothing comes back of what is too large: no answer, and no ICMP that says so.
#[test]
fn a_black_hole_swallows_what_is_large() {
    let line = line("up = { mtu_black_hole = 1300 }");
    for (to, headers) in [(FAR, 28), (FAR6, 48)] {
        let (fits, exceeds, counters) = on(&line, |course| {
            let fits = pings(course, to, 1300 - headers, 4).len();
            (fits, pings(course, to, 1301 - headers, 4).len(), course.wan.counters())
        });
        assert_eq!((fits, exceeds), (4, 0), "{to}");
        assert_eq!((counters.up.too_big, counters.down.arrived), (4, 4), "{to}");
    }
}

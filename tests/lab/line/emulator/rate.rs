//! Rate against iperf3.

use crate::line::emulator::course::{Course, close, line, on};

/// What iperf3's server got, in Mb/s of payload: the median of quarters of a second, so that one
/// in which iperf3 itself was kept waiting does not count.
fn received(course: &Course, args: &[&str]) -> f64 {
    let report = course.iperf3(&[args, &["-t", "2"]].concat());
    let intervals = report["server_output_json"]["intervals"].as_array().expect("the server's intervals");
    // The first fill the queue, the last is cut short.
    let inner = &intervals[2..intervals.len() - 1];
    let rate = |one: &serde_json::Value| one["sum"]["bits_per_second"].as_f64().unwrap() / 1e6;
    let mut rates: Vec<f64> = inner.iter().map(rate).collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// UDP that asks for more than there is.
fn rate_by_udp(mbps: f64) {
    let line = line(&format!("up = {{ rate_mbps = {mbps} }}"));
    let asked = format!("{}M", mbps * 1.15);
    let reached = on(&line, |course| received(course, &["-u", "-b", &asked, "-l", "1400"]));
    close("rate", reached * 1428.0 / 1400.0, mbps, 2.0);
}

#[test]
fn rate_2() {
    rate_by_udp(2.0);
}

#[test]
fn rate_20() {
    rate_by_udp(20.0);
}

/// TCP that takes what there is: a receiver that is kept waiting loses nothing of it.
fn rate_by_tcp(mbps: f64) {
    let line = line(&format!("up = {{ rate_mbps = {mbps}, delay_ms = 2 }}"));
    // Of 1500 bytes 1448 are TCP's payload.
    let reached = || on(&line, |course| received(course, &["-C", "cubic"])) * 1500.0 / 1448.0;
    // Too little may also be for want of what fills the line, on a busy machine: not three times.
    let reached = (0..3).map(|_| reached()).find(|reached| *reached > mbps * 0.98);
    close("rate", reached.expect("three times too little"), mbps, 2.0);
}

#[test]
fn rate_100() {
    rate_by_tcp(100.0);
}

/// As fast as this emulator has to be, beside what fills it.
#[test]
fn rate_500() {
    rate_by_tcp(500.0);
}

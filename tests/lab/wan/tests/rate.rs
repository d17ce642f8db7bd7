//! Rate against iperf3.

use crate::wan::tests::course::{Course, close, line, on};

/// What iperf3's server got over the inner ones of its intervals, in Mb/s of payload.
fn received(course: &Course, args: &[&str]) -> f64 {
    let report = course.iperf3(&[args, &["-t", "2"]].concat());
    let intervals = report["server_output_json"]["intervals"].as_array().expect("the server's intervals");
    // The first fills the queue, the last is cut short.
    let inner = &intervals[2..intervals.len() - 1];
    let sum = |key| inner.iter().map(|one| one["sum"][key].as_f64().unwrap()).sum::<f64>();
    sum("bytes") * 8.0 / sum("seconds") / 1e6
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

#[test]
fn rate_100() {
    rate_by_udp(100.0);
}

/// As fast as this emulator has to be, beside the TCP that fills it.
#[test]
fn rate_500() {
    let line = line("up = { rate_mbps = 500, delay_ms = 2 }");
    let reached = on(&line, |course| received(course, &["-C", "cubic"]));
    // Of 1500 bytes 1448 are TCP's payload.
    close("rate", reached * 1500.0 / 1448.0, 500.0, 2.0);
}

//! Rate against iperf3.

use crate::wan::tests::course::{close, line, on};

fn rate_by_iperf3(mbps: f64) {
    let line = line(&format!("up = {{ rate_mbps = {mbps} }}"));
    let sent = format!("{}M", mbps * 1.15);
    let reached = on(&line, |course| {
        let report = course.iperf3(&["-u", "-b", &sent, "-l", "1400", "-t", "3", "-i", "0.5"]);
        let intervals = report["server_output_json"]["intervals"].as_array().unwrap().clone();
        // The first fills the queue, the last is cut short.
        let inner = &intervals[1..intervals.len() - 1];
        let sum = |key| inner.iter().map(|one| one["sum"][key].as_f64().unwrap()).sum::<f64>();
        sum("bytes") * 8.0 / sum("seconds") / 1e6 * 1428.0 / 1400.0
    });
    close("rate", reached, mbps, 2.0);
}

#[test]
fn rate_2() {
    rate_by_iperf3(2.0);
}

#[test]
fn rate_20() {
    rate_by_iperf3(20.0);
}

#[test]
fn rate_100() {
    rate_by_iperf3(100.0);
}

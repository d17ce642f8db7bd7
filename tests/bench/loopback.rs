//! Rates over loopback, and what they cost, against iperf3.

use std::process::Command;

use golive::probe::Probe as _;
use golive::probe::upload::{Ending, Over, Target, Upload};
use serde_json::Value;

use crate::Effort;
use crate::far_end::{self, Process};
use crate::ground::peer::{Peer, free_port, need};
use crate::page::{Section, goal, median};
use crate::processor;

/// What one run came to.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    /// Gb/s that the receiver counted.
    received: f64,
    /// Gb/s that were sent.
    sent: f64,
    /// Seconds of processor time, both sides, for each gigabit received.
    cost: f64,
}

/// One TCP stream.
pub fn tcp(effort: Effort) -> Section {
    let (golive, iperf3) = rounds(effort, Over::Tcp, 200_000_000, &[]);
    let ratio = golive.received / iperf3.received;
    Section {
        title: "TCP, one stream over loopback".to_owned(),
        how: format!(
            "golive's `upload` to a `golive far-end`, against iperf3 and its server. Received, in Gb/s. {}.",
            goal("Goal ≥ 1.3 × iperf3", ratio >= 1.3)
        ),
        head: vec!["", "golive", "iperf3", "ratio"],
        rows: table(golive, iperf3),
    }
}

/// Datagrams of 1200 bytes.
pub fn udp(effort: Effort) -> Section {
    let (golive, iperf3) = rounds(effort, Over::Udp, 40_000_000, &["-u", "-b", "0", "-l", "1200"]);
    let ratio = golive.received / iperf3.received;
    Section {
        title: "UDP, datagrams of 1200 bytes over loopback".to_owned(),
        how: format!(
            "As fast as it goes; what the receiver could not take is lost. {}; {}.",
            goal("Goal ≥ 8 × iperf3, received", ratio >= 8.0),
            goal("sent", golive.sent / iperf3.sent >= 8.0)
        ),
        head: vec!["", "golive", "iperf3", "ratio"],
        rows: table(golive, iperf3),
    }
}

fn table(golive: Run, iperf3: Run) -> Vec<Vec<String>> {
    let row = |what: &str, a: f64, b: f64, digits: usize| {
        vec![what.to_owned(), format!("{a:.digits$}"), format!("{b:.digits$}"), format!("{:.2}", a / b)]
    };
    vec![
        row("received, Gb/s", golive.received, iperf3.received, 2),
        row("sent, Gb/s", golive.sent, iperf3.sent, 2),
        row("processor, s per Gb received, both sides", golive.cost, iperf3.cost, 4),
    ]
}

/// Turns of both; the medians.
fn rounds(effort: Effort, over: Over, kbps: u64, args: &[&str]) -> (Run, Run) {
    let far_end = Process::start();
    let (mut golive, mut iperf3) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds {
        golive.push(by_golive(&far_end, effort.seconds, over, kbps));
        iperf3.push(by_iperf3(effort.seconds, args));
        eprintln!("  {:?}\n  {:?}", golive.last().unwrap(), iperf3.last().unwrap());
    }
    (middle(&golive), middle(&iperf3))
}

fn middle(runs: &[Run]) -> Run {
    let of = |field: fn(&Run) -> f64| median(runs.iter().map(field).collect());
    Run { received: of(|run| run.received), sent: of(|run| run.sent), cost: of(|run| run.cost) }
}

fn by_golive(far_end: &Process, seconds: u32, over: Over, kbps: u64) -> Run {
    let target = Target { transport: over, ..Target::to_far_end(far_end::cloud(), seconds, kbps) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let env = far_end::env(far_end.named.clone());
    let before = processor::own() + processor::seconds(far_end.pid());
    let reading = runtime.block_on(Upload::measure(&target, &env)).unwrap();
    let cost = processor::own() + processor::seconds(far_end.pid()) - before;
    assert_eq!(reading.ending, Ending::Complete);
    // The first second is start-up.
    let slots = &reading.arrived_bytes[10..];
    let gigabits = |bytes: u64| bytes as f64 * 8.0 / 1e9;
    Run {
        received: gigabits(slots.iter().sum()) / (slots.len() as f64 / 10.0),
        sent: gigabits(reading.sender.written_bytes) / (f64::from(seconds) + 0.3),
        cost: cost / gigabits(reading.arrived_bytes.iter().sum()),
    }
}

/// iperf3, its first second left out too.
fn by_iperf3(seconds: u32, args: &[&str]) -> Run {
    let port = free_port().to_string();
    let server = Peer::of("iperf3", "iperf3").args(["-s", "-1", "-p", &port]).spawn();
    let _server = server.await_tcp(port.parse().unwrap());
    let time = (seconds - 1).to_string();
    let output = Command::new(need("iperf3", "iperf3"))
        .args(["-c", "127.0.0.1", "-p", &port, "-O", "1", "-t", &time, "--json"])
        .args(args)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number =
        |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{report}"));
    let received = number("/end/sum_received/bits_per_second") / 1e9;
    let percent = number("/end/cpu_utilization_percent/host_total")
        + number("/end/cpu_utilization_percent/remote_total");
    Run { received, sent: number("/end/sum_sent/bits_per_second") / 1e9, cost: percent / 100.0 / received }
}

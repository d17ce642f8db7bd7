//! How exactly a line's capacity is found, over the lab's emulator, whose truth is known.

use golive::farend::session::Caps;
use golive::farend::{Config, FarEnd};
use golive::model::{FarEnd as Named, SecretSource};
use golive::probe::Probe as _;
use golive::probe::upload::{Ending, Target, Upload};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::Effort;
use crate::far_end;
use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};
use crate::page::{Section, goal, median};
use crate::wan::{Line, Wan};

const MBPS: [f64; 6] = [1.0, 3.0, 6.0, 20.0, 100.0, 500.0];
/// Megabits of a test at least: of 3000 packets one more or less is no longer seen.
const LEAST_MB: f64 = 36.0;
const FAR: &str = "203.0.113.2";
/// Of 1500 bytes 1448 are TCP's payload, and the emulator's truth is in bytes of IP packets.
const WHOLE: f64 = 1500.0 / 1448.0;

pub fn compare(effort: Effort) -> Section {
    let (mut rows, mut within, mut better) = (Vec::new(), true, true);
    for truth in MBPS {
        let (mut golive, mut iperf3) = (Vec::new(), Vec::new());
        let seconds = effort.seconds.max((LEAST_MB / truth).ceil() as u32);
        for _ in 0..effort.rounds {
            golive.push(over(truth, |near, far| by_golive(truth, near, far, seconds)));
            iperf3.push(over(truth, |near, far| by_iperf3(near, far, seconds)));
        }
        let off =
            |found: &[f64]| median(found.iter().map(|found| (found / truth - 1.0).abs()).collect()) * 100.0;
        let (ours, theirs) = (off(&golive), off(&iperf3));
        (within, better) = (within && ours <= 2.0, better && ours <= theirs);
        eprintln!("  {truth} Mb/s: {golive:.3?} off by {ours:.2} %, {iperf3:.3?} off by {theirs:.2} %");
        rows.push(vec![
            format!("{truth}"),
            format!("{:.3}", median(golive)),
            format!("{ours:.2} %"),
            format!("{:.3}", median(iperf3)),
            format!("{theirs:.2} %"),
        ]);
    }
    Section {
        title: "Measured capacity against the emulator's truth".to_owned(),
        how: format!(
            "One CUBIC stream over an emulated line with 10 ms each way and a queue of 100 ms, {} s, or {LEAST_MB} Mb \
             where that takes longer; golive's capacity (of its usual seconds, with what it asked beside the load), \
             iperf3's sum as its server counted it; in Mb/s of IP packets. {}; {}.",
            effort.seconds,
            goal("Goal ≤ 2 % off", within),
            goal("never worse than iperf3", better)
        ),
        head: vec!["truth, Mb/s", "golive", "off by", "iperf3", "off by"],
        rows,
    }
}

/// Measures over a fresh line; again when this machine was too busy to be one.
fn over(mbps: f64, measure: impl Fn(&Namespace, &Namespace) -> f64) -> f64 {
    let line = format!("up = {{ rate_mbps = {mbps}, delay_ms = 10 }}\ndown = {{ delay_ms = 10 }}");
    let line: Line = toml::from_str(&line).unwrap();
    let mut late = String::new();
    for _ in 0..4 {
        let (near, far) = (Namespace::new(), Namespace::new());
        let ends = ["203.0.113.1/24", "203.0.113.2/24"];
        let wan = Wan::lay(&line, (&near, "wan0", &ends[..1]), (&far, "isp0", &ends[1..]));
        wan.restart();
        let found = measure(&near, &far);
        match wan.kept_up() {
            Ok(()) => return found,
            Err(why) => late = why,
        }
    }
    panic!("{mbps} Mb/s: {late}");
}

fn by_golive(truth: f64, near: &Namespace, far: &Namespace, seconds: u32) -> f64 {
    let (told, hear) = std::sync::mpsc::channel();
    let over = CancellationToken::new();
    std::thread::scope(|scope| {
        let stop = over.clone();
        scope.spawn(move || {
            far.run_async(async {
                let listen = format!("{FAR}:7000").parse().unwrap();
                let config =
                    Config { listen, rtmp: None, srt: None, caps: Caps::default(), ..Config::loopback() };
                let running = FarEnd::start(config).await.unwrap();
                let token = SecretSource::Value(running.token.clone());
                told.send(Named { address: listen.to_string(), pin: running.pin.clone(), token }).unwrap();
                stop.cancelled().await;
            });
        });
        let _stop = over.drop_guard();
        let env = far_end::env(hear.recv().unwrap());
        let target = Target::to_far_end(far_end::cloud(), seconds, (truth * 1500.0) as u64);
        let reading = near.run_async(Upload::measure(&target, &env)).unwrap();
        assert_eq!(reading.ending, Ending::Complete);
        reading.capacity_kbps().unwrap() / 1e3
    })
}

fn by_iperf3(near: &Namespace, far: &Namespace, seconds: u32) -> f64 {
    let server = Peer::of("iperf3", "iperf3").args(["-s", "-1"]).inside(far).spawn();
    let _server = server.await_tcp(5201);
    let iperf3 = need("iperf3", "iperf3");
    let time = seconds.to_string();
    let said = near.exec(iperf3.to_str().unwrap(), &["-c", FAR, "-C", "cubic", "-t", &time, "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    let received = report.pointer("/end/sum_received/bits_per_second").and_then(Value::as_f64);
    received.unwrap_or_else(|| panic!("{report}")) / 1e6 * WHOLE
}

//! A line between two namespaces, and what measures over it.

use std::cell::Cell;
use std::time::Duration;

use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, need};
use crate::ground::quiet::{Quiet, quiet};
use crate::wan::{Line, Wan};

/// A laid line with the machine to itself.
pub struct Course {
    pub wan: Wan,
    pub near: Namespace,
    pub far: Namespace,
    /// By how much a sender was late, at most.
    pause: Cell<Duration>,
    _quiet: Quiet,
}

/// Longer than a busy machine keeps a thread of the first rank waiting.
const PAUSE: Duration = Duration::from_millis(5);

pub const NEAR: &str = "10.77.0.1";
pub const FAR: &str = "10.77.0.2";
pub const NEAR6: &str = "fd77::1";
pub const FAR6: &str = "fd77::2";

impl Course {
    pub fn of(line: &Line) -> Self {
        let quiet = quiet();
        let (near, far) = (Namespace::new(), Namespace::new());
        let wan = Wan::lay(
            line,
            (&near, "wan0", &["10.77.0.1/30", "fd77::1/64"]),
            (&far, "isp0", &["10.77.0.2/30", "fd77::2/64"]),
        );
        Self { wan, near, far, pause: Cell::default(), _quiet: quiet }
    }

    /// A sender was late by so much.
    pub fn pause(&self, long: Duration) {
        self.pause.set(self.pause.get().max(long));
    }

    /// Stricter than [`Wan::kept_up`]: what is measured here is within a few milliseconds.
    fn kept_time(&self) -> Result<(), String> {
        self.wan.kept_up()?;
        let both = self.wan.counters();
        let unreceived = udp_drops(&self.near) + udp_drops(&self.far);
        if unreceived > 0 {
            return Err(format!("this machine dropped {unreceived} datagrams that nobody received in time"));
        }
        let latest = both.up.latest.max(both.down.latest).max(self.pause.get());
        if latest <= PAUSE { Ok(()) } else { Err(format!("this machine paused for {latest:?}: {both:?}")) }
    }

    /// What iperf3 reports (`--json`) of `args` from near to far.
    pub fn iperf3(&self, args: &[&str]) -> serde_json::Value {
        let iperf3 = need("iperf3", "iperf3");
        // Before what else the machine does: it stands for a machine of its own.
        let nice = || Peer::of("nice", "coreutils").args(["-n", "-20"]).args([&iperf3]);
        let server = ["-s", "-1", "--json", "-i", "0.25"];
        let _server = nice().args(server).inside(&self.far).spawn().await_tcp(5201);
        let client = [&["-c", FAR, "--json", "--get-server-output"], args].concat();
        let mut client = nice().args(client).inside(&self.near).spawn();
        let status = client.await_end();
        assert!(status.success(), "iperf3 {args:?}: {}", client.log());
        let said = client.log();
        // Where it may not be so nice, nice says so on standard error, after the JSON.
        let report = serde_json::Deserializer::from_str(&said).into_iter().next();
        report.expect("a report").unwrap()
    }
}

/// Measures on a fresh line until the machine kept up while it did, a few times at most.
pub fn on<T>(line: &Line, measure: impl Fn(&Course) -> T) -> T {
    let mut said = String::new();
    for _ in 0..8 {
        let course = Course::of(line);
        course.wan.restart();
        let measured = measure(&course);
        match course.kept_time() {
            Ok(()) => return measured,
            Err(figures) => said = figures,
        }
    }
    panic!("{said}");
}

/// Both are within so many of a hundred of the second.
#[track_caller]
pub fn close(what: &str, measured: f64, wanted: f64, percent: f64) {
    let off = (measured - wanted) / wanted * 100.0;
    eprintln!("{what}: {measured:.3}, wanted {wanted}: off by {off:.2} %");
    assert!(off.abs() <= percent, "{what}: {measured:.3}, wanted {wanted:.3}: off by {off:.2} %");
}

/// A line as a scenario writes it.
pub fn line(toml: &str) -> Line {
    Line::written(toml)
}

/// Datagrams that came out of the line and found their receiver's buffer full.
fn udp_drops(namespace: &Namespace) -> u64 {
    let snmp = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
    let snmp6 = namespace.run(|| std::fs::read_to_string("/proc/thread-self/net/snmp6").unwrap());
    let mut udp = snmp.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (udp.next().unwrap(), udp.next().unwrap());
    let four = names.split(' ').zip(values.split(' ')).find(|(name, _)| *name == "RcvbufErrors").unwrap().1;
    let six = snmp6.lines().find_map(|line| line.strip_prefix("Udp6RcvbufErrors")).unwrap();
    four.parse::<u64>().unwrap() + six.trim().parse::<u64>().unwrap()
}

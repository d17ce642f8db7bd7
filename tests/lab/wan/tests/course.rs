//! A line between two namespaces, and what measures over it.

use crate::ground::namespace::Namespace;
use crate::ground::peer::Peer;
use crate::ground::quiet::{Quiet, quiet};
use crate::wan::{Line, Wan};

/// A laid line with the machine to itself.
pub struct Course {
    pub wan: Wan,
    pub near: Namespace,
    pub far: Namespace,
    _quiet: Quiet,
}

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
        Self { wan, near, far, _quiet: quiet }
    }

    /// What iperf3 reports (`--json`) of `args` from near to far.
    pub fn iperf3(&self, args: &[&str]) -> serde_json::Value {
        let _server = Peer::of("iperf3", "iperf3")
            .args(["-s", "-1", "--json"])
            .inside(&self.far)
            .spawn()
            .await_tcp(5201);
        let all = [&["-c", FAR, "--json", "--get-server-output"], args].concat();
        let mut client = Peer::of("iperf3", "iperf3").args(all).inside(&self.near).spawn();
        let status = client.await_end();
        assert!(status.success(), "iperf3 {args:?}: {}", client.log());
        serde_json::from_str(&client.log()).unwrap()
    }
}

/// Measures on a fresh line until the emulator kept up while it did, a few times at most.
pub fn on<T>(line: &Line, measure: impl Fn(&Course) -> T) -> T {
    let mut said = String::new();
    for _ in 0..3 {
        let course = Course::of(line);
        course.wan.restart();
        let measured = measure(&course);
        match course.wan.kept_up() {
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
    assert!(off.abs() <= percent, "{what}: {measured:.3}, wanted {wanted:.3}: off by {off:.2} %");
}

/// A line as a scenario writes it.
pub fn line(toml: &str) -> Line {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

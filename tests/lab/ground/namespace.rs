//! Networks of our own: namespaces joined by virtual cables, removed when dropped.
//!
//! Both ends of a cable are in namespaces, so that no test's addresses meet this machine's
//! or another test's.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::ground::peer::need;

/// A network namespace with its loopback up.
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one. Panics with what to do when this user may not.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            rustix::process::geteuid().is_root(),
            "network namespaces need root: run tests/test (it uses sudo), or this as root"
        );
        sweep();
        let name = format!("golive-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name]);
        let namespace = Self { name };
        // No duplicate address detection: an IPv6 address, also a link's own, must work at once.
        let dad = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"];
        namespace.exec(need("sysctl", "procps").to_str().unwrap(), &[&["-qw"], &dad[..]].concat());
        namespace.ip(&["link", "set", "lo", "up"]);
        namespace
    }

    /// Its name, for `ip netns exec`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lays a cable between two namespaces: on either side the interface's name and its
    /// addresses with prefix length, as in `198.51.100.1/24`.
    pub fn join(near: (&Self, &str, &[&str]), far: (&Self, &str, &[&str])) {
        let ((a, a_name, _), (b, b_name, _)) = (near, far);
        let peer = ["peer", "name", b_name, "netns", b.name()];
        ip(&[&["link", "add", a_name, "netns", a.name(), "type", "veth"], &peer[..]].concat());
        for (namespace, interface, addresses) in [near, far] {
            for address in addresses {
                // No duplicate address detection: an IPv6 address must work at once.
                let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
                namespace.ip(&[&["address", "add", address, "dev", interface], nodad].concat());
            }
            namespace.ip(&["link", "set", interface, "up"]);
        }
        // Until Linux has noticed that both ends are up, an IPv6 address of the cable is unreachable.
        near.0.settle();
        far.0.settle();
    }

    /// Waits until every cable carries: Linux notices that both ends are up within a second, and
    /// drops in silence what is sent before.
    pub fn settle(&self) {
        for _ in 0..500 {
            let links = output(Command::new(need("ip", "iproute2")).args(["-n", self.name(), "-o", "link"]));
            if !links.lines().any(|link| link.contains(" state DOWN") || link.contains("LOWERLAYERDOWN")) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{}: a cable does not come up", self.name);
    }

    /// Adds a route, as in `route("default", "198.51.100.1")`.
    pub fn route(&self, to: &str, via: &str) {
        let family = if via.contains(':') { "-6" } else { "-4" };
        self.ip(&[family, "route", "add", to, "via", via]);
    }

    /// Lets it pass packets on between its interfaces.
    pub fn forward(&self) {
        for key in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            self.exec(need("sysctl", "procps").to_str().unwrap(), &["-qw", key]);
        }
    }

    /// Names the resolvers of programs that run in it.
    pub fn resolvers(&self, addresses: &[&str]) {
        let lines: String = addresses.iter().map(|address| format!("nameserver {address}\n")).collect();
        self.setting("resolv.conf", &lines);
    }

    /// Writes a file that stands in for the one of /etc for programs that run in it (ip-netns(8)).
    pub fn setting(&self, file: &str, content: &str) {
        let folder = settings(&self.name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(file), content).unwrap();
    }

    /// Loads nftables rules.
    pub fn rules(&self, rules: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), rules).unwrap();
        self.exec(need("nft", "nftables").to_str().unwrap(), &["-f", file.path().to_str().unwrap()]);
    }

    /// `ip` on this namespace.
    pub fn ip(&self, args: &[&str]) {
        ip(&[&["-n", self.name()], args].concat());
    }

    /// Runs a program in it to its end and returns its output. Panics when it fails.
    pub fn exec(&self, program: &str, args: &[&str]) -> String {
        let mut command = Command::new(need("ip", "iproute2"));
        output(command.args(["netns", "exec", self.name(), program]).args(args))
    }

    /// Runs `work` on a thread inside the namespace. Threads that it starts are inside too.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let place = File::open(Path::new("/run/netns").join(&self.name)).unwrap();
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).expect("setns");
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a future inside the namespace, on a runtime of its own.
    pub fn run_async<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        self.run(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new(need("ip", "iproute2")).args(["netns", "delete", &self.name]).status();
        let _ = std::fs::remove_dir_all(settings(&self.name));
    }
}

/// Files that stand in for those of /etc inside the namespace.
fn settings(name: &str) -> PathBuf {
    Path::new("/etc/netns").join(name)
}

/// Removes what a test process that was killed left behind.
fn sweep() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        for entry in std::fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let owner =
                name.strip_prefix("golive-").and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
            if owner.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                let _ = Command::new(need("ip", "iproute2")).args(["netns", "delete", &name]).output();
                let _ = std::fs::remove_dir_all(settings(&name));
            }
        }
    });
}

fn ip(args: &[&str]) {
    output(Command::new(need("ip", "iproute2")).args(args));
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

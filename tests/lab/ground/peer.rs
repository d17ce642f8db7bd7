//! Real servers as test peers: each in a directory of its own, awaited, logged, killed.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

use crate::ground::namespace::Namespace;

/// How long a peer may take until it listens: generous, since two cores run all tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program's path. Panics with what to install when it is not there.
pub fn need(program: &str, package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            let install = if package.contains(" install ") { "" } else { "apt-get install -y " };
            panic!("{program} is missing: {install}{package} (tests/setup does it)")
        })
}

/// The interpreter of the environment where tests/setup installs `package` of `PyPI`.
fn python(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let python = root.join(target).join(package).join("bin/python");
    assert!(
        python.is_file(),
        "{package} of PyPI is missing: no {} (tests/setup installs it)",
        python.display()
    );
    python
}

/// A port that is free on both families, for TCP and UDP, and that no other test was given.
/// Taken below Linux' ephemeral range, so that no outgoing connection can take it meanwhile.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    const RANGE: std::ops::Range<u16> = 20_000..32_000;
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // Start where no other test process of this moment does.
    let first = u16::try_from(std::process::id().wrapping_mul(61) % 12_000).unwrap();
    let port = (0..12_000)
        .map(|n| RANGE.start + (first + n) % 12_000)
        .find(|&port| !given.contains(&port) && is_free(port))
        .expect("a free port");
    given.insert(port);
    port
}

/// Binds and does not listen: a program that is just starting holds a copy of this socket for a
/// moment, and who is to find the port closed would be let in by it.
fn is_free(port: u16) -> bool {
    let binds = |at: SocketAddr, kind: Type| {
        let socket = Socket::new(Domain::for_address(at), kind, None)?;
        socket.set_reuse_address(kind == Type::STREAM)?;
        socket.bind(&at.into())
    };
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    [v4, v6].iter().all(|&at| binds(at, Type::STREAM).is_ok() && binds(at, Type::DGRAM).is_ok())
}

/// A peer being put together: its files, then its command line.
pub struct Setup {
    program: &'static str,
    command: Command,
    dir: TempDir,
    inside: Option<String>,
}

/// A running peer. Killed and waited for when dropped.
pub struct Peer {
    program: &'static str,
    child: Child,
    dir: TempDir,
}

impl Peer {
    /// Begins to set up `program`, which Debian's `package` holds.
    pub fn of(program: &'static str, package: &str) -> Setup {
        Self::at(program, &need(program, package))
    }

    /// Begins to set up a Python script of ours, under the interpreter that has `package` of `PyPI`.
    pub fn script(name: &'static str, package: &str, script: &str) -> Setup {
        Self::at(name, &python(package)).file("script.py", script).args(["script.py"])
    }

    fn at(program: &'static str, path: &Path) -> Setup {
        let dir = tempfile::Builder::new().prefix(&format!("golive-{program}-")).tempdir().unwrap();
        let mut command = Command::new(path);
        command.current_dir(dir.path());
        Setup { program, command, dir, inside: None }
    }

    /// Its directory, with its files and its log.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What it has written to standard output and standard error so far.
    pub fn log(&self) -> String {
        let read = |name| fs::read(self.dir().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&[read("stdout"), read("stderr")].concat()).into_owned()
    }

    /// Waits until its log holds `text`. Panics when it ends before or takes too long.
    pub fn await_log(mut self, text: &str) -> Self {
        self.wait_for(&format!("{text:?} in its log"), |peer| peer.log().contains(text));
        self
    }

    /// Waits until something listens on TCP `port` where this peer runs. It looks and does not
    /// connect: some peers serve one connection only.
    pub fn await_tcp(mut self, port: u16) -> Self {
        self.wait_for(&format!("a listener on TCP port {port}"), |peer| peer.has_socket("tcp", port, "0A"));
        self
    }

    /// Waits until something is bound to UDP `port` where this peer runs.
    pub fn await_udp(mut self, port: u16) -> Self {
        self.wait_for(&format!("a socket on UDP port {port}"), |peer| peer.has_socket("udp", port, "07"));
        self
    }

    /// Waits until it ends by itself.
    pub fn await_end(&mut self) -> ExitStatus {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{} did not end; it said:\n{}", self.program, self.log());
    }

    /// Asks it to end (SIGTERM), so that it finishes its files, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.await_end()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_for(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            let ended = self.child.try_wait().unwrap();
            // It may have written its last words and ended since the look above.
            if let Some(status) = ended.filter(|_| !holds(self)) {
                panic!("{} ended with {status} before {what}; it said:\n{}", self.program, self.log());
            }
            let late = started.elapsed() > PATIENCE;
            assert!(!late, "{}: no {what} in {PATIENCE:?}; it said:\n{}", self.program, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sockets of the peer's network namespace, as proc(5) lists them.
    fn has_socket(&self, protocol: &str, port: u16, state: &str) -> bool {
        let port = format!(":{port:04X}");
        ["", "6"].iter().any(|family| {
            let table = format!("/proc/{}/net/{protocol}{family}", self.child.id());
            fs::read_to_string(table).unwrap_or_default().lines().skip(1).any(|line| {
                let mut columns = line.split_whitespace().skip(1);
                let local = columns.next().is_some_and(|local| local.ends_with(&port));
                local && columns.nth(1) == Some(state)
            })
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("-- {} said:\n{}", self.program, self.log());
        }
    }
}

impl Setup {
    /// Its directory, where it also runs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file into its directory.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.dir().join(name), content).unwrap();
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it in a namespace.
    pub fn inside(self, namespace: &Namespace) -> Self {
        self.inside_named(namespace.name())
    }

    /// Runs it in the namespace of that name.
    pub fn inside_named(mut self, namespace: &str) -> Self {
        self.inside = Some(namespace.to_owned());
        self
    }

    /// Starts it. Follow with [`Peer::await_tcp`], [`Peer::await_udp`] or [`Peer::await_log`].
    pub fn spawn(self) -> Peer {
        let Self { program, command, dir, inside } = self;
        let mut command = match inside {
            Some(namespace) => in_namespace(&command, &namespace),
            None => command,
        };
        let log = |name| File::create(dir.path().join(name)).unwrap();
        command.stdin(Stdio::null()).stdout(log("stdout")).stderr(log("stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        Peer { program, child, dir }
    }
}

/// The same command under `ip netns exec`, which becomes the program: killing it kills the program.
fn in_namespace(command: &Command, namespace: &str) -> Command {
    let mut outer = Command::new(need("ip", "iproute2"));
    outer.args(["netns", "exec", namespace]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(dir) = command.get_current_dir() {
        outer.current_dir(dir);
    }
    outer
}

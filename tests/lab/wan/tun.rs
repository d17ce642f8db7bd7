//! TUN devices: interfaces whose other side is this process.
//!
//! One ioctl of our own: crates for TUN bring more than ten others with them for it.
//! Without offloads the kernel cuts what it sends into packets of the MTU.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ground::namespace::Namespace;
use crate::ground::peer::need;

/// A TUN device in a namespace. It goes when this is dropped.
pub struct Tun {
    file: File,
    namespace: String,
    interface: String,
    /// Drops that are forgotten.
    forgotten: AtomicU64,
}

/// Packets that the kernel holds until they are read: much more than a thread's pause brings.
const UNREAD_MOST: &str = "20000";

impl Tun {
    /// Makes it with its addresses, and sets it up.
    pub fn make((namespace, interface, addresses): (&Namespace, &str, &[&str]), mtu: u16) -> Self {
        let file = namespace.run(|| open(interface)).unwrap_or_else(|error| {
            panic!(
                "no TUN device {interface}: {error} (needs root and the kernel's tun module: modprobe tun)"
            )
        });
        let mtu = mtu.to_string();
        // Without a link-local address the kernel has less to say for itself on the line.
        namespace.ip(&["link", "set", interface, "addrgenmode", "none"]);
        namespace.ip(&["link", "set", interface, "mtu", &mtu, "txqueuelen", UNREAD_MOST]);
        for address in addresses {
            let nodad: &[&str] = if address.contains(':') { &["nodad"] } else { &[] };
            namespace.ip(&[&["address", "add", address, "dev", interface], nodad].concat());
        }
        namespace.ip(&["link", "set", interface, "up"]);
        Self {
            file,
            namespace: namespace.name().to_owned(),
            interface: interface.to_owned(),
            forgotten: AtomicU64::new(0),
        }
    }

    /// The next packet that the namespace sent, if there is one.
    pub fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        match (&self.file).read(into) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives the namespace a packet.
    pub fn write(&self, packet: &[u8]) -> io::Result<()> {
        (&self.file).write(packet).map(drop)
    }

    /// Packets that the kernel dropped because nobody read them in time.
    pub fn drops(&self) -> u64 {
        self.all_drops().saturating_sub(self.forgotten.load(Ordering::Relaxed))
    }

    /// Counts drops from now on.
    pub fn forget_drops(&self) {
        self.forgotten.store(self.all_drops(), Ordering::Relaxed);
    }

    fn all_drops(&self) -> u64 {
        let mut ip = std::process::Command::new(need("ip", "iproute2"));
        let shown =
            ip.args(["-n", &self.namespace, "-s", "-j", "link", "show", "dev", &self.interface]).output();
        let shown: Option<serde_json::Value> =
            shown.ok().and_then(|out| serde_json::from_slice(&out.stdout).ok());
        // A namespace that is gone drops nothing.
        shown.and_then(|shown| shown.pointer("/0/stats64/tx/dropped")?.as_u64()).unwrap_or(0)
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn open(interface: &str) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    let mut name = [0; libc::IFNAMSIZ];
    let short = interface.len() < name.len();
    assert!(short, "{interface}: an interface's name has at most {} bytes", name.len() - 1);
    for (to, from) in name.iter_mut().zip(interface.bytes()) {
        *to = from.cast_signed();
    }
    let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    let request =
        libc::ifreq { ifr_name: name, ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags } };
    #[expect(unsafe_code, reason = "ioctl(TUNSETIFF): std does not have it")]
    // SAFETY: the descriptor is open, and TUNSETIFF reads and writes one ifreq, which lives through the call.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    if done == 0 { Ok(file) } else { Err(io::Error::last_os_error()) }
}

/// Has this thread run before all ordinary ones, as a box of its own on the line would, and
/// woken on time. Where that is not allowed it stays as it is: `kept_up` tells what comes of it.
pub fn hurry() {
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    let priority = libc::sched_param { sched_priority: 1 };
    #[expect(unsafe_code, reason = "sched_setscheduler: std does not have it")]
    // SAFETY: 0 is this thread, and the parameter lives through the call.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) };
}

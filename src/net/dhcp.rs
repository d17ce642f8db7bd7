//! What the network told this machine by DHCP or router advertisement, where its client's notes can be
//! read without privilege: systemd-networkd's and dhclient's. `NetworkManager`'s are for root alone.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::model::SourceAddress;
use crate::wire::lease::{self, Options};

/// Longest file that is read, in bytes.
const MOST: u64 = 256 * 1024;
const NETWORKD: &str = "/run/systemd/netif";
const DHCLIENT: [&str; 2] = ["/var/lib/dhcp", "/var/lib/dhclient"];

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// The options.
    pub options: Options,
    /// Whether any client's notes on this way out could be read: without, nothing is known.
    pub readable: bool,
}

/// The notes on one way out: of its interface, or of the default route's.
pub fn noted(source: &SourceAddress) -> Noted {
    let Some(interface) = source.interface.clone().or_else(default_interface) else {
        return Noted::default();
    };
    let index = std::fs::read_to_string(format!("/sys/class/net/{interface}/ifindex")).unwrap_or_default();
    noted_in(Path::new("/"), &interface, index.trim())
}

fn noted_in(root: &Path, interface: &str, index: &str) -> Noted {
    let mut found = Noted::default();
    // An interface's name comes from the policy: it must not lead elsewhere.
    if interface.contains('/') || index.contains('/') {
        return found;
    }
    let below = |folder: &str, file: &str| root.join(folder.trim_start_matches('/')).join(file);
    for part in ["links", "leases"].into_iter().filter(|_| !index.is_empty()) {
        if let Some(text) = read(&below(NETWORKD, part).join(index)) {
            found.options = found.options.or(lease::networkd(&text));
            found.readable = true;
        }
    }
    for folder in DHCLIENT {
        for file in [format!("dhclient.{interface}.leases"), "dhclient.leases".to_owned()] {
            if let Some(text) = read(&below(folder, &file)).filter(|text| text.contains(interface)) {
                found.options = found.options.or(lease::dhclient(&text, interface));
                found.readable = true;
            }
        }
    }
    found
}

fn read(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The interface of the IPv4 default route with the least metric (`/proc/net/route`).
fn default_interface() -> Option<String> {
    let text = std::fs::read_to_string("/proc/net/route").ok()?;
    let routes = text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let (interface, destination) = (words.next()?, words.next()?);
        let metric: u32 = words.nth(4)?.parse().ok()?;
        (destination == "00000000").then(|| (metric, interface.to_owned()))
    });
    routes.min().map(|(_, interface)| interface)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_and_their_absence_is_told() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(noted_in(root.path(), "eth0", "2"), Noted::default());
        let links = root.path().join("run/systemd/netif/links");
        std::fs::create_dir_all(&links).unwrap();
        std::fs::write(links.join("2"), "CAPTIVE_PORTAL=https://portal.example/api\n").unwrap();
        let found = noted_in(root.path(), "eth0", "2");
        assert!(found.readable);
        assert_eq!(found.options.captive_portal.as_deref(), Some("https://portal.example/api"));
        assert!(!noted_in(root.path(), "../eth0", "2").readable);
    }
}

//! What the network told this machine by DHCP or router advertisement, where its client's notes can be
//! read: systemd-networkd's, dhclient's and `NetworkManager`'s without privilege, dhcpcd's by root.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::link;
use crate::model::SourceAddress;
use crate::wire::lease::{self, Options};

/// Longest file that is read, in bytes.
const MOST: u64 = 256 * 1024;
const NETWORKD: &str = "/run/systemd/netif";
const DHCLIENT: [&str; 2] = ["/var/lib/dhcp", "/var/lib/dhclient"];
const NETWORK_MANAGER: &str = "/run/NetworkManager/devices";
const DHCPCD: &str = "/var/lib/dhcpcd";

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noted {
    /// The options.
    pub options: Options,
    /// Whether a client's notes on this way out could be read that would name a captive portal's API: without,
    /// its absence is not known.
    pub readable: bool,
}

/// The notes on one way out: of its interface, or of the default route's.
pub fn noted(source: &SourceAddress) -> Noted {
    let by_default = || link::default_route4(source).ok().flatten().map(|route| route.interface);
    let Some(interface) = source.interface.clone().or_else(by_default) else {
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
        if let Some(text) = read_text(&below(NETWORKD, part).join(index)) {
            found.options = found.options.or(lease::networkd(&text));
            found.readable = true;
        }
    }
    if let Some(text) = read_text(&below(NETWORK_MANAGER, index)).filter(|_| !index.is_empty()) {
        found.options = found.options.or(lease::network_manager(&text));
    }
    if let Some(message) = read(&below(DHCPCD, &format!("{interface}.lease"))) {
        found.options = found.options.or(lease::dhcpcd(&message));
        found.readable = true;
    }
    for folder in DHCLIENT {
        for file in [format!("dhclient.{interface}.leases"), "dhclient.leases".to_owned()] {
            if let Some(text) = read_text(&below(folder, &file)).filter(|text| text.contains(interface)) {
                found.options = found.options.or(lease::dhclient(&text, interface));
                found.readable = true;
            }
        }
    }
    found
}

fn read_text(file: &Path) -> Option<String> {
    read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn read(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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

    #[test]
    fn each_clients_notes_are_found_where_it_keeps_them() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/lease/samples");
        for (sample, file, names_portals) in [
            ("networkd.txt", "run/systemd/netif/leases/2", true),
            ("networkmanager.txt", "run/NetworkManager/devices/2", false),
            ("dhclient.leases", "var/lib/dhcp/dhclient.eth0.leases", true),
            ("dhcpcd.lease", "var/lib/dhcpcd/eth0.lease", true),
        ] {
            let root = tempfile::tempdir().unwrap();
            let file = root.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::copy(format!("{folder}/{sample}"), &file).unwrap();
            let found = noted_in(root.path(), "eth0", "2");
            assert_eq!(
                found.options.proxy_script.as_deref(),
                Some("http://wpad.example/wpad.dat"),
                "{sample}"
            );
            assert_eq!(found.readable, names_portals, "{sample}");
            assert_eq!(noted_in(root.path(), "eth1", "3"), Noted::default(), "{sample}");
        }
    }
}

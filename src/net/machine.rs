//! Which machine this is and where it stands, without telling: to point out two roles at one desk, and
//! readings that were taken elsewhere.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr, UdpSocket};

use sha2::{Digest as _, Sha256};

use super::link;
use crate::model::Vantage;

/// A digest of the machine's id that cannot be turned back into it; `None` where there is none.
pub fn id() -> Option<String> {
    Some(digest("decision", &own_id()?, ""))
}

/// Where this machine stands now; `None` where the system does not tell it apart from others or does not
/// list its routes.
pub fn vantage() -> Option<Vantage> {
    let id = own_id()?;
    let routes = link::default_routes().ok()?;
    let mut ways: Vec<String> = routes
        .iter()
        .map(|route| format!("{} {} {:?}", route.interface, route.ipv6, route.gateway))
        .chain([local("0.0.0.0:0", "192.0.2.1:9"), local("[::]:0", "[2001:db8::1]:9")])
        .collect();
    ways.sort_unstable();
    ways.dedup();
    Some(Vantage { machine: digest("machine", &id, ""), network: digest("network", &id, &ways.join("\n")) })
}

fn own_id() -> Option<String> {
    let files = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
    let ids = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    ids.map(|id| id.trim().to_owned()).find(|id| !id.is_empty())
}

/// machine-id(5): never show the id itself, only a digest of one's own.
fn digest(what: &str, id: &str, more: &str) -> String {
    let more = if more.is_empty() { String::new() } else { format!("\n{more}") };
    let digest = Sha256::digest(format!("golive {what}\n{id}{more}"));
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The address that this machine would send from. Nothing is sent: a datagram socket is only told of a
/// place that is for documentation (RFC 5737, RFC 3849).
fn local(from: &str, toward: &str) -> String {
    let address = UdpSocket::bind(from).and_then(|socket| {
        socket.connect(toward)?;
        socket.local_addr()
    });
    match address.map(|address| address.ip()) {
        Ok(IpAddr::V6(ip)) => Ipv6Addr::from(u128::from(ip) >> 64 << 64).to_string(),
        Ok(ip) => ip.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_differ_by_machine_and_by_way_and_do_not_tell_which() {
        let id = "0123456789abcdef";
        let home = digest("network", id, "eth0 false Some(192.0.2.1)");
        assert_eq!(home.len(), 16);
        assert_ne!(home, digest("network", id, "wlan0 false Some(192.0.2.1)"));
        assert_ne!(home, digest("network", "another machine", "eth0 false Some(192.0.2.1)"));
        assert_ne!(
            digest("machine", id, ""),
            digest("decision", id, ""),
            "one use tells nothing of the other"
        );
        assert!(!home.contains(id));
    }
}

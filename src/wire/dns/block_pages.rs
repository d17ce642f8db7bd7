//! Addresses of block pages: what filters answer in the place of a name that they forbid.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Fortinet's DNS filter, default redirection (Fortinet community, "Various Block option under
/// DNS filter", article 260790).
const FORTIGUARD: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(208, 91, 112, 55)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xcdba, 0, 0, 0, 0, 0x3257, 0x9652)),
];

/// Whose block page an address is known to be.
pub fn owner(ip: IpAddr) -> Option<&'static str> {
    match ip {
        _ if FORTIGUARD.contains(&ip) => Some("FortiGuard"),
        // Cisco Umbrella's block pages, one address a category (hit-*.opendns.com).
        IpAddr::V4(v4) if matches!(v4.octets(), [146, 112, 61, 104..=110]) => Some("Cisco Umbrella"),
        _ => None,
    }
}

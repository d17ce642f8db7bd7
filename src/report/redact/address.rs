//! Addresses in the place of addresses: of the same family and the same standing (public,
//! private, a carrier's …), because judging tells these apart, and nobody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// True for addresses that name nobody: this machine itself, nowhere, and the published
/// addresses of filters' block pages.
pub(super) fn anonymous(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback()
        || ip.is_unspecified()
        || ip == IpAddr::V4(Ipv4Addr::BROADCAST)
        || crate::probe::dns::is_block_page(ip)
}

/// The address of this number that may stand for `ip`; `None` when there are no more.
pub(super) fn candidate(ip: IpAddr, number: u16) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => v4(ip, number).map(IpAddr::V4),
        IpAddr::V6(ip) => v6(ip, number).map(IpAddr::V6),
    }
}

fn v4(ip: Ipv4Addr, number: u16) -> Option<Ipv4Addr> {
    let [high, low] = number.to_be_bytes();
    let small = |a, b, c| (high == 0).then_some(Ipv4Addr::new(a, b, c, low));
    match ip.octets() {
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Ipv4Addr::new(10, 0, high, low)),
        [100, 64..=127, ..] => Some(Ipv4Addr::new(100, 64, high, low)),
        [169, 254, ..] => Some(Ipv4Addr::new(169, 254, high, low)),
        [198, 18..=19, ..] => Some(Ipv4Addr::new(198, 18, high, low)),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => small(203, 0, 113),
        [224..=255, ..] => Some(Ipv4Addr::new(239, 255, high, low)),
        // 6to4 relays' range, given up (RFC 7526), then IETF protocol assignments (RFC 6890):
        // public by their look, and no host's
        _ => match high {
            0 => Some(Ipv4Addr::new(192, 88, 99, low)),
            1 => Some(Ipv4Addr::new(192, 0, 0, low)),
            _ => None,
        },
    }
}

fn v6(ip: Ipv6Addr, number: u16) -> Option<Ipv6Addr> {
    let embedded = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    let prefix = match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => return Some(v4(embedded(high, low), number)?.to_ipv6_mapped()),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let inner = v4(embedded(high, low), number)?.to_bits().to_be_bytes();
            let [a, b, c, d] = inner;
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            return Some(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low));
        }
        [0x100, 0, 0, 0, ..] => [0x100, 0],
        [0xfc00..=0xfdff, ..] => [0xfd00, 0],
        [0xfe80..=0xfebf, ..] => [0xfe80, 0],
        [0x2001, 0xdb8, ..] => [0x2001, 0xdb8],
        [0xff00..=0xffff, ..] => [0xff0e, 0],
        // documentation (RFC 9637): public by its look, and no host's
        _ => [0x3fff, 0],
    };
    Some(Ipv6Addr::new(prefix[0], prefix[1], 0, 0, 0, 0, 0, number))
}

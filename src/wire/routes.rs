//! Default routes as Linux lists them: `/proc/net/route` and `/proc/net/ipv6_route` (proc(5)). Text
//! in, routes out; what is no line of such a list is left out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most routes that are looked at: a list may be as long as the internet's.
const MOST: usize = 100_000;
/// Most default routes that are kept.
const KEPT: usize = 64;
/// `RTF_UP` and `RTF_REJECT` (`linux/route.h`).
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// One default route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Default {
    /// Interface.
    pub interface: String,
    /// The next router; none on a link without one (a tunnel).
    pub gateway: Option<IpAddr>,
    /// Whether it is for IPv6.
    pub ipv6: bool,
    /// Its rank: the lowest is taken.
    pub metric: u32,
}

/// Default routes of `/proc/net/route`: interface, destination, gateway, flags, two counters, metric, mask,
/// addresses in hexadecimal as this machine stores them.
pub fn v4(text: &str) -> Vec<Default> {
    let address =
        |word: &str| u32::from_str_radix(word, 16).map(|word| Ipv4Addr::from(word.to_ne_bytes())).ok();
    let route = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [interface, to, via, flags, _, _, metric, mask, ..] = *words.as_slice() else { return None };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let everywhere = address(to)?.is_unspecified() && address(mask)?.is_unspecified();
        let gateway = address(via)?;
        (everywhere && is_usable(flags)).then(|| Default {
            interface: interface.to_owned(),
            gateway: (!gateway.is_unspecified()).then_some(gateway.into()),
            ipv6: false,
            metric: metric.parse().unwrap_or(u32::MAX),
        })
    };
    text.lines().take(MOST).filter_map(route).take(KEPT).collect()
}

/// Default routes of `/proc/net/ipv6_route`: destination, its length, source, its length, next hop, metric,
/// two counters, flags, interface, all in hexadecimal.
pub fn v6(text: &str) -> Vec<Default> {
    let address = |word: &str| (word.len() == 32).then(|| u128::from_str_radix(word, 16).ok()).flatten();
    let route = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [to, length, _, _, via, metric, _, _, flags, interface] = *words.as_slice() else { return None };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let everywhere = address(to)? == 0 && length == "00";
        let gateway = address(via)?;
        (everywhere && is_usable(flags) && interface != "lo").then(|| Default {
            interface: interface.to_owned(),
            gateway: (gateway != 0).then(|| Ipv6Addr::from(gateway).into()),
            ipv6: true,
            metric: u32::from_str_radix(metric, 16).unwrap_or(u32::MAX),
        })
    };
    text.lines().take(MOST).filter_map(route).take(KEPT).collect()
}

const fn is_usable(flags: u32) -> bool {
    flags & UP != 0 && flags & REJECT == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As Linux 6.1 lists a laptop with cable, cellular modem and VPN.
    #[cfg(target_endian = "little")]
    const V4: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wg0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0
eth0\t00000000\t010AA8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
wwan0\t00000000\t014DA8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
*\t00000000\t00000000\t0200\t0\t0\t900\t00000000\t0\t0\t0
eth0\t000AA8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
    const V6: &str = "\
2a000010000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe8000000000000000000000000000aa 00000064 00000003 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
";

    #[cfg(target_endian = "little")]
    #[test]
    fn default_routes_are_read_with_gateway_and_rank() {
        let route = |interface: &str, gateway: &str, metric| Default {
            interface: interface.to_owned(),
            gateway: gateway.parse().ok(),
            ipv6: gateway.contains(':'),
            metric,
        };
        let expected =
            [route("wg0", "", 50), route("eth0", "192.168.10.1", 100), route("wwan0", "192.168.77.1", 600)];
        assert_eq!(v4(V4), expected);
        assert_eq!(v6(V6), [route("eth0", "fe80::aa", 100)]);
    }

    proptest! {
        #[test]
        fn arbitrary_text_is_no_route_and_no_panic(text in "\\PC{0,300}") {
            let _ = (v4(&text), v6(&text));
        }
    }
}

//! Addresses that the internet does not route to a host (IANA's special-purpose registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an address is for that no host of the internet can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Special {
    /// Unspecified or discarded (RFC 1122, RFC 6666).
    Nowhere,
    /// This machine itself.
    Loopback,
    /// Private (RFC 1918, RFC 4193).
    Private,
    /// Between a carrier's translator and its customers (RFC 6598): 100.64.0.0/10.
    Carrier,
    /// Of one link only (RFC 3927, RFC 4291).
    LinkLocal,
    /// For benchmarks (RFC 2544), which proxies use as a placeholder.
    Benchmark,
    /// For documentation (RFC 5737, RFC 3849).
    Documentation,
    /// Multicast or reserved.
    NotAHost,
}

impl Special {
    /// What is special about an address; `None` for one that a public host can have.
    pub fn of(ip: IpAddr) -> Option<Self> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Option<Self> {
        Some(match ip.octets() {
            [0, ..] => Self::Nowhere,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::Carrier,
            [169, 254, ..] => Self::LinkLocal,
            [198, 18..=19, ..] => Self::Benchmark,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            [224..=255, ..] => Self::NotAHost,
            _ => return None,
        })
    }

    fn of_v6(ip: Ipv6Addr) -> Option<Self> {
        Some(match ip.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] | [0x100, 0, 0, 0, ..] => Self::Nowhere,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            // An IPv4 address as NAT64 writes it (RFC 6052, 2.1).
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                return Self::of_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
            }
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0x2001, 0xdb8, ..] => Self::Documentation,
            [0xff00..=0xffff, ..] => Self::NotAHost,
            _ => return None,
        })
    }

    /// For a sentence: "a private address".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nowhere => "nowhere",
            Self::Loopback => "this machine itself",
            Self::Private => "a private address",
            Self::Carrier => "a carrier's private address",
            Self::LinkLocal => "a link-local address",
            Self::Benchmark => "an address for benchmarks, which proxies use as a placeholder",
            Self::Documentation => "an address for documentation",
            Self::NotAHost => "no host's address",
        }
    }
}

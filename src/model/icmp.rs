//! ICMP errors: a router or firewall that says why it did not pass a packet on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Failure, Family};

/// An ICMP error about a packet of ours, and who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IcmpError {
    /// ICMP (RFC 792) or `ICMPv6` (RFC 4443): the two number their errors apart.
    pub family: Family,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// The address that said so: a firewall, a router, the host, or this machine.
    pub from: IpAddr,
}

impl IcmpError {
    /// What it means for an exchange.
    pub const fn failure(&self) -> Failure {
        match (self.family, self.kind, self.code) {
            (Family::V4, 3, 0 | 6 | 11) | (Family::V6, 1, 0) => Failure::NetUnreachable,
            (Family::V4, 3, 9 | 10 | 13) | (Family::V6, 1, 1 | 5 | 6) => Failure::Prohibited,
            (Family::V4, 3, 2 | 3) | (Family::V6, 1, 4) => Failure::Refused,
            (Family::V4, 3, _) | (Family::V6, 1, _) => Failure::HostUnreachable,
            _ => Failure::Other,
        }
    }

    /// True for "port unreachable": of UDP, nobody listens; of TCP, a filter, since a host resets.
    pub const fn is_port_unreachable(&self) -> bool {
        matches!((self.family, self.kind, self.code), (Family::V4, 3, 3) | (Family::V6, 1, 4))
    }

    /// True for "fragmentation needed" and "packet too big": a link on the way is narrower.
    pub const fn is_too_big(&self) -> bool {
        matches!((self.family, self.kind, self.code), (Family::V4, 3, 4) | (Family::V6, 2, _))
    }

    /// True for "time exceeded in transit": the packet came as far as the router that says so.
    pub const fn is_expired(&self) -> bool {
        matches!((self.family, self.kind, self.code), (Family::V4, 11, 0) | (Family::V6, 3, 0))
    }

    /// True when it came from this end of the exchange.
    pub fn is_from(&self, local: Option<SocketAddr>) -> bool {
        local.is_some_and(|local| local.ip() == self.from)
    }

    /// The registered name of its type and code (IANA, ICMP and `ICMPv6` parameters).
    pub const fn words(&self) -> &'static str {
        match (self.family, self.kind, self.code) {
            (Family::V4, 3, 0) => "network unreachable",
            (Family::V4, 3, 1) => "host unreachable",
            (Family::V4, 3, 2) => "protocol unreachable",
            (Family::V4, 3, 3) | (Family::V6, 1, 4) => "port unreachable",
            (Family::V4, 3, 4) => "fragmentation needed",
            (Family::V4, 3, 9) => "network administratively prohibited",
            (Family::V4, 3, 10) => "host administratively prohibited",
            (Family::V4, 3, 13) | (Family::V6, 1, 1) => "communication administratively prohibited",
            (Family::V4, 3, _) | (Family::V6, 1, _) => "destination unreachable",
            (Family::V4, 11, _) | (Family::V6, 3, _) => "time exceeded",
            (Family::V6, 2, _) => "packet too big",
            _ => "an ICMP error",
        }
    }
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.family {
            Family::V4 => "ICMP",
            Family::V6 => "ICMPv6",
        };
        write!(f, "{} ({name} type {} code {}) from {}", self.words(), self.kind, self.code, self.from)
    }
}

//! What every reading says about itself: from where, to where, when, how.

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Address family. IPv4 and IPv6 are judged apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address (an IPv4-mapped IPv6 address is IPv4).
    pub fn of(ip: IpAddr) -> Self {
        if ip.to_canonical().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// `IPv4` or `IPv6`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// One exchange with one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// The address really contacted.
    pub remote: SocketAddr,
    /// Our own address in it, when a socket got that far.
    pub local: Option<SocketAddr>,
    /// Milliseconds since the check started, on a monotonic clock.
    pub offset_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// From where a check measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceAddress {
    /// Interface name, when the path is bound to one.
    pub interface: Option<String>,
    /// Source address, when the path is bound to one.
    pub address: Option<IpAddr>,
}

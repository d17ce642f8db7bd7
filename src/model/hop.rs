//! How far packets get: what each TTL brought on the way to a host.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a packet that may pass so many routers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// TTL (IPv4) or hop limit (IPv6) that it was sent with.
    pub ttl: u8,
    /// What it came to.
    pub end: HopEnd,
    /// Who said so by ICMP; none when nobody did.
    pub from: Option<IpAddr>,
    /// Milliseconds until that was known.
    pub took_ms: f64,
}

/// What a packet with a limited TTL came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HopEnd {
    /// A router said that its TTL ran out there (ICMP time exceeded): it came so far.
    Expired,
    /// It was answered: a handshake, or a datagram.
    Answered,
    /// TCP: it was reset.
    Refused,
    /// Another ICMP error: prohibited, unreachable.
    Denied,
    /// Nothing came back.
    Silent,
}

impl HopEnd {
    /// Whether a longer TTL shows nothing more.
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Answered | Self::Refused | Self::Denied)
    }
}

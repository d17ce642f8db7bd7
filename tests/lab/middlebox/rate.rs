//! A policer: no queue, what is too much is dropped.
//!
//! nftables' bucket holds a second's worth and the burst, so that many bytes pass at once after a
//! pause. For a smaller bucket use the line's own policer.

use serde::Deserialize;

use super::mark::Way;
use super::nftables::{Table, chain, of_ports};
use super::{Installed, Place};

/// Drops what is over the rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Of IP packets, in 1000 bits a second.
    kbps: u32,
    /// What may pass at once after a pause, beside a second's worth.
    #[serde(default = "burst")]
    burst_kb: u32,
    /// Every flow by itself; else all share the rate.
    #[serde(default)]
    per_flow: bool,
    /// Which way.
    #[serde(default = "up")]
    way: Way,
    /// `tcp` or `udp`; else both, and all the rest.
    #[serde(default)]
    only: Option<Only>,
    /// Destination ports; empty: any.
    #[serde(default)]
    ports: Vec<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    Tcp,
    Udp,
}

fn burst() -> u32 {
    64
}

fn up() -> Way {
    Way::Up
}

impl RateLimit {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let rate = format!("limit rate over {} bytes/second burst {} kbytes", self.kbps * 125, self.burst_kb);
        let ways: &[&str] = match self.way {
            Way::Up => &["inside"],
            Way::Down => &["outside"],
            Way::Both => &["inside", "outside"],
        };
        let protocol = match self.only {
            Some(Only::Tcp) => "tcp",
            Some(Only::Udp) => "udp",
            None => "{ tcp, udp, icmp, icmpv6 }",
        };
        let of = of_ports(protocol, &self.ports);
        let rule = |way: &&str| {
            let over = if self.per_flow { format!("update @{way} {{ ct id {rate} }}") } else { rate.clone() };
            format!("iifname ${way} {of} {over} counter drop")
        };
        let set = |way: &&str| {
            format!("set {way} {{ typeof ct id; flags dynamic,timeout; timeout 1m; size 65535; }}\n")
        };
        let sets = ways.iter().map(set).collect::<Vec<_>>().concat();
        let rules = ways.iter().map(rule).collect::<Vec<_>>().join("\n ");
        let body = sets + &chain("forward", "filter hook forward priority mangle", &rules);
        Installed::new(place, "rate_limit").with(Table::load(place, &body))
    }
}

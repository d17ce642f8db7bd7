//! Address translation beside the venue router's own: a carrier's, a second one, a symmetric one.

use serde::Deserialize;

use super::nftables::{Table, chain};
use super::{Installed, Place};

/// Translates what leaves by the outside.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// Each destination sees another port of ours (RFC 4787: address and port-dependent mapping).
    /// Else Linux keeps the port where it can.
    #[serde(default)]
    symmetric: bool,
    /// IPv6, too (NAT66).
    #[serde(default)]
    ipv6: bool,
}

impl Nat {
    pub(super) fn install(&self, place: &Place) -> Installed {
        let family = if self.ipv6 { "" } else { "meta nfproto ipv4" };
        let ports = if self.symmetric { "random,fully-random" } else { "" };
        let rules = format!("oifname $outside {family} counter masquerade {ports}");
        // Before a router's own, since the first translation of a session counts.
        let body = chain("translate", "nat hook postrouting priority srcnat - 10", &rules);
        Installed::new(place, "nat").with(Table::load(place, &body))
    }
}

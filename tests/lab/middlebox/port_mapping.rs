//! A router that opens ports on request (NAT-PMP, PCP): miniupnpd. Nobody here asks it to.

use serde::Deserialize;

use super::{Installed, Place};
use crate::ground::peer::Peer;

/// Says which address the box has outside, unless that is a private one: then it says "network failure".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortMapping {}

impl PortMapping {
    #[expect(clippy::unused_self, reason = "a box without settings")]
    pub(super) fn install(&self, place: &Place) -> Installed {
        let config = format!(
            "ext_ifname={}\nlistening_ip={}\nenable_natpmp=yes\nenable_upnp=no\nport=0\n\
             deny 0-65535 0.0.0.0/0 0-65535\n",
            place.outside, place.inside
        );
        let server = Peer::of("miniupnpd", "miniupnpd-nftables")
            .file("miniupnpd.conf", config)
            .args(["-d", "-f", "miniupnpd.conf", "-P", "miniupnpd.pid"])
            .inside(place.namespace)
            .spawn()
            .await_udp(5351);
        Installed::new(place, "port_mapping").with(server)
    }
}

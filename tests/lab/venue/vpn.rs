//! A VPN that has taken the laptop's default route: a tunnel with an MTU of its own (VXLAN, which every
//! kernel has) to its gateway, which is the router here.

use super::address;
use crate::ground::namespace::Namespace;

/// Lays it.
pub(super) fn lay(laptop: &Namespace, router: &Namespace, mtu: u32) {
    let ends = [
        (laptop, address::LAPTOP[0], address::ROUTER[0], "10.8.0.2/24"),
        (router, address::ROUTER[0], address::LAPTOP[0], "10.8.0.1/24"),
    ];
    for (place, own, other, inside) in ends {
        let tunnel =
            format!("link add vpn0 mtu {mtu} type vxlan id 8 local {own} remote {other} dstport 4789");
        for words in [tunnel, format!("address add {inside} dev vpn0"), "link set vpn0 up".to_owned()] {
            place.ip(&words.split(' ').collect::<Vec<_>>());
        }
    }
    laptop.ip(&["-4", "route", "add", "default", "via", "10.8.0.1", "dev", "vpn0", "metric", "10"]);
}

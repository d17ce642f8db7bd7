//! Reads what the system says, and asks the gateway.

use super::{DefaultRoute, Duplex, Gateway, Medium, Reading, Target};
use crate::model::{Cause, Demand, Endpoint, NotMeasured, Transport};
use crate::net::link::{self, CLOSED_PORT, Interface, REQUESTS};
use crate::probe::Env;
use crate::wire::routes;

/// `ARPHRD_…` (`linux/if_arp.h`): Ethernet, raw IP of a modem, none.
const ETHERNET: u32 = 1;
const RAW_IP: u32 = 519;
const NONE: u32 = 65_534;

pub(super) fn demand(target: &Target) -> Demand {
    let mut demand = Demand { seconds: 0.1, seconds_max: 15.0, ..Demand::default() };
    if target.gateway {
        let gateway =
            |port, transport| Endpoint { implied: true, ..Endpoint::new("default gateway", port, transport) };
        demand.endpoints = vec![gateway(0, Transport::Icmp), gateway(CLOSED_PORT, Transport::Udp)];
        demand.packets = u64::from(REQUESTS) * 2;
        demand.bytes_up = demand.packets * 100;
        demand.bytes_down = demand.bytes_up;
        demand.seconds = 1.0;
    }
    demand
}

pub(super) async fn measure(target: &Target, env: &Env) -> Result<Reading, NotMeasured> {
    let routes = link::default_routes()?;
    let name = interface(&routes, env)?;
    let own = link::interface(&name)?;
    let mut reading = Reading {
        method: "/sys/class/net and /proc/net".to_owned(),
        medium: medium(&name, &own),
        speed_mbps: own.speed_mbps,
        duplex: own.duplex.map(|word| if word == "half" { Duplex::Half } else { Duplex::Full }),
        mtu_bytes: own.mtu_bytes,
        carrier: own.carrier,
        carrier_losses: own.carrier_losses,
        packets: own.packets,
        errors: own.errors,
        power_saving: own.sleeps,
        default_routes: routes.iter().map(shown).collect(),
        gateway: None,
        interface: name,
    };
    // A link-local gateway needs a scope that surge-ping does not take; IPv4's is the same box.
    let of_this = |route: &&routes::Default| route.interface == reading.interface;
    let gateway = routes.iter().filter(of_this).filter_map(|route| route.gateway);
    let gateway = gateway.filter(|gateway| !is_link_local(gateway)).find(|_| target.gateway);
    if let Some(address) = gateway {
        let asked = tokio::select! {
            asked = link::round_trips(address, &env.source, &env.origin, &env.cancel) => asked?,
            () = env.cancel.cancelled() => return Err(NotMeasured::cancelled()),
        };
        reading.gateway = Some(Gateway { address, by: asked.0, requests: REQUESTS, round_trips_ms: asked.1 });
    }
    Ok(reading)
}

fn is_link_local(address: &std::net::IpAddr) -> bool {
    matches!(address, std::net::IpAddr::V6(address) if address.is_unicast_link_local())
}

fn shown(route: &routes::Default) -> DefaultRoute {
    DefaultRoute {
        interface: route.interface.clone(),
        address: route.gateway,
        ipv6: route.ipv6,
        metric: route.metric,
    }
}

/// The interface of the path, else the one by which most leaves: IPv4's best default route.
fn interface(routes: &[routes::Default], env: &Env) -> Result<String, NotMeasured> {
    if let Some(interface) = &env.source.interface {
        return Ok(interface.clone());
    }
    if env.source.address.is_some() {
        return Err(NotMeasured::new(
            Cause::NoPath,
            "the path names a source address and no interface",
            "name the interface of this [path] in the policy, too (`ip address` lists them)",
        ));
    }
    let best = routes.iter().min_by_key(|route| (route.ipv6, route.metric));
    best.map(|route| route.interface.clone()).ok_or_else(|| {
        NotMeasured::new(
            Cause::NoPath,
            "this machine has no default route",
            "connect it to the network that the stream will use, then run the check again",
        )
    })
}

/// What a driver says of its device, and where it says nothing, what the kernel calls it.
fn medium(name: &str, own: &Interface) -> Medium {
    let kind = own.device_type.as_deref().unwrap_or_default();
    match own.hardware {
        _ if own.is_tun || matches!(kind, "wireguard" | "vti" | "gre" | "ipip" | "sit" | "xfrm") => {
            Medium::Vpn
        }
        _ if own.is_wireless || kind == "wlan" => Medium::Wifi,
        _ if kind == "wwan" || ["wwan", "wwp", "wwx", "rmnet"].iter().any(|word| name.starts_with(word)) => {
            Medium::Cellular
        }
        Some(RAW_IP) => Medium::Cellular,
        Some(NONE) => Medium::Vpn,
        Some(ETHERNET) => Medium::Wired,
        _ => Medium::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_leaves_by_the_best_default_route_unless_the_path_says_otherwise() {
        let route = |interface: &str, ipv6, metric| routes::Default {
            interface: interface.to_owned(),
            gateway: None,
            ipv6,
            metric,
        };
        let all = [route("eth0", false, 100), route("wg0", false, 50), route("wwan0", true, 10)];
        let mut env = Env::bare(crate::model::CheckId::new("link").unwrap());
        assert_eq!(interface(&all, &env).unwrap(), "wg0");
        assert_eq!(interface(&all[2..], &env).unwrap(), "wwan0");
        assert_eq!(interface(&[], &env).unwrap_err().cause, Cause::NoPath);
        env.source.interface = Some("eth0".to_owned());
        assert_eq!(interface(&all, &env).unwrap(), "eth0");
    }

    #[test]
    fn a_device_is_what_its_driver_says() {
        let of = |name: &str, kind: &str, hardware| {
            let device_type = Some(kind.to_owned()).filter(|kind| !kind.is_empty());
            medium(name, &Interface { device_type, hardware: Some(hardware), ..Interface::default() })
        };
        assert_eq!(of("enp3s0", "", ETHERNET), Medium::Wired);
        assert_eq!(of("br0", "bridge", ETHERNET), Medium::Wired);
        assert_eq!(of("wlp2s0", "wlan", ETHERNET), Medium::Wifi);
        assert_eq!(of("wg0", "wireguard", NONE), Medium::Vpn);
        assert_eq!(of("wwan0", "", ETHERNET), Medium::Cellular);
        assert_eq!(of("usb0", "wwan", ETHERNET), Medium::Cellular);
        assert_eq!(of("rmnet_data0", "", RAW_IP), Medium::Cellular);
        assert_eq!(of("ppp0", "ppp", 512), Medium::Other);
        let tap = Interface { is_tun: true, hardware: Some(ETHERNET), ..Interface::default() };
        assert_eq!(medium("tap0", &tap), Medium::Vpn);
        let old = Interface { is_wireless: true, hardware: Some(ETHERNET), ..Interface::default() };
        assert_eq!(medium("wlan0", &old), Medium::Wifi);
    }
}

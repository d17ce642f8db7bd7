use proptest::prelude::*;

use super::*;
use crate::model::{Cause, CheckId, Effect, Limits as _, SourceAddress};

/// A cable as it should be.
fn reading() -> Reading {
    Reading {
        method: String::new(),
        interface: "enp3s0".to_owned(),
        medium: Medium::Wired,
        speed_mbps: Some(1000),
        duplex: Some(Duplex::Full),
        mtu_bytes: Some(1500),
        carrier: Some(true),
        carrier_losses: Some(1),
        packets: Some(1_000_000),
        errors: Some(2),
        power_saving: Some(false),
        default_routes: vec![route("enp3s0", 100), route("wwan0", 600)],
        gateway: None,
    }
}

fn route(interface: &str, metric: u32) -> DefaultRoute {
    DefaultRoute { interface: interface.to_owned(), address: None, ipv6: false, metric }
}

fn limits(text: &str) -> Limits {
    toml::from_str(text).unwrap()
}

const ALL: &str = "media = [\"wired\", \"wifi\"]\npreferred = [\"wired\"]\nspeed_mbps = 100.0\n\
    duplex = \"full\"\nmtu_bytes = 1400\nerrors_per_million = 100.0\npower_saving = false";

/// Codes that are no pass, with their effects.
fn found(text: &str, change: impl FnOnce(&mut Reading)) -> Vec<(String, Effect)> {
    let mut reading = reading();
    change(&mut reading);
    let findings = Link::judge(&limits(text), &reading);
    let bad = findings.into_iter().filter(|finding| finding.effect != Effect::Pass);
    bad.map(|finding| (finding.code, finding.effect)).collect()
}

fn one(code: &str, effect: Effect) -> Vec<(String, Effect)> {
    vec![(code.to_owned(), effect)]
}

#[test]
fn a_good_cable_passes_every_limit() {
    assert_eq!(found(ALL, |_| ()), []);
    assert_eq!(Link::judge(&limits(ALL), &reading()).len(), 6);
    assert_eq!(found("", |_| ()), []);
    let rows: Vec<String> = limits(ALL).rows().into_iter().map(|row| row.bound).collect();
    assert_eq!(rows[..2], ["one of [\"wired\", \"wifi\"]", "one of [\"wired\"]"]);
}

#[test]
fn each_trouble_of_a_link_is_named() {
    let fail = |code| one(code, Effect::Fail);
    assert_eq!(found(ALL, |r| r.speed_mbps = Some(10)), fail("link.slow"));
    assert_eq!(found(ALL, |r| r.duplex = Some(Duplex::Half)), fail("link.other_duplex"));
    assert_eq!(found(ALL, |r| r.mtu_bytes = Some(1280)), fail("link.small_mtu"));
    assert_eq!(found(ALL, |r| r.errors = Some(20_000)), fail("link.errors"));
    assert_eq!(found(ALL, |r| r.carrier = Some(false)), fail("link.no_carrier"));
    assert_eq!(found(ALL, |r| r.medium = Medium::Cellular)[0], fail("link.not_allowed")[0]);
    assert_eq!(found(ALL, |r| r.medium = Medium::Vpn), fail("link.vpn"));
    let warn = |code| one(code, Effect::Warn);
    assert_eq!(found(ALL, |r| r.power_saving = Some(true)), warn("link.power_saving"));
    assert_eq!(found(ALL, |r| r.default_routes[1].metric = 100), warn("link.several_routes"));
    assert_eq!(found("", |r| r.medium = Medium::Vpn), warn("link.vpn"));
    assert_eq!(found("preferred = [\"wired\"]", |r| r.medium = Medium::Vpn), warn("link.vpn"));
    assert_eq!(found("preferred = [\"vpn\"]", |r| r.medium = Medium::Vpn), []);
}

/// Wi-Fi as a laptop's driver tells of it: no speed, no duplex.
#[test]
fn wifi_is_a_warning_by_policy_and_what_is_not_told_is_no_pass() {
    let wifi = |r: &mut Reading| {
        (r.medium, r.speed_mbps, r.duplex) = (Medium::Wifi, None, None);
    };
    let warned = found(ALL, wifi);
    assert_eq!(
        warned,
        [one("link.not_preferred", Effect::Warn), one("link.not_told", Effect::Warn)].concat()
    );
    assert_eq!(found("media = [\"wifi\"]", wifi), []);
    let mute = |r: &mut Reading| {
        (r.speed_mbps, r.duplex, r.mtu_bytes, r.errors, r.power_saving) = (None, None, None, None, None);
    };
    assert_eq!(found(ALL, mute), vec![("link.not_told".to_owned(), Effect::Warn); 5]);
}

#[test]
fn the_gateway_is_judged_by_its_median_or_not_at_all() {
    let limit = "gateway_ms = 5.0";
    let answered = |trips: &[f64]| {
        let trips = trips.to_vec();
        found(limit, move |r| {
            let address = "192.168.1.1".parse().unwrap();
            r.gateway = Some(Gateway { address, by: Asked::Echo, requests: 5, round_trips_ms: trips });
        })
    };
    assert_eq!(answered(&[0.4, 90.0, 0.5]), []);
    assert_eq!(answered(&[40.0, 9.0, 0.5]), one("link.gateway_far", Effect::Fail));
    assert_eq!(answered(&[]), one("link.gateway_silent", Effect::Unknown));
    assert_eq!(found(limit, |_| ()), one("link.gateway_silent", Effect::Unknown));
}

#[test]
fn only_the_gateway_costs_packets_and_the_machine_names_it() {
    assert!(Link::demand(&Target::default(), &BTreeMap::new()).endpoints.is_empty());
    let demand = Link::demand(&Target { gateway: true }, &BTreeMap::new());
    assert!(demand.endpoints.iter().all(|endpoint| endpoint.implied) && demand.packets == 10);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn this_machine_is_read_or_says_why_not() {
    let mut env = Env::bare(CheckId::new("link").unwrap());
    env.source = SourceAddress { interface: Some("lo".to_owned()), address: None };
    let reading = Link::measure(&Target { gateway: true }, &env).await.unwrap();
    assert_eq!((reading.medium, reading.gateway.is_none()), (Medium::Other, true));
    let stored = serde_json::to_string(&reading).unwrap();
    assert_eq!(serde_json::from_str::<Reading>(&stored).unwrap(), reading);
    for (interface, address) in [(Some("nonesuch0"), None), (None, Some("127.0.0.1"))] {
        env.source = SourceAddress {
            interface: interface.map(str::to_owned),
            address: address.map(|address| address.parse().unwrap()),
        };
        assert_eq!(Link::measure(&Target::default(), &env).await.unwrap_err().cause, Cause::NoPath);
    }
}

proptest! {
    #[test]
    fn judging_is_total(
        packets in any::<Option<u64>>(),
        errors in any::<Option<u64>>(),
        trips in prop::collection::vec(any::<f64>(), 0..6),
        interface in "\\PC{0,20}",
    ) {
        let mut reading = reading();
        (reading.packets, reading.errors, reading.interface) = (packets, errors, interface);
        let address = "fe80::1".parse().unwrap();
        reading.gateway = Some(Gateway { address, by: Asked::ClosedPort, requests: 5, round_trips_ms: trips });
        let findings = Link::judge(&limits(&format!("{ALL}\ngateway_ms = 5.0")), &reading);
        let bare = findings.iter().any(|finding| finding.observed.contains('\u{1b}'));
        prop_assert!(!bare, "text is escaped");
    }
}

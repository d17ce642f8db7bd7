use proptest::prelude::*;

use super::*;

const NFTABLES: &str = include_str!("samples/nftables.json");
const IPTABLES: &str = include_str!("samples/iptables.txt");

pub(super) fn packet(to: &str, transport: Transport, port: u16) -> Packet {
    Packet { to: to.parse().unwrap(), port, transport, interface: None }
}

/// `allowed`, or what stops it, or `?` before what may.
pub(super) fn said(chains: &[Chain], packet: &Packet) -> String {
    match decide(chains, packet) {
        Outcome::Allowed => "allowed".to_owned(),
        Outcome::Blocked(decider) => decider.to_string(),
        Outcome::Unsure(deciders) => {
            deciders.iter().map(|decider| format!("? {decider}")).collect::<Vec<_>>().join("; ")
        }
    }
}

/// As nft 1.0.6 printed a ruleset that it had loaded.
#[test]
fn the_rule_of_nftables_that_decides_is_named() {
    let chains = nftables::parse(NFTABLES).unwrap();
    let tcp = |to, port| said(&chains, &packet(to, Transport::Tcp, port));
    let udp = |to, port| said(&chains, &packet(to, Transport::Udp, port));
    for allowed in [("45.50.0.10", 1935), ("45.60.0.10", 1935), ("2a00:50::10", 1935), ("192.0.2.1", 8080)] {
        assert_eq!(tcp(allowed.0, allowed.1), "allowed", "{allowed:?}");
    }
    assert_eq!(udp("192.0.2.1", 53), "allowed");
    assert_eq!(tcp("45.50.0.66", 1935), "inet filter, chain streams: ip daddr 45.50.0.66 drop (handle 15)");
    assert_eq!(tcp("192.0.2.1", 8001), "ip other, chain out: tcp dport 8001 drop (handle 2)");
    assert_eq!(tcp("2001:db8::1", 8001), "allowed", "the other table is for IPv4");
    // Which user sends is not known here, but the end is the same.
    assert!(tcp("192.0.2.1", 1935).starts_with("inet filter, chain output: drop (handle"));
    assert!(tcp("192.0.2.1", 5001).starts_with("inet filter, chain output: tcp dport 5001 reject"));
    // A limit is neither met nor unmet.
    assert!(
        udp("192.0.2.1", 9000).contains("? inet filter, chain output: drop (handle 14)"),
        "{}",
        udp("192.0.2.1", 9000)
    );
    let over_loopback = Packet { interface: Some("lo".to_owned()), ..packet("127.0.0.1", Transport::Tcp, 1) };
    assert_eq!(decide(&chains, &over_loopback), Outcome::Allowed);
}

/// As iptables-save 1.8.9 printed them.
#[test]
fn the_rule_of_iptables_that_decides_is_named() {
    let chains = iptables::parse(IPTABLES, true);
    let tcp = |to, port| said(&chains, &packet(to, Transport::Tcp, port));
    assert_eq!(tcp("192.0.2.1", 443), "allowed", "a comment is no option");
    assert_eq!(tcp("192.0.2.1", 8080), "allowed");
    assert_eq!(tcp("45.50.0.10", 1935), "allowed");
    assert_eq!(
        tcp("45.50.0.66", 1935),
        "iptables filter, chain STREAMS: -d 45.50.0.66/32 -j REJECT --reject-with icmp-admin-prohibited"
    );
    assert_eq!(tcp("192.0.2.1", 1935), "iptables filter, chain OUTPUT: its policy drop");
    assert_eq!(
        tcp("192.0.2.1", 5001),
        "iptables filter, chain OUTPUT: -p tcp -m tcp --dport 5001 -j REJECT --reject-with tcp-reset"
    );
    // Only one user's datagrams may leave, and not to this port.
    let udp = |port| said(&chains, &packet("192.0.2.1", Transport::Udp, port));
    assert_eq!(udp(9000), "iptables filter, chain OUTPUT: its policy drop");
    assert_eq!(udp(9001), "? iptables filter, chain OUTPUT: its policy drop");
}

#[test]
fn no_rules_allow_everything() {
    assert_eq!(decide(&[], &packet("192.0.2.1", Transport::Tcp, 1935)), Outcome::Allowed);
    let empty = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}]}"#;
    assert_eq!(nftables::parse(empty).unwrap(), []);
    assert!(nftables::parse("{}").is_err() && nftables::parse("").is_err());
}

#[test]
fn jumps_in_a_circle_end() {
    let circle = "*filter\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A OUTPUT -j A\n-A A -j B\n-A A -j B\n-A B -j A\n-A B -j A\nCOMMIT\n";
    let chains = iptables::parse(circle, true);
    let decided = decide(&chains, &packet("192.0.2.1", Transport::Tcp, 1935));
    assert!(matches!(decided, Outcome::Unsure(deciders) if deciders.len() <= MOST_DOUBTS));
}

#[test]
fn networks_hold_their_addresses() {
    let is = |address: &str, network: &str, length| {
        let (low, high) = super::network(network.parse().unwrap(), length).unwrap();
        is_in(address.parse().unwrap(), low, high)
    };
    assert!(is("10.1.2.3", "10.0.0.0", 8) && !is("11.0.0.1", "10.0.0.0", 8));
    assert!(is("192.0.2.1", "0.0.0.0", 0) && !is("192.0.2.1", "::", 0));
    assert!(is("2a00:50::1", "2a00:50::", 64) && !is("2a00:51::1", "2a00:50::", 64));
    assert!(is("192.0.2.1", "192.0.2.1", 32) && !is("192.0.2.2", "192.0.2.1", 32));
}

/// Values that a hostile or newer tool could print in the place of those that are read.
fn mangled(value: &serde_json::Value, at: &mut usize, with: &serde_json::Value) -> serde_json::Value {
    let here = *at == 0;
    *at = at.wrapping_sub(1);
    if here {
        return with.clone();
    }
    match value {
        serde_json::Value::Array(list) => list.iter().map(|inner| mangled(inner, at, with)).collect(),
        serde_json::Value::Object(object) => {
            let inner = object.iter().map(|(key, inner)| (key.clone(), mangled(inner, at, with)));
            serde_json::Value::Object(inner.collect())
        }
        plain => plain.clone(),
    }
}

const NETSH: [&str; 2] = [include_str!("samples/netsh_profile.txt"), include_str!("samples/netsh_rules.txt")];
const PF: &str = include_str!("samples/pf.txt");

/// In the form that netsh prints in English, with rules of every kind that are read.
#[test]
fn the_rule_of_windows_that_decides_is_named() {
    let chains = windows::netsh::parse(NETSH[0], NETSH[1]).unwrap();
    let tcp = |to, port| said(&chains, &packet(to, Transport::Tcp, port));
    let udp = |to, port| said(&chains, &packet(to, Transport::Udp, port));
    assert_eq!(tcp("192.0.2.1", 1935), "Windows Firewall, chain outbound: rule \"No RTMP\"");
    assert_eq!(tcp("192.0.2.1", 443), "allowed", "off, of another profile, or for what comes in");
    for (to, port) in [("45.50.0.10", 9005), ("2a00:50::10", 10080)] {
        assert_eq!(udp(to, port), "Windows Firewall, chain outbound: rule \"No SRT to there\"");
    }
    assert_eq!(udp("45.51.0.10", 9005), "allowed");
    assert_eq!(tcp("198.51.100.9", 443), "? Windows Firewall, chain outbound: rule \"No OBS\"");
    assert_eq!(tcp("198.51.100.10", 443), "allowed");
}

#[test]
fn what_the_profile_of_windows_does_by_itself_is_told() {
    let closed = NETSH[0].replace("AllowOutbound", "BlockOutbound");
    let chains = windows::netsh::parse(&closed, NETSH[1]).unwrap();
    let tcp = |port| said(&chains, &packet("192.0.2.1", Transport::Tcp, port));
    assert_eq!(tcp(443), "Windows Firewall, chain outbound: its policy drop");
    assert_eq!(tcp(1936), "allowed", "by a rule");
    let off = NETSH[0].replace(" ON", " OFF");
    assert_eq!(windows::netsh::parse(&off, NETSH[1]).unwrap(), []);
    // German, and nothing at all.
    let german = "Regelname:    Kein RTMP\r\nAktiviert:    Ja\r\nOK.";
    assert!(windows::netsh::parse(NETSH[0], german).is_err() && windows::netsh::parse("", NETSH[1]).is_err());
}

/// In the form that pfctl(8) of macOS prints.
#[test]
fn the_rule_of_pf_that_decides_is_named() {
    let chains = pf::parse(PF, &pf::Beside::default()).unwrap();
    let tcp = |to, port| said(&chains, &packet(to, Transport::Tcp, port));
    let udp = |to, port| said(&chains, &packet(to, Transport::Udp, port));
    assert_eq!(
        tcp("192.0.2.1", 1935),
        "pf, chain rules: block drop out proto tcp from any to any port = macromedia-fcs"
    );
    assert_eq!(tcp("45.50.0.10", 1935), "allowed", "the last rule that is met decides");
    assert_eq!(udp("192.0.2.1", 9000), "allowed", "and an anchor's stands before those after it");
    assert!(tcp("198.51.100.7", 443).ends_with("to 198.51.100.0/24"));
    assert!(tcp("192.0.2.1", 8001).starts_with("? pf, chain rules: block drop out proto tcp from any to <b"));
    assert_eq!(tcp("192.0.2.1", 8003), "allowed", "its ends are not between");
    assert!(tcp("192.0.2.1", 5001).starts_with("? "), "whose packet it is is not known");
    let over = |name: &str| {
        let by = Some(name.to_owned());
        said(&chains, &Packet { interface: by, ..packet("45.50.0.66", Transport::Udp, 443) })
    };
    assert!(over("en0").ends_with("label \"no quic\""));
    assert_eq!(over("en1"), "allowed");
    assert!(pf::is_enabled("Status: Enabled for 0 days 00:03:24   Debug: Urgent\n").unwrap());
    assert!(!pf::is_enabled("Status: Disabled   Debug: Urgent\n").unwrap());
    assert!(pf::is_enabled("").is_err());
}

#[test]
fn text_that_is_cut_anywhere_is_no_panic_and_netsh_s_is_told() {
    for at in 0..PF.len() {
        if let Ok(chains) = pf::parse(&PF[..at], &pf::Beside::default()) {
            let _ = decide(&chains, &packet("45.50.0.66", Transport::Udp, 443));
        }
    }
    for [whole, other] in [NETSH, [NETSH[1], NETSH[0]]] {
        for at in 0..whole.trim_end().len() {
            let cut = &whole[..at];
            let parsed = if other == NETSH[1] {
                windows::netsh::parse(cut, other)
            } else {
                windows::netsh::parse(other, cut)
            };
            assert!(parsed.is_err(), "cut at {at}");
        }
    }
    let deep = "anchor \"a\" all {\n".repeat(100_000);
    assert!([&deep, "}"].iter().all(|text| pf::parse(text, &pf::Beside::default()).is_err()));
}

proptest! {
    #[test]
    fn arbitrary_text_is_no_panic(text in "[-*: a-zA-Z0-9!\"\\\\/.,\n]{0,300}") {
        let chains = iptables::parse(&format!("*filter\n:OUTPUT DROP\n-A OUTPUT {text}"), true);
        let _ = decide(&chains, &packet("192.0.2.1", Transport::Tcp, 1935));
        let _ = nftables::parse(&text);
        let lines = format!("block out {text}\n{text} {{\n{text}\n}}");
        let _ = pf::parse(&lines, &pf::Beside::default()).map(|chains| decide(&chains, &packet("192.0.2.1", Transport::Tcp, 1935)));
        let _ = windows::netsh::parse(NETSH[0], &format!("Rule Name: x\nEnabled: Yes\nDirection: Out\nProfiles: Public\nRemoteIP: {text}\nAction: Block\nOk."));
    }

    #[test]
    fn a_mangled_ruleset_is_no_panic_and_never_longer_to_walk(
        at in 0_usize..900,
        with in prop::sample::select(vec!["null", "[]", "{}", "-1", "1e99", "\"x\"", "{\"set\": [null]}", "[[1]]"]),
    ) {
        let whole: serde_json::Value = serde_json::from_str(NFTABLES).unwrap();
        let mut at = at;
        let mangled = mangled(&whole, &mut at, &serde_json::from_str(with).unwrap());
        if let Ok(chains) = nftables::parse(&mangled.to_string()) {
            for port in [443, 1935, 9000] {
                let _ = decide(&chains, &packet("45.50.0.10", Transport::Udp, port));
            }
        }
    }
}

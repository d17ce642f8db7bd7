//! In the forms that pfctl(8) and ifconfig(8) of FreeBSD and macOS print (`print_rule`, `print_iface` of pfctl's
//! source): no such machine was at hand.

use proptest::prelude::*;

use super::*;
use crate::model::Transport;
use crate::wire::firewall::tests::{packet, said};
use crate::wire::firewall::{Packet, decide};

const RULES: &str = "\
anchor in on em0 all {
  block drop in all
}
anchor out on egress inet proto tcp all {
  block drop out proto tcp from any to <shut> port = 8443
  block return out proto tcp from any to any port = 1935
}
pass out all flags S/SA keep state
block drop out on wg proto udp from any to any port = 9000
block drop out quick proto tcp from any to <shut>
block drop out quick proto tcp from any to ! <open> port = 8080
block drop out quick on any proto tcp from any to any port = 8081
";
const INTERFACES: &str = "all\negress\nem0\nlo\nlo0 (skip)\nwg\nwg0\nwg1 (skip)\n";
const IFCONFIG: &str = "\
em0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500
\tether 52:54:00:12:34:56
\tinet 192.0.2.7 netmask 0xffffff00 broadcast 192.0.2.255
\tgroups: egress
lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
\tgroups: lo
wg0: flags=10080c1<UP,RUNNING,NOARP,MULTICAST> metric 0 mtu 1420
\tgroups: wg
wg1: flags=10080c1<UP,RUNNING,NOARP,MULTICAST> metric 0 mtu 1420
\tgroups: wg
";
const SHUT: &str = "   198.51.100.0/24\n   203.0.113.9\n   2001:db8:1::/48\n";

fn beside() -> Beside {
    let networks = |text| table(text).unwrap();
    let tables = [("shut", networks(SHUT)), ("open", networks("   45.50.0.10\n"))];
    Beside {
        skipped: skipped(INTERFACES),
        groups: groups(IFCONFIG),
        tables: tables.map(|(name, networks)| (name.to_owned(), networks)).into(),
    }
}

fn over(interface: &str, to: &str, transport: Transport, port: u16) -> String {
    let chains = parse(RULES, &beside()).unwrap();
    said(&chains, &Packet { interface: Some(interface.to_owned()), ..packet(to, transport, port) })
}

#[test]
fn groups_skipped_interfaces_and_tables_are_looked_up() {
    use Transport::{Tcp, Udp};
    let quick = |rule: &str| format!("pf, chain rules: block drop out quick {rule}");
    assert!(over("wg0", "192.0.2.1", Udp, 9000).ends_with("on wg proto udp from any to any port = 9000"));
    assert_eq!(over("em0", "192.0.2.1", Udp, 9000), "allowed", "it is in no such group");
    assert_eq!(over("wg1", "203.0.113.9", Tcp, 443), "allowed", "it is not filtered");
    for to in ["198.51.100.200", "203.0.113.9", "2001:db8:1::5"] {
        assert_eq!(over("em0", to, Tcp, 443), quick("proto tcp from any to <shut>"));
    }
    assert_eq!(over("em0", "203.0.113.8", Tcp, 443), "allowed");
    assert_eq!(over("em0", "45.50.0.10", Tcp, 8080), "allowed");
    assert!(over("em0", "45.50.0.11", Tcp, 8080).ends_with("to ! <open> port = 8080"));
    assert!(over("em0", "192.0.2.1", Tcp, 8081).ends_with("on any proto tcp from any to any port = 8081"));
}

#[test]
fn anchors_without_a_name_keep_their_tests() {
    use Transport::Tcp;
    // The first is for what comes in; by the second's group, RTMP would be refused, but the last rule decides.
    let without_pass = RULES.replace("pass out all flags S/SA keep state\n", "");
    let chains = parse(&without_pass, &beside()).unwrap();
    let by = |interface: &str, port| {
        said(&chains, &Packet { interface: Some(interface.to_owned()), ..packet("192.0.2.1", Tcp, port) })
    };
    assert!(by("em0", 1935).ends_with("block return out proto tcp from any to any port = 1935"));
    assert_eq!(by("wg0", 1935), "allowed", "another group");
    assert_eq!(over("em0", "192.0.2.1", Tcp, 1935), "allowed");
    // The anchor may have a table of its own.
    assert!(
        by("em0", 8443).starts_with("? pf, chain rules: block drop out proto tcp from any to <shut> port")
    );
}

#[test]
fn what_is_not_told_beside_the_rules_is_not_known() {
    let chains = parse(RULES, &Beside::default()).unwrap();
    let by = |to, transport, port| {
        said(&chains, &Packet { interface: Some("wg0".to_owned()), ..packet(to, transport, port) })
    };
    assert!(by("192.0.2.1", Transport::Udp, 9000).starts_with("? pf, chain rules: block drop out on wg"));
    assert!(
        by("192.0.2.1", Transport::Tcp, 443).starts_with("? pf, chain rules: block drop out quick proto tcp")
    );
    assert_eq!(groups("en0: flags=8863<UP>\n\tstatus: active\n"), None, "as macOS tells");
    assert_eq!(table("   10.0.0.0/8\n   !10.1.0.0/16\n"), None);
    assert_eq!(table("pfctl: Table does not exist.\n"), None);
    assert_eq!(table("\n"), Some(Vec::new()));
}

#[test]
fn an_anchor_for_many_that_shows_nothing_may_hold_anything() {
    let udp = |rules: &str| {
        said(&parse(rules, &Beside::default()).unwrap(), &packet("192.0.2.1", Transport::Udp, 9000))
    };
    assert_eq!(udp("anchor \"com.apple/*\" all {\n}\n"), "? pf, chain rules: anchor \"com.apple/*\" all");
    assert_eq!(
        udp("anchor \"com.apple/*\" out proto tcp all {\n}\n"),
        "allowed",
        "not for UDP, whatever it holds"
    );
    assert_eq!(udp("anchor \"com.apple/*\" all {\n  anchor \"a\" all {\n  }\n}\n"), "allowed");
    assert_eq!(udp("anchor in all {\n  anchor \"x/*\" all {\n  }\n}\n"), "allowed", "for what comes in");
    assert!(udp("anchor \"ftp-proxy/*\" all\n").starts_with("? "), "without brackets");
}

#[test]
fn only_names_of_tables_become_arguments() {
    assert_eq!(tables(RULES), ["open", "shut"]);
    assert_eq!(tables("from any to <-T> to <a;b> to <> to <a.b_c-1> to <x"), ["a.b_c-1"]);
    let many: Vec<String> = (0..100).map(|n| format!("block out from any to <t{n}>\n")).collect();
    assert_eq!(tables(&many.concat()).len(), 32);
}

#[test]
fn text_that_is_cut_anywhere_is_no_panic() {
    for at in 0..RULES.len() {
        if let Ok(chains) = parse(&RULES[..at], &beside()) {
            let _ = decide(&chains, &packet("45.50.0.66", Transport::Tcp, 8080));
        }
    }
    for at in 0..IFCONFIG.len() {
        let told = groups(&IFCONFIG[..at]).unwrap_or_default();
        assert!(told.values().flatten().all(|name| ["em0", "lo0", "wg0", "wg1"].contains(&name.as_str())));
    }
    for at in 0..SHUT.len() {
        let _ = table(&SHUT[..at]);
    }
    assert!((0..INTERFACES.len()).all(|at| skipped(&INTERFACES[..at]).len() <= 2));
}

proptest! {
    #[test]
    fn arbitrary_text_is_no_panic(text in "(groups:|\t|lo0| \\(skip\\)|<|>|to |anchor |\\{|\\}|\n|.){0,60}") {
        let beside = Beside { skipped: skipped(&text), groups: groups(&text), tables: beside().tables };
        let _ = (tables(&text), table(&text));
        if let Ok(chains) = parse(&text, &beside) {
            let _ = decide(&chains, &packet("45.50.0.66", Transport::Tcp, 8080));
        }
    }
}

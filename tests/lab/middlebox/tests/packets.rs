//! Boxes that judge packets: firewalls, policers, translators, what takes marks away.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::chain::{Chain, PATIENCE, QUIET, SERVER, at, echoed, mark, udp_echoed};
use crate::middlebox::Part;

#[test]
fn nftables_drops_resets_and_prohibits() {
    let chain = Chain::new();
    let _servers = [1935, 1936, 1937, 443].map(|port| chain.echo(port));
    let gate = chain.install(
        "nftables = \"iifname $inside tcp dport 1935 counter drop; tcp dport 1936 reject with tcp reset; \
         tcp dport 1937 reject with icmpx admin-prohibited\"",
    );
    for host in SERVER {
        let end = |port, patience| chain.connect_within(host, port, patience).unwrap_err().kind();
        assert_eq!(end(1935, QUIET), ErrorKind::TimedOut);
        assert_eq!(end(1936, PATIENCE), ErrorKind::ConnectionRefused);
        // Linux believes the message once it has come twice.
        let prohibited = end(1937, PATIENCE);
        assert!(
            [ErrorKind::HostUnreachable, ErrorKind::PermissionDenied].contains(&prohibited),
            "{prohibited}"
        );
        echoed(&mut chain.connect(host, 443).unwrap(), b"hello").unwrap();
    }
    assert!(gate.log().contains("counter packets"), "{}", gate.log());
    drop(gate);
    for host in SERVER {
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
    }
}

#[test]
fn a_table_of_ones_own_redirects() {
    let chain = Chain::new();
    let _servers = (chain.echo(8080), chain.echo(443));
    let _gate = chain.install(
        "nftables_table = \"\"\"chain pre {
           type nat hook prerouting priority dstnat
           tcp dport 80 dnat ip to 198.51.100.2:8080
         }\"\"\"",
    );
    echoed(&mut chain.connect("203.0.113.1", 80).unwrap(), b"hello").unwrap();
    echoed(&mut chain.connect(SERVER[0], 443).unwrap(), b"hello").unwrap();
}

#[test]
fn dscp_is_bleached_and_ecn_is_left_alone() {
    let chain = Chain::new();
    let _server = chain.udp_echo(6000);
    // The server hears but one class of traffic.
    let hears = |dscp: &str| {
        chain.server.rules(&format!(
            "table inet hears\ndelete table inet hears\ntable inet hears {{ chain input {{
             type filter hook input priority 0; meta l4proto != udp accept; ip dscp {dscp} ip ecn ect1 accept;
             ip6 dscp {dscp} ip6 ecn ect1 accept; drop;\n }}\n }}\n"
        ));
    };
    let arrives = |host: &str| {
        let socket = chain.dial_udp(host, 6000);
        mark(&socket, 0xb9); // EF and ECT(1)
        udp_echoed(&socket, b"hello", QUIET)
    };
    hears("ef");
    assert!(SERVER.map(arrives).iter().all(|arrives| *arrives));
    let gate = chain.install("dscp_bleach = {}");
    assert!(SERVER.map(arrives).iter().all(|arrives| !arrives));
    hears("cs0");
    assert!(SERVER.map(arrives).iter().all(|arrives| *arrives), "{}", gate.log());
}

#[test]
fn a_symmetric_nat_gives_each_destination_another_port() {
    let ports_of = |chain: &Chain, _gate| -> Vec<u16> {
        let servers = [3478, 3479, 3480, 3481].map(|port| (port, chain.udp_echo(port)));
        let socket = chain.laptop.run(|| std::net::UdpSocket::bind("192.0.2.2:0").unwrap());
        let mine = socket.local_addr().unwrap().port();
        let seen = servers.map(|(port, server)| {
            socket.connect(at(SERVER[0], port)).unwrap();
            assert!(udp_echoed(&socket, b"hello", PATIENCE));
            let from: SocketAddr = server.said().trim().parse().unwrap();
            assert_eq!(from.ip(), at("198.51.100.1", 0).ip(), "translated");
            from.port()
        });
        [vec![mine], seen.to_vec()].concat()
    };
    let chain = Chain::new();
    let kept = ports_of(&chain, chain.install("nat = {}"));
    assert!(kept.iter().all(|port| *port == kept[0]), "{kept:?}");
    let changed = ports_of(&chain, chain.install("nat = { symmetric = true }"));
    assert!(changed.iter().any(|port| *port != changed[1]), "{changed:?}");
    // IPv6 is not translated unless asked for.
    let _gate = chain.install("nat = {}");
    let server = chain.udp_echo(3482);
    assert!(udp_echoed(&chain.dial_udp(SERVER[1], 3482), b"hello", PATIENCE));
    assert!(server.said().contains("2001:db8:1::2"), "{}", server.said());
}

/// How many datagrams come back of a hundred from each flow, 1000 bytes each, in half a second or
/// what this machine makes of it; and how many a bucket of 24 with 20 a second lets pass in that.
fn share(chain: &Chain, host: &str, flows: usize) -> (usize, std::ops::RangeInclusive<usize>) {
    let sockets: Vec<_> = (0..flows).map(|_| chain.dial_udp(host, 6001)).collect();
    let mut come = 0;
    let mut hear = |patience| {
        for socket in &sockets {
            socket.set_read_timeout(Some(patience)).unwrap();
            while socket.recv(&mut [0; 2048]).is_ok() {
                come += 1;
            }
        }
    };
    let started = Instant::now();
    for tick in 0..100 {
        for socket in &sockets {
            let _ = socket.send(&[0; 972]);
        }
        std::thread::sleep(
            (started + tick * Duration::from_millis(5)).saturating_duration_since(Instant::now()),
        );
        if tick % 20 == 19 {
            hear(Duration::from_millis(1));
        }
    }
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let most = 24 + 20 * seconds;
    hear(QUIET);
    (come, 24..=most)
}

#[test]
fn a_policer_lets_pass_its_rate() {
    let chain = Chain::new();
    let _server = chain.udp_echo(6001);
    assert_eq!(share(&chain, SERVER[0], 1).0, 100);
    // nftables' bucket holds a second's worth and the burst.
    let gate = chain.install("rate_limit = { kbps = 160, burst_kb = 4 }");
    let (one, expected) = share(&chain, SERVER[0], 1);
    assert!(expected.contains(&one), "{one} of 100\n{}", gate.log());
    drop(gate);
    let gate = chain.install("rate_limit = { kbps = 160, burst_kb = 4 }");
    let (two, expected) = share(&chain, SERVER[1], 2);
    assert!(expected.contains(&two), "{two} of 200\n{}", gate.log());
    drop(gate);
    let gate = chain.install("rate_limit = { kbps = 160, burst_kb = 4, per_flow = true, only = \"udp\" }");
    let (two, expected) = share(&chain, SERVER[1], 2);
    let each = two / 2;
    assert!(expected.contains(&each), "{two} of 200\n{}", gate.log());
    // It is about UDP alone.
    let _tcp = chain.echo(6001);
    let started = Instant::now();
    echoed(&mut chain.connect(SERVER[0], 6001).unwrap(), &vec![7; 200_000]).unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

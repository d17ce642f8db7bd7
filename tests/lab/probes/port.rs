//! `port` against real nftables: a venue, its firewall, and a server behind it.

use std::net::{IpAddr, SocketAddr, TcpListener};

use futures::future::join_all;
use golive::model::{CheckId, Effect, Exactly, Family, Finding};
use golive::probe::port::{Expect, Limits, Port, Reading, State, Target};
use golive::probe::{Env, Probe};

use crate::ground::matrix::{Matrix, Truth, in_nmaps_words, places, target as target_of};
use crate::ground::namespace::Namespace;
use crate::ground::peer::Peer;

const SERVER: [&str; 2] = ["198.51.100.2", "2001:db8:2::2"];
const GATE_INSIDE: [&str; 2] = ["192.0.2.1", "2001:db8:1::1"];

/// Venue — firewall — server, on both families. The firewall forwards what its rules let through.
struct Building {
    venue: Namespace,
    gate: Namespace,
    server: Namespace,
}

impl Building {
    fn new(forward_rules: &str) -> Self {
        let (venue, gate, server) = (Namespace::new(), Namespace::new(), Namespace::new());
        Namespace::join(
            (&venue, "up0", &["192.0.2.2/24", "2001:db8:1::2/64"]),
            (&gate, "in0", &["192.0.2.1/24", "2001:db8:1::1/64"]),
        );
        Namespace::join(
            (&gate, "out0", &["198.51.100.1/24", "2001:db8:2::1/64"]),
            (&server, "eth0", &["198.51.100.2/24", "2001:db8:2::2/64"]),
        );
        for via in GATE_INSIDE {
            venue.route("default", via);
        }
        for via in ["198.51.100.1", "2001:db8:2::1"] {
            server.route("default", via);
        }
        gate.forward();
        gate.rules(&chain("inet", "filter hook forward priority 0", forward_rules));
        Self { venue, gate, server }
    }

    /// A web server on both families, over TLS.
    fn web(&self, port: u16) -> Peer {
        let identity = rcgen::generate_simple_self_signed(["server.example".to_owned()]).unwrap();
        let conf = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
             http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
               uwsgi_temp_path uwsgi; scgi_temp_path scgi;
               server {{ listen {port} ssl; listen [::]:{port} ssl;
                 ssl_certificate cert.pem; ssl_certificate_key key.pem; }} }}"
        );
        let setup = Peer::of("nginx", "nginx-light")
            .file("cert.pem", identity.cert.pem())
            .file("key.pem", identity.signing_key.serialize_pem())
            .file("nginx.conf", conf);
        let prefix = format!("{}/", setup.dir().display());
        setup.args(["-p", &prefix, "-c", "nginx.conf"]).inside(&self.server).spawn().await_tcp(port)
    }

    /// A name server on both families.
    fn dns(&self) -> Peer {
        Peer::of("dnsmasq", "dnsmasq-base")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--log-facility=-",
            ])
            .args(["--pid-file=", "--user=root", "--port=53"])
            .inside(&self.server)
            .spawn()
            .await_udp(53)
    }

    fn listen(&self, host: &str, port: u16) -> TcpListener {
        let at = SocketAddr::new(host.parse().unwrap(), port);
        self.server.run(|| TcpListener::bind(at).unwrap())
    }

    /// Measures from the venue.
    fn measure(&self, target: &Target) -> Reading {
        self.measure_all(std::slice::from_ref(target)).remove(0)
    }

    /// Measures side by side, since what is dropped takes seconds.
    fn measure_all(&self, targets: &[Target]) -> Vec<Reading> {
        let env = Env::bare(CheckId::new("lab").unwrap());
        let all = join_all(targets.iter().map(|target| Port::measure(target, &env)));
        self.venue.run_async(all).into_iter().collect::<Result<_, _>>().unwrap()
    }

    /// Measures the cases of each address of the server, and holds code and effect against what is
    /// said beside each. Returns the readings by address.
    fn expect_on_both(&self, expect: Expect, cases: impl Fn(&str) -> Vec<Case>) -> [Vec<Reading>; 2] {
        let both = SERVER.map(cases);
        let targets: Vec<Target> = both.iter().flatten().map(|(target, ..)| target.clone()).collect();
        let mut readings = self.measure_all(&targets);
        for ((_, code, effect), reading) in both.iter().flatten().zip(&readings) {
            assert_eq!(verdict(expect, reading), ((*code).to_owned(), *effect), "{reading:?}");
        }
        let second = readings.split_off(both[0].len());
        [readings, second]
    }
}

/// A target, and the finding that it deserves.
type Case = (Target, &'static str, Effect);

/// One table with one chain.
fn chain(family: &str, hook: &str, rules: &str) -> String {
    format!("table {family} lab {{\n chain lab {{\n type {hook};\n {rules}\n }}\n}}\n")
}

fn target(host: &str, port: u16, more: &str) -> Target {
    toml::from_str(&format!("host = \"{host}\"\nport = {port}\n{more}")).unwrap()
}

fn judged(expect: Expect, reading: &Reading) -> Finding {
    let findings = Port::judge(&Limits { expect: Some(Exactly(expect)) }, reading);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.into_iter().next().unwrap()
}

fn verdict(expect: Expect, reading: &Reading) -> (String, Effect) {
    let finding = judged(expect, reading);
    (finding.code, finding.effect)
}

fn last_icmp(reading: &Reading) -> Option<(u8, u8, IpAddr)> {
    reading.addresses[0].attempts.last().unwrap().icmp.map(|icmp| (icmp.kind, icmp.code, icmp.from))
}

#[test]
fn open_refused_dropped_and_prohibited_ports_are_told_apart() {
    let building = Building::new(
        "tcp dport 1001 drop;
         meta nfproto ipv4 tcp dport 1002 reject with icmp type admin-prohibited;
         meta nfproto ipv6 tcp dport 1002 reject with icmpv6 type admin-prohibited;
         tcp dport 1003 reject with icmpx type port-unreachable;
         tcp dport 1004 reject with tcp reset;",
    );
    let _web = building.web(443);
    let readings = building.expect_on_both(Expect::Open, |host| {
        vec![
            (target(host, 443, ""), "port.open", Effect::Pass),
            (target(host, 1000, ""), "port.refused", Effect::Fail),
            (target(host, 1001, ""), "port.filtered", Effect::Fail),
            (target(host, 1002, ""), "port.prohibited", Effect::Fail),
            (target(host, 1003, ""), "port.prohibited", Effect::Fail),
            (target(host, 1004, ""), "port.refused", Effect::Fail),
        ]
    });
    let codes = [[(3, 13), (3, 3)], [(1, 1), (1, 4)]];
    for ((readings, gate), codes) in readings.iter().zip(GATE_INSIDE).zip(codes) {
        assert_eq!(verdict(Expect::Blocked, &readings[0]), ("port.not_blocked".into(), Effect::Fail));
        assert_eq!(readings[2].addresses[0].attempts.len(), 2, "a lost SYN is not a firewall");
        let gate: IpAddr = gate.parse().unwrap();
        for (reading, (kind, code)) in readings[3..5].iter().zip(codes) {
            assert_eq!(last_icmp(reading), Some((kind, code, gate)));
            let finding = judged(Expect::Open, reading);
            assert!(finding.remedy.contains(&format!("{gate} says so")), "{finding:?}");
        }
    }
}

#[test]
fn a_blocked_port_counts_beside_a_control_that_answers() {
    let building = Building::new(
        "tcp dport { 1001, 2001 } drop;
         meta nfproto ipv4 tcp dport 1002 reject with icmp type admin-prohibited;
         meta nfproto ipv6 tcp dport 1002 reject with icmpv6 type admin-prohibited;",
    );
    let _web = building.web(443);
    building.expect_on_both(Expect::Blocked, |host| {
        let beside = |port: u16, control: u16| {
            let control = SocketAddr::new(host.parse().unwrap(), control);
            target(host, port, &format!("control = \"{control}\""))
        };
        vec![
            (beside(1001, 443), "port.blocked", Effect::Pass),
            (beside(1002, 443), "port.blocked", Effect::Pass),
            (beside(1001, 2001), "port.control_failed", Effect::Unknown),
            (target(host, 1002, ""), "port.no_control", Effect::Unknown),
            (beside(1000, 443), "port.not_listening", Effect::Unknown),
            (beside(443, 443), "port.not_blocked", Effect::Fail),
        ]
    });
}

#[test]
fn a_port_where_nothing_answers_is_never_open() {
    let building = Building::new("tcp dport 1001 drop; udp dport 3478 drop;");
    // Accepted by the kernel's backlog, and nobody says a word.
    let _mute = SERVER.map(|host| building.listen(host, 9000));
    building.expect_on_both(Expect::Open, |host| {
        let nobody = format!("{host}2");
        vec![
            (target(host, 1001, ""), "port.filtered", Effect::Fail),
            (target(host, 9000, ""), "port.accepted_only", Effect::Unknown),
            (target(host, 9000, "ask = \"tls\""), "port.no_answer", Effect::Fail),
            (target(host, 3478, "transport = \"udp\""), "port.udp_silent", Effect::Unknown),
            (target(&nobody, 443, ""), "port.unreachable", Effect::Fail),
        ]
    });
}

#[test]
fn a_udp_port_is_open_by_its_answer_alone() {
    let building = Building::new(
        "meta nfproto ipv4 udp dport 3001 reject with icmp type admin-prohibited;
         meta nfproto ipv6 udp dport 3001 reject with icmpv6 type admin-prohibited;
         udp dport 3002 reject with icmpx type port-unreachable;",
    );
    let _dns = building.dns();
    building.expect_on_both(Expect::Open, |host| {
        let udp = |port, ask| target(host, port, &format!("transport = \"udp\"\nask = \"{ask}\""));
        vec![
            (udp(53, "dns"), "port.open", Effect::Pass),
            (udp(3000, "srt"), "port.refused", Effect::Fail),
            (udp(3001, "srt"), "port.prohibited", Effect::Fail),
            (udp(3002, "srt"), "port.prohibited", Effect::Fail),
        ]
    });
}

#[test]
fn a_firewall_that_cuts_the_protocol_is_told_from_one_that_shuts_the_port() {
    let building = Building::new("tcp dport 1935 tcp flags & psh == psh reject with tcp reset;");
    let _web = building.web(1935);
    for host in SERVER {
        let reading = building.measure(&target(host, 1935, "ask = \"rtmp\""));
        assert_eq!(
            verdict(Expect::Open, &reading),
            ("port.reset_after_data".into(), Effect::Fail),
            "{reading:?}"
        );
    }
}

#[test]
fn a_transparent_proxy_that_accepts_everything_is_found_by_the_decoy() {
    let building = Building::new("");
    building.gate.rules(&chain(
        "ip",
        "nat hook prerouting priority -100",
        "tcp dport 9000 redirect to :3128;",
    ));
    let proxy = building.gate.run(|| TcpListener::bind("0.0.0.0:3128").unwrap());
    let reading = building.measure(&target(SERVER[0], 9000, "decoy = \"198.51.100.77:9000\""));
    assert_eq!(verdict(Expect::Open, &reading), ("port.spoofed".into(), Effect::Fail), "{reading:?}");
    drop(proxy);
    let _mute = building.listen(SERVER[0], 9001);
    let reading = building.measure(&target(SERVER[0], 9001, "decoy = \"198.51.100.2:9002\""));
    assert_eq!(verdict(Expect::Open, &reading), ("port.accepted".into(), Effect::Pass), "{reading:?}");
}

#[test]
fn this_machines_own_firewall_says_so_by_its_own_address() {
    let building = Building::new("");
    let rule = "meta nfproto ipv4 tcp dport 1935 reject with icmp type admin-prohibited;";
    building.venue.rules(&chain("inet", "filter hook output priority 0", rule));
    let reading = building.measure(&target(SERVER[0], 1935, ""));
    assert_eq!(verdict(Expect::Open, &reading), ("port.local_policy".into(), Effect::Fail), "{reading:?}");
    assert_eq!(last_icmp(&reading), Some((3, 13, "192.0.2.2".parse().unwrap())));
    assert_eq!(verdict(Expect::Blocked, &reading), ("port.local_policy".into(), Effect::Unknown));
}

#[test]
fn this_machines_own_firewall_that_drops_in_silence_is_no_firewall_elsewhere() {
    let building = Building::new("tcp dport 1936 drop;");
    let _web = building.web(443);
    building.venue.rules(&chain("inet", "filter hook output priority 0", "tcp dport 1935 drop;"));
    building.expect_on_both(Expect::Blocked, |host| {
        let control = SocketAddr::new(host.parse().unwrap(), 443);
        let port = |port| target(host, port, &format!("control = \"{control}\""));
        vec![(port(1935), "port.local_policy", Effect::Unknown), (port(1936), "port.blocked", Effect::Pass)]
    });
}

#[test]
fn without_a_route_a_family_is_neither_open_nor_blocked() {
    let lonely = Namespace::new();
    let env = Env::bare(CheckId::new("lab").unwrap());
    for (host, family) in SERVER.into_iter().zip([Family::V4, Family::V6]) {
        let reading = lonely.run_async(Port::measure(&target(host, 443, ""), &env)).unwrap();
        assert_eq!(reading.addresses[0].family, family);
        assert_eq!(reading.addresses[0].attempts[0].state, State::NoRoute, "{reading:?}");
        assert_eq!(verdict(Expect::Open, &reading), ("port.no_route".into(), Effect::Fail));
        assert_eq!(verdict(Expect::Blocked, &reading), ("port.no_route".into(), Effect::Unknown));
    }
}

/// A third of them drops: all are asked at once, and what drops costs one time-out, not a hundred.
#[test]
fn three_hundred_ports_agree_with_nmap() {
    let matrix = Matrix::new();
    let places = places();
    let targets: Vec<Target> =
        places.keys().map(|place| toml::from_str(&target_of(*place)).unwrap()).collect();
    let env = Env::bare(CheckId::new("lab").unwrap());
    let began = std::time::Instant::now();
    let asked = join_all(targets.iter().map(|target| Port::measure(target, &env)));
    let readings = matrix.venue.run_async(asked);
    let took = began.elapsed().as_secs_f64();
    let (found, _) = matrix.nmap(&[]);
    for ((place, truth), reading) in places.iter().zip(readings) {
        let address = &reading.unwrap().addresses[0];
        let state = address.attempts.last().unwrap().state;
        assert_eq!(
            found.get(place).map(String::as_str),
            Some(in_nmaps_words(state)),
            "{place:?}: {address:?}"
        );
        let is = match truth {
            Truth::Open => state == State::Answered,
            Truth::Closed => state == State::Refused,
            Truth::Dropped => matches!(state, State::Filtered | State::Silent),
        };
        assert!(is, "{place:?} is {truth:?}: {address:?}");
    }
    // One time-out of 4 s, and what a busy machine adds; one after the other it would be 400 s.
    assert!(took < 20.0, "{took} s");
}

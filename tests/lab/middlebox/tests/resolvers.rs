//! Resolvers, honest and lying.

use std::io::{Read, Write};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::chain::{BOX, Chain, PATIENCE, QUIET, SERVER};
use crate::ground::peer::Peer;

pub const NAME: &str = "live.golive.example";
const OTHER: &str = "www.other.example";
const UNKNOWN: &str = "nobody.other.example";

/// The internet's resolver: it knows two names and denies all others.
pub fn internet(chain: &Chain) -> Peer {
    let config = format!(
        "server:\n chroot: \"\"\n username: \"\"\n directory: \".\"\n pidfile: \"\"\n do-daemonize: no\n \
         use-syslog: no\n logfile: \"\"\n module-config: \"iterator\"\n num-threads: 1\n \
         interface: 198.51.100.2@53\n interface: 2001:db8:2::2@53\n access-control: 0.0.0.0/0 allow\n \
         access-control: ::/0 allow\n local-zone: \".\" static\n \
         local-data: \"{NAME}. 60 IN A 198.51.100.2\"\n local-data: \"{NAME}. 60 IN AAAA 2001:db8:2::2\"\n \
         local-data: \"{OTHER}. 60 IN A 198.51.100.3\"\nremote-control:\n control-enable: no\n"
    );
    Peer::of("unbound", "unbound")
        .file("unbound.conf", config)
        .args(["-d", "-p", "-c", "unbound.conf"])
        .inside(&chain.server)
        .spawn()
        .await_udp(53)
}

/// What a resolver answered.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    code: u8,
    truncated: bool,
    addresses: Vec<IpAddr>,
}

fn query(name: &str, v6: bool) -> Vec<u8> {
    let labels =
        name.split('.').flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat());
    let labels: Vec<u8> = labels.collect();
    [&[0x47, 0x11, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &labels, &[0, 0, if v6 { 28 } else { 1 }, 0, 1]]
        .concat()
}

fn read(query: &[u8], answer: &[u8]) -> Answer {
    assert_eq!(&answer[..2], &query[..2]);
    let count = usize::from(answer[7]);
    let mut at = query.len();
    let mut addresses = Vec::new();
    for _ in 0..count {
        // A pointer, kind, class, life, length.
        let length = usize::from(answer[at + 11]);
        let data = &answer[at + 12..at + 12 + length];
        match length {
            4 => addresses.push(IpAddr::from(<[u8; 4]>::try_from(data).unwrap())),
            _ => addresses.push(IpAddr::from(<[u8; 16]>::try_from(data).unwrap())),
        }
        at += 12 + length;
    }
    Answer { code: answer[3] & 0xf, truncated: answer[2] & 2 != 0, addresses }
}

fn ask_for(chain: &Chain, host: &str, name: &str, v6: bool, patience: Duration) -> Option<Answer> {
    let (socket, query) = (chain.dial_udp(host, 53), query(name, v6));
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send(&query).unwrap();
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer).ok()?;
    Some(read(&query, &answer[..length]))
}

fn ask(chain: &Chain, host: &str, name: &str) -> Answer {
    ask_for(chain, host, name, false, PATIENCE).unwrap()
}

fn ask_tcp(chain: &Chain, host: &str, name: &str) -> std::io::Result<Answer> {
    let (mut stream, query) = (chain.connect(host, 53)?, query(name, false));
    stream.write_all(&[&u16::try_from(query.len()).unwrap().to_be_bytes(), &query[..]].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut answer)?;
    Ok(read(&query, &answer))
}

fn is(address: &str) -> Answer {
    Answer { code: 0, truncated: false, addresses: vec![address.parse().unwrap()] }
}

fn error(code: u8) -> Answer {
    Answer { code, truncated: false, addresses: Vec::new() }
}

#[test]
fn an_honest_resolver_says_what_the_internet_says() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let router = chain.install("resolver = {}");
    assert_eq!(router.told().resolvers, BOX.map(|own| own.parse::<IpAddr>().unwrap()));
    for own in BOX {
        assert_eq!(ask(&chain, own, NAME), is("198.51.100.2"), "{}", router.log());
        assert_eq!(ask_for(&chain, own, NAME, true, PATIENCE), Some(is("2001:db8:2::2")));
        assert_eq!(ask(&chain, own, UNKNOWN), error(3));
        assert_eq!(ask_tcp(&chain, own, NAME).unwrap(), is("198.51.100.2"));
    }
}

#[test]
fn filtered_names_are_denied_and_others_are_not() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    for (with, more, expected) in [
        ("nxdomain", "", error(3)),
        ("refused", "", error(5)),
        ("servfail", "", error(2)),
        ("zero", "", is("0.0.0.0")),
        ("page", ", page = [\"203.0.113.9\"]", is("203.0.113.9")),
    ] {
        let toml = format!("resolver = {{ filters = [\"golive.example\"], with = \"{with}\"{more} }}");
        let router = chain.install(&toml);
        for own in BOX {
            assert_eq!(ask(&chain, own, NAME), expected, "{toml}\n{}", router.log());
            assert_eq!(ask(&chain, own, OTHER), is("198.51.100.3"), "{toml}\n{}", router.log());
            assert_eq!(ask(&chain, own, UNKNOWN), error(3), "{toml}");
        }
    }
}

#[test]
fn unknown_names_become_advertisements() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let _router = chain.install("resolver = { nxdomain_to = [\"203.0.113.8\", \"2001:db8:8::8\"] }");
    for own in BOX {
        assert_eq!(ask(&chain, own, UNKNOWN), is("203.0.113.8"));
        assert_eq!(ask_for(&chain, own, UNKNOWN, true, PATIENCE), Some(is("2001:db8:8::8")));
        assert_eq!(ask(&chain, own, NAME), is("198.51.100.2"));
        assert_eq!(ask_tcp(&chain, own, UNKNOWN).unwrap(), is("203.0.113.8"));
    }
}

#[test]
fn a_resolver_is_slow_or_truncates_or_is_silent() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let router = chain.install("resolver = { delay_ms = 400 }");
    let started = Instant::now();
    assert_eq!(ask(&chain, BOX[0], NAME), is("198.51.100.2"));
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    drop(router);

    let truncated = Answer { truncated: true, ..error(0) };
    let router = chain.install("resolver = { truncates = true }");
    assert_eq!(ask(&chain, BOX[1], NAME), truncated);
    assert_eq!(ask_tcp(&chain, BOX[1], NAME).unwrap(), is("198.51.100.2"));
    drop(router);
    let router = chain.install("resolver = { truncates = true, no_tcp = true }");
    assert_eq!(ask(&chain, BOX[0], NAME), truncated);
    assert!(ask_tcp(&chain, BOX[0], NAME).is_err());
    drop(router);

    let silent = ["192.0.2.53", "2001:db8:1::53", "203.0.113.53"];
    let router = chain.install("silent_resolver = [\"192.0.2.53\", \"2001:db8:1::53\", \"203.0.113.53\"]");
    assert_eq!(router.told().resolvers, silent.map(|own| own.parse::<IpAddr>().unwrap()));
    for host in silent {
        assert_eq!(ask_for(&chain, host, NAME, false, QUIET), None);
    }
}

#[test]
fn dns_that_would_pass_by_is_caught() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let _liar = chain
        .install("resolver = { filters = [\"golive.example\"], with = \"page\", page = [\"203.0.113.9\"] }");
    let _dot = chain.echo(853);
    // By its own address the honest one can still be asked.
    assert_eq!(ask(&chain, SERVER[0], NAME), is("198.51.100.2"));
    let gate = chain.install("dns_gate = { port_53 = \"redirect\", dot = \"reject\" }");
    for host in SERVER {
        assert_eq!(ask(&chain, host, NAME), is("203.0.113.9"), "{}", gate.log());
        assert_eq!(ask_tcp(&chain, host, NAME).unwrap(), is("203.0.113.9"));
        let error = chain.connect(host, 853).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    drop(gate);
    let _gate = chain.install("dns_gate = { port_53 = \"drop\" }");
    for host in SERVER {
        assert_eq!(ask_for(&chain, host, NAME, false, QUIET), None);
        assert!(chain.connect(host, 853).is_ok());
    }
}

//! Proxies: transparent, breaking TLS open, and asked for.

use std::io::{Read, Write};

use super::chain::{BOX, Chain, SERVER, echoed, over_tls, said};
use super::resolvers::{NAME, internet};

const OTHER: &str = "bank.example.org";

fn get(name: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n").into_bytes()
}

/// C0 and C1, which holds any byte: squid waits for the end of a line.
fn rtmp() -> Vec<u8> {
    [vec![3; 9], (0..1528).map(|n: u32| n.to_le_bytes()[0]).collect()].concat()
}

#[test]
fn mitmproxy_signs_with_its_own_authority_and_passes_what_is_no_http() {
    let chain = Chain::new();
    let _server = (chain.tls(443, NAME), chain.echo(1935));
    for host in SERVER {
        assert!(chain.ask_tls(host, NAME, chain.public.pem(), &get(NAME)).is_ok());
    }
    let gate = chain.install("tls_interception = { trusted = true }");
    assert!(gate.told().trusted);
    let venue = gate.told().authority.clone().unwrap();
    for host in SERVER {
        let public = chain.ask_tls(host, NAME, chain.public.pem(), &get(NAME));
        assert!(public.is_err(), "{public:?}\n{}", gate.log());
        let page = chain.ask_tls(host, NAME, &venue, &get(NAME)).unwrap();
        assert!(page.starts_with(b"HTTP/1.1 200"), "{}\n{}", String::from_utf8_lossy(&page), gate.log());
        assert_eq!(chain.ask_tls(host, NAME, &venue, &rtmp()).unwrap(), rtmp(), "{}", gate.log());
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
    }
}

#[test]
fn mitmproxy_leaves_alone_what_it_is_told_to() {
    let chain = Chain::new();
    let _server = chain.tls(443, NAME);
    let gate = chain.install(&format!("tls_interception = {{ bypass = [\"{NAME}\"] }}"));
    assert!(!gate.told().trusted);
    let answer = chain.ask_tls(SERVER[0], NAME, chain.public.pem(), &get(NAME)).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", gate.log());
    assert!(chain.ask_tls(SERVER[0], OTHER, chain.public.pem(), &get(OTHER)).is_err());
}

#[test]
fn squid_breaks_tls_open_and_answers_400_to_what_is_no_http() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let _server = chain.tls(443, NAME);
    let gate = chain.install("tls_interception = { by = \"squid\" }");
    let venue = gate.told().authority.clone().unwrap();
    for host in SERVER {
        assert!(chain.ask_tls(host, NAME, chain.public.pem(), &get(NAME)).is_err());
        let page = chain.ask_tls(host, NAME, &venue, &get(NAME)).unwrap();
        assert!(page.starts_with(b"HTTP/1.1 200"), "{}\n{}", String::from_utf8_lossy(&page), gate.log());
        let page = chain.ask_tls(host, NAME, &venue, &rtmp()).unwrap();
        assert!(page.starts_with(b"HTTP/1.1 400"), "{}\n{}", String::from_utf8_lossy(&page), gate.log());
    }
    drop(gate);
    let gate = chain.install(&format!("tls_interception = {{ by = \"squid\", bypass = [\"{NAME}\"] }}"));
    let page = chain.ask_tls(SERVER[0], NAME, chain.public.pem(), &rtmp()).unwrap();
    assert_eq!(page, rtmp(), "{}", gate.log());
}

#[test]
fn a_transparent_proxy_takes_port_80_for_http_alone() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let _server = (chain.web(80), chain.echo(443));
    let gate = chain.install("http_only = {}");
    for host in SERVER {
        let page = said(chain.connect(host, 80).unwrap(), &get(NAME)).unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("Via: "), "{page}\n{}", gate.log());
        let page = said(chain.connect(host, 80).unwrap(), &rtmp()).unwrap();
        assert!(page.starts_with("HTTP/1.1 400"), "{page}\n{}", gate.log());
        echoed(&mut chain.connect(host, 443).unwrap(), &rtmp()).unwrap();
    }
}

#[test]
fn a_proxy_that_must_be_asked_connects_to_some_ports() {
    let chain = Chain::new();
    let _internet = internet(&chain);
    let _server = (chain.tls(443, NAME), chain.echo(1935));
    let gate = chain.install("explicit_proxy = { direct = \"reject\" }");
    assert_eq!(gate.told().proxy.as_deref(), Some("http://192.0.2.1:3128"));
    let connect = |own: &str, port: u16| {
        let mut stream = chain.connect(own, 3128).unwrap();
        write!(stream, "CONNECT {NAME}:{port} HTTP/1.1\r\nHost: {NAME}:{port}\r\n\r\n").unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        (stream, String::from_utf8_lossy(&head).into_owned())
    };
    for own in BOX {
        let (mut stream, head) = connect(own, 443);
        assert_eq!(head, "HTTP/1.1 200", "{}", gate.log());
        let mut byte = [0];
        let mut rest = Vec::new();
        while !rest.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            rest.push(byte[0]);
        }
        assert_eq!(over_tls(stream, NAME, chain.public.pem(), &rtmp()).unwrap(), rtmp());
        assert_eq!(connect(own, 1935).1, "HTTP/1.1 403");
        let page = said(chain.connect(own, 3128).unwrap(), &rtmp()).unwrap();
        assert!(page.starts_with("HTTP/1.1 400"), "{page}");
    }
    for host in SERVER {
        assert!(chain.connect(host, 443).is_err());
    }
    drop(gate);
    let gate = chain.install("explicit_proxy = { by = \"mitmproxy\", direct = \"pass\" }");
    assert_eq!(connect(BOX[0], 443).1, "HTTP/1.1 200", "{}", gate.log());
    assert!(chain.connect(SERVER[0], 443).is_ok());
}

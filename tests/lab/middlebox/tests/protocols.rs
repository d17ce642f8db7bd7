//! Boxes that know protocols.

use std::io::Write;
use std::time::Duration;

use super::chain::{Chain, End, PATIENCE, QUIET, SERVER, echoed, next, udp_echoed};

/// C0 and C1 as a client sends them.
fn hello() -> Vec<u8> {
    let mut hello = vec![0x5a; 1537];
    hello[0] = 3;
    hello[1..9].copy_from_slice(&[0, 0, 0, 0, 9, 0, 124, 2]);
    hello
}

fn end_of(chain: &Chain, host: &str, port: u16, words: &[u8], patience: Duration) -> End {
    let mut stream = chain.connect(host, port).unwrap();
    stream.write_all(words).unwrap();
    next(&mut stream, patience)
}

#[test]
fn rtmp_is_killed_on_any_port_and_nothing_else() {
    let chain = Chain::new();
    let _servers = [1935, 443].map(|port| chain.echo(port));
    for (how, end, patience) in
        [("reset", End::Reset, PATIENCE), ("fin", End::Fin, PATIENCE), ("swallow", End::Silence, QUIET)]
    {
        let gate = chain.install(&format!("protocol_block = {{ protocol = \"rtmp\", how = \"{how}\" }}"));
        for host in SERVER {
            for port in [1935, 443] {
                let got = end_of(&chain, host, port, &hello(), patience);
                assert_eq!(got, end, "{how} {host} {port}\n{}", gate.log());
            }
            // TLS, HTTP, and a three later on.
            let mut stream = chain.connect(host, 443).unwrap();
            for words in [&[0x16, 3, 1, 2, 0][..], b"GET / HTTP/1.1\r\n\r\n", &hello()] {
                echoed(&mut stream, words).unwrap();
            }
        }
    }
    let _gate = chain.install("protocol_block = { protocol = \"rtmp\", ports = [1935] }");
    assert_eq!(end_of(&chain, SERVER[0], 1935, &hello(), PATIENCE), End::Reset);
    echoed(&mut chain.connect(SERVER[0], 443).unwrap(), &hello()).unwrap();
}

/// A caller's handshake packet: control, version, extension field, kind.
fn srt(version: u32, extension: u16, kind: u32) -> Vec<u8> {
    let mut packet = vec![0; 64];
    packet[0] = 0x80;
    packet[16..20].copy_from_slice(&version.to_be_bytes());
    packet[22..24].copy_from_slice(&extension.to_be_bytes());
    packet[36..40].copy_from_slice(&kind.to_be_bytes());
    packet
}

#[test]
fn srt_is_killed_at_the_step_that_is_asked_for() {
    let chain = Chain::new();
    let _server = chain.udp_echo(9000);
    let steps = [srt(4, 2, 1), srt(5, 0x4a17, 1), srt(5, 1, u32::MAX)];
    for (number, protocol) in ["srt_induction", "srt_magic", "srt_conclusion"].into_iter().enumerate() {
        let _gate = chain.install(&format!("protocol_block = {{ protocol = \"{protocol}\" }}"));
        for host in SERVER {
            let socket = chain.dial_udp(host, 9000);
            for (step, packet) in steps.iter().enumerate() {
                let patience = if step == number { QUIET } else { PATIENCE };
                assert_eq!(udp_echoed(&socket, packet, patience), step != number, "{protocol} {step}");
            }
            // Data passes, and what is no SRT.
            assert!(udp_echoed(&socket, &[0; 1316], PATIENCE));
            assert!(udp_echoed(&socket, b"hello", PATIENCE));
        }
    }
    let _gate = chain.install("protocol_block = { protocol = \"srt_induction\", ports = [9001] }");
    assert!(udp_echoed(&chain.dial_udp(SERVER[0], 9000), &steps[0], PATIENCE));
}

/// A `ClientHello` for this name, as far as a filter reads it.
fn client_hello(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let length = |bytes: usize| u16::try_from(bytes).unwrap().to_be_bytes();
    let list = [&[0][..], &length(name.len()), name].concat();
    let body =
        [&[1, 0, 0, 0, 3, 3][..], &[7; 60], &[0, 0], &length(list.len() + 2), &length(list.len()), &list];
    let body = body.concat();
    [&[0x16, 3, 1][..], &length(body.len()), &body].concat()
}

#[test]
fn tls_is_killed_by_its_server_name() {
    let chain = Chain::new();
    let _server = chain.echo(443);
    let gate =
        chain.install("protocol_block = { protocol = \"tls\", names = [\"live.example\"], ports = [443] }");
    for host in SERVER {
        for name in ["live.example", "a.live.example", "A.Live.Example"] {
            let end = end_of(&chain, host, 443, &client_hello(name), PATIENCE);
            assert_eq!(end, End::Reset, "{name}\n{}", gate.log());
        }
        for name in ["golive.example", "live.example.org", "example"] {
            echoed(&mut chain.connect(host, 443).unwrap(), &client_hello(name)).unwrap();
        }
        echoed(&mut chain.connect(host, 443).unwrap(), b"GET / HTTP/1.1\r\nHost: live.example\r\n\r\n")
            .unwrap();
    }
}

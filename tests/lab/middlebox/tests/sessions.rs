//! Boxes that end sessions.

use std::io::Write;
use std::time::{Duration, Instant};

use super::chain::{Chain, End, PATIENCE, QUIET, SERVER, echoed, next, udp_echoed};

#[test]
fn a_session_is_cut_after_its_time() {
    let chain = Chain::new();
    let _servers = (chain.echo(1935), chain.echo(443), chain.udp_echo(9000));
    let gate = chain.install("session_cutter = { after_s = 1, ports = [1935, 9000], transport = \"both\" }");
    for host in SERVER {
        let started = Instant::now();
        let mut other = chain.connect(host, 443).unwrap();
        let mut stream = chain.connect(host, 1935).unwrap();
        let socket = chain.dial_udp(host, 9000);
        let mut tcp_end = None;
        let mut udp_end = None;
        while tcp_end.is_none() || udp_end.is_none() {
            assert!(started.elapsed() < PATIENCE, "{}", gate.log());
            if tcp_end.is_none() && echoed(&mut stream, b"hello").is_err() {
                tcp_end = Some(started.elapsed());
            }
            if udp_end.is_none() && !udp_echoed(&socket, b"hello", QUIET) {
                udp_end = Some(started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        for end in [tcp_end, udp_end] {
            let seconds = end.unwrap().as_secs_f64();
            assert!((0.95..9.0).contains(&seconds), "cut after {seconds} s");
        }
        echoed(&mut other, b"hello").unwrap();
        // The next one has its own time.
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
    }
}

#[test]
fn a_session_is_cut_after_its_bytes() {
    let chain = Chain::new();
    let _server = chain.echo(1935);
    let gate = chain.install("session_cutter = { after_bytes = 100000 }");
    for host in SERVER {
        let mut stream = chain.connect(host, 1935).unwrap();
        let mut sent = 0;
        while echoed(&mut stream, &[7; 5000]).is_ok() {
            sent += 5000;
            assert!(sent < 200_000, "{}", gate.log());
        }
        assert!((85_000..100_000).contains(&sent), "cut after {sent} bytes");
        echoed(&mut chain.connect(host, 1935).unwrap(), b"hello").unwrap();
    }
    drop(gate);
    let _gate = chain.install("session_cutter = { after_bytes = 3000, how = \"drop\" }");
    let mut stream = chain.connect(SERVER[0], 1935).unwrap();
    stream.write_all(&[7; 9000]).unwrap();
    let mut end = next(&mut stream, QUIET);
    while let End::Data(_) = end {
        end = next(&mut stream, QUIET);
    }
    assert_eq!(end, End::Silence);
}

#[test]
fn what_is_idle_is_forgotten() {
    let chain = Chain::new();
    let server = chain.server.run(|| std::net::UdpSocket::bind("198.51.100.2:9000").unwrap());
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let _echo = chain.echo(1935);
    let gate = chain.install("idle_timeout = { udp_s = 2, tcp_s = 2 }");
    let mut stream = chain.connect(SERVER[0], 1935).unwrap();
    echoed(&mut stream, b"hello").unwrap();
    let socket = chain.dial_udp(SERVER[0], 9000);
    socket.send(b"hello").unwrap();
    let (_, from) = server.recv_from(&mut [0; 9]).unwrap();
    // The server may speak while the state lives, and that keeps it alive.
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(2500) {
        std::thread::sleep(Duration::from_millis(500));
        server.send_to(b"still", from).unwrap();
        assert!(socket.recv(&mut [0; 9]).is_ok(), "{}", gate.log());
    }
    std::thread::sleep(Duration::from_millis(3200));
    server.send_to(b"late", from).unwrap();
    socket.set_read_timeout(Some(QUIET)).unwrap();
    assert!(socket.recv(&mut [0; 9]).is_err(), "{}", gate.log());
    stream.write_all(b"late").unwrap();
    assert_eq!(next(&mut stream, QUIET), End::Silence);
    // From the inside a new session begins.
    socket.send(b"again").unwrap();
    assert!(server.recv_from(&mut [0; 9]).is_ok());
}

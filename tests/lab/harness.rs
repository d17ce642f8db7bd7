//! The harness itself: what every other test here leans on.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use socket2::SockRef;

use crate::ground::namespace::Namespace;
use crate::ground::peer::{Peer, free_port, need};

#[test]
#[should_panic(expected = "nonesuch is missing: apt-get install -y nonesuch-package")]
fn what_is_missing_is_named() {
    need("nonesuch", "nonesuch-package");
}

#[test]
fn ports_are_given_once() {
    assert_ne!(free_port(), free_port());
}

#[test]
fn a_peer_is_awaited_and_ends_with_its_owner() {
    let port = free_port();
    let server = Peer::of("openssl", "openssl")
        .args(["s_server", "-nocert", "-accept", &port.to_string()])
        .spawn()
        .await_tcp(port);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
#[should_panic(expected = "ended with")]
fn a_peer_that_ends_says_why() {
    let _ = Peer::of("openssl", "openssl").args(["nonesuch"]).spawn().await_tcp(free_port());
}

#[test]
fn namespaces_are_joined_apart_from_this_machine_and_removed() {
    let (near, far) = (Namespace::new(), Namespace::new());
    let name = near.name().to_owned();
    Namespace::join(
        (&near, "near0", &["198.51.100.1/24", "2001:db8::1/64"]),
        (&far, "far0", &["198.51.100.2/24", "2001:db8::2/64"]),
    );
    for address in ["198.51.100.2:4000", "[2001:db8::2]:4000"] {
        let address: SocketAddr = address.parse().unwrap();
        let listener = far.run(|| TcpListener::bind(address).unwrap());
        near.run_async(async { tokio::net::TcpStream::connect(address).await.map(drop) }).unwrap();
        // Closing it is not enough: a program that another test is just starting holds a copy of every
        // socket until it is executed.
        SockRef::from(&listener).shutdown(Shutdown::Both).unwrap();
        assert!(near.run(|| TcpStream::connect(address)).is_err());
    }
    drop(near);
    assert!(!std::path::Path::new("/run/netns").join(name).exists());
}

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::model::SourceAddress;
use crate::net::tls::Roots;
use crate::wire::turn::{Frames, TurnUrl};

async fn ask(at: SocketAddr, transport: &str) -> Result<Relay, Stopped> {
    let url = TurnUrl::try_from(format!("turn:{at}?transport={transport}")).unwrap();
    let (source, roots, origin) = (SourceAddress::default(), Roots::system(), Origin::start());
    let way = Way { source: &source, roots: &roots, origin: &origin };
    let reached = match reach(&url, at, way).await.unwrap() {
        Ok(reached) => reached,
        Err((_, stopped)) => return Err(stopped),
    };
    let client = Client::new("user".to_owned(), "password".to_owned().into());
    Relay::allocate(reached.line, client, &origin).await
}

/// A TCP server that says this to whatever comes, and closes.
async fn says(words: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 2048]).await;
            let _ = stream.write_all(words).await;
        }
    });
    at
}

#[tokio::test]
async fn a_stranger_and_who_hangs_up_are_told_apart() {
    let stopped = ask(says(b"HTTP/1.1 400 Bad Request\r\n\r\n\x1b[2J").await, "tcp").await.err();
    let Some(Stopped::NotTurn { protocol: Protocol::Http, said }) = stopped else { panic!("{stopped:?}") };
    assert!(!said.as_str().contains('\x1b'));
    let stopped = ask(says(b"").await, "tcp").await.err();
    assert!(matches!(stopped, Some(Stopped::Closed { .. })), "{stopped:?}");
    let stopped = ask(says(b"\x01").await, "tcp").await.err();
    assert!(matches!(stopped, Some(Stopped::NotTurn { .. })), "{stopped:?}");
}

#[tokio::test]
async fn a_closed_port_refuses_over_either() {
    let at = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for transport in ["tcp", "udp"] {
        let stopped = ask(at, transport).await.err();
        assert!(
            matches!(stopped, Some(Stopped::Unreached { failure: Failure::Refused, .. })),
            "{transport}: {stopped:?}"
        );
    }
}

#[tokio::test]
async fn what_answers_over_udp_and_is_no_stun_is_quoted() {
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = stranger.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 2048];
        while let Ok((_, from)) = stranger.recv_from(&mut datagram).await {
            let _ = stranger.send_to(b"hello", from).await;
        }
    });
    let stopped = ask(at, "udp").await.err();
    assert!(
        matches!(&stopped, Some(Stopped::NotTurn { said, .. }) if said.as_str() == "hello"),
        "{stopped:?}"
    );
}

/// A request that was on its way when its asker was cut off may have been granted: it is given back.
#[tokio::test]
async fn who_is_cut_off_while_asking_gives_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(300), ask(at, "tcp")).await;
    assert!(asked.is_err(), "nobody answered");
    let (mut stream, _) = listener.accept().await.unwrap();
    let (mut frames, mut kinds, mut buffer) = (Frames::default(), Vec::new(), [0; 2048]);
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        frames.receive(&buffer[..length]);
        while let Some(message) = frames.take().unwrap() {
            kinds.push(Message::read(&message).unwrap().kind);
        }
    }
    assert_eq!(kinds, [0x0003, 0x0004], "Allocate, then Refresh");
}

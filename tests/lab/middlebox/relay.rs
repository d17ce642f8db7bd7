//! A transparent TCP relay: it accepts for every server, looks at what the client says first, and
//! then either passes all on or kills the session.
//!
//! Unlike a box that looks at packets it answers before the server did, so that a shut port looks
//! open for a moment.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Place;
use super::nftables::{Table, redirect};
use super::server::{Log, Server, listen_everywhere};

/// How a session is killed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By a reset.
    #[default]
    Reset,
    /// By an orderly end.
    Fin,
    /// By silence: nothing passes any more, and nobody is told.
    Swallow,
}

/// What is to become of a session whose client began with these bytes.
pub(super) enum Fate {
    /// They don't tell yet.
    Unknown,
    Pass,
    Kill,
}

/// Decides by the first bytes.
pub(super) type Judge = Arc<dyn Fn(&[u8]) -> Fate + Send + Sync>;

/// Relays TCP that `what` (nftables' words) selects.
pub(super) fn relay(place: &Place, what: &str, how: How, judge: Judge) -> (Table, Server) {
    let (port, listeners) = listen_everywhere(place.namespace);
    let server = serve(place, listeners, move |client, log| {
        let judge = judge.clone();
        async move {
            let Some(to) = original(&client) else { return };
            session(client, to, how, &judge, &log).await;
        }
    });
    (Table::load(place, &redirect(place, what, port)), server)
}

/// Accepts on these listeners and gives each session to `work`.
pub(super) fn serve<F: Future<Output = ()> + Send + 'static>(
    place: &Place,
    listeners: [TcpListener; 2],
    work: impl Fn(TcpStream, Log) -> F + Clone + Send + 'static,
) -> Server {
    Server::start(place.namespace, move |log| async move {
        let accept = |listener: TcpListener| {
            let (work, log) = (work.clone(), log.clone());
            async move {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                loop {
                    let Ok((client, _)) = listener.accept().await else { continue };
                    tokio::spawn(work(client, log.clone()));
                }
            }
        };
        let [v4, v6] = listeners;
        tokio::join!(accept(v4), accept(v6));
    })
}

/// Where the client wanted to go.
pub(super) fn original(client: &TcpStream) -> Option<SocketAddr> {
    let socket = SockRef::from(client);
    let to =
        if client.local_addr().ok()?.is_ipv4() { socket.original_dst_v4() } else { socket.original_dst_v6() };
    to.ok()?.as_socket()
}

async fn session(mut client: TcpStream, to: SocketAddr, how: How, judge: &Judge, log: &Log) {
    let _ = client.set_nodelay(true);
    let dialled = tokio::time::timeout(Duration::from_secs(10), TcpStream::connect(to)).await;
    let Ok(Ok(mut server)) = dialled else {
        log.line(format!("{to} can't be reached"));
        return reset(&client);
    };
    let _ = server.set_nodelay(true);
    let mut first = Vec::new();
    loop {
        match judge(&first) {
            Fate::Unknown => {}
            Fate::Pass => break,
            Fate::Kill => {
                log.line(format!("{to}: killed after {} bytes", first.len()));
                return kill(client, server, how).await;
            }
        }
        // A server may speak first.
        let (mut said, mut heard) = ([0; 4096], [0; 4096]);
        tokio::select! {
            read = client.read(&mut said) => match read {
                Ok(length) if length > 0 => first.extend(&said[..length]),
                _ => return,
            },
            read = server.read(&mut heard) => match read {
                Ok(length) if length > 0 && client.write_all(&heard[..length]).await.is_ok() => {}
                _ => return,
            },
        }
    }
    if server.write_all(&first).await.is_ok() {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

/// Sends a reset when the stream drops.
pub(super) fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

async fn kill(mut client: TcpStream, server: TcpStream, how: How) {
    match how {
        How::Reset => {
            reset(&client);
            reset(&server);
        }
        How::Fin => {
            drop(server);
            let _ = client.shutdown().await;
            // A socket closed with unread bytes would send a reset instead.
            let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
        }
        How::Swallow => {
            let _ = tokio::io::copy(&mut client, &mut tokio::io::sink()).await;
        }
    }
}

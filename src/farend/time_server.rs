//! A time server for the demo and for tests: tells this machine's own clock (RFC 5905, section 14). One
//! datagram in, at most one out, of the same length.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::net::clock::Wall;
use crate::wire::ntp::{self, BYTES};
use crate::wire::stamp::Ntp;

/// A time server on one UDP socket.
#[derive(Debug)]
pub struct TimeServer {
    socket: UdpSocket,
}

impl TimeServer {
    /// Listens on `address`.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        Ok(Self { socket: UdpSocket::bind(address).await? })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Answers until cancelled.
    pub async fn serve(self, cancel: CancellationToken) {
        let mut buffer = [0; BYTES];
        loop {
            let received = tokio::select! {
                received = self.socket.recv_from(&mut buffer) => received,
                () = cancel.cancelled() => return,
            };
            // Errors on a UDP socket are of one peer (port unreachable), never of the server.
            let Ok((length, peer)) = received else { continue };
            let now = Ntp::from_unix_ns(Wall::now().unix_ns(Instant::now()));
            let request = buffer.get(..length).unwrap_or_default();
            if let Some(answer) = ntp::answer(request, ntp::LOCAL_CLOCK, now) {
                let _ = self.socket.send_to(&answer, peer).await;
            }
        }
    }
}

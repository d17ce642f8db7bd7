//! A UDP port that is open for a moment, for whoever holds the token: so that silence of UDP gets a
//! meaning. What comes from the address that asked is counted and sent back as it came, never more
//! than that; the rest is counted and gets no answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::session::Session;
use crate::wire::control::Grant;

/// Longest that a port stays open, in seconds, and most datagrams that are counted.
const MOST: (u32, u64) = (60, 1_000);
/// After an error.
const PAUSE: Duration = Duration::from_millis(20);
/// Largest datagram that is sent back.
const LARGEST: usize = 2_048;

/// What a listener may use: a question is asked a few times and no more.
pub(super) fn within(seconds: u32, packets: u64) -> Grant {
    let (seconds, packets) = (seconds.min(MOST.0), packets.min(MOST.1));
    Grant { seconds, bytes: packets.saturating_mul(LARGEST as u64), packets }
}

/// Serves until the session ends.
pub(super) async fn serve(socket: UdpSocket, session: Arc<Session>) {
    let answering = async {
        let mut datagram = [0; LARGEST];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut datagram).await else {
                // ICMP about an answer sent earlier, most likely; never a busy loop.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            if from.ip().to_canonical() != session.peer {
                session.count_foreign();
            } else if session.count(length as u64).is_err() {
                return;
            } else {
                let _ = socket.send_to(datagram.get(..length).unwrap_or_default(), from).await;
            }
        }
    };
    tokio::select! {
        () = answering => {}
        _ = session.over() => {}
    }
}

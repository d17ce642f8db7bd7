//! The one TCP port: who comes gets a guest's place, says with the first byte what it is
//! (TLS is control, `h` a held connection, anything else upload data), or is shut out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::log::{Log, Notice};
use super::notary::Notary;
use super::session::{Guest, Registry};
use super::{control, hold, upload};
use crate::model::{Secret, WireText};
use crate::wire::control::hold::HOLD_MAGIC;
use crate::wire::control::{Refusal, TLS_FIRST_BYTE};

/// How long sessions may take to say that they end because the far end is being stopped.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the services behind the door share.
pub(super) struct House {
    pub(super) registry: Arc<Registry>,
    pub(super) log: Log,
    pub(super) token: Secret,
    pub(super) notary: Notary,
    pub(super) tls: TlsAcceptor,
    /// The UDP port's socket once more, for datagrams that a caller asked for.
    pub(super) pushes: std::net::UdpSocket,
    pub(super) rtmp: Option<u16>,
    pub(super) srt: Option<u16>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// Serves until the house stops.
pub(super) async fn serve(listener: TcpListener, house: Arc<House>) {
    loop {
        let accepted = tokio::select! {
            () = house.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => admit(stream, peer, &house),
            Err(error) => {
                // Out of file descriptors, most likely: give them time to come back.
                let detail = WireText::from(format!("cannot accept: {error}"));
                house.log.say(&Notice::Broken { what: "control", detail });
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, house: &Arc<House>) {
    let guest = match house.registry.guest(peer.ip()) {
        Ok(guest) => guest,
        Err(why) => return house.log.refused("control", peer, why, ""),
    };
    let (house, stop) = (Arc::clone(house), house.stop.clone());
    let tasks = house.tasks.clone();
    tasks.spawn(async move {
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = stopped => {}
            () = receive(stream, peer, guest, &house) => {}
        }
    });
}

async fn receive(stream: TcpStream, peer: SocketAddr, guest: Guest, house: &Arc<House>) {
    let mut first = [0; 1];
    let _ = stream.set_nodelay(true);
    match tokio::time::timeout(house.registry.caps().guest_time, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_FIRST_BYTE => control::serve(stream, peer, guest, house).await,
        Ok(Ok(1)) if first[0] == HOLD_MAGIC[0] => hold::serve(stream, peer, guest, house).await,
        Ok(Ok(1)) => upload::serve(stream, peer, guest, house).await,
        Ok(_) => {} // Left without a word: a port scan, or a load balancer's health check.
        Err(_) => house.log.refused("control", peer, Refusal::Time, "said nothing"),
    }
}

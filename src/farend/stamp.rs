//! The STAMP reflector (RFC 8762 section 4.3, stateful): answers packets of open sessions,
//! from the address that opened the session only, each with as many bytes as it had.
//!
//! Datagrams of uploads come to the same port: they are counted, and never answered. Those of held
//! flows are given back as they came.
//!
//! It runs on a thread of its own: a reflector that waits for a busy runtime would add its own
//! delay to the path's.
//!
//! A machine with several addresses must be told which one to listen on: an answer leaves from
//! the address that the system picks, and a caller takes none from another than it asked.

use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::log::{Log, Notice};
use super::session::{Registry, Session};
use super::{datagrams, hold};
use crate::model::Dscp;
use crate::net::clock::Wall;
use crate::net::datagram as datagram_of;
use crate::wire::control::hold::Beat;
use crate::wire::control::{Refusal, datagram};
use crate::wire::stamp::{Answer, MAX_BYTES, Ntp, Receipt, ReflectorPacket, SenderPacket};

const WHAT: &str = "stamp";
/// How often the thread looks whether it should stop.
const TICK: Duration = Duration::from_millis(200);
/// Asked of the system, which may give less.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Serves until `stop`.
pub async fn serve(socket: UdpSocket, registry: Arc<Registry>, log: Log, stop: CancellationToken) {
    let broken =
        |error: &io::Error| log.say(&Notice::Broken { what: WHAT, detail: error.to_string().into() });
    let socket = match blocking(socket) {
        Ok(socket) => socket,
        Err(error) => return broken(&error),
    };
    let (done, over) = oneshot::channel();
    let thread = std::thread::Builder::new().name("stamp reflector".to_owned()).spawn(move || {
        reflect(&socket, &registry, &stop);
        let _ = done.send(());
    });
    match thread {
        Ok(_) => drop(over.await),
        Err(error) => broken(&error),
    }
}

fn blocking(socket: UdpSocket) -> io::Result<StdSocket> {
    let socket = socket.into_std()?;
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(TICK))?;
    // Best effort: with less, a burst is lost, and counted as such by the sender.
    let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
    Ok(socket)
}

fn reflect(socket: &StdSocket, registry: &Registry, stop: &CancellationToken) {
    let wall = Wall::now();
    let ntp = |at: Instant| Ntp::from_unix_ns(wall.unix_ns(at));
    datagram_of::note_arrivals(socket);
    let mut marked = Dscp::default();
    // One more than is answered: a longer datagram is cut off here and refused as too long.
    let mut datagram = [0; MAX_BYTES + 1];
    while !stop.is_cancelled() {
        // Errors are the tick, or ICMP about an answer sent earlier: of no interest.
        let Ok(came) = datagram_of::receive(socket, &mut datagram) else { continue };
        let request = datagram.get(..came.length).unwrap_or_default();
        if let Some((ticket, _)) = datagram::parse(request) {
            count(&registry.datagrams(&ticket), came.from, came.length, socket.local_addr());
            continue;
        }
        if let Some(beat) = Beat::parse(request) {
            if registry.held(&beat.ticket).is_ok_and(|session| hold::beat(&session, &beat, came.from)) {
                let _ = socket.send_to(request, came.from);
            }
            continue;
        }
        let Ok(packet) = SenderPacket::parse(request) else { continue };
        let Ok(session) = registry.stamp(packet.ssid, came.from.ip()) else { continue };
        if session.count(came.length as u64).is_err() {
            continue;
        }
        // This thread alone counts STAMP sessions, so the count names this packet.
        let sequence = u32::try_from(session.packets().saturating_sub(1)).unwrap_or(u32::MAX);
        let receipt = Receipt { received: ntp(came.at), ttl: came.ttl, field: came.field };
        let answer = ReflectorPacket::answer_to(request, sequence, receipt, ntp(Instant::now()));
        if let Ok(Answer { bytes, dscp }) = answer {
            let wanted = dscp.map_or(Dscp::default(), Dscp::of_value);
            if wanted != marked {
                datagram_of::mark(socket, wanted);
                marked = wanted;
            }
            let _ = socket.send_to(&bytes, came.from);
        }
    }
}

/// A datagram of an upload: counted, never answered. The first one of it moves the upload to a socket of
/// its own.
fn count(
    session: &Result<Arc<Session>, Refusal>,
    from: SocketAddr,
    length: usize,
    local: io::Result<SocketAddr>,
) {
    let Ok(session) = session else { return };
    if session.attached().is_none() && session.attach(from) {
        let _ = local.and_then(|local| datagrams::take_over(Arc::clone(session), local, from));
    }
    let _ = session.count(length as u64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::farend::session::{Caps, Kind, Lease, Wanted};
    use crate::model::Secret;
    use crate::wire::control::Grant;
    use crate::wire::stamp::{ErrorEstimate, class_of_service};

    struct Rig {
        registry: Arc<Registry>,
        client: UdpSocket,
        stop: CancellationToken,
        task: tokio::task::JoinHandle<()>,
    }

    async fn rig() -> Rig {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.connect(socket.local_addr().unwrap()).await.unwrap();
        let registry = Registry::new(Caps::default(), Secret::from("key".to_owned()));
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(socket, Arc::clone(&registry), Log::none(), stop.clone()));
        Rig { registry, client, stop, task }
    }

    impl Rig {
        fn open(&self, packets: u64) -> (Lease, u16) {
            let asked = Grant { seconds: 60, bytes: 1 << 20, packets };
            let peer = self.client.local_addr().unwrap().ip();
            let lease = self.registry.open(Wanted::Stamp, peer, asked).unwrap();
            let Kind::Stamp(ssid) = lease.session().kind else { panic!() };
            (lease, ssid)
        }

        async fn ask(&self, request: &[u8]) -> Option<Vec<u8>> {
            self.client.send(request).await.unwrap();
            let mut answer = [0; 4096];
            let wait = tokio::time::timeout(Duration::from_millis(300), self.client.recv(&mut answer));
            let length = wait.await.ok()?.unwrap();
            Some(answer[..length].to_vec())
        }
    }

    fn packet(ssid: u16, sequence: u32) -> SenderPacket {
        SenderPacket { sequence, sent: Ntp::from_unix_ns(7), error: ErrorEstimate::UNSYNCHRONISED, ssid }
    }

    #[tokio::test]
    async fn packets_of_a_session_come_back_as_large_as_they_went() {
        let rig = rig().await;
        let (lease, ssid) = rig.open(10);
        for (n, size) in [(0, 44), (5, 1316), (6, MAX_BYTES)] {
            let answer = rig.ask(&packet(ssid, n).encode(size)).await.unwrap();
            assert_eq!(answer.len(), size);
            let answer = ReflectorPacket::parse(&answer).unwrap();
            assert_eq!(
                (answer.sender_sequence, answer.ssid, answer.sender_sent),
                (n, ssid, Ntp::from_unix_ns(7))
            );
            assert_eq!(
                u64::from(answer.sequence),
                lease.session().packets() - 1,
                "the reflector's own count"
            );
            assert!((0..1_000_000_000).contains(&answer.reflected.since_ns(answer.received)));
        }
        assert_eq!(lease.session().bytes(), 44 + 1316 + MAX_BYTES as u64);
        rig.stop.cancel();
        rig.task.await.unwrap();
    }

    /// The system tells it on Linux only; elsewhere the answer says that it is not known.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_class_of_service_that_came_is_told_and_given_back() {
        let rig = rig().await;
        let (_lease, ssid) = rig.open(10);
        let std = std::net::UdpSocket::from(socket2::SockRef::from(&rig.client).try_clone().unwrap());
        for (sent, asked) in [(46, 46), (0, 46), (34, 10), (0, 0)] {
            datagram_of::mark(&std, Dscp::of_value(sent));
            datagram_of::note_arrivals(&std);
            rig.client.send(&packet(ssid, 0).encode_asking(200, Some(asked))).await.unwrap();
            let mut answer = [0; 300];
            let came = rig
                .client
                .async_io(tokio::io::Interest::READABLE, || datagram_of::receive(&std, &mut answer));
            let came = came.await.unwrap();
            let told = class_of_service(&answer[..came.length], true).unwrap();
            assert_eq!((told.wanted, told.arrived, told.ecn), (asked, sent, 0));
            assert_eq!(came.field, Some(asked << 2), "the answer came as it was asked for");
            assert_eq!(ReflectorPacket::parse(&answer).unwrap().sender_ttl, 64);
        }
        assert_eq!(rig.ask(&packet(ssid, 1).encode(44)).await.unwrap().len(), 44);
    }

    #[tokio::test]
    async fn nobody_else_is_answered() {
        let rig = rig().await;
        let (lease, ssid) = rig.open(2);
        assert_eq!(rig.ask(&packet(0, 0).encode(44)).await, None, "no session id");
        assert_eq!(rig.ask(&packet(ssid ^ 1, 0).encode(44)).await, None, "another session id");
        assert_eq!(rig.ask(&packet(ssid, 0).encode(44)[..43]).await, None, "too short");
        let long = [packet(ssid, 0).encode(MAX_BYTES), vec![0; 200]].concat();
        assert_eq!(rig.ask(&long).await, None, "too long");
        let elsewhere: SocketAddr = "127.0.0.2:0".parse().unwrap();
        let stranger = UdpSocket::bind(elsewhere).await.unwrap();
        stranger.connect(rig.client.peer_addr().unwrap()).await.unwrap();
        stranger.send(&packet(ssid, 0).encode(44)).await.unwrap();
        let wait = tokio::time::timeout(Duration::from_millis(300), stranger.recv(&mut [0; 99])).await;
        assert!(wait.is_err() && lease.session().foreign() == 1, "another address");
        assert!(rig.ask(&packet(ssid, 1).encode(44)).await.is_some());
        assert_eq!(rig.ask(&packet(ssid, 2).encode(44)).await, None, "its packets are used up");
        drop(lease);
        assert_eq!(rig.ask(&packet(ssid, 3).encode(44)).await, None, "the session is closed");
    }

    #[tokio::test]
    async fn datagrams_of_an_upload_are_counted_within_its_caps_and_never_answered() {
        let rig = rig().await;
        let asked = Grant { seconds: 60, bytes: 1 << 20, packets: 3 };
        let peer = rig.client.local_addr().unwrap().ip();
        let lease = rig.registry.open(Wanted::Datagrams, peer, asked).unwrap();
        let Kind::Datagrams(ticket) = lease.session().kind else { panic!() };
        for number in 0..3 {
            let datagram = [datagram::header(&ticket, number).as_slice(), &[0; 1000]].concat();
            assert_eq!(rig.ask(&datagram).await, None);
        }
        assert_eq!((lease.session().packets(), lease.session().bytes()), (3, 3 * 1032));
        assert_eq!(lease.session().attached(), rig.client.local_addr().ok());
        let another = datagram::header(&crate::wire::control::Ticket([0; 16]), 0);
        assert_eq!(rig.ask(&another).await, None, "another ticket");
        assert_eq!((lease.session().packets(), lease.session().ended()), (3, None));
        assert_eq!(rig.ask(&datagram::header(&ticket, 3)).await, None);
        assert!(lease.session().ended().is_some(), "its datagrams are used up");
    }
}

//! Datagrams of one upload, counted on a socket and a thread of their own: a fast upload must neither be
//! slowed down by the reflector nor delay what that answers.
//!
//! The socket shares the reflector's port (`SO_REUSEPORT`) and is connected to the sender, so the system
//! gives it what comes from there and leaves the rest to the reflector, which counts too whatever still
//! reaches it. Where the system can (Linux, GRO) one call takes many datagrams.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use subtle::ConstantTimeEq as _;

use super::session::{Kind, Session};
use crate::net::ready;
use crate::wire::control::{Ticket, datagram};

/// How often the thread looks whether it should stop.
const TICK: Duration = Duration::from_millis(200);
/// Largest datagram.
const MOST: usize = 65_536;
/// Asked of the system, which may give less.
const RECEIVE_BUFFER: usize = 16 << 20;

/// A socket for STAMP and datagrams, whose port [`take_over`] may share.
pub(super) fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Counts from now on what comes from there for this session, until it ends. An error leaves it to the
/// reflector.
pub(super) fn take_over(session: Arc<Session>, local: SocketAddr, from: SocketAddr) -> io::Result<()> {
    let Kind::Datagrams(ticket) = session.kind else { return Ok(()) };
    if !cfg!(unix) {
        return Ok(());
    }
    let socket = bind(local)?;
    socket.connect(&from.into())?;
    // Best effort: with less, a burst is lost, and counted as such by the sender.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
    let thread = std::thread::Builder::new().name("datagrams".to_owned());
    thread.spawn(move || count(&socket, &state, &session, ticket, from)).map(drop)
}

fn count(socket: &Socket, state: &UdpSocketState, session: &Session, ticket: Ticket, from: SocketAddr) {
    let mut room = vec![vec![0; MOST]; BATCH_SIZE];
    let mut met = vec![RecvMeta::default(); BATCH_SIZE];
    while session.ended().is_none() {
        let mut slices: Vec<_> = room.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        let Ok(calls) = state.recv(UdpSockRef::from(socket), &mut slices, &mut met) else {
            // Nothing there, or ICMP that concerns nobody.
            ready::wait(&SockRef::from(socket), false, TICK);
            continue;
        };
        let (mut packets, mut bytes) = (0, 0);
        for (meta, buffer) in met.iter().zip(&room).take(calls).filter(|(meta, _)| meta.addr == from) {
            let arrived = buffer.get(..meta.len).unwrap_or_default();
            let ours = arrived.chunks(meta.stride.max(1)).filter(|one| is_of(one, &ticket));
            for datagram in ours {
                packets += 1;
                bytes += datagram.len() as u64;
            }
        }
        if packets > 0 && session.count_together(packets, bytes).is_err() {
            return;
        }
    }
}

/// Whether a datagram belongs to the upload.
fn is_of(datagram: &[u8], ticket: &Ticket) -> bool {
    datagram::parse(datagram).is_some_and(|(named, _)| bool::from(named.0.ct_eq(&ticket.0)))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::net::UdpSocket;
    use std::time::Instant;

    use super::*;
    use crate::farend::session::{Caps, Registry, Wanted};
    use crate::model::Secret;
    use crate::wire::control::Grant;

    fn client() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").unwrap()
    }

    /// The reflector's socket hears nothing of the upload any more; others it still hears.
    #[test]
    fn an_upload_moves_to_a_socket_of_its_own_and_nobody_else_with_it() {
        let reflector = UdpSocket::from(bind("127.0.0.1:0".parse().unwrap()).unwrap());
        reflector.set_nonblocking(false).unwrap();
        reflector.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let local = reflector.local_addr().unwrap();
        let registry = Registry::new(Caps::default(), Secret::from("key".to_owned()));
        let (sender, stranger) = (client(), client());
        let from = sender.local_addr().unwrap();
        let asked = Grant { seconds: 60, bytes: 1 << 20, packets: 300 };
        let lease = registry.open(Wanted::Datagrams, from.ip(), asked).unwrap();
        let Kind::Datagrams(ticket) = lease.session().kind else { panic!() };
        take_over(Arc::clone(lease.session()), local, from).unwrap();
        let datagram = |number| [datagram::header(&ticket, number).as_slice(), &[0; 1168]].concat();
        let await_packets = |wanted: u64| {
            let patience = Instant::now() + Duration::from_secs(10);
            while lease.session().packets() < wanted && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(2));
            }
            lease.session().packets()
        };
        // One call of many datagrams, and one by one; another ticket in between counts for nothing.
        let state = UdpSocketState::new(UdpSockRef::from(&sender)).unwrap();
        let many: Vec<u8> = (0..40).flat_map(datagram).collect();
        let transmit = quinn_udp::Transmit {
            destination: local,
            ecn: None,
            contents: &many,
            segment_size: Some(1200),
            src_ip: None,
        };
        state.try_send(UdpSockRef::from(&sender), &transmit).unwrap();
        for number in 40..100 {
            sender.send_to(&datagram(number), local).unwrap();
            sender.send_to(&datagram::header(&Ticket([7; 16]), number), local).unwrap();
        }
        assert_eq!((await_packets(100), lease.session().bytes()), (100, 120_000));
        stranger.send_to(&datagram(100), local).unwrap();
        let (length, who) = reflector.recv_from(&mut [0; 2048]).unwrap();
        assert_eq!((length, who), (1200, stranger.local_addr().unwrap()));
        assert_eq!(lease.session().packets(), 100);
        for number in 0..300 {
            let _ = sender.send_to(&datagram(number), local);
        }
        assert!(await_packets(301) >= 300 && lease.session().ended().is_some(), "its datagrams are used up");
    }
}

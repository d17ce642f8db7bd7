//! An SRT call on its socket: what comes goes in, what is due goes out, and what the way says of it.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::srt::Called;
use super::{LOOK, Stop};
use crate::model::Family;
use crate::net::{icmp_error, ready};
use crate::wire::srt::{Caller, CallerEvent, Conclusion};

/// Larger than any datagram that is looked at.
const DATAGRAM: usize = 2048;
/// What is due within this leaves at once: a timer for each packet would come too late for a fast stream.
const AHEAD: Duration = Duration::from_millis(1);

/// A call and its socket.
pub(super) struct Session<'a> {
    socket: &'a UdpSocket,
    peer: SocketAddr,
    pub(super) caller: Caller,
    datagram: Vec<u8>,
    plays: bool,
    refused: u32,
    /// Bytes that left.
    pub(super) sent: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(socket: &'a UdpSocket, peer: SocketAddr, caller: Caller) -> Self {
        Self { socket, peer, caller, datagram: vec![0; DATAGRAM], plays: false, refused: 0, sent: 0 }
    }

    pub(super) fn connect(&mut self, stop: &Stop) -> Result<Conclusion, Called> {
        loop {
            self.exchange().map_err(Called::Unreached)?;
            while let Some(event) = self.caller.event() {
                match event {
                    CallerEvent::Connected(conclusion) => return Ok(conclusion),
                    CallerEvent::Ended(ending) => return Err(Called::Missed(ending)),
                    CallerEvent::Inducted(_) => {}
                }
            }
            if stop.is_set() {
                self.hang_up();
                return Err(Called::Stopped);
            }
            self.wait(LOOK);
        }
    }

    /// Takes in what came and sends what is due.
    pub(super) fn exchange(&mut self) -> io::Result<()> {
        loop {
            match self.socket.recv(&mut self.datagram) {
                Ok(length) => {
                    let bytes = self.datagram.get(..length).unwrap_or_default();
                    self.caller.receive(Instant::now(), self.peer, bytes);
                    self.refused = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => self.failed(error)?,
            }
        }
        self.caller.timeout(Instant::now());
        while let Some(packet) = self.caller.transmit(self.ahead()) {
            match self.socket.send(&packet) {
                Ok(length) => self.sent += length as u64,
                // A full queue of this machine loses the packet, as for any encoder.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => self.failed(error)?,
            }
        }
        Ok(())
    }

    /// When the next packet is due, from now on and within [`AHEAD`].
    fn ahead(&self) -> Instant {
        let now = Instant::now();
        self.caller.next_time().map_or(now, |due| due.clamp(now, now + AHEAD))
    }

    /// From here on errors of the way are as for an encoder: what routers say of single packets is not kept.
    pub(super) fn play(&mut self) {
        const QUEUED: usize = 64;
        self.plays = true;
        self.refused = 0;
        icmp_error::keep(self.socket, Family::of(self.peer.ip()), false);
        let _ = (0..QUEUED).take_while(|_| icmp_error::take(self.socket).is_some()).count();
    }

    /// One "port unreachable" may be a leftover of a service that is just starting; three without a word
    /// between them are its end. While it plays, what fails on the way loses a packet, and silence decides.
    fn failed(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.refused += 1;
            return if self.refused < 3 { Ok(()) } else { Err(error) };
        }
        if self.plays && of_the_way(&error) { Ok(()) } else { Err(error) }
    }

    pub(super) fn wait(&self, most: Duration) {
        let due = self.caller.next_time().map_or(most, |at| at.saturating_duration_since(Instant::now()));
        ready::wait(&SockRef::from(self.socket), false, due.min(most));
    }

    pub(super) fn hang_up(&mut self) {
        self.caller.stop(Instant::now());
        while let Some(packet) = self.caller.transmit(Instant::now()) {
            let _ = self.socket.send(&packet);
        }
    }
}

/// Whether a network said that a packet cannot go on, or none can be found at the moment.
fn of_the_way(error: &io::Error) -> bool {
    let unreachable = [
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::NetworkDown,
        io::ErrorKind::AddrNotAvailable,
    ];
    let too_big = cfg!(unix) && error.raw_os_error() == Some(libc::EMSGSIZE);
    unreachable.contains(&error.kind()) || too_big
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::encoder::End;
    use crate::net::encoder::srt::broke;
    use crate::wire::srt::CallerOptions;

    #[test]
    fn what_the_way_says_loses_a_packet_and_a_shut_port_ends_the_stream() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = "127.0.0.1:9".parse().unwrap();
        let caller = Caller::new(CallerOptions::default(), peer, 1, Instant::now()).unwrap();
        let mut session = Session::new(&socket, peer, caller);
        let error = |code| io::Error::from_raw_os_error(code);
        assert!(session.failed(error(libc::EHOSTUNREACH)).is_err(), "nothing stands yet");
        session.play();
        for code in [libc::EHOSTUNREACH, libc::ENETUNREACH, libc::EMSGSIZE].repeat(9) {
            session.failed(error(code)).unwrap();
        }
        for _ in 0..2 {
            session.failed(error(libc::ECONNREFUSED)).unwrap();
        }
        let third = session.failed(error(libc::ECONNREFUSED)).unwrap_err();
        assert_eq!(broke(&third), End::Closed { reset: true });
        assert!(matches!(broke(&session.failed(error(libc::EBADF)).unwrap_err()), End::Broken { .. }));
    }
}

//! Datagrams with what the kernel knows of them: when they came and left, their class of service,
//! their TTL. Linux; elsewhere the time is this program's own and the rest is unknown.

use std::io;
use std::net::{SocketAddr, UdpSocket};
#[cfg(target_os = "linux")]
use std::time::Duration;
use std::time::Instant;

use crate::model::{Dscp, IcmpError};

/// A kernel's timestamp older than this, or of the future, is none: the clock was set meanwhile.
#[cfg(target_os = "linux")]
const STALE: Duration = Duration::from_secs(5);

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    /// Its bytes in the buffer.
    pub length: usize,
    /// Who sent it.
    pub from: SocketAddr,
    /// When it came.
    pub at: Instant,
    /// True when the kernel noted that time, false when it is when this program got it.
    pub by_kernel: bool,
    /// DSCP and ECN that it came with.
    pub field: Option<u8>,
    /// TTL or hop limit that it came with.
    pub ttl: Option<u8>,
}

/// What the kernel kept about datagrams that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// An ICMP error, and the MTU that it tells of (0 when it tells none).
    Icmp(IcmpError, u32),
    /// The send of this number (from 0, since [`note_departures`]) left at this time.
    Left(u32, Instant),
}

/// Sends with this class of service from now on. Best effort: whether it arrives is measured.
pub fn mark(socket: &UdpSocket, dscp: Dscp) {
    let (socket, field) = (socket2::SockRef::from(socket), u32::from(dscp.field()));
    let _ = socket.set_tos_v4(field);
    #[cfg(unix)]
    let _ = socket.set_tclass_v6(field);
}

#[cfg(target_os = "linux")]
pub use linux::{kept, note_arrivals, note_departures, receive};
#[cfg(not(target_os = "linux"))]
pub use portable::{kept, note_arrivals, note_departures, receive};

#[cfg(target_os = "linux")]
mod linux {
    use std::time::SystemTime;

    use super::{Came, Duration, Instant, Kept, STALE, UdpSocket, io};
    use crate::net::ancillary::{self, Control, Message};
    use crate::net::{icmp_error, option};

    /// When it left or came, by software; the second and third time are older kinds and hardware.
    const SCM_TIMESTAMPING: (libc::c_int, libc::c_int) = (libc::SOL_SOCKET, libc::SO_TIMESTAMPING);
    /// `ee_origin` of a departure's time (`linux/errqueue.h`).
    const ORIGIN_TIMESTAMPING: u8 = 4;
    /// Entries of the error queue looked at in one go.
    const MOST: usize = 64;

    /// Has the kernel note when datagrams come, with which class of service and TTL. Best effort.
    pub fn note_arrivals(socket: &UdpSocket) {
        let _ = stamp(socket, 0);
        for name in [
            (libc::IPPROTO_IP, libc::IP_RECVTOS),
            (libc::IPPROTO_IP, libc::IP_RECVTTL),
            (libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
            (libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
        ] {
            let _ = option::set(socket, name, 1);
        }
    }

    /// As [`note_arrivals`]; also has the kernel number what is sent from now on and keep when it
    /// left, until [`kept`] takes it. False where it does not.
    pub fn note_departures(socket: &UdpSocket) -> bool {
        note_arrivals(socket);
        stamp(
            socket,
            libc::SOF_TIMESTAMPING_TX_SOFTWARE
                | libc::SOF_TIMESTAMPING_OPT_ID
                | libc::SOF_TIMESTAMPING_OPT_TSONLY,
        )
        .is_ok()
    }

    fn stamp(socket: &UdpSocket, more: libc::c_uint) -> io::Result<()> {
        let flags = libc::SOF_TIMESTAMPING_SOFTWARE | libc::SOF_TIMESTAMPING_RX_SOFTWARE | more;
        option::set(socket, SCM_TIMESTAMPING, flags.cast_signed())
    }

    /// The next datagram.
    pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Came> {
        let message = ancillary::receive(socket, buffer, 0)?;
        let now = Instant::now();
        let from = message.from.ok_or_else(|| io::Error::other("a datagram from nowhere"))?;
        let by_kernel = noted(&message);
        let mut came = Came {
            length: message.length,
            from,
            at: by_kernel.unwrap_or(now),
            by_kernel: by_kernel.is_some(),
            field: None,
            ttl: None,
        };
        for control in message.controls() {
            match control.kind {
                (libc::IPPROTO_IP, libc::IP_TOS) | (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => {
                    came.field = small(&control);
                }
                (libc::IPPROTO_IP, libc::IP_TTL) | (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => {
                    came.ttl = small(&control);
                }
                _ => {}
            }
        }
        Ok(came)
    }

    /// IPv4's TOS is one byte, all others are an int.
    fn small(control: &Control) -> Option<u8> {
        match *control.data {
            [byte] => Some(byte),
            ref data => u8::try_from(libc::c_int::from_ne_bytes(*data.first_chunk()?)).ok(),
        }
    }

    /// The time that the kernel noted, by the monotonic clock: both clocks are read now, so that
    /// one that was set earlier does no harm.
    fn noted(message: &Message) -> Option<Instant> {
        let stamp = message.controls().find(|control| control.kind == SCM_TIMESTAMPING)?;
        let noted = timespec(stamp.data)?;
        let (now, utc) = both_clocks()?;
        now.checked_sub(utc.checked_sub(noted).filter(|ago| *ago < STALE)?)
    }

    /// Both clocks at one moment: of four readings the one in which this thread was held up least.
    fn both_clocks() -> Option<(Instant, Duration)> {
        let read = || {
            let (before, utc) = (Instant::now(), SystemTime::now());
            (before, utc, before.elapsed())
        };
        let moment = (0..4).map(|_| read()).min_by_key(|(_, _, gap)| *gap)?;
        Some((moment.0, moment.1.duration_since(SystemTime::UNIX_EPOCH).ok()?))
    }

    /// The first of the three times; zero when there is none.
    fn timespec(data: &[u8]) -> Option<Duration> {
        const WORD: usize = size_of::<libc::c_long>();
        let seconds = libc::c_long::from_ne_bytes(*data.first_chunk::<WORD>()?);
        let nanos = libc::c_long::from_ne_bytes(*data.get(WORD..)?.first_chunk()?);
        let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        let time = Duration::new(u64::try_from(seconds).ok()?, nanos);
        (!time.is_zero()).then_some(time)
    }

    /// Takes what the kernel kept, at most a handful at a time; empty when there is nothing.
    pub fn kept(socket: &UdpSocket) -> Vec<Kept> {
        let mut all = Vec::new();
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        for _ in 0..MOST {
            let Ok(message) = ancillary::receive(socket, &mut [0; 64], flags) else { break };
            let errors = message.controls().filter(|control| icmp_error::is_extended(control.kind));
            for error in errors {
                all.extend(left(&message, error.data));
                all.extend(icmp_error::parse(error.data).map(|icmp| Kept::Icmp(icmp, info(error.data))));
            }
        }
        all
    }

    fn left(message: &Message, error: &[u8]) -> Option<Kept> {
        let number = u32::from_ne_bytes(*error.get(12..)?.first_chunk()?);
        let at = noted(message)?;
        (error.get(4) == Some(&ORIGIN_TIMESTAMPING)).then_some(Kept::Left(number, at))
    }

    /// `ee_info`: of "fragmentation needed", the MTU.
    fn info(error: &[u8]) -> u32 {
        error.get(8..).and_then(|rest| rest.first_chunk()).map_or(0, |info| u32::from_ne_bytes(*info))
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use super::{Came, Instant, Kept, UdpSocket, io};

    /// Nothing is noted here.
    pub fn note_arrivals(_: &UdpSocket) {}

    /// Nothing is noted here.
    pub fn note_departures(_: &UdpSocket) -> bool {
        false
    }

    /// The next datagram.
    pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Came> {
        let (length, from) = socket.recv_from(buffer)?;
        Ok(Came { length, from, at: Instant::now(), by_kernel: false, field: None, ttl: None })
    }

    /// Nothing is kept here.
    pub fn kept(_: &UdpSocket) -> Vec<Kept> {
        Vec::new()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::model::Family;
    use crate::net::icmp_error;

    fn pair(address: &str) -> (UdpSocket, UdpSocket) {
        let (near, far) = (UdpSocket::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
        near.connect(far.local_addr().unwrap()).unwrap();
        far.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        note_arrivals(&far);
        (near, far)
    }

    #[test]
    fn class_and_ttl_come_with_a_datagram() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (near, far) = pair(address);
            mark(&near, Dscp::try_from("ef".to_owned()).unwrap());
            near.send(b"hello").unwrap();
            let (mut buffer, before) = ([0; 100], Instant::now());
            let came = receive(&far, &mut buffer).unwrap();
            assert_eq!((came.length, came.from), (5, near.local_addr().unwrap()));
            assert_eq!((came.field, came.ttl), (Some(184), Some(64)), "{address}");
            assert!(came.at.saturating_duration_since(before) < Duration::from_secs(5));
        }
    }

    #[test]
    fn the_kernel_notes_when_datagrams_left_and_came() {
        let (near, far) = pair("127.0.0.1:0");
        assert!(note_departures(&near));
        let (mut buffer, mut noted) = ([0; 100], Vec::new());
        // The kernel starts noting a moment after it was asked to.
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(2));
            near.send(b"hello").unwrap();
            // Loopback delivers before it returns.
            let sent = Instant::now();
            std::thread::sleep(Duration::from_millis(8));
            let came = receive(&far, &mut buffer).unwrap();
            noted.push(came.by_kernel && came.at < sent + Duration::from_millis(4));
        }
        assert!(noted.iter().rev().take(40).filter(|good| **good).count() >= 35, "{noted:?}");
        let left: Vec<u32> = kept(&near)
            .into_iter()
            .map(|kept| match kept {
                Kept::Left(number, _) => number,
                Kept::Icmp(..) => panic!("{kept:?}"),
            })
            .collect();
        assert_eq!(left, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn an_icmp_error_stands_beside_departures() {
        let (near, far) = pair("127.0.0.1:0");
        icmp_error::keep(&near, Family::V4, true);
        assert!(note_departures(&near));
        drop(far);
        near.send(b"?").unwrap();
        let kept = kept(&near);
        assert!(
            kept.iter().any(|kept| matches!(kept, Kept::Icmp(error, 0) if error.is_port_unreachable())),
            "{kept:?}"
        );
        assert!(kept.iter().any(|kept| matches!(kept, Kept::Left(0, _))), "{kept:?}");
    }
}

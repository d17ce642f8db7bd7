//! ICMP errors as the kernel keeps them for a socket (`IP_RECVERR`, ip(7)): the exact code, and
//! who sent it. errno alone blurs both: a prohibition and a dead host are both `EHOSTUNREACH`.
//!
//! Linux only, no privilege needed; for a connecting TCP socket since Linux 5.10. Elsewhere
//! nothing is kept, and callers go by errno.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Family, IcmpError};

#[cfg(target_os = "linux")]
pub use linux::{is_extended, keep, take};
#[cfg(not(target_os = "linux"))]
pub use portable::{keep, take};

/// Reads `struct sock_extended_err` and the sender's address behind it (`linux/errqueue.h`):
/// errno u32, origin u8, type u8, code u8, pad u8, info u32, data u32, then a sockaddr.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux keeps them"))]
pub(super) fn parse(bytes: &[u8]) -> Option<IcmpError> {
    const ORIGIN_ICMP: u8 = 2;
    const ORIGIN_ICMP6: u8 = 3;
    let (head, sender) = bytes.split_at_checked(16)?;
    let family = match head[4] {
        ORIGIN_ICMP => Family::V4,
        ORIGIN_ICMP6 => Family::V6,
        _ => return None, // this machine's own trouble, or a transmit status
    };
    // sockaddr_in: family, port, address; sockaddr_in6: family, port, flow, address.
    let from: IpAddr = match family {
        Family::V4 => Ipv4Addr::from(<[u8; 4]>::try_from(sender.get(4..8)?).ok()?).into(),
        Family::V6 => Ipv6Addr::from(<[u8; 16]>::try_from(sender.get(8..24)?).ok()?).into(),
    };
    Some(IcmpError { family, kind: head[5], code: head[6], from })
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::AsFd;

    use super::parse;
    use crate::model::{Family, IcmpError};
    use crate::net::{ancillary, option};

    /// Lets the kernel keep ICMP errors of a socket of this family, or stop doing so. Best effort:
    /// without it the errors' codes are unknown, and callers go by errno.
    ///
    /// On an established TCP connection ICMP errors kept are fatal ones: stop after connecting.
    pub fn keep(socket: &impl AsFd, family: Family, on: bool) {
        let name = match family {
            Family::V4 => (libc::IPPROTO_IP, libc::IP_RECVERR),
            Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        };
        let _ = option::set(socket, name, on.into());
    }

    /// Takes the oldest ICMP error kept for this socket. Never blocks.
    pub fn take(socket: &impl AsFd) -> Option<IcmpError> {
        // A queue may hold other things first (transmit status): bounded look at what follows.
        (0..8).map_while(|_| receive(socket)).flatten().next()
    }

    /// The next entry's ICMP error, or nothing when it is something else; `None` when the queue is empty.
    fn receive(socket: &impl AsFd) -> Option<impl Iterator<Item = IcmpError>> {
        let mut packet = [0_u8; 64]; // the start of our own packet: of no interest
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        let message = ancillary::receive(socket, &mut packet, flags).ok()?;
        let error = message.controls().find(|control| is_extended(control.kind));
        Some(error.and_then(|error| parse(error.data)).into_iter())
    }

    /// True for the control message that holds a `struct sock_extended_err`.
    pub fn is_extended(kind: (libc::c_int, libc::c_int)) -> bool {
        kind == (libc::IPPROTO_IP, libc::IP_RECVERR) || kind == (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use crate::model::{Family, IcmpError};

    /// Does nothing here.
    pub fn keep<S>(_: &S, _: Family, _: bool) {}

    /// Nothing is kept here.
    pub fn take<S>(_: &S) -> Option<IcmpError> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    /// As Linux 6.1 writes it for a SYN that `nft reject with icmp type admin-prohibited` answered.
    fn admin_prohibited() -> Vec<u8> {
        let mut bytes = vec![113, 0, 0, 0, 2, 3, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([2, 0, 0, 0, 198, 51, 100, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn code_and_sender_are_read() {
        let error = parse(&admin_prohibited()).unwrap();
        assert_eq!((error.kind, error.code, error.from), (3, 13, "198.51.100.2".parse().unwrap()));
        assert_eq!(error.failure(), Failure::Prohibited);
        assert_eq!(
            error.to_string(),
            "communication administratively prohibited (ICMP type 3 code 13) from 198.51.100.2"
        );
    }

    #[test]
    fn anything_shorter_is_nothing() {
        let whole = admin_prohibited();
        for cut in 0..24 {
            assert_eq!(parse(&whole[..cut]), None, "{cut}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_unreachable_udp_port_says_so_through_the_queue() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        keep(&socket, Family::V4, true);
        assert_eq!(take(&socket), None);
        socket.connect(closed).unwrap();
        socket.send(b"?").unwrap();
        let error = take(&socket).expect("loopback answers at once");
        assert!(error.is_port_unreachable(), "{error}");
        assert_eq!(error.from, closed.ip());
    }
}

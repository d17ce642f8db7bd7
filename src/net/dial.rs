//! Connecting: bound to the path that the policy names, timed, failures classified.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::clock::Origin;
use super::failure::classify;
use super::{icmp_error, tcp_info};
use crate::model::{Cause, Contact, Failure, Family, IcmpError, NotMeasured, SourceAddress};

/// A connection, and when and between which addresses it came about.
#[derive(Debug)]
pub struct Dialled {
    /// The connection, `TCP_NODELAY` set.
    pub stream: TcpStream,
    /// Addresses and times; `took_ms` is the TCP handshake.
    pub contact: Contact,
}

/// A connection that did not come about.
#[derive(Debug)]
pub struct Undialled {
    /// Why.
    pub failure: Failure,
    /// The ICMP error that ended it, where the system tells.
    pub icmp: Option<IcmpError>,
    /// The system's words, when there are any.
    pub detail: String,
    /// Addresses and times.
    pub contact: Contact,
}

/// The addresses that can be asked over this path: those of its source address' family, and of
/// families that this machine has. None at all is "could not ask".
pub fn usable(
    mut addresses: Vec<SocketAddr>,
    source: &SourceAddress,
) -> Result<Vec<SocketAddr>, NotMeasured> {
    let mut first = None;
    addresses.retain(|remote| match bound(*remote, Type::STREAM, source) {
        Ok(_) => true,
        Err(why) => {
            first.get_or_insert(why);
            false
        }
    });
    first.filter(|_| addresses.is_empty()).map_or(Ok(addresses), Err)
}

/// A socket bound to `source`. An interface or address that is not there, or that is of the other
/// address family, is "could not ask": nothing may leave by another way than the policy names.
pub fn bound(remote: SocketAddr, kind: Type, source: &SourceAddress) -> Result<Socket, NotMeasured> {
    let no_path = |error: io::Error| {
        let name =
            source.interface.clone().or_else(|| source.address.map(|a| a.to_string())).unwrap_or_default();
        NotMeasured::new(
            Cause::NoPath,
            format!("cannot use the path {name}: {error}"),
            "check the interface or source address of this [path] in the policy (`ip address` lists them)",
        )
    };
    if source.address.is_some_and(|address| Family::of(address) != Family::of(remote.ip())) {
        return Err(no_path(io::Error::other(format!(
            "it has no {} address",
            Family::of(remote.ip()).word()
        ))));
    }
    let protocol = if kind == Type::STREAM { Protocol::TCP } else { Protocol::UDP };
    let socket = Socket::new(Domain::for_address(remote), kind, Some(protocol)).map_err(no_path)?;
    socket.set_nonblocking(true).map_err(no_path)?;
    // What never leaves this machine (a local resolver, as systemd-resolved's) has no path.
    #[cfg(target_os = "linux")]
    if let Some(interface) = source.interface.as_ref().filter(|_| !remote.ip().is_loopback()) {
        socket.bind_device(Some(interface.as_bytes())).map_err(no_path)?;
    }
    #[cfg(not(target_os = "linux"))]
    if source.interface.is_some() && source.address.is_none() {
        return Err(no_path(io::Error::other(
            "binding to an interface is for Linux; name its source address, too",
        )));
    }
    if let Some(address) = source.address {
        socket.bind(&SocketAddr::new(address, 0).into()).map_err(no_path)?;
    } else if kind == Type::DGRAM {
        let any: IpAddr =
            if remote.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        socket.bind(&SocketAddr::new(any, 0).into()).map_err(no_path)?;
    }
    Ok(socket)
}

/// False when the path's interface has no address that could be sent from. Linux takes every IPv4
/// address for a neighbour then, asks for it by ARP, and the caller would wait for an answer that
/// cannot come. Nothing is sent here.
fn has_address(remote: SocketAddr, source: &SourceAddress) -> Result<bool, NotMeasured> {
    if source.interface.is_none() || source.address.is_some() {
        return Ok(true); // without a route, the system says so by itself
    }
    let socket = bound(remote, Type::DGRAM, source)?;
    let local = socket.connect(&remote.into()).and_then(|()| socket.local_addr());
    Ok(local.ok().and_then(|local| local.as_socket()).is_none_or(|local| !local.ip().is_unspecified()))
}

/// Where a bound UDP socket would send to `remote` from. The port is the socket's; which address the system
/// would take, a connected twin tells without sending anything. None without a way there.
pub fn own_address(remote: SocketAddr, socket: &Socket, source: &SourceAddress) -> Option<SocketAddr> {
    let port = socket.local_addr().ok()?.as_socket()?.port();
    let twin = bound(remote, Type::DGRAM, source).ok()?;
    twin.connect(&remote.into()).ok()?;
    let ip = twin.local_addr().ok()?.as_socket()?.ip();
    (!ip.is_unspecified()).then(|| SocketAddr::new(ip, port))
}

/// Connects over TCP. `Err` when the path is not there; a connection that fails is `Ok(Err(_))`.
pub async fn tcp(
    remote: SocketAddr,
    source: &SourceAddress,
    limit: Duration,
    origin: &Origin,
) -> Result<Result<Dialled, Undialled>, NotMeasured> {
    tcp_with(remote, source, limit, origin, |_| {}).await
}

/// As [`tcp`]; `prepare` sets options that must stand before the connection does.
pub async fn tcp_with(
    remote: SocketAddr,
    source: &SourceAddress,
    limit: Duration,
    origin: &Origin,
    prepare: impl FnOnce(&Socket) + Send,
) -> Result<Result<Dialled, Undialled>, NotMeasured> {
    let socket = bound(remote, Type::STREAM, source)?;
    let family = Family::of(remote.ip());
    if !has_address(remote, source)? {
        let contact = Contact { remote, local: None, offset_ms: origin.ms(), took_ms: 0.0 };
        let detail = format!("this path has no {} address", family.word());
        return Ok(Err(Undialled { failure: Failure::NetUnreachable, icmp: None, detail, contact }));
    }
    prepare(&socket);
    icmp_error::keep(&socket, family, true);
    // A failed connect takes the socket with it; the queue of its errors lives on in a twin.
    let twin = socket.try_clone().ok();
    let socket = TcpSocket::from_std_stream(socket.into());
    let offset_ms = origin.ms();
    let outcome = tokio::time::timeout(limit, socket.connect(remote)).await;
    let mut contact = Contact { remote, local: None, offset_ms, took_ms: origin.ms() - offset_ms };
    Ok(match outcome {
        Ok(Ok(stream)) => {
            contact.local = stream.local_addr().ok();
            let _ = stream.set_nodelay(true);
            icmp_error::keep(&stream, family, false);
            Ok(Dialled { stream, contact })
        }
        Ok(Err(error)) => {
            let icmp = twin.as_ref().and_then(icmp_error::take);
            let failure = icmp.map_or_else(|| classify(&error), |icmp| icmp.failure());
            // Where it would have come from: an ICMP error from there is this machine's own.
            let local = twin.as_ref().and_then(|twin| twin.local_addr().ok()?.as_socket());
            contact.local = local.filter(|local| !local.ip().is_unspecified());
            Err(Undialled { failure, icmp, detail: error.to_string(), contact })
        }
        Err(_) => {
            let info = twin.as_ref().and_then(|twin| tcp_info::read_socket(&SockRef::from(twin)));
            let (failure, detail) = if info.is_some_and(|info| info.is_stopped_here()) {
                (Failure::LocalPolicy, "the system could not send it a second time".to_owned())
            } else {
                (Failure::TimedOut, String::new())
            };
            Err(Undialled { failure, icmp: None, detail, contact })
        }
    })
}

/// A UDP socket connected to `remote`, so that ICMP errors come back as errors of send and receive.
pub async fn udp(remote: SocketAddr, source: &SourceAddress) -> Result<UdpSocket, NotMeasured> {
    let socket = bound(remote, Type::DGRAM, source)?;
    let broken = |error: io::Error| {
        NotMeasured::new(
            Cause::NoPath,
            format!("no UDP socket to {remote}: {error}"),
            "check the route to this address",
        )
    };
    let socket = UdpSocket::from_std(socket.into()).map_err(broken)?;
    socket.connect(remote).await.map_err(broken)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_is_refused_and_an_open_one_connects() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let (source, origin, limit) = (SourceAddress::default(), Origin::start(), Duration::from_secs(2));
        assert_eq!(tcp(open, &source, limit, &origin).await.unwrap().unwrap().contact.remote, open);
        drop(listener);
        assert_eq!(tcp(open, &source, limit, &origin).await.unwrap().unwrap_err().failure, Failure::Refused);
    }

    #[test]
    fn nothing_leaves_by_another_family() {
        let source = SourceAddress { interface: None, address: Some("127.0.0.1".parse().unwrap()) };
        let (v4, v6) = ("127.0.0.1:9".parse().unwrap(), "[::1]:9".parse().unwrap());
        assert_eq!(bound(v6, Type::DGRAM, &source).unwrap_err().cause, Cause::NoPath);
        assert_eq!(usable(vec![v6, v4], &source).unwrap(), [v4]);
        assert_eq!(usable(vec![v6], &source).unwrap_err().cause, Cause::NoPath);
        assert_eq!(usable(vec![], &source).unwrap(), []);
    }

    #[test]
    fn a_path_has_an_address_to_send_from_or_says_so() {
        let by = |interface: &str| SourceAddress { interface: Some(interface.into()), address: None };
        assert!(has_address("127.0.0.1:9".parse().unwrap(), &by("lo")).unwrap());
        assert!(bound("127.0.0.1:9".parse().unwrap(), Type::DGRAM, &by("nonesuch0")).is_ok(), "no path");
        assert!(has_address("[::1]:9".parse().unwrap(), &SourceAddress::default()).unwrap());
        assert_eq!(classify(&io::ErrorKind::AddrNotAvailable.into()), Failure::NetUnreachable);
    }

    #[tokio::test]
    async fn a_missing_interface_is_not_measured() {
        let source = SourceAddress { interface: Some("nonesuch0".into()), address: None };
        let remote = "192.0.2.1:9".parse().unwrap();
        let error = tcp(remote, &source, Duration::from_secs(1), &Origin::start()).await.unwrap_err();
        assert_eq!(error.cause, Cause::NoPath);
    }
}

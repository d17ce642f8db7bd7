//! A resolver's front with manners that no real one can be told to have: slow, truncating, or
//! rewriting what it doesn't know. What it says comes from the real one behind it.

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::manners::{Manners, without_do};
use crate::ground::namespace::Namespace;
use crate::middlebox::server::{Log, Server, listen, udp};

/// Answers on port 53 of these addresses with what `behind` says.
pub(super) fn start(namespace: &Namespace, own: &[IpAddr], behind: SocketAddr, manners: Manners) -> Server {
    let manners = Arc::new(manners);
    let at = || own.iter().map(|own| SocketAddr::new(*own, 53));
    let sockets: Vec<_> = namespace.run(|| at().map(udp).collect());
    let listeners: Vec<_> =
        if manners.tcp { namespace.run(|| at().map(listen).collect()) } else { Vec::new() };
    Server::start(namespace, move |log| async move {
        for socket in sockets {
            tokio::spawn(datagrams(socket, behind, manners.clone(), log.clone()));
        }
        for listener in listeners {
            tokio::spawn(streams(listener, behind, manners.clone(), log.clone()));
        }
        std::future::pending::<()>().await;
    })
}

async fn datagrams(socket: UdpSocket, behind: SocketAddr, manners: Arc<Manners>, log: Log) {
    let socket = Arc::new(tokio::net::UdpSocket::from_std(socket).unwrap());
    let mut query = [0; 4096];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut query).await else { continue };
        let (query, socket, manners) = (query[..length].to_vec(), socket.clone(), manners.clone());
        log.line(format!("{from} asks over UDP"));
        tokio::spawn(async move {
            let Some(mut answer) = answer(&query, behind, &manners).await else { return };
            if manners.truncates {
                truncate(&mut answer, &query);
            }
            let _ = socket.send_to(&answer, from).await;
        });
    }
}

async fn streams(listener: TcpListener, behind: SocketAddr, manners: Arc<Manners>, log: Log) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((mut stream, from)) = listener.accept().await else { continue };
        let manners = manners.clone();
        log.line(format!("{from} asks over TCP"));
        tokio::spawn(async move {
            while let Some(query) = read(&mut stream).await {
                let Some(answer) = answer(&query, behind, &manners).await else { return };
                if write(&mut stream, &answer).await.is_none() {
                    return;
                }
            }
        });
    }
}

/// A message with its length before it (RFC 1035 §4.2.2).
async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let length = stream.read_u16().await.ok()?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

async fn write(stream: &mut TcpStream, message: &[u8]) -> Option<()> {
    let length = u16::try_from(message.len()).ok()?.to_be_bytes();
    stream.write_all(&[&length, message].concat()).await.ok()
}

async fn answer(query: &[u8], behind: SocketAddr, manners: &Manners) -> Option<Vec<u8>> {
    if let Some(said) = manners.at_once(query) {
        tokio::time::sleep(manners.delay).await;
        return Some(said);
    }
    let mut stream = TcpStream::connect(behind).await.ok()?;
    let mut passed = query.to_vec();
    if manners.strips_dnssec {
        without_do(&mut passed);
    }
    write(&mut stream, &passed).await?;
    let answer = read(&mut stream).await?;
    tokio::time::sleep(manners.delay).await;
    let unknown = answer.get(3).is_some_and(|flags| flags & 0xf == 3);
    if unknown && !manners.nxdomain_to.is_empty() {
        return advertise(query, &manners.nxdomain_to);
    }
    Some(answer)
}

/// The header and the question, and where that ends.
pub(super) fn question(query: &[u8]) -> Option<usize> {
    let mut at = 12;
    while *query.get(at)? != 0 {
        at += usize::from(query[at]) + 1;
    }
    (query.len() >= at + 5).then_some(at + 5)
}

/// The answer to `query` that has these addresses, as far as it asks for such.
fn advertise(query: &[u8], addresses: &[IpAddr]) -> Option<Vec<u8>> {
    const A: u16 = 1;
    const AAAA: u16 = 28;
    let end = question(query)?;
    let kind = u16::from_be_bytes([query[end - 4], query[end - 3]]);
    let data = addresses.iter().filter_map(|address| match address {
        IpAddr::V4(address) if kind == A => Some(address.octets().to_vec()),
        IpAddr::V6(address) if kind == AAAA => Some(address.octets().to_vec()),
        _ => None,
    });
    let data: Vec<Vec<u8>> = data.collect();
    let count = u16::try_from(data.len()).ok()?.to_be_bytes();
    // Id; response, recursion desired and available; one question, the answers, nothing else.
    let mut answer = [&query[..2], &[0x81, 0x80, 0, 1], &count, &[0; 4], &query[12..end]].concat();
    for data in data {
        let length = u16::try_from(data.len()).ok()?.to_be_bytes();
        // The question's name, kind, class IN, a minute.
        answer.extend([&[0xc0, 12], &kind.to_be_bytes()[..], &[0, 1, 0, 0, 0, 60], &length, &data].concat());
    }
    Some(answer)
}

/// Leaves the header and the question, and says that there is more.
fn truncate(answer: &mut Vec<u8>, query: &[u8]) {
    let Some(end) = question(query) else { return };
    answer.truncate(end);
    answer[2] |= 0x02;
    answer[6..12].fill(0);
}

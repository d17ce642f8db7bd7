//! The walk of a question on connections that stand: where what speaks a protocol is cut or swallowed,
//! while handshakes get through.
//!
//! Each hop has a connection of its own. A handshake with that hop's TTL shows which router is there; then,
//! from the very same port and so by the same way, a handshake goes all the way, and the question ends at
//! the hop. What comes back for a question that ends before the host is not the host's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures::future::join_all;
use socket2::{SockRef, Socket};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{FARTHEST, PATIENCE, STRIDE, USUAL_TTL, cut, limit, told, turn};
use crate::model::{Failure, Family, Hop, HopEnd, SourceAddress, Walk};
use crate::net::clock::Origin;
use crate::net::dial::{self, Undialled};
use crate::net::failure::classify;
use crate::net::{icmp_error, tcp_info};
use crate::wire::knock::{Protocol, Salt};

/// Longest question: it fits the smallest MTU there is (IPv6, 1280), so that a path which is too narrow
/// is not taken for one that inspects.
const MOST_BYTES: usize = 1000;
/// Bytes of a walk at most: of each hop three SYNs, an acknowledgement and a reset; the question four times.
pub const BYTES: u64 = FARTHEST as u64 * (5 * 80 + 4 * (MOST_BYTES as u64 + 80));
/// Its packets at most.
pub const PACKETS: u64 = FARTHEST as u64 * 9;
/// Long enough for the kernel to ask four times, the last time a second after the others: routers send
/// one error a second, and the handshake before had one.
const HEAR: Duration = Duration::from_millis(2200);
/// How often a connection is looked at for an ICMP error.
const LOOK: Duration = Duration::from_millis(25);
/// Longest time of a walk, once it is its turn.
pub const LONGEST: Duration = Duration::from_secs(8);

/// Walks with the smallest question of a protocol to a port of this host that accepts connections.
pub async fn ask(
    remote: SocketAddr,
    (protocol, host): (Protocol, &str),
    source: &SourceAddress,
    origin: &Origin,
) -> Option<Walk> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).ok()?;
    let question = protocol.question(host, &salt);
    walk(remote, &question, source, origin).await.and_then(Walk::of)
}

/// Walks with this question to a port that accepts connections: what each TTL brought for the question,
/// and for the handshake before it.
///
/// `None` where the system cannot tell, when no turn came, and when connections end without a question, too.
async fn walk(
    remote: SocketAddr,
    question: &[u8],
    source: &SourceAddress,
    origin: &Origin,
) -> Option<(Vec<Hop>, Vec<Hop>)> {
    let _turn = turn(remote).await?;
    let question = question.get(..MOST_BYTES).unwrap_or(question);
    let way = Way { remote, question, source, origin };
    let walking = async { tokio::join!(way.hops(), way.stands_unasked()) };
    let (hops, stands) = timeout(LONGEST, walking).await.ok()?;
    stands.then_some(hops)
}

/// Whom to ask, and what.
struct Way<'a> {
    remote: SocketAddr,
    question: &'a [u8],
    source: &'a SourceAddress,
    origin: &'a Origin,
}

impl Way<'_> {
    async fn hops(&self) -> (Vec<Hop>, Vec<Hop>) {
        let (mut asked, mut shaken): (Vec<Hop>, Vec<Hop>) = (Vec::new(), Vec::new());
        while asked.len() < FARTHEST.into() {
            let next = u8::try_from(asked.len()).unwrap_or(FARTHEST) + 1;
            let batch = join_all((next..next + STRIDE).map(|ttl| self.hop(ttl))).await;
            let lost = batch.iter().all(|(question, _)| question.end == HopEnd::Silent);
            let there = batch.iter().any(|(question, shaken)| question.end.is_last() || shaken.end.is_last());
            for (question, handshake) in batch {
                asked.push(question);
                shaken.push(handshake);
            }
            if lost || there {
                break;
            }
        }
        let shaken = cut(shaken);
        asked.truncate(shaken.len()); // as far as it is known who is there
        (asked, shaken)
    }

    /// Whether a connection on which nothing is asked stands meanwhile: else its end says nothing.
    async fn stands_unasked(&self) -> bool {
        let Ok(Ok(mut idle)) = dial::tcp(self.remote, self.source, PATIENCE, self.origin).await else {
            return false;
        };
        let mut said = [0; 64];
        match timeout(HEAR, idle.stream.read(&mut said)).await {
            Ok(Ok(length)) => length > 0, // it greets
            Ok(Err(_)) => false,
            Err(_) => true,
        }
    }

    /// What came of the question, and of the handshake before it.
    async fn hop(&self, ttl: u8) -> (Hop, Hop) {
        let began = self.origin.ms();
        let (handshake, mut stream, own) = self.handshake(ttl).await;
        if matches!(handshake.end, HopEnd::Expired | HopEnd::Silent) {
            stream = match own {
                Some(own) => self.from(own, USUAL_TTL).await.0.ok(),
                None => None,
            };
        }
        let end = match stream {
            Some(stream) => self.ask(stream, ttl, handshake.end).await,
            None => HopEnd::Silent,
        };
        let from = handshake.from.filter(|_| end == HopEnd::Expired);
        (Hop { ttl, end, from, took_ms: self.origin.ms() - began }, handshake)
    }

    async fn handshake(&self, ttl: u8) -> (Hop, Option<TcpStream>, Option<SocketAddr>) {
        let began = self.origin.ms();
        let any: IpAddr = match Family::of(self.remote.ip()) {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let (dialled, own) = self.from(SocketAddr::new(self.source.address.unwrap_or(any), 0), ttl).await;
        let (end, from, stream) = match dialled {
            Ok(stream) => (HopEnd::Answered, None, Some(stream)),
            Err(Some(Undialled { icmp: Some(icmp), .. })) => (told(icmp), Some(icmp.from), None),
            Err(Some(Undialled { failure: Failure::Refused | Failure::Reset, .. })) => {
                (HopEnd::Refused, None, None)
            }
            Err(_) => (HopEnd::Silent, None, None),
        };
        (Hop { ttl, end, from, took_ms: self.origin.ms() - began }, stream, own)
    }

    /// A connection from this address and port, and which they are.
    async fn from(
        &self,
        own: SocketAddr,
        ttl: u8,
    ) -> (Result<TcpStream, Option<Undialled>>, Option<SocketAddr>) {
        // Bound here, port and all, and not once before.
        let source = SourceAddress { address: None, ..self.source.clone() };
        let mut at = None;
        let prepare = |socket: &Socket| {
            limit(socket, Family::of(self.remote.ip()), ttl);
            at = socket.bind(&own.into()).and_then(|()| socket.local_addr()).ok();
        };
        let dialled = dial::tcp_with(self.remote, &source, PATIENCE, self.origin, prepare).await;
        let at = at.and_then(|at| at.as_socket());
        let same = at.is_some_and(|at| own.port() == 0 || at == own);
        match dialled {
            Ok(Ok(dialled)) if same => (Ok(dialled.stream), at),
            Ok(Err(undialled)) if same => (Err(Some(undialled)), at),
            _ => (Err(None), at),
        }
    }

    /// Asks on a connection, with packets that end at the hop whose handshake ended so.
    async fn ask(&self, mut stream: TcpStream, ttl: u8, handshake: HopEnd) -> HopEnd {
        let family = Family::of(self.remote.ip());
        // An ICMP error now ends the connection, which is how it shows.
        icmp_error::keep(&stream, family, true);
        limit(&SockRef::from(&stream), family, ttl);
        let asking = async {
            stream.write_all(self.question).await?;
            hear(&mut stream).await
        };
        let end = match timeout(HEAR, asking).await {
            Ok(Ok(0)) => HopEnd::Refused,
            Ok(Ok(_)) => HopEnd::Answered,
            Ok(Err(error)) => match (classify(&error), handshake) {
                (Failure::Reset | Failure::Closed, _) => HopEnd::Refused,
                (Failure::HostUnreachable | Failure::NetUnreachable, HopEnd::Expired) => HopEnd::Expired,
                (Failure::HostUnreachable | Failure::NetUnreachable, HopEnd::Answered) => HopEnd::Denied,
                _ => HopEnd::Silent,
            },
            // Without a word, but acknowledged: it arrived.
            Err(_) if tcp_info::read(&stream).is_some_and(|info| info.unacked == Some(0)) => HopEnd::Answered,
            Err(_) => HopEnd::Silent,
        };
        // The host shall forget the connection: let a reset reach it.
        limit(&SockRef::from(&stream), family, USUAL_TTL);
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        end
    }
}

/// Bytes of what the other side says, or what went wrong. An error that leaves a connection open wakes
/// nobody who reads from it: so it is looked for now and then.
async fn hear(stream: &mut TcpStream) -> io::Result<usize> {
    let mut said = [0; 64];
    loop {
        if let Ok(heard) = timeout(LOOK, stream.read(&mut said)).await {
            return heard;
        }
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// What a server one hop away that does so looks like.
    async fn end<F: Future<Output = ()> + Send>(
        each: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Option<(HopEnd, HopEnd)> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let mut open = futures::stream::FuturesUnordered::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => open.push(each(stream)),
                    Some(()) = futures::StreamExt::next(&mut open) => {}
                }
            }
        });
        let (hops, handshakes) = walk(at, b"hello?", &SourceAddress::default(), &Origin::start()).await?;
        assert_eq!((hops.len(), handshakes.len()), (1, 1), "{hops:?} {handshakes:?}");
        Some((hops[0].end, handshakes[0].end))
    }

    #[tokio::test]
    async fn what_comes_of_a_question_is_told_apart() {
        let first = async |stream: &mut TcpStream| stream.read(&mut [0; 64]).await.unwrap_or_default() > 0;
        let cuts = end(move |mut stream| async move {
            let _ = first(&mut stream).await;
        })
        .await;
        assert_eq!(cuts, Some((HopEnd::Refused, HopEnd::Answered)));
        let answers = end(move |mut stream| async move {
            if first(&mut stream).await {
                let _ = stream.write_all(b"yes").await;
                let _ = stream.read(&mut [0; 64]).await;
            }
        });
        assert_eq!(answers.await, Some((HopEnd::Answered, HopEnd::Answered)));
        let takes = end(move |mut stream| async move { while first(&mut stream).await {} }).await;
        assert_eq!(takes, Some((HopEnd::Answered, HopEnd::Answered)));
        // Where connections end unasked, their end says nothing about a question.
        assert_eq!(end(|stream| async move { drop(stream) }).await, None);
    }
}

//! Asks a time server: a few packets from a socket of the check's own path.
//!
//! Not by rsntp: it opens its sockets itself, and nothing may leave by another way than the policy's.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::clock::{Origin, Wall};
use super::dial;
use super::failure::classify;
use crate::model::{Contact, Failure, NotMeasured, SourceAddress, WireText};
use crate::wire::ntp::{self, Answer, BYTES, Bad, Exchange};
use crate::wire::stamp::Ntp;

/// Requests at most, each after [`EVERY`] without an answer: one packet may be lost.
pub const REQUESTS: u32 = 3;
/// How long one answer is waited for: longer than a satellite's round trip.
pub const EVERY: Duration = Duration::from_secs(1);

/// What came of asking one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Addresses and times.
    pub contact: Contact,
    /// What it told, with our own times.
    pub outcome: Result<(Answer, Exchange), Unanswered>,
}

/// Why nothing was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing came back, or the system says why not.
    Failed(Failure),
    /// It refuses (kiss-o'-death), by this word.
    Kiss(WireText),
    /// What came back is worth nothing, and why.
    Nonsense(WireText),
}

/// Asks one address until it tells the time, refuses, or has had its requests.
///
/// # Errors
/// The path is not there, or the system has no randomness.
pub async fn ask(remote: SocketAddr, source: &SourceAddress, origin: &Origin) -> Result<Asked, NotMeasured> {
    let mut contact = Contact { remote, local: None, offset_ms: origin.ms(), took_ms: 0.0 };
    let outcome = match dial::udp(remote, source).await {
        Ok(socket) => {
            contact.local = socket.local_addr().ok();
            exchange(&socket).await
        }
        // Bound, but no way there: as with TCP that is an answer of this machine.
        Err(_) if dial::bound(remote, socket2::Type::DGRAM, source).is_ok() => {
            Err(Unanswered::Failed(Failure::NetUnreachable))
        }
        Err(why) => return Err(why),
    };
    contact.took_ms = origin.ms() - contact.offset_ms;
    Ok(Asked { contact, outcome })
}

async fn exchange(socket: &UdpSocket) -> Result<(Answer, Exchange), Unanswered> {
    let mut why = Unanswered::Failed(Failure::TimedOut);
    for _ in 0..REQUESTS {
        let cookie = getrandom::u64().map_err(|_| Unanswered::Failed(Failure::Other))?;
        let (wall, left) = (Wall::now(), Instant::now());
        if let Err(error) = socket.send(&ntp::request(cookie)).await {
            return Err(Unanswered::Failed(classify(&error)));
        }
        let ntp = |at| Ntp::from_unix_ns(wall.unix_ns(at));
        match tokio::time::timeout(EVERY, answer(socket, cookie, &mut why)).await {
            Ok(Ok((answer, came))) => return Ok((answer, Exchange { sent: ntp(left), received: ntp(came) })),
            Ok(Err(last)) => return Err(last),
            Err(_) => {}
        }
    }
    Err(why)
}

/// The answer to one request. What anybody could have sent is noted and waited past.
async fn answer(
    socket: &UdpSocket,
    cookie: u64,
    noted: &mut Unanswered,
) -> Result<(Answer, Instant), Unanswered> {
    let mut packet = [0; 4 * BYTES];
    loop {
        let length = socket.recv(&mut packet).await.map_err(|error| Unanswered::Failed(classify(&error)))?;
        let came = Instant::now();
        match ntp::parse(packet.get(..length).unwrap_or_default(), cookie) {
            Ok(answer) => return Ok((answer, came)),
            Err(Bad::Kiss(word)) => return Err(Unanswered::Kiss(word)),
            Err(bad @ (Bad::Unsynchronised { .. } | Bad::TooFar(_) | Bad::NoTime)) => {
                return Err(Unanswered::Nonsense(bad.to_string().into()));
            }
            Err(bad) => *noted = Unanswered::Nonsense(bad.to_string().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each request by what `with` makes of it.
    async fn server(with: fn(&[u8]) -> Vec<u8>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut packet = [0; BYTES];
            while let Ok((_, from)) = socket.recv_from(&mut packet).await {
                let _ = socket.send_to(&with(&packet), from).await;
            }
        });
        address
    }

    const RIGHT: ntp::Claim = ntp::Claim { leap: 0, stratum: 2, reference: *b"TEST" };

    fn claims(request: &[u8], claim: ntp::Claim) -> Vec<u8> {
        let now = Ntp::from_unix_ns(Wall::now().unix_ns(Instant::now()) + 3_600_000_000_000);
        ntp::answer(request, claim, now).map(Vec::from).unwrap_or_default()
    }

    /// As a right server, an hour ahead.
    fn ahead(request: &[u8]) -> Vec<u8> {
        claims(request, RIGHT)
    }

    async fn asked(remote: SocketAddr) -> Asked {
        ask(remote, &SourceAddress::default(), &Origin::start()).await.unwrap()
    }

    #[tokio::test]
    async fn a_server_ahead_is_found_to_be_ahead() {
        let (answer, ours) = asked(server(ahead).await).await.outcome.unwrap();
        let wrong = (answer.offset_ms(ours) - 3_600_000.0).abs();
        assert!(wrong <= answer.delay_ms(ours) / 2.0 + 0.01, "{wrong} of {}", answer.delay_ms(ours));
    }

    #[tokio::test]
    async fn a_kiss_ends_the_asking_and_a_forger_does_not_pass() {
        let kiss = |request: &[u8]| claims(request, ntp::Claim { stratum: 0, reference: *b"DENY", ..RIGHT });
        assert_eq!(asked(server(kiss).await).await.outcome.unwrap_err(), Unanswered::Kiss("DENY".into()));
        let forged = |_: &[u8]| ahead(&ntp::request(7));
        let outcome = asked(server(forged).await).await.outcome;
        assert!(
            matches!(outcome, Err(Unanswered::Nonsense(why)) if why.as_str().contains("another question"))
        );
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(asked(closed).await.outcome.unwrap_err(), Unanswered::Failed(Failure::Refused));
    }
}

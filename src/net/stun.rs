//! Asks STUN servers, from one socket that stays: a translator's mapping belongs to it.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::Type;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::dial;
use super::failure::classify;
use crate::model::{Cause, Failure, NotMeasured, SourceAddress, WireText};
use crate::wire::stun::{self, Bad, Binding, From, MAX};

/// Requests at most: one packet may be lost.
pub const REQUESTS: u32 = 3;
/// How long the first answer is waited for; twice as long each time after (RFC 8489, 6.2.1).
pub const FIRST: Duration = Duration::from_millis(500);

/// A socket of one address family, bound to the path.
#[derive(Debug)]
pub struct StunSocket {
    socket: UdpSocket,
    /// Its own address, as the system would send from it.
    pub local: Option<SocketAddr>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What it says.
    pub binding: Binding,
    /// Where it came from.
    pub from: SocketAddr,
}

/// Why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Nothing came back, or the system says why not.
    Failed(Failure),
    /// What came back is of no use.
    Nonsense(WireText),
}

impl StunSocket {
    /// Opens one for servers of `remote`'s family.
    ///
    /// # Errors
    /// The path is not there.
    pub fn open(remote: SocketAddr, source: &SourceAddress) -> Result<Self, NotMeasured> {
        let socket = dial::bound(remote, Type::DGRAM, source)?;
        let local = dial::own_address(remote, &socket, source);
        let broken = |error: std::io::Error| {
            NotMeasured::new(Cause::NoPath, format!("no UDP socket: {error}"), "check the path in the policy")
        };
        let socket = UdpSocket::from_std(socket.into()).map_err(broken)?;
        Ok(Self { socket, local })
    }

    /// Asks until an answer comes from where it is wanted, or the requests are used up.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn ask(&self, server: SocketAddr, from: From) -> Result<Answered, Unanswered> {
        let mut transaction = [0; 12];
        getrandom::fill(&mut transaction).map_err(|_| Unanswered::Failed(Failure::Other))?;
        let request = stun::request(&transaction, from);
        let mut why = Unanswered::Failed(Failure::TimedOut);
        for attempt in 0..REQUESTS {
            let sent = self.socket.send_to(&request, server).await;
            sent.map_err(|error| Unanswered::Failed(classify(&error)))?;
            let until = Instant::now() + FIRST * 2_u32.pow(attempt);
            let mut message = [0; MAX];
            while let Ok(came) = timeout_at(until, self.socket.recv_from(&mut message)).await {
                let Ok((length, sender)) = came else { continue }; // ICMP about one request
                match stun::parse(message.get(..length).unwrap_or_default(), &transaction) {
                    Ok(binding) => return Ok(Answered { binding, from: sender }),
                    Err(bad @ (Bad::Refused { .. } | Bad::NoAddress)) => {
                        return Err(Unanswered::Nonsense(bad.to_string().into()));
                    }
                    Err(bad) => why = Unanswered::Nonsense(bad.to_string().into()),
                }
            }
        }
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_counts_and_a_strangers_does_not() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let remote = server.local_addr().unwrap();
        tokio::spawn(async move {
            let mut request = [0; 100];
            while let Ok((length, from)) = server.recv_from(&mut request).await {
                let _ = server.send_to(b"hello", from).await;
                let mut answer = [&[1, 1, 0, 12][..], &request[4..length], &[0, 1, 0, 8, 0, 1]].concat();
                answer.extend(from.port().to_be_bytes());
                answer.extend([127, 0, 0, 1]);
                let _ = server.send_to(&answer, from).await;
            }
        });
        let socket = StunSocket::open(remote, &SourceAddress::default()).unwrap();
        let answered = socket.ask(remote, From::Same).await.unwrap();
        assert_eq!((Some(answered.binding.mapped), answered.from), (socket.local, remote));
    }

    #[tokio::test]
    async fn silence_is_no_answer() {
        let mute = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let socket = StunSocket::open(mute.local_addr().unwrap(), &SourceAddress::default()).unwrap();
        let asked = socket.ask(mute.local_addr().unwrap(), From::Same).await;
        assert_eq!(asked, Err(Unanswered::Failed(Failure::TimedOut)));
    }
}

//! Asks a router what it says of itself over NAT-PMP and PCP: both questions from one socket, and again
//! as long as neither is answered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::Type;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::dial;
use crate::model::{Cause, NotMeasured, SourceAddress};
pub use crate::wire::pcp::PORT;
use crate::wire::pcp::{self, Answer, MAX, UNSUPPORTED_VERSION};

/// Requests of each kind at most: one packet may be lost.
pub const REQUESTS: u32 = 3;
/// How long the first answers are waited for; twice as long each time after (RFC 6886, 3.1).
pub const FIRST: Duration = Duration::from_millis(250);

/// What a router said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Where it was asked from.
    pub local: Option<SocketAddr>,
    /// Its answer to NAT-PMP's question: the address outside, or the result code instead.
    pub nat_pmp: Option<Result<Ipv4Addr, u16>>,
    /// The result code of its answer to PCP's ANNOUNCE.
    pub pcp: Option<u8>,
}

impl Said {
    fn note(&mut self, answer: Answer) {
        match answer {
            Answer::Outside(address) => self.nat_pmp = Some(Ok(address)),
            // One that speaks NAT-PMP alone refuses PCP's version in NAT-PMP's words.
            Answer::NoAddress(code) => drop(self.nat_pmp.get_or_insert(Err(code))),
            Answer::Announced(code) => self.pcp = Some(code),
        }
    }

    const fn is_whole(&self) -> bool {
        self.nat_pmp.is_some() && self.pcp.is_some()
    }

    /// Whether there is no need to ask again: a refused version may be the other question's.
    const fn is_enough(&self) -> bool {
        self.pcp.is_some() || !matches!(self.nat_pmp, None | Some(Err(UNSUPPORTED_VERSION)))
    }
}

/// Asks the router at this address. Silence is an answer, too: an empty one.
///
/// # Errors
/// [`Cause::NoPath`]: the path is not there.
pub async fn ask(router: Ipv4Addr, source: &SourceAddress) -> Result<Said, NotMeasured> {
    ask_at(SocketAddr::new(router.into(), PORT), source).await
}

async fn ask_at(router: SocketAddr, source: &SourceAddress) -> Result<Said, NotMeasured> {
    let broken = |error: std::io::Error| {
        NotMeasured::new(Cause::NoPath, format!("no UDP socket: {error}"), "check the path in the policy")
    };
    let socket = dial::bound(router, Type::DGRAM, source)?;
    // Connected, so that nobody but the router is heard (RFC 6886, 3.1).
    socket.connect(&router.into()).map_err(broken)?;
    let socket = UdpSocket::from_std(socket.into()).map_err(broken)?;
    let mut said = Said { local: socket.local_addr().ok(), ..Said::default() };
    let Some(IpAddr::V4(local)) = said.local.map(|local| local.ip()) else { return Ok(said) };
    for attempt in 0..REQUESTS {
        for question in [pcp::OUTSIDE.as_slice(), &pcp::announce(local)] {
            // Nothing listens there: so it says nothing.
            let _ = socket.send(question).await;
        }
        let until = Instant::now() + FIRST * 2_u32.pow(attempt);
        let mut message = [0; MAX + 1];
        while let Ok(came) = timeout_at(until, socket.recv(&mut message)).await {
            let Ok(length) = came else { continue }; // ICMP about one request
            if let Some(answer) = pcp::parse(message.get(..length).unwrap_or_default()) {
                said.note(answer);
            }
            if said.is_whole() {
                return Ok(said);
            }
        }
        if said.is_enough() {
            break; // one of the two is all that it speaks
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(answers: &'static [&'static [u8]]) -> Said {
        let router = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = router.local_addr().unwrap();
        let served = tokio::spawn(async move {
            let mut request = [0; 100];
            while let Ok((_, from)) = router.recv_from(&mut request).await {
                for answer in answers {
                    let _ = router.send_to(answer, from).await;
                }
            }
        });
        let said = ask_at(at, &SourceAddress::default()).await.unwrap();
        served.abort();
        said
    }

    #[tokio::test]
    async fn a_router_says_where_it_is_outside_and_noise_is_passed_over() {
        let said = asked(&[b"hello", &[], &[0, 128, 0, 0, 0, 0, 0, 1, 10, 3, 0, 2]]).await;
        assert_eq!((said.nat_pmp, said.pcp), (Some(Ok(Ipv4Addr::new(10, 3, 0, 2))), None));
        let none = asked(&[&[0, 128, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0]]).await;
        assert_eq!(none.nat_pmp, Some(Err(3)));
    }

    #[tokio::test]
    async fn silence_and_a_closed_port_say_nothing() {
        assert_eq!(asked(&[]).await.nat_pmp, None);
        let closed = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let said = ask_at(closed, &SourceAddress::default()).await.unwrap();
        assert_eq!((said.nat_pmp, said.pcp), (None, None));
    }
}

//! Where the server offers to take media: the candidates of its answer (RFC 8839, 5.1).

use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Candidates that are asked at most; servers name a handful.
pub const MAX_CANDIDATES: usize = 8;
/// Lines that are looked at.
const MAX_LINES: usize = 100;

/// Kind of a candidate (RFC 8839, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The server's own address.
    Host,
    /// What a STUN server saw it come from.
    Srflx,
    /// A TURN server's, which passes on.
    Relay,
}

/// A candidate that may be asked, over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// Its address and port.
    pub address: SocketAddr,
    /// Its kind.
    pub kind: Kind,
}

/// The candidates of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Those that may be asked, each once, in the answer's order; [`MAX_CANDIDATES`] at most.
    pub offered: Vec<Offered>,
    /// Those over TCP (RFC 6544), which are not asked.
    pub tcp: u32,
    /// Others that are not asked: names, addresses that are no host's, or too many.
    pub passed_over: u32,
}

impl Candidates {
    /// Of an answer (SDP). An address of the machine that asks is taken only where `here`, when the server
    /// itself is there: no answer from elsewhere may have us talk to ourselves.
    pub fn of(answer: &str, here: bool) -> Self {
        let mut all = Self::default();
        for line in answer.lines().filter_map(value).take(MAX_LINES) {
            match read(line) {
                Some(Read::Other) => {}
                Some(Read::Tcp) => all.tcp += 1,
                Some(Read::Udp(offered))
                    if all.offered.iter().any(|known| known.address == offered.address) => {}
                Some(Read::Udp(offered))
                    if may_be_asked(offered.address, here) && all.offered.len() < MAX_CANDIDATES =>
                {
                    all.offered.push(offered);
                }
                _ => all.passed_over += 1,
            }
        }
        all
    }
}

/// The answer without its candidates.
pub(super) fn without(answer: &str) -> String {
    answer.lines().filter(|line| value(line).is_none()).flat_map(|line| [line.trim_end(), "\r\n"]).collect()
}

fn value(line: &str) -> Option<&str> {
    line.trim().strip_prefix("a=candidate:")
}

enum Read {
    Udp(Offered),
    Tcp,
    /// Of RTCP's own component, which is not used (RFC 8834, 4.5).
    Other,
}

/// `foundation component transport priority address port typ kind …`
fn read(line: &str) -> Option<Read> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let mut next = || words.next();
    if next()? != "1" {
        return Some(Read::Other);
    }
    let transport = next()?.to_ascii_lowercase();
    let (_, address, port) = (next()?, next()?, next()?);
    let kind = match (next()?, next()?) {
        ("typ", "host") => Kind::Host,
        ("typ", "srflx" | "prflx") => Kind::Srflx,
        ("typ", "relay") => Kind::Relay,
        _ => return None,
    };
    match transport.as_str() {
        "udp" => {
            // A name (mDNS, RFC 8828) is none that could be looked up from here.
            let address = SocketAddr::new(address.parse().ok()?, port.parse().ok()?);
            Some(Read::Udp(Offered { address, kind }))
        }
        "tcp" => Some(Read::Tcp),
        _ => None,
    }
}

fn may_be_asked(address: SocketAddr, here: bool) -> bool {
    let ip = address.ip().to_canonical();
    let a_hosts = match ip {
        IpAddr::V4(ip) => !ip.is_link_local() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    };
    a_hosts
        && address.port() != 0
        && !ip.is_unspecified()
        && !ip.is_multicast()
        && (here || !ip.is_loopback())
}

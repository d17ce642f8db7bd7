//! A relay (TURN, RFC 8656): reached over UDP, TCP or TLS, asked for an address of its own, sent through,
//! and given back, also when whoever asked is cut off.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! use golive::net::turn::{self, Relay, Way};
//! use golive::net::{clock::Origin, tls::Roots};
//! use golive::wire::turn::{Client, TurnUrl};
//! let url = TurnUrl::try_from("turns:turn.example.com:443".to_owned())?;
//! let (source, roots, origin) = (Default::default(), Roots::system(), Origin::start());
//! let way = Way { source: &source, roots: &roots, origin: &origin };
//! let Ok(Ok(reached)) = turn::reach(&url, "192.0.2.1:443".parse()?, way).await else { return Ok(()) };
//! let client = Client::new("user".to_owned(), "password".to_owned().into());
//! let Ok(mut relay) = Relay::allocate(reached.line, client, &origin).await else { return Ok(()) };
//! let peer = "192.0.2.2:5000".parse()?; // sees us at relay.allocation().relayed
//! if relay.permit("192.0.2.2".parse()?).await.is_ok() && relay.send(peer, b"hello").await.is_ok() {
//!     let until = tokio::time::Instant::now() + Duration::from_secs(1);
//!     let _ = relay.receive(until).await; // Ok(Some((from, bytes))), or Ok(None) by then
//! }
//! let _ = relay.give_back().await; // dropping it gives back as well, without waiting for the answer
//! # Ok(())
//! # }
//! ```

mod carry;
mod line;
#[cfg(test)]
mod tests;

pub use carry::{Carried, DATAGRAMS, LONGEST as LONGEST_CARRY, SIZE, carry};
pub use line::{ANSWER, CONNECT, Line, Reached, TLS, Way, reach};

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use futures::FutureExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::clock::Origin;
use super::tls::Identity;
use super::unreached::Unreached;
use crate::model::{Failure, IcmpError, WireText};
use crate::wire::banner::Protocol;
use crate::wire::stun::Transaction;
use crate::wire::stun::message::Message;
use crate::wire::turn::{self, Asked, Client, Granted, Heard, Refused};

/// Datagrams of peers that are kept until somebody asks for them.
const WAITING: usize = 64;

/// How it ended without a relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// No connection; or over UDP, the system or the network said that the address cannot be reached.
    Unreached {
        /// How.
        failure: Failure,
        /// The ICMP error that said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        icmp: Option<IcmpError>,
        /// In its own words.
        detail: WireText,
    },
    /// A connection, but no TLS.
    NotSecured {
        /// How it ended.
        failure: Failure,
        /// Alert or error in words.
        detail: WireText,
        /// Who the server showed itself to be, when it got so far.
        identity: Option<Box<Identity>>,
    },
    /// Nothing came back.
    Silent,
    /// The connection ended before an answer.
    Closed {
        /// How.
        failure: Failure,
    },
    /// Something answered that does not speak STUN.
    NotTurn {
        /// What it looks like.
        protocol: Protocol,
        /// How it begins.
        said: WireText,
    },
    /// A success that lacks the proof that its sender knows the password, or the address.
    Unsigned,
    /// The server refused.
    Refused(Refused),
}

impl From<Unreached> for Stopped {
    fn from(Unreached { failure, icmp, detail }: Unreached) -> Self {
        Self::Unreached { failure, icmp, detail }
    }
}

/// An address of the server's that is ours for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Allocation {
    /// The address: peers send to it and see us there.
    pub relayed: SocketAddr,
    /// Where we come from, as the server sees it.
    pub mapped: Option<SocketAddr>,
    /// How long it is ours, in seconds.
    pub lifetime_s: Option<u32>,
    /// What the server calls itself.
    pub software: WireText,
    /// From the first request to the address, in milliseconds.
    pub took_ms: f64,
}

/// A relay that sends for us. Dropped, it is given back.
pub struct Relay {
    talk: Talk,
    allocation: Allocation,
}

impl Relay {
    /// Asks for an address. Cancel by dropping the future.
    ///
    /// # Errors
    /// How it ended without one.
    pub async fn allocate(line: Line, client: Client, origin: &Origin) -> Result<Self, Stopped> {
        let began = origin.ms();
        let mut talk = Talk { line, client, waiting: VecDeque::new(), owes: false };
        let granted = talk.ask(Asked::Allocate, None).await?;
        let allocation = Allocation {
            relayed: granted.relayed.ok_or(Stopped::Unsigned)?,
            mapped: granted.mapped,
            lifetime_s: granted.lifetime_s,
            software: granted.software,
            took_ms: origin.ms() - began,
        };
        Ok(Self { talk, allocation })
    }

    /// What was granted.
    pub const fn allocation(&self) -> &Allocation {
        &self.allocation
    }

    /// Lets a peer send to the address, and us to the peer, for five minutes (RFC 8656, 9).
    ///
    /// # Errors
    /// The server's refusal, or how the connection ended.
    pub async fn permit(&mut self, peer: IpAddr) -> Result<(), Stopped> {
        self.talk.ask(Asked::Permit, Some(peer)).await.map(drop)
    }

    /// Sends a datagram to a peer; like any, it may get lost. Not to be dropped halfway over TCP or TLS.
    ///
    /// # Errors
    /// How the way to the server ended.
    pub async fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), Stopped> {
        let transaction = random()?;
        self.talk.line.send(&turn::send(peer, data, &transaction)).await
    }

    /// The next datagram of a peer; none by then. Dropping the future loses nothing.
    ///
    /// # Errors
    /// How the way to the server ended.
    pub async fn receive(&mut self, until: Instant) -> Result<Option<(SocketAddr, Vec<u8>)>, Stopped> {
        if let Some(waiting) = self.talk.waiting.pop_front() {
            return Ok(Some(waiting));
        }
        while let Some(message) = self.talk.line.receive(until).await? {
            if let Some((from, data)) = turn::data(&message) {
                return Ok(Some((from, data.to_vec())));
            }
        }
        Ok(None)
    }

    /// Gives the address back and waits for the answer.
    ///
    /// # Errors
    /// The server's refusal, or how the connection ended.
    pub async fn give_back(mut self) -> Result<(), Stopped> {
        self.talk.ask(Asked::GiveBack, None).await.map(drop)
    }
}

/// Requests and their answers with one server.
struct Talk {
    line: Line,
    client: Client,
    waiting: VecDeque<(SocketAddr, Vec<u8>)>,
    /// An address was asked for, and neither refused nor given back.
    owes: bool,
}

impl Talk {
    async fn ask(&mut self, asked: Asked, peer: Option<IpAddr>) -> Result<Granted, Stopped> {
        loop {
            let transaction = random()?;
            let request = self.client.request(asked, peer, &transaction);
            self.owes |= asked == Asked::Allocate;
            let heard = self.answer(&request, asked, &transaction).await?;
            if asked != Asked::Permit {
                self.owes = matches!((&heard, asked), (Heard::Granted(_), Asked::Allocate));
            }
            match heard {
                Heard::Granted(granted) => return Ok(granted),
                Heard::Refused(refused) => return Err(Stopped::Refused(refused)),
                _ => {} // once more: the client asks so a few times only
            }
        }
    }

    async fn answer(
        &mut self,
        request: &[u8],
        asked: Asked,
        transaction: &Transaction,
    ) -> Result<Heard, Stopped> {
        let mut why = Stopped::Silent;
        for turn in 0..self.line.requests() {
            self.line.send(request).await?;
            let until = Instant::now() + self.line.patience(turn);
            while let Some(message) = self.line.receive(until).await? {
                match self.client.read(&message, asked, transaction) {
                    heard @ (Heard::Granted(_) | Heard::Again | Heard::Refused(_)) => return Ok(heard),
                    Heard::Data(from, data) if self.waiting.len() < WAITING => {
                        self.waiting.push_back((from, data));
                    }
                    Heard::Unsigned => why = Stopped::Unsigned,
                    Heard::Other if Message::read(&message).is_none() => why = Stopped::not_turn(&message),
                    Heard::Data(..) | Heard::Other => {}
                }
            }
        }
        Err(why)
    }
}

impl Drop for Talk {
    /// Whoever was cut off gives back, too: what fits into the socket at once, without waiting.
    fn drop(&mut self) {
        if self.owes
            && let Ok(transaction) = random()
        {
            let request = self.client.request(Asked::GiveBack, None, &transaction);
            let _ = self.line.write(&request).now_or_never();
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], Stopped> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map(|()| bytes).map_err(|error| Stopped::Unreached {
        failure: Failure::Other,
        icmp: None,
        detail: format!("no random bytes: {error}").into(),
    })
}

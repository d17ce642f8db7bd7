//! TURN (RFC 8656) as a client, without sockets or clocks: what is asked of a relay, by whom, and what
//! an answer means.

mod frames;
mod url;

pub use frames::{Frames, NotFramed};
pub use url::{Over, TurnUrl};

use std::net::{IpAddr, SocketAddr};

use md5::{Digest as _, Md5};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stun::Transaction;
use super::stun::message::{Message, Writer, attribute};
use crate::model::{Secret, WireText};

const SUCCESS: u16 = 0x0100;
const ERROR: u16 = 0x0110;
const SEND: u16 = 0x0016;
const DATA: u16 = 0x0017;
/// UDP, as IANA numbers protocols: what is to be relayed.
const UDP: [u8; 4] = [17, 0, 0, 0];
/// How often a server may ask for another nonce in one exchange.
const NONCES: u8 = 3;
/// What we call ourselves.
const SOFTWARE: &str = concat!("golive/", env!("CARGO_PKG_VERSION"));

/// What is asked of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// An address of the server's own, for us (Allocate).
    Allocate,
    /// That a peer may send to it (`CreatePermission`).
    Permit,
    /// That it be given back (Refresh with a lifetime of 0).
    GiveBack,
}

impl Asked {
    const fn method(self) -> u16 {
        match self {
            Self::Allocate => 0x0003,
            Self::GiveBack => 0x0004,
            Self::Permit => 0x0008,
        }
    }

    /// The request's name in the RFC.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allocate => "Allocate",
            Self::Permit => "CreatePermission",
            Self::GiveBack => "Refresh",
        }
    }
}

/// A success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The server's address that is ours now.
    pub relayed: Option<SocketAddr>,
    /// Where we come from, as the server sees it.
    pub mapped: Option<SocketAddr>,
    /// How long that holds, in seconds.
    pub lifetime_s: Option<u32>,
    /// What the server calls itself.
    pub software: WireText,
}

/// A refusal, as the server words it (RFC 8489, 14.8; RFC 8656, 19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// What was asked.
    pub asked: Asked,
    /// Three digits.
    pub code: u16,
    /// The server's words.
    pub reason: WireText,
    /// The server that it sends us to (300 Try Alternate).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<SocketAddr>,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The answer to our request.
    Granted(Granted),
    /// The server wants the request again, signed, or signed anew.
    Again,
    /// No.
    Refused(Refused),
    /// What a peer sent to our address.
    Data(SocketAddr, Vec<u8>),
    /// A success without the proof that its sender knows the password (RFC 8489, 9.2.5): anybody's.
    Unsigned,
    /// Something else: no answer yet.
    Other,
}

/// How a server knows its user: by a password that is never sent (RFC 8489, 9.2).
#[derive(Debug, Clone)]
pub struct Client {
    username: String,
    password: Secret,
    proof: Option<Proof>,
    nonces: u8,
}

#[derive(Debug, Clone)]
struct Proof {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Secret16,
}

/// MD5 of user, realm and password: as good as the password at this server.
#[derive(Clone)]
struct Secret16([u8; 16]);

impl std::fmt::Debug for Secret16 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::model::REDACTED)
    }
}

impl Client {
    /// A user who was asked for no proof yet.
    pub const fn new(username: String, password: Secret) -> Self {
        Self { username, password, proof: None, nonces: 0 }
    }

    /// A request; `peer` is whom [`Asked::Permit`] is for.
    pub fn request(&self, asked: Asked, peer: Option<IpAddr>, transaction: &Transaction) -> Vec<u8> {
        let mut request =
            Writer::new(asked.method(), transaction).with(attribute::SOFTWARE, SOFTWARE.as_bytes());
        if asked == Asked::Allocate {
            request = request.with(attribute::REQUESTED_TRANSPORT, &UDP);
        }
        if asked == Asked::GiveBack {
            request = request.with(attribute::LIFETIME, &[0; 4]);
        }
        if let Some(peer) = peer {
            request = request.with_xor_address(attribute::XOR_PEER_ADDRESS, SocketAddr::new(peer, 0));
        }
        let Some(proof) = &self.proof else { return request.done() };
        request
            .with(attribute::USERNAME, self.username.as_bytes())
            .with(attribute::REALM, &proof.realm)
            .with(attribute::NONCE, &proof.nonce)
            .signed(&proof.key.0)
    }

    /// What a message means for the request of this transaction.
    pub fn read(&mut self, message: &[u8], asked: Asked, transaction: &Transaction) -> Heard {
        if let Some((from, data)) = data(message) {
            return Heard::Data(from, data.to_vec());
        }
        let message = Message::read(message).filter(|message| message.transaction == *transaction);
        let Some(message) = message else { return Heard::Other };
        match message.kind.checked_sub(asked.method()) {
            Some(SUCCESS) if self.proof.as_ref().is_some_and(|p| !message.is_signed_with(&p.key.0)) => {
                Heard::Unsigned
            }
            Some(SUCCESS) => Heard::Granted(Granted {
                relayed: message.xor_address(attribute::XOR_RELAYED_ADDRESS),
                mapped: message.xor_address(attribute::XOR_MAPPED_ADDRESS),
                lifetime_s: message.number(attribute::LIFETIME),
                software: message.text(attribute::SOFTWARE),
            }),
            Some(ERROR) => {
                let (code, reason) = message.error();
                if self.prove(code, &message) {
                    return Heard::Again;
                }
                let other = message.address(attribute::ALTERNATE_SERVER);
                Heard::Refused(Refused { asked, code, reason, other })
            }
            _ => Heard::Other,
        }
    }

    /// Takes up the server's realm and nonce, where it asks for a proof or for a fresh one; false when
    /// it says that the one it was given is wrong.
    fn prove(&mut self, code: u16, message: &Message<'_>) -> bool {
        let first = code == 401 && self.proof.is_none();
        let Some(nonce) = message.value(attribute::NONCE) else { return false };
        if !first && code != 438 || self.nonces >= NONCES {
            return false;
        }
        self.nonces += 1;
        let ours = self.proof.as_ref().map(|proof| proof.realm.as_slice());
        let Some(realm) = message.value(attribute::REALM).or(ours).map(<[u8]>::to_vec) else { return false };
        let mut digest = Md5::new();
        for part in [self.username.as_bytes(), b":", &realm, b":", self.password.reveal().as_bytes()] {
            digest.update(part);
        }
        self.proof = Some(Proof { realm, nonce: nonce.to_vec(), key: Secret16(digest.finalize().into()) });
        true
    }
}

/// Packs what is for a peer (Send indication, RFC 8656, 11).
pub fn send(peer: SocketAddr, data: &[u8], transaction: &Transaction) -> Vec<u8> {
    Writer::new(SEND, transaction)
        .with_xor_address(attribute::XOR_PEER_ADDRESS, peer)
        .with(attribute::DATA, data)
        .done()
}

/// What a peer sent, and which (Data indication); `None` for any other message.
pub fn data(message: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let message = Message::read(message).filter(|message| message.kind == DATA)?;
    Some((message.xor_address(attribute::XOR_PEER_ADDRESS)?, message.value(attribute::DATA)?))
}

#[cfg(test)]
mod tests;

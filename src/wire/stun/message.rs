//! STUN messages (RFC 8489): header, attributes, and the proof that who sent one knows the password.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hmac::{Hmac, KeyInit as _, Mac};
use sha1::Sha1;

use crate::model::WireText;

/// Marks a message as STUN (RFC 8489, 5).
pub const COOKIE: u32 = 0x2112_a442;
/// Length of a header.
pub const HEADER: usize = 20;

/// Number of a transaction, at random: who has not seen the request cannot answer it.
pub type Transaction = [u8; 12];

/// Attributes by their numbers (IANA, STUN attributes).
pub mod attribute {
    #![expect(missing_docs, reason = "each is the name in IANA's list")]
    pub const MAPPED_ADDRESS: u16 = 0x0001;
    pub const CHANGE_REQUEST: u16 = 0x0003;
    pub const CHANGED_ADDRESS: u16 = 0x0005;
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const LIFETIME: u16 = 0x000d;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const SOFTWARE: u16 = 0x8022;
    pub const ALTERNATE_SERVER: u16 = 0x8023;
    pub const OTHER_ADDRESS: u16 = 0x802c;
}

/// HMAC-SHA1 of a message (RFC 8489, 14.5).
const PROOF: usize = 20;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// Method and class.
    pub kind: u16,
    /// Its transaction.
    pub transaction: Transaction,
    bytes: &'a [u8],
    /// Type, value and place of each attribute.
    attributes: Vec<(u16, &'a [u8], usize)>,
}

impl<'a> Message<'a> {
    /// Reads one; `None` for anything else, and for one that is cut short or longer than it says.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = bytes.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if head[4..8] != COOKIE.to_be_bytes() || body.len() != length {
            return None;
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&head[8..]);
        let kind = u16::from_be_bytes([head[0], head[1]]);
        Some(Self { kind, transaction, bytes, attributes: attributes(body)? })
    }

    /// Value of the first attribute of a type: later ones do not count (RFC 8489, 14).
    pub fn value(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes.iter().find(|(found, ..)| *found == kind).map(|(_, value, _)| *value)
    }

    /// An attribute that is a number.
    pub fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.value(kind)?.try_into().ok()?))
    }

    /// An attribute that is text; empty without it.
    pub fn text(&self, kind: u16) -> WireText {
        self.value(kind).map(WireText::from_bytes).unwrap_or_default()
    }

    /// An address that is written plainly.
    pub fn address(&self, kind: u16) -> Option<SocketAddr> {
        address(self.value(kind)?, [0; 16])
    }

    /// An address that is combined by XOR with cookie and transaction (RFC 8489, 14.2).
    pub fn xor_address(&self, kind: u16) -> Option<SocketAddr> {
        address(self.value(kind)?, mask(&self.transaction))
    }

    /// Code and words of an error (RFC 8489, 14.8); 0 where it has none.
    pub fn error(&self) -> (u16, WireText) {
        match self.value(attribute::ERROR_CODE) {
            Some([_, _, class, number, reason @ ..]) => {
                (u16::from(class & 7) * 100 + u16::from(*number), WireText::from_bytes(reason))
            }
            _ => (0, WireText::default()),
        }
    }

    /// Whether who sent it knows `key`.
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let signed = self.attributes.iter().find(|(kind, ..)| *kind == attribute::MESSAGE_INTEGRITY);
        let Some((_, proof, at)) = signed else { return false };
        let Some(before) = self.bytes.get(..HEADER + at) else { return false };
        mac(key, before).is_some_and(|mac| mac.verify_slice(proof).is_ok())
    }
}

/// Type, value and place of each attribute; `None` when one is cut short.
fn attributes(body: &[u8]) -> Option<Vec<(u16, &[u8], usize)>> {
    let (mut all, mut rest) = (Vec::new(), body);
    while !rest.is_empty() {
        let at = body.len() - rest.len();
        let (head, after) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        all.push((u16::from_be_bytes([head[0], head[1]]), after.get(..length)?, at));
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    Some(all)
}

/// The proof over all before it, whose length counts the proof as well (RFC 8489, 14.5).
fn mac(key: &[u8], before: &[u8]) -> Option<Hmac<Sha1>> {
    let length = u16::try_from(before.len() - HEADER + 4 + PROOF).ok()?.to_be_bytes();
    let mut mac = Hmac::new_from_slice(key).ok()?;
    mac.update(before.get(..2)?);
    mac.update(&length);
    mac.update(before.get(4..)?);
    Some(mac)
}

fn mask(transaction: &Transaction) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
    mask[4..].copy_from_slice(transaction);
    mask
}

fn address(value: &[u8], mask: [u8; 16]) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let [_, family, port @ ..] = *head;
    let port = u16::from_be_bytes([port[0] ^ mask[0], port[1] ^ mask[1]]);
    let ip: IpAddr = match family {
        1 => {
            let ip: [u8; 4] = ip.try_into().ok()?;
            Ipv4Addr::from_bits(u32::from_be_bytes(ip) ^ u32::from_be_bytes(*mask.first_chunk()?)).into()
        }
        2 => {
            let ip: [u8; 16] = ip.try_into().ok()?;
            Ipv6Addr::from_bits(u128::from_be_bytes(ip) ^ u128::from_be_bytes(mask)).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// A message being put together.
#[derive(Debug, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Of a method and class, without attributes.
    pub fn new(kind: u16, transaction: &Transaction) -> Self {
        Self([&kind.to_be_bytes()[..], &[0, 0], &COOKIE.to_be_bytes(), transaction].concat())
    }

    /// Adds an attribute. What is longer than an attribute can be is cut.
    #[must_use]
    pub fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.extend(kind.to_be_bytes());
        self.0.extend(length.to_be_bytes());
        self.0.extend(value.iter().take(length.into()));
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds an address, combined by XOR with cookie and transaction.
    #[must_use]
    pub fn with_xor_address(self, kind: u16, address: SocketAddr) -> Self {
        let mask: [u8; 16] = self.0.get(4..HEADER).and_then(|mask| mask.try_into().ok()).unwrap_or_default();
        let (family, mut value) = match address.ip() {
            IpAddr::V4(ip) => (1, ip.octets().to_vec()),
            IpAddr::V6(ip) => (2, ip.octets().to_vec()),
        };
        value.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        let [high, low] = address.port().to_be_bytes();
        self.with(kind, &[&[0, family, high ^ mask[0], low ^ mask[1]][..], &value].concat())
    }

    /// The message, signed with `key`.
    pub fn signed(self, key: &[u8]) -> Vec<u8> {
        let proof = mac(key, &self.0).map(|mac| mac.finalize().into_bytes());
        self.with(attribute::MESSAGE_INTEGRITY, proof.as_deref().unwrap_or_default()).done()
    }

    /// The message.
    pub fn done(mut self) -> Vec<u8> {
        let length = u16::try_from(self.0.len() - HEADER).unwrap_or(u16::MAX);
        self.0[2..4].copy_from_slice(&length.to_be_bytes());
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5769, 2.1: a request, signed with this password, and its FINGERPRINT.
    const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
    const SIGNED: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\
        \xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\
        \x00\x24\x00\x04\x6e\x00\x01\xff\
        \x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09evtj:h6vY\x20\x20\x20\
        \x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5\x71\xa2\
        \x80\x28\x00\x04\xe5\x7a\x3b\xcf";

    #[test]
    fn the_signed_sample_of_rfc_5769_is_believed_and_no_other() {
        let message = Message::read(SIGNED).unwrap();
        assert_eq!(message.value(attribute::USERNAME), Some(&b"evtj:h6vY"[..]));
        assert!(message.is_signed_with(PASSWORD) && !message.is_signed_with(b"another"));
        for at in (20..80).step_by(7) {
            let mut altered = SIGNED.to_vec();
            altered[at] ^= 1;
            let believed = Message::read(&altered).is_some_and(|message| message.is_signed_with(PASSWORD));
            assert!(!believed, "{at}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let transaction = [7; 12];
        for peer in ["192.0.2.1:32853", "[2001:db8:1234:5678:11:2233:4455:6677]:32853"] {
            let peer: SocketAddr = peer.parse().unwrap();
            let written = Writer::new(0x0016, &transaction)
                .with_xor_address(attribute::XOR_PEER_ADDRESS, peer)
                .with(attribute::DATA, b"hello")
                .signed(PASSWORD);
            let message = Message::read(&written).unwrap();
            assert_eq!((message.kind, message.transaction), (0x0016, transaction));
            assert_eq!(message.xor_address(attribute::XOR_PEER_ADDRESS), Some(peer));
            assert_eq!(message.value(attribute::DATA), Some(&b"hello"[..]));
            assert!(message.is_signed_with(PASSWORD));
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        use proptest::prelude::*;
        proptest!(|(mut bytes in proptest::collection::vec(any::<u8>(), HEADER..200))| {
            let length = u16::try_from(bytes.len() - HEADER).unwrap();
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&COOKIE.to_be_bytes());
            if let Some(message) = Message::read(&bytes) {
                let _ = (message.error(), message.is_signed_with(PASSWORD));
            }
        });
    }
}

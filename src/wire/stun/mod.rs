//! STUN binding requests (RFC 8489) and what RFC 5780 adds to them: how a translator on the way maps
//! and filters.

pub mod message;

use std::net::SocketAddr;

use crate::model::WireText;
pub use message::Transaction;
use message::{HEADER, Message, Writer, attribute};

const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Longest response that is read.
pub const MAX: usize = 1500;
/// Length of a request with a change asked for: none of ours is longer.
pub const MAX_REQUEST: usize = HEADER + 8;

/// From where the answer is to come (CHANGE-REQUEST, RFC 5780, 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// From where it was asked.
    Same,
    /// From the same address and the other port.
    OtherPort,
    /// From the other address and the other port.
    OtherAddress,
}

/// A binding request.
pub fn request(transaction: &Transaction, from: From) -> Vec<u8> {
    let flags: Option<u32> = match from {
        From::Same => None,
        From::OtherPort => Some(2),
        From::OtherAddress => Some(6),
    };
    let request = Writer::new(REQUEST, transaction);
    match flags {
        Some(flags) => request.with(attribute::CHANGE_REQUEST, &flags.to_be_bytes()).done(),
        None => request.done(),
    }
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Where the request came from, as the server sees it.
    pub mapped: SocketAddr,
    /// The server's other address and port, where it has any (OTHER-ADDRESS, RFC 5780, 7.4).
    pub other: Option<SocketAddr>,
    /// What the server calls itself.
    pub software: WireText,
}

/// Why a response is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// No STUN message, or cut short.
    #[error("no STUN message")]
    NotStun,
    /// It answers another request than ours.
    #[error("it answers another request than ours")]
    OtherTransaction,
    /// The server refuses (RFC 8489, 14.8).
    #[error("refused: {code} {reason}")]
    Refused {
        /// Three digits.
        code: u16,
        /// The server's words.
        reason: WireText,
    },
    /// It does not say where we come from.
    #[error("it does not say where the request came from")]
    NoAddress,
}

/// Reads the response to a request.
///
/// # Errors
/// Why it is of no use. [`Bad::NotStun`] and [`Bad::OtherTransaction`] must not end the wait: anybody
/// can send such a packet.
pub fn parse(message: &[u8], transaction: &Transaction) -> Result<Binding, Bad> {
    let message = Message::read(message).ok_or(Bad::NotStun)?;
    if message.transaction != *transaction {
        return Err(Bad::OtherTransaction);
    }
    match message.kind {
        SUCCESS => {}
        ERROR => {
            let (code, reason) = message.error();
            return Err(Bad::Refused { code, reason });
        }
        _ => return Err(Bad::NotStun),
    }
    let mapped = message.xor_address(attribute::XOR_MAPPED_ADDRESS);
    let mapped = mapped.or_else(|| message.address(attribute::MAPPED_ADDRESS)).ok_or(Bad::NoAddress)?;
    let other = message
        .value(attribute::OTHER_ADDRESS)
        .map_or(attribute::CHANGED_ADDRESS, |_| attribute::OTHER_ADDRESS);
    Ok(Binding { mapped, other: message.address(other), software: message.text(attribute::SOFTWARE) })
}

#[cfg(test)]
mod tests {
    use super::message::COOKIE;
    use super::*;

    /// Of RFC 5769, 2.2 and 2.3: the responses to this transaction, their integrity left out.
    const TRANSACTION: Transaction = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn response(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend(kind.to_be_bytes());
            body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), b' ');
        }
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &length, &COOKIE.to_be_bytes(), &TRANSACTION, &body].concat()
    }

    const V4: &[u8] = &[0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
    const V6: &[u8] = &[
        0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2,
        0xb9, 0xd9,
    ];

    #[test]
    fn the_samples_of_rfc_5769_are_read() {
        let v4 = response(SUCCESS, &[(0x8022, b"test vector"), (0x0020, V4)]);
        let binding = parse(&v4, &TRANSACTION).unwrap();
        assert_eq!(binding.mapped, "192.0.2.1:32853".parse().unwrap());
        assert_eq!((binding.software.as_str(), binding.other), ("test vector", None));
        let v6 = response(SUCCESS, &[(0x8022, b"test vector"), (0x0020, V6)]);
        let mapped = parse(&v6, &TRANSACTION).unwrap().mapped;
        assert_eq!(mapped, "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap());
    }

    #[test]
    fn plain_addresses_and_the_servers_other_one_are_read() {
        let plain: &[u8] = &[0, 1, 0x0d, 0x97, 192, 0, 2, 9];
        let binding = parse(&response(SUCCESS, &[(1, plain), (0x802c, plain)]), &TRANSACTION).unwrap();
        assert_eq!((binding.mapped, binding.other.unwrap()), (binding.other.unwrap(), binding.mapped));
        assert_eq!(binding.mapped, "192.0.2.9:3479".parse().unwrap());
    }

    #[test]
    fn what_is_of_no_use_is_told_by_its_reason() {
        let refused = response(ERROR, &[(9, b"\0\0\x04\x14No\x1b[2J")]);
        let reason = WireText::from("No\u{1b}[2J");
        assert_eq!(parse(&refused, &TRANSACTION), Err(Bad::Refused { code: 420, reason }));
        assert_eq!(parse(&response(SUCCESS, &[]), &TRANSACTION), Err(Bad::NoAddress));
        assert_eq!(parse(&response(REQUEST, &[]), &TRANSACTION), Err(Bad::NotStun));
        let good = response(SUCCESS, &[(0x0020, V4)]);
        assert_eq!(parse(&good, &[0; 12]), Err(Bad::OtherTransaction));
        assert_eq!(
            parse(&[&good[..], &[0; 4]].concat(), &TRANSACTION),
            Err(Bad::NotStun),
            "longer than it says"
        );
    }

    #[test]
    fn every_truncation_is_no_message() {
        let whole = response(SUCCESS, &[(0x8022, b"x"), (0x0020, V6)]);
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length], &TRANSACTION), Err(Bad::NotStun), "{length}");
            let mut lying = whole[..length].to_vec();
            if let Some(said) = lying.get_mut(2..4) {
                said.copy_from_slice(&u16::try_from(length.saturating_sub(HEADER)).unwrap().to_be_bytes());
            }
            assert!(parse(&lying, &TRANSACTION).is_err(), "{length}, and it says so");
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        use proptest::prelude::*;
        proptest!(|(mut bytes in proptest::collection::vec(any::<u8>(), HEADER..200))| {
            bytes[..2].copy_from_slice(&SUCCESS.to_be_bytes());
            let length = u16::try_from(bytes.len() - HEADER).unwrap();
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
            bytes[4..8].copy_from_slice(&COOKIE.to_be_bytes());
            bytes[8..HEADER].copy_from_slice(&TRANSACTION);
            let _ = parse(&bytes, &TRANSACTION);
        });
    }

    #[test]
    fn requests_ask_for_what_they_should() {
        let plain = request(&TRANSACTION, From::Same);
        assert_eq!((plain.len(), &plain[..8]), (HEADER, &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..]));
        for (from, flags) in [(From::OtherPort, 2), (From::OtherAddress, 6)] {
            let asked = request(&TRANSACTION, from);
            assert_eq!((asked.len(), asked[3]), (MAX_REQUEST, 8));
            assert_eq!(asked[HEADER..], [0, 3, 0, 4, 0, 0, 0, flags]);
        }
    }
}

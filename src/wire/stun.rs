//! STUN binding requests (RFC 8489) and what RFC 5780 adds to them: how a translator on the way maps
//! and filters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::WireText;

const COOKIE: u32 = 0x2112_a442;
const HEADER: usize = 20;
const REQUEST: u16 = 0x0001;
const SUCCESS: u16 = 0x0101;
const ERROR: u16 = 0x0111;

/// Longest response that is read.
pub const MAX: usize = 1500;
/// Length of a request with a change asked for: none of ours is longer.
pub const MAX_REQUEST: usize = HEADER + 8;

/// Number of a transaction, at random: who has not seen the request cannot answer it.
pub type Transaction = [u8; 12];

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
    let mut out = Vec::with_capacity(MAX_REQUEST);
    out.extend(REQUEST.to_be_bytes());
    out.extend(if flags.is_some() { 8_u16 } else { 0 }.to_be_bytes());
    out.extend(COOKIE.to_be_bytes());
    out.extend(transaction);
    if let Some(flags) = flags {
        out.extend([0x00, 0x03, 0x00, 0x04]);
        out.extend(flags.to_be_bytes());
    }
    out
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
    let word = |at: usize| Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?));
    let (kind, length) = (word(0).ok_or(Bad::NotStun)?, word(2).ok_or(Bad::NotStun)?);
    let cookie = message.get(4..8).is_some_and(|cookie| cookie == COOKIE.to_be_bytes());
    let body = message.get(HEADER..).filter(|body| cookie && body.len() == usize::from(length));
    let body = body.ok_or(Bad::NotStun)?;
    if message.get(8..HEADER) != Some(transaction.as_slice()) {
        return Err(Bad::OtherTransaction);
    }
    let attributes = attributes(body).ok_or(Bad::NotStun)?;
    let value = |wanted: u16| attributes.iter().find(|(kind, _)| *kind == wanted).map(|(_, value)| *value);
    match kind {
        SUCCESS => {}
        ERROR => return Err(refusal(value(0x0009).unwrap_or_default())),
        _ => return Err(Bad::NotStun),
    }
    let mapped = value(0x0020).and_then(|value| address(value, Some(transaction)));
    let mapped = mapped.or_else(|| address(value(0x0001)?, None)).ok_or(Bad::NoAddress)?;
    Ok(Binding {
        mapped,
        other: value(0x802c).or_else(|| value(0x0005)).and_then(|value| address(value, None)),
        software: value(0x8022).map(WireText::from_bytes).unwrap_or_default(),
    })
}

/// Type and value of each attribute; `None` when one is cut short.
fn attributes(mut body: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut all = Vec::new();
    while !body.is_empty() {
        let (head, rest) = body.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        all.push((u16::from_be_bytes([head[0], head[1]]), rest.get(..length)?));
        body = rest.get(length.next_multiple_of(4)..)?;
    }
    Some(all)
}

/// An address, combined by XOR with cookie and transaction where one is given (RFC 8489, 14.1 and 14.2).
fn address(value: &[u8], xored: Option<&Transaction>) -> Option<SocketAddr> {
    let (head, ip) = value.split_first_chunk::<4>()?;
    let [_, family, port @ ..] = *head;
    let mut mask = [0; 16];
    if let Some(transaction) = xored {
        mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
        mask[4..].copy_from_slice(transaction);
    }
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

fn refusal(value: &[u8]) -> Bad {
    let (code, reason) = match value {
        [_, _, class, number, reason @ ..] => (u16::from(class & 7) * 100 + u16::from(*number), reason),
        _ => (0, [].as_slice()),
    };
    Bad::Refused { code, reason: WireText::from_bytes(reason) }
}

#[cfg(test)]
mod tests {
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

//! What a router says of itself over the Port Control Protocol (RFC 6887) and the older NAT-PMP (RFC
//! 6886), which share a port. Only questions that change nothing are known here: NAT-PMP's for the address
//! outside, and PCP's ANNOUNCE, which has no such answer. No port is ever opened.

use std::net::Ipv4Addr;

/// Where routers listen (RFC 6886, 3.1; RFC 6887, 19.4).
pub const PORT: u16 = 5351;
/// Longest answer that PCP allows, in bytes (RFC 6887, 7).
pub const MAX: usize = 1100;

/// Version and opcode of NAT-PMP's question for the address outside (RFC 6886, 3.2).
pub const OUTSIDE: [u8; 2] = [0, 0];
/// NAT-PMP's result code of a question in another version (RFC 6886, 3.5).
pub const UNSUPPORTED_VERSION: u16 = 1;
/// NAT-PMP's result code of a router that has no address to tell.
pub const NETWORK_FAILURE: u16 = 3;
/// Added to the opcode in an answer.
const ANSWER: u8 = 128;
/// PCP's version and its opcode ANNOUNCE (RFC 6887, 7 and 14.1).
const PCP: u8 = 2;
const ANNOUNCE: u8 = 0;
/// Bytes of a PCP header.
const HEADER: usize = 24;

/// PCP's ANNOUNCE from this address of ours, which the router compares with where it comes from.
pub fn announce(local: Ipv4Addr) -> [u8; HEADER] {
    let mut request = [0; HEADER];
    (request[0], request[1]) = (PCP, ANNOUNCE);
    request[8..].copy_from_slice(&local.to_ipv6_mapped().octets());
    request
}

/// What a router answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// By NAT-PMP: the address that it has outside.
    Outside(Ipv4Addr),
    /// By NAT-PMP: it gives none, with its result code, which is never 0 (RFC 6886, 3.5).
    NoAddress(u16),
    /// By PCP, with its result code (RFC 6887, 7.4); 0 is success.
    Announced(u8),
}

/// Reads an answer; none where it is no answer to what is asked here.
pub fn parse(message: &[u8]) -> Option<Answer> {
    match message {
        [0, op, high, low, rest @ ..] if *op == ANSWER + OUTSIDE[1] => {
            match (u16::from_be_bytes([*high, *low]), rest) {
                // The seconds since the router's start go before the address.
                (0, [_, _, _, _, address @ ..]) => {
                    let address = Ipv4Addr::from(<[u8; 4]>::try_from(address).ok()?);
                    let none = Answer::NoAddress(NETWORK_FAILURE);
                    Some(if address.is_unspecified() { none } else { Answer::Outside(address) })
                }
                (0, _) => None,
                (code, _) => Some(Answer::NoAddress(code)),
            }
        }
        [PCP, op, _, code, ..] if *op == ANSWER + ANNOUNCE => {
            (HEADER..=MAX).contains(&message.len()).then_some(Answer::Announced(*code))
        }
        _ => None,
    }
}

/// A result code of NAT-PMP in words.
pub const fn no_address(code: u16) -> &'static str {
    match code {
        UNSUPPORTED_VERSION => "unsupported version",
        2 => "not authorised",
        NETWORK_FAILURE => "network failure",
        4 => "out of resources",
        5 => "unsupported question",
        _ => "an unknown result",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As miniupnpd 2.3.1 answered with a public address outside, with a private one, and to ANNOUNCE.
    const ANSWERS: [(&[u8], Answer); 3] = [
        (&[0, 128, 0, 0, 0, 0, 0, 2, 0x2d, 0x1e, 0, 2], Answer::Outside(Ipv4Addr::new(45, 30, 0, 2))),
        (&[0, 128, 0, 3, 0, 0, 0, 3, 0, 0, 0, 0], Answer::NoAddress(3)),
        (&[2, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Answer::Announced(0)),
    ];

    #[test]
    fn answers_are_read_whole_and_cut_short() {
        for (message, answer) in ANSWERS {
            assert_eq!(parse(message), Some(answer));
            for cut in 0..message.len() {
                // A refusal is whole without an address.
                let whole = matches!(answer, Answer::NoAddress(_)) && cut >= 4;
                assert_eq!(parse(&message[..cut]), whole.then_some(answer), "{answer:?} cut at {cut}");
            }
            let longer = [message, &[0; MAX]].concat();
            assert!(!matches!(parse(&longer), Some(Answer::Outside(_) | Answer::Announced(_))));
        }
        // A PCP server that has left NAT-PMP behind (RFC 6887, appendix A), and an answer to an opened port.
        assert_eq!(parse(&[0, 128, 0, 1, 0, 0, 0, 9]), Some(Answer::NoAddress(1)));
        assert_eq!(parse(&[0, 130, 0, 0, 0, 0, 0, 9, 0, 80, 0, 80, 0, 0, 0, 60]), None);
        assert_eq!(parse(&[0, 128, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]), Some(Answer::NoAddress(NETWORK_FAILURE)));
        assert_eq!(parse(&OUTSIDE), None);
    }

    #[test]
    fn announce_names_the_address_that_asks() {
        let request = announce(Ipv4Addr::new(192, 168, 10, 20));
        assert_eq!(request[..8], [2, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(request[8..], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 168, 10, 20]);
        assert_eq!(parse(&request), None, "a question is no answer");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(message in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(Answer::NoAddress(code)) = parse(&message) {
                prop_assert!(code != 0 && !no_address(code).is_empty());
            }
        }
    }
}

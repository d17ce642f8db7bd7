//! Questions over TCP.

use super::{Answer, Salt};

/// Appends `body` with its length in `width` big-endian bytes before it. Callers' bodies are
/// far shorter than the width holds.
fn counted(out: &mut Vec<u8>, width: usize, body: &[u8]) {
    let length = body.len().to_be_bytes();
    out.extend(&length[length.len() - width..]);
    out.extend(body);
}

/// A TLS 1.2 `ClientHello` (RFC 5246, 7.4.1.2) with the server's name (RFC 6066, 3), offering what
/// any server since 2010 has. It needs no more: a refusal is an alert, and so an answer too.
pub(super) fn client_hello(host: &str, salt: &Salt) -> Vec<u8> {
    const SUITES: [u8; 12] = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30, 0xcc, 0xa9, 0xcc, 0xa8];
    const GROUPS: [u8; 6] = [0, 4, 0, 0x1d, 0, 0x17]; // x25519, secp256r1
    const SIGNATURES: [u8; 12] = [0, 10, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5];
    let mut extensions = Vec::new();
    let mut extension = |number: u16, body: &[u8]| {
        extensions.extend(number.to_be_bytes());
        counted(&mut extensions, 2, body);
    };
    // A literal address is no server name (RFC 6066, 3); 253 octets are DNS' most.
    if host.len() <= 253 && host.parse::<std::net::IpAddr>().is_err() {
        let (mut entry, mut list) = (vec![0], Vec::new());
        counted(&mut entry, 2, host.as_bytes());
        counted(&mut list, 2, &entry);
        extension(0, &list);
    }
    extension(10, &GROUPS);
    extension(11, &[1, 0]); // uncompressed points
    extension(13, &SIGNATURES);
    let mut hello = vec![3, 3];
    hello.extend(salt);
    hello.push(0); // no session to resume
    counted(&mut hello, 2, &SUITES);
    hello.extend([1, 0]); // no compression
    counted(&mut hello, 2, &extensions);
    let mut handshake = vec![1];
    counted(&mut handshake, 3, &hello);
    let mut record = vec![0x16, 3, 1];
    counted(&mut record, 2, &handshake);
    record
}

/// A TLS record that carries a handshake or an alert.
pub(super) fn is_record(bytes: &[u8]) -> Answer {
    match bytes {
        [0x15 | 0x16, 3, _, ..] => Answer::Yes,
        [] | [0x15 | 0x16] | [0x15 | 0x16, 3] => Answer::More,
        _ => Answer::No,
    }
}

/// `HEAD /`, asking to close.
pub(super) fn head(host: &str) -> Vec<u8> {
    let host: String = host.chars().filter(char::is_ascii_graphic).take(253).collect();
    format!(
        "HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: golive\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
    .into_bytes()
}

pub(super) fn is_status_line(bytes: &[u8]) -> Answer {
    const OPENING: &[u8] = b"HTTP/1.";
    if bytes.starts_with(OPENING) {
        Answer::Yes
    } else if OPENING.starts_with(bytes) {
        Answer::More
    } else {
        Answer::No
    }
}

/// C0 (version 3) and C1: time 0, zero, 1528 bytes of chance.
pub(super) fn c0_c1(salt: &Salt) -> Vec<u8> {
    let mut out = vec![3];
    out.extend([0; 8]);
    out.extend(salt.iter().cycle().take(1528));
    out
}

/// S0 is one byte; a server sends S1 right behind it, so more than a lone 3 is asked for.
pub(super) fn is_s0(bytes: &[u8]) -> Answer {
    match bytes {
        [] => Answer::More,
        [3, ..] if bytes.len() < 9 => Answer::More,
        [3, ..] => Answer::Yes,
        _ => Answer::No,
    }
}
